package mozv2

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
)

// taskOf asks about something, whatever the endpoint.
func taskOf(endpoint string) pipeline.Task {
	task := tasks[endpoint]
	if task.Target == "" {
		task.Target = "moz.com"
	}
	return task
}

// both fetches a page and reads what came of it again, offline; the two must agree.
func both(t *testing.T, status int, body, endpoint string, ask pipeline.Ask) (pipeline.Page, error) {
	t.Helper()
	c, _ := fake(t, status, body)
	task := taskOf(endpoint)
	page, err := named(t, c.Sources(), endpoint).Fetch(t.Context(), task, ask)
	q, bad := buying(t, endpoint).ask(task, ask)
	if bad != nil {
		t.Fatal(bad)
	}
	again, errAgain := named(t, Offline(), endpoint).Read(task, pipeline.Ask{Cursor: ask.Cursor},
		pipeline.Page{Cursor: ask.Cursor, Request: q.body, Status: status, Body: []byte(body), FetchedAt: arrival.UTC()})
	if diff := cmp.Diff(page, again); diff != "" {
		t.Errorf("%s: read again: %s", body, diff)
	}
	if fmt.Sprint(err) != fmt.Sprint(errAgain) {
		t.Errorf("%s: %v, read again: %v", body, err, errAgain)
	}
	return page, err
}

