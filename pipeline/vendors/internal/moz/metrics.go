package moz

import (
	"slices"
	"strings"

	"backhaul/pipeline"
	"backhaul/schemas"
)

// Series are the kinds of histories, as moz.url_metrics_history names them.
var Series = []string{"daily_deltas", "daily_values", "monthly_deltas", "monthly_values"}

// SeriesParam returns the parameter that asks for a series: daily_history_deltas for daily_deltas.
func SeriesParam(series string) string { return strings.Replace(series, "_", "_history_", 1) }

// urlMetrics: the 52 metrics of each target, and what of their past and their distributions is asked for. Source: Moz,
// url_metrics.
func urlMetrics() pipeline.Endpoint {
	return pipeline.Endpoint{
		Name:    "url_metrics",
		Meaning: "the 52 metrics of targets, their histories and distributions",
		Also:    []*schemas.Table{table("url_metrics_history"), table("url_metrics_distribution")},
		Asks:    pipeline.AboutTargets,
		Params: append(historyParams("target"),
			pipeline.Param{Name: "distributions", Type: pipeline.ParamBool, Meaning: "how linking pages and root domains are distributed, too; one more row a target"}),
	}
}

// topPages: pages of a target, with their 52 metrics. The page of V2's documents was out of reach: parameters and words
// are those other clients send, which agree with Moz's JSON-RPC schema (data.site.top-page.list). Its histories go to
// the table of url_metrics' histories: a series belongs to a page, whoever asked for it.
func topPages() pipeline.Endpoint {
	return pipeline.Endpoint{
		Name:         "top_pages",
		Meaning:      "the pages of a target with their 52 metrics, strongest first",
		Also:         []*schemas.Table{table("url_metrics_history")},
		ScopeParam:   "scope",
		Means:        means,
		DefaultScope: "root_domain",
		Params: append([]pipeline.Param{
			{Name: "scope", Type: pipeline.ParamEnum, Values: []string{"subdomain", "root_domain"}, Meaning: "how wide the target is taken: its host or its root domain; Moz's default is not documented, so root_domain is sent"},
			{Name: "sort", Type: pipeline.ParamEnum, Values: []string{"page_authority", "root_domains_to_page", "external_pages_to_page"}, Meaning: "order, always descending; Moz's default is page_authority"},
			{Name: "filter", Type: pipeline.ParamEnum, Values: []string{"all", "status_200", "status_301", "status_302", "status_4xx", "status_5xx"}, Meaning: "only pages whose last crawl had this status; Moz's default is all"},
		}, historyParams("page")...),
	}
}

// globalTopPages: the list ends after 500 pages. Source: Moz, global_top_pages.
func globalTopPages() pipeline.Endpoint {
	return pipeline.Endpoint{
		Name:    "global_top_pages",
		Meaning: "the 500 pages of the web with the highest Page Authority, with their 52 metrics",
		Asks:    pipeline.AboutNothing,
	}
}

// globalTopRootDomains: the list ends after 500 root domains. Source: Moz, global_top_root_domains.
func globalTopRootDomains() pipeline.Endpoint {
	return pipeline.Endpoint{
		Name:    "global_top_root_domains",
		Meaning: "the 500 root domains of the web with the highest Domain Authority",
		Asks:    pipeline.AboutNothing,
	}
}

// historyParams are four lists of metrics. each is what pays for every entry.
func historyParams(each string) []pipeline.Param {
	var params []pipeline.Param
	for _, s := range []struct{ series, what string }{
		{"daily_deltas", "gains and losses of each of the last 60 days"},
		{"daily_values", "values on each of the last 60 days"},
		{"monthly_deltas", "gains and losses of each of the last 32 months"},
		{"monthly_values", "values in each of the last 32 months"},
	} {
		params = append(params, pipeline.Param{Name: SeriesParam(s.series), Type: pipeline.ParamStrings, Values: historyMetrics(s.series),
			Meaning: "metrics of which to tell the " + s.what + "; one more row a " + each + " for every entry"})
	}
	return params
}

// historyMetrics returns the metrics that have a series: every count of links that is not one of deleted links, both
// authorities, and as values also six distributions. V2 answers a wrong name with 500. Source: Moz JSON-RPC,
// data.site.metrics.histories.fetch.
func historyMetrics(series string) []string {
	var metrics []string
	for _, name := range schemas.MozMetricNames() {
		counts := strings.Contains(name, "pages_to_") || strings.Contains(name, "root_domains_to_")
		if counts && !strings.HasPrefix(name, "deleted_") || name == "page_authority" || name == "domain_authority" {
			metrics = append(metrics, name)
		}
	}
	if strings.HasSuffix(series, "_values") {
		metrics = append(metrics, historyDistributions...)
	}
	return slices.Clip(metrics)
}

// historyDistributions are the distributions that have daily and monthly values.
var historyDistributions = []string{
	"root_domains_to_root_domain_by_root_domains", "nofollow_root_domains_to_root_domain_by_root_domains",
	"pages_to_root_domain_by_spam_score", "nofollow_pages_to_root_domain_by_spam_score",
	"root_domains_to_root_domain_by_spam_score", "nofollow_root_domains_to_root_domain_by_spam_score",
}
