package mozrpc

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/moz"
)

// params are a task's parameters, of any endpoint, under V2's names. What a job does not give is zero.
type params struct {
	Scope                  string       `json:"scope"`
	TargetScope            string       `json:"target_scope"`
	SourceScope            string       `json:"source_scope"`
	Sort                   string       `json:"sort"`
	Filter                 string       `json:"filter"`
	AnchorText             *string      `json:"anchor_text"`
	SourceRootDomain       string       `json:"source_root_domain"`
	SubdomainsLimitedToOne []string     `json:"subdomains_limited_to_one"`
	BeginDate              string       `json:"begin_date"`
	EndDate                string       `json:"end_date"`
	Positive               []moz.Target `json:"positive_targets"`
	Negative               []moz.Target `json:"negative_targets"`
	MinMatching            int64        `json:"min_matching_targets"`
	DailyDeltas            []string     `json:"daily_history_deltas"`
	DailyValues            []string     `json:"daily_history_values"`
	MonthlyDeltas          []string     `json:"monthly_history_deltas"`
	MonthlyValues          []string     `json:"monthly_history_values"`
	Distributions          bool         `json:"distributions"`
	Start                  string       `json:"start"`
	End                    string       `json:"end"`
}

// parse reads Task.Params. A name it does not know would change nothing, so it is refused.
func parse(text string) (p params, err error) {
	if text == "" {
		return p, nil
	}
	if err := json.Unmarshal([]byte(text), &p, json.RejectUnknownMembers(true)); err != nil {
		return p, fmt.Errorf("read the parameters: %w", err)
	}
	return p, nil
}

// series is how many histories are asked for.
func (p params) series() int {
	return len(p.DailyDeltas) + len(p.DailyValues) + len(p.MonthlyDeltas) + len(p.MonthlyValues)
}

// filters are the words of a filter.
func (p params) filters() []string {
	if p.Filter == "" {
		return nil
	}
	return strings.Split(p.Filter, "+")
}

// rule refuses what this API does not have of a parameter, given all of them.
type rule func(p params) error

// rules are, by endpoint and parameter, what exists on V2 alone.
var rules = map[string]map[string]rule{
	"links": {
		"source_root_domain": func(p params) error {
			if p.SourceRootDomain != "" && p.AnchorText != nil {
				return onlyV2("links with anchor_text and source_root_domain at once")
			}
			return nil
		},
		"source_scope": func(p params) error {
			if p.filtered() && p.SourceScope != "" && p.SourceScope != "page" {
				return onlyV2("source_scope " + p.SourceScope + " with anchor_text or source_root_domain")
			}
			return nil
		},
		"subdomains_limited_to_one": func(p params) error {
			if p.filtered() && p.SubdomainsLimitedToOne != nil {
				return onlyV2("subdomains_limited_to_one with anchor_text or source_root_domain")
			}
			return nil
		},
	},
	"linking_root_domains": {"filter": linkingFilter},
	"top_pages": {
		"daily_history_deltas":   topHistory(func(p params) []string { return p.DailyDeltas }),
		"daily_history_values":   topHistory(func(p params) []string { return p.DailyValues }),
		"monthly_history_deltas": topHistory(func(p params) []string { return p.MonthlyDeltas }),
		"monthly_history_values": topHistory(func(p params) []string { return p.MonthlyValues }),
	},
	"usage_data": {"start": noPeriod, "end": noPeriod},
}

// filtered reports whether links are asked for by a method that has fewer options than the list.
func (p params) filtered() bool { return p.AnchorText != nil || p.SourceRootDomain != "" }

// linkingFilter: the list has no filter for what came or went, and the methods that tell what came and went have no
// filter at all. Source: Moz JSON-RPC, data.site.linking-domain.*, options.
func linkingFilter(p params) error {
	words := p.filters()
	for sort, word := range map[string]string{"date_gained": "gained_last_60_days", "date_lost": "lost_last_60_days"} {
		switch {
		case p.Sort == sort && slices.ContainsFunc(words, func(w string) bool { return w != "external" && w != word }):
			return onlyV2(fmt.Sprintf("with sort %s, any filter but external+%s", sort, word))
		case p.Sort != sort && slices.Contains(words, word):
			return onlyV2(fmt.Sprintf("filter %s without sort %s", word, sort))
		}
	}
	return nil
}

// topHistory: data.site.top-page.list has no member for histories.
func topHistory(of func(params) []string) rule {
	return func(p params) error {
		if len(of(p)) > 0 {
			return fmt.Errorf("%w; ask url_metrics for the histories of pages", onlyV2("histories in top_pages"))
		}
		return nil
	}
}

// noPeriod: quota.lookup knows the billing period under way and no other.
func noPeriod(p params) error {
	if p.Start != "" || p.End != "" {
		return onlyV2("a period of usage_data; without one, the current billing period is told")
	}
	return nil
}

func onlyV2(what string) error {
	return fmt.Errorf("surface rpc does not have %s: use surface v2", what)
}

// check tells which parameters cannot be sent.
func (p params) check(endpoint string) error {
	for _, name := range slices.Sorted(maps.Keys(rules[endpoint])) {
		if err := rules[endpoint][name](p); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// restrict adds the rules to the checks of an endpoint's parameters.
func restrict(e *pipeline.Endpoint) {
	for i := range e.Params {
		own, common := rules[e.Name][e.Params[i].Name], e.Params[i].Check
		if own == nil {
			continue
		}
		e.Params[i].Check = func(value any, all map[string]any) error {
			if common != nil {
				if err := common(value, all); err != nil {
					return err
				}
			}
			text, err := json.Marshal(all)
			if err != nil {
				return nil // not what a job holds
			}
			var p params
			if json.Unmarshal(text, &p) != nil {
				return nil // badly typed: refused for that
			}
			return own(p)
		}
	}
}
