package graph

import (
	"slices"
	"testing"
)

func TestLinksAreTheSameFromBothEnds(t *testing.T) {
	g := New(0)
	v := g.At(0)
	d, _ := g.LookupDomain("summit-supply.example")
	other, _ := g.LookupDomain("megamart.example")
	from := slices.DeleteFunc(v.OutLinks(g.TargetOf(d)), func(id LinkID) bool { return g.DomainOf(v.Link(id).Target) != other })
	to := slices.DeleteFunc(v.InLinks(g.TargetOf(other)), func(id LinkID) bool { return g.DomainOf(v.Link(id).Source) != d })
	if len(from) == 0 || !slices.Equal(from, to) {
		t.Errorf("%d links from one end, %d from the other", len(from), len(to))
	}
	if v.OutLinks(Target{}) != nil {
		t.Error("links from nothing")
	}
}

func TestAnyDayCanBeAskedForWithoutItsView(t *testing.T) {
	g := New(0)
	d, _ := g.LookupDomain("rivalgear.example")
	ids := g.At(Horizon).InLinks(g.TargetOf(d))
	for _, day := range []int{-400, 0, 100, Horizon} {
		v := g.At(day)
		live := 0
		for _, id := range ids {
			if g.LiveOn(id, day) {
				live++
			}
		}
		want := 0
		for _, id := range v.InLinks(g.TargetOf(d)) {
			if v.Link(id).Live {
				want++
			}
		}
		if live != want || live == 0 {
			t.Errorf("day %d: %d live links, want %d", day, live, want)
		}
	}
}

func TestAuthorityTitlesAndRedirectsAreTheViews(t *testing.T) {
	g := New(0)
	v := g.At(0)
	d, _ := g.LookupDomain("acme-outdoor.example")
	if got, want := Authority(v.DomainsToDomain(d)), v.DomainAuthority(d); got != want {
		t.Errorf("authority %d, want %d", got, want)
	}
	m := v.Metrics(g.Home(d))
	if v.Title(g.Home(d)) != m.Title || v.FromDomain(d) != m.FromDomain || m.Page != "www.acme-outdoor.example/" {
		t.Errorf("%q and %+v, want %+v", v.Title(g.Home(d)), v.FromDomain(d), m)
	}
	bare, _ := g.Find("acme-outdoor.example/", Page)
	if to, ok := v.RedirectOf(bare.first); !ok || to != g.Home(d) {
		t.Errorf("the bare host leads to %s", g.PageName(to))
	}
	if _, ok := v.RedirectOf(g.Home(d)); ok {
		t.Error("the home page leads elsewhere")
	}
}
