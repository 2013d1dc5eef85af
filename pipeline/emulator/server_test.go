package emulator

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var ask = object{"target": "rivalgear.example", "scope": "root_domain"}

func TestCredentialsAreTokenOrBasic(t *testing.T) {
	s := New(Options{})
	basic := func(id, secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
	}
	for name, test := range map[string]struct {
		header http.Header
		want   int
	}{
		"token":              {http.Header{"X-Moz-Token": {DefaultToken}}, 200},
		"basic":              {http.Header{"X-Moz-Token": nil, "Authorization": {basic(DefaultAccessID, DefaultSecretKey)}}, 200},
		"none":               {http.Header{"X-Moz-Token": nil}, 401},
		"wrong token":        {http.Header{"X-Moz-Token": {"x"}}, 401},
		"empty token":        {http.Header{"X-Moz-Token": {""}}, 401},
		"wrong secret":       {http.Header{"X-Moz-Token": nil, "Authorization": {basic(DefaultAccessID, "x")}}, 401},
		"broken basic":       {http.Header{"X-Moz-Token": nil, "Authorization": {"Basic %%%"}}, 401},
		"bearer":             {http.Header{"X-Moz-Token": nil, "Authorization": {"Bearer " + DefaultToken}}, 401},
		"token, wrong basic": {http.Header{"X-Moz-Token": {DefaultToken}, "Authorization": {basic("a", "b")}}, 401},
	} {
		if got := send(s, "index_metadata", "{}", test.header).Code; got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
	if len(DefaultAccessID) != len("mozscape-")+10 || len(DefaultSecretKey) != 32 {
		t.Error("the default credentials do not have the vendor's shapes")
	}
}

func TestBadRequestsAreRefusedAndNotBilled(t *testing.T) {
	s := New(Options{})
	const lrd = "linking_root_domains"
	for _, test := range []struct{ path, body string }{
		{"anchor_text", ``}, {"anchor_text", `[]`}, {"anchor_text", `null`}, {"anchor_text", `{"target":"a.example"} x`},
		{"anchor_text", `{}`}, {"anchor_text", `{"target":""}`}, {"anchor_text", `{"target":7}`}, {"anchor_text", `{"target":null}`},
		{"anchor_text", `{"target":"bücher.example"}`}, {"anchor_text", `{"target":"a.example","scope":"domain"}`},
		{"anchor_text", `{"target":"a.example","limit":0}`}, {"anchor_text", `{"target":"a.example","limit":51}`},
		{"anchor_text", `{"target":"a.example","limit":"25"}`}, {"anchor_text", `{"target":"a.example","limit":2.5}`},
		{"anchor_text", `{"target":"a.example","next_token":5}`}, {"anchor_text", `{"target":"a.example","next_token":"nonsense"}`},
		{"links", `{"target":"a.example","filter":"all"}`}, {"links", `{"target":"a.example","filter":"follow+deleted"}`},
		{"links", `{"target":"a.example","filter":""}`}, {"links", `{"target":"a.example","filter":["external"]}`},
		{"links", `{"target":"a.example","sort":"page_authority"}`}, {"links", `{"target":"a.example","source_scope":"host"}`},
		{"links", `{"target":"a.example","anchor_text":"x","sort":"root_domains_to_source_page"}`},
		{"links", `{"target":"a.example","source_root_domain":"b.example","sort":"source_spam_score"}`},
		{"links", `{"target":"a.example","source_root_domain":"b.example","filter":"external+redirect"}`},
		{"links", `{"target":"a.example","subdomains_limited_to_one":["b.example"]}`},
		{"links", `{"target":"a.example","subdomains_limited_to_one":"b.example","sort":"source_spam_score"}`},
		{lrd, `{"target":"a.example","filter":"external+redirect"}`}, {lrd, `{"target":"a.example","begin_date":"2026-01-01"}`},
		{lrd, `{"target":"a.example","sort":"date_lost","begin_date":"1.1.2026"}`},
		{lrd, `{"target":"a.example","sort":"date_lost","begin_date":"2026-01-02","end_date":"2026-01-01"}`},
		{"usage_data", `{"start":5}`}, {"usage_data", `{"start":"9","end":"8"}`}, {"usage_data", `{"start":"yesterday"}`},
	} {
		w := send(s, test.path, test.body, nil)
		var e struct{ Name, Message string }
		if err := json.Unmarshal(w.Body.Bytes(), &e); w.Code != 400 || err != nil || e.Message == "" {
			t.Errorf("%s %s: %d %s", test.path, test.body, w.Code, w.Body)
		}
	}
	if rows := s.Meter().Rows; rows != 0 {
		t.Errorf("%d rows were billed", rows)
	}
}

func TestMethodsPathsAndContentTypes(t *testing.T) {
	s := New(Options{})
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v2/links", nil))
	if w.Code != 405 || w.Header().Get("Allow") != "POST" {
		t.Errorf("GET: %d %v", w.Code, w.Header())
	}
	for path, want := range map[string]int{"nonsense": 404, "links/": 404, "url_metrics": 400} {
		if got := send(s, path, "{}", nil).Code; got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	for _, kind := range []string{"application/json", "application/x-www-form-urlencoded", "text/plain", ""} {
		if got := send(s, "usage_data", "{}", http.Header{"Content-Type": {kind}}).Code; got != 200 {
			t.Errorf("content type %q: %d", kind, got)
		}
	}
}

func TestUnknownFieldsAreIgnoredUnlessRefused(t *testing.T) {
	body := object{"target": "tiny-tarps.example", "depth": 3}
	if got, _ := call(t, New(Options{}), "anchor_text", body); got != 200 {
		t.Errorf("ignored: %d", got)
	}
	if got, _ := call(t, New(Options{RefuseUnknownFields: true}), "anchor_text", body); got != 400 {
		t.Errorf("refused: %d", got)
	}
}

func TestTheDefaultsAreTheDocumentedOnes(t *testing.T) {
	s := New(Options{})
	for path, pair := range map[string][2]object{
		"anchor_text":          {{"target": "rivalgear.example"}, {"target": "https://RivalGear.example/", "scope": "page", "limit": 25}},
		"links":                {{"target": "rivalgear.example"}, {"target": "rivalgear.example/", "target_scope": "page", "filter": "external", "sort": "source_page_authority", "source_scope": "page", "limit": 25}},
		"linking_root_domains": {{"target": "rivalgear.example"}, {"target": "rivalgear.example", "target_scope": "page", "filter": "external", "sort": "source_domain_authority", "limit": 25}},
	} {
		_, a := call(t, s, path, pair[0])
		_, b := call(t, s, path, pair[1])
		if results, _ := page(t, a); len(results) != 25 {
			t.Errorf("%s: %d results by default", path, len(results))
		}
		if a, b := cutToken(a), cutToken(b); a != b {
			t.Errorf("%s: the defaults spelled out give another answer", path)
		}
	}
}

func cutToken(body []byte) string {
	text, _, _ := strings.Cut(string(body), `, "next_token"`)
	return text
}

func page(t testing.TB, body []byte) (results []object, token string) {
	t.Helper()
	var p struct {
		Results []object
		Token   string `json:"next_token"`
	}
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatal(err)
	}
	return p.Results, p.Token
}

func with(base object, more ...any) object {
	out := object{}
	for k, v := range base {
		out[k] = v
	}
	for i := 0; i < len(more); i += 2 {
		out[more[i].(string)] = more[i+1]
	}
	return out
}

func TestATokenBelongsToItsRequest(t *testing.T) {
	s := New(Options{})
	_, body := call(t, s, "anchor_text", ask)
	_, token := page(t, body)
	for name, test := range map[string]struct {
		path string
		body object
		want int
	}{
		"same":          {"anchor_text", with(ask, "next_token", token), 200},
		"same, spelled": {"anchor_text", with(ask, "limit", 25, "next_token", token), 200},
		"other target":  {"anchor_text", with(ask, "target", "acme-outdoor.example", "next_token", token), 400},
		"other scope":   {"anchor_text", with(ask, "scope", "page", "next_token", token), 400},
		"other limit":   {"anchor_text", with(ask, "limit", 50, "next_token", token), 400},
		"other path":    {"links", object{"target": "rivalgear.example", "next_token": token}, 400},
		"altered":       {"anchor_text", with(ask, "next_token", "A"+token[1:]), 200},
	} {
		if name == "altered" {
			raw, _ := base64.StdEncoding.DecodeString(token)
			raw[4]++
			test.body["next_token"], test.want = base64.StdEncoding.EncodeToString(raw), 400
		}
		if got, body := call(t, s, test.path, test.body); got != test.want {
			t.Errorf("%s: %d %s", name, got, body)
		}
	}
}

func TestTokensExpireByAgeUseAndIndex(t *testing.T) {
	expired := func(s *Server, body object) bool {
		status, raw := call(t, s, "anchor_text", body)
		if status == 410 && !strings.Contains(string(raw), `"The next token has expired"`) {
			t.Errorf("410 with %s", raw)
		}
		return status == 410
	}
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	s := New(Options{TokenLife: time.Minute, TokenUses: 3, Clock: func() time.Time { return now }})
	first := func() object {
		_, body := call(t, s, "anchor_text", ask)
		_, token := page(t, body)
		return with(ask, "next_token", token)
	}
	next := first()
	now = now.Add(time.Minute)
	if expired(s, next) {
		t.Error("expired at its exact life")
	}
	now = now.Add(time.Millisecond)
	if !expired(s, next) {
		t.Error("outlived its life")
	}
	next = first()
	for use, want := range []bool{false, false, false, true} {
		if got := expired(s, next); got != want {
			t.Errorf("use %d: expired %v", use+1, got)
		}
	}
	now = now.Add(time.Second) // so that the token is another
	next = first()
	s.SetDay(indexDays - 1)
	if expired(s, next) {
		t.Error("expired within an index")
	}
	s.SetDay(indexDays)
	if !expired(s, next) {
		t.Error("survived its index")
	}
}

func TestTheLastTokenTakesTheFormAskedFor(t *testing.T) {
	body := object{"target": "tiny-tarps.example", "scope": "root_domain"}
	for form, want := range map[LastToken]string{LastTokenEmpty: `], "next_token":""}`, LastTokenAbsent: `]}`, LastTokenNull: `], "next_token":null}`} {
		if _, raw := call(t, New(Options{LastToken: form}), "anchor_text", body); !bytes.HasSuffix(raw, []byte(want)) {
			t.Errorf("form %d: %s", form, raw)
		}
	}
}

func TestAListThatFillsItsLastPageHasNoEmptyOne(t *testing.T) {
	s := New(Options{})
	n := len(pageThrough[anchorRow](t, s, "anchor_text", object{"target": "tiny-tarps.example", "scope": "root_domain"}))
	if n < 2 {
		t.Fatal(n)
	}
	_, body := call(t, s, "anchor_text", object{"target": "tiny-tarps.example", "scope": "root_domain", "limit": n})
	if results, token := page(t, body); len(results) != n || token != "" {
		t.Errorf("%d results, token %q", len(results), token)
	}
}

func TestRowsAreBilledAsReturned(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	s := New(Options{Clock: func() time.Time { return now }})
	usage := func(body object) int {
		_, raw := call(t, s, "usage_data", body)
		var u struct {
			Rows *int `json:"rows_consumed"`
		}
		if err := json.Unmarshal(raw, &u); err != nil || u.Rows == nil {
			t.Fatalf("%s: %v", raw, err)
		}
		return *u.Rows
	}
	call(t, s, "anchor_text", with(ask, "limit", 7))
	now = now.AddDate(0, 1, 0)
	call(t, s, "links", object{"target": "rivalgear.example", "limit": 3})
	call(t, s, "linking_root_domains", object{"target": "rivalgear.example", "limit": 2})
	call(t, s, "linking_root_domains", object{"target": "quietpeak.example"})
	call(t, s, "index_metadata", object{})
	for name, test := range map[string]struct {
		body object
		want int
	}{"this month": {object{}, 5}, "since ever": {object{"start": "0"}, 12}, "until then": {object{"start": "0", "end": "1773000000"}, 7}} {
		if got := usage(test.body); got != test.want {
			t.Errorf("%s: %d rows, want %d", name, got, test.want)
		}
	}
	m := s.Meter()
	want := map[string]map[int]int{"/v2/anchor_text": {200: 1}, "/v2/links": {200: 1}, "/v2/linking_root_domains": {200: 2}, "/v2/index_metadata": {200: 1}, "/v2/usage_data": {200: 3}}
	if diff := cmp.Diff(want, m.Requests); diff != "" || m.Rows != 12 || m.Pages != 4 || m.DuplicatePages != 0 || m.WastePages != 0 {
		t.Errorf("%+v\n%s", m, diff)
	}
}

func TestAPageAskedForAgainIsADuplicate(t *testing.T) {
	s := New(Options{})
	_, body := call(t, s, "anchor_text", ask)
	_, token := page(t, body)
	next := with(ask, "next_token", token)
	call(t, s, "anchor_text", next)
	call(t, s, "anchor_text", next)
	s.SetDay(1)
	call(t, s, "anchor_text", ask)
	if m := s.Meter(); m.Pages != 4 || m.DuplicatePages != 1 || m.DuplicateRows != 25 || m.Rows != 100 {
		t.Errorf("%+v", m)
	}
}

func TestAnExhaustedQuotaComesBackNextMonth(t *testing.T) {
	now := time.Date(2026, 3, 31, 23, 0, 0, 0, time.UTC)
	s := New(Options{Quota: 40, Clock: func() time.Time { return now }})
	for i, want := range []int{200, 200, 403} {
		if got, body := call(t, s, "anchor_text", ask); got != want {
			t.Errorf("request %d: %d %s", i, got, body)
		}
	}
	if got, _ := call(t, s, "usage_data", object{}); got != 200 {
		t.Errorf("usage_data: %d", got)
	}
	now = now.Add(time.Hour)
	if got, _ := call(t, s, "anchor_text", ask); got != 200 {
		t.Errorf("next month: %d", got)
	}
}

func TestTheRateLimitIsATokenBucket(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	s := New(Options{RequestsPerSecond: 0.1, Burst: 2, Clock: func() time.Time { return now }})
	try := func() *httptest.ResponseRecorder { return send(s, "anchor_text", ask, nil) }
	for i, want := range []int{200, 200, 429} {
		if w := try(); w.Code != want {
			t.Errorf("request %d: %d", i, w.Code)
		} else if want == 429 && w.Header().Get("Retry-After") != "10" {
			t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
		}
	}
	now = now.Add(9 * time.Second)
	if w := try(); w.Code != 429 {
		t.Errorf("a second early: %d", w.Code)
	}
	now = now.Add(time.Second)
	if w := try(); w.Code != 200 {
		t.Errorf("on time: %d", w.Code)
	}
	if rows := s.Meter().Rows; rows != 75 {
		t.Errorf("%d rows billed", rows)
	}
	s = New(Options{RequestsPerSecond: 1, NoRetryAfter: true, RateStatus: 503, Clock: func() time.Time { return now }})
	send(s, "anchor_text", ask, nil)
	if w := send(s, "anchor_text", ask, nil); w.Code != 503 || w.Header().Get("Retry-After") != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func TestTheIndexChangesItsIDEveryThreeDays(t *testing.T) {
	s := New(Options{})
	ids := map[int]string{}
	for day := -3; day < 6; day++ {
		s.SetDay(day)
		_, raw := call(t, s, "index_metadata", object{})
		var m struct {
			ID   string   `json:"index_id"`
			Days []string `json:"spam_score_update_days"`
		}
		if err := json.Unmarshal(raw, &m); err != nil || len(m.Days) == 0 {
			t.Fatalf("%s: %v", raw, err)
		}
		if id, err := base64.StdEncoding.DecodeString(m.ID); err != nil || len(id) != 16 {
			t.Fatalf("index_id %q is not base64 of 16 bytes", m.ID)
		}
		ids[day] = m.ID
	}
	for day := -2; day < 6; day++ {
		if same := ids[day] == ids[day-1]; same == ((day+3)%3 == 0) {
			t.Errorf("day %d: same id as the day before: %v", day, same)
		}
	}
}

func TestAnIndexOfManyDaysHoldsStill(t *testing.T) {
	s := New(Options{IndexDays: 1000, Day: 1})
	_, id := call(t, s, "index_metadata", object{})
	_, body := call(t, s, "anchor_text", ask)
	_, token := page(t, body)
	s.SetDay(400)
	if _, later := call(t, s, "index_metadata", object{}); string(later) != string(id) {
		t.Errorf("%s became %s", id, later)
	}
	if got, body := call(t, s, "anchor_text", with(ask, "next_token", token)); got != 200 {
		t.Errorf("%d %s", got, body)
	}
}

func TestRepliesAreGzippedOnRequest(t *testing.T) {
	s := New(Options{})
	plain := send(s, "anchor_text", ask, nil)
	packed := send(s, "anchor_text", ask, http.Header{"Accept-Encoding": {"br, gzip"}})
	refused := send(s, "anchor_text", ask, http.Header{"Accept-Encoding": {"gzip;q=0"}})
	if packed.Header().Get("Content-Encoding") != "gzip" || plain.Header().Get("Content-Encoding") != "" || refused.Header().Get("Content-Encoding") != "" {
		t.Fatal(packed.Header(), plain.Header(), refused.Header())
	}
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(z)
	if err != nil || cutToken(body) != cutToken(plain.Body.Bytes()) {
		t.Errorf("%v: the gzipped answer is another", err)
	}
}

func TestLatencyEndsWhenTheClientLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Latency: time.Second})
		start := time.Now()
		if w := send(s, "usage_data", "{}", nil); w.Code != 200 || time.Since(start) != time.Second {
			t.Errorf("%d after %v", w.Code, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		start = time.Now()
		s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/v2/links", nil).WithContext(ctx))
		if time.Since(start) != time.Millisecond || s.Meter().Requests["/v2/links"][0] != 1 {
			t.Errorf("left after %v: %+v", time.Since(start), s.Meter())
		}
	})
}

