package schemas

// mozDoc names where Moz documents an endpoint of the Links API V2.
func mozDoc(endpoint string) string { return "Moz Links API V2, " + endpoint }

// mozAnchorText is one row per anchor text of followed external links to a target.
var mozAnchorText = &Table{
	Schema: "moz", Name: "anchor_text",
	Meaning: "one anchor text of followed external links to the target, most linking domains first",
	Source:  mozDoc("anchor_text"),
	Key:     []string{"anchor_text"},
	Own: []Column{
		{Name: "anchor_text", Type: String, Required: true, Meaning: "the text as Moz normalises it: tags stripped, trimmed, lower case; '' for links without text", Source: mozDoc("anchor_text")},
		{Name: "external_root_domains", Type: Int64, Required: true, Unit: "root domains", Meaning: "root domains linking to the target with this text", Source: mozDoc("anchor_text")},
		{Name: "external_pages", Type: Int64, Required: true, Unit: "pages", Meaning: "pages of other root domains linking to the target with this text", Source: mozDoc("anchor_text")},
	},
}

// mozLinks is one row per link, with the metrics of both its ends.
var mozLinks = &Table{
	Schema: "moz", Name: "links",
	Meaning: "one link to the target, with the 52 metrics of the linking page (source_*) and of the page linked to (target_*)",
	Source:  mozDoc("links"),
	Key:     []string{"source_page", "target_page", "anchor_text", "nofollow", "redirect", "rel_canonical", "via_redirect", "via_rel_canonical"},
	Coarse:  true,
	Own: append(append([]Column{
		{Name: "anchor_text", Type: String, Required: true, Meaning: "the link's text as Moz normalises it; '' for links without text", Source: mozDoc("links")},
		{Name: "date_first_seen", Type: Date, Meaning: "when Moz first saw the link", Source: mozDoc("links")},
		{Name: "date_last_seen", Type: Date, Meaning: "when Moz last saw the link", Source: mozDoc("links")},
		{Name: "date_disappeared", Type: Date, Telling: true, Meaning: "when the link was found gone; null while it is live", Source: mozDoc("links")},
		{Name: "nofollow", Type: Bool, Meaning: "the link is rel=nofollow", Source: mozDoc("links")},
		{Name: "redirect", Type: Bool, Meaning: "the link is a redirect from source to target", Source: mozDoc("links")},
		{Name: "rel_canonical", Type: Bool, Meaning: "the link is a rel=canonical", Source: mozDoc("links")},
		{Name: "via_redirect", Type: Bool, Meaning: "the link points at a page that redirects to the target", Source: mozDoc("links")},
		{Name: "via_rel_canonical", Type: Bool, Meaning: "the link points at a page whose canonical is the target", Source: mozDoc("links")},
	}, prefixed("source_", "linking page: ", mozMetrics)...), prefixed("target_", "page linked to: ", mozMetrics)...),
}

