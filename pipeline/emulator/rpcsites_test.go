package emulator

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type metricsOfMany struct {
	Results []struct {
		Site struct {
			Original object `json:"original_site_query"`
		} `json:"site_query"`
		Metrics object `json:"site_metrics"`
	} `json:"results_by_site"`
	Errors []struct {
		Site struct {
			Original object `json:"original_site_query"`
		} `json:"site_query"`
		Error object
	} `json:"errors_by_site"`
}

func TestMetricsOfBothAPIsAreTheSame(t *testing.T) {
	s := New(Options{Day: 5})
	pages := []string{"www.acme-outdoor.example/", "rivalgear.example", "rivalgear.example/no/such", "www.megamart.example"}
	want := metricsOf(t, s, pages)
	var queries []any
	for i, page := range pages {
		queries = append(queries, siteOf(page, "url"))
		got := ok[struct{ Site_metrics object }](t, s, "data.site.metrics.fetch", object{"site_query": siteOf(page, "url")})
		if diff := cmp.Diff(want[i], got.Site_metrics); diff != "" {
			t.Errorf("%s (-v2 +rpc):\n%s", page, diff)
		}
	}
	queries = append(queries, siteOf("no-such.example", "domain"), siteOf("acme-outdoor.example", "domain"), siteOf("blog.no-such.example", "subdomain"))
	want = append(want, metricsOf(t, s, []string{"acme-outdoor.example/"})...)
	before := s.Meter().Rows
	got := ok[metricsOfMany](t, s, "data.site.metrics.fetch.multiple", object{"site_queries": queries})
	if len(got.Results) != 5 || len(got.Errors) != 2 || s.Meter().Rows-before != 5 {
		t.Fatalf("%d results, %d errors, %d rows", len(got.Results), len(got.Errors), s.Meter().Rows-before)
	}
	for i, r := range got.Results {
		if diff := cmp.Diff(want[i], r.Metrics); diff != "" {
			t.Errorf("result %d (-v2 +rpc):\n%s", i, diff)
		}
	}
	if e := got.Errors[0]; e.Site.Original["query"] != "no-such.example" || e.Error["httpStatus"] != 404.0 || e.Error["jsonrpcCode"] != -32655.0 || e.Error["name"] == nil {
		t.Errorf("%+v", e)
	}
}

func TestStatusAndRedirectOfBothAPIsAreTheSame(t *testing.T) {
	s := New(Options{Day: 70})
	links := pageThrough[linkRow](t, s, "links", object{"target": "rivalgear.example", "target_scope": "root_domain", "limit": 50})[:200]
	var sources []string
	for _, l := range links {
		sources = append(sources, l.Source.Page)
	}
	for i := 0; i < len(sources); i += 50 {
		part := sources[i : i+50]
		want := status(t, s, object{"target": "rivalgear.example", "target_scope": "root_domain", "sources": part})
		var queries []object
		for _, source := range part {
			queries = append(queries, object{"source_site_query": siteOf(source, "url"), "target_site_query": siteOf("rivalgear.example", "domain")})
		}
		got := ok[struct {
			Results []struct{ Exists bool } `json:"results_by_query"`
			Errors  []any                   `json:"errors_by_query"`
		}](t, s, "data.site.link.status.fetch.multiple", object{"queries": queries})
		if len(got.Results) != 50 || got.Errors == nil || len(got.Errors) != 0 {
			t.Fatalf("%+v", got)
		}
		yes := 0
		for k, r := range got.Results {
			one := ok[struct{ Exists bool }](t, s, "data.site.link.status.fetch", queries[k])
			if r.Exists != want[k] || one.Exists != want[k] {
				t.Errorf("%s: %v and %v, want %v", part[k], r.Exists, one.Exists, want[k])
			}
			if r.Exists {
				yes++
			}
		}
		if yes == 0 || yes == 50 {
			t.Errorf("%d of 50 link, which proves little", yes)
		}
	}
	for page, want := range map[string]any{"acme-outdoor.example": "www.acme-outdoor.example/", "rivalgear.example": nil, "no-such.example": nil} {
		got := ok[object](t, s, "data.site.redirect.fetch", object{"site_query": siteOf(page, "url")})
		if destination, there := got["destination"]; !there || destination != want {
			t.Errorf("%s redirects to %v, want %v", page, destination, want)
		}
	}
}

