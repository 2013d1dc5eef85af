package mozrpc

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
)

// both makes the request of a fuzzed task and reads what came of it again, offline; the two must agree.
func both(t *testing.T, status int, body, endpoint string, task pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	t.Helper()
	var sent, replied string
	c, seen := server(t, func(g *got) (int, string) {
		sent = fmt.Sprintf(`{"jsonrpc":"2.0","id":%q,"method":%q,"params":{"data":%s}}`, g.id, g.method, g.data)
		replied = strings.Replace(body, "REQUEST-ID", g.id, 1)
		return status, body
	})
	p, err := named(t, c.Sources(), endpoint).Fetch(t.Context(), task, ask)
	if seen.requests != 1 {
		t.Fatalf("%s: %d requests, %v", endpoint, seen.requests, err)
	}
	kept := pipeline.Page{Cursor: ask.Cursor, Request: []byte(sent), Status: status, Body: []byte(replied), FetchedAt: arrival.UTC()}
	again, errAgain := named(t, Offline(), endpoint).Read(task, pipeline.Ask{Cursor: ask.Cursor}, kept)
	if diff := cmp.Diff(p, again); diff != "" {
		t.Errorf("%s: read again: %s", body, diff)
	}
	if fmt.Sprint(err) != fmt.Sprint(errAgain) {
		t.Errorf("%s: %v, read again: %v", body, err, errAgain)
	}
	return p, err
}

func TestPagesAreReadAgainAsTheyWereFetched(t *testing.T) {
	none := fail(-32655, 404, "No record", "")
	for name, tc := range map[string]struct {
		endpoint string
		task     pipeline.Task
		ask      pipeline.Ask
		status   int
		body     string
		want     string // a kind, "on" or "end"
	}{
		"a list":               {"links", pipeline.Task{Target: "a.com"}, pipeline.Ask{}, 200, result(`{"links":[{}],"offset":{"token":"x"}}`), "on"},
		"under way":            {"links", pipeline.Task{Target: "a.com"}, pipeline.Ask{Cursor: "x", Limit: 2}, 200, result(`{"links":[{},{}],"offset":{"token":"y"}}`), "on"},
		"its end":              {"links", pipeline.Task{Target: "a.com"}, pipeline.Ask{Cursor: "x", Limit: 2}, 200, result(`{"links":[{},{}],"offset":{"token":null}}`), "end"},
		"short, without token": {"links", pipeline.Task{Target: "a.com"}, pipeline.Ask{Cursor: "x", Limit: 2}, 200, result(`{"links":[{}]}`), "end"},
		"full, without token":  {"links", pipeline.Task{Target: "a.com"}, pipeline.Ask{Cursor: "x", Limit: 2}, 200, result(`{"links":[{},{}],"offset":{}}`), "malformed"},
		"full, at the start":   {"links", pipeline.Task{Target: "a.com"}, pipeline.Ask{Limit: 2}, 200, result(`{"links":[{},{}]}`), "end"},
		"no record":            {"links", pipeline.Task{Target: "a.com"}, pipeline.Ask{}, 404, none, "end"},
		"no record, 200":       {"final_redirect", pipeline.Task{Target: "a.com"}, pipeline.Ask{}, 200, none, "end"},
		"the list is gone":     {"links", pipeline.Task{Target: "a.com"}, pipeline.Ask{Cursor: "x"}, 404, none, "stale"},
		"another's":            {"links", pipeline.Task{Target: "a.com"}, pipeline.Ask{}, 200, `{"id":"x","result":{"links":[]}}`, "malformed"},
		"an error":             {"links", pipeline.Task{Target: "a.com"}, pipeline.Ask{}, 200, fail(-32651, 401, "no", ""), "denied"},
		"an error, no result":  {"link_status", pipeline.Task{Target: "a.com", Inputs: sourcesOf("b.com")}, pipeline.Ask{}, 200, `{"error":"Quota exceeded","result":{"results_by_query":[]}}`, "exhausted"},
		"the web":              {"global_top_pages", pipeline.Task{}, pipeline.Ask{Cursor: "3"}, 200, result(`{"top_pages":[{}]}`), "end"},
		"sources, in part": {"link_status", pipeline.Task{Target: "a.com", Inputs: sourcesOf("b.com", "c.com", "d.com")}, pipeline.Ask{Limit: 2}, 200,
			result(`{"results_by_query":[{"source_site_query":{"query":"b.com"},"exists":true}],"errors_by_query":[{"source_site_query":{"query":"c.com"},"error":{"httpStatus":500}}]}`), "on"},
		"targets, in part": {"url_metrics", pipeline.Task{Inputs: targetsOf("a.com", "b.com/x"), Params: fourSeries}, pipeline.Ask{Limit: 1}, 200,
			result(`{"results_by_site":[{"site_query":{"query":"a.com"},"site_metrics":{"page":"a.com/"}}]}`), "on"},
		"failed at all": {"url_metrics", pipeline.Task{Inputs: targetsOf("a.com")}, pipeline.Ask{}, 200,
			result(`{"results_by_site":[],"errors_by_site":[{"site_query":{"query":"a.com"},"error":{"httpStatus":500}}]}`), "transient"},
		"histories": {"url_metrics", pipeline.Task{Inputs: targetsOf("a.com", "b.com/x"), Params: fourSeries}, pipeline.Ask{Cursor: `{"phase":"histories","at":1}`}, 200,
			result(`{"site_metrics_histories":{}}`), "on"},
	} {
		p, err := both(t, tc.status, tc.body, tc.endpoint, tc.task, tc.ask)
		got := map[bool]string{true: "end", false: "on"}[p.End]
		if err != nil {
			got = pipeline.KindOf(err).String()
		}
		if got != tc.want {
			t.Errorf("%s: %s, %v, want %s", name, got, err, tc.want)
		}
		if kept := p.Body != nil; kept != (err == nil || got == "malformed") {
			t.Errorf("%s: the body is kept: %v", name, kept)
		}
	}
	for _, request := range []string{``, `x`, `{}`} {
		p, err := named(t, Offline(), "links").Read(pipeline.Task{}, pipeline.Ask{}, pipeline.Page{Status: 200, Request: []byte(request)})
		if pipeline.KindOf(err) != pipeline.Rejected || err == nil {
			t.Errorf("%s: %+v, %v", request, p, err)
		}
	}
}

