package emulator

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rpcThrough fetches a whole list in pages of 50.
func rpcThrough(t testing.TB, s *Server, method, list string, data object) (all []object) {
	t.Helper()
	var token any
	for {
		result := ok[map[string]json.RawMessage](t, s, method, with(data, "offset", object{"limit": 50, "token": token}))
		var page []object
		var offset struct {
			Provided any `json:"provided_token"`
			Token    any
			Limit    int
		}
		for name, into := range map[string]any{list: &page, "offset": &offset} {
			if err := json.Unmarshal(result[name], into); err != nil {
				t.Fatalf("%s: %s: %v", method, name, err)
			}
		}
		if offset.Provided != token || offset.Limit != 50 {
			t.Fatalf("%s: %+v", method, offset)
		}
		all = append(all, page...)
		if token = offset.Token; token == nil {
			return all
		}
		if len(page) != 50 {
			t.Fatalf("%s: %d results before the end", method, len(page))
		}
	}
}

var v3Scope = map[string]string{"page": "url", "subdomain": "subdomain", "root_domain": "domain"}

// renamed gives members of V2's rows the names they have in JSON-RPC; "a.b" is taken out of the inner object a.
func renamed(rows []object, names map[string]string) []object {
	var out []object
	for _, row := range rows {
		fresh := object{}
		for name, value := range row {
			inner, nested := value.(object)
			if to, ok := names[name]; ok {
				fresh[to] = value
			} else if nested {
				for k, v := range inner {
					if to, ok := names[name+"."+k]; ok {
						fresh[to] = v
					}
				}
			} else {
				fresh[name] = value
			}
		}
		out = append(out, fresh)
	}
	return out
}

func TestListsOfBothAPIsAreTheSame(t *testing.T) {
	s := New(Options{MatchingSourcePages: true})
	links := map[string]string{"source": "source_site_metrics", "target": "target_site_metrics"}
	for _, q := range []question{{"trailhead-co.example", "root_domain", 1}, {"pinecone-packs.example", "subdomain", 90},
		{"www.trailhead-co.example/", "page", 30}, {"tiny-tarps.example", "root_domain", 200}, {"quietpeak.example", "root_domain", 0}, {"no-such.example", "page", 0}} {
		s.SetDay(q.day)
		site := siteOf(q.target, v3Scope[q.scope])
		v2 := object{"target": q.target, "target_scope": q.scope}
		for name, test := range map[string]struct {
			path, method, list string
			v2, v3             object
			names              map[string]string
		}{
			"anchors": {"anchor_text", "data.site.anchor-text.list", "anchor_texts", object{"target": q.target, "scope": q.scope}, object{},
				map[string]string{"anchor_text": "text"}},
			"links": {"links", "data.site.link.list", "links", v2, object{}, links},
			"links, sorted and filtered": {"links", "data.site.link.list", "links",
				with(v2, "sort", "source_spam_score", "filter", "external+follow+not_deleted", "source_scope", "root_domain"),
				object{"options": object{"sort": "source_spam_score", "filters": []string{"external", "follow", "not_deleted"}, "scope": "domain"}}, links},
			"links by anchor": {"links", "data.site.link.filter.anchor.text", "links", with(v2, "anchor_text", "Trailhead <b>CO"), object{"anchor_text": "Trailhead <b>CO"}, links},
			"links without anchor": {"links", "data.site.link.filter.anchor.text", "links", with(v2, "anchor_text", "\x00", "filter", "nofollow", "sort", "source_domain_authority"),
				object{"anchor_text": nil, "options": object{"filters": []string{"nofollow"}, "sort": "source_domain_authority"}}, links},
			"links by domain": {"links", "data.site.link.filter.domain", "links", with(v2, "source_root_domain", "megamart.example"),
				object{"domain_site_query": siteOf("megamart.example", "domain")}, links},
			"top pages": {"top_pages", "data.site.top-page.list", "top_pages", object{"target": q.target, "scope": "subdomain", "filter": "status_301"},
				object{"site_query": siteOf(q.target, "subdomain"), "options": object{"filter": "status_301"}}, nil},
		} {
			want := renamed(pageThrough[object](t, s, test.path, test.v2), test.names)
			got := rpcThrough(t, s, test.method, test.list, with(object{"site_query": site}, keysAndValues(test.v3)...))
			if !reflect.DeepEqual(want, got) {
				t.Fatalf("%v, %s (-v2 +rpc):\n%.3000s", q, name, cmp.Diff(want, got))
			}
			if len(got) == 0 && q.target == "trailhead-co.example" && name != "top pages" {
				t.Errorf("%v, %s: nothing to compare", q, name)
			}
		}
	}
}

func keysAndValues(o object) (out []any) {
	for k, v := range o {
		out = append(out, k, v)
	}
	return out
}