func TestHistoriesAndDistributionsOfBothAPIsAreTheSame(t *testing.T) {
	s := New(Options{Day: 80})
	deltas, values := []string{"external_pages_to_subdomain", "domain_authority"}, []string{"pages_to_page", "root_domains_to_root_domain_by_root_domains"}
	v2 := decode[struct{ Results []map[string]any }](t, s, "url_metrics", object{"targets": []string{"acme-outdoor.example/"}, "distributions": true,
		"daily_history_deltas": deltas, "daily_history_values": values, "monthly_history_deltas": deltas, "monthly_history_values": values}).Results[0]
	before := s.Meter().Rows
	got := ok[struct {
		Histories map[string][]map[string]any `json:"site_metrics_histories"`
	}](t, s, "data.site.metrics.histories.fetch", object{"site_query": siteOf("www.acme-outdoor.example", "domain"),
		"get_daily_history_deltas_for": deltas, "get_daily_history_values_for": values, "get_monthly_history_deltas_for": deltas, "get_monthly_history_values_for": values})
	if rows := s.Meter().Rows - before; rows != 8 || len(got.Histories) != 4 {
		t.Errorf("%d rows for %d histories", rows, len(got.Histories))
	}
	for field, list := range got.Histories {
		names := values
		if field == "daily_history_deltas" || field == "monthly_history_deltas" {
			names = deltas
		}
		for i, entry := range list {
			series := entry["metric_values"]
			if series == nil {
				series = entry["metric_deltas"]
			}
			if diff := cmp.Diff(v2[field].(object)[names[i]], series); diff != "" || entry["metric_name"] != names[i] {
				t.Errorf("%s of %v (-v2 +rpc):\n%.1000s", field, entry["metric_name"], diff)
			}
		}
	}
	spread := ok[struct {
		Distributions object `json:"site_metrics_distributions"`
	}](t, s, "data.site.metrics.distributions.fetch", object{"site_query": siteOf("acme-outdoor.example", "domain")})
	if diff := cmp.Diff(v2["distributions"], any(spread.Distributions)); diff != "" {
		t.Errorf("(-v2 +rpc):\n%s", diff)
	}
}

func TestCallsBillAsDocumented(t *testing.T) {
	site, other := siteOf("rivalgear.example", "domain"), siteOf("summit-supply.example", "domain")
	pair := object{"source_site_query": other, "target_site_query": site}
	for _, test := range []struct {
		method string
		data   object
		want   int64
	}{
		{"data.site.anchor-text.list", object{"site_query": site}, 25},
		{"data.site.link.list", object{"site_query": site, "offset": object{"limit": 3, "token": nil}}, 3},
		{"data.site.linking-domain.list", object{"site_query": siteOf("quietpeak.example", "domain")}, 0},
		{"data.site.link.intersect.fetch", object{"is_linking_to": []object{site}, "offset": object{"limit": 7}}, 7},
		{"data.site.link.intersect.fetch", object{"is_linking_to": []object{site, site}, "not_linking_to": []object{other}, "offset": object{"limit": 7}}, 21},
		{"data.site.link.status.fetch", pair, 1},
		{"data.site.link.status.fetch.multiple", object{"queries": []object{pair, pair, pair}}, 3},
		{"data.site.redirect.fetch", object{"site_query": siteOf("rivalgear.example", "url")}, 1},
		{"data.site.metrics.fetch", object{"site_query": site}, 1},
		{"data.site.metrics.fetch.multiple", object{"site_queries": []object{site, siteOf("no-such.example", "domain"), other}}, 2},
		{"data.site.metrics.histories.fetch", object{"site_query": site}, 0},
		{"data.site.metrics.histories.fetch", object{"site_query": site, "get_daily_history_deltas_for": []string{"page_authority"},
			"get_monthly_history_values_for": []string{"page_authority", "pages_to_page"}}, 3},
		{"data.site.metrics.distributions.fetch", object{"site_query": site}, 1},
		{"data.site.top-page.list", object{"site_query": site, "offset": object{"limit": 4}}, 4},
		{"data.global.top-page.list", object{}, 0},
		{"data.global.top-domain.list", object{}, 0},
		{"metadata.index.fetch", object{}, 0},
		{"quota.lookup", object{"path": "api.limits.data.rows"}, 0},
	} {
		s := New(Options{})
		ok[object](t, s, test.method, test.data)
		used := ok[struct{ Quota object }](t, s, "quota.lookup", object{"path": "api.limits.data.rows"}).Quota["used"]
		if rows := s.Meter().Rows; rows != test.want || used != float64(test.want) {
			t.Errorf("%s %v: %d rows billed and %v used, want %d", test.method, test.data, rows, used, test.want)
		}
	}
}

