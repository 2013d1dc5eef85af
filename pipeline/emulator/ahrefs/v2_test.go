package ahrefs

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"backhaul/pipeline/emulator/graph"
)

// v2Reply is what the documentation's examples have.
type v2Reply struct {
	Status                        int
	Header                        map[string]string
	Error                         string
	Anchors, Refdomains, Refpages []map[string]any
	Stats, Metrics, Info          map[string]any
}

func v2(t testing.TB, s *Server, params ...string) v2Reply {
	t.Helper()
	v := url.Values{"token": {DefaultV2Token}, "output": {"json"}}
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		v.Set(name, value)
	}
	a := run(s, httptest.NewRequest(http.MethodGet, v2Path+"?"+v.Encode(), nil))
	r := v2Reply{Status: a.Status, Header: a.Header}
	if err := json.Unmarshal(a.Body, &r); err != nil {
		t.Fatalf("%v: %v in %.300s", params, err, a.Body)
	}
	if failed := a.Header["X-Status"] == "error"; failed != (r.Error != "") || failed && a.Header["X-Results-Count"] != "0" {
		t.Errorf("%v: %v %.300s", params, a.Header, a.Body)
	}
	return r
}

var summit = []string{"target=summit-supply.example", "mode=subdomains"}

func TestV2ErrorsAreSuccesses(t *testing.T) {
	s := serve(Options{})
	for _, test := range []struct{ params, want string }{
		{"token=x", "invalid token"}, {"token=", "invalid token"}, {"from=", "from: table '' not found"}, {"from=links", "from: table 'links' not found"},
		{"target=", "target is required"}, {"mode=host", "mode must be exact, domain, subdomains or prefix"}, {"mode=", "mode must be exact, domain, subdomains or prefix"},
		{"order_by=foobar_rating:desc", "order_by: column 'foobar_rating' not found"}, {"order_by=refdomain", "order_by: column 'refdomain' not found"},
		{"order_by=anchor:up", "order_by: bad direction 'up'"}, {"select=links", "select: column 'links' not found"}, {"select=refdomain", "select: column 'refdomain' not found"},
		{"where=refdomains>5", "where: column 'refdomains' not found"}, {`having=refdomain="a"`, "having: column 'refdomain' not found"},
		{"limit=x", "limit: want a whole number up to 5000000"}, {"limit=5000001", "limit: want a whole number up to 5000000"}, {"offset=-1", "offset: want a whole number up to 5000000"},
		{"output=php", `output: "php" is not emulated`},
	} {
		got := v2(t, s, append(slices.Clone(summit), "from=anchors", test.params)...)
		if got.Status != 200 || got.Error != test.want {
			t.Errorf("%s: %d %q, want %q", test.params, got.Status, got.Error, test.want)
		}
	}
	if m := s.Meter(); m.V2Rows != 0 || m.Pages != 0 || m.Requests[v2Path][200] == 0 {
		t.Errorf("%+v", m)
	}
	if got := v2(t, serve(Options{V2Sunset: true}), append(summit, "from=anchors")...); got.Error == "" {
		t.Error("the sun does not set")
	}
}

func TestV2AnchorsAreThoseOfV3(t *testing.T) {
	s := serve(Options{})
	got := v2(t, s, append(summit, "from=anchors", "limit=100000", "order_by=anchor:asc")...)
	want := get(t, s, "site-explorer/anchors", target, "history=live", "select=anchor,links_to_target,refpages,refdomains,first_seen", "order_by=anchor:asc", "limit=100000")
	if got.Error != "" || len(got.Anchors) != len(want.rows) || got.Header["X-Results-Count"] != strconv.Itoa(len(want.rows)) {
		t.Fatalf("%s: %d rows, want %d", got.Error, len(got.Anchors), len(want.rows))
	}
	links := 0.0
	for i, r := range got.Anchors {
		w := want.rows[i]
		if len(r) != 6 || r["anchor"] != w["anchor"] || r["backlinks"] != w["links_to_target"] || r["refpages"] != w["refpages"] || r["refdomains"] != w["refdomains"] || r["first_seen"] != w["first_seen"] {
			t.Fatalf("%v, want %v", r, w)
		}
		if last, err := time.Parse(time.RFC3339, r["last_visited"].(string)); err != nil || last.Format(time.DateOnly) > "2026-01-01" {
			t.Fatalf("%v", r)
		}
		links += r["backlinks"].(float64)
	}
	if got.Stats["backlinks"] != links || len(got.Stats) != 2 {
		t.Errorf("%v, want %v links", got.Stats, links)
	}
	// Pages by offset, and conditions, leave stats alone.
	page := v2(t, s, append(summit, "from=anchors", "limit=10", "offset=20", "order_by=anchor:asc", "having=backlinks>0")...)
	if page.Stats["backlinks"] != links || len(page.Anchors) != 10 || page.Anchors[0]["anchor"] != got.Anchors[20]["anchor"] {
		t.Errorf("%v", page)
	}
}

