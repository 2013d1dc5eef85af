package schemas

import "strings"

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

// mozURLMetrics, mozTopPages and mozGlobalTopPages are lists of the url-metrics object.
var (
	mozURLMetrics = &Table{
		Schema: "moz", Name: "url_metrics",
		Meaning: "the 52 metrics of a page, its subdomain and its root domain",
		Source:  mozDoc("url_metrics"),
		Key:     []string{"page"},
		Own:     mozMetrics,
	}
	mozTopPages = &Table{
		Schema: "moz", Name: "top_pages",
		Meaning: "one page of the target with its 52 metrics, in the order asked for",
		Source:  mozDoc("top_pages"),
		Key:     []string{"page"},
		Own:     mozMetrics,
	}
	mozGlobalTopPages = &Table{
		Schema: "moz", Name: "global_top_pages",
		Meaning: "one of the 500 pages of the web with the highest Page Authority, with its 52 metrics",
		Source:  mozDoc("global_top_pages"),
		Key:     []string{"page"},
		Own:     mozMetrics,
	}
)

// mozURLMetricsHistory holds histories in the long form, since which metrics there are depends on what was asked. url_metrics
// and top_pages fill the same table: a series belongs to a page, whoever asked for it. Values that are distributions have a
// row per bucket. A delta's gains and losses of one day are one row.
var mozURLMetricsHistory = &Table{
	Schema: "moz", Name: "url_metrics_history",
	Meaning: "one metric of a page on one day or in one month: its value, or what was gained and lost",
	Source:  mozDoc("url_metrics"),
	Key:     []string{"page", "series", "metric", "date", "bucket"},
	Own: []Column{
		{Name: "page", Type: String, Required: true, Meaning: "the page in Moz's canonical form, as in the row of metrics it came with", Source: mozDoc("url_metrics")},
		{Name: "series", Type: String, Required: true, Meaning: "daily_deltas, daily_values, monthly_deltas, monthly_values", Source: mozDoc("url_metrics")},
		{Name: "metric", Type: String, Required: true, Meaning: "name of the metric, or of the distribution", Source: mozDoc("url_metrics")},
		{Name: "date", Type: Date, Required: true, Meaning: "the day; for months their first", Source: mozDoc("url_metrics")},
		{Name: "bucket", Type: Int32, Unit: "position", Meaning: "place of the value in its distribution, from 0, as in moz.url_metrics_distribution; null for single values", Source: mozDoc("url_metrics")},
		{Name: "value", Type: Int64, Meaning: "the metric's value; null in deltas", Source: mozDoc("url_metrics")},
		{Name: "gained", Type: Int64, Meaning: "what was gained in the day or month; null in values", Source: mozDoc("url_metrics")},
		{Name: "lost", Type: Int64, Meaning: "what was lost in the day or month; null in values", Source: mozDoc("url_metrics")},
	},
}

// mozURLMetricsDistribution holds the 13 distributions of a page, ten buckets each, in the long form.
var mozURLMetricsDistribution = &Table{
	Schema: "moz", Name: "url_metrics_distribution",
	Meaning: "how many of a page's linking pages or root domains fall into one bucket of a distribution",
	Source:  mozDoc("url_metrics"),
	Key:     []string{"page", "series", "bucket"},
	Own: []Column{
		{Name: "page", Type: String, Required: true, Meaning: "the page in Moz's canonical form, as in the row of metrics it came with", Source: mozDoc("url_metrics")},
		{Name: "series", Type: String, Required: true, Meaning: "name of the distribution: what is counted, and by what", Source: mozDoc("url_metrics")},
		{Name: "bucket", Type: Int32, Required: true, Unit: "position", Meaning: "place of the bucket, from 0", Source: mozDoc("url_metrics")},
		{Name: "lower", Type: Int64, Meaning: "smallest linking-domain count, authority or spam score of the bucket; null if the distribution is not one that Moz documents", Source: mozDoc("url_metrics")},
		{Name: "upper", Type: Int64, Meaning: "largest of the bucket; null where it is open", Source: mozDoc("url_metrics")},
		{Name: "value", Type: Int64, Required: true, Meaning: "how many fall into the bucket", Source: mozDoc("url_metrics")},
	},
}