// mozLinkingRootDomains is one row per root domain that links to the target.
var mozLinkingRootDomains = &Table{
	Schema: "moz", Name: "linking_root_domains",
	Meaning: "one root domain that links to the target, or did",
	Source:  mozDoc("linking_root_domains"),
	Key:     []string{"root_domain"},
	Own: []Column{
		{Name: "root_domain", Type: String, Required: true, Meaning: "the linking root domain as Moz sees it; for some shared hosts that is a subdomain", Source: mozDoc("linking_root_domains")},
		{Name: "root_domains_to_root_domain", Type: Int64, Unit: "root domains", Meaning: "root domains that link to the linking one", Source: mozDoc("linking_root_domains")},
		{Name: "domain_authority", Type: Int64, Unit: "score 1-100", Meaning: "Domain Authority of the linking root domain", Source: mozDoc("linking_root_domains")},
		{Name: "link_propensity", Type: Float64, Unit: "ratio", Meaning: "root domains it links to per page crawled; may exceed 1", Source: mozDoc("linking_root_domains")},
		{Name: "spam_score", Type: Int64, NoValue: []string{"-1"}, Unit: "percent", Meaning: "Spam Score of the linking root domain; null if none is known", Source: mozDoc("linking_root_domains")},
		{Name: "to_target_pages", Type: Int64, Unit: "pages", Meaning: "its pages that link to the target now", Source: mozDoc("linking_root_domains")},
		{Name: "to_target_nofollow_pages", Type: Int64, Unit: "pages", Meaning: "of those, pages with only nofollow links", Source: mozDoc("linking_root_domains")},
		{Name: "to_target_redirect_pages", Type: Int64, Unit: "pages", Meaning: "of those, pages that redirect to the target", Source: mozDoc("linking_root_domains")},
		{Name: "to_target_deleted_pages", Type: Int64, Unit: "pages", Meaning: "its pages that used to link to the target", Source: mozDoc("linking_root_domains")},
		{Name: "date_gained", Type: Date, Meaning: "when the domain began to link; only with sort date_gained", Source: mozDoc("linking_root_domains")},
		{Name: "date_lost", Type: Date, Meaning: "when the domain's last link was lost; only with sort date_lost", Source: mozDoc("linking_root_domains")},
	},
}

// mozLinkIntersect is one row per source that links to some of the positive targets and to none of the negative ones.
var mozLinkIntersect = &Table{
	Schema: "moz", Name: "link_intersect",
	Meaning: "one page or root domain that links to some of the positive targets and to none of the negative ones",
	Source:  mozDoc("link_intersect"),
	Key:     []string{"page"},
	Own: []Column{
		{Name: "page", Type: String, Required: true, Meaning: "the linking page, or root domain with source_scope root_domain", Source: mozDoc("link_intersect")},
		{Name: "title", Type: String, Meaning: "page title; '' if none is known, and for root domains", Source: mozDoc("link_intersect")},
		{Name: "domain_authority", Type: Int64, Unit: "score 1-100", Meaning: "Domain Authority of the linking root domain", Source: mozDoc("link_intersect")},
		{Name: "spam_score", Type: Int64, NoValue: []string{"-1"}, Unit: "percent", Meaning: "Spam Score of the linking root domain; null if none is known", Source: mozDoc("link_intersect")},
		{Name: "matching_target_indexes", Type: Int32s, Meaning: "which positive targets it links to: places in positive_targets, from 0", Source: mozDoc("link_intersect")},
		{Name: "matching_targets", Type: Strings, Meaning: "the positive targets it links to", Source: "job spec, by matching_target_indexes"},
		{Name: "positive_targets", Type: Strings, Meaning: "the targets of which it links to some, in the order asked", Source: "job spec"},
		{Name: "negative_targets", Type: Strings, Meaning: "the targets of which it links to none; empty if none were asked about", Source: "job spec"},
	},
}

// mozLinkStatus is one row per source that was asked about.
var mozLinkStatus = &Table{
	Schema: "moz", Name: "link_status",
	Meaning: "whether one source links to the target",
	Source:  mozDoc("link_status"),
	Key:     []string{"source", "source_scope", "target_scope"},
	Own: []Column{
		{Name: "source", Type: String, Required: true, Meaning: "the source as sent", Source: "job spec, normalised"},
		{Name: "source_scope", Type: String, Required: true, Meaning: "how wide the source is taken: page, subdomain, root_domain", Source: "job spec"},
		{Name: "target_scope", Type: String, Required: true, Meaning: "how wide the target is taken: page, subdomain, root_domain", Source: "job spec"},
		{Name: "link_exists", Type: Bool, Required: true, Meaning: "the source links to the target", Source: mozDoc("link_status")},
		{Name: "index_id", Type: String, Meaning: "the index the answer comes from, as moz.index_metadata names it; null if it is not known", Source: mozDoc("index_metadata")},
	},
}

// mozFinalRedirect is one row per page that was asked about: the key is the target itself.
var mozFinalRedirect = &Table{
	Schema: "moz", Name: "final_redirect",
	Meaning: "where a chain of redirects that begins at the target ends",
	Source:  mozDoc("final_redirect"),
	Own: []Column{
		{Name: "final_page", Type: String, NoValue: []string{""}, Telling: true, Meaning: "the page the target redirects to in the end; null if no redirect is known", Source: mozDoc("final_redirect")},
	},
}

