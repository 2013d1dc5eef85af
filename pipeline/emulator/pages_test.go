package emulator

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// decode asks and reads the whole answer.
func decode[T any](t testing.TB, s *Server, path string, body object) (out T) {
	t.Helper()
	code, raw := call(t, s, path, body)
	if code != 200 {
		t.Fatalf("%s %v: %d %s", path, body, code, raw)
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatalf("%s %v: %v\n%s", path, body, err, raw)
	}
	return out
}

type results struct{ Results []object }

// metricsOf asks url_metrics in batches of 50.
func metricsOf(t testing.TB, s *Server, targets []string) (out []object) {
	t.Helper()
	for batch := range slices.Chunk(targets, 50) {
		out = append(out, decode[results](t, s, "url_metrics", object{"targets": batch}).Results...)
	}
	return out
}

func TestURLMetricsAreThoseOfTheLinksInTheOrderAsked(t *testing.T) {
	s := New(Options{Day: 33})
	var targets []string
	var want []object
	for _, l := range pageThrough[object](t, s, "links", object{"target": "trailhead-co.example", "target_scope": "root_domain"}) {
		source := l["source"].(object)
		targets = append(targets, source["page"].(string))
		want = append(want, source)
	}
	slices.Reverse(targets)
	slices.Reverse(want)
	if diff := cmp.Diff(want, metricsOf(t, s, targets)); diff != "" || len(targets) < 300 {
		t.Errorf("%d targets:\n%s", len(targets), diff)
	}
}

func TestURLMetricsAnswerOneForEachTargetKnownOrNot(t *testing.T) {
	s := New(Options{})
	got := metricsOf(t, s, []string{"no-such.example/a", "rivalgear.example", "rivalgear.example/no/such", "rivalgear.example", "https://RivalGear.example"})
	for i, page := range []string{"no-such.example/a", "rivalgear.example/", "rivalgear.example/no/such", "rivalgear.example/", "rivalgear.example/"} {
		if got[i]["page"] != page || len(got[i]) != 52 {
			t.Errorf("%d: %v with %d fields, want %s with 52", i, got[i]["page"], len(got[i]), page)
		}
	}
	for name, value := range got[0] {
		switch value := value.(type) {
		case float64:
			if want := map[string]float64{"page_authority": 1, "domain_authority": 1, "spam_score": -1}[name]; value != want {
				t.Errorf("%s of an unknown page is %v, want %v", name, value, want)
			}
		case string:
			if value != "" && !slices.Contains([]string{"page", "subdomain", "root_domain"}, name) {
				t.Errorf("%s of an unknown page is %q", name, value)
			}
		}
	}
	if got[2]["pages_to_page"] != 0.0 || got[2]["pages_to_root_domain"] != got[1]["pages_to_root_domain"] || got[1]["pages_to_page"] == 0.0 {
		t.Errorf("an unknown page of a known site: %v", got[2])
	}
}

func TestTopPagesAreThePagesOfTheTarget(t *testing.T) {
	s := New(Options{Day: 9})
	g := s.Graph()
	whole := pageThrough[object](t, s, "top_pages", object{"target": "rivalgear.example", "scope": "root_domain"})
	var names []string
	for _, p := range whole {
		names = append(names, p["page"].(string))
	}
	for _, m := range metricsOf(t, s, g.Pages("rivalgear.example", 1000)) {
		known := m["http_code"] != 0.0 || m["pages_to_page"] != 0.0 || m["deleted_pages_to_page"] != 0.0
		if known && !slices.Contains(names, m["page"].(string)) {
			t.Errorf("%v is missing", m["page"])
		}
	}
	if diff := cmp.Diff(metricsOf(t, s, names), whole); diff != "" || len(names) < 100 {
		t.Errorf("%d pages (-url_metrics +top_pages):\n%s", len(names), diff)
	}
	var hosts []object
	for _, host := range g.Hosts("rivalgear.example") {
		hosts = append(hosts, pageThrough[object](t, s, "top_pages", object{"target": host, "scope": "subdomain"})...)
	}
	if len(hosts) != len(whole) {
		t.Errorf("%d pages of the hosts, %d of the root domain", len(hosts), len(whole))
	}
	byDefault := pageThrough[object](t, s, "top_pages", object{"target": "rivalgear.example"})
	if diff := cmp.Diff(whole, byDefault); diff != "" {
		t.Errorf("the default scope is another than root_domain:\n%s", diff)
	}
}

