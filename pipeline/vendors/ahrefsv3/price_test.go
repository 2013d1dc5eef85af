package ahrefsv3

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"backhaul/pipeline"
)

func decoded(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func all(name string) []string {
	var names []string
	for _, f := range Lookup(name).Fields {
		names = append(names, f.Name)
	}
	return names
}

func list(names string) []string { return strings.Split(names, ",") }

// The golden vectors of the fact sheet; the last, of API v2, is with its package.
func TestGoldenVectors(t *testing.T) {
	onTraffic := decoded(t, `{"field":"traffic_page","is":["gt",10]}`)
	onBoth := decoded(t, `{"and":[{"field":"traffic_page","is":["gt",10]},{"field":"refdomains_source","is":["gt",1]}]}`)
	five := list("anchor,links_to_target,refpages,refdomains,first_seen")
	for _, tc := range []struct {
		vector       string
		report       string
		request      Request
		rows         int
		row          pipeline.Units
		total, worst pipeline.Units
		cached       bool
	}{
		{vector: "1", report: "anchors", request: Request{Select: list("anchor")}, rows: 10, row: 1, total: 50, worst: 50},
		{vector: "2", report: "anchors", request: Request{Select: five}, rows: 1000, row: 9, total: 9000, worst: 9000},
		{vector: "3", report: "anchors", request: Request{Select: all("anchors")}, rows: 100, row: 15, total: 1500, worst: 1500},
		{vector: "4", report: "anchors", request: Request{Select: five, OrderBy: list("refdomains:desc")}, rows: 1000, row: 9, total: 9000, worst: 9000},
		{vector: "5", report: "anchors", request: Request{Select: list("anchor"), OrderBy: list("refdomains:desc")}, rows: 100, row: 6, total: 600, worst: 600},
		{vector: "6", report: "anchors", request: Request{Select: list("anchor"), Where: onTraffic}, rows: 100, row: 11, total: 1100, worst: 1100},
		{vector: "7", report: "anchors", request: Request{Select: list("anchor"), Where: onBoth, OrderBy: list("anchor:asc")}, rows: 100, row: 16, total: 1600, worst: 1600},
		{vector: "8", report: "all_backlinks", request: Request{Select: all("all_backlinks")}, rows: 1, row: 116, total: 116, worst: 116},
		{vector: "9", report: "refdomains", request: Request{Select: all("refdomains")}, rows: 2, row: 28, total: 56, worst: 56},
		{vector: "10", report: "backlinks_stats", request: Request{}, rows: 1, row: 12, total: 50, worst: 50},
		{vector: "11, of 2", report: "anchors", request: Request{Select: five}, rows: 1000, row: 9, total: 9000, worst: 9000, cached: true},
		{vector: "11, of 10", report: "backlinks_stats", request: Request{}, rows: 1, row: 12, total: 50, worst: 50, cached: true},
		{vector: "12", report: "anchors", request: Request{Target: "ahrefs.com", Select: list("anchor")}, rows: 100, row: 1, total: 100, worst: 0},
	} {
		r := Lookup(tc.report)
		row, err := r.RowUnits(tc.request)
		if err != nil || row != tc.row {
			t.Errorf("vector %s: %d a row (%v), want %d", tc.vector, row, err, tc.row)
		}
		p, err := r.Price(tc.request)
		reply := pipeline.Reply{Rows: tc.rows, Cached: tc.cached}
		actual := tc.worst
		if tc.cached {
			actual = 0
		}
		if err != nil || p.Total(reply) != tc.total || p.Worst(tc.rows) != tc.worst || p.Actual(reply) != actual {
			t.Errorf("vector %s: total %d, worst %d, actual %d (%v); want %d, %d, %d", tc.vector,
				p.Total(reply), p.Worst(tc.rows), p.Actual(reply), err, tc.total, tc.worst, actual)
		}
	}
}

func TestFreeTargetsAreCappedAndCostNothing(t *testing.T) {
	for target, want := range map[string]bool{
		"ahrefs.com": true, "AHREFS.com/blog/x": true, "https://yep.com/": true, "firehose.com": true,
		"help.ahrefs.com": false, "ahrefs.com.example.com": false, "example.com/ahrefs.com": false, "ahrefs.com@example.com": false,
		"wordcount.com": false, "": false,
	} {
		p, err := anchors.Price(Request{Target: target, Select: list("anchor")})
		if err != nil || p.Free != want || p.Free != (p.Worst(1000) == 0) || p.Free != (p.MaxRows == 100) {
			t.Errorf("%s: %+v (%v), want free %v", target, p, err, want)
		}
	}
	if p, _ := batchAnalysis.Price(Request{Target: "ahrefs.com", Select: list("url"), Targets: 1}); p.Free {
		t.Error("a batch is free by a target that it does not have")
	}
}

func TestRowsAreBoundedByTheKindOfReport(t *testing.T) {
	from := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC) // a Saturday
	for _, tc := range []struct {
		report  string
		request Request
		rows    int
		worst   pipeline.Units
	}{
		{"anchors", Request{Select: list("anchor")}, 0, pipeline.Unbounded},
		{"domain_rating", Request{}, 1, 50},
		{"outlinks_stats", Request{}, 1, 50},
		{"limits_and_usage", Request{}, 1, 0},
		{"batch_analysis", Request{Select: all("batch_analysis"), Targets: 100}, 100, 9200},
		{"batch_analysis", Request{Select: list("url"), OrderBy: list("org_traffic:desc"), Targets: 10}, 10, 110},
		{"refdomains_history", Request{From: from, To: from}, 1, 50},
		{"refdomains_history", Request{From: from, To: from.AddDate(0, 0, 1)}, 2, 50},
		{"refdomains_history", Request{From: from, To: from.AddDate(1, 0, 0)}, 13, 78},
		{"refdomains_history", Request{From: from, To: from.AddDate(0, 0, 364), Grouping: "daily"}, 365, 2190},
		{"domain_rating_history", Request{From: from, To: from.AddDate(0, 0, 1), Grouping: "weekly"}, 1, 50},
		{"domain_rating_history", Request{From: from, To: from.AddDate(0, 0, 2), Grouping: "weekly"}, 2, 50},
		{"domain_rating_history", Request{From: from, To: from.AddDate(0, 0, 700), Grouping: "weekly"}, 101, 202},
	} {
		p, err := Lookup(tc.report).Price(tc.request)
		if err != nil || p.MaxRows != tc.rows || p.Worst(0) != tc.worst {
			t.Errorf("%s %+v: %d rows, worst %d (%v); want %d, %d", tc.report, tc.request, p.MaxRows, p.Worst(0), err, tc.rows, tc.worst)
		}
	}
}

