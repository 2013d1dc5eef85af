package mozv2

import (
	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/rows"
)

// links: single links to a target, with the 52 metrics of both ends. A page of 50 is about 200 kB. Source: Moz,
// links; the words of sort and filter are those of Moz's JSON-RPC schema, which other clients send to V2 as well.
func links() *report {
	r := list(&pipeline.Endpoint{
		Name:         "links",
		Meaning:      "links to a target, with the metrics of the linking page and of the page linked to",
		ScopeParam:   "target_scope",
		DefaultScope: "page",
		Params: []pipeline.Param{
			scopeParam("target_scope"),
			{Name: "sort", Type: pipeline.ParamEnum, Check: linksSort, Meaning: "order, always descending; Moz's default is source_page_authority", Values: []string{
				"source_page_authority", "source_domain_authority", "source_spam_score", "source_link_propensity",
				"root_domains_to_source_page", "root_domains_to_source_root_domain"}},
			{Name: "filter", Type: pipeline.ParamWords, Separator: "+", Check: linksFilter,
				Meaning: "which links, all words must hold; Moz's default is external, which includes deleted links", Values: []string{
					"external", "follow", "nofollow", "deleted", "not_deleted", "redirect", "not_redirect", "rel_canonical", "not_rel_canonical",
					"via_redirect", "not_via_redirect", "via_rel_canonical", "not_via_rel_canonical", "gained_last_60_days", "lost_last_60_days"}},
			{Name: "anchor_text", Type: pipeline.ParamString, Meaning: "only links with exactly this text after Moz's normalisation; '' for links without text"},
			{Name: "source_root_domain", Type: pipeline.ParamString, Meaning: "only links from this root domain"},
			{Name: "source_scope", Type: pipeline.ParamEnum, Values: scopes, Meaning: "with subdomain or root_domain only the best link, by sort, of each source host or root domain; Moz's default is page"},
			{Name: "subdomains_limited_to_one", Type: pipeline.ParamStrings, Check: needsSort, Meaning: "hosts from which at most one link is wanted"},
		},
	}, rows.Rule{Column: "source_*", Path: "source.*"}, rows.Rule{Column: "target_*", Path: "target.*"})
	r.empty = map[string]string{"anchor_text": "\x00"} // Source: Moz, links, anchor_text.
	return r
}