func TestConnectionsAndRequestsPeak(t *testing.T) {
	s := New(Options{Latency: 50 * time.Millisecond})
	h := httptest.NewUnstartedServer(s)
	h.Config.ConnState = s.ConnState
	h.Start()
	defer h.Close()
	done := make(chan error, 3)
	for range cap(done) {
		go func() {
			r, err := http.Post(h.URL+"/v2/links", "", strings.NewReader("{}"))
			if err == nil {
				err = r.Body.Close()
			}
			done <- err
		}()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if m := s.Meter(); m.PeakRequests < 2 || m.PeakRequests > 3 || m.PeakConnections != 3 {
		t.Errorf("%+v", m)
	}
}

func BenchmarkAnchorTextPages(b *testing.B) {
	benchmarkPages(b, "anchor_text", object{"target": "megamart.example", "scope": "root_domain", "limit": 50})
}

func BenchmarkLinkPages(b *testing.B) {
	benchmarkPages(b, "links", object{"target": "megamart.example", "target_scope": "root_domain", "limit": 50})
}

func BenchmarkLinkPagesGzipped(b *testing.B) {
	benchmarkPages(b, "links", object{"target": "megamart.example", "target_scope": "root_domain", "limit": 50}, "Accept-Encoding", "gzip")
}

func BenchmarkLinkingRootDomainPages(b *testing.B) {
	benchmarkPages(b, "linking_root_domains", object{"target": "megamart.example", "target_scope": "root_domain", "limit": 50})
}

func benchmarkPages(b *testing.B, path string, body object, header ...string) {
	s := New(Options{})
	h := http.Header{}
	if len(header) == 2 {
		h.Set(header[0], header[1])
	}
	_, raw := call(b, s, path, body)
	_, token := page(b, raw)
	first := token
	b.ResetTimer()
	for b.Loop() {
		w := send(s, path, with(body, "next_token", token), h)
		b.SetBytes(int64(w.Body.Len()))
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
		if _, rest, ok := strings.Cut(w.Body.String(), `"next_token":"`); ok && len(rest) > 2 {
			token = rest[:len(rest)-2]
		} else if len(header) == 0 {
			token = first
		}
	}
}