// Whichever buckets Ahrefs returns, first days or parts of periods, there are no more of them than the bound.
func TestASeriesHasNoMoreRowsThanItsBound(t *testing.T) {
	start := time.Date(2024, 2, 20, 0, 0, 0, 0, time.UTC)
	for offset := range 40 {
		for length := range 100 {
			from := start.AddDate(0, 0, offset)
			to := from.AddDate(0, 0, length)
			seen := map[string]map[string]bool{"monthly": {}, "weekly": {}, "daily": {}}
			for d := from; !d.After(to); d = d.AddDate(0, 0, 1) {
				seen["daily"][d.String()] = true
				seen["monthly"][d.Format("2006-01")] = true
				year, week := d.ISOWeek()
				seen["weekly"][time.Date(year, 1, week, 0, 0, 0, 0, time.UTC).String()] = true
			}
			for grouping, buckets := range seen {
				if n, err := dates(Request{From: from, To: to, Grouping: grouping}); err != nil || n != len(buckets) {
					t.Fatalf("%s to %s %s: %d (%v), want %d", from, to, grouping, n, err, len(buckets))
				}
			}
		}
	}
}

func TestRequestsThatCannotBePricedAreRefused(t *testing.T) {
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		report  string
		request Request
		says    string
	}{
		{"anchors", Request{}, "select"},
		{"anchors", Request{Select: list("anchor,traffic_page")}, "traffic_page"},
		{"anchors", Request{Select: list("anchor,")}, `""`},
		{"anchors", Request{Select: list("anchor"), OrderBy: list("traffic_page")}, "traffic_page"},
		{"anchors", Request{Select: list("anchor"), OrderBy: list("anchor:up")}, "asc or desc"},
		{"anchors", Request{Select: list("anchor"), OrderBy: list("anchor:")}, "asc or desc"},
		{"all_backlinks", Request{Select: list("url_from"), OrderBy: list("link_group_count")}, "link_group_count"},
		{"anchors", Request{Select: list("anchor"), Where: map[string]any{"field": "nothing"}}, "nothing"},
		{"domain_rating", Request{Select: list("domain_rating")}, "all its fields"},
		{"domain_rating", Request{OrderBy: list("domain_rating")}, "order"},
		{"domain_rating", Request{Where: map[string]any{"field": "domain_rating"}}, "no filter"},
		{"batch_analysis", Request{Select: list("url"), Targets: 1, Where: map[string]any{"field": "url"}}, "no filter"},
		{"batch_analysis", Request{Select: list("url")}, "targets"},
		{"batch_analysis", Request{Select: list("url"), Targets: 101}, "targets"},
		{"refdomains_history", Request{From: day}, "date_to"},
		{"refdomains_history", Request{To: day}, "date_from"},
		{"refdomains_history", Request{From: day, To: day.AddDate(0, 0, -1)}, "before"},
		{"refdomains_history", Request{From: day, To: day, Grouping: "yearly"}, "yearly"},
	} {
		if p, err := Lookup(tc.report).Price(tc.request); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s %+v: %+v, %v; want an error about %q", tc.report, tc.request, p, err, tc.says)
		}
	}
}

