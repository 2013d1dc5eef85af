package emulator

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type intersectRow struct {
	Page    string `json:"page"`
	Title   string `json:"title"`
	DA      int    `json:"domain_authority"`
	Spam    int    `json:"spam_score"`
	Indexes []int  `json:"matching_target_indexes"`
	Sources []struct {
		Page string `json:"page"`
		PA   int    `json:"page_authority"`
	} `json:"matching_source_pages"`
}

func at(target, scope string) object { return object{"target": target, "scope": scope} }

// liveSources asks the list of links which pages link to a target now, each with its row.
func liveSources(t testing.TB, s *Server, target object) map[string]siteRow {
	out := map[string]siteRow{}
	body := object{"target": target["target"], "target_scope": target["scope"], "filter": "external+not_deleted"}
	for _, l := range pageThrough[linkRow](t, s, "links", body) {
		out[l.Source.Page] = l.Source
	}
	return out
}

func TestLinkIntersectIsTheSetAlgebraOfLinks(t *testing.T) {
	s := New(Options{Day: 40})
	rival, trails := at("rivalgear.example", "root_domain"), at("www.trailhead-co.example", "subdomain")
	summit, trail := at("summit-supply.example", "root_domain"), at("www.trailhead-co.example/", "page")
	books, none := at("xn--bcher-kva.example", "root_domain"), at("no-such.example", "root_domain")
	asked := map[string]map[string]siteRow{}
	sourcesOf := func(target object) map[string]siteRow {
		name := target["target"].(string)
		if asked[name] == nil {
			asked[name] = liveSources(t, s, target)
		}
		return asked[name]
	}
	total, several := 0, 0
	for i, test := range []struct {
		positive, negative []object
		min                int
	}{
		{positive: []object{rival, summit}, min: 1},
		{positive: []object{summit, rival, trails}, negative: []object{trail}, min: 2},
		{positive: []object{trail, none, rival, summit}, min: 1},
		{positive: []object{rival, summit, trail, trails}, negative: []object{books, none}, min: 2},
		{positive: []object{none}, min: 1},
	} {
		for _, scope := range []string{"page", "root_domain"} {
			name := func(site siteRow) string {
				if scope == "page" {
					return site.Page
				}
				return site.RootDomain
			}
			want := map[string][]int{}
			for k, target := range test.positive {
				for _, source := range sourcesOf(target) {
					if hits := want[name(source)]; len(hits) == 0 || hits[len(hits)-1] != k {
						want[name(source)] = append(hits, k)
					}
				}
			}
			for key, hits := range want {
				if len(hits) < test.min {
					delete(want, key)
				}
			}
			for _, target := range test.negative {
				for _, source := range sourcesOf(target) {
					delete(want, name(source))
				}
			}
			body := object{"positive_targets": test.positive, "source_scope": scope, "min_matching_targets": test.min}
			if test.negative != nil {
				body["negative_targets"] = test.negative
			}
			got := map[string][]int{}
			list := pageThrough[intersectRow](t, s, "link_intersect", body)
			for k, row := range list {
				got[row.Page] = row.Indexes
				if k > 0 && len(list[k-1].Indexes) < len(row.Indexes) {
					t.Fatalf("test %d, %s: row %d is out of order", i, scope, k)
				}
				if scope == "root_domain" && row.Title != "" || row.Sources != nil {
					t.Fatalf("test %d: %+v", i, row)
				}
				if len(row.Indexes) > 1 {
					several++
				}
			}
			if diff := cmp.Diff(want, got); diff != "" || len(list) != len(got) {
				t.Fatalf("test %d, %s (-links +link_intersect):\n%s", i, scope, diff)
			}
			total += len(got)
		}
	}
	if total < 2000 || several < 100 {
		t.Errorf("%d sources were compared, %d of them link to several targets", total, several)
	}
}

func TestLinkIntersectSortsAndDescribesItsSources(t *testing.T) {
	s := New(Options{MatchingSourcePages: true})
	rival := at("rivalgear.example", "root_domain")
	sources := liveSources(t, s, rival)
	for sort, of := range map[string]func(intersectRow) int{
		"source_domain_authority": func(r intersectRow) int { return r.DA },
		"source_spam_score":       func(r intersectRow) int { return r.Spam },
	} {
		list := pageThrough[intersectRow](t, s, "link_intersect", object{"positive_targets": []object{rival}, "sort": sort})
		if !slices.IsSortedFunc(list, func(a, b intersectRow) int { return of(b) - of(a) }) || of(list[0]) == of(list[len(list)-1]) {
			t.Errorf("%s does not descend", sort)
		}
		titles := 0
		for _, r := range list {
			if site := sources[r.Page]; site.DA != r.DA || site.Spam != r.Spam || site.Title != r.Title || r.Sources != nil {
				t.Fatalf("%+v, but links has %+v", r, site)
			}
			if r.Title != "" {
				titles++
			}
		}
		if titles == 0 {
			t.Error("no source has a title")
		}
	}
	byDomain := map[string]map[string]int{}
	for page, site := range sources {
		if byDomain[site.RootDomain] == nil {
			byDomain[site.RootDomain] = map[string]int{}
		}
		byDomain[site.RootDomain][page] = site.PA
	}
	many := 0
	for _, r := range pageThrough[intersectRow](t, s, "link_intersect", object{"positive_targets": []object{rival}, "source_scope": "root_domain"}) {
		got := map[string]int{}
		for i, p := range r.Sources {
			got[p.Page] = p.PA
			if i > 0 && r.Sources[i-1].PA < p.PA {
				t.Fatalf("%s: the pages are out of order", r.Page)
			}
		}
		if diff := cmp.Diff(byDomain[r.Page], got); diff != "" {
			t.Fatalf("%s:\n%s", r.Page, diff)
		}
		if len(got) > 1 {
			many++
		}
	}
	if many == 0 {
		t.Error("no root domain links from several pages")
	}
}