func TestErrorsUnderStatus200(t *testing.T) {
	for name, tc := range map[string]struct {
		endpoint, body string
		cursor         pipeline.Cursor
		want           pipeline.Kind
	}{
		"credentials":              {"anchor_text", `{"error": "invalid token", "results": [], "next_token": ""}`, "", pipeline.Denied},
		"no list":                  {"anchor_text", `{"error":"invalid token"}`, "", pipeline.Denied},
		"an object":                {"links", `{"error":{"message":"Unauthorized","code":7}}`, "", pipeline.Denied},
		"error_message":            {"links", `{"error_message":"Forbidden","results":[]}`, "", pipeline.Denied},
		"a list of errors":         {"links", `{"errors":["Forbidden"],"results":[]}`, "", pipeline.Denied},
		"a message for the list":   {"links", `{"message":"You have used all rows of your quota"}`, "", pipeline.Exhausted},
		"a message, an empty list": {"links", `{"message":"No rows remaining in this billing period","results":[],"next_token":null}`, "x", pipeline.Exhausted},
		"pace":                     {"top_pages", `{"error":"Too many requests","results":[]}`, "", pipeline.Throttled},
		"pace by its status":       {"top_pages", `{"error":{"status":429},"results":[]}`, "", pipeline.Throttled},
		"trouble":                  {"top_pages", `{"error":"Internal error","results":[]}`, "", pipeline.Transient},
		"anything else":            {"top_pages", `{"error":"surprise","results":[]}`, "", pipeline.Rejected},
		"a token that expired":     {"links", `{"error":"The next token has expired","results":[]}`, "x", pipeline.Stale},
		"credentials, later":       {"links", `{"error":"invalid token","results":[]}`, "x", pipeline.Denied},
		"no token was sent":        {"links", `{"error":"The next token has expired","results":[]}`, "", pipeline.Rejected},
		"beside rows":              {"links", `{"error":"Internal error","results":[{}],"next_token":""}`, "", pipeline.Malformed},
		"batch":                    {"url_metrics", `{"error":"invalid token","results":[]}`, "", pipeline.Denied},
		"batch without answers":    {"link_status", `{"error":"quota exceeded"}`, "", pipeline.Exhausted},
		"batch with answers":       {"link_status", `{"error":"quota exceeded","exists":[true,false,true]}`, "", pipeline.Malformed},
		"batch with one of them":   {"url_metrics", `{"error":"quota exceeded","results":[{"page":"a.com/"}]}`, "", pipeline.Malformed},
		"object":                   {"final_redirect", `{"error":"invalid token"}`, "", pipeline.Denied},
		"object with a blank":      {"final_redirect", `{"error":"invalid token","page":""}`, "", pipeline.Denied},
		"object with an answer":    {"final_redirect", `{"error":"invalid token","page":"a.com/"}`, "", pipeline.Malformed},
		"a message for the object": {"index_metadata", `{"message":"invalid token"}`, "", pipeline.Denied},
		"nothing consumed":         {"usage_data", `{"error":"slow down","rows_consumed":0}`, "", pipeline.Throttled},
		"intersect":                {"link_intersect", `{"error":"try again","results":[]}`, "", pipeline.Transient},
		"the web":                  {"global_top_pages", `{"error":{"code":500},"results":[]}`, "", pipeline.Transient},
	} {
		page, err := both(t, 200, tc.body, tc.endpoint, pipeline.Ask{Cursor: tc.cursor})
		var e *pipeline.Error
		if !errors.As(err, &e) || e.Kind != tc.want || e.Status != 200 || !e.MaybeCharged || strings.Contains(e.Message, "missing") {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
		if kept := page.Body != nil; kept != (tc.want == pipeline.Malformed) {
			t.Errorf("%s: the body is kept: %v", name, kept)
		}
	}
}

func TestWhatSaysNothingIsNoError(t *testing.T) {
	for body, endpoint := range map[string]string{
		`{"results":[],"next_token":"","error":null}`:                         "links",
		`{"results":[],"next_token":"","error":"","message":" ","errors":[]}`: "links",
		`{"results":[{}],"next_token":"","error":{}}`:                         "links",
		`{"results":[{}],"next_token":"","message":"a remark"}`:               "links",
		`{"exists":[true,false,true],"message":"a remark"}`:                   "link_status",
		`{"page":"","message":"no redirect","error":false}`:                   "final_redirect",
		`{"index_id":"x","message":"a remark"}`:                               "index_metadata",
	} {
		if page, err := both(t, 200, body, endpoint, pipeline.Ask{}); err != nil || !page.End || string(page.Body) != body {
			t.Errorf("%s: %+v, %v", body, page, err)
		}
	}
}

func TestPagesAreReadAgainAsTheyWereFetched(t *testing.T) {
	for name, tc := range map[string]struct {
		endpoint, body string
		ask            pipeline.Ask
	}{
		"a list":           {"anchor_text", threeAnchors + `,"next_token":"x"}`, pipeline.Ask{}},
		"a list under way": {"links", `{"results":[{},{}],"next_token":"y"}`, pipeline.Ask{Cursor: "x", Limit: 2}},
		"its end":          {"links", `{"results":[{}]}`, pipeline.Ask{Cursor: "x", Limit: 2}},
		"its end, marked":  {"links", `{"results":[{},{}],"next_token":null}`, pipeline.Ask{Cursor: "x", Limit: 2}},
		"doubt":            {"links", `{"results":[{},{}]}`, pipeline.Ask{Cursor: "x", Limit: 2}},
		"a part":           {"link_status", `{"exists":[true,false]}`, pipeline.Ask{Limit: 2}},
		"the rest":         {"link_status", `{"exists":[true]}`, pipeline.Ask{Cursor: "2", Limit: 2}},
		"metrics":          {"url_metrics", `{"results":[{"page":"a.com/"}]}`, pipeline.Ask{Limit: 1}},
		"a misfit":         {"url_metrics", `{"results":[{"page":"c.com/"}]}`, pipeline.Ask{Limit: 1}},
		"an object":        {"final_redirect", `{"page":"a.com/"}`, pipeline.Ask{}},
		"not found":        {"links", `[]`, pipeline.Ask{}},
	} {
		page, err := both(t, 200, tc.body, tc.endpoint, tc.ask)
		if (err != nil) != (name == "doubt" || name == "a misfit" || name == "not found") {
			t.Errorf("%s: %+v, %v", name, page, err)
		}
	}
	if _, err := both(t, 403, `{"message":"Monthly row limit exceeded"}`, "links", pipeline.Ask{}); pipeline.KindOf(err) != pipeline.Exhausted {
		t.Errorf("a refusal by status: %v", err)
	}
	page, err := named(t, Offline(), "links").Read(pipeline.Task{}, pipeline.Ask{}, pipeline.Page{Status: 200})
	if pipeline.KindOf(err) != pipeline.Rejected || err == nil {
		t.Errorf("of no task: %+v, %v", page, err)
	}
}

// script is a server whose replies are those, one after the other.
func script(t *testing.T, replies ...string) *Client {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := replies[0]
		replies = replies[1:]
		reply(200, body)(w, r)
	}))
	t.Cleanup(srv.Close)
	return client(t, Config{BaseURL: srv.URL, Token: token})
}

