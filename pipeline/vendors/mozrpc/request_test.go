package mozrpc

import (
	"strings"
	"testing"

	"backhaul/pipeline"
)

func sourcesOf(names ...string) []pipeline.Input {
	var inputs []pipeline.Input
	for _, n := range names {
		inputs = append(inputs, pipeline.Input{Source: n, SourceAsGiven: n})
	}
	return inputs
}

func targetsOf(names ...string) []pipeline.Input {
	var inputs []pipeline.Input
	for _, n := range names {
		inputs = append(inputs, pipeline.Input{Target: n, TargetAsGiven: n})
	}
	return inputs
}

func TestV2sRequestsAreAskedByMethods(t *testing.T) {
	const (
		start = `"offset":{"token":null,"limit":50}`
		two   = `{"positive_targets":[{"target":"latimes.com","scope":"root_domain"},{"target":"blog.nytimes.com","scope":"subdomain"}],"source_scope":"root_domain"`
	)
	for name, tc := range map[string]struct {
		endpoint     string
		task         pipeline.Task
		ask          pipeline.Ask
		method, data string
	}{
		"anchor text": {"anchor_text", pipeline.Task{Target: "moz.com/blog", Scope: "page", Params: `{"scope":"page"}`}, pipeline.Ask{},
			"data.site.anchor-text.list", `{"site_query":{"query":"moz.com/blog","scope":"url"},` + start + `}`},
		"next page": {"anchor_text", pipeline.Task{Target: "moz.com", Params: `{"scope":"root_domain"}`}, pipeline.Ask{Cursor: "ASP+gHcla1GA", Limit: 5},
			"data.site.anchor-text.list", `{"site_query":{"query":"moz.com","scope":"domain"},"offset":{"token":"ASP+gHcla1GA","limit":5}}`},
		"default scope": {"anchor_text", pipeline.Task{Target: "moz.com"}, pipeline.Ask{Limit: 51},
			"data.site.anchor-text.list", `{"site_query":{"query":"moz.com","scope":"url"},` + start + `}`},
		"links": {"links", pipeline.Task{Target: "moz.com", Params: `{"target_scope":"subdomain","source_scope":"root_domain","sort":"source_domain_authority","filter":"external+not_deleted","subdomains_limited_to_one":["a.com","b.com"]}`}, pipeline.Ask{},
			"data.site.link.list", `{"site_query":{"query":"moz.com","scope":"subdomain"},"options":{"scope":"domain","sort":"source_domain_authority","filters":["external","not_deleted"],"subdomains_limited_to_one":["a.com","b.com"]},` + start + `}`},
		"links without options": {"links", pipeline.Task{Target: "moz.com", Scope: "page"}, pipeline.Ask{},
			"data.site.link.list", `{"site_query":{"query":"moz.com","scope":"url"},` + start + `}`},
		"links of a text": {"links", pipeline.Task{Target: "moz.com", Params: `{"anchor_text":"møz \"blog\"","filter":"external+follow","source_scope":"page"}`}, pipeline.Ask{},
			"data.site.link.filter.anchor.text", `{"site_query":{"query":"moz.com","scope":"url"},"anchor_text":"møz \"blog\"","options":{"filters":["external","follow"]},` + start + `}`},
		"links without a text": {"links", pipeline.Task{Target: "moz.com", Params: `{"anchor_text":""}`}, pipeline.Ask{},
			"data.site.link.filter.anchor.text", `{"site_query":{"query":"moz.com","scope":"url"},"anchor_text":null,` + start + `}`},
		"links of a source": {"links", pipeline.Task{Target: "moz.com", Params: `{"source_root_domain":"ahrefs.com","sort":"source_page_authority"}`}, pipeline.Ask{},
			"data.site.link.filter.domain", `{"site_query":{"query":"moz.com","scope":"url"},"domain_site_query":{"query":"ahrefs.com","scope":"domain"},"options":{"sort":"source_page_authority"},` + start + `}`},
		"linking domains": {"linking_root_domains", pipeline.Task{Target: "moz.com", Params: `{"target_scope":"root_domain","sort":"source_spam_score","filter":"external"}`}, pipeline.Ask{},
			"data.site.linking-domain.list", `{"site_query":{"query":"moz.com","scope":"domain"},"options":{"sort":"source_spam_score","filters":["external"]},` + start + `}`},
		"gained domains": {"linking_root_domains", pipeline.Task{Target: "moz.com", Params: `{"sort":"date_gained","begin_date":"2026-06-20","end_date":"2026-06-26","filter":"external+gained_last_60_days"}`}, pipeline.Ask{},
			"data.site.linking-domain.filter.recently-gained", `{"site_query":{"query":"moz.com","scope":"url"},"options":{"begin_date":"2026-06-20","end_date":"2026-06-26"},` + start + `}`},
		"lost domains": {"linking_root_domains", pipeline.Task{Target: "moz.com", Params: `{"sort":"date_lost"}`}, pipeline.Ask{Cursor: "x"},
			"data.site.linking-domain.filter.recently-lost", `{"site_query":{"query":"moz.com","scope":"url"},"offset":{"token":"x","limit":50}}`},
		"intersect": {"link_intersect", pipeline.Task{Params: two + `,"negative_targets":[{"target":"moz.com","scope":"page"}],"min_matching_targets":2,"sort":"source_spam_score"}`}, pipeline.Ask{Limit: 1},
			"data.site.link.intersect.fetch", `{"is_linking_to":[{"query":"latimes.com","scope":"domain"},{"query":"blog.nytimes.com","scope":"subdomain"}],"not_linking_to":[{"query":"moz.com","scope":"url"}],"options":{"scope":"domain","sort":"source_spam_score","minimum_matching_targets":2},"offset":{"token":null,"limit":1}}`},
		"intersect of few": {"link_intersect", pipeline.Task{Params: `{"positive_targets":[{"target":"a.com","scope":"page"}]}`, Scope: "page"}, pipeline.Ask{},
			"data.site.link.intersect.fetch", `{"is_linking_to":[{"query":"a.com","scope":"url"}],"options":{"scope":"page"},` + start + `}`},
		"status": {"link_status", pipeline.Task{Target: "moz.com/blog", Params: `{"target_scope":"page","source_scope":"root_domain"}`, Inputs: sourcesOf("twitter.com", "linkedin.com")}, pipeline.Ask{},
			"data.site.link.status.fetch.multiple", `{"queries":[{"target_site_query":{"query":"moz.com/blog","scope":"url"},"source_site_query":{"query":"twitter.com","scope":"domain"}},{"target_site_query":{"query":"moz.com/blog","scope":"url"},"source_site_query":{"query":"linkedin.com","scope":"domain"}}]}`},
		"status of the rest": {"link_status", pipeline.Task{Target: "moz.com", Scope: "root_domain", Inputs: sourcesOf("a.com", "b.com", "c.com")}, pipeline.Ask{Cursor: "1", Limit: 1},
			"data.site.link.status.fetch.multiple", `{"queries":[{"target_site_query":{"query":"moz.com","scope":"domain"},"source_site_query":{"query":"b.com","scope":"url"}}]}`},
		"redirect": {"final_redirect", pipeline.Task{Target: "seomoz.org/blog"}, pipeline.Ask{},
			"data.site.redirect.fetch", `{"site_query":{"query":"seomoz.org/blog","scope":"url"}}`},
		"metrics": {"url_metrics", pipeline.Task{Inputs: targetsOf("a.com", "b.com/x"), Params: `{"distributions":true}`}, pipeline.Ask{},
			"data.site.metrics.fetch.multiple", `{"site_queries":[{"query":"a.com","scope":"url"},{"query":"b.com/x","scope":"url"}]}`},
		"metrics of the rest": {"url_metrics", pipeline.Task{Inputs: targetsOf("a.com", "b.com/x", "c.com")}, pipeline.Ask{Cursor: `{"phase":"metrics","at":1}`, Limit: 1},
			"data.site.metrics.fetch.multiple", `{"site_queries":[{"query":"b.com/x","scope":"url"}]}`},
		"histories": {"url_metrics", pipeline.Task{Inputs: targetsOf("a.com", "b.com/x"), Params: `{"daily_history_deltas":["page_authority"],"monthly_history_values":["domain_authority","pages_to_page"]}`}, pipeline.Ask{Cursor: `{"phase":"histories","at":1}`},
			"data.site.metrics.histories.fetch", `{"site_query":{"query":"b.com/x","scope":"url"},"get_daily_history_deltas_for":["page_authority"],"get_monthly_history_values_for":["domain_authority","pages_to_page"]}`},
		"distributions": {"url_metrics", pipeline.Task{Inputs: targetsOf("a.com", "b.com/x"), Params: `{"distributions":true}`}, pipeline.Ask{Cursor: `{"phase":"distributions","at":0}`},
			"data.site.metrics.distributions.fetch", `{"site_query":{"query":"a.com","scope":"url"}}`},
		"top pages": {"top_pages", pipeline.Task{Target: "moz.com", Params: `{"scope":"subdomain","sort":"root_domains_to_page","filter":"status_4xx"}`}, pipeline.Ask{},
			"data.site.top-page.list", `{"site_query":{"query":"moz.com","scope":"subdomain"},"options":{"sort":"root_domains_to_page","filter":"status_4xx"},` + start + `}`},
		"top pages by default": {"top_pages", pipeline.Task{Target: "moz.com"}, pipeline.Ask{},
			"data.site.top-page.list", `{"site_query":{"query":"moz.com","scope":"domain"},` + start + `}`},
		"global pages":   {"global_top_pages", pipeline.Task{}, pipeline.Ask{}, "data.global.top-page.list", `{"page":{"n":0,"limit":50}}`},
		"global domains": {"global_top_root_domains", pipeline.Task{}, pipeline.Ask{Cursor: "7", Limit: 3}, "data.global.top-domain.list", `{"page":{"n":7,"limit":50}}`},
		"index":          {"index_metadata", pipeline.Task{}, pipeline.Ask{}, "metadata.index.fetch", `{}`},
		"usage":          {"usage_data", pipeline.Task{}, pipeline.Ask{}, "quota.lookup", `{"path":"api.limits.data.rows"}`},
	} {
		c, seen := fake(t, 200, result(`{"anchor_texts":[],"links":[],"linking_domains":[],"gained_linking_domains":[],"lost_linking_domains":[],"link_intersects":[],"top_pages":[],"top_domains":[],
			"results_by_query":[{"source_site_query":{"query":"twitter.com"}},{"source_site_query":{"query":"linkedin.com"}}],"results_by_site":[{"site_query":{"query":"a.com"}},{"site_query":{"query":"b.com/x"}}],
			"destination":null,"site_metrics_histories":{},"site_metrics_distributions":{},"index_id":"x","quota":{"used":7}}`))
		if tc.ask.Cursor != "" && tc.ask.Limit == 1 {
			c, seen = fake(t, 404, `{"error":{"code":-32655,"status":404,"message":"No record"}}`) // one of a batch
		}
		page, err := named(t, c.Sources(), tc.endpoint).Fetch(t.Context(), tc.task, tc.ask)
		if err != nil || seen.method != tc.method || seen.data != tc.data {
			t.Errorf("%s: sent %s %s\nwant %s %s\n%v", name, seen.method, seen.data, tc.method, tc.data, err)
			continue
		}
		if seen.path != "POST /jsonrpc" || seen.header.Get("Content-Type") != "application/json" || seen.header.Get("x-moz-token") != token || len(seen.id) < 24 {
			t.Errorf("%s: %+v", name, seen)
		}
		if asked := string(page.Request); !strings.Contains(asked, tc.data) || strings.Contains(asked, token) {
			t.Errorf("%s: kept %s", name, asked)
		}
	}
}