func TestV2Conditions(t *testing.T) {
	s := serve(Options{})
	rows := func(params ...string) []map[string]any {
		r := v2(t, s, append(append(slices.Clone(summit), "from=anchors", "limit=100000"), params...)...)
		if r.Error != "" {
			t.Fatalf("%v: %s", params, r.Error)
		}
		return r.Anchors
	}
	all := rows()
	count := func(fits func(map[string]any) bool) (n int) {
		for _, r := range all {
			n += number(fits(r))
		}
		return n
	}
	text := func(f func(s string) bool) func(map[string]any) bool {
		return func(r map[string]any) bool { return f(r["anchor"].(string)) }
	}
	for _, test := range []struct {
		params string
		fits   func(map[string]any) bool
	}{
		{`where=anchor="summit supply"`, text(func(s string) bool { return s == "summit supply" })},
		{`where=anchor:"summit supply"`, text(func(s string) bool { return s == "summit supply" })},
		{`where=anchor<>""`, text(func(s string) bool { return s != "" })},
		{`where=substring(anchor,"oslo")`, text(func(s string) bool { return strings.Contains(s, "oslo") })},
		{`where= word( anchor , "osl" )`, func(map[string]any) bool { return false }},
		{`where=substring(anchor,"\"")`, text(func(s string) bool { return strings.Contains(s, `"`) })},
		{`where=substring(anchor,"a\\\"b,c) or")`, func(map[string]any) bool { return false }},
		{`where=backlinks>=2`, func(r map[string]any) bool { return r["backlinks"].(float64) >= 2 }},
		{`having=backlinks>=2,refdomains<10`, func(r map[string]any) bool { return r["backlinks"].(float64) >= 2 && r["refdomains"].(float64) < 10 }},
		{`having=first_seen>"2024-01-01"`, func(r map[string]any) bool { return r["first_seen"].(string) > "2024-01-01T00:00:00Z" }},
		{`having=anchor>"m"`, text(func(s string) bool { return s > "m" })},
	} {
		if got, want := len(rows(test.params)), count(test.fits); got != want {
			t.Errorf("%s: %d rows, want %d", test.params, got, want)
		}
	}
	if n := count(text(func(s string) bool { return strings.Contains(s, "oslo") })); n == 0 {
		t.Error("no text to find")
	}
	// where chooses the links that are counted.
	domain := v2(t, s, append(summit, "from=refdomains", "limit=1")...).Refdomains[0]
	links := 0.0
	for _, r := range rows(`where=refdomain="` + domain["refdomain"].(string) + `"`) {
		links += r["backlinks"].(float64)
	}
	if links != domain["backlinks"] {
		t.Errorf("%v links from %v", links, domain)
	}
	if sub := rows(`where=subdomain(refdomain,"example")`); len(sub) != len(all) {
		t.Errorf("%d rows below example", len(sub))
	}
	for _, bad := range []string{"x", "anchor", "anchor=", "anchor=5", `anchor="a`, `anchor="a" anchor="b"`, `anchor="a",`, `backlinks="5"`, "backlinks=x", `first_seen>"x"`, `like(anchor,"x")`,
		`substring(anchor)`, `substring(anchor,5)`, `substring(anchor,"x"`, `substring(backlinks,"5")`, `anchor="a" or anchor="b"`, `(anchor="a")`} {
		if r := v2(t, s, append(summit, "from=anchors", "where="+bad)...); !strings.HasPrefix(r.Error, "where: ") {
			t.Errorf("%s: %q", bad, r.Error)
		}
	}
}