func TestEveryNameOnlyWhereTakesIsPriced(t *testing.T) {
	for _, r := range reports {
		for _, f := range r.Filters {
			base, err := r.RowUnits(Request{Select: []string{r.Fields[0].Name}})
			with, err2 := r.RowUnits(Request{Select: []string{r.Fields[0].Name}, Where: map[string]any{"field": f.Name}})
			if err != nil || err2 != nil || with-base != f.Units || f.Units < 1 {
				t.Errorf("%s.%s adds %d (%v, %v), want %d", r.Name, f.Name, with-base, err, err2, f.Units)
			}
		}
	}
}

func TestTaskParametersArePriced(t *testing.T) {
	for _, params := range []string{
		`{"mode":"domain","order_by":"anchor:asc","select":"anchor","where":{"and":[{"field":"traffic_page","is":["gt",1]},{"field":"refdomains_source","is":["gt",1]}]}}`,
		`{"order_by":["anchor:asc"],"select":["anchor"],"where":"{\"or\":[{\"field\":\"refdomains_source\",\"is\":[\"gt\",1]},{\"not\":{\"field\":\"traffic_page\",\"is\":\"is_null\"}}]}"}`,
	} {
		p, err := anchors.PriceOf(pipeline.Task{Target: "example.com", Params: params}, pipeline.Ask{})
		if err != nil || p.Worst(100) != 1600 {
			t.Errorf("%s: %d (%v), want 1600", params, p.Worst(100), err)
		}
	}
	p, err := refdomainsHistory.PriceOf(pipeline.Task{Params: `{"date_from":"2025-01-01","date_to":"2025-12-31"}`}, pipeline.Ask{})
	if err != nil || p.Worst(0) != 72 {
		t.Errorf("a year of history: %d (%v), want 72", p.Worst(0), err)
	}
	if p, err := domainRating.PriceOf(pipeline.Task{Target: "yep.com"}, pipeline.Ask{}); err != nil || p.Worst(0) != 0 {
		t.Errorf("a free target: %d (%v)", p.Worst(0), err)
	}
	if p, err := batchAnalysis.PriceOf(pipeline.Task{Params: `{"select":["url"]}`}, pipeline.Ask{}); err != nil || p.Worst(0) != 200 || p.Worst(60) != 120 { // and index
		t.Errorf("a batch: %d, of 60 %d (%v)", p.Worst(0), p.Worst(60), err)
	}
}