func TestEveryRequestHasAnIDOfItsOwn(t *testing.T) {
	c, seen := fake(t, 200, result(`{"index_id":"x"}`))
	ids := map[string]bool{}
	for range 20 {
		if _, err := c.IndexID(t.Context()); err != nil {
			t.Fatal(err)
		}
		ids[seen.id] = true
	}
	if len(ids) != 20 {
		t.Errorf("%d ids for 20 requests", len(ids))
	}
}

func TestRequestsThatCannotBeMadeAreRejectedUnsent(t *testing.T) {
	for name, tc := range map[string]struct {
		endpoint string
		task     pipeline.Task
		ask      pipeline.Ask
		says     string
	}{
		"no target":               {"links", pipeline.Task{}, pipeline.Ask{}, "no target"},
		"no JSON":                 {"links", pipeline.Task{Target: "a.com", Params: `{"a":`}, pipeline.Ask{}, "parameters"},
		"unknown parameter":       {"links", pipeline.Task{Target: "a.com", Params: `{"limit":10}`}, pipeline.Ask{}, "limit"},
		"unknown scope":           {"links", pipeline.Task{Target: "a.com", Params: `{"target_scope":"domain"}`}, pipeline.Ask{}, "root_domain"},
		"text and source":         {"links", pipeline.Task{Target: "a.com", Params: `{"anchor_text":"","source_root_domain":"b.com"}`}, pipeline.Ask{}, "use surface v2"},
		"text and scope":          {"links", pipeline.Task{Target: "a.com", Params: `{"anchor_text":"x","source_scope":"root_domain"}`}, pipeline.Ask{}, "use surface v2"},
		"source and limited":      {"links", pipeline.Task{Target: "a.com", Params: `{"source_root_domain":"x.com","subdomains_limited_to_one":["b.com"]}`}, pipeline.Ask{}, "use surface v2"},
		"gained without its sort": {"linking_root_domains", pipeline.Task{Target: "a.com", Params: `{"filter":"external+gained_last_60_days"}`}, pipeline.Ask{}, "without sort date_gained"},
		"filter with a date sort": {"linking_root_domains", pipeline.Task{Target: "a.com", Params: `{"filter":"external+follow","sort":"date_lost"}`}, pipeline.Ask{}, "external+lost_last_60_days"},
		"histories of top pages":  {"top_pages", pipeline.Task{Target: "a.com", Params: `{"daily_history_values":["page_authority"]}`}, pipeline.Ask{}, "url_metrics"},
		"a period":                {"usage_data", pipeline.Task{Params: `{"start":"18374"}`}, pipeline.Ask{}, "billing period"},
		"no positive target":      {"link_intersect", pipeline.Task{Params: `{"negative_targets":[{"target":"a.com","scope":"page"}]}`}, pipeline.Ask{}, "positive_targets"},
		"no sources":              {"link_status", pipeline.Task{Target: "a.com", Inputs: []pipeline.Input{}}, pipeline.Ask{}, "no source"},
		"no targets":              {"url_metrics", pipeline.Task{Inputs: []pipeline.Input{}}, pipeline.Ask{}, "batch of 0"},
		"behind the batch":        {"url_metrics", pipeline.Task{Inputs: targetsOf("a.com")}, pipeline.Ask{Cursor: `{"phase":"histories","at":1}`}, "batch of 1"},
		"strange phase":           {"url_metrics", pipeline.Task{Inputs: targetsOf("a.com")}, pipeline.Ask{Cursor: `{"phase":"x","at":0}`}, "phase"},
		"strange cursor":          {"url_metrics", pipeline.Task{Inputs: targetsOf("a.com")}, pipeline.Ask{Cursor: `50`}, "cursor"},
		"strange page":            {"global_top_pages", pipeline.Task{}, pipeline.Ask{Cursor: `-1`}, "number of a page"},
	} {
		c, seen := fake(t, 200, result(`{}`))
		s := named(t, c.Sources(), tc.endpoint)
		_, err := s.Fetch(t.Context(), tc.task, tc.ask)
		if pipeline.KindOf(err) != pipeline.Rejected || err == nil || !strings.Contains(err.Error(), tc.says) || seen.requests > 0 {
			t.Errorf("%s: %v, %d requests", name, err, seen.requests)
		}
		if _, err := s.Endpoint().PriceOf(tc.task, tc.ask); err == nil {
			t.Errorf("%s: has a price", name)
		}
	}
}

