package mozrpc

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"backhaul/pipeline"
	"backhaul/schemas"
)

// moz3 answers the calls of url_metrics for sites that it knows: a.com, b.com/x and www.c.com, which it spells in another
// way. z.com it has no record of, e.com it refuses, and f.com it fails at.
func moz3(seen *got) (int, string) {
	var asked data
	if err := json.Unmarshal([]byte(seen.data), &asked); err != nil {
		return 500, err.Error()
	}
	pages := map[string]string{"a.com": "a.com/", "b.com/x": "b.com/x", "c.com": "www.c.com/"}
	if asked.SiteQuery != nil {
		query := asked.SiteQuery.Query
		switch {
		case pages[query] == "":
			return 404, fail(-32655, 404, "No metrics for that site_query", "")
		case seen.method == "data.site.metrics.distributions.fetch":
			return 200, result(`{"site_query":{"query":"https://` + query + `"},"site_metrics_distributions":{"root_domains_to_page_by_root_domains":[1,2,3,4,5,6,7,8,9,10]}}`)
		}
		return 200, result(`{"site_query":{"query":"https://` + query + `"},"site_metrics_histories":{
			"monthly_history_values":[{"metric_name":"page_authority","metric_values":[{"date":"2026-06","value":40},{"date":"2026-07","value":41}]}],
			"daily_history_deltas":[{"metric_name":"pages_to_page","metric_deltas":{"gained":[{"date":"2026-07-02","count":5}],"lost":[{"date":"2026-07-02","count":1},{"date":"2026-07-01","count":2}]}}]}}`)
	}
	var results, failures []string
	for _, q := range asked.SiteQueries {
		echo := fmt.Sprintf(`"site_query":{"query":"https://%s","scope":"url","original_site_query":{"query":%q,"scope":"url"},"site_query_suggestion":null}`, q.Query, q.Query)
		switch {
		case pages[q.Query] != "":
			results = append([]string{fmt.Sprintf(`{%s,"site_metrics":{"page":%q,"page_authority":40}}`, echo, pages[q.Query])}, results...) // in another order
		case q.Query == "z.com":
			failures = append(failures, `{`+echo+`,"error":{"name":"NotFound","message":"No metrics for that site_query","httpStatus":404,"jsonrpcCode":-32655,"data":{}}}`)
		case q.Query == "e.com":
			failures = append(failures, `{`+echo+`,"error":{"name":"InvalidSite","data":{"key":"site_queries.1.query","value":"e.com"},"httpStatus":400,"jsonrpcCode":-32602}}`)
		default:
			failures = append(failures, `{`+echo+`,"error":{"name":"UnhandledError","data":{"key":"site_queries.1.query","value":"f.com"},"httpStatus":500,"jsonrpcCode":-32602}}`)
		}
	}
	return 200, result(`{"results_by_site":[` + strings.Join(results, ",") + `],"errors_by_site":[` + strings.Join(failures, ",") + `]}`)
}

// buy asks for a task's pages until it ends, as the engine does.
func buy(t *testing.T, s pipeline.Source, task pipeline.Task, limit int) (pages []pipeline.Page) {
	t.Helper()
	for at := pipeline.Cursor(""); len(pages) < 100; {
		price, err := s.Endpoint().PriceOf(task, pipeline.Ask{Cursor: at, Limit: limit})
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.Fetch(t.Context(), task, pipeline.Ask{Cursor: at, Limit: limit})
		if err != nil {
			t.Fatal(err)
		}
		if worst := price.Worst(limit); p.Units > worst {
			t.Errorf("a page at %q cost %d, of at most %d", at, p.Units, worst)
		}
		if pages = append(pages, p); p.End {
			return pages
		}
		at = p.Next
	}
	t.Fatal("the task does not end")
	return nil
}

// loaded is what pages bring for a table.
func loaded(t *testing.T, s pipeline.Source, table *schemas.Table, pages []pipeline.Page) (rows []map[string]any, rejected []schemas.Rejection) {
	t.Helper()
	for _, p := range pages {
		more, bad, err := decoded(t, s, table, p)
		if err != nil {
			t.Fatal(err)
		}
		rows, rejected = append(rows, more...), append(rejected, bad...)
	}
	return rows, rejected
}

const historiesAndMore = `{"daily_history_deltas":["pages_to_page"],"monthly_history_values":["page_authority"],"distributions":true}`

