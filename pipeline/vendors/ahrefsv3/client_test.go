package ahrefsv3

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/pipeline/sourcetest"
	"backhaul/schemas"
	"backhaul/testdata/vendors"
)

const key = "s3cret-key/+of=="

var arrival = time.Date(2026, 7, 1, 1, 30, 0, 0, time.FixedZone("", 7200)) // in UTC it is still June

// seen is what a fake server saw of the last request.
type seen struct {
	method, path string
	query        url.Values
	header       http.Header
	body         string
}

// fake answers every request with the same reply.
func fake(t *testing.T, status int, reply string, header map[string]string) (*Client, *seen) {
	t.Helper()
	got := &seen{}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*got = seen{r.Method, r.URL.Path, r.URL.Query(), r.Header, string(body)}
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		io.WriteString(w, reply)
	}))
	t.Cleanup(web.Close)
	c, err := New(Config{BaseURL: web.URL + "/v3", Key: key, HTTP: HTTP{Clock: func() time.Time { return arrival }}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, got
}

// rowsOf decodes a page into maps, without the common columns but target, rank and extra.
func rowsOf(t testing.TB, s pipeline.Source, page pipeline.Page) []map[string]any {
	t.Helper()
	rows, rejected, err := sourcetest.Rows(t, s, s.Endpoint().Table, schemas.Origin{Rank: 1}, page, schemas.ColTarget, schemas.ColRank, schemas.ColExtra)
	if err != nil || len(rejected) > 0 {
		t.Fatalf("%v, rejected: %+v", err, rejected)
	}
	return rows
}

// recorded is a recorded exchange: what was asked, the headers that bill it, and the body.
type recorded struct {
	URL     string
	Headers map[string]string
	Body    json.RawMessage
}

func record(t *testing.T, name string) (r recorded) {
	t.Helper()
	vendors.Decode(t, "ahrefs/v3_"+name, &r)
	return r
}

func TestRecordedRepliesAreRead(t *testing.T) {
	for _, tc := range []struct {
		file, report, params string
		units                pipeline.Units
		first                map[string]any
	}{
		{"domain-rating.json", "domain_rating", `{"date":"2026-08-06"}`, 50, map[string]any{"domain_rating": 26.0, "ahrefs_rank": int64(5458803)}},
		{"backlinks-stats.json", "backlinks_stats", `{"date":"2026-08-06"}`, 0,
			map[string]any{"live": int64(745), "all_time": int64(965), "live_refdomains": int64(421), "all_time_refdomains": int64(437)}},
		{"all-backlinks.json", "all_backlinks",
			`{"aggregation":"1_per_domain","select":["url_from","url_to","anchor","domain_rating_source","is_dofollow","first_seen","last_seen","is_lost","is_new"],"order_by":["url_from:asc"]}`, 90,
			map[string]any{"url_from": "https://overhorizonmedia.com/which-social-media-app-has-a-ghost-as-its-mascot/", "url_to": "https://red-engage.com/", "anchor": "Red-engage",
				"domain_rating_source": 18.0, "is_dofollow": true, "first_seen": "2021-04-08T07:06:33", "is_lost": false, "is_new": true}},
		{"limits-and-usage.json", "limits_and_usage", `{}`, 0, map[string]any{"subscription": "Standard, billed monthly", "usage_reset_date": "2026-09-04",
			"units_limit_workspace": int64(400000), "units_usage_workspace": int64(5700), "units_usage_api_key": int64(5700), "api_key_expiration_date": "2027-08-06T01:57:32"}},
	} {
		r := record(t, tc.file)
		header := r.Headers
		if header["x-api-rows"] == "10" {
			header["x-api-rows"] = "3" // whoever recorded it kept three of the rows
		}
		c, _ := fake(t, 200, string(r.Body), header)
		s := named(t, c.Sources(), tc.report)
		page, err := s.Fetch(t.Context(), task(tc.report, tc.params), pipeline.Ask{})
		if err != nil || page.Units != tc.units || !page.End || page.Cache != header["x-api-cache"] || page.Overlap != 0 {
			t.Fatalf("%s: %d units, end %v, %s, %v", tc.file, page.Units, page.End, page.Cache, err)
		}
		got := rowsOf(t, s, page)
		tc.first["rank"] = int64(1)
		if diff := cmp.Diff(tc.first, got[0]); diff != "" || len(got) != page.Rows {
			t.Errorf("%s: %d rows: %s", tc.file, len(got), diff)
		}
	}
}

func TestRecordedRefusalsSayWhatToDo(t *testing.T) {
	var refusals []struct {
		Status int
		Body   json.RawMessage
	}
	vendors.Decode(t, "ahrefs/v3_errors.json", &refusals)
	kinds := []pipeline.Kind{pipeline.Denied, pipeline.Denied, pipeline.Exhausted, pipeline.Rejected}
	for i, r := range refusals {
		refused(t, r.Status, string(r.Body), kinds[i])
	}
	if len(refusals) != len(kinds) {
		t.Errorf("%d refusals were recorded", len(refusals))
	}
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	for _, tc := range []struct {
		status int
		body   string
		kind   pipeline.Kind
	}{
		{400, `{"error":"bad where"}`, pipeline.Rejected}, {400, `["Error","bad where"]`, pipeline.Rejected},
		{403, `{"error":"API units limit reached. Expected usage: 1500, API units left: 12."}`, pipeline.Exhausted},
		{403, `["Error","API units limit reached. Expected usage: 1500, API units left: 12."]`, pipeline.Exhausted},
		{403, `{"error":"Insufficient plan"}`, pipeline.Rejected}, {403, `{"error":"whatever"}`, pipeline.Denied},
		{401, `{"error":"invalid key"}`, pipeline.Denied}, {404, `{"error":"not in the index"}`, pipeline.Rejected},
		{429, `{"error":"slow down"}`, pipeline.Throttled}, {503, `<html>`, pipeline.Transient},
		{403, `<html>units left`, pipeline.Denied},
	} {
		refused(t, tc.status, tc.body, tc.kind)
	}
}

func refused(t *testing.T, status int, body string, kind pipeline.Kind) {
	t.Helper()
	c, _ := fake(t, status, strings.ReplaceAll(body, "whatever", key), nil)
	_, err := named(t, c.Sources(), "anchors").Fetch(t.Context(), task("anchors", "{}"), pipeline.Ask{})
	var e *pipeline.Error
	if !errors.As(err, &e) || e.Kind != kind || e.Status != status || strings.Contains(err.Error(), key) {
		t.Errorf("%d %s: %v, want %s", status, body, err, kind)
	}
}

func TestAListIsAskedForInOneQuery(t *testing.T) {
	c, got := fake(t, 200, `{"anchors":[]}`, nil)
	tk := task("anchors", `{"mode":"domain","protocol":"https","select":"anchor,refdomains","where":{"field":"anchor","is":["substring","a&b+c ü"]},"history":"all_time"}`)
	tk.Target = "example.com/a b?x=1&y=2"
	page, err := named(t, c.Sources(), "anchors").Fetch(t.Context(), tk, pipeline.Ask{Limit: 70})
	if err != nil || !page.End || page.Units != 50 {
		t.Fatal(page, err)
	}
	want := url.Values{"target": {tk.Target}, "mode": {"domain"}, "protocol": {"https"}, "history": {"all_time"}, "select": {"anchor,refdomains"},
		"order_by": {"refdomains:desc,anchor:asc"}, "limit": {"70"}, "output": {"json"}, "where": {`{"field":"anchor","is":["substring","a&b+c ü"]}`}}
	if diff := cmp.Diff(want, got.query); diff != "" || got.method != "GET" || got.path != "/v3/site-explorer/anchors" || got.header.Get("Authorization") != "Bearer "+key {
		t.Errorf("%+v: %s", got, diff)
	}
	if sent := string(page.Request); strings.ContainsAny(sent, " +{,") || strings.Contains(sent, key) || !strings.HasPrefix(sent, "site-explorer/anchors?") {
		t.Errorf("recorded as %s", sent)
	}
}

func TestDefaultsAreAlwaysSent(t *testing.T) {
	for report, want := range map[string]url.Values{
		"domain_rating":         {"date": {"2026-06-29"}, "target": {"example.com"}, "output": {"json"}},
		"backlinks_stats":       {"date": {"2026-06-29"}, "target": {"example.com"}, "output": {"json"}, "mode": {"subdomains"}},
		"outlinks_stats":        {"target": {"example.com"}, "output": {"json"}, "mode": {"subdomains"}},
		"refdomains_history":    {"target": {"example.com"}, "output": {"json"}, "mode": {"subdomains"}, "date_from": {"2026-01-01"}, "date_to": {"2026-03-31"}},
		"domain_rating_history": {"target": {"example.com"}, "output": {"json"}, "date_from": {"2026-01-01"}, "date_to": {"2026-03-31"}},
		"limits_and_usage":      {"output": {"json"}},
	} {
		r := Lookup(report)
		reply := `{"` + r.Envelope + `":{}}`
		params := "{}"
		if r.Kind == Series {
			reply, params = `{"`+r.Envelope+`":[{"date":"2026-01-01T00:00:00Z"}]}`, `{"date_from":"2026-01-01","date_to":"2026-03-31"}`
		}
		c, got := fake(t, 200, reply, nil)
		s := named(t, c.Sources(), report)
		page, err := s.Fetch(t.Context(), task(report, params), pipeline.Ask{})
		if err != nil || !page.End || page.Rows != 1 {
			t.Fatal(report, page, err)
		}
		if diff := cmp.Diff(want, got.query); diff != "" {
			t.Errorf("%s: %s", report, diff)
		}
		if got := rowsOf(t, s, page); r.Kind == Series && got[0]["date"] != "2026-01-01" {
			t.Errorf("%s: %v", report, got)
		}
	}
}

func TestTheDefaultSelectIsWhatCostsAUnitAndRefdomains(t *testing.T) {
	for report, want := range map[string]pipeline.Units{"anchors": 15, "all_backlinks": 76, "broken_backlinks": 67, "refdomains": 13, "linkeddomains": 8, "linked_anchors_external": 6, "pages_by_backlinks": 25} {
		p, err := Lookup(report).PriceOf(task(report, "{}"), pipeline.Ask{})
		if err != nil || p.PerRow != want {
			t.Errorf("%s: %d units a row (%v), want %d", report, p.PerRow, err, want)
		}
	}
	p, err := allBacklinks.PriceOf(task("all_backlinks", `{"aggregation":"all"}`), pipeline.Ask{})
	if err != nil || p.PerRow != 75 {
		t.Errorf("without link_group_count: %d (%v)", p.PerRow, err)
	}
}

func TestFreeTargetsAreAskedForNoMoreThanTheyGive(t *testing.T) {
	s := anchorList(newRand(1), 260, 3)
	s.cap = 100
	c := s.serve(t)
	tk := task("anchors", "{}")
	tk.Target = "ahrefs.com"
	price, err := anchors.PriceOf(tk, pipeline.Ask{Limit: 1000})
	if err != nil || price.Worst(1000) != 0 || price.MaxRows != 100 {
		t.Fatal(price, err)
	}
	page, err := named(t, c.Sources(), "anchors").Fetch(t.Context(), tk, pipeline.Ask{Limit: 1000})
	if err != nil || s.queries[0].Get("limit") != "100" || page.End {
		t.Error(page.End, err, s.queries)
	}
}

func TestTheBillIsWhatAhrefsSays(t *testing.T) {
	row := `{"anchor":"a","refdomains":1}`
	for _, tc := range []struct {
		header        map[string]string
		units, listed pipeline.Units
		malformed     bool
	}{
		{map[string]string{"x-api-rows": "1", "x-api-units-cost-total-actual": "0", "x-api-units-cost-total": "50", "x-api-cache": "hit"}, 0, 50, false},
		{map[string]string{"x-api-rows": "1", "x-api-units-cost-total-actual": "77"}, 77, 0, false},
		{map[string]string{"x-api-rows": "1", "x-api-units-cost-total-actual": "lots"}, 50, 50, false},
		{map[string]string{"x-api-cache": "hit"}, 0, 50, false},
		{nil, 50, 50, false},
		{map[string]string{"x-api-rows": "2", "x-api-units-cost-total-actual": "50"}, 50, 0, true},
	} {
		c, _ := fake(t, 200, `{"anchors":[`+row+`]}`, tc.header)
		page, err := named(t, c.Sources(), "anchors").Fetch(t.Context(), task("anchors", `{"select":"anchor,refdomains"}`), pipeline.Ask{})
		if malformed := err != nil && pipeline.KindOf(err) == pipeline.Malformed; malformed != tc.malformed || page.Units != tc.units || page.Listed != tc.listed || len(page.Body) == 0 {
			t.Errorf("%v: %d units, %d listed, %v", tc.header, page.Units, page.Listed, err)
		}
	}
}

func TestWhatIsNoReplyIsMalformed(t *testing.T) {
	for _, body := range []string{`{"backlinks":[]}`, `{"anchors":{}}`, `["Other","x"]`, `{"anchors":[{"anchor":"a","refdomains":1}],"error":"surprise"}`, `{"anchors":[7]}`, `{"anchors":[{"refdomains":1}]}`, `{"anchors":[{"anchor":7,"refdomains":1}]}`} {
		c, _ := fake(t, 200, body, nil)
		page, err := named(t, c.Sources(), "anchors").Fetch(t.Context(), task("anchors", `{"select":"anchor,refdomains"}`), pipeline.Ask{})
		if pipeline.KindOf(err) != pipeline.Malformed || string(page.Body) != body {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestRequestsThatCannotBeMadeAreRejectedUnsent(t *testing.T) {
	c, got := fake(t, 200, `{"anchors":[]}`, nil)
	for _, tc := range []struct{ params, target, cursor string }{
		{"[]", "example.com", ""}, {`{"select":"nothing"}`, "example.com", ""}, {"{}", "", ""}, {"{}", "example.com", "x"}, {"{}", "example.com", `{"step":"run","order":[]}`},
	} {
		tk := task("anchors", tc.params)
		tk.Target = tc.target
		_, err := named(t, c.Sources(), "anchors").Fetch(t.Context(), tk, pipeline.Ask{Cursor: pipeline.Cursor(tc.cursor)})
		if kind := pipeline.KindOf(err); err == nil || kind != pipeline.Rejected && kind != pipeline.Stale || got.method != "" {
			t.Errorf("%+v: %v", tc, err)
		}
	}
	if _, err := New(Config{}); err == nil {
		t.Error("a client without a key")
	}
	if _, err := New(Config{Key: key, BaseURL: "http://api.ahrefs.com"}); err == nil || strings.Contains(err.Error(), key) {
		t.Error(err)
	}
}

func batchTask(targets ...string) pipeline.Task {
	var inputs []pipeline.Input
	for _, target := range targets {
		inputs = append(inputs, pipeline.Input{Target: target, TargetAsGiven: target})
	}
	tk := task("batch_analysis", `{"mode":"domain","select":"domain_rating,org_traffic_top_by_country,url"}`)
	tk.Target, tk.Inputs = "", inputs
	return tk
}

func TestABatchIsMatchedByIndex(t *testing.T) {
	c, got := fake(t, 200, `{"targets":[{"index":1,"url":"https://b.example/","domain_rating":2.5,"org_traffic_top_by_country":[["us", 7]]},{"index":0,"url":"a.example","domain_rating":1}]}`,
		map[string]string{"x-api-rows": "2", "x-api-units-cost-total-actual": "50"})
	s := named(t, c.Sources(), "batch_analysis")
	tk := batchTask("a.example", "b.example")
	page, err := s.Fetch(t.Context(), tk, pipeline.Ask{})
	if err != nil || !page.End || page.Units != 50 {
		t.Fatal(page, err)
	}
	want := `{"select":["domain_rating","org_traffic_top_by_country","url","index"],"targets":[{"url":"a.example","mode":"domain","protocol":"both"},{"url":"b.example","mode":"domain","protocol":"both"}],"output":"json"}`
	if got.method != "POST" || got.path != "/v3/batch-analysis/batch-analysis" || got.body != want || len(got.query) > 0 {
		t.Errorf("%+v", got)
	}
	rows := rowsOf(t, s, page)
	if diff := cmp.Diff([]map[string]any{
		{"target": "b.example", "rank": int64(1), "index": int64(1), "url": "https://b.example/", "domain_rating": 2.5, "org_traffic_top_by_country": `[["us", 7]]`},
		{"target": "a.example", "rank": int64(1), "index": int64(0), "url": "a.example", "domain_rating": 1.0},
	}, rows); diff != "" {
		t.Error(diff)
	}
}

func TestABatchThatDoesNotFitIsMalformed(t *testing.T) {
	for _, reply := range []string{
		`[{"index":0}]`, `[{"index":0},{"index":0}]`, `[{"index":0},{"index":2}]`, `[{"index":-1},{"index":0}]`, `[{"index":0},{}]`,
		`[{"index":0},{"index":1},{"index":2}]`, `[{"index":0,"url":"b.example"},{"index":1,"url":"a.example"}]`,
	} {
		c, _ := fake(t, 200, `{"targets":`+reply+`}`, nil)
		page, err := named(t, c.Sources(), "batch_analysis").Fetch(t.Context(), batchTask("a.example", "b.example"), pipeline.Ask{})
		if pipeline.KindOf(err) != pipeline.Malformed || len(page.Body) == 0 {
			t.Errorf("%s: %v", reply, err)
		}
	}
}

func TestABatchIsAskedForAHundredAtATime(t *testing.T) {
	var targets []string
	for i := range 230 {
		targets = append(targets, fmt.Sprintf("t%d.example", i))
	}
	tk := batchTask(targets...)
	for cursor, want := range map[pipeline.Cursor]int{"": 100, "100": 100, "200": 30} {
		p, err := batchAnalysis.PriceOf(tk, pipeline.Ask{Cursor: cursor})
		if err != nil || p.MaxRows != want || p.Worst(100) != max(50, pipeline.Units(want)*13) {
			t.Errorf("at %q: %d targets, %d units (%v)", cursor, p.MaxRows, p.Worst(100), err)
		}
	}
}

func TestUsageTellsTheLesserOfKeyAndWorkspace(t *testing.T) {
	r := record(t, "limits-and-usage.json")
	c, _ := fake(t, 200, string(r.Body), r.Headers)
	u, err := c.Usage(t.Context(), time.Time{}, time.Time{})
	if err != nil || u.Units != 5700 || *u.Limit != 400000 || *u.Remaining != 394300 || u.To.Format(time.DateOnly) != "2026-09-04" || !u.At.Equal(arrival) {
		t.Errorf("%+v, %v", u, err)
	}
	for usage, want := range map[string]string{
		`{"units_usage_api_key":10,"units_limit_api_key":15,"units_usage_workspace":500,"units_limit_workspace":1000,"usage_reset_date":"2026-08-01"}`: "500 used, 5 of 15 left",
		`{"units_usage_api_key":10,"units_limit_api_key":null,"units_usage_workspace":null,"units_limit_workspace":null}`:                              "10 used",
		`{"units_usage_api_key":10,"units_limit_api_key":9}`:                                                                                           "10 used, 0 of 9 left",
		`{"units_usage_api_key":-1}`: "malformed", `{}`: "malformed", `7`: "malformed",
	} {
		c, _ := fake(t, 200, `{"limits_and_usage":`+usage+`}`, nil)
		u, err := c.Usage(t.Context(), time.Time{}, time.Time{})
		got := fmt.Sprintf("%d used", u.Units)
		if u.Remaining != nil {
			got += fmt.Sprintf(", %d of %d left", *u.Remaining, *u.Limit)
		}
		if err != nil {
			got = pipeline.KindOf(err).String()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", usage, got, want)
		}
	}
}

func TestParametersAreCheckedOffline(t *testing.T) {
	for _, tc := range []struct {
		report, param string
		value         any
		params        map[string]any
		says          string
	}{
		{"anchors", "where", `{"field":"anchor","is":["eq","x"]}`, nil, ""},
		{"anchors", "where", map[string]any{"and": []any{map[string]any{"field": "traffic_page", "is": []any{"gt", 1}}}}, nil, ""},
		{"anchors", "where", `{"field":"nothing"}`, nil, "nothing"},
		{"anchors", "where", `{`, nil, "JSON"},
		{"anchors", "where", ``, nil, "empty"},
		{"anchors", "where", map[string]any{"xor": []any{}}, nil, "xor"},
		{"anchors", "order_by", []string{"refdomains:desc", "anchor"}, nil, ""},
		{"anchors", "order_by", "refdomains:desc,anchor", nil, ""},
		{"anchors", "order_by", []any{"refdomains:desc,anchor"}, nil, ""},
		{"anchors", "order_by", "refdomains:down", nil, "asc or desc"},
		{"anchors", "order_by", 7, nil, "list"},
		{"all_backlinks", "order_by", "languages:asc", nil, "languages"},
		{"all_backlinks", "order_by", "link_group_count", nil, "link_group_count"},
		{"all_backlinks", "aggregation", "all", map[string]any{"select": "url_from,link_group_count"}, "link_group_count"},
		{"all_backlinks", "aggregation", "all", map[string]any{"select": "url_from"}, ""},
		{"anchors", "history", "since:2026-02-30", nil, "since"},
		{"anchors", "history", "since:2026-02-28", nil, ""},
		{"refdomains_history", "date_from", "2026-01-01", map[string]any{"date_from": "2026-01-01"}, "date_to"},
		{"refdomains_history", "date_from", "2026-01-01", map[string]any{"date_from": "2026-01-01", "date_to": "2025-01-01"}, "before"},
		{"refdomains_history", "date_from", "2026-01-01", map[string]any{"date_from": "2026-01-01", "date_to": "2026-01-01"}, ""},
		{"batch_analysis", "country", "USA", nil, "us"},
	} {
		var p *pipeline.Param
		for _, e := range Surface().Endpoints() {
			if e.Name == tc.report {
				p = e.Param(tc.param)
			}
		}
		err := p.Check(tc.value, tc.params)
		if (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s.%s = %v: %v, want %q", tc.report, tc.param, tc.value, err, tc.says)
		}
	}
}

// Every parameter of Ahrefs' document is either one a job may set, or filled in by the program, or left out on purpose.
func TestParametersAreThoseOfTheOpenAPIDocument(t *testing.T) {
	document := readExtract(t)
	filled := map[string]bool{"target": true, "limit": true, "output": true, "timeout": true}
	for _, e := range Surface().Endpoints() {
		r := Lookup(e.Name)
		if r.Kind == Batch {
			continue // they are in a body, which the extract does not have
		}
		known := map[string]bool{}
		for _, p := range document["/"+r.Path].Params {
			known[p] = true
			if e.Param(p) == nil && !filled[p] {
				t.Errorf("%s does not take %s", e, p)
			}
		}
		for _, p := range e.Params {
			if !known[p.Name] {
				t.Errorf("%s takes %s, which Ahrefs does not", e, p.Name)
			}
			if p.Meaning == "" {
				t.Errorf("%s.%s: no meaning", e, p.Name)
			}
		}
	}
}