// mozGlobalTopRootDomains has the columns of linking_root_domains without the dates.
var mozGlobalTopRootDomains = &Table{
	Schema: "moz", Name: "global_top_root_domains",
	Meaning: "one of the 500 root domains of the web with the highest Domain Authority",
	Source:  mozDoc("global_top_root_domains"),
	Key:     []string{"root_domain"},
	Own: []Column{
		{Name: "root_domain", Type: String, Required: true, Meaning: "the root domain as Moz sees it; for some shared hosts that is a subdomain", Source: mozDoc("global_top_root_domains")},
		{Name: "root_domains_to_root_domain", Type: Int64, Unit: "root domains", Meaning: "root domains that link to it", Source: mozDoc("global_top_root_domains")},
		{Name: "domain_authority", Type: Int64, Unit: "score 1-100", Meaning: "Domain Authority", Source: mozDoc("global_top_root_domains")},
		{Name: "link_propensity", Type: Float64, Unit: "ratio", Meaning: "root domains it links to per page crawled; may exceed 1", Source: mozDoc("global_top_root_domains")},
		{Name: "spam_score", Type: Int64, NoValue: []string{"-1"}, Unit: "percent", Meaning: "Spam Score; null if none is known", Source: mozDoc("global_top_root_domains")},
		{Name: "to_target_pages", Type: Int64, Unit: "pages", Meaning: "as in linking_root_domains; without a target Moz sends 0, undocumented", Source: mozDoc("global_top_root_domains")},
		{Name: "to_target_nofollow_pages", Type: Int64, Unit: "pages", Meaning: "likewise", Source: mozDoc("global_top_root_domains")},
		{Name: "to_target_redirect_pages", Type: Int64, Unit: "pages", Meaning: "likewise", Source: mozDoc("global_top_root_domains")},
		{Name: "to_target_deleted_pages", Type: Int64, Unit: "pages", Meaning: "likewise", Source: mozDoc("global_top_root_domains")},
	},
}

// mozIndexMetadata is one row per reading.
var mozIndexMetadata = &Table{
	Schema: "moz", Name: "index_metadata",
	Meaning: "the index that Moz answers from",
	Source:  mozDoc("index_metadata"),
	Key:     []string{"index_id"},
	Own: []Column{
		{Name: "index_id", Type: String, Required: true, Meaning: "opaque name of the index; changes when the index is updated", Source: mozDoc("index_metadata")},
		{Name: "spam_score_update_days", Type: Dates, Meaning: "the days on which Spam Scores were updated, oldest first; null where the surface does not tell", Source: mozDoc("index_metadata")},
	},
}

// mozUsageData is one row per reading of Moz's own meter.
var mozUsageData = &Table{
	Schema: "moz", Name: "usage_data",
	Meaning: "rows that the account consumed in a period, as Moz counts them; up to an hour late",
	Source:  mozDoc("usage_data"),
	Key:     []string{"period_start", "period_end"},
	Own: []Column{
		{Name: "rows_consumed", Type: Int64, Required: true, Unit: "rows", Meaning: "rows consumed in the period, weights included", Source: mozDoc("usage_data")},
		{Name: "period_start", Type: Timestamp, Required: true, Meaning: "beginning of the period, UTC; the start of the month if none was asked for", Source: "job spec"},
		{Name: "period_end", Type: Timestamp, Required: true, Meaning: "end of the period, UTC; the time of the answer if none was asked for", Source: "job spec"},
	},
}

// prefixed returns the columns under a longer name, as links flattens its two ends.
func prefixed(prefix, of string, columns []Column) []Column {
	out := make([]Column, len(columns))
	for i, c := range columns {
		c.Name, c.Meaning = prefix+c.Name, of+c.Meaning
		out[i] = c
	}
	return out
}
