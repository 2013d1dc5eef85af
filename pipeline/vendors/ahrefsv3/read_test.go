package ahrefsv3

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
)

// both makes a request and reads what came of it again, offline; the two must agree, as no header says anything.
func both(t *testing.T, status int, body, report string, tk pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	t.Helper()
	c, got := fake(t, status, body, nil)
	page, err := named(t, c.Sources(), report).Fetch(t.Context(), tk, ask)
	sent := []byte(got.body)
	if got.method == "GET" {
		sent = []byte(strings.TrimPrefix(got.path, "/v3/") + "?" + encoded(got.query))
	}
	kept := pipeline.Page{Cursor: ask.Cursor, Request: sent, Status: status, Body: []byte(body), FetchedAt: arrival.UTC()}
	again, errAgain := named(t, Offline(), report).Read(tk, pipeline.Ask{Cursor: ask.Cursor}, kept)
	if diff := cmp.Diff(page, again); diff != "" || fmt.Sprint(err) != fmt.Sprint(errAgain) {
		t.Errorf("%s: %v, read again: %v, %s", body, err, errAgain, diff)
	}
	return page, err
}

func TestErrorsUnderStatus200(t *testing.T) {
	for name, tc := range map[string]struct {
		report, body string
		want         pipeline.Kind
	}{
		"an object":              {"anchors", `{"error":"invalid key"}`, pipeline.Denied},
		"beside an empty list":   {"anchors", `{"anchors":[],"error":"Forbidden"}`, pipeline.Denied},
		"a list":                 {"anchors", `["Error","Unauthorized"]`, pipeline.Denied},
		"a list in a list":       {"anchors", ` ["Error", ["NotFound", "this route does not exist /v3/x"]]`, pipeline.Rejected},
		"a list of one":          {"anchors", `["Error"]`, pipeline.Rejected},
		"units":                  {"anchors", `{"error":"API units limit reached. Expected usage: 50, API units left: 0."}`, pipeline.Exhausted},
		"plan":                   {"anchors", `{"error":"Insufficient plan"}`, pipeline.Rejected},
		"pace":                   {"refdomains", `{"message":"too many requests"}`, pipeline.Throttled},
		"pace by its status":     {"refdomains", `{"error":{"code":429}}`, pipeline.Throttled},
		"trouble":                {"refdomains", `["Error",{"reason":"Internal error"}]`, pipeline.Transient},
		"anything else":          {"refdomains", `{"error":"surprise"}`, pipeline.Rejected},
		"beside rows":            {"anchors", `{"anchors":[{"anchor":"a","refdomains":1}],"error":"surprise"}`, pipeline.Malformed},
		"an object's":            {"domain_rating", `{"error":"invalid key"}`, pipeline.Denied},
		"an object of nothing":   {"domain_rating", `{"error":"invalid key","domain_rating":{"domain_rating":0.0,"ahrefs_rank":null}}`, pipeline.Denied},
		"an object of something": {"domain_rating", `{"error":"invalid key","domain_rating":{"domain_rating":7.0}}`, pipeline.Malformed},
		"a series":               {"domain_rating_history", `{"error":"invalid key","domain_ratings":[]}`, pipeline.Denied},
		"a batch":                {"batch_analysis", `{"error":"invalid key","targets":[]}`, pipeline.Denied},
		"a batch's rows":         {"batch_analysis", `{"error":"invalid key","targets":[{"index":0},{"index":1}]}`, pipeline.Malformed},
		"limits":                 {"limits_and_usage", `["Error","Forbidden"]`, pipeline.Denied},
	} {
		page, err := both(t, 200, tc.body, tc.report, taskOf(tc.report), pipeline.Ask{})
		var e *pipeline.Error
		if !errors.As(err, &e) || e.Kind != tc.want || e.Status != 200 || !e.MaybeCharged || strings.Contains(e.Message, "missing") {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
		if kept := page.Body != nil; kept != (tc.want == pipeline.Malformed) {
			t.Errorf("%s: the body is kept: %v", name, kept)
		}
	}
}

func taskOf(report string) pipeline.Task {
	switch {
	case report == "batch_analysis":
		return batchTask("a.example", "b.example")
	case Lookup(report).Kind == Series:
		return task(report, `{"date_from":"2026-01-01","date_to":"2026-03-31"}`)
	case report == "anchors":
		return task(report, `{"select":"anchor,refdomains"}`)
	}
	return task(report, "{}")
}

func TestWhatSaysNothingIsNoError(t *testing.T) {
	for body, report := range map[string]string{
		`{"anchors":[],"error":null}`: "anchors", `{"anchors":[],"error":{},"message":""}`: "anchors",
		`{"anchors":[{"anchor":"a","refdomains":1}],"message":"a remark"}`:              "anchors",
		`{"domain_rating":{"domain_rating":0.0,"ahrefs_rank":null},"message":"remark"}`: "domain_rating",
	} {
		if page, err := both(t, 200, body, report, taskOf(report), pipeline.Ask{}); err != nil || !page.End {
			t.Errorf("%s: %+v, %v", body, page, err)
		}
	}
}

func TestPagesAreReadAgainAsTheyWereFetched(t *testing.T) {
	c, _ := fake(t, 200, `{"anchors":[{"anchor":"c","refdomains":9},{"anchor":"b","refdomains":2}]}`, nil)
	first, err := named(t, c.Sources(), "anchors").Fetch(t.Context(), taskOf("anchors"), pipeline.Ask{Limit: 2})
	if err != nil || first.End {
		t.Fatal(first, err)
	}
	for name, tc := range map[string]struct {
		report string
		ask    pipeline.Ask
		status int
		body   string
		want   string // a kind, "on" or "end"
	}{
		"a list":           {"anchors", pipeline.Ask{Limit: 2}, 200, string(first.Body), "on"},
		"under way":        {"anchors", pipeline.Ask{Cursor: first.Next, Limit: 2}, 200, `{"anchors":[{"anchor":"b","refdomains":2},{"anchor":"a","refdomains":1}]}`, "on"},
		"its end":          {"anchors", pipeline.Ask{Cursor: first.Next, Limit: 2}, 200, `{"anchors":[{"anchor":"b","refdomains":2}]}`, "end"},
		"another order":    {"anchors", pipeline.Ask{Limit: 2}, 200, `{"anchors":[{"anchor":"c","refdomains":1},{"anchor":"b","refdomains":2}]}`, "malformed"},
		"a batch, in part": {"batch_analysis", pipeline.Ask{Limit: 1}, 200, `{"targets":[{"index":0}]}`, "on"},
		"the rest of it":   {"batch_analysis", pipeline.Ask{Cursor: "1", Limit: 1}, 200, `{"targets":[{"index":0}]}`, "end"},
		"a batch's misfit": {"batch_analysis", pipeline.Ask{Limit: 1}, 200, `{"targets":[{"index":1}]}`, "malformed"},
		"an object":        {"domain_rating", pipeline.Ask{}, 200, `{"domain_rating":{"domain_rating":7.0}}`, "end"},
		"a status":         {"anchors", pipeline.Ask{}, 403, `{"error":"Insufficient plan"}`, "rejected"},
	} {
		page, err := both(t, tc.status, tc.body, tc.report, taskOf(tc.report), tc.ask)
		got := map[bool]string{true: "end", false: "on"}[page.End]
		if err != nil {
			got = pipeline.KindOf(err).String()
		}
		if got != tc.want {
			t.Errorf("%s: %s, %v, want %s", name, got, err, tc.want)
		}
	}
	foreign := pipeline.Page{Cursor: `{"step":"walk","order":["anchor:asc"]}`, Status: 200, Body: []byte(`{"anchors":[]}`)}
	if _, err := named(t, Offline(), "anchors").Read(taskOf("anchors"), pipeline.Ask{}, foreign); pipeline.KindOf(err) != pipeline.Stale {
		t.Errorf("a cursor of another order: %v", err)
	}
	if _, err := named(t, Offline(), "anchors").Read(pipeline.Task{}, pipeline.Ask{}, pipeline.Page{Status: 200}); pipeline.KindOf(err) != pipeline.Rejected || err == nil {
		t.Errorf("of no task: %v", err)
	}
}

func TestALimitThatIsRefusedUnderStatus200IsLowered(t *testing.T) {
	c, _ := fake(t, 200, `{"error":"limit must be at most 500 for your plan"}`, nil)
	_, err := named(t, c.Sources(), "anchors").Fetch(t.Context(), taskOf("anchors"), pipeline.Ask{Limit: 1000})
	if pipeline.KindOf(err) != pipeline.Transient || !strings.Contains(err.Error(), "500 are asked for from now on") || c.most.Load() != 500 {
		t.Errorf("%v, most %d", err, c.most.Load())
	}
}

func TestAnErrorIsNeverAUsageOfNothing(t *testing.T) {
	for body, want := range map[string]pipeline.Kind{
		`["Error","Forbidden"]`: pipeline.Denied, `{"error":"invalid key","limits_and_usage":{"units_usage_api_key":0}}`: pipeline.Denied,
		`{"error":"try again","limits_and_usage":{"units_usage_api_key":7}}`: pipeline.Transient, `{"message":"too many requests"}`: pipeline.Throttled,
		`<html>`: pipeline.Malformed, ``: pipeline.Malformed,
	} {
		c, _ := fake(t, 200, body, nil)
		report, err := c.Usage(t.Context(), time.Time{}, time.Time{})
		if err == nil || pipeline.KindOf(err) != want || report.Units != 0 {
			t.Errorf("%s: %d units, %v", body, report.Units, err)
		}
	}
	c, _ := fake(t, 200, `{"limits_and_usage":{"units_usage_api_key":0},"message":"a remark"}`, nil)
	if report, err := c.Usage(t.Context(), time.Time{}, time.Time{}); err != nil || report.Units != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}
