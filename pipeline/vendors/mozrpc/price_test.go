package mozrpc

import (
	"testing"

	"backhaul/pipeline"
)

const (
	threeTargets = `{"positive_targets":[{"target":"a.com","scope":"root_domain"},{"target":"b.com","scope":"root_domain"}],` +
		`"negative_targets":[{"target":"c.com","scope":"root_domain"}],"source_scope":"root_domain"}`
	oneTarget  = `{"positive_targets":[{"target":"a.com","scope":"root_domain"}]}`
	fourSeries = `{"daily_history_deltas":["page_authority"],"monthly_history_values":["domain_authority","pages_to_page"],` +
		`"monthly_history_deltas":["domain_authority"],"distributions":true}`
)

func TestCallsCostWhatMozCounts(t *testing.T) {
	priced := map[string]bool{}
	for _, tc := range []struct {
		method, params string
		rows           int
		want, worst    pipeline.Units
	}{
		{"data.site.anchor-text.list", "", 25, 25, 50},
		{"data.site.link.list", `{"target_scope":"page"}`, 50, 50, 50},
		{"data.site.link.filter.anchor.text", "", 1, 1, 50},
		{"data.site.link.filter.domain", "", 1, 1, 50},
		{"data.site.linking-domain.list", "", 2, 2, 50},
		{"data.site.linking-domain.filter.recently-gained", "", 3, 3, 50},
		{"data.site.linking-domain.filter.recently-lost", "", 0, 0, 50},
		{"data.site.top-page.list", "", 4, 4, 50},
		{"data.site.link.intersect.fetch", threeTargets, 10, 30, 150},
		{"data.site.link.intersect.fetch", oneTarget, 10, 10, 50},
		{"data.site.link.status.fetch.multiple", "", 47, 47, 50},
		{"data.site.redirect.fetch", "", 1, 1, 1},
		{"data.site.metrics.fetch.multiple", fourSeries, 50, 50, 50},
		{"data.site.metrics.histories.fetch", fourSeries, 3, 3, 4},
		{"data.site.metrics.distributions.fetch", fourSeries, 1, 1, 1},
		{"data.global.top-page.list", "", 50, 0, 0},
		{"data.global.top-domain.list", "", 50, 0, 0},
		{"metadata.index.fetch", "", 1, 0, 0},
		{"quota.lookup", "", 1, 0, 0},
	} {
		given, err := parse(tc.params)
		if err != nil {
			t.Fatal(err)
		}
		p := methods()[tc.method].price(given)
		priced[tc.method] = true
		if got, worst := p.Actual(pipeline.Reply{Rows: tc.rows}), p.Worst(0); got != tc.want || worst != tc.worst || p.Source == "" || p.Assumed != "" {
			t.Errorf("%s of %d rows costs %d, at most %d; want %d, at most %d", tc.method, tc.rows, got, worst, tc.want, tc.worst)
		}
	}
	for name := range methods() {
		if !priced[name] {
			t.Errorf("%s: its price is not looked at", name)
		}
	}
}

func TestRequestsAreBoundedByWhatIsLeftToAsk(t *testing.T) {
	three, sources := targetsOf("a.com", "b.com", "c.com"), sourcesOf("a.com", "b.com")
	for _, tc := range []struct {
		endpoint string
		task     pipeline.Task
		cursor   string
		want     pipeline.Units
	}{
		{"anchor_text", pipeline.Task{Target: "a.com"}, "", 50},
		{"link_intersect", pipeline.Task{Params: threeTargets}, "", 150},
		{"link_status", pipeline.Task{Target: "a.com", Inputs: sources}, "", 2},
		{"link_status", pipeline.Task{Target: "a.com", Inputs: sources}, "1", 1},
		{"url_metrics", pipeline.Task{Inputs: three, Params: fourSeries}, "", 3},
		{"url_metrics", pipeline.Task{Inputs: three, Params: fourSeries}, `{"phase":"metrics","at":2}`, 1},
		{"url_metrics", pipeline.Task{Inputs: three, Params: fourSeries}, `{"phase":"histories","at":2}`, 4},
		{"url_metrics", pipeline.Task{Inputs: three, Params: fourSeries}, `{"phase":"distributions","at":0}`, 1},
		{"final_redirect", pipeline.Task{Target: "a.com"}, "", 1},
		{"top_pages", pipeline.Task{Target: "a.com"}, "x", 50},
		{"global_top_pages", pipeline.Task{}, "", 0},
		{"usage_data", pipeline.Task{}, "", 0},
	} {
		e := named(t, Offline(), tc.endpoint).Endpoint()
		p, err := e.PriceOf(tc.task, pipeline.Ask{Cursor: pipeline.Cursor(tc.cursor), Limit: e.PageSize})
		if got := p.Worst(e.PageSize); err != nil || got != tc.want || p.Source == "" {
			t.Errorf("%s at %q: %d, %v, want %d", tc.endpoint, tc.cursor, got, err, tc.want)
		}
	}
}

