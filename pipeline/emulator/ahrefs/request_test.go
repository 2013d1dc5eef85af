package ahrefs

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/testdata/vendors"
)

func TestErrorsHaveTheirTwoShapes(t *testing.T) {
	s := serve(Options{})
	for _, test := range []struct {
		method, path, credentials string
		status                    int
		body                      string
	}{
		{"GET", "/v3/site-explorer/anchors", "", 403, `["Error","Forbidden"]`},
		{"GET", "/v3/site-explorer/anchors", DefaultKey, 403, `["Error","Forbidden"]`},
		{"GET", "/v3/site-explorer/anchors", "Token " + DefaultKey, 403, `["Error","Forbidden"]`},
		{"GET", "/v3/site-explorer/anchors", "Bearer x", 401, `["Error","Unauthorized"]`},
		{"GET", "/v3/site-explorer/backlinks", "Bearer " + DefaultKey, 404, `["Error", ["NotFound", "this route does not exist /v3/site-explorer/backlinks"]]`},
		{"POST", "/v3/site-explorer/anchors", "Bearer " + DefaultKey, 405, `{"error":"Method Not Allowed"}`},
		{"GET", "/v3/batch-analysis/batch-analysis", "Bearer " + DefaultKey, 405, `{"error":"Method Not Allowed"}`},
	} {
		r := httptest.NewRequest(test.method, test.path, nil)
		if test.credentials != "" {
			r.Header.Set("Authorization", test.credentials)
		}
		if a := run(s, r); a.Status != test.status || string(a.Body) != test.body {
			t.Errorf("%s %s %q: %d %s", test.method, test.path, test.credentials, a.Status, a.Body)
		}
	}
	want := map[string]map[int]int{"other": {404: 1}, "/v3/site-explorer/anchors": {401: 1, 403: 3, 405: 1}, "/v3/batch-analysis/batch-analysis": {405: 1}}
	if m := s.Meter(); m.Units != 0 || m.Pages != 0 || cmp.Diff(want, m.Requests) != "" {
		t.Errorf("%+v", m)
	}
}

func TestBadRequestsAreRefusedAndNotBilled(t *testing.T) {
	s := serve(Options{})
	const ok, se = "target=a.example", "site-explorer/"
	for _, test := range [][]string{
		{se + "anchors", "select=anchor"}, {se + "anchors", ok}, {se + "anchors", ok, "select="}, {se + "anchors", ok, "select=backlinks"},
		{se + "anchors", ok, "select=anchor,"}, {se + "anchors", ok, "select=traffic_page"}, {se + "anchors", ok, "select=anchor", "mode=host"},
		{se + "anchors", ok, "select=anchor", "protocol=ftp"}, {se + "anchors", ok, "select=anchor", "limit=0"}, {se + "anchors", ok, "select=anchor", "limit=x"},
		{se + "anchors", ok, "select=anchor", "order_by=x"}, {se + "anchors", ok, "select=anchor", "order_by=anchor:up"}, {se + "anchors", ok, "select=anchor", "order_by=traffic_page"},
		{se + "anchors", ok, "select=anchor", "history=yesterday"}, {se + "anchors", ok, "select=anchor", "history=since:1.1.2026"}, {se + "anchors", ok, "select=anchor", "where={}"},
		{se + "anchors", ok, "select=anchor", "output=yaml"}, {se + "anchors", ok, "select=anchor", "output=php"}, {se + "anchors", ok, "select=anchor", "timeout=soon"},
		{se + "all-backlinks", ok, "select=anchor", "aggregation=some"}, {se + "all-backlinks", ok, "select=anchor", "order_by=link_group_count"},
		{se + "all-backlinks", ok, "select=link_group_count", "aggregation=all"}, {se + "all-backlinks", ok, "select=anchor", "aggregation=all", `where={"field":"link_group_count","is":["gt",1]}`},
		{se + "broken-backlinks", ok, "select=anchor", "order_by=http_code_target"}, {se + "pages-by-backlinks", ok, "select=url_to", "order_by=title_target"},
		{se + "domain-rating", ok}, {se + "domain-rating", "date=2026-01-01"}, {se + "domain-rating", ok, "date=today"}, {se + "backlinks-stats", ok},
		{se + "refdomains-history", ok}, {se + "refdomains-history", ok, "date_from=2026-13-01"}, {se + "domain-rating-history", ok, "date_from=2026-01-01", "history_grouping=yearly"},
	} {
		a := get(t, s, test[0], test[1:]...)
		var e struct{ Error string }
		if err := json.Unmarshal(a.Body, &e); a.Status != 400 || err != nil || e.Error == "" || a.Header != nil {
			t.Errorf("%v: %d %.200s", test, a.Status, a.Body)
		}
	}
	for _, body := range []string{
		``, `[]`, `{}`, `{"select":["url"]}`, `{"select":[],"targets":[{"url":"a.example","mode":"exact","protocol":"both"}]}`, `{"select":["url"],"targets":[]}`,
		`{"select":["nothing"],"targets":[{"url":"a.example","mode":"exact","protocol":"both"}]}`, `{"select":["url"],"targets":[{"url":"a.example"}]}`,
		`{"select":["url"],"targets":[{"url":"a.example","mode":"exact","protocol":"both"}],"order_by":["anchor"]}`,
		`{"select":["url"],"targets":[` + strings.Repeat(`{"url":"a.example","mode":"exact","protocol":"both"},`, 100) + `{"url":"a.example","mode":"exact","protocol":"both"}]}`,
		`{"select":["url"],"targets":[{"url":"a.example","mode":"exact","protocol":"both"}],"output":"xml"}`,
	} {
		if a := post(t, s, "batch-analysis/batch-analysis", body); a.Status != 400 {
			t.Errorf("%.200s: %d %.200s", body, a.Status, a.Body)
		}
	}
	if m := s.Meter(); m.Units != 0 {
		t.Errorf("%d units were billed", m.Units)
	}
}

