package mozrpc

import (
	"errors"
	"strconv"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/rows"
)

// globalEnd is how many rows the lists of the whole web have. Source: Moz, global_top_pages.
const globalEnd = 500

// global is a method that tells a list of the whole web, free of charge.
func global(name, table, member string, rules ...rows.Rule) *method {
	return &method{Name: name, charge: free, layout: rows.Layout{List: "result." + member}, load: into(table, rules...)}
}

// topDomainRules: a domain is told by its 52 metrics; V2's to_target_*, which are always 0 there, do not exist.
func topDomainRules() []rows.Rule {
	return append([]rows.Rule{{Column: "to_target_*", Path: "targeted_*"}},
		leftOver("", "root_domain", "root_domains_to_root_domain", "domain_authority", "link_propensity", "spam_score")...)
}

// askGlobal asks by the number of the page, which is the cursor. Since a number means a place only as long as the page size
// stays, and nothing is charged, whole pages are asked for whatever the task wants. A page that is not whole is the last.
func askGlobal(method string) func(pipeline.Task, params, pipeline.Ask) (question, error) {
	return func(_ pipeline.Task, _ params, ask pipeline.Ask) (question, error) {
		n := 0
		if ask.Cursor != "" {
			var err error
			if n, err = strconv.Atoi(string(ask.Cursor)); err != nil || n < 0 {
				return question{}, errors.New("the cursor is not the number of a page: " + strconv.Quote(string(ask.Cursor)))
			}
		}
		q := askAbout(method, data{Page: &pageNumber{N: n, Limit: pageSize}})
		q.next = func(r record) (place, error) {
			end := r.rows() < pageSize || (n+1)*pageSize >= globalEnd
			return place{at: pipeline.Cursor(strconv.Itoa(n + 1)), end: end}, nil
		}
		return q, nil
	}
}

// estimateGlobal: the whole list, or what is left of it, costs nothing but requests.
func estimateGlobal(t pipeline.Task, at pipeline.Cursor) (pages int64, units pipeline.Units, ok bool) {
	n := 0
	if at != "" {
		var err error
		if n, err = strconv.Atoi(string(at)); err != nil {
			return 0, 0, false
		}
	}
	rows := int64(globalEnd)
	if t.MaxRows > 0 {
		rows = min(rows, t.MaxRows)
	}
	return max(0, (rows+pageSize-1)/pageSize-int64(n)), 0, true
}
