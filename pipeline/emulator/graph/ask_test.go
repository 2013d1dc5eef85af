package graph

import (
	"slices"
	"testing"
)

func TestLinkedAgreesWithTheListOfLinks(t *testing.T) {
	v := web.At(50)
	yes := 0
	for _, name := range []string{"rivalgear.example", "tiny-tarps.example", "trailhead-co.example"} {
		for _, scope := range []Scope{Page, Host, Domain} {
			target, _ := web.Find(name, scope)
			want := map[PageID]bool{}
			for _, id := range v.InLinks(target) {
				l := v.Link(id)
				want[l.Source] = want[l.Source] || l.Live
			}
			for p := range want {
				if got := v.Linked(pageTarget(p), target); got != want[p] {
					t.Fatalf("%s links to %s: %v, want %v", web.PageName(p), name, got, want[p])
				}
				if want[p] {
					yes++
					if !v.Linked(web.siteOf(web.DomainOf(p)), target) || !v.Linked(web.hostTarget(web.HostOf(p)), target) {
						t.Fatalf("the site of %s does not link to %s", web.PageName(p), name)
					}
				}
			}
		}
	}
	if yes < 1000 {
		t.Errorf("only %d links were looked at", yes)
	}
	acme, _ := web.Find("acme-outdoor.example", Domain)
	if v.Linked(acme, Target{}) || v.Linked(Target{}, acme) {
		t.Error("nothing is linked")
	}
}

func TestTopListsDescendAndMissNobody(t *testing.T) {
	v := web.At(7)
	pages := v.TopPages(500)
	if len(pages) != 500 {
		t.Fatalf("%d pages", len(pages))
	}
	if !slices.IsSortedFunc(pages, func(a, b PageID) int {
		if d := v.PageAuthority(b) - v.PageAuthority(a); d != 0 {
			return d
		}
		return int(a) - int(b)
	}) {
		t.Error("the pages are out of order")
	}
	last, listed := v.PageAuthority(pages[499]), map[PageID]bool{}
	for _, p := range pages {
		listed[p] = true
	}
	for p := range web.pages {
		if v.PageAuthority(PageID(p)) > last && !listed[PageID(p)] {
			t.Fatalf("%s is missing", web.PageName(PageID(p)))
		}
	}
	domains := v.TopDomains(3)
	if len(domains) != 3 || v.DomainAuthority(domains[0]) < v.DomainAuthority(domains[2]) {
		t.Errorf("%v", domains)
	}
}

func TestLookupSaysWhatItKnowsOfAnUnknownPage(t *testing.T) {
	v := web.At(0)
	known, _ := v.Lookup("rivalgear.example/")
	page, ok := v.Lookup("RivalGear.example/no/such/page")
	if !ok || page.ToDomain != known.ToDomain || page.ToHost != known.ToHost || page.ToPage != (Counts{}) || page.PageAuthority != 1 ||
		page.DomainAuthority != known.DomainAuthority || page.HTTPCode != 0 || page.Page != "rivalgear.example/no/such/page" {
		t.Errorf("%+v", page)
	}
	if stranger, ok := v.Lookup("no-such.example/x"); ok || stranger != (Metrics{Page: "no-such.example/x", Host: "no-such.example",
		Domain: "no-such.example", PageAuthority: 1, DomainAuthority: 1, SpamScore: -1}) {
		t.Errorf("%v %+v", ok, stranger)
	}
}