func TestTopPagesFilterAndSort(t *testing.T) {
	s := New(Options{})
	base := object{"target": "acme-outdoor.example", "scope": "root_domain"}
	whole := pageThrough[object](t, s, "top_pages", base)
	for _, sort := range []string{"page_authority", "root_domains_to_page", "external_pages_to_page"} {
		list := pageThrough[object](t, s, "top_pages", with(base, "sort", sort))
		if len(list) != len(whole) || !slices.IsSortedFunc(list, func(a, b object) int { return int(b[sort].(float64) - a[sort].(float64)) }) ||
			list[0][sort] == list[len(list)-1][sort] {
			t.Errorf("%s does not descend", sort)
		}
	}
	for filter, fits := range map[string]func(code float64) bool{
		"all": func(float64) bool { return true }, "status_200": func(c float64) bool { return c == 200 },
		"status_301": func(c float64) bool { return c == 301 }, "status_302": func(c float64) bool { return c == 302 },
		"status_4xx": func(c float64) bool { return c >= 400 && c < 500 }, "status_5xx": func(c float64) bool { return c >= 500 },
	} {
		want := slices.DeleteFunc(slices.Clone(whole), func(p object) bool { return !fits(p["http_code"].(float64)) })
		got := pageThrough[object](t, s, "top_pages", with(base, "filter", filter))
		if diff := cmp.Diff(want, append([]object{}, got...)); diff != "" || len(want) == 0 && filter != "status_5xx" {
			t.Errorf("%s: %d pages, want %d", filter, len(got), len(want))
		}
	}
}

func TestGlobalListsStopAtFiveHundred(t *testing.T) {
	s := New(Options{})
	pages := pageThrough[siteRow](t, s, "global_top_pages", object{})
	if len(pages) != 500 || !slices.IsSortedFunc(pages, func(a, b siteRow) int { return b.PA - a.PA }) {
		t.Errorf("%d pages, or out of order", len(pages))
	}
	domains := pageThrough[domainRow](t, s, "global_top_root_domains", object{})
	if len(domains) != 500 || !slices.IsSortedFunc(domains, func(a, b domainRow) int { return b.DA - a.DA }) {
		t.Errorf("%d domains, or out of order", len(domains))
	}
	seen := map[string]bool{}
	for _, d := range domains {
		if seen[d.RootDomain] || d.ToTarget != (domainRow{}.ToTarget) || d.Gained != "" {
			t.Fatalf("%+v", d)
		}
		seen[d.RootDomain] = true
	}
	largest := s.Graph().Largest(5)
	for _, name := range largest {
		if !seen[name] {
			t.Errorf("%s is not among the top domains", name)
		}
	}
	if rows := s.Meter().Rows; rows != 1000 {
		t.Errorf("%d rows billed", rows)
	}
}

func TestBatchEndpointsBillByWeight(t *testing.T) {
	for _, test := range []struct {
		path string
		body object
		want int64
	}{
		{"link_intersect", object{"positive_targets": []object{at("rivalgear.example", "root_domain")}, "limit": 7}, 35},
		{"link_intersect", object{"positive_targets": []object{at("quietpeak.example", "page")}}, 0},
		{"link_status", object{"target": "rivalgear.example", "sources": []string{"a.example", "b.example", "c.example"}}, 6},
		{"final_redirect", object{"page": "rivalgear.example"}, 1},
		{"global_top_pages", object{"limit": 3}, 3},
		{"global_top_root_domains", object{}, 25},
		{"top_pages", object{"target": "rivalgear.example", "limit": 4}, 4},
		{"top_pages", object{"target": "rivalgear.example", "limit": 4, "daily_history_values": []string{"page_authority", "pages_to_page"},
			"monthly_history_deltas": []string{"pages_to_page"}}, 16},
		{"url_metrics", object{"targets": []string{"a.example", "rivalgear.example"}}, 2},
		{"url_metrics", object{"targets": []string{"a.example", "rivalgear.example"}, "distributions": true,
			"daily_history_deltas": []string{"pages_to_page", "domain_authority"}, "monthly_history_values": []string{"page_authority"}}, 10},
		{"url_metrics", object{"targets": []string{"rivalgear.example"}, "distributions": false, "daily_history_deltas": []string{}}, 1},
		{"index_metadata", object{}, 0},
		{"usage_data", object{}, 0},
	} {
		s := New(Options{})
		code, raw := call(t, s, test.path, test.body)
		var used struct {
			Rows int64 `json:"rows_consumed"`
		}
		_, usage := call(t, s, "usage_data", object{})
		if err := json.Unmarshal(usage, &used); err != nil {
			t.Fatal(err)
		}
		if code != 200 || s.Meter().Rows != test.want || used.Rows != test.want {
			t.Errorf("%s %v: %d, %d rows, want %d: %.200s", test.path, test.body, code, s.Meter().Rows, test.want, raw)
		}
	}
}

