package emulator

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const callID = "42dca91c-bee4-4d5e-a3ff-1a9eaa1401f4"

type rpcReply struct {
	ID      any
	JSONRPC string
	Result  json.RawMessage
	Error   *struct {
		Code, Status, HTTPStatus int
		Message                  string
		Data                     object
	}
}

// post sends any body to the JSON-RPC endpoint with good credentials.
func post(s *Server, body string, header http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/jsonrpc", strings.NewReader(body))
	r.Header.Set("X-Moz-Token", DefaultToken)
	for name, values := range header {
		r.Header[name] = values
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func envelopeOf(method string, data any) string {
	body, err := json.Marshal(object{"jsonrpc": "2.0", "id": callID, "method": method, "params": object{"data": data}})
	if err != nil {
		panic(err)
	}
	return string(body)
}

func rpc(t testing.TB, s *Server, method string, data any) (int, rpcReply) {
	t.Helper()
	w := post(s, envelopeOf(method, data), nil)
	var out rpcReply
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("%s: %v\n%s", method, err, w.Body)
	}
	if out.ID != callID || out.JSONRPC != "2.0" || (out.Result == nil) == (out.Error == nil) || (w.Code == 200) != (out.Error == nil) {
		t.Fatalf("%s: %d %s", method, w.Code, w.Body)
	}
	return w.Code, out
}

// ok calls a method and reads its result.
func ok[T any](t testing.TB, s *Server, method string, data any) (out T) {
	t.Helper()
	code, reply := rpc(t, s, method, data)
	if code != 200 {
		t.Fatalf("%s %v: %d %+v", method, data, code, *reply.Error)
	}
	if err := json.Unmarshal(reply.Result, &out); err != nil {
		t.Fatalf("%s: %v\n%s", method, err, reply.Result)
	}
	return out
}

func siteOf(query, scope string) object { return object{"query": query, "scope": scope} }

func TestTheEnvelopeIsChecked(t *testing.T) {
	s := New(Options{})
	good := `{"jsonrpc":"2.0","id":"` + callID + `","method":"metadata.index.fetch","params":{"data":{}}}`
	for name, test := range map[string]struct {
		body         string
		status, code int
		message      string
	}{
		"good":           {good, 200, 0, ""},
		"version":        {strings.Replace(good, `"2.0"`, `"1.0"`, 1), 400, -32600, `jsonrpc must be "2.0"`},
		"version number": {strings.Replace(good, `"2.0"`, `2.0`, 1), 400, -32600, `jsonrpc must be "2.0"`},
		"short id":       {strings.Replace(good, callID, callID[:23], 1), 400, -32654, "Minimum Request ID length is 24."},
		"long enough":    {strings.Replace(good, callID, callID[:24], 1), 200, 0, ""},
		"number as id":   {strings.Replace(good, `"`+callID+`"`, "123456789012345678901234567890", 1), 400, -32654, "Minimum Request ID length is 24."},
		"no id":          {strings.Replace(good, `"id"`, `"ID2"`, 1), 400, -32654, "Minimum Request ID length is 24."},
		"method":         {strings.Replace(good, "metadata.index.fetch", "metadata.index_fetch", 1), 400, -32601, "Action not found: MetadataIndex_fetchAction"},
		"odd method":     {strings.Replace(good, "metadata.index.fetch", ".été--x.", 1), 400, -32601, "Action not found: ÉtéXAction"},
		"no method":      {strings.Replace(good, `"method"`, `"m"`, 1), 400, -32601, "Action not found: Action"},
		"no JSON":        {"x", 400, -32700, "the body is not a JSON-RPC request"},
		"batch":          {"[" + good + "]", 400, -32700, "the body is not a JSON-RPC request"},
		"no params":      {strings.Replace(good, `,"params":{"data":{}}`, "", 1), 200, 0, ""},
		"bad params":     {strings.Replace(good, `{"data":{}}`, "[]", 1), 400, -32653, "params must be an object"},
	} {
		w := post(s, test.body, nil)
		var reply rpcReply
		if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if w.Code != test.status || (reply.Error == nil) != (test.code == 0) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
			continue
		}
		if e := reply.Error; e != nil && (e.Code != test.code || e.Message != test.message || e.Status+e.HTTPStatus != test.status ||
			(e.HTTPStatus != 0) != (test.code == -32600)) {
			t.Errorf("%s: %s", name, w.Body)
		}
	}
	if w := post(s, good, http.Header{"X-Moz-Token": {"x"}}); w.Code != 401 || !strings.Contains(w.Body.String(), `"error":{"code":-32651,"status":401,"message":"Missing or invalid authentication"}`) ||
		!strings.Contains(w.Body.String(), callID) {
		t.Errorf("wrong token: %d %s", w.Code, w.Body)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/jsonrpc", nil))
	if w.Code != 405 {
		t.Errorf("GET: %d", w.Code)
	}
	if got := post(s, good, nil).Header().Get("X-Pylon-Action"); got != "MetadataIndexFetchAction" {
		t.Errorf("x-pylon-action %q", got)
	}
}

func TestDotsAndHyphensAreTheSameInMethodNames(t *testing.T) {
	s := New(Options{})
	data := object{"site_query": siteOf("rivalgear.example", "domain")}
	want := ok[object](t, s, "data.site.linking-domain.list", data)
	for _, name := range []string{"data.site.linking.domain.list", "data-site-linking-domain-list", "Data.Site.linkingDomain.list"} {
		if diff := cmp.Diff(withoutToken(want), withoutToken(ok[object](t, s, name, data))); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	if m := s.Meter(); m.Requests["/jsonrpc/data.site.linking-domain.list"][200] != 4 {
		t.Errorf("%v", m.Requests)
	}
}

func withoutToken(result object) object {
	out := with(result)
	delete(out, "offset")
	return out
}

func TestBadParametersAreRefusedAndNotBilled(t *testing.T) {
	s := New(Options{})
	site := siteOf("rivalgear.example", "domain")
	for _, test := range []struct {
		method       string
		data         any
		status, code int
		key          string
	}{
		{"data.site.metrics.fetch", object{}, 400, -32652, "site_query"},
		{"data.site.metrics.fetch", object{"site_query": object{"scope": "domain"}}, 400, -32652, "query"},
		{"data.site.metrics.fetch", object{"site_query": object{"query": "a.example"}}, 400, -32652, "scope"},
		{"data.site.metrics.fetch", object{"site_query": siteOf("a.example", "page")}, 400, -32653, ""},
		{"data.site.metrics.fetch", object{"site_query": siteOf("bücher.example", "url")}, 400, -32653, ""},
		{"data.site.metrics.fetch", object{"site_query": siteOf("no-such.example", "domain")}, 404, -32655, "site_query"},
		{"data.site.metrics.histories.fetch", object{"site_query": siteOf("no-such.example", "domain")}, 404, -32655, "site_query"},
		{"data.site.metrics.distributions.fetch", object{"site_query": siteOf("no-such.example", "domain")}, 404, -32655, "site_query"},
		{"data.site.metrics.fetch.multiple", object{}, 400, -32652, "site_queries"},
		{"data.site.metrics.fetch.multiple", object{"site_queries": []any{site, object{}}}, 400, -32652, "query"},
		{"data.site.metrics.fetch.multiple", object{"site_queries": slicesOf(site, 51)}, 400, -32653, ""},
		{"data.site.metrics.histories.fetch", object{"site_query": site, "get_daily_history_deltas_for": []string{"SpamScore"}}, 400, -32653, ""},
		{"data.site.link.list", object{"site_query": site, "options": object{"sort": "page_authority"}}, 400, -32653, ""},
		{"data.site.link.list", object{"site_query": site, "options": object{"filters": []string{"follow", "deleted"}}}, 400, -32653, ""},
		{"data.site.link.list", object{"site_query": site, "options": object{"filters": "follow"}}, 400, -32653, ""},
		{"data.site.link.list", object{"site_query": site, "options": object{"subdomains_limited_to_one": []string{"a.example"}}}, 400, -32653, ""},
		{"data.site.link.list", object{"site_query": site, "offset": object{"limit": 51}}, 400, -32653, ""},
		{"data.site.link.list", object{"site_query": site, "offset": object{"token": "x"}}, 400, -32653, ""},
		{"data.site.link.filter.anchor.text", object{"site_query": site}, 400, -32652, "anchor_text"},
		{"data.site.link.filter.anchor.text", object{"site_query": site, "anchor_text": "x", "options": object{"sort": "root_domains_to_source_page"}}, 400, -32653, ""},
		{"data.site.link.filter.domain", object{"site_query": site}, 400, -32652, "domain_site_query"},
		{"data.site.link.filter.domain", object{"site_query": site, "domain_site_query": siteOf("a.example", "url")}, 400, -32653, ""},
		{"data.site.link.filter.domain", object{"site_query": site, "domain_site_query": site, "options": object{"filters": []string{"external", "redirect"}}}, 400, -32653, ""},
		{"data.site.linking-domain.list", object{"site_query": site, "options": object{"sort": "date_gained"}}, 400, -32653, ""},
		{"data.site.linking-domain.filter.recently-lost", object{"site_query": site, "options": object{"begin_date": "yesterday"}}, 400, -32653, ""},
		{"data.site.link.intersect.fetch", object{}, 400, -32652, "is_linking_to"},
		{"data.site.link.intersect.fetch", object{"is_linking_to": slicesOf(site, 4), "not_linking_to": slicesOf(site, 3)}, 400, -32653, ""},
		{"data.site.link.intersect.fetch", object{"is_linking_to": slicesOf(site, 2), "options": object{"minimum_matching_targets": 3}}, 400, -32653, ""},
		{"data.site.link.status.fetch", object{"target_site_query": site}, 400, -32652, "source_site_query"},
		{"data.site.link.status.fetch.multiple", object{"queries": []any{object{"source_site_query": site}}}, 400, -32652, "target_site_query"},
		{"data.site.redirect.fetch", object{"site_query": site}, 400, -32653, ""},
		{"data.site.top-page.list", object{"site_query": siteOf("rivalgear.example", "url")}, 400, -32653, ""},
		{"data.site.top-page.list", object{"site_query": site, "options": object{"filter": "status_404"}}, 400, -32653, ""},
		{"data.global.top-page.list", object{"page": object{"limit": 51}}, 400, -32653, ""},
		{"data.global.top-page.list", object{"page": object{"n": -1}}, 400, -32653, ""},
		{"quota.lookup", object{}, 400, -32652, "path"},
		{"quota.lookup", object{"path": "api.limits.data.columns"}, 404, -32655, "path"},
	} {
		s.penalty = penalty{}
		status, reply := rpc(t, s, test.method, test.data)
		if status != test.status || reply.Error.Code != test.code || reply.Error.Status != status || test.key != "" && reply.Error.Data["key"] != test.key {
			t.Errorf("%s %v: %d %+v", test.method, test.data, status, reply.Error)
		}
		if test.code == -32652 && (reply.Error.Message != "Please include a "+test.key || reply.Error.Data["issue"] != "param-is-missing" ||
			reply.Error.Data["explanation"] != test.key+" is a required field and was not included.") {
			t.Errorf("%s %v: %+v", test.method, test.data, reply.Error)
		}
	}
	if rows := s.Meter().Rows; rows != 0 {
		t.Errorf("%d rows billed", rows)
	}
}

func slicesOf(item any, n int) (out []any) {
	for range n {
		out = append(out, item)
	}
	return out
}

func TestUnknownParametersAreRefusedOnRequest(t *testing.T) {
	data := object{"site_query": siteOf("rivalgear.example", "domain"), "limit": 3}
	if got := ok[struct{ Anchor_texts []any }](t, New(Options{}), "data.site.anchor-text.list", data); len(got.Anchor_texts) != 25 {
		t.Errorf("a limit beside offset gave %d results", len(got.Anchor_texts))
	}
	if status, _ := rpc(t, New(Options{RefuseUnknownFields: true}), "data.site.anchor-text.list", data); status != 400 {
		t.Errorf("%d", status)
	}
}

func TestDeadTokensAnswerGone(t *testing.T) {
	s := New(Options{})
	ask := func(token any) (int, rpcReply) {
		return rpc(t, s, "data.site.anchor-text.list", object{"site_query": siteOf("rivalgear.example", "domain"), "offset": object{"token": token, "limit": 10}})
	}
	type offset struct {
		Offset struct {
			Provided *string `json:"provided_token"`
			Token    string
			Limit    int
		}
	}
	var first, second offset
	_, reply := ask(nil)
	if err := json.Unmarshal(reply.Result, &first); err != nil || first.Offset.Provided != nil || first.Offset.Limit != 10 || first.Offset.Token == "" {
		t.Fatalf("%v %s", err, reply.Result)
	}
	_, reply = ask(first.Offset.Token)
	if err := json.Unmarshal(reply.Result, &second); err != nil || *second.Offset.Provided != first.Offset.Token || second.Offset.Token == first.Offset.Token {
		t.Fatalf("%v %s", err, reply.Result)
	}
	s.SetDay(3)
	if status, reply := ask(first.Offset.Token); status != 410 || reply.Error.Code != -32655 || reply.Error.Message != "The next token has expired" {
		t.Errorf("%d %+v", status, reply.Error)
	}
}

func TestManyErrorsLimitTheAccountUntilHalfAMinutePassesWithoutOne(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	s := New(Options{Clock: func() time.Time { return now }})
	good := func() int { status, _ := rpc(t, s, "metadata.index.fetch", object{}); return status }
	bad := func() int { status, _ := rpc(t, s, "quota.lookup", object{}); return status }
	for i := range 51 {
		if got := bad(); got != 400 {
			t.Fatalf("error %d: %d", i+1, got)
		}
		now = now.Add(time.Second)
	}
	for i := range 50 {
		if got := good(); got != 200 {
			t.Fatalf("request %d under the limit: %d", i+1, got)
		}
	}
	if got := good(); got != 429 {
		t.Errorf("request 51 under the limit: %d", got)
	}
	now = now.Add(29 * time.Second)
	if got := good(); got != 429 {
		t.Errorf("29 seconds later: %d", got)
	}
	now = now.Add(30 * time.Second)
	if got := good(); got != 200 {
		t.Errorf("30 seconds later: %d", got)
	}
	for range 50 { // the sheet is clean
		bad()
	}
	for i := range 60 {
		if got := good(); got != 200 {
			t.Fatalf("request %d after 50 errors: %d", i+1, got)
		}
	}
	now = now.Add(penaltyPeriod)
	for i := range 60 { // slow enough for the guide: 50 in any 5 minutes
		now = now.Add(6 * time.Second)
		if got := bad(); got != 400 {
			t.Fatalf("slow error %d: %d", i+1, got)
		}
	}
	for range 60 {
		if got := good(); got != 200 {
			t.Fatalf("after slow errors: %d", got)
		}
	}
}

func TestThePenaltyIsOfJSONRPCAloneAndCanBeWaived(t *testing.T) {
	limited, free := New(Options{}), New(Options{NoPenalty: true})
	for range 120 {
		rpc(t, limited, "quota.lookup", object{})
		rpc(t, free, "quota.lookup", object{})
	}
	if got, _ := call(t, limited, "index_metadata", object{}); got != 200 {
		t.Errorf("V2: %d", got)
	}
	if got, _ := rpc(t, limited, "metadata.index.fetch", object{}); got != 429 {
		t.Errorf("limited: %d", got)
	}
	if got, _ := rpc(t, free, "metadata.index.fetch", object{}); got != 200 {
		t.Errorf("free: %d", got)
	}
}

func TestFaultsTakeTheFormOfTheAPI(t *testing.T) {
	for kind, want := range map[Kind]int{Kind429: 429, Kind500: 500, Kind503: 503} {
		s := New(Options{Faults: Faults{Rate: 1, Kinds: []Kind{kind}}})
		status, reply := rpc(t, s, "data.site.anchor-text.list", object{"site_query": siteOf("rivalgear.example", "domain")})
		if status != want || reply.Error.Status != want || s.Meter().Rows != 0 || s.Meter().Faults[kind] != 1 {
			t.Errorf("%s: %d %+v", kind, status, reply.Error)
		}
	}
	s := New(Options{Quota: 1})
	list := object{"site_query": siteOf("rivalgear.example", "domain")}
	ok[object](t, s, "data.site.anchor-text.list", list)
	if status, reply := rpc(t, s, "data.site.anchor-text.list", list); status != 403 || reply.Error.Status != 403 {
		t.Errorf("quota: %d %+v", status, reply.Error)
	}
	if status, _ := rpc(t, s, "quota.lookup", object{"path": "api.limits.data.rows"}); status != 200 {
		t.Errorf("quota.lookup: %d", status)
	}
	s = New(Options{RequestsPerSecond: 0.1})
	ok[object](t, s, "metadata.index.fetch", object{})
	if status, reply := rpc(t, s, "metadata.index.fetch", object{}); status != 429 || reply.Error.Code != -32650 {
		t.Errorf("rate: %d %+v", status, reply.Error)
	}
}

func TestBothAPIsServeAtTheSameTimeWhileTheIndexMoves(t *testing.T) {
	s := New(Options{})
	calls := []func(){
		func() {
			send(s, "url_metrics", object{"targets": []string{"rivalgear.example"}, "distributions": true, "daily_history_values": []string{"pages_to_page"}}, nil)
		},
		func() { send(s, "top_pages", object{"target": "rivalgear.example"}, nil) },
		func() {
			send(s, "link_intersect", object{"positive_targets": []object{at("rivalgear.example", "root_domain")}}, nil)
		},
		func() {
			post(s, envelopeOf("data.site.linking-domain.list", object{"site_query": siteOf("rivalgear.example", "domain")}), nil)
		},
		func() { post(s, envelopeOf("data.global.top-domain.list", object{}), nil) },
		func() { post(s, envelopeOf("quota.lookup", object{}), nil) },
	}
	var wait sync.WaitGroup
	for i, one := range calls {
		wait.Go(func() {
			for n := range 4 {
				one()
				s.SetDay(i + n)
			}
		})
	}
	wait.Wait()
	m, answered := s.Meter(), 0
	for _, byStatus := range m.Requests {
		answered += byStatus[200] + byStatus[400]
	}
	if answered != 4*len(calls) {
		t.Errorf("%v", m.Requests)
	}
}
