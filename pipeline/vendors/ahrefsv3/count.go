package ahrefsv3

import (
	"encoding/json"
	"slices"
	"strings"

	"backhaul/pipeline"
)

// countOf counts a list by backlinks_stats: what is live of it, or what there ever was, by its history. Similar links are grouped
// into rows that nobody counts, and nobody counts texts, of which it says what they have together.
func (r *Report) countOf(t pipeline.Task) (pipeline.Count, bool) {
	var params map[string]any
	if err := json.Unmarshal([]byte(t.Params), &params); err != nil {
		return pipeline.Count{}, false
	}
	column, ok := r.counter(params)
	c := pipeline.Count{Endpoint: backlinksStats.Name, Params: map[string]any{"mode": t.Scope}, ByDate: true, Sum: pipeline.Sum{Plus: []string{column}}}
	if r == anchors {
		links := pipeline.Sum{Plus: []string{strings.TrimSuffix(column, domainsSuffix)}}
		c.Tail = &pipeline.Tail{Domains: "refdomains", Pages: "links_to_target", PagesSum: links}
		ok = ok && r.byDomains(t.Params)
	}
	return c, ok && !narrowed(params)
}

// byDomains reports whether a list shows the domains of each row, and comes by them, the most first.
func (r *Report) byDomains(params string) bool {
	q, err := ParseRequest("", params)
	if err != nil {
		return false
	}
	if q.Select == nil {
		q.Select = r.defaultSelect(false)
	}
	selected, err := r.SelectFields(q.Select)
	order := r.total(q.OrderBy, selected)
	return err == nil && slices.Contains(selected, "refdomains") && len(order) > 0 && order[0].Name == "refdomains" && order[0].desc
}

// domainsSuffix tells the fields of backlinks_stats that count domains from those that count links.
const domainsSuffix = "_refdomains"

// counter returns the field of backlinks_stats that counts the rows of a list.
func (r *Report) counter(params map[string]any) (field string, ok bool) {
	switch {
	case r == anchors || r == refdomains || r == allBacklinks && params["aggregation"] == "1_per_domain":
		field = domainsSuffix
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