// How a list ends is learned by the client, whichever endpoint it is.
func TestAListWithoutItsTokenIsNotWholeUntilThatIsHowListsEnd(t *testing.T) {
	const full, marked = `{"results":[{},{}]}`, `{"results":[{},{}],"next_token":""}`
	ask := pipeline.Ask{Cursor: "x", Limit: 2}
	for name, tc := range map[string]struct {
		replies []string
		want    string
	}{
		"doubted once, then believed": {[]string{full, full}, "malformed end"},
		"twice, once it was marked":   {[]string{marked, full, full}, "end malformed end"},
		"a short one":                 {[]string{`{"results":[{}]}`, full}, "end end"},
	} {
		c := script(t, tc.replies...)
		var got []string
		for range tc.replies {
			page, err := named(t, c.Sources(), "links").Fetch(t.Context(), pipeline.Task{Target: "moz.com"}, ask)
			word := fmt.Sprint(page.End)
			if page.End {
				word = "end"
			}
			if err != nil {
				word = pipeline.KindOf(err).String()
				if page.Body == nil || !strings.Contains(err.Error(), "next_token: ") {
					t.Errorf("%s: %+v, %v", name, page, err)
				}
			}
			got = append(got, word)
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
	c := script(t, marked, full)
	named(t, c.Sources(), "links").Fetch(t.Context(), pipeline.Task{Target: "moz.com"}, ask)
	if _, err := fetch(t, c, "anchor_text"); pipeline.KindOf(err) != pipeline.Malformed || err == nil {
		t.Errorf("another endpoint of the client: %v", err)
	}
}

func TestAnErrorIsNeverAUsageOfNothing(t *testing.T) {
	for body, want := range map[string]pipeline.Kind{
		`{"error":"invalid token"}`: pipeline.Denied, `{"error":"invalid token","rows_consumed":0,"index_id":""}`: pipeline.Denied,
		`{"error":{"code":429},"rows_consumed":7,"index_id":"x"}`: pipeline.Throttled, `{"message":"quota exceeded"}`: pipeline.Exhausted,
		`<html>`: pipeline.Malformed, ``: pipeline.Malformed,
	} {
		c, _ := fake(t, 200, body)
		report, err := c.Usage(t.Context(), time.Time{}, time.Time{})
		if err == nil || pipeline.KindOf(err) != want || report.Units != 0 {
			t.Errorf("%s: %d units, %v", body, report.Units, err)
		}
		if id, err := c.IndexID(t.Context()); err == nil || pipeline.KindOf(err) != want || id != "" {
			t.Errorf("%s: index %q, %v", body, id, err)
		}
	}
	c, _ := fake(t, 200, `{"rows_consumed":0,"message":"a remark","error":null}`)
	if report, err := c.Usage(t.Context(), time.Time{}, time.Time{}); err != nil || report.Units != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	c, _ = fake(t, 202, `{"rows_consumed":5}`)
	if report, err := c.Usage(t.Context(), time.Time{}, time.Time{}); pipeline.KindOf(err) != pipeline.Malformed || report.Units != 0 {
		t.Errorf("202: %+v, %v", report, err)
	}
}