func TestLinkStatusAgreesWithLinks(t *testing.T) {
	s := New(Options{})
	strangers := []string{"no-such.example/x", "quietpeak.example/", "quietpeak.example"}
	yes, no := 0, 0
	for _, q := range questions(s) {
		s.SetDay(q.day)
		live := map[string]map[string]bool{"page": {}, "subdomain": {}, "root_domain": {}}
		known := map[string]map[string]bool{"page": {}, "subdomain": {}, "root_domain": {}}
		body := object{"target": q.target, "target_scope": q.scope, "source_scope": "page"}
		for _, filter := range []string{"not_deleted", "deleted"} {
			for _, l := range pageThrough[linkRow](t, s, "links", with(body, "filter", filter)) {
				for scope, name := range map[string]string{"page": l.Source.Page, "subdomain": l.Source.Subdomain, "root_domain": l.Source.RootDomain} {
					known[scope][name] = true
					live[scope][name] = live[scope][name] || filter == "not_deleted"
				}
			}
		}
		for scope, names := range known {
			var sources []string
			for name := range names {
				sources = append(sources, name)
			}
			slices.Sort(sources)
			for batch := range slices.Chunk(append(sources, strangers...), 50) {
				got := status(t, s, with(body, "sources", batch, "source_scope", scope))
				if len(got) != len(batch) {
					t.Fatalf("%d answers to %d sources", len(got), len(batch))
				}
				for i, exists := range got {
					if exists != live[scope][batch[i]] {
						t.Fatalf("%v: %s at %s scope links: %v, links says %v", q, batch[i], scope, exists, !exists)
					}
					if exists {
						yes++
					} else {
						no++
					}
				}
			}
		}
	}
	if yes < 1000 || no < 500 {
		t.Errorf("%d sources link, %d do not", yes, no)
	}
}

func status(t testing.TB, s *Server, body object) []bool {
	t.Helper()
	return decode[struct{ Exists []bool }](t, s, "link_status", body).Exists
}

func TestFinalRedirectIsWhereTheListOfLinksSaysThePageRedirects(t *testing.T) {
	s := New(Options{})
	ask := func(page string) string {
		return decode[struct{ Page string }](t, s, "final_redirect", object{"page": page}).Page
	}
	redirects := 0
	for _, l := range pageThrough[linkRow](t, s, "links", object{"target": "trailhead-co.example", "target_scope": "root_domain", "filter": "redirect"}) {
		redirects++
		if got := ask(l.Source.Page); got != l.Target.Page {
			t.Errorf("%s redirects to %q, want %q", l.Source.Page, got, l.Target.Page)
		}
	}
	if redirects < 2 {
		t.Errorf("only %d redirects", redirects)
	}
	for _, page := range []string{"www.trailhead-co.example", "no-such.example/x", "rivalgear.example/"} {
		if got := ask(page); got != "" {
			t.Errorf("%s redirects to %q", page, got)
		}
	}
}

func TestBatchesAnswerOutOfStepOnRequest(t *testing.T) {
	sources := []string{"www.megamart.example/", "acme-outdoor.example", "tiny-tarps.example"}
	body := object{"targets": sources}
	names := func(f Faults) (names []string) {
		s := New(Options{Faults: f})
		for _, m := range decode[struct{ Results []siteRow }](t, s, "url_metrics", body).Results {
			names = append(names, m.Subdomain)
		}
		if n := len(status(t, s, object{"target": "rivalgear.example", "sources": sources})); n != len(names) {
			t.Errorf("%+v: %d metrics, %d of the status", f, len(names), n)
		}
		if rows := s.Meter().Rows; rows != 3+6 {
			t.Errorf("%+v: %d rows billed, want them billed as asked", f, rows)
		}
		return names
	}
	for text, want := range map[string]string{
		"":             "[www.megamart.example acme-outdoor.example tiny-tarps.example]",
		"short=1":      "[www.megamart.example acme-outdoor.example]",
		"long=1":       "[www.megamart.example acme-outdoor.example tiny-tarps.example tiny-tarps.example]",
		"reorder=1":    "[acme-outdoor.example tiny-tarps.example www.megamart.example]",
		"short=0.0001": "[www.megamart.example acme-outdoor.example tiny-tarps.example]",
	} {
		f, err := ParseFaults(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(names(f)); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
