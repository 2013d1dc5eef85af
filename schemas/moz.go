package schemas

import "strings"

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
	Own: append(append([]Column{
		{Name: "anchor_text", Type: String, Required: true, Meaning: "the link's text as Moz normalises it; '' for links without text", Source: mozDoc("links")},
		{Name: "date_first_seen", Type: Date, Meaning: "when Moz first saw the link", Source: mozDoc("links")},
		{Name: "date_last_seen", Type: Date, Meaning: "when Moz last saw the link", Source: mozDoc("links")},
		{Name: "date_disappeared", Type: Date, Meaning: "when the link was found gone; null while it is live", Source: mozDoc("links")},
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

// mozMetrics are the 52 fields of Moz's url-metrics object in wire order. Only the page is required: a field
// the vendor drops becomes null rather than costing the row.
var mozMetrics = declareMozMetrics()

// MozMetricNames returns the vendor's names of the 52 url metrics, in wire order.
func MozMetricNames() []string {
	names := make([]string, len(mozMetrics))
	for i, c := range mozMetrics {
		names[i] = c.Name
	}
	return names
}

func declareMozMetrics() []Column {
	src := mozDoc("url metrics object")
	cols := []Column{
		{Name: "page", Type: String, Required: true, Meaning: "the page in Moz's canonical form: no scheme, host and path"},
		{Name: "subdomain", Type: String, Meaning: "the page's host"},
		{Name: "root_domain", Type: String, Meaning: "the page's root domain as Moz sees it"},
		{Name: "title", Type: String, Meaning: "page title; '' if none or never crawled"},
		{Name: "last_crawled", Type: Date, Meaning: "last successful crawl; null if never"},
		{Name: "http_code", Type: Int64, NoValue: []string{"0"}, Unit: "HTTP status", Meaning: "status of the last crawl; null if never crawled; under 100 are Moz's own codes for a failed crawl"},
	}
	count := func(name, unit, meaning string) {
		cols = append(cols, Column{Name: name, Type: Int64, Unit: unit, Meaning: meaning})
	}
	for _, level := range []struct{ suffix, of string }{
		{"page", "the page"}, {"subdomain", "any page of the subdomain"}, {"root_domain", "any page of the root domain"},
	} {
		to := func(name, unit, meaning string) { count(name+"_to_"+level.suffix, unit, meaning+" "+level.of) }
		to("pages", "pages", "unique pages now linking to")
		to("nofollow_pages", "pages", "pages with only nofollow links to")
		to("redirect_pages", "pages", "pages redirecting to")
		to("external_pages", "pages", "pages of other root domains linking to")
		if level.suffix == "root_domain" {
			to("external_indirect_pages", "pages", "external pages linking through a redirect or rel=canonical to")
		}
		to("external_nofollow_pages", "pages", "external pages with only nofollow links to")
		to("external_redirect_pages", "pages", "external pages redirecting to")
		to("deleted_pages", "pages", "pages that used to link to")
		to("root_domains", "root domains", "other root domains linking to")
		if level.suffix != "subdomain" {
			to("indirect_root_domains", "root domains", "root domains linking only through a redirect or rel=canonical to")
		}
		to("deleted_root_domains", "root domains", "root domains whose links are all gone to")
		to("nofollow_root_domains", "root domains", "root domains with only nofollow links to")
	}
	count("page_authority", "score 1-100", "Page Authority, a prediction of the page's ranking strength")
	count("domain_authority", "score 1-100", "Domain Authority of the root domain")
	cols = append(cols,
		Column{Name: "link_propensity", Type: Float64, Unit: "ratio", Meaning: "root domains linked to per page crawled of the root domain; may exceed 1"},
		Column{Name: "spam_score", Type: Int64, NoValue: []string{"-1"}, Unit: "percent", Meaning: "Spam Score; null if none is known"})
	for _, from := range []string{"page", "root_domain"} {
		of := "from the " + strings.ReplaceAll(from, "_", " ")
		count("root_domains_from_"+from, "root domains", "root domains linked to "+of)
		count("nofollow_root_domains_from_"+from, "root domains", "root domains linked to only by nofollow "+of)
		count("pages_from_"+from, "pages", "pages linked to "+of)
		count("nofollow_pages_from_"+from, "pages", "pages linked to only by nofollow "+of)
	}
	count("pages_crawled_from_root_domain", "pages", "pages of the root domain crawled with any response")
	for i := range cols {
		cols[i].Source = src
	}
	return cols
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