func TestSelectedKeysComeInTheOrderOfSelect(t *testing.T) {
	a := get(t, serve(Options{}), "site-explorer/anchors", "target=tiny-tarps.example", "select=refpages,anchor,top_domain_rating,anchor", "limit=1", "order_by=top_domain_rating:asc")
	keys := []string{}
	d := json.NewDecoder(strings.NewReader(string(a.Body)))
	for {
		token, err := d.Token()
		if err != nil {
			break
		}
		if s, ok := token.(string); ok {
			keys = append(keys, s)
		}
	}
	if want := []string{"anchors", "refpages", "anchor", a.rows[0]["anchor"].(string), "top_domain_rating"}; !slices.Equal(keys, want) {
		t.Errorf("%v, want %v", keys, want)
	}
	if _, float, _ := strings.Cut(string(a.Body), `"top_domain_rating": `); !strings.Contains(float, ".") {
		t.Errorf("a float without a decimal: %s", a.Body)
	}
}

func TestOtherOutputsHaveTheSameRows(t *testing.T) {
	s := serve(Options{})
	params := []string{"target=tiny-tarps.example", "select=anchor,last_seen,refpages"}
	rows := get(t, s, "site-explorer/anchors", params...).rows
	a := get(t, s, "site-explorer/anchors", append(params, "output=csv")...)
	records, err := csv.NewReader(strings.NewReader(string(a.Body))).ReadAll()
	if err != nil || len(records) != len(rows)+1 || !slices.Equal(records[0], []string{"anchor", "last_seen", "refpages"}) || records[1][0] != rows[0]["anchor"] {
		t.Errorf("%v %s", err, a.Body)
	}
	var x struct {
		XMLName xml.Name `xml:"AhrefsApiResponse"`
		Anchors []struct {
			Anchor string `xml:"anchor"`
		} `xml:"anchors"`
	}
	a = get(t, s, "site-explorer/anchors", append(params, "output=xml")...)
	if err := xml.Unmarshal(a.Body, &x); err != nil || len(x.Anchors) != len(rows) || x.Anchors[0].Anchor != rows[0]["anchor"] {
		t.Errorf("%v %s", err, a.Body)
	}
}

func TestInventedValuesDoNotChange(t *testing.T) {
	a := get(t, serve(Options{}), "site-explorer/refdomains", target, all("refdomains"), "limit=100")
	b := get(t, serve(Options{}), "site-explorer/refdomains", target, all("refdomains"), "limit=100")
	if string(a.Body) != string(b.Body) {
		t.Error("another server invents other values")
	}
	// What two reports say of one thing agrees.
	traffic := map[any]any{}
	for _, r := range a.rows {
		traffic[r["domain"]] = r["traffic_domain"]
	}
	for _, r := range get(t, serve(Options{}), "site-explorer/all-backlinks", target, "select=root_name_source,traffic_domain", "limit=100").rows {
		if want, ok := traffic[r["root_name_source"]]; ok && want != r["traffic_domain"] {
			t.Errorf("%v: %v and %v", r["root_name_source"], want, r["traffic_domain"])
		}
	}
}