func TestLinkingDomainsOfBothAPIsAreTheSame(t *testing.T) {
	s := New(Options{Day: 60})
	names := map[string]string{"to_target.pages": "targeted_pages", "to_target.nofollow_pages": "targeted_nofollow_pages",
		"to_target.redirect_pages": "targeted_redirect_pages", "to_target.deleted_pages": "targeted_deleted_pages"}
	site, v2 := siteOf("rivalgear.example", "domain"), object{"target": "rivalgear.example", "target_scope": "root_domain"}
	for _, test := range []struct {
		method, list string
		v2, options  object
	}{
		{"data.site.linking-domain.list", "linking_domains", object{}, object{}},
		{"data.site.linking-domain.list", "linking_domains", object{"sort": "source_link_propensity", "filter": "external+not_deleted"},
			object{"sort": "source_link_propensity", "filters": []string{"external", "not_deleted"}}},
		{"data.site.linking-domain.filter.recently-gained", "gained_linking_domains", object{"sort": "date_gained", "filter": "external+gained_last_60_days"}, object{}},
		{"data.site.linking-domain.filter.recently-lost", "lost_linking_domains",
			object{"sort": "date_lost", "filter": "external+lost_last_60_days", "begin_date": "2026-02-01", "end_date": "2026-02-20"},
			object{"begin_date": "2026-02-01", "end_date": "2026-02-20"}},
	} {
		want := renamed(pageThrough[object](t, s, "linking_root_domains", with(v2, keysAndValues(test.v2)...)), names)
		got := rpcThrough(t, s, test.method, test.list, object{"site_query": site, "options": test.options})
		for _, row := range got {
			metrics := row["site_metrics"].(object)
			delete(row, "site_metrics")
			row["root_domain"] = metrics["root_domain"]
			for _, name := range []string{"domain_authority", "spam_score", "root_domains_to_root_domain"} {
				row[name] = metrics[name]
			}
			if metrics["link_propensity"] != row["link_propensity"] || metrics["page"] != metrics["root_domain"].(string)+"/" {
				t.Fatalf("%v beside %v", metrics, row)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || len(got) < 3 {
			t.Errorf("%s %v, %d rows (-v2 +rpc):\n%.3000s", test.method, test.options, len(got), diff)
		}
	}
}

func TestIntersectionsOfBothAPIsAreTheSame(t *testing.T) {
	s := New(Options{MatchingSourcePages: true})
	rival, summit, trail := "rivalgear.example", "summit-supply.example", "www.trailhead-co.example"
	for scope, source := range map[string]string{"page": "page", "root_domain": "domain"} {
		want := pageThrough[object](t, s, "link_intersect", object{"positive_targets": []object{at(rival, "root_domain"), at(summit, "root_domain")},
			"negative_targets": []object{at(trail, "subdomain")}, "source_scope": scope, "min_matching_targets": 2})
		got := rpcThrough(t, s, "data.site.link.intersect.fetch", "link_intersects", object{"is_linking_to": []object{siteOf(rival, "domain"), siteOf(summit, "domain")},
			"not_linking_to": []object{siteOf(trail, "subdomain")}, "options": object{"scope": source, "minimum_matching_targets": 2}})
		if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
			t.Errorf("%s: %d rows (-v2 +rpc):\n%.3000s", scope, len(got), diff)
		}
	}
}

func TestGlobalListsOfBothAPIsAreTheSame(t *testing.T) {
	s := New(Options{})
	pages := pageThrough[object](t, s, "global_top_pages", object{})
	domains := pageThrough[object](t, s, "global_top_root_domains", object{})
	before := s.Meter().Rows
	var gotPages, gotDomains []object
	for n := range 12 {
		pages := ok[struct{ Top_pages []object }](t, s, "data.global.top-page.list", object{"page": object{"n": n, "limit": 45}}).Top_pages
		domains := ok[struct{ Top_domains []object }](t, s, "data.global.top-domain.list", object{"page": object{"n": n}}).Top_domains
		gotPages, gotDomains = append(gotPages, pages...), append(gotDomains, domains...)
	}
	if diff := cmp.Diff(pages, gotPages); diff != "" {
		t.Errorf("pages:\n%.2000s", diff)
	}
	for i, d := range gotDomains {
		for _, name := range []string{"root_domain", "domain_authority", "spam_score", "link_propensity", "root_domains_to_root_domain"} {
			if d[name] != domains[i][name] {
				t.Fatalf("domain %d: %s is %v, want %v", i, name, d[name], domains[i][name])
			}
		}
	}
	if len(gotDomains) != 500 || s.Meter().Rows != before {
		t.Errorf("%d domains, %d rows billed", len(gotDomains), s.Meter().Rows-before)
	}
	if got := ok[struct{ Top_pages []object }](t, s, "data.global.top-page.list", object{"page": object{"n": 1 << 62}}); len(got.Top_pages) != 0 {
		t.Errorf("%d pages far beyond the end", len(got.Top_pages))
	}
}

func TestAFolderOfJSONRPCHoldsTheLinksToItsPages(t *testing.T) {
	s := New(Options{})
	var want []object
	for _, l := range rpcThrough(t, s, "data.site.link.list", "links", object{"site_query": siteOf("rivalgear.example", "subdomain")}) {
		if strings.HasPrefix(l["target_site_metrics"].(object)["page"].(string), "rivalgear.example/guides/") {
			want = append(want, l)
		}
	}
	got := rpcThrough(t, s, "data.site.link.list", "links", object{"site_query": siteOf("rivalgear.example/guides", "subfolder")})
	if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
		t.Errorf("%d links, want %d", len(got), len(want))
	}
}

