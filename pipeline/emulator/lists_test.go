package emulator

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type question struct {
	target, scope string
	day           int
}

// questions are targets of all sizes at all scopes on several days; the largest only once, for time.
func questions(s *Server) []question {
	out := []question{{"rivalgear.example", "root_domain", 1}}
	g := s.Graph()
	names := append([]string{"trailhead-co.example", "pinecone-packs.example", "tiny-tarps.example", "quietpeak.example",
		"xn--bcher-kva.example", "no-such.example"}, g.Between(5, 40, 3)...)
	for _, name := range names {
		for _, day := range []int{0, 150} {
			out = append(out, question{name, "root_domain", day})
			for _, host := range g.Hosts(name) {
				out = append(out, question{host, "subdomain", day})
			}
			for _, page := range g.Pages(name, 2) {
				out = append(out, question{page, "page", day})
			}
		}
	}
	return out
}

func TestAnchorTextEqualsTheAggregateOfLinks(t *testing.T) {
	s := New(Options{})
	total := 0
	for _, q := range questions(s) {
		s.SetDay(q.day)
		got := map[string]anchorRow{}
		list := pageThrough[anchorRow](t, s, "anchor_text", object{"target": q.target, "scope": q.scope})
		for i, a := range list {
			got[a.AnchorText] = a
			if i > 0 && a.ExternalRootDomains > list[i-1].ExternalRootDomains {
				t.Fatalf("%v: row %d is out of order", q, i)
			}
		}
		if len(got) != len(list) {
			t.Fatalf("%v: an anchor is listed twice", q)
		}
		domains, pages := map[string]map[string]bool{}, map[string]map[string]bool{}
		for _, l := range pageThrough[linkRow](t, s, "links", object{"target": q.target, "target_scope": q.scope, "filter": "external+follow+not_deleted"}) {
			if domains[l.AnchorText] == nil {
				domains[l.AnchorText], pages[l.AnchorText] = map[string]bool{}, map[string]bool{}
			}
			domains[l.AnchorText][l.Source.RootDomain] = true
			pages[l.AnchorText][l.Source.Page] = true
		}
		want := map[string]anchorRow{}
		for text := range domains {
			want[text] = anchorRow{text, len(domains[text]), len(pages[text])}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%v: links and anchor_text disagree (-links +anchor_text):\n%s", q, diff)
		}
		total += len(got)
	}
	if total < 3000 {
		t.Errorf("only %d anchors were compared", total)
	}
}

