package mozv2

import (
	"fmt"

	"github.com/go-json-experiment/json"

	"backhaul/pipeline"
)

// rule makes the price of an endpoint from the parameters that decide it.
type rule func(modifiers) pipeline.Price

// prices are in rows of the plan. Moz names url_metrics, link_intersect and link_status as the only weighted endpoints;
// where it says nothing about an endpoint that is not a list, that is Assumed. Source: Moz, Links API V2, the notes on row
// weighting of each endpoint.
var prices = map[string]rule{
	"anchor_text":             perRow(1, ""),
	"links":                   perRow(1, ""),
	"linking_root_domains":    perRow(1, ""),
	"link_intersect":          perRow(5, ""),
	"link_status":             func(modifiers) pipeline.Price { return pipeline.Price{PerInput: 2, MaxRows: pageSize} },
	"url_metrics":             urlMetricsPrice,
	"top_pages":               topPagesPrice,
	"final_redirect":          func(modifiers) pipeline.Price { return assumed(1, "1 a call, as on JSON-RPC") },
	"global_top_pages":        perRow(1, "1 a result, as every list; free on JSON-RPC"),
	"global_top_root_domains": perRow(1, "1 a result, as every list; free on JSON-RPC"),
	"index_metadata":          func(modifiers) pipeline.Price { return assumed(0, "free, as on JSON-RPC") },
	"usage_data":              func(modifiers) pipeline.Price { return assumed(0, "free, as on JSON-RPC") },
}

// PriceOf returns the rule by which a request to an endpoint is charged, with or without a client here. params are the
// task's, a JSON object, "" for none; an error means that they cannot be priced, so they must not be sent.
func PriceOf(endpoint, params string) (pipeline.Price, error) {
	rule, ok := prices[endpoint]
	if !ok {
		return pipeline.Price{}, fmt.Errorf("moz/%s is not an endpoint of surface v2", endpoint)
	}
	var m modifiers
	if params != "" {
		if err := json.Unmarshal([]byte(params), &m); err != nil {
			return pipeline.Price{}, fmt.Errorf("price moz/%s: read the parameters: %w", endpoint, err)
		}
	}
	p := rule(m)
	p.Source = "Moz Links API V2, " + endpoint
	return p, nil
}

// price is PriceOf for the request at a place, which is about no more than is left of the task's batch there.
func (r *report) price(t pipeline.Task, ask pipeline.Ask) (pipeline.Price, error) {
	p, err := PriceOf(r.endpoint.Name, t.Params)
	if err != nil || t.Inputs == nil || !r.endpoint.Asks.Batched() {
		return p, err
	}
	left, err := t.Left(ask.Cursor)
	if err != nil {
		return p, fmt.Errorf("price %s: %w", r.endpoint, err)
	}
	if p.MaxRows = min(left, pageSize); p.MaxRows == 0 {
		return p, fmt.Errorf("price %s: nothing is left of the batch", r.endpoint)
	}
	return p, nil
}

// estimate is what is left of a task's batch from a place on, to the unit.
func (r *report) estimate(t pipeline.Task, at pipeline.Cursor) (pages int64, units pipeline.Units, ok bool) {
	p, err := PriceOf(r.endpoint.Name, t.Params)
	if err != nil || t.Inputs == nil {
		return 0, 0, false
	}
	inputs, err := t.Left(at)
	if err != nil {
		return 0, 0, false
	}
	left := int64(inputs)
	if t.MaxRows > 0 {
		left = min(left, t.MaxRows)
	}
	if left == 0 {
		return 0, 0, true
	}
	pages, units = p.Pages(left, pageSize)
	return pages, units, true
}

// modifiers are the parameters that raise a price.
type modifiers struct {
	DailyDeltas   []string `json:"daily_history_deltas"`
	DailyValues   []string `json:"daily_history_values"`
	MonthlyDeltas []string `json:"monthly_history_deltas"`
	MonthlyValues []string `json:"monthly_history_values"`
	Distributions bool     `json:"distributions"`
}

// histories counts the entries of all four arrays. Moz says "more than one row for every modifier"; that each entry is
// one, not each array, is how other clients count, and the dearer reading.
func (m modifiers) histories() pipeline.Units {
	return pipeline.Units(len(m.DailyDeltas) + len(m.DailyValues) + len(m.MonthlyDeltas) + len(m.MonthlyValues))
}

func perRow(units pipeline.Units, assumption string) rule {
	return func(modifiers) pipeline.Price {
		return pipeline.Price{PerRow: units, MaxRows: pageSize, Assumed: assumption}
	}
}

// assumed is the price of a call that returns one object.
func assumed(units pipeline.Units, assumption string) pipeline.Price {
	return pipeline.Price{PerRequest: units, MaxRows: 1, Assumed: assumption}
}

// urlMetricsPrice: 1 a target sent, and 1 a target for each modifier.
func urlMetricsPrice(m modifiers) pipeline.Price {
	p := pipeline.Price{PerInput: 1 + m.histories(), MaxRows: pageSize}
	if m.Distributions {
		p.PerInput++
	}
	if p.PerInput > 1 {
		p.Assumed = "each history entry, and the distributions, are one row a target"
	}
	return p
}

// topPagesPrice: 1 a result. V2's own page was out of reach; another client counts histories as url_metrics does.
func topPagesPrice(m modifiers) pipeline.Price {
	p := pipeline.Price{PerRow: 1 + m.histories(), MaxRows: pageSize}
	if p.PerRow > 1 {
		p.Assumed = "each history entry is one row a result"
	}
	return p
}