func TestBatchesAndIntersectionsHaveBounds(t *testing.T) {
	s := New(Options{})
	many := func(n int) []string { return slices.Repeat([]string{"a.example"}, n) }
	sites := func(n int) []object { return slices.Repeat([]object{at("a.example", "page")}, n) }
	for _, test := range []struct {
		path string
		body object
		want int
	}{
		{"url_metrics", object{}, 400}, {"url_metrics", object{"targets": []string{}}, 400}, {"url_metrics", object{"targets": "a.example"}, 400},
		{"url_metrics", object{"targets": many(50)}, 200}, {"url_metrics", object{"targets": many(51)}, 400},
		{"url_metrics", object{"targets": []string{"a.example", ""}}, 400}, {"url_metrics", object{"targets": many(1), "distributions": 1}, 400},
		{"url_metrics", object{"targets": many(1), "daily_history_values": "page_authority"}, 400},
		{"url_metrics", object{"targets": many(1), "daily_history_values": []string{"page_authority", "page_authority"}}, 400},
		{"url_metrics", object{"targets": many(1), "monthly_history_values": []string{"SpamScore"}}, 500},
		{"url_metrics", object{"targets": many(1), "daily_history_deltas": []string{"deleted_pages_to_page"}}, 500},
		{"url_metrics", object{"targets": many(1), "daily_history_deltas": []string{"pages_to_root_domain_by_spam_score"}}, 500},
		{"url_metrics", object{"targets": many(1), "daily_history_values": []string{"pages_to_root_domain_by_spam_score"}}, 200},
		{"url_metrics", object{"targets": many(1), "daily_history_values": []string{"root_domains_to_page_by_spam_score"}}, 500},
		{"top_pages", object{"target": "a.example", "daily_history_values": []string{"x"}}, 500},
		{"top_pages", object{}, 400}, {"top_pages", object{"target": "a.example", "scope": "page"}, 400},
		{"top_pages", object{"target": "a.example", "filter": "status_404"}, 400}, {"top_pages", object{"target": "a.example", "sort": "title"}, 400},
		{"link_status", object{"target": "a.example"}, 400}, {"link_status", object{"sources": many(1)}, 400},
		{"link_status", object{"target": "a.example", "sources": many(51)}, 400}, {"link_status", object{"target": "a.example", "sources": many(50)}, 200},
		{"link_status", object{"target": "a.example", "sources": many(1), "source_scope": "domain"}, 400},
		{"link_intersect", object{}, 400}, {"link_intersect", object{"positive_targets": []object{}}, 400},
		{"link_intersect", object{"positive_targets": sites(6)}, 200}, {"link_intersect", object{"positive_targets": sites(7)}, 400},
		{"link_intersect", object{"positive_targets": sites(3), "negative_targets": sites(3)}, 200},
		{"link_intersect", object{"positive_targets": sites(3), "negative_targets": sites(4)}, 400},
		{"link_intersect", object{"positive_targets": []object{{"target": "a.example"}}}, 400},
		{"link_intersect", object{"positive_targets": []object{{"scope": "page"}}}, 400},
		{"link_intersect", object{"positive_targets": []any{"a.example"}}, 400}, {"link_intersect", object{"positive_targets": []any{nil}}, 400},
		{"link_intersect", object{"positive_targets": sites(2), "min_matching_targets": 3}, 400},
		{"link_intersect", object{"positive_targets": sites(2), "min_matching_targets": 0}, 400},
		{"link_intersect", object{"positive_targets": sites(2), "source_scope": "subdomain"}, 400},
		{"link_intersect", object{"positive_targets": sites(2), "sort": "source_page_authority"}, 400},
		{"final_redirect", object{}, 400}, {"global_top_pages", object{"limit": 51}, 400}, {"global_top_root_domains", object{"limit": 0}, 400},
	} {
		before := s.Meter().Rows
		if code, raw := call(t, s, test.path, test.body); code != test.want {
			t.Errorf("%s %v: %d, want %d: %.200s", test.path, test.body, code, test.want, raw)
		} else if code != 200 && (s.Meter().Rows != before || !strings.Contains(string(raw), `"message"`)) {
			t.Errorf("%s %v: billed, or without a message: %s", test.path, test.body, raw)
		}
	}
}