func TestAListOfJSONRPCThatFillsItsLastPageHasNoEmptyOne(t *testing.T) {
	s := New(Options{})
	query := object{"site_query": siteOf("tiny-tarps.example", "domain")}
	n := len(rpcThrough(t, s, "data.site.anchor-text.list", "anchor_texts", query))
	got := ok[struct {
		Offset object
		Texts  []object `json:"anchor_texts"`
	}](t, s, "data.site.anchor-text.list", with(query, "offset", object{"limit": n}))
	if token, there := got.Offset["token"]; n < 2 || len(got.Texts) != n || !there || token != nil {
		t.Errorf("%d of %d results, offset %v", len(got.Texts), n, got.Offset)
	}
}

func TestSiteQueriesAreRepeatedAsUnderstood(t *testing.T) {
	s := New(Options{})
	for _, test := range []struct{ query, scope, want string }{
		{"rivalgear.example", "domain", "https://rivalgear.example"},
		{"https://www.acme-outdoor.example", "domain", "https://acme-outdoor.example"},
		{"http://www.acme-outdoor.example/", "subdomain", "http://www.acme-outdoor.example"},
		{"RivalGear.example/blog/x", "url", "https://rivalgear.example/blog/x"},
		{"no-such.example/blog", "domain", "https://no-such.example"},
	} {
		got := ok[object](t, s, "data.site.anchor-text.list", object{"site_query": siteOf(test.query, test.scope)})["site_query"]
		want := object{"query": test.want, "scope": test.scope, "site_query_suggestion": nil, "original_site_query": siteOf(test.query, test.scope)}
		if diff := cmp.Diff(any(want), got); diff != "" {
			t.Errorf("%v:\n%s", test, diff)
		}
	}
	got := ok[struct {
		Site struct {
			Suggestion object `json:"site_query_suggestion"`
		} `json:"site_query"`
	}](t, s, "data.site.metrics.fetch", object{"site_query": siteOf("acme-outdoor.example", "url")}).Site.Suggestion
	if got["query"] != "https://www.acme-outdoor.example" || got["issue"] != "redirect" || got["scope"] != "url" {
		t.Errorf("%v", got)
	}
}

func TestOptionsAreRepeatedWithTheirDefaults(t *testing.T) {
	s := New(Options{})
	site := siteOf("tiny-tarps.example", "domain")
	for _, test := range []struct {
		method  string
		data    object
		options string
	}{
		{"data.site.link.list", object{}, `{"filters":["external"],"sort":"source_page_authority"}`},
		{"data.site.link.list", object{"options": object{"sort": "source_spam_score", "scope": "subdomain", "subdomains_limited_to_one": []string{"b.example", "a.example"}}},
			`{"filters":["external"],"scope":"subdomain","sort":"source_spam_score","subdomains_limited_to_one":["b.example","a.example"]}`},
		{"data.site.linking-domain.list", object{}, `{"filters":["external"],"sort":"source_domain_authority"}`},
		{"data.site.linking-domain.filter.recently-gained", object{"options": object{"end_date": "2026-01-01"}}, `{"begin_date":null,"end_date":"2026-01-01"}`},
		{"data.site.top-page.list", object{}, `{"filter":"all","sort":"page_authority"}`},
		{"data.site.link.intersect.fetch", object{"is_linking_to": []object{site}}, `{"minimum_matching_targets":null,"scope":"page","sort":"matching_target_count"}`},
	} {
		if test.method != "data.site.link.intersect.fetch" {
			test.data["site_query"] = site
		}
		got, err := json.Marshal(ok[object](t, s, test.method, test.data)["options"])
		if err != nil || string(got) != test.options {
			t.Errorf("%s: %s, want %s", test.method, got, test.options)
		}
	}
}

func TestEveryMethodOfTheDocumentsIsThere(t *testing.T) {
	var names []string
	for action, m := range rpcMethods {
		if actionOf(m.name) != action {
			t.Errorf("%s is found as %s", m.name, action)
		}
		names = append(names, m.name)
	}
	if slices.Sort(names); len(names) != 20 {
		t.Errorf("%d methods: %v", len(names), names)
	}
}
