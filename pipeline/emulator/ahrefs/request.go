package ahrefs

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"backhaul/pipeline/emulator/graph"
)

// query is a request understood.
type query struct {
	path   string
	report *report
	params url.Values
	err    error // the first thing found wrong

	target, mode, protocol string
	history                string
	since                  int // the day history begins; sinceEver without since:
	aggregation            string
	limit                  int
	selected, filtered     []string // names in select, and in where
	order                  []ordering
	where                  *node
	date, from, to         int // days
	grouping               string
	output                 string
	batch                  []batchTarget
}

type ordering struct {
	name string
	down bool
}

const sinceEver = math.MinInt32

// parse reads the parameters of a report. Unknown ones are ignored; one given twice counts once, the first time (both chosen).
func parse(r *http.Request, rep *report, o Options, today int) *query {
	q := &query{path: r.URL.Path, report: rep, params: r.URL.Query(), since: sinceEver, date: today}
	if rep.method == http.MethodPost {
		q.readBatch(r, o)
		return q
	}
	if o.RefuseOffset && q.params.Has("offset") {
		q.fail("offset is not a parameter of this endpoint")
	}
	q.output = q.choice("output", "json", "csv", "xml", "php")
	q.whole("timeout", 0)
	if rep.unpriced {
		return q
	}
	q.target = q.params.Get("target")
	if q.target == "" {
		q.fail("missing required parameter: target")
	}
	q.mode, q.protocol = "subdomains", "both"
	if rep.params.mode {
		q.mode = q.choice("mode", "subdomains", "exact", "prefix", "domain")
		q.protocol = q.choice("protocol", "both", "http", "https")
	}
	if rep.params.aggregation {
		q.aggregation = q.choice("aggregation", "similar_links", "1_per_domain", "all")
	}
	if rep.params.history {
		q.readHistory()
	}
	if rep.params.date {
		q.date = min(today, q.day("date", true, today)) // a day to come is today (chosen)
	}
	if rep.params.span {
		q.from = q.day("date_from", true, today)
		q.to = min(today, q.day("date_to", false, today))
		q.grouping = q.choice("history_grouping", "monthly", "weekly", "daily")
	}
	q.selected = rep.fields
	if rep.params.list {
		q.readList(o)
	}
	return q
}

func (q *query) fail(format string, args ...any) {
	if q.err == nil {
		q.err = fmt.Errorf(format, args...)
	}
}

// choice reads one of a few words; the first is the default.
func (q *query) choice(name string, words ...string) string {
	if !q.params.Has(name) {
		return words[0]
	}
	value := q.params.Get(name)
	if !slices.Contains(words, value) {
		q.fail("bad value for %s: %s", name, strconv.Quote(value))
	}
	return value
}

func (q *query) whole(name string, value int) int {
	if !q.params.Has(name) {
		return value
	}
	n, err := strconv.Atoi(q.params.Get(name))
	if err != nil {
		q.fail("bad value for %s: not an integer", name)
	}
	return n
}

func (q *query) day(name string, required bool, value int) int {
	if !q.params.Has(name) {
		if required {
			q.fail("missing required parameter: %s", name)
		}
		return value
	}
	t, err := time.Parse(time.DateOnly, q.params.Get(name))
	if err != nil {
		q.fail("bad date for %s: want YYYY-MM-DD", name)
	}
	return graph.DayOf(t)
}

func (q *query) readHistory() {
	q.history = "all_time"
	if q.params.Has("history") {
		q.history = q.params.Get("history")
	}
	date, since := strings.CutPrefix(q.history, "since:")
	switch {
	case since:
		t, err := time.Parse(time.DateOnly, date)
		if err != nil {
			q.fail("bad value for history: want since:YYYY-MM-DD")
		}
		q.since = graph.DayOf(t)
	case q.history != "all_time" && q.history != "live":
		q.fail("bad value for history: %s", strconv.Quote(q.history))
	}
}

// readList reads what lists have. A name selected twice comes once (chosen).
func (q *query) readList(o Options) {
	if q.params.Get("select") == "" {
		q.fail("missing required parameter: select")
	}
	q.selected = nil
	for _, name := range strings.Split(q.params.Get("select"), ",") {
		if !slices.Contains(q.report.fields, name) {
			q.fail("column %s not found", strconv.Quote(name))
		} else if !slices.Contains(q.selected, name) {
			q.selected = append(q.selected, name)
		}
	}
	q.readLimit(o)
	if q.params.Get("order_by") != "" {
		q.readOrder(strings.Split(q.params.Get("order_by"), ","), o.Ascending)
	}
	if text := q.params.Get("where"); text != "" {
		var err error
		if q.where, err = parseWhere(text, q.report, o.Collation == CollateFolded); err != nil {
			q.fail("bad where: %v", err)
			return
		}
		q.filtered = q.where.names(nil)
	}
	if q.aggregation == "all" && slices.Contains(slices.Concat(q.selected, q.filtered), "link_group_count") {
		q.fail("link_group_count cannot be used with aggregation=all")
	}
}

// readLimit holds the cap of the plan, which the default never breaks (chosen), and that of free targets, which is documented to clamp.
func (q *query) readLimit(o Options) {
	q.limit = q.whole("limit", 1000)
	if q.limit < 1 {
		q.fail("bad value for limit: want an integer of at least 1")
	}
	if o.RowCap > 0 && q.limit > o.RowCap {
		if o.RefuseCapped && q.params.Has("limit") {
			q.fail("bad value for limit: the plan allows at most %d rows", o.RowCap)
		}
		q.limit = o.RowCap
	}
	if free(q.target) {
		q.limit = min(q.limit, freeRows)
	}
}

// readOrder reads field, field:asc and field:desc. Only what can be selected can be ordered by (chosen).
func (q *query) readOrder(parts []string, ascending bool) {
	for _, part := range parts {
		name, direction, given := strings.Cut(part, ":")
		if !slices.Contains(q.report.fields, name) || slices.Contains(q.report.unordered, name) {
			q.fail("order_by: column %s not found", strconv.Quote(name))
		}
		if given && direction != "asc" && direction != "desc" {
			q.fail("order_by: bad direction %s", strconv.Quote(direction))
		}
		q.order = append(q.order, ordering{name, direction == "desc" || !given && !ascending})
	}
}

// ordered returns the names of order_by.
func (q *query) ordered() []string {
	names := make([]string, len(q.order))
	for i, o := range q.order {
		names[i] = o.name
	}
	return names
}

// rowUnits is the price of one row: the distinct fields selected, in conditions and ordered by (API limits and consumption).
func (q *query) rowUnits() int {
	if q.report.unpriced {
		return 0
	}
	return price(q.selected, q.filtered, q.ordered())
}

// name is the last part of the path: "anchors".
func (q *query) name() string { return path.Base(q.path) }

// key names the request: equal parameters, equal key, whatever their order.
func (q *query) key() string { return q.path + "?" + q.params.Encode() }
