// Package mozrpc knows the methods of Moz's JSON-RPC API, the successor of the Links API V2, and their prices. It knows
// no HTTP. Endpoints and parameters bear V2's names, as everywhere in a job.
//
// Source of names and prices: the schemas of Moz's documentation application, `quota` of each method.
package mozrpc

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"backhaul/pipeline"
)

// pageSize is the largest `offset.limit`; for the methods that end in multiple it is the batch that clients send, since
// Moz's schemas state no bound.
const pageSize = 50

// Method is one method of the API.
type Method struct {
	// Name is as Moz's documents spell it, with hyphens: data.site.linking-domain.list.
	Name string
	// Endpoint is the endpoint of V2 it does the work of.
	Endpoint string
	rule     func(params) (pipeline.Price, error)
}

var methods = []*Method{
	{"data.site.anchor-text.list", "anchor_text", list},
	{"data.site.link.list", "links", list},
	{"data.site.link.filter.anchor.text", "links", list},
	{"data.site.link.filter.domain", "links", list},
	{"data.site.linking-domain.list", "linking_root_domains", list},
	{"data.site.linking-domain.filter.recently-gained", "linking_root_domains", list},
	{"data.site.linking-domain.filter.recently-lost", "linking_root_domains", list},
	{"data.site.link.intersect.fetch", "link_intersect", intersect},
	{"data.site.link.status.fetch.multiple", "link_status", list}, // V2: 2 a source, linked or not
	{"data.site.link.status.fetch", "link_status", call},
	{"data.site.redirect.fetch", "final_redirect", call},
	{"data.site.metrics.fetch.multiple", "url_metrics", list},
	{"data.site.metrics.fetch", "url_metrics", call},
	{"data.site.metrics.histories.fetch", "url_metrics", histories},
	{"data.site.metrics.distributions.fetch", "url_metrics", call},
	{"data.site.top-page.list", "top_pages", list},
	{"data.global.top-page.list", "global_top_pages", free},
	{"data.global.top-domain.list", "global_top_root_domains", free},
	{"metadata.index.fetch", "index_metadata", free},
	{"quota.lookup", "usage_data", free},
}

// Methods returns all methods. They are shared and must not be changed.
func Methods() []*Method { return slices.Clone(methods) }

// Lookup returns the method of that name, or nil.
func Lookup(name string) *Method {
	for _, m := range methods {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// Price returns the rule by which one call is charged. params are the task's, a JSON object under V2's names, "" for
// none. An error means that the call must not be made.
func (m *Method) Price(params string) (pipeline.Price, error) {
	given, err := parse(params)
	if err != nil {
		return pipeline.Price{}, fmt.Errorf("price %s: %w", m.Name, err)
	}
	p, err := m.rule(given)
	if err != nil {
		return pipeline.Price{}, fmt.Errorf("price %s: %w", m.Name, err)
	}
	p.Source = "Moz JSON-RPC, " + m.Name + ", quota"
	return p, nil
}

// params are those that decide a price.
type params struct {
	Positive      []jsontext.Value `json:"positive_targets"`
	Negative      []jsontext.Value `json:"negative_targets"`
	DailyDeltas   []string         `json:"daily_history_deltas"`
	DailyValues   []string         `json:"daily_history_values"`
	MonthlyDeltas []string         `json:"monthly_history_deltas"`
	MonthlyValues []string         `json:"monthly_history_values"`
	Distributions bool             `json:"distributions"`
}

func parse(text string) (p params, err error) {
	if text == "" {
		return p, nil
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return p, fmt.Errorf("read the parameters: %w", err)
	}
	return p, nil
}

// series is how many histories are asked for.
func (p params) series() int {
	return len(p.DailyDeltas) + len(p.DailyValues) + len(p.MonthlyDeltas) + len(p.MonthlyValues)
}

// list: 1 for each result returned. Sites of a batch that Moz has no record of come back as errors, which are no results.
func list(params) (pipeline.Price, error) { return pipeline.Price{PerRow: 1, MaxRows: pageSize}, nil }

// call: 1 a call; nothing for the error 404, no record.
func call(params) (pipeline.Price, error) { return pipeline.Price{PerRequest: 1, MaxRows: 1}, nil }

// free costs nothing.
func free(params) (pipeline.Price, error) {
	return pipeline.Price{Free: true, MaxRows: pageSize}, nil
}

// intersect: a result costs as much as there are items in both lists (V2: 5).
func intersect(p params) (pipeline.Price, error) {
	items := len(p.Positive) + len(p.Negative)
	if len(p.Positive) == 0 {
		return pipeline.Price{}, errors.New("positive_targets: at least one is needed")
	}
	return pipeline.Price{PerRow: pipeline.Units(items), MaxRows: pageSize}, nil
}

// histories: 1 for each series returned, of one site. The rows of a reply are its series.
func histories(p params) (pipeline.Price, error) {
	if p.series() == 0 {
		return pipeline.Price{}, errors.New("no history is asked for")
	}
	return pipeline.Price{PerRow: 1, MaxRows: p.series()}, nil
}
