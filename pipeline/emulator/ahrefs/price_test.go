package ahrefs

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"
)

// many is a list of n anchors, enough for the prices below.
func many(n int) Options {
	rows := make(Anchors, n)
	for i := range rows {
		rows[i] = AnchorRow{Anchor: fmt.Sprintf("text %06d", i), Links: n - i}
	}
	return Options{CacheTTL: time.Hour, Lists: func(report, _ string) List {
		if report == "anchors" {
			return rows
		}
		return nil
	}}
}

func TestRequestsCostWhatTheFormulaSays(t *testing.T) {
	const five = "select=anchor,links_to_target,refpages,refdomains,first_seen"
	anything := `where={"not":{"field":"traffic_page","is":["eq",-1]}}`
	both := `where={"and":[{"not":{"field":"traffic_page","is":["eq",-1]}},{"not":{"field":"refdomains_source","is":["eq",-1]}}]}`
	for i, test := range []struct {
		report             string
		params             []string
		rows, perRow, cost int
	}{
		{"anchors", []string{"select=anchor", "limit=10"}, 10, 1, 50},
		{"anchors", []string{five, "limit=1000"}, 1000, 9, 9000},
		{"anchors", []string{all("anchors"), "limit=100"}, 100, 15, 1500},
		{"anchors", []string{five, "limit=1000", "order_by=refdomains:desc"}, 1000, 9, 9000},
		{"anchors", []string{"select=anchor", "limit=100", "order_by=refdomains:desc"}, 100, 6, 600},
		{"anchors", []string{"select=anchor", "limit=100", anything}, 100, 11, 1100},
		{"anchors", []string{"select=anchor", "limit=100", both, "order_by=anchor:asc"}, 100, 16, 1600},
		{"all-backlinks", []string{all("all-backlinks"), "limit=1"}, 1, 116, 116},
		{"refdomains", []string{all("refdomains"), "limit=2"}, 2, 28, 56},
		{"backlinks-stats", []string{"date=2026-01-01"}, 1, 12, 50},
		{"refdomains-history", []string{"date_from=2025-01-01", "history_grouping=weekly"}, 52, 6, 312},
		{"domain-rating-history", []string{"date_from=2025-11-01"}, 3, 2, 50},
		{"all-backlinks", []string{"select=url_from,url_to,anchor,domain_rating_source,is_dofollow,first_seen,last_seen,is_lost,is_new", "limit=10", "aggregation=1_per_domain"}, 10, 9, 90},
		{"anchors", []string{"select=anchor", `where={"field":"anchor","is":["eq","no such text"]}`}, 0, 1, 50},
	} {
		s := serve(many(2000))
		params := append([]string{"target=rivalgear.example"}, test.params...)
		for try, want := range []int{test.cost, 0} {
			a := get(t, s, "site-explorer/"+test.report, params...)
			if a.Status != http.StatusOK {
				t.Fatalf("%d: %d %s", i, a.Status, a.Body)
			}
			got := []int{a.header(t, "X-Api-Rows"), a.header(t, "X-Api-Units-Cost-Row"), a.header(t, "X-Api-Units-Cost-Total"), a.header(t, "X-Api-Units-Cost-Total-Actual")}
			if !slices.Equal(got, []int{test.rows, test.perRow, test.cost, want}) || len(a.rows) != test.rows {
				t.Errorf("%d, request %d: rows, per row, total, actual are %v, want %v", i, try, got, []int{test.rows, test.perRow, test.cost, want})
			}
			if cache := a.Header["X-Api-Cache"]; cache != []string{"miss", "hit"}[try] {
				t.Errorf("%d, request %d: cache %s", i, try, cache)
			}
		}
		if m := s.Meter(); m.Units != int64(test.cost) || m.DuplicatePages != 1 || m.DuplicateUnits != 0 || m.CacheHits != 1 || m.Rows != int64(2*test.rows) {
			t.Errorf("%d: %+v", i, m)
		}
	}
}

func TestFreeTargetsCostNothingAndGiveAHundredRows(t *testing.T) {
	s := serve(Options{})
	for _, target := range []string{"ahrefs.com", "https://ahrefs.com/blog/", "help.ahrefs.com", "AHREFS.com"} {
		a := get(t, s, "site-explorer/anchors", "target="+target, "limit=1000", "select=anchor")
		if a.Status != 200 || len(a.rows) > 100 || a.header(t, "X-Api-Units-Cost-Total-Actual") != 0 || a.header(t, "X-Api-Units-Cost-Total") != max(50, len(a.rows)) {
			t.Errorf("%s: %d rows, %v", target, len(a.rows), a.Header)
		}
	}
	if a := get(t, s, "site-explorer/anchors", "target=ahrefs.com", "limit=1000", "select=anchor"); len(a.rows) != 100 {
		t.Errorf("%d rows", len(a.rows))
	}
	if a := get(t, s, "site-explorer/anchors", "target=notahrefs.com", "select=anchor"); a.header(t, "X-Api-Units-Cost-Total-Actual") != 50 {
		t.Error("another target is free")
	}
	if m := s.Meter(); m.Units != 50 {
		t.Errorf("%d units", m.Units)
	}
}