func TestBothAPIsShareOneMeter(t *testing.T) {
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	s := New(Options{Quota: 60, Clock: func() time.Time { return now }})
	call(t, s, "anchor_text", ask)
	ok[object](t, s, "data.site.anchor-text.list", object{"site_query": siteOf("rivalgear.example", "domain"), "offset": object{"limit": 30}})
	quota := ok[struct{ Quota object }](t, s, "quota.lookup", object{"path": "api.limits.data.rows"}).Quota
	_, raw := call(t, s, "usage_data", object{})
	var used object
	if err := json.Unmarshal(raw, &used); err != nil {
		t.Fatal(err)
	}
	want := object{"path": "api.limits.data.rows", "account_id": 10000001.0, "allotted": 60.0, "used": 55.0, "reset": "month", "report": "day",
		"overage": false, "period_start": 1772323200.0, "period_reset": 1775001600.0}
	if diff := cmp.Diff(want, quota); diff != "" || used["rows_consumed"] != 55.0 {
		t.Errorf("V2 says %v\n%s", used, diff)
	}
	id := ok[object](t, s, "metadata.index.fetch", object{})["index_id"]
	if _, raw := call(t, s, "index_metadata", object{}); fmt.Sprint(id) != decode[struct {
		ID string `json:"index_id"`
	}](t, s, "index_metadata", object{}).ID {
		t.Errorf("%v, but V2 says %s", id, raw)
	}
	data := object{"site_query": siteOf("rivalgear.example", "domain"), "offset": object{"limit": 5}}
	ok[object](t, s, "data.site.anchor-text.list", data)
	before := s.Meter().DuplicatePages
	s = New(Options{})
	ok[object](t, s, "data.site.anchor-text.list", data)
	ok[object](t, s, "data.site.anchor-text.list", data)
	if m := s.Meter(); before != 0 || m.DuplicatePages != 1 || m.DuplicateRows != 5 || m.Pages != 2 {
		t.Errorf("%+v", m)
	}
}

func TestItemsOfABatchFailOnRequest(t *testing.T) {
	f, err := ParseFaults("item=0.4,seed=3")
	if err != nil {
		t.Fatal(err)
	}
	s := New(Options{Faults: f})
	var queries []object
	for range 20 {
		queries = append(queries, siteOf("rivalgear.example", "domain"))
	}
	got := ok[metricsOfMany](t, s, "data.site.metrics.fetch.multiple", object{"site_queries": queries})
	if n := len(got.Errors); n < 3 || n > 15 || n+len(got.Results) != 20 || s.Meter().Rows != int64(len(got.Results)) {
		t.Errorf("%d errors, %d results, %d rows", n, len(got.Results), s.Meter().Rows)
	}
	for _, e := range got.Errors {
		if e.Error["name"] != "UnhandledError" || e.Error["httpStatus"] != 500.0 || e.Error["jsonrpcCode"] != -32602.0 || e.Error["data"].(object)["value"] != "rivalgear.example" {
			t.Errorf("%v", e.Error)
		}
	}
}
