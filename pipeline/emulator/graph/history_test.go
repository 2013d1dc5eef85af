package graph

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// targets are of all scopes and sizes.
func targets(t *testing.T) []Target {
	t.Helper()
	var out []Target
	for _, name := range []string{"acme-outdoor.example", "rivalgear.example", "tiny-tarps.example", "quietpeak.example"} {
		for _, scope := range []Scope{Page, Host, Domain} {
			found, ok := web.Find(name, scope)
			if !ok {
				t.Fatal(name)
			}
			out = append(out, found)
		}
	}
	folder, ok := web.Find("rivalgear.example/guides/", Folder)
	if !ok {
		t.Fatal("no folder")
	}
	return append(out, folder, Target{})
}

func TestHistoryEqualsTheCountsOfEachDay(t *testing.T) {
	days := []int{-900, -31, 0, 1, 2, 120, 399}
	for _, target := range targets(t) {
		for i, change := range web.History(target, days) {
			if diff := cmp.Diff(*web.At(days[i]).Counts(target), change.Now); diff != "" {
				t.Fatalf("%v, day %d (-counts +history):\n%s", target, days[i], diff)
			}
		}
	}
}

func TestGainsAndLossesAreTheDifferenceOfTwoDays(t *testing.T) {
	target, _ := web.Find("acme-outdoor.example", Domain)
	days := []int{10, 40, 41, 100}
	history := web.History(target, days)
	if history[0].Gained != (Counts{}) || history[0].Lost != (Counts{}) {
		t.Errorf("the first day has changes: %+v", history[0])
	}
	for i := 1; i < len(days); i++ {
		was, is := sources(web.At(days[i-1]), target), sources(web.At(days[i]), target)
		var gained, lost int
		for p := range is {
			gained += one(!was[p])
		}
		for p := range was {
			lost += one(!is[p])
		}
		if gained == 0 || lost == 0 || history[i].Gained.ExternalPages != gained || history[i].Lost.ExternalPages != lost {
			t.Errorf("day %d: %d gained and %d lost, want %d and %d", days[i], history[i].Gained.ExternalPages, history[i].Lost.ExternalPages, gained, lost)
		}
	}
}

// sources are the pages with a live external link to the target.
func sources(v *View, target Target) map[PageID]bool {
	out := map[PageID]bool{}
	for _, id := range v.InLinks(target) {
		if l := v.Link(id); l.Live && l.External {
			out[l.Source] = true
		}
	}
	return out
}

func TestADrawerForEachDomainDividesTheHistory(t *testing.T) {
	target, _ := web.Find("rivalgear.example", Domain)
	days := []int{0, 60, 120}
	whole := web.History(target, days)
	parts := web.Spread(target, days, 3, func(d DomainID) int { return int(d % 3) })
	without := web.Spread(target, days, 2, func(d DomainID) int { return int(d%3) - 1 }) // one third is in no drawer
	for i := range days {
		var sum, less Counts
		for k := range parts {
			add(&sum, parts[k][i].Now)
		}
		for k := range without {
			add(&less, without[k][i].Now)
		}
		if diff := cmp.Diff(whole[i].Now, sum); diff != "" {
			t.Errorf("day %d (-whole +sum):\n%s", days[i], diff)
		}
		if less.Domains+parts[0][i].Now.Domains != whole[i].Now.Domains || parts[0][i].Now.Domains == 0 {
			t.Errorf("day %d: %d of %d domains are in the drawers", days[i], less.Domains, whole[i].Now.Domains)
		}
	}
}

func add(sum *Counts, c Counts) {
	to, from := sum.each(), c.each()
	for i := range to {
		*to[i] += *from[i]
	}
}

func TestAFolderHoldsThePagesBelowItsPath(t *testing.T) {
	host, _ := web.Find("rivalgear.example", Host)
	folder, _ := web.Find("rivalgear.example/guides/", Folder)
	whole, ok := web.Find("rivalgear.example/", Folder)
	if !ok || whole != host {
		t.Errorf("the folder of the root is %v, want the host, %v", whole, host)
	}
	v := web.At(0)
	want := slices.DeleteFunc(v.KnownPages(host), func(p PageID) bool {
		name := web.PageName(p)
		return len(name) < len("rivalgear.example/guides/") || name[:len("rivalgear.example/guides/")] != "rivalgear.example/guides/"
	})
	if got := v.KnownPages(folder); !slices.Equal(got, want) || len(got) == 0 {
		t.Errorf("%d pages in the folder, want %d", len(got), len(want))
	}
	var links []LinkID
	for _, id := range v.InLinks(host) {
		if slices.Contains(want, v.Link(id).Target) {
			links = append(links, id)
		}
	}
	if got := v.InLinks(folder); !slices.Equal(got, links) || len(got) == 0 {
		t.Errorf("%d links to the folder, want %d", len(got), len(links))
	}
}

func BenchmarkHistoryOfSixtyDays(b *testing.B) {
	target, _ := web.Find("megamart.example", Domain)
	var days []int
	for day := range 61 {
		days = append(days, day)
	}
	for b.Loop() {
		web.History(target, days)
	}
}
