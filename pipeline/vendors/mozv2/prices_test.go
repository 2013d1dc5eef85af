package mozv2

import (
	"strings"
	"testing"

	"backhaul/pipeline"
)

func TestRequestsCostWhatMozWeighs(t *testing.T) {
	const four = `"daily_history_deltas":["page_authority"],"daily_history_values":["page_authority"],` +
		`"monthly_history_deltas":["domain_authority"],"monthly_history_values":["domain_authority"]`
	for _, tc := range []struct {
		endpoint, params string
		reply            pipeline.Reply
		want, worst      pipeline.Units
	}{
		{"anchor_text", `{"scope":"root_domain"}`, pipeline.Reply{Rows: 17}, 17, 50},
		{"links", "", pipeline.Reply{}, 0, 50},
		{"linking_root_domains", "", pipeline.Reply{Rows: 50}, 50, 50},
		{"link_intersect", "", pipeline.Reply{Rows: 50}, 250, 250}, // Moz: at most 250 a call
		{"link_intersect", "", pipeline.Reply{Rows: 1}, 5, 250},
		{"link_status", "", pipeline.Reply{Inputs: 50, Rows: 50}, 100, 100}, // Moz: at most 100 a call
		{"link_status", "", pipeline.Reply{Inputs: 3, Rows: 2}, 6, 100},     // by source, whatever the reply holds
		{"url_metrics", "", pipeline.Reply{Inputs: 5, Rows: 5}, 5, 50},
		{"url_metrics", `{"distributions":false}`, pipeline.Reply{Inputs: 5, Rows: 5}, 5, 50},
		{"url_metrics", `{"distributions":true}`, pipeline.Reply{Inputs: 5, Rows: 5}, 10, 100},
		{"url_metrics", `{"monthly_history_values":["page_authority","domain_authority"]}`, pipeline.Reply{Inputs: 5, Rows: 5}, 15, 150},
		{"url_metrics", `{"distributions":true,` + four + `}`, pipeline.Reply{Inputs: 5, Rows: 4}, 30, 300},
		{"top_pages", "", pipeline.Reply{Rows: 5}, 5, 50},
		{"top_pages", `{` + four + `}`, pipeline.Reply{Rows: 5}, 25, 250},
		{"final_redirect", "", pipeline.Reply{Inputs: 1, Rows: 1}, 1, 1},
		{"global_top_pages", "", pipeline.Reply{Rows: 50}, 50, 50},
		{"global_top_root_domains", "", pipeline.Reply{Rows: 50}, 50, 50},
		{"index_metadata", "", pipeline.Reply{Rows: 1}, 0, 0},
		{"usage_data", "", pipeline.Reply{Rows: 1}, 0, 0},
	} {
		p, err := PriceOf(tc.endpoint, tc.params)
		if got, worst := p.Actual(tc.reply), p.Worst(0); err != nil || got != tc.want || worst != tc.worst {
			t.Errorf("%s %s: %+v costs %d, at most %d (%v); want %d, at most %d", tc.endpoint, tc.params, tc.reply, got, worst, err, tc.want, tc.worst)
		}
	}
}

func TestWhatMozDoesNotDocumentIsSaidToBeAssumed(t *testing.T) {
	for endpoint, params := range map[string]string{
		"final_redirect": "", "global_top_pages": "", "global_top_root_domains": "", "index_metadata": "", "usage_data": "",
		"top_pages": `{"daily_history_values":["page_authority"]}`, "url_metrics": `{"distributions":true}`,
	} {
		if p, err := PriceOf(endpoint, params); err != nil || p.Assumed == "" {
			t.Errorf("%s %s: nothing is assumed (%v)", endpoint, params, err)
		}
	}
	for _, endpoint := range []string{"anchor_text", "links", "linking_root_domains", "link_intersect", "link_status", "url_metrics"} {
		if p, err := PriceOf(endpoint, ""); err != nil || p.Assumed != "" {
			t.Errorf("%s: %q is assumed (%v), but Moz documents it", endpoint, p.Assumed, err)
		}
	}
}

func TestEndpointsWithAClientHaveTheSamePriceHere(t *testing.T) {
	for _, e := range Surface().Endpoints() {
		got, err := PriceOf(e.Name, "{}")
		if err != nil {
			t.Error(err)
			continue
		}
		declared, err := e.PriceOf(pipeline.Task{Params: "{}"}, pipeline.Ask{})
		if err != nil || got != declared {
			t.Errorf("%s: %+v by its own rule (%v), %+v by the table", e, declared, err, got)
		}
	}
}

func TestParametersThatCannotBePricedAreRefused(t *testing.T) {
	for endpoint, params := range map[string]string{
		"url_metrics": `{"daily_history_values":"page_authority"}`, "top_pages": `{"daily_history_values":[1]}`, "links": `[`,
	} {
		if p, err := PriceOf(endpoint, params); err == nil || !strings.Contains(err.Error(), endpoint) {
			t.Errorf("%s %s: %+v, %v", endpoint, params, p, err)
		}
	}
	if _, err := PriceOf("nothing", ""); err == nil {
		t.Error("nothing has a price")
	}
}
