package mozv2

import (
	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/rows"
)

// linkingRootDomains: one row per root domain that links to a target, lost ones included unless the filter says
// not_deleted. date_gained and date_lost come only with the sort of that name, as far as other clients know; Moz
// documents them for JSON-RPC. Source: Moz, linking_root_domains; the words of filter as for links.
func linkingRootDomains() *report {
	return list(&pipeline.Endpoint{
		Name:         "linking_root_domains",
		Meaning:      "root domains that link to a target, with their authority and their pages that link",
		ScopeParam:   "target_scope",
		DefaultScope: "page",
		Params: []pipeline.Param{
			scopeParam("target_scope"),
			{Name: "sort", Type: pipeline.ParamEnum, Meaning: "order, descending, dates newest first; Moz's default is source_domain_authority", Values: []string{
				"source_domain_authority", "source_link_propensity", "source_spam_score", "date_gained", "date_lost"}},
			{Name: "filter", Type: pipeline.ParamWords, Separator: "+", Check: severalNeedExternal,
				Meaning: "which domains: positive words need one link that fits, negative words need all to fit; Moz's default is external", Values: []string{
					"external", "follow", "nofollow", "deleted", "not_deleted", "gained_last_60_days", "lost_last_60_days"}},
			{Name: "begin_date", Type: pipeline.ParamDate, Check: needsDateSort, Meaning: "first day of gain or loss; with sort date_gained or date_lost"},
			{Name: "end_date", Type: pipeline.ParamDate, Check: needsDateSort, Meaning: "last day of gain or loss; with sort date_gained or date_lost"},
		},
	}, rows.Rule{Column: "to_target_*", Path: "to_target.*"})
}
