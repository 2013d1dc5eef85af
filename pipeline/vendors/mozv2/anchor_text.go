package mozv2

import "backhaul/pipeline"

// anchorText: anchor texts of followed external links to a target, most linking root domains first (fixed order), as
// deep as there are any. Source: Moz, anchor_text.
func anchorText() *report {
	return list(&pipeline.Endpoint{
		Name:         "anchor_text",
		Meaning:      "anchor texts of followed external links to a target, most linking root domains first",
		ScopeParam:   "scope",
		DefaultScope: "page",
		Params:       []pipeline.Param{scopeParam("scope")},
	})
}
