package moz

import (
	"strings"

	"backhaul/pipeline"
)

// anchorText: anchor texts of followed external links to a target, most linking root domains first (fixed order), as
// deep as there are any. Source: Moz, anchor_text.
func anchorText() pipeline.Endpoint {
	return pipeline.Endpoint{
		Name:         "anchor_text",
		Meaning:      "anchor texts of followed external links to a target, most linking root domains first",
		ScopeParam:   "scope",
		Means:        means,
		CountOf:      countAnchors,
		DefaultScope: "page",
		Params:       []pipeline.Param{scopeParam("scope")},
	}
}

// links: single links to a target, with the 52 metrics of both ends. Source: Moz, links; the words of sort and filter
// are those of Moz's JSON-RPC schema, which other clients send to V2 as well.
func links() pipeline.Endpoint {
	return pipeline.Endpoint{
		Name:         "links",
		Meaning:      "links to a target, with the metrics of the linking page and of the page linked to",
		ScopeParam:   "target_scope",
		Means:        means,
		CountOf:      countLinks,
		DefaultScope: "page",
		Params: []pipeline.Param{
			scopeParam("target_scope"),
			{Name: "sort", Type: pipeline.ParamEnum, Check: linksSort, Meaning: "order, always descending; Moz's default is source_page_authority", Values: []string{
				"source_page_authority", "source_domain_authority", "source_spam_score", "source_link_propensity",
				"root_domains_to_source_page", "root_domains_to_source_root_domain"}},
			{Name: "filter", Type: pipeline.ParamWords, Separator: "+", Window: lastDays, Check: linksFilter,
				Meaning: "which links, all words must hold; Moz's default is external, which includes deleted links", Values: []string{
					"external", "follow", "nofollow", "deleted", "not_deleted", "redirect", "not_redirect", "rel_canonical", "not_rel_canonical",
					"via_redirect", "not_via_redirect", "via_rel_canonical", "not_via_rel_canonical", "gained_last_60_days", "lost_last_60_days"}},
			{Name: "anchor_text", Type: pipeline.ParamString, Meaning: "only links with exactly this text after Moz's normalisation; '' for links without text"},
			{Name: "source_root_domain", Type: pipeline.ParamString, Meaning: "only links from this root domain"},
			{Name: "source_scope", Type: pipeline.ParamEnum, Values: Scopes, Meaning: "with subdomain or root_domain only the best link, by sort, of each source host or root domain; Moz's default is page"},
			{Name: "subdomains_limited_to_one", Type: pipeline.ParamStrings, Check: needsSort, Meaning: "hosts from which at most one link is wanted"},
		},
	}
}

// linkingRootDomains: one row per root domain that links to a target, lost ones included unless the filter says
// not_deleted. Source: Moz, linking_root_domains; the words of filter as for links.
func linkingRootDomains() pipeline.Endpoint {
	return pipeline.Endpoint{
		Name:         "linking_root_domains",
		Meaning:      "root domains that link to a target, with their authority and their pages that link",
		ScopeParam:   "target_scope",
		Means:        means,
		CountOf:      countDomains,
		DefaultScope: "page",
		Params: []pipeline.Param{
			scopeParam("target_scope"),
			{Name: "sort", Type: pipeline.ParamEnum, Window: byDate, Meaning: "order, descending, dates newest first; Moz's default is source_domain_authority", Values: []string{
				"source_domain_authority", "source_link_propensity", "source_spam_score", "date_gained", "date_lost"}},
			{Name: "filter", Type: pipeline.ParamWords, Separator: "+", Window: lastDays, Check: severalNeedExternal,
				Meaning: "which domains: positive words need one link that fits, negative words need all to fit; Moz's default is external", Values: []string{
					"external", "follow", "nofollow", "deleted", "not_deleted", "gained_last_60_days", "lost_last_60_days"}},
			{Name: "begin_date", Type: pipeline.ParamDate, Window: always, Check: needsDateSort, Meaning: "first day of gain or loss; with sort date_gained or date_lost"},
			{Name: "end_date", Type: pipeline.ParamDate, Window: always, Check: needsDateSort, Meaning: "last day of gain or loss; with sort date_gained or date_lost"},
		},
	}
}

// What makes a list one of a window of time: words of filters, an order by when links came or went, of which JSON-RPC lists the
// last 60 days, and dates.
func lastDays(word string) bool { return strings.HasSuffix(word, "_last_60_days") }
func byDate(sort string) bool   { return strings.HasPrefix(sort, "date_") }
func always(string) bool        { return true }

// linkStatus: whether each of a target's sources links to it. Source: Moz, link_status.
func linkStatus() pipeline.Endpoint {
	return pipeline.Endpoint{
		Name:         "link_status",
		Meaning:      "whether sources link to a target",
		Asks:         pipeline.AboutSources,
		ScopeParam:   "target_scope",
		Means:        means,
		DefaultScope: "page",
		Params: []pipeline.Param{
			scopeParam("target_scope"),
			{Name: "source_scope", Type: pipeline.ParamEnum, Values: Scopes, Meaning: "how wide all the sources are taken: the page, its host, its root domain; Moz's default is page"},
		},
	}
}

// finalRedirect: where a page redirects to in the end. Source: Moz, final_redirect.
func finalRedirect() pipeline.Endpoint {
	return pipeline.Endpoint{
		Name:    "final_redirect",
		Meaning: "the page that a target redirects to in the end",
		Once:    true,
	}
}