// What a job says is refused by the same rules, where the parameter stands.
func TestJobsAreToldWhatOnlyV2Has(t *testing.T) {
	for _, tc := range []struct {
		endpoint, param string
		params          map[string]any
		says            string
	}{
		{"top_pages", "daily_history_deltas", map[string]any{"daily_history_deltas": []string{"page_authority"}}, "use surface v2"},
		{"top_pages", "monthly_history_values", map[string]any{"monthly_history_values": []any{"page_authority"}}, "use surface v2"},
		{"usage_data", "start", map[string]any{"start": "18374"}, "use surface v2"},
		{"links", "source_root_domain", map[string]any{"source_root_domain": "a.com", "anchor_text": ""}, "use surface v2"},
		{"links", "subdomains_limited_to_one", map[string]any{"subdomains_limited_to_one": []string{"a.com"}}, "needs sort"}, // V2's own rule stays
		{"linking_root_domains", "filter", map[string]any{"filter": "external+lost_last_60_days"}, "use surface v2"},
		{"linking_root_domains", "filter", map[string]any{"filter": "external+lost_last_60_days", "sort": "date_lost"}, ""},
		{"linking_root_domains", "filter", map[string]any{"filter": "follow+nofollow"}, "external"},
		{"links", "source_scope", map[string]any{"source_scope": "root_domain"}, ""},
	} {
		check := named(t, Offline(), tc.endpoint).Endpoint().Param(tc.param).Check
		err := check(tc.params[tc.param], tc.params)
		if (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s %v: %v, want %q", tc.endpoint, tc.params, err, tc.says)
		}
	}
}