// How a list ends is learned by the client: the requests of one page differ by their id alone.
func TestAListWithoutItsTokenIsNotWholeUntilThatIsHowListsEnd(t *testing.T) {
	const full, marked = `{"links":[{},{}]}`, `{"links":[{},{}],"offset":{"token":null}}`
	for script, want := range map[string]string{
		full + " " + full:                  "malformed end",
		marked + " " + full + " " + full:   "end malformed end",
		`{"links":[{}]}` + " " + full:      "end end",
		full + " " + marked + " " + marked: "malformed end end",
	} {
		replies := strings.Fields(script)
		c, _ := server(t, func(g *got) (int, string) { return 200, result(replies[g.requests-1]) })
		var said []string
		for range replies {
			p, err := named(t, c.Sources(), "links").Fetch(t.Context(), pipeline.Task{Target: "a.com"}, pipeline.Ask{Cursor: "x", Limit: 2})
			switch {
			case err != nil:
				said = append(said, pipeline.KindOf(err).String())
				if p.Body == nil || !strings.Contains(err.Error(), "offset.token: ") {
					t.Errorf("%+v, %v", p, err)
				}
			case p.End:
				said = append(said, "end")
			}
		}
		if strings.Join(said, " ") != want {
			t.Errorf("%s: %s, want %s", script, said, want)
		}
	}
}

// Reading what was kept tells the brake nothing: nobody was asked.
func TestReadingHoldsNothingBack(t *testing.T) {
	c, seen := fake(t, 200, result(`{"index_id":"x"}`))
	s := named(t, c.Sources(), "links")
	for range 2 * penaltyAt {
		p := page(t, "data.site.link.list", `{"offset":{"token":null,"limit":50}}`, "", fail(-32652, 400, "no", ""))
		if _, err := s.Read(pipeline.Task{Target: "a.com"}, pipeline.Ask{}, p); pipeline.KindOf(err) != pipeline.Rejected {
			t.Fatal(err)
		}
	}
	if _, err := c.IndexID(t.Context()); err != nil || seen.requests != 1 {
		t.Error(err)
	}
}

func TestAnErrorIsNeverAUsageOfNothing(t *testing.T) {
	for body, want := range map[string]pipeline.Kind{
		fail(-32651, 401, "no", ""):   pipeline.Denied,
		`{"error":"Quota exceeded"}`:  pipeline.Exhausted,
		`{"error":{},"result":{}}`:    pipeline.Malformed,
		`{"message":"Unauthorized"}`:  pipeline.Malformed,
		`<html>`:                      pipeline.Malformed,
		``:                            pipeline.Malformed,
		fail(-32655, 404, "none", ""): pipeline.Denied,
		`{"error":{"message":"no"},"result":{"quota":{"used":0,"period_start":1}}}`: pipeline.Malformed,
	} {
		c, _ := fake(t, 200, body)
		report, err := c.Usage(t.Context(), time.Time{}, time.Time{})
		if e := new(pipeline.Error); !errors.As(err, &e) || e.Kind != want || report.Units != 0 || report.Limit != nil {
			t.Errorf("%s: %+v, %v, want %s", body, report, err, want)
		}
	}
}
