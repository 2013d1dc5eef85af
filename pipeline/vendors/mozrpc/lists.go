package mozrpc

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/rows"
)

func askAnchorText(t pipeline.Task, p params, ask pipeline.Ask) (question, error) {
	about, err := asked(t, p.Scope, "page")
	return askAbout("data.site.anchor-text.list", data{SiteQuery: about, Offset: at(ask)}), err
}

// linkRules: the metrics of both ends stand under longer names.
var linkRules = []rows.Rule{{Column: "source_*", Path: "source_site_metrics.*"}, {Column: "target_*", Path: "target_site_metrics.*"}}

// askLinks: V2's one endpoint is three methods here. Those that are asked with an anchor text or a source know fewer
// options than the list; see rules.
func askLinks(t pipeline.Task, p params, ask pipeline.Ask) (question, error) {
	about, err := asked(t, p.TargetScope, "page")
	if err != nil {
		return question{}, err
	}
	d := data{SiteQuery: about, Offset: at(ask), Options: options{Sort: p.Sort, Filters: p.filters()}}
	switch {
	case p.SourceRootDomain != "":
		d.DomainSiteQuery = &site{Query: p.SourceRootDomain, Scope: siteScopes["root_domain"]}
		return askAbout("data.site.link.filter.domain", d), nil
	case p.AnchorText != nil:
		d.AnchorText = jsontext.Value("null") // links without a text
		if *p.AnchorText != "" {
			d.AnchorText, err = json.Marshal(*p.AnchorText)
		}
		return askAbout("data.site.link.filter.anchor.text", d), err
	}
	d.Options.Scope = sourceScopes[p.SourceScope]
	d.Options.SubdomainsLimitedToOne = p.SubdomainsLimitedToOne
	return askAbout("data.site.link.list", d), nil
}

// linkingRules: what V2 says of a linking root domain stands in its metrics here, of which the table has no others.
func linkingRules() []rows.Rule {
	rules := []rows.Rule{
		{Column: "root_domain", Path: "site_metrics.root_domain"},
		{Column: "root_domains_to_root_domain", Path: "site_metrics.root_domains_to_root_domain"},
		{Column: "domain_authority", Path: "site_metrics.domain_authority"},
		{Column: "spam_score", Path: "site_metrics.spam_score"},
		{Column: "to_target_*", Path: "targeted_*"},
	}
	return append(rules, leftOver("site_metrics.", "root_domain", "root_domains_to_root_domain", "domain_authority", "spam_score")...)
}

// askLinkingRootDomains: what V2 sorts by date are methods of their own here, which look at external links of the last 60
// days and take no filter.
func askLinkingRootDomains(t pipeline.Task, p params, ask pipeline.Ask) (question, error) {
	about, err := asked(t, p.TargetScope, "page")
	d := data{SiteQuery: about, Offset: at(ask)}
	switch p.Sort {
	case "date_gained", "date_lost":
		d.Options = options{BeginDate: p.BeginDate, EndDate: p.EndDate}
		method := map[string]string{"date_gained": "recently-gained", "date_lost": "recently-lost"}[p.Sort]
		return askAbout("data.site.linking-domain.filter."+method, d), err
	}
	d.Options = options{Sort: p.Sort, Filters: p.filters()}
	return askAbout("data.site.linking-domain.list", d), err
}

func askTopPages(t pipeline.Task, p params, ask pipeline.Ask) (question, error) {
	about, err := asked(t, p.Scope, "root_domain")
	return askAbout("data.site.top-page.list", data{SiteQuery: about, Offset: at(ask), Options: options{Sort: p.Sort, Filter: p.Filter}}), err
}

// tail returns what the last row of a page was sorted by: linking domains (anchor_text), or the authority of the linking
// domain or page. All of Moz's lists descend. It guides the order of the work only, so what it cannot find is 0.
func tail(r record) float64 {
	var last []byte
	for _, row := range r.Rows() {
		last = row
	}
	var keys struct {
		Domains float64 `json:"external_root_domains"`
		Site    struct {
			Authority float64 `json:"domain_authority"`
		} `json:"site_metrics"`
		Source struct {
			Authority float64 `json:"page_authority"`
		} `json:"source_site_metrics"`
	}
	if json.Unmarshal(last, &keys) != nil {
		return 0
	}
	return max(keys.Domains, keys.Site.Authority, keys.Source.Authority)
}