func TestV2TablesCostTheirRows(t *testing.T) {
	for _, test := range []struct {
		params []string
		rows   int64
	}{
		{[]string{"from=anchors", "limit=2"}, 3}, {[]string{"from=anchors", "limit=2", "where=backlinks>0", "having=backlinks>0"}, 13},
		{[]string{"from=anchors", "limit=2", "offset=1"}, 8}, {[]string{"from=anchors", "limit=2", "offset=0"}, 3}, {[]string{"from=anchors", "having=backlinks>999999"}, 6},
		{[]string{"from=refdomains", "limit=7"}, 8}, {[]string{"from=backlinks", "limit=100"}, 21}, {[]string{"from=backlinks", "limit=1"}, 2},
		{[]string{"from=backlinks_one_per_domain", "limit=10"}, 30}, {[]string{"from=metrics"}, 1}, {[]string{"from=subscription_info"}, 0},
		{[]string{"from=anchors", "limit=2", "target=ahrefs.com"}, 0},
	} {
		s := serve(Options{})
		if r := v2(t, s, append(slices.Clone(summit), test.params...)...); r.Error != "" || s.Meter().V2Rows != test.rows || s.Meter().Units != 0 {
			t.Errorf("%v: %d rows billed, want %d; %s", test.params, s.Meter().V2Rows, test.rows, r.Error)
		}
		left := v2(t, s, "from=subscription_info").Info
		if left["rows_left"] != float64(v2RowsDefault-test.rows) || left["rows_limit"] != float64(v2RowsDefault) {
			t.Errorf("%v: %v", test.params, left)
		}
	}
	s := serve(Options{V2Rows: 10})
	if r := v2(t, s, append(summit, "from=anchors", "limit=9")...); r.Error != "" {
		t.Error(r.Error)
	}
	if r := v2(t, s, append(summit, "from=metrics")...); r.Error == "" || s.Meter().V2Rows != 10 {
		t.Errorf("%q, %d rows", r.Error, s.Meter().V2Rows)
	}
}

func TestV2TablesAgree(t *testing.T) {
	s := serve(Options{})
	ask := func(from string) v2Reply {
		r := v2(t, s, append(slices.Clone(summit), "from="+from, "limit=1000000")...)
		if r.Error != "" {
			t.Fatal(r.Error)
		}
		return r
	}
	anchors, domains, links, onePer, metrics := ask("anchors"), ask("refdomains"), ask("backlinks"), ask("backlinks_one_per_domain"), ask("metrics").Metrics
	n := float64(len(links.Refpages))
	if metrics["backlinks"] != n || anchors.Stats["backlinks"] != n || metrics["refpages"] != anchors.Stats["refpages"] || metrics["nofollow"].(float64)+metrics["dofollow"].(float64) != n {
		t.Errorf("%v links, %v, %v", n, metrics, anchors.Stats)
	}
	if d := float64(len(domains.Refdomains)); d != domains.Stats["refdomains"] || d != float64(len(onePer.Refpages)) {
		t.Errorf("%v domains, %v, %d", d, domains.Stats, len(onePer.Refpages))
	}
	total := 0.0
	for _, r := range onePer.Refpages {
		total += r["total_backlinks"].(float64)
	}
	if total != n {
		t.Errorf("%v links by domain, want %v", total, n)
	}
	nofollow := 0
	for _, r := range links.Refpages {
		nofollow += number(r["nofollow"] == true)
		for _, name := range []string{"url_from", "first_seen", "last_visited", "prev_visited", "link_type", "alt", "text_pre"} {
			if _, ok := r[name].(string); !ok {
				t.Fatalf("%s is %v", name, r[name])
			}
		}
	}
	if metrics["nofollow"] != float64(nofollow) {
		t.Errorf("%d nofollow links, %v", nofollow, metrics)
	}
	some := v2(t, s, append(slices.Clone(summit), "from=metrics", "select=backlinks,gov")...).Metrics
	if len(some) != 2 || some["backlinks"] != n {
		t.Errorf("%v", some)
	}
}

func TestV2WritesXML(t *testing.T) {
	s := serve(Options{})
	fetch := func(more string) Reply {
		q := "?output=xml&from=anchors&target=summit-supply.example&mode=subdomains&limit=3" + more
		return run(s, httptest.NewRequest(http.MethodGet, v2Path+q, nil))
	}
	var x struct {
		XMLName xml.Name `xml:"AhrefsApiResponse"`
		Anchors []string `xml:"anchors>anchor>anchor"`
		Links   int      `xml:"stats>backlinks"`
		Error   string   `xml:"error"`
	}
	if a := fetch("&token=" + DefaultV2Token); xml.Unmarshal(a.Body, &x) != nil || len(x.Anchors) != 3 || x.Links == 0 || x.Error != "" {
		t.Errorf("%s", a.Body)
	}
	if a := fetch("&token=x"); xml.Unmarshal(a.Body, &x) != nil || x.Error != "invalid token" {
		t.Errorf("%s", a.Body)
	}
}

func TestV2TakesTheFormOfTheOfficialClient(t *testing.T) {
	s := serve(Options{V2Token: "secret-v2"})
	r := httptest.NewRequest(http.MethodPost, v2Path+"/", strings.NewReader("token=secret-v2&from=metrics&target=tiny-tarps.example&mode=domain"))
	q, no := s.Read(r)
	if no != nil {
		t.Fatalf("%s", no.Body)
	}
	if strings.Contains(q.Key(), "secret-v2") {
		t.Errorf("the key %s tells the token", q.Key())
	}
	if a := s.Answer(q); a.Header["X-Status"] != "" {
		t.Errorf("%s", a.Body)
	}
}