func TestLinkingRootDomainsEqualTheGroupingOfLinks(t *testing.T) {
	s := New(Options{})
	total, lost := 0, 0
	for _, q := range questions(s) {
		s.SetDay(q.day)
		want := map[string]domainRow{}
		for name, group := range groupByDomain(pageThrough[linkRow](t, s, "links", object{"target": q.target, "target_scope": q.scope})) {
			want[name] = grouped(group)
		}
		got := map[string]domainRow{}
		for _, d := range pageThrough[domainRow](t, s, "linking_root_domains", object{"target": q.target, "target_scope": q.scope}) {
			if _, twice := got[d.RootDomain]; twice {
				t.Fatalf("%v: %s is listed twice", q, d.RootDomain)
			}
			got[d.RootDomain] = d
			if d.ToTarget.Pages == 0 {
				lost++
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%v: links and linking_root_domains disagree (-links +linking_root_domains):\n%s", q, diff)
		}
		total += len(got)
	}
	if total < 3000 || lost < 100 {
		t.Errorf("only %d domains were compared, %d of them lost", total, lost)
	}
}

func groupByDomain(links []linkRow) map[string][]linkRow {
	out := map[string][]linkRow{}
	for _, l := range links {
		out[l.Source.RootDomain] = append(out[l.Source.RootDomain], l)
	}
	return out
}

// grouped sums up a domain's links as section 4.3 describes them.
func grouped(links []linkRow) (d domainRow) {
	byPage := map[string][]linkRow{}
	for _, l := range links {
		s := l.Source
		d.RootDomain, d.ToDomain, d.DA, d.Propensity, d.Spam = s.RootDomain, s.ToDomain, s.DA, s.Propensity, s.Spam
		byPage[s.Page] = append(byPage[s.Page], l)
	}
	for _, links := range byPage {
		live := slices.DeleteFunc(links, func(l linkRow) bool { return l.Disappeared != "" })
		if len(live) == 0 {
			d.ToTarget.Deleted++
			continue
		}
		d.ToTarget.Pages++
		if !slices.ContainsFunc(live, func(l linkRow) bool { return !l.Nofollow }) {
			d.ToTarget.Nofollow++
		}
		if slices.ContainsFunc(live, func(l linkRow) bool { return l.Redirect }) {
			d.ToTarget.Redirect++
		}
	}
	return d
}

func TestMetricsOfTheTargetEqualTheCountsOfItsLists(t *testing.T) {
	s := New(Options{})
	for _, name := range []string{"rivalgear.example", "trailhead-co.example"} {
		links := pageThrough[linkRow](t, s, "links", object{"target": name, "target_scope": "root_domain", "filter": "external+not_deleted"})
		if got, want := links[0].Target.ToDomain, len(groupByDomain(links)); got != want {
			t.Errorf("%s: root_domains_to_root_domain is %d, %d are listed", name, got, want)
		}
	}
}

func TestLinkFiltersDivideTheList(t *testing.T) {
	s := New(Options{Day: 100})
	ask := func(filter string) []linkRow {
		return pageThrough[linkRow](t, s, "links", object{"target": "trailhead-co.example", "target_scope": "root_domain", "filter": filter})
	}
	all := ask("external")
	for _, pair := range [][2]string{{"follow", "nofollow"}, {"deleted", "not_deleted"}, {"redirect", "not_redirect"},
		{"rel_canonical", "not_rel_canonical"}, {"via_redirect", "not_via_redirect"}, {"via_rel_canonical", "not_via_rel_canonical"}} {
		a, b := ask("external+"+pair[0]), ask(pair[1]+"+external")
		if len(a)+len(b) != len(all) {
			t.Errorf("%v: %d and %d links of %d", pair, len(a), len(b), len(all))
		}
	}
	for _, l := range ask("external+lost_last_60_days") {
		if l.Disappeared <= "2026-02-10" || l.Disappeared > "2026-04-11" {
			t.Errorf("lost on %s, more than 60 days before 2026-04-11", l.Disappeared)
		}
	}
	gained := ask("external+gained_last_60_days")
	if len(gained) == 0 || len(gained) == len(all) {
		t.Errorf("%d of %d links were gained in 60 days", len(gained), len(all))
	}
	for _, l := range all {
		if l.FirstSeen > l.LastSeen || l.LastSeen > "2026-04-11" || l.Disappeared != "" && l.Disappeared <= l.LastSeen {
			t.Fatalf("dates out of order: %+v", l)
		}
	}
	if inside := ask("follow"); !slices.ContainsFunc(inside, func(l linkRow) bool { return l.Source.RootDomain == "trailhead-co.example" }) {
		t.Error("without external there are no internal links")
	}
}

func TestEverySortDescends(t *testing.T) {
	s := New(Options{})
	value := map[string]func(linkRow) float64{
		"source_page_authority":              func(l linkRow) float64 { return float64(l.Source.PA) },
		"source_domain_authority":            func(l linkRow) float64 { return float64(l.Source.DA) },
		"source_spam_score":                  func(l linkRow) float64 { return float64(l.Source.Spam) },
		"source_link_propensity":             func(l linkRow) float64 { return l.Source.Propensity },
		"root_domains_to_source_page":        func(l linkRow) float64 { return float64(l.Source.ToPage) },
		"root_domains_to_source_root_domain": func(l linkRow) float64 { return float64(l.Source.ToDomain) },
	}
	for sort, of := range value {
		links := pageThrough[linkRow](t, s, "links", object{"target": "trailhead-co.example", "target_scope": "root_domain", "sort": sort})
		if !slices.IsSortedFunc(links, func(a, b linkRow) int { return int(1e9 * (of(b) - of(a))) }) {
			t.Errorf("%s does not descend", sort)
		}
		if of(links[0]) == of(links[len(links)-1]) {
			t.Errorf("%s has one value only, which proves nothing", sort)
		}
	}
	for _, sort := range []string{"date_gained", "date_lost"} {
		list := pageThrough[domainRow](t, s, "linking_root_domains", object{"target": "rivalgear.example", "target_scope": "root_domain", "sort": sort,
			"begin_date": "2025-10-01", "end_date": "2025-12-31"})
		if len(list) < 5 {
			t.Errorf("%s: only %d rows", sort, len(list))
		}
		last := "2025-12-31"
		for _, d := range list {
			date := d.Gained + d.Lost
			if date > last || date < "2025-10-01" || (d.Gained == "") != (sort == "date_lost") {
				t.Fatalf("%s: %+v after %s", sort, d, last)
			}
			last = date
		}
	}
}

func TestNegativeDomainFiltersNeedAllLinksToMatch(t *testing.T) {
	s := New(Options{})
	base := object{"target": "rivalgear.example", "target_scope": "root_domain"}
	with := func(filter string) object {
		return object{"target": base["target"], "target_scope": "root_domain", "filter": filter}
	}
	want := map[string]bool{}
	for name, links := range groupByDomain(pageThrough[linkRow](t, s, "links", base)) {
		if !slices.ContainsFunc(links, func(l linkRow) bool { return l.Disappeared != "" }) {
			want[name] = true
		}
	}
	got := map[string]bool{}
	for _, d := range pageThrough[domainRow](t, s, "linking_root_domains", with("external+not_deleted")) {
		got[d.RootDomain] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSourceScopeKeepsTheBestLinkOfEach(t *testing.T) {
	s := New(Options{})
	base := object{"target": "rivalgear.example", "target_scope": "root_domain", "sort": "root_domains_to_source_page"}
	all := pageThrough[linkRow](t, s, "links", base)
	for scope, of := range map[string]func(linkRow) string{
		"subdomain":   func(l linkRow) string { return l.Source.Subdomain },
		"root_domain": func(l linkRow) string { return l.Source.RootDomain },
	} {
		var want []linkRow
		seen := map[string]bool{}
		for _, l := range all {
			if !seen[of(l)] {
				seen[of(l)] = true
				want = append(want, l)
			}
		}
		base["source_scope"] = scope
		if diff := cmp.Diff(want, pageThrough[linkRow](t, s, "links", base)); diff != "" || len(want) == len(all) {
			t.Errorf("%s: %d of %d\n%s", scope, len(want), len(all), diff)
		}
	}
	host := all[0].Source.Subdomain
	for _, l := range all { // a host with several links
		if n := len(slices.DeleteFunc(slices.Clone(all), func(o linkRow) bool { return o.Source.Subdomain != l.Source.Subdomain })); n > 1 {
			host = l.Source.Subdomain
			break
		}
	}
	delete(base, "source_scope")
	base["subdomains_limited_to_one"] = []string{host}
	limited := pageThrough[linkRow](t, s, "links", base)
	n := 0
	for _, l := range limited {
		if l.Source.Subdomain == host {
			n++
		}
	}
	if n != 1 || len(limited) >= len(all) {
		t.Errorf("%d links of %s, %d of %d altogether", n, host, len(limited), len(all))
	}
}

func TestAnchorAndSourceFiltersSelect(t *testing.T) {
	s := New(Options{})
	ask := func(name, value string) []linkRow {
		return pageThrough[linkRow](t, s, "links", object{"target": "rivalgear.example", "target_scope": "root_domain", name: value})
	}
	all := pageThrough[linkRow](t, s, "links", object{"target": "rivalgear.example", "target_scope": "root_domain"})
	count := func(fits func(linkRow) bool) int {
		return len(slices.DeleteFunc(slices.Clone(all), func(l linkRow) bool { return !fits(l) }))
	}
	for name, test := range map[string]struct {
		got  []linkRow
		want int
	}{
		"normalised":    {ask("anchor_text", " <b>RivalGear</b> "), count(func(l linkRow) bool { return l.AnchorText == "rivalgear" })},
		"none":          {ask("anchor_text", "\x00"), count(func(l linkRow) bool { return l.AnchorText == "" })},
		"source domain": {ask("source_root_domain", "megamart.example"), count(func(l linkRow) bool { return l.Source.RootDomain == "megamart.example" })},
	} {
		if len(test.got) != test.want || test.want == 0 {
			t.Errorf("%s: %d links, want %d", name, len(test.got), test.want)
		}
	}
}

var wire = strings.Fields(`page subdomain root_domain title last_crawled http_code
	pages_to_page nofollow_pages_to_page redirect_pages_to_page external_pages_to_page external_nofollow_pages_to_page
	external_redirect_pages_to_page deleted_pages_to_page root_domains_to_page indirect_root_domains_to_page
	deleted_root_domains_to_page nofollow_root_domains_to_page
	pages_to_subdomain nofollow_pages_to_subdomain redirect_pages_to_subdomain external_pages_to_subdomain
	external_nofollow_pages_to_subdomain external_redirect_pages_to_subdomain deleted_pages_to_subdomain root_domains_to_subdomain
	deleted_root_domains_to_subdomain nofollow_root_domains_to_subdomain
	pages_to_root_domain nofollow_pages_to_root_domain redirect_pages_to_root_domain external_pages_to_root_domain
	external_indirect_pages_to_root_domain external_nofollow_pages_to_root_domain external_redirect_pages_to_root_domain
	deleted_pages_to_root_domain root_domains_to_root_domain indirect_root_domains_to_root_domain deleted_root_domains_to_root_domain
	nofollow_root_domains_to_root_domain page_authority domain_authority link_propensity spam_score
	root_domains_from_page nofollow_root_domains_from_page pages_from_page nofollow_pages_from_page
	root_domains_from_root_domain nofollow_root_domains_from_root_domain pages_from_root_domain nofollow_pages_from_root_domain
	pages_crawled_from_root_domain`)

func TestLinksCarryThe52FieldsInWireOrder(t *testing.T) {
	if len(wire) != 52 {
		t.Fatal(len(wire))
	}
	s := New(Options{})
	_, body := call(t, s, "links", object{"target": "rivalgear.example/", "limit": 1})
	var page struct{ Results []map[string]json.RawMessage }
	if err := json.Unmarshal(body, &page); err != nil {
		t.Fatal(err)
	}
	for _, side := range []string{"source", "target"} {
		var names []string
		for _, m := range regexp.MustCompile(`(?:^\{|, )"(\w+)":`).FindAllSubmatch(page.Results[0][side], -1) {
			names = append(names, string(m[1]))
		}
		if diff := cmp.Diff(wire, names); diff != "" {
			t.Errorf("%s:\n%s", side, diff)
		}
	}
}

func TestPropensityIsTheQuotientAsAFloat32(t *testing.T) {
	s := New(Options{})
	for _, l := range pageThrough[object](t, s, "links", object{"target": "pinecone-packs.example", "target_scope": "root_domain"}) {
		m := l["source"].(object)
		quotient := float32(m["root_domains_from_root_domain"].(float64) / m["pages_crawled_from_root_domain"].(float64))
		if got, want := fmt.Sprint(m["link_propensity"]), fmt.Sprintf("%.10g", float64(quotient)); fmt.Sprintf("%.10g", m["link_propensity"]) != want {
			t.Errorf("%v: link_propensity %s, want %s", m["page"], got, want)
		}
	}
}
