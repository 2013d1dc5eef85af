package ahrefsv3

import (
	"encoding/json"
	"slices"

	"backhaul/pipeline"
)

// anchorsPerDomain is about how many anchor texts a target has for each domain that refers to it: nobody counts them, so this is
// good for their order of magnitude.
const anchorsPerDomain = 0.6

// countOf counts a list by backlinks_stats: what is live of it, or what there ever was, by its history. Similar links are grouped
// into rows that nobody counts.
func (r *Report) countOf(t pipeline.Task) (pipeline.Count, bool) {
	var params map[string]any
	if err := json.Unmarshal([]byte(t.Params), &params); err != nil {
		return pipeline.Count{}, false
	}
	column, ok := r.counter(params)
	c := pipeline.Count{Endpoint: backlinksStats.Name, Params: map[string]any{"mode": t.Scope}, ByDate: true, Plus: []string{column}}
	if r == anchors {
		c.Share = anchorsPerDomain
	}
	return c, ok && !narrowed(params)
}

// counter returns the field of backlinks_stats that counts the rows of a list.
func (r *Report) counter(params map[string]any) (field string, ok bool) {
	switch {
	case r == anchors || r == refdomains || r == allBacklinks && params["aggregation"] == "1_per_domain":
		field = "_refdomains"
	case r != allBacklinks || params["aggregation"] != "all":
		return "", false
	}
	switch params["history"] {
	case "live":
		return "live" + field, true
	case nil, "all_time":
		return "all_time" + field, true
	}
	return "", false
}

// narrowed reports whether parameters leave only a part of a list.
func narrowed(params map[string]any) bool {
	for name := range params {
		if !slices.Contains([]string{"mode", "history", "aggregation", "order_by", "select"}, name) {
			return true
		}
	}
	return false
}