func FuzzV2Conditions(f *testing.F) {
	for _, seed := range []string{`anchor="a\"b",backlinks>=-2`, `substring(anchor,"x") , word(refdomain,"y")`, `first_seen<="2013-11-24",anchor:"x"`, `subdomain(refdomain,"a.example")`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, where string) {
		q := &v2query{table: tables["anchors"], params: url.Values{"where": {where}}}
		if q.readConditions() != nil {
			return
		}
		values := map[string]any{"anchor": "a\"b", "refdomain": "a.example", "backlinks": 3, "refpages": 2, "first_seen": "2013-11-24T00:00:00Z", "last_visited": "2013-11-24T00:00:00Z"}
		for _, c := range q.where {
			c.test(nil)
			c.test(values[c.column])
		}
		if len(q.where) == 0 && strings.TrimSpace(where) != "" {
			t.Errorf("%q is read as nothing", where)
		}
	})
}

func TestV2HasTheTablesOfItsSuccessor(t *testing.T) {
	s := serve(Options{})
	raw := func(from string, more ...string) map[string]any {
		t.Helper()
		v := url.Values{"token": {DefaultV2Token}, "from": {from}, "target": {"summit-supply.example"}, "mode": {"subdomains"}, "limit": {"1000000"}}
		for _, p := range more {
			name, value, _ := strings.Cut(p, "=")
			v.Set(name, value)
		}
		var reply map[string]any
		a := run(s, httptest.NewRequest(http.MethodGet, v2Path+"?"+v.Encode(), nil))
		if err := json.Unmarshal(a.Body, &reply); err != nil || reply["error"] != nil {
			t.Fatalf("%s: %v in %.300s", from, err, a.Body)
		}
		return reply
	}
	sum := func(reply map[string]any, envelope, column string) (rows int, n float64) {
		for _, r := range reply[envelope].([]any) {
			n += r.(map[string]any)[column].(float64)
		}
		return len(reply[envelope].([]any)), n
	}
	metrics := raw("metrics")["metrics"].(map[string]any)
	extended := raw("metrics_extended")["metrics"].(map[string]any)
	for name, v := range metrics {
		if extended[name] != v {
			t.Errorf("%s: %v, and %v in metrics_extended", name, v, extended[name])
		}
	}
	if len(extended) != len(metrics)+3 || extended["refdomains"] != raw("refdomains")["stats"].(map[string]any)["refdomains"] {
		t.Errorf("%v", extended)
	}
	pages := raw("pages_extended")
	n, links := sum(pages, "pages", "backlinks")
	if bare := raw("pages")["pages"].([]any); len(bare) != n || links != metrics["backlinks"] || pages["stats"].(map[string]any)["pages"] != float64(n) {
		t.Errorf("%d pages with %v links, %d without, %v, want %v links", n, links, len(bare), pages["stats"], metrics["backlinks"])
	}
	some, _ := sum(raw("pages_extended", `where=backlinks>2,http_code=200`), "pages", "backlinks")
	if some == 0 || some >= n {
		t.Errorf("%d of %d pages have more than two links", some, n)
	}
	v3 := get(t, s, "site-explorer/domain-rating", target, "date="+graph.Date(s.view().Day())).rows[0]
	if got := raw("domain_rating")["domain"].(map[string]any)["domain_rating"]; got != float64(int(v3["domain_rating"].(float64))) {
		t.Errorf("a rating of %v, v3 says %v", got, v3)
	}
	linked, out := sum(raw("linked_domains"), "domains", "links")
	if linked == 0 || out < float64(linked) {
		t.Errorf("%d domains linked to, by %v links", linked, out)
	}
	broken := raw("broken_backlinks", "limit=10")["refpages"].([]any)
	if len(broken) == 0 || broken[0].(map[string]any)["http_code"] != 404.0 {
		t.Errorf("%v", broken)
	}
}

// Other people's clients ask for reports that this vendor does not have.
func TestReportsThatAreNotEmulatedAnswerAsUnknownRoutesDo(t *testing.T) {
	s := serve(Options{})
	for _, name := range []string{"top-pages", "metrics-history", "organic-keywords", "organic-competitors"} {
		r := httptest.NewRequest(http.MethodGet, "/v3/site-explorer/"+name+"?target=a.example&date=2026-01-01&select=url", nil)
		r.Header.Set("Authorization", "Bearer "+DefaultKey)
		a := run(s, r)
		if want := `["Error", ["NotFound", "this route does not exist /v3/site-explorer/` + name + `"]]`; a.Status != 404 || string(a.Body) != want {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
}