func TestExhaustedUnitsRefuseByTheExpectedUsage(t *testing.T) {
	for _, o := range []Options{{UnitsLimit: 1000, UnitsUsed: 400}, {KeyLimit: 600}, {UnitsLimit: 5000, KeyLimit: 600, UnitsUsed: 1}} {
		now := time.Date(2026, 5, 30, 0, 0, 0, 0, time.UTC)
		o.Clock, o.CacheTTL = func() time.Time { return now }, time.Hour
		s := serve(o)
		get500 := func(target string) answer {
			return get(t, s, "site-explorer/anchors", "target="+target, "select=anchor", "limit=500")
		}
		if a := get500("rivalgear.example"); a.Status != 200 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		a := get500("acme-outdoor.example")
		if want := `{"error":"API units limit reached. Expected usage: 500, API units left: 100."}`; a.Status != 403 || string(a.Body) != want || a.Header != nil {
			t.Errorf("%d %s %v", a.Status, a.Body, a.Header)
		}
		if a := get500("rivalgear.example"); a.Status != 200 || a.Header["X-Api-Cache"] != "hit" {
			t.Error("the cache is not free")
		}
		if a := get500("yep.com"); a.Status != 200 {
			t.Error("a free target is not free")
		}
		u := get(t, s, "subscription-info/limits-and-usage").rows[0]
		if u["units_usage_api_key"] != 500.0 || u["units_usage_workspace"] != 500.0+float64(o.UnitsUsed) || u["usage_reset_date"] != "2026-06-01T00:00:00Z" {
			t.Errorf("%v", u)
		}
		if limited := u["units_limit_workspace"] != nil; limited != (o.UnitsLimit > 0) || (u["units_limit_api_key"] == nil) != (o.KeyLimit == 0) {
			t.Errorf("%v", u)
		}
		now = now.AddDate(0, 0, 2)
		if a := get500("acme-outdoor.example"); a.Status != 200 {
			t.Errorf("in a new month: %d %s", a.Status, a.Body)
		}
	}
}

func TestSixtyRequestsAMinute(t *testing.T) {
	now := time.Date(2026, 5, 30, 0, 0, 0, 0, time.UTC)
	s := serve(Options{RequestsPerMinute: 60, Clock: func() time.Time { return now }})
	status := func() int { return get(t, s, "subscription-info/limits-and-usage").Status }
	for i := range 60 {
		if got := status(); got != 200 {
			t.Fatalf("request %d: %d", i, got)
		}
		now = now.Add(100 * time.Millisecond)
	}
	if got := status(); got != 429 {
		t.Errorf("request 61: %d", got)
	}
	now = now.Add(54 * time.Second)
	if status() != 200 || status() != 429 {
		t.Error("the window does not slide")
	}
	a := get(t, s, "subscription-info/limits-and-usage")
	if a.Header["Retry-After"] != "" || string(a.Body) == "" || a.Body[0] != '{' {
		t.Errorf("%v %s", a.Header, a.Body)
	}
}

func TestTheCacheEndsAndTellsParametersApart(t *testing.T) {
	now := time.Date(2026, 5, 30, 0, 0, 0, 0, time.UTC)
	s := serve(Options{CacheTTL: time.Minute, Clock: func() time.Time { return now }})
	for _, test := range []struct {
		params []string
		later  time.Duration
		want   string
	}{
		{[]string{"target=tiny-tarps.example", "select=anchor"}, 0, "miss"},
		{[]string{"select=anchor", "target=tiny-tarps.example"}, 59 * time.Second, "hit"},
		{[]string{"target=tiny-tarps.example", "select=refpages"}, 0, "miss"},
		{[]string{"target=tiny-tarps.example", "select=anchor"}, time.Second, "miss"},
	} {
		now = now.Add(test.later)
		if got := get(t, s, "site-explorer/anchors", test.params...).Header["X-Api-Cache"]; got != test.want {
			t.Errorf("%v: %s, want %s", test.params, got, test.want)
		}
	}
	for range 2 {
		if got := get(t, s, "site-explorer/domain-rating", "target=tiny-tarps.example", "date=2026-01-01"); got.Header["X-Api-Cache"] != "no_cache" || got.header(t, "X-Api-Units-Cost-Total-Actual") != 50 {
			t.Errorf("%v", got.Header)
		}
	}
	none := serve(Options{})
	for range 2 {
		if got := get(t, none, "site-explorer/anchors", "target=tiny-tarps.example", "select=anchor").Header["X-Api-Cache"]; got != "miss" {
			t.Errorf("without a cache: %s", got)
		}
	}
}
