package ahrefsv2

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
)

func TestPagesAreReadAgainAsTheyWereFetched(t *testing.T) {
	for name, tc := range map[string]struct {
		endpoint string
		ask      pipeline.Ask
		status   int
		body     string
		want     string // a kind, "on" or "end"
	}{
		"a list":        {"anchors", pipeline.Ask{Limit: 2}, 200, `{"anchors":[{},{}]}`, "on"},
		"its end":       {"anchors", pipeline.Ask{Cursor: "2", Limit: 2}, 200, `{"anchors":[{}]}`, "end"},
		"nothing":       {"anchors", pipeline.Ask{}, 200, `{"anchors":[]}`, "end"},
		"an object":     {"backlinks_stats", pipeline.Ask{}, 200, `{"metrics":{"backlinks":5}}`, "end"},
		"a refusal":     {"anchors", pipeline.Ask{}, 200, `{"error":"invalid token"}`, "denied"},
		"of an object":  {"backlinks_stats", pipeline.Ask{}, 200, `{"error":"not enough rows left","metrics":{"backlinks":0}}`, "exhausted"},
		"rows, error":   {"backlinks_stats", pipeline.Ask{}, 200, `{"error":"try again","metrics":{"backlinks":5}}`, "malformed"},
		"another table": {"anchors", pipeline.Ask{}, 200, `{"refdomains":[]}`, "malformed"},
		"a status":      {"anchors", pipeline.Ask{}, 403, `{"error":"no rows left"}`, "exhausted"},
	} {
		c := serve(t, func(w http.ResponseWriter, _ url.Values) { w.WriteHeader(tc.status); io.WriteString(w, tc.body) })
		page, err := fetch(t, c, tc.endpoint, "", tc.ask)
		task := pipeline.Task{Target: "example.com"}
		query, _, _, bad := reportOf(t, tc.endpoint).query(task, tc.ask)
		if bad != nil {
			t.Fatal(bad)
		}
		again, errAgain := named(t, Offline(), tc.endpoint).Read(task, pipeline.Ask{},
			pipeline.Page{Cursor: tc.ask.Cursor, Request: []byte(query), Status: tc.status, Body: []byte(tc.body), FetchedAt: arrival.UTC()})
		if diff := cmp.Diff(page, again); diff != "" || fmt.Sprint(err) != fmt.Sprint(errAgain) {
			t.Errorf("%s: %v, read again: %v, %s", name, err, errAgain, diff)
		}
		got := map[bool]string{true: "end", false: "on"}[page.End]
		if err != nil {
			got = pipeline.KindOf(err).String()
		}
		if got != tc.want {
			t.Errorf("%s: %s, %v, want %s", name, got, err, tc.want)
		}
	}
	if _, err := named(t, Offline(), "anchors").Read(pipeline.Task{}, pipeline.Ask{}, pipeline.Page{Status: 200}); pipeline.KindOf(err) != pipeline.Rejected || err == nil {
		t.Errorf("of no task: %v", err)
	}
}

func reportOf(t *testing.T, endpoint string) *report {
	t.Helper()
	return named(t, Offline(), endpoint).(*source).report
}

// No document says that a refusal is free, and every request has a price: what was set aside stays so.
func TestRefusalsMayBeBilled(t *testing.T) {
	for _, body := range []string{`{"error":"invalid token"}`, `{"error":"where: column 'x' not found"}`, `{"error":"too many requests"}`} {
		_, err := fetch(t, serve(t, reply(body, "X-Status", "error")), "anchors", "", pipeline.Ask{})
		if e := new(pipeline.Error); !errors.As(err, &e) || !e.MaybeCharged {
			t.Errorf("%s: %+v", body, err)
		}
	}
}

func TestAnErrorIsNeverAUsageOfNothing(t *testing.T) {
	for body, want := range map[string]pipeline.Kind{
		`{"error":"invalid token"}`: pipeline.Denied, `{"error":{"message":"invalid token"},"info":{"rows_left":0,"rows_limit":0}}`: pipeline.Denied,
		`{"message":"too many requests"}`: pipeline.Throttled, `{"error":"try again","info":{"rows_left":5,"rows_limit":9}}`: pipeline.Transient,
		`<html>`: pipeline.Malformed, `{"info":{}}`: pipeline.Malformed, ``: pipeline.Malformed,
	} {
		report, err := serve(t, reply(body)).Usage(t.Context(), time.Time{}, time.Time{})
		if err == nil || pipeline.KindOf(err) != want || report.Units != 0 || report.Remaining != nil {
			t.Errorf("%s: %+v, %v", body, report, err)
		}
	}
	report, err := serve(t, reply(`{"info":{"rows_left":5,"rows_limit":9}}`, "X-Status", "error")).Usage(t.Context(), time.Time{}, time.Time{})
	if err == nil || report.Units != 0 {
		t.Errorf("under X-Status error: %+v, %v", report, err)
	}
}

// FuzzRead: reading what was kept never panics; what it accepts can be decoded, and what it refuses has a text.
func FuzzRead(f *testing.F) {
	for _, body := range []string{`{"anchors":[{"anchor":"a"}],"stats":{}}`, `{"metrics":{"backlinks":1}}`, `{"error":"invalid token"}`, `{"x":[],"error":[]}`, `<AhrefsApiResponse/>`, `[`, ``} {
		f.Add([]byte(body), "from=anchors&limit=2", "2", 200)
	}
	all := Offline()
	f.Fuzz(func(t *testing.T, body []byte, query, cursor string, status int) {
		for _, s := range all {
			kept := pipeline.Page{Cursor: pipeline.Cursor(cursor), Request: []byte(query), Status: status, Body: body}
			page, err := s.Read(pipeline.Task{Target: "example.com"}, pipeline.Ask{}, kept)
			if err != nil {
				if e := new(pipeline.Error); !errors.As(err, &e) || e.Error() == "" {
					t.Fatalf("%s: %v", s.Endpoint(), err)
				}
				continue
			}
			if rows, rejected, err := decoded(t, s, s.Endpoint().Table, page); err != nil || len(rows)+len(rejected) != page.Rows {
				t.Fatalf("%s: %d rows, %d loaded, %d rejected, %v", s.Endpoint(), page.Rows, len(rows), len(rejected), err)
			}
		}
	})
}