func TestURLMetricsIsOneTaskOfManyCalls(t *testing.T) {
	for _, limit := range []int{50, 2} {
		c, seen := server(t, moz3)
		s := named(t, c.Sources(), "url_metrics")
		task := pipeline.Task{Inputs: targetsOf("a.com", "b.com/x", "c.com", "e.com", "z.com"), Params: historiesAndMore}
		pages := buy(t, s, task, limit)
		var units pipeline.Units
		for _, p := range pages {
			units += p.Units
		}
		if calls := map[int]int{50: 1, 2: 3}[limit] + 3 + 3; len(pages) != calls || seen.requests != calls || units != 3+3*2+3 {
			t.Errorf("limit %d: %d pages, %d units, %d calls", limit, len(pages), units, seen.requests)
		}
		if limit == 50 {
			estimated, most, _ := s.Endpoint().Estimate(task, "")
			if most != 5*4 || estimated != 11 {
				t.Errorf("estimated %d pages and %d units", estimated, most)
			}
		}

		rows, rejected := loaded(t, s, s.Endpoint().Table, pages)
		same(t, own(rows, "target", "page", "page_authority", "rank", "extra"), "a.com a.com/ 40 1 -", "b.com/x b.com/x 40 1 -", "c.com www.c.com/ 40 1 -")
		if len(rejected) != 1 || rejected[0].Origin.Target != "e.com" || rejected[0].Reason != "Moz answers with an error: InvalidSite (site_queries.1.query)" {
			t.Errorf("rejected: %+v", rejected)
		}

		rows, rejected = loaded(t, s, schemas.Lookup("moz.url_metrics_history"), pages)
		if len(rejected) > 0 {
			t.Error(rejected)
		}
		var want []string
		for _, of := range []string{"a.com a.com/", "b.com/x b.com/x", "c.com www.c.com/"} {
			for i, row := range []string{"daily_deltas pages_to_page 2026-07-02 - 5 1", "daily_deltas pages_to_page 2026-07-01 - - 2",
				"monthly_values page_authority 2026-06-01 40 - -", "monthly_values page_authority 2026-07-01 41 - -"} {
				want = append(want, fmt.Sprintf("%s %s %d", of, row, i+1))
			}
		}
		same(t, own(rows, "target", "page", "series", "metric", "date", "value", "gained", "lost", "rank"), want...)

		rows, rejected = loaded(t, s, schemas.Lookup("moz.url_metrics_distribution"), pages)
		if len(rows) != 30 || len(rejected) > 0 {
			t.Errorf("%d rows, %v", len(rows), rejected)
		}
		same(t, own(rows[10:12], "target", "page", "series", "bucket", "lower", "upper", "value", "rank"),
			"b.com/x b.com/x root_domains_to_page_by_root_domains 0 0 0 1 1", "b.com/x b.com/x root_domains_to_page_by_root_domains 1 1 9 2 2")
		if rows[20]["page"] != "www.c.com/" {
			t.Errorf("%v", rows[20])
		}
	}
}

func TestTargetsMozFailsAtAreAskedAgainAndNoOthers(t *testing.T) {
	failing := map[string]int{"b.com/x": 1, "c.com": 2} // how often yet
	var asked []string
	c, _ := server(t, func(seen *got) (int, string) {
		var d data
		if err := json.Unmarshal([]byte(seen.data), &d); err != nil {
			return 500, err.Error()
		}
		asked = append(asked, strings.Join(queries(d.SiteQueries), " "))
		body := seen.data
		for name, times := range failing {
			if times > 0 && d.SiteQuery == nil && strings.Contains(body, name) {
				failing[name]--
				seen.data = strings.ReplaceAll(seen.data, `"`+name+`"`, `"f.com `+name+`"`)
			}
		}
		status, reply := moz3(seen)
		return status, strings.ReplaceAll(reply, "f.com ", "")
	})
	s := named(t, c.Sources(), "url_metrics")
	task := pipeline.Task{Inputs: targetsOf("a.com", "b.com/x", "c.com", "e.com", "z.com"), Params: `{"distributions":true}`}
	first, err := s.Fetch(t.Context(), task, pipeline.Ask{})
	if err != nil || first.Units != 1 || first.End {
		t.Fatalf("%+v, %v", first, err)
	}
	if _, units, ok := s.Endpoint().Estimate(task, first.Next); !ok || units != 1+2*2 {
		t.Errorf("what is left is estimated at %d units, %v; want a distribution, and metrics and distributions of two", units, ok)
	}
	failing["b.com/x"], failing["c.com"], asked = 1, 2, nil
	pages := buy(t, s, task, 50)
	want := []string{"a.com b.com/x c.com e.com z.com", "", "b.com/x c.com", "", "c.com", ""}
	if strings.Join(asked, "|") != strings.Join(want, "|") {
		t.Errorf("asked %q, want %q", asked, want)
	}
	rows, rejected := loaded(t, s, s.Endpoint().Table, pages)
	same(t, own(rows, "target", "page"), "a.com a.com/", "b.com/x b.com/x", "c.com www.c.com/")
	if len(rejected) != 1 || rejected[0].Origin.Target != "e.com" {
		t.Errorf("rejected: %+v", rejected)
	}
	rows, _ = loaded(t, s, schemas.Lookup("moz.url_metrics_distribution"), pages)
	if len(rows) != 30 || rows[20]["page"] != "www.c.com/" {
		t.Errorf("%d rows of distributions", len(rows))
	}
}