func TestABatchNotKnownYetIsPricedByItsInputs(t *testing.T) {
	for _, tc := range []struct {
		endpoint, params string
		want             pipeline.Units
	}{{"url_metrics", "{}", 1}, {"url_metrics", fourSeries, 6}, {"link_status", "{}", 1}} {
		p, err := named(t, Offline(), tc.endpoint).Endpoint().PriceOf(pipeline.Task{Target: "a.com", Params: tc.params}, pipeline.Ask{})
		if err != nil || p.Worst(1) != tc.want || p.Worst(0) != 50*tc.want {
			t.Errorf("%s %s: %+v, %v; want %d an input", tc.endpoint, tc.params, p, err, tc.want)
		}
	}
	if _, err := named(t, Offline(), "url_metrics").Endpoint().PriceOf(pipeline.Task{Params: `[]`}, pipeline.Ask{}); err == nil {
		t.Error("parameters that cannot be read are priced")
	}
}

// The estimate of a task is what all its calls are charged, at every place it can be.
func TestURLMetricsIsEstimatedAtWhatItsCallsCost(t *testing.T) {
	e := named(t, Offline(), "url_metrics").Endpoint()
	for _, tc := range []struct {
		params, cursor string
		pages          int64
		units          pipeline.Units
	}{
		{``, ``, 2, 60},
		{`{"distributions":true}`, ``, 62, 120},
		{fourSeries, ``, 122, 360},
		{fourSeries, `{"phase":"metrics","at":50,"without":[1,2,3]}`, 115, 10 + 57*4 + 57},
		{fourSeries, `{"phase":"histories","at":58,"without":[59]}`, 60, 4 + 59},
		{fourSeries, `{"phase":"distributions","at":10,"without":[3,59]}`, 49, 49},
	} {
		var names []string
		for i := range 60 {
			names = append(names, string(rune('a'+i%26))+string(rune('a'+i/26))+".com")
		}
		task := pipeline.Task{Inputs: targetsOf(names...), Params: tc.params}
		pages, units, ok := e.Estimate(task, pipeline.Cursor(tc.cursor))
		if !ok || pages != tc.pages || units != tc.units {
			t.Errorf("%s at %q: %d pages, %d units, %v; want %d and %d", tc.params, tc.cursor, pages, units, ok, tc.pages, tc.units)
		}
	}
	if _, _, ok := e.Estimate(pipeline.Task{Inputs: targetsOf("a.com"), Params: `[]`}, ""); ok {
		t.Error("what cannot be read is estimated")
	}
}

func TestListsOfTheWholeWebCostRequestsOnly(t *testing.T) {
	e := named(t, Offline(), "global_top_pages").Endpoint()
	for _, tc := range []struct {
		most  int64
		at    pipeline.Cursor
		pages int64
	}{{0, "", 10}, {0, "7", 3}, {60, "", 2}, {60, "1", 1}, {60, "2", 0}} {
		if pages, units, ok := e.Estimate(pipeline.Task{MaxRows: tc.most}, tc.at); pages != tc.pages || units != 0 || !ok {
			t.Errorf("%+v: %d pages, %d units", tc, pages, units)
		}
	}
	if _, _, ok := e.Estimate(pipeline.Task{}, "x"); ok {
		t.Error("a strange cursor is estimated")
	}
}
