package mozrpc

import (
	"slices"
	"strings"
	"testing"

	"backhaul/pipeline"
)

const (
	threeTargets = `{"positive_targets":[{"target":"a.com","scope":"root_domain"},{"target":"b.com","scope":"root_domain"}],` +
		`"negative_targets":[{"target":"c.com","scope":"root_domain"}],"source_scope":"root_domain"}`
	fourSeries = `{"daily_history_deltas":["page_authority"],"monthly_history_values":["domain_authority","pages_to_page"],` +
		`"monthly_history_deltas":["domain_authority"],"distributions":true}`
)

func TestCallsCostWhatMozCounts(t *testing.T) {
	for _, tc := range []struct {
		method, params string
		reply          pipeline.Reply
		want, worst    pipeline.Units
	}{
		{"data.site.anchor-text.list", "", pipeline.Reply{Rows: 25}, 25, 50},
		{"data.site.link.list", `{"scope":"page"}`, pipeline.Reply{Rows: 50}, 50, 50},
		{"data.site.linking-domain.filter.recently-lost", "", pipeline.Reply{}, 0, 50},
		{"data.site.link.intersect.fetch", threeTargets, pipeline.Reply{Rows: 10}, 30, 150},
		{"data.site.link.intersect.fetch", `{"positive_targets":[{}]}`, pipeline.Reply{Rows: 10}, 10, 50},
		{"data.site.link.status.fetch.multiple", "", pipeline.Reply{Inputs: 50, Rows: 47}, 47, 50},
		{"data.site.link.status.fetch", "", pipeline.Reply{Inputs: 1, Rows: 1}, 1, 1},
		{"data.site.redirect.fetch", "", pipeline.Reply{Inputs: 1, Rows: 1}, 1, 1},
		{"data.site.metrics.fetch", "", pipeline.Reply{Rows: 1}, 1, 1},
		{"data.site.metrics.fetch.multiple", fourSeries, pipeline.Reply{Inputs: 50, Rows: 50}, 50, 50},
		{"data.site.metrics.histories.fetch", fourSeries, pipeline.Reply{Rows: 3}, 3, 4},
		{"data.site.metrics.distributions.fetch", fourSeries, pipeline.Reply{Rows: 1}, 1, 1},
		{"data.global.top-page.list", "", pipeline.Reply{Rows: 50}, 0, 0},
		{"data.global.top-domain.list", "", pipeline.Reply{Rows: 50}, 0, 0},
		{"metadata.index.fetch", "", pipeline.Reply{Rows: 1}, 0, 0},
		{"quota.lookup", "", pipeline.Reply{Rows: 1}, 0, 0},
	} {
		p, err := Lookup(tc.method).Price(tc.params)
		if err != nil {
			t.Errorf("%s: %v", tc.method, err)
			continue
		}
		if got, worst := p.Actual(tc.reply), p.Worst(0); got != tc.want || worst != tc.worst {
			t.Errorf("%s %+v costs %d, at most %d; want %d, at most %d", tc.method, tc.reply, got, worst, tc.want, tc.worst)
		}
	}
}

func TestEndpointCostsAllItsCalls(t *testing.T) {
	for _, tc := range []struct {
		endpoint, params string
		inputs           int
		want             pipeline.Units
	}{
		{"url_metrics", "", 50, 50},
		{"url_metrics", `{"distributions":true}`, 50, 100},
		{"url_metrics", fourSeries, 10, 60},
		{"link_status", "", 50, 50},
		{"link_intersect", threeTargets, 50, 150},
		{"anchor_text", "", 50, 50},
		{"global_top_pages", "", 50, 0},
	} {
		p, err := PriceOf(tc.endpoint, tc.params)
		if got := p.Worst(tc.inputs); err != nil || got != tc.want {
			t.Errorf("%s %s: %d (%v), want %d", tc.endpoint, tc.params, got, err, tc.want)
		}
	}
}

// The price of the endpoint is that of its calls: the metrics of all targets, then each target's histories and
// distributions.
func TestURLMetricsCostsItsMethodsTogether(t *testing.T) {
	const targets = 7
	whole, err := PriceOf("url_metrics", fourSeries)
	if err != nil {
		t.Fatal(err)
	}
	var calls pipeline.Units
	for _, c := range []struct {
		method string
		times  pipeline.Units
		n      int
	}{
		{"data.site.metrics.fetch.multiple", 1, targets},
		{"data.site.metrics.histories.fetch", targets, 0},
		{"data.site.metrics.distributions.fetch", targets, 0},
	} {
		p, err := Lookup(c.method).Price(fourSeries)
		if err != nil {
			t.Fatal(err)
		}
		calls += c.times * p.Worst(c.n)
	}
	if whole.Worst(targets) != calls {
		t.Errorf("%d for the endpoint, %d for its calls", whole.Worst(targets), calls)
	}
}

func TestWhatCannotBePricedIsRefused(t *testing.T) {
	for _, tc := range []struct{ method, params, says string }{
		{"data.site.link.intersect.fetch", "", "positive_targets"},
		{"data.site.link.intersect.fetch", `{"negative_targets":[{}]}`, "positive_targets"},
		{"data.site.metrics.histories.fetch", `{"distributions":true}`, "no history"},
		{"data.site.metrics.histories.fetch", `{"daily_history_values":"page_authority"}`, "read the parameters"},
		{"data.site.link.list", `[]`, "read the parameters"},
	} {
		if p, err := Lookup(tc.method).Price(tc.params); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s %s: %+v, %v; want an error about %q", tc.method, tc.params, p, err, tc.says)
		}
	}
	for _, endpoint := range []string{"nothing", ""} {
		if _, err := PriceOf(endpoint, ""); err == nil {
			t.Errorf("%q has a price", endpoint)
		}
	}
	if _, err := PriceOf("url_metrics", `{"distributions":1}`); err == nil {
		t.Error("url_metrics is priced with parameters that cannot be read")
	}
}

func TestEveryEndpointOfV2HasAMethod(t *testing.T) {
	var endpoints []string
	for _, m := range Methods() {
		endpoints = append(endpoints, m.Endpoint)
		if Lookup(m.Name) != m {
			t.Errorf("%s is not found, or twice there", m.Name)
		}
		p, err := m.Price(threeTargets[:len(threeTargets)-1] + `,"daily_history_values":["page_authority"]}`)
		if err != nil || p.Source == "" || p.Worst(0) == pipeline.Unbounded {
			t.Errorf("%s: %+v, %v: no bound, or no source", m.Name, p, err)
		}
	}
	slices.Sort(endpoints)
	want := []string{"anchor_text", "final_redirect", "global_top_pages", "global_top_root_domains", "index_metadata",
		"link_intersect", "link_status", "linking_root_domains", "links", "top_pages", "url_metrics", "usage_data"}
	if got := slices.Compact(endpoints); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if Lookup("data.site_link") != nil {
		t.Error("something was found for nothing")
	}
}