func TestABatchMozFailsAtAltogetherIsNoPage(t *testing.T) {
	c, _ := server(t, moz3)
	s := named(t, c.Sources(), "url_metrics")
	p, err := s.Fetch(t.Context(), pipeline.Task{Inputs: targetsOf("f.com", "g.com")}, pipeline.Ask{})
	var e *pipeline.Error
	if !errors.As(err, &e) || e.Kind != pipeline.Transient || e.MaybeCharged || len(p.Body) > 0 {
		t.Fatalf("%v, page of %d bytes: want to be asked again, for nothing", err, len(p.Body))
	}
	if !strings.Contains(e.Message, "f.com, g.com") || !strings.Contains(e.Message, "UnhandledError") {
		t.Errorf("%q does not tell the targets and the reason", e.Message)
	}
}

// A page of a run before inputs were asked again, or of an archive, is all there will ever be of its inputs.
func TestAPageThatNothingAsksAgainRejectsWhatMozFailedAt(t *testing.T) {
	c, _ := server(t, moz3)
	s := named(t, c.Sources(), "url_metrics")
	p, err := s.Fetch(t.Context(), pipeline.Task{Inputs: targetsOf("a.com", "f.com"), Params: `{"distributions":true}`}, pipeline.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	for _, next := range []pipeline.Cursor{`{"phase":"distributions","at":0,"without":[1]}`, ""} {
		p.Next, p.End = next, next == ""
		rows, rejected := loaded(t, s, s.Endpoint().Table, []pipeline.Page{p})
		if len(rows) != 1 || len(rejected) != 1 || rejected[0].Origin.Target != "f.com" {
			t.Errorf("before %q: %d rows, rejected %+v", next, len(rows), rejected)
		}
	}
}

func TestOnlyWhatIsWantedIsAsked(t *testing.T) {
	for params, want := range map[string]string{
		`{}`:                     "metrics.fetch.multiple",
		`{"distributions":true}`: "metrics.fetch.multiple metrics.distributions.fetch metrics.distributions.fetch",
		`{"daily_history_deltas":["pages_to_page"],"monthly_history_values":["page_authority"]}`: "metrics.fetch.multiple metrics.histories.fetch metrics.histories.fetch",
	} {
		var calls []string
		c, _ := server(t, func(seen *got) (int, string) {
			calls = append(calls, strings.TrimPrefix(seen.method, "data.site."))
			return moz3(seen)
		})
		buy(t, named(t, c.Sources(), "url_metrics"), pipeline.Task{Inputs: targetsOf("a.com", "b.com/x"), Params: params}, 50)
		if got := strings.Join(calls, " "); got != want {
			t.Errorf("%s: %s", params, got)
		}
	}
}

func TestABatchNobodyHasARecordOfEndsWithItsMetrics(t *testing.T) {
	c, seen := server(t, moz3)
	pages := buy(t, named(t, c.Sources(), "url_metrics"), pipeline.Task{Inputs: targetsOf("z.com"), Params: historiesAndMore}, 50)
	if len(pages) != 1 || pages[0].Rows != 0 || pages[0].Units != 0 || seen.requests != 1 {
		t.Errorf("%+v", pages)
	}
	c, _ = fake(t, 404, fail(-32655, 404, "No metrics", ""))
	pages = buy(t, named(t, c.Sources(), "url_metrics"), pipeline.Task{Inputs: targetsOf("y.com", "z.com"), Params: historiesAndMore}, 1)
	if len(pages) != 2 {
		t.Errorf("%d pages, want one for each half of the batch", len(pages))
	}
}

func TestRepliesThatDoNotFitTheirBatchAreMalformed(t *testing.T) {
	one := `{"site_query":{"query":"https://a.com","original_site_query":{"query":"a.com"}},"site_metrics":{"page":"a.com/"}}`
	strange := strings.ReplaceAll(one, "a.com", "x.org")
	for name, results := range map[string]string{
		"one missing":   one,
		"one too many":  one + "," + strings.ReplaceAll(one, "a.com", "b.com/x") + "," + strange,
		"another's":     one + "," + strange,
		"twice":         one + "," + one,
		"no echo":       one + `,{"site_metrics":{"page":"x/"}},7`,
		"nothing there": ``,
	} {
		body := result(`{"results_by_site":[` + results + `],"errors_by_site":[]}`)
		c, _ := fake(t, 200, body)
		s := named(t, c.Sources(), "url_metrics")
		p, err := s.Fetch(t.Context(), pipeline.Task{Inputs: targetsOf("a.com", "b.com/x")}, pipeline.Ask{})
		if pipeline.KindOf(err) != pipeline.Malformed || err == nil || len(p.Body) == 0 {
			t.Errorf("%s: %v, page of %d bytes", name, err, len(p.Body))
		}
		if rows, _, err := decoded(t, s, s.Endpoint().Table, p); err == nil || len(rows) > 0 {
			t.Errorf("%s: decoded to %v, %v", name, rows, err)
		}
	}
}

func TestRecordedHistoriesAndDistributionsDecode(t *testing.T) {
	s := named(t, Offline(), "url_metrics")
	asked, at := `{"site_query":{"query":"moz.com","scope":"url"}}`, `{"phase":"histories","at":0}`
	var recorded []json.RawMessage
	if err := json.Unmarshal(sample(t, "site.metrics.histories.fetch"), &recorded); err != nil {
		t.Fatal(err)
	}
	history := schemas.Lookup("moz.url_metrics_history")
	columns := []string{"page", "series", "metric", "date", "value", "gained", "lost"}
	values, rejected, err := decoded(t, s, history, page(t, "data.site.metrics.histories.fetch", asked, at, result(string(recorded[0]))))
	if err != nil || len(rejected) > 0 {
		t.Fatal(err, rejected)
	}
	same(t, own(values, columns...),
		"moz.com/ monthly_values external_pages_to_subdomain 2024-04-01 68470586 - -", "moz.com/ monthly_values external_pages_to_subdomain 2024-05-01 68157308 - -",
		"moz.com/ monthly_values external_pages_to_subdomain 2024-06-01 68017964 - -", "moz.com/ monthly_values nofollow_pages_to_subdomain 2024-04-01 14002752 - -",
		"moz.com/ monthly_values nofollow_pages_to_subdomain 2024-05-01 13648645 - -", "moz.com/ monthly_values nofollow_pages_to_subdomain 2024-06-01 13511416 - -")
	deltas, rejected, err := decoded(t, s, history, page(t, "data.site.metrics.histories.fetch", asked, at, result(string(recorded[1]))))
	if err != nil || len(rejected) > 0 {
		t.Fatal(err, rejected)
	}
	same(t, own(deltas[:2], columns...),
		"moz.com/ monthly_deltas external_pages_to_subdomain 2024-06-01 - 164072 303416", "moz.com/ monthly_deltas external_pages_to_subdomain 2024-05-01 - 555174 868452")
	if len(deltas) != 6 {
		t.Errorf("%d deltas", len(deltas))
	}
	for _, body := range recorded {
		p := page(t, "data.site.metrics.histories.fetch", asked, at, result(string(body)))
		if r, err := recall(p); err != nil || r.rows() != 2 {
			t.Errorf("%d series, %v", r.rows(), err)
		}
	}

	body := sample(t, "site.metrics.distributions.fetch")
	rows, rejected, err := decoded(t, s, schemas.Lookup("moz.url_metrics_distribution"), page(t, "data.site.metrics.distributions.fetch", asked, at, result(string(body))))
	if err != nil || len(rejected) > 0 {
		t.Fatal(err, rejected)
	}
	var want struct {
		D map[string][]int64 `json:"site_metrics_distributions"`
	}
	if err := json.Unmarshal(body, &want); err != nil || len(rows) != 130 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		if got, want := row["value"], want.D[row["series"].(string)][row["bucket"].(int32)]; got != want || row["page"] != "moz.com/" {
			t.Errorf("%v, want %d", row, want)
		}
	}
}