func TestTaskParametersThatCannotBePricedAreRefused(t *testing.T) {
	for _, params := range []string{
		`[]`, `{`, `{"select":1}`, `{"select":""}`, `{"select":null}`, `{"select":["anchor"],"order_by":{}}`,
		`{"select":"anchor","where":"{"}`, `{"select":"anchor","where":"null"}`, `{"select":"anchor","where":7}`,
		`{"select":"anchor","date_from":"yesterday"}`, `{"select":"anchor","select":"refdomains"}`,
	} {
		if p, err := anchors.PriceOf(pipeline.Task{Params: params}, pipeline.Ask{}); err == nil {
			t.Errorf("%s is priced: %+v", params, p)
		}
	}
}

func TestWhereNamesItsFields(t *testing.T) {
	for text, want := range map[string][]string{
		`{"field":"refdomains","is":["gt",1]}`:                              {"refdomains"},
		`{"field":"languages","list_is":{"any":["eq","en"]}}`:               {"languages"},
		`{"field":"languages","list_is":{"and":[["eq","en"],["eq","de"]]}}`: {"languages"}, // against Ahrefs' own grammar, in its example
		`{"field":"anchor","is":["eq","x"],"modifier":"uppercase"}`:         {"anchor"},
		`{"not":{"field":"anchor","is":"empty"}}`:                           {"anchor"},
		`{"field":"anchor"}`: {"anchor"},
		`{"and":[{"field":"anchor","is":"empty"},{"field":"anchor","is":"empty"}]}`:                                                                  {"anchor"},
		`{"or":[{"and":[{"not":{"field":"title","is":["eq","x"]}},{"field":"anchor","is":["eq","refdomains"]}]},{"field":"title","is":["eq","y"]}]}`: {"title", "anchor"},
	} {
		if got, err := anchors.WhereFields(decoded(t, text)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s names %v (%v), want %v", text, got, err, want)
		}
	}
}

func TestWhereRefusesWhatItCannotRead(t *testing.T) {
	for text, says := range map[string]string{
		`{"field":"url_rating_source","is":["gt",1]}`:              `"url_rating_source"`,
		`{"not":{"and":[{"field":"anchors","is":["gt",1]}]}}`:      `"anchors"`,
		`{"field":"languages.0","is":["eq","en"]}`:                 `"languages.0"`,
		`{"field":["anchor"],"is":["gt",1]}`:                       "name",
		`{"and":[]}`:                                               "at least one",
		`{"or":{"field":"anchor"}}`:                                "at least one",
		`{"and":[["field","anchor"]]}`:                             "not a filter",
		`{"not":[{"field":"anchor"}]}`:                             "not a filter",
		`{"xor":[{"field":"anchor"}]}`:                             `"xor"`,
		`{}`:                                                       "nothing in it",
		`{"and":[{"field":"anchor"}],"or":[{"field":"refpages"}]}`: "and, or",
		`{"field":"anchor","and":[{"field":"traffic_page"}]}`:      `"and" beside field anchor`,
		`"anchor"`:                            "not a filter",
		`null`:                                "not a filter",
		`["` + strings.Repeat("é", 50) + `"]`: "…",
	} {
		if got, err := anchors.WhereFields(decoded(t, text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s names %v, %v; want an error about %q", text, got, err, says)
		}
	}
}

func TestOrderNamesItsFields(t *testing.T) {
	got, err := anchors.OrderFields(list("refdomains:desc,anchor,refdomains:asc,top_domain_rating:asc"))
	if want := list("refdomains,anchor,top_domain_rating"); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v (%v), want %v", got, err, want)
	}
}