// The declared fields are compared with the extract of the vendor's document.
func TestFieldsAreTheDocumentedOnes(t *testing.T) {
	type documented struct {
		Type     string
		Format   string
		Nullable bool
		Units    int
		Items    []string
		Enum     []string
	}
	var doc struct {
		V3 map[string]struct {
			Method, Envelope string
			Kind             string
			Select           map[string]documented
			Where            map[string]documented
		}
	}
	vendors.Decode(t, "ahrefs/fields.json", &doc)
	kinds := map[string]kind{"string": text, "string date-time": stamp, "string date": day, "string url": text, "integer": whole, "number float": real, "boolean": flag}
	for path, rep := range reports {
		d, ok := doc.V3[strings.TrimPrefix(path, "/v3")]
		if !ok || d.Method != rep.method || d.Envelope != rep.envelope || (d.Kind == "array") == rep.single {
			t.Errorf("%s: %+v", path, d)
		}
		if want := keys(d.Select); !slices.Equal(want, slices.Sorted(slices.Values(rep.fields))) {
			t.Errorf("%s: %v", path, want)
		}
		if rep.unpriced {
			continue
		}
		takes := slices.Concat(rep.conditions, rep.fields)
		if want := keys(d.Where); len(want) > 0 && !slices.Equal(want, slices.Sorted(slices.Values(takes))) {
			t.Errorf("%s: where %v", path, want)
		}
		for name, f := range d.Select {
			got := dictionary[name]
			k := kinds[strings.TrimSpace(f.Type+" "+f.Format)]
			if f.Type == "array" {
				k = map[string]kind{"string": texts, "integer": wholes, "array": pairs}[f.Items[0]]
			}
			if got.kind != k || got.units != f.Units || got.null != f.Nullable && path != "/v3/batch-analysis/batch-analysis" || !slices.Equal(got.words, f.Enum) {
				t.Errorf("%s: %s is %+v, documented %+v", path, name, got, f)
			}
		}
		for name, f := range d.Where {
			if dictionary[name].units != f.Units {
				t.Errorf("%s: %s in where costs %d", path, name, f.Units)
			}
		}
	}
}

func keys[T any](m map[string]T) []string {
	out := []string{}
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func TestAPlanCanLackReports(t *testing.T) {
	s := serve(Options{Excluded: []string{"refdomains"}})
	if a := get(t, s, "site-explorer/refdomains", target, "select=domain"); a.Status != 403 || !strings.Contains(string(a.Body), "Insufficient plan") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := get(t, s, "site-explorer/anchors", target, "select=anchor"); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

func TestRequestsCanComeAllAtOnce(t *testing.T) {
	s := serve(Options{CacheTTL: time.Minute, UnitsLimit: 1_000_000, RequestsPerMinute: 1000})
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for _, report := range []string{"anchors", "refdomains", "all-backlinks", "linkeddomains"} {
				name := reports["/v3/site-explorer/"+report].fields[i%3]
				if a := get(t, s, "site-explorer/"+report, target, "select="+name, "order_by="+name+":asc"); a.Status != 200 {
					t.Errorf("%s: %d %s", report, a.Status, a.Body)
				}
			}
			v2(t, s, append(slices.Clone(summit), "from=anchors")...)
		})
	}
	wait.Wait()
	m := s.Meter()
	if m.Pages != 40 || m.CacheHits < 1 || m.V2Rows == 0 {
		t.Errorf("%+v", m)
	}
	var units int64
	for target, n := range m.Targets {
		if strings.HasPrefix(target, "/v3/") {
			units += n
		}
	}
	if units != m.Units {
		t.Errorf("%d units by target, %d in all", units, m.Units)
	}
}

func TestStatusOfUnknownReports(t *testing.T) {
	for _, path := range []string{"site-explorer/referring-domains", "site-explorer/anchors/", "site-audit/issues"} {
		if a := get(t, serve(Options{}), path, target); a.Status != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.Status)
		}
	}
}
