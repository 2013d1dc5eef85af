package graph

import (
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var web = New(0)

func TestTheWebIsSmall(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	g := New(1)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if mib := int64(after.HeapAlloc-before.HeapAlloc) >> 20; mib > 100 {
		t.Errorf("%v hold %d MiB, want at most 100", g, mib)
	}
}

func TestTheSameSeedGivesTheSameWeb(t *testing.T) {
	again, other := New(0), New(1)
	if string(rowBytes(web)) != string(rowBytes(again)) {
		t.Error("two webs of seed 0 differ")
	}
	if string(rowBytes(web)) == string(rowBytes(other)) {
		t.Error("the webs of seeds 0 and 1 are the same")
	}
	if diff := cmp.Diff(web.Showcase(), other.Showcase()); diff != "" {
		t.Errorf("the showcase depends on the seed:\n%s", diff)
	}
}

func rowBytes(g *Graph) []byte {
	var out []byte
	for _, r := range g.rows[:20000] {
		out = append(out, byte(r.src), byte(r.src>>8), byte(r.dst), byte(r.dst>>8), byte(r.anchor), byte(r.born), byte(r.died), byte(r.flags))
	}
	return out
}

func TestEveryPageIsFoundByItsName(t *testing.T) {
	names := map[string]bool{}
	for i := 0; i < len(web.pages); i += 7 {
		name := web.PageName(PageID(i))
		if names[name] {
			t.Fatalf("two pages are called %s", name)
		}
		names[name] = true
		if got, ok := web.Find(name, Page); !ok || got != pageTarget(PageID(i)) {
			t.Fatalf("Find(%q) = %v, %v; want page %d", name, got, ok, i)
		}
	}
}

func TestAnyHostStandsForItsRootDomain(t *testing.T) {
	want, _ := web.Find("acme-outdoor.example", Domain)
	for _, name := range []string{"www.acme-outdoor.example", "no.such.acme-outdoor.example/x", "ACME-outdoor.example"} {
		if got, ok := web.Find(name, Domain); !ok || got != want {
			t.Errorf("Find(%q, Domain) = %v, %v; want %v", name, got, ok, want)
		}
	}
	if _, ok := web.Find("example", Domain); ok {
		t.Error("a bare ending was taken for a root domain")
	}
}

func TestHostsOfSharedHostingAreRootDomains(t *testing.T) {
	n := 0
	for i := range web.domains {
		name := web.domains[i].name
		if !strings.HasSuffix(name, ".pagehost.example") {
			continue
		}
		n++
		if id, _ := web.domainOfHost(name); id != DomainID(i) {
			t.Fatalf("%s belongs to %s", name, web.domains[id].name)
		}
	}
	if n < 100 {
		t.Errorf("%d domains on shared hosting, want hundreds", n)
	}
}

func TestCountsObeyTheRelationsOfRealReplies(t *testing.T) {
	for _, day := range []int{-5, 0, 200} {
		v := web.At(day)
		for i := day & 3; i < len(web.pages); i += 397 {
			m := v.Metrics(PageID(i))
			for _, c := range []Counts{m.ToPage, m.ToHost, m.ToDomain} {
				if c.ExternalPages > c.Pages || c.ExternalNofollowPages > c.NofollowPages || c.ExternalRedirectPages > c.RedirectPages ||
					c.NofollowPages > c.Pages || c.RedirectPages > c.Pages || c.Domains > c.ExternalPages ||
					c.NofollowDomains > c.Domains || c.IndirectDomains > c.Domains || c.ExternalIndirectPages > c.ExternalPages {
					t.Fatalf("day %d, %s: %+v", day, m.Page, c)
				}
			}
			grows(t, m.Page, m.ToPage, m.ToHost)
			grows(t, m.Page, m.ToHost, m.ToDomain)
			if f, d := m.FromPage, m.FromDomain; f.NofollowPages > f.Pages || f.NofollowDomains > f.Domains || f.Pages > d.Pages || f.Domains > d.Domains {
				t.Fatalf("day %d, %s: from page %+v, from domain %+v", day, m.Page, f, d)
			}
			if m.PageAuthority < 1 || m.PageAuthority > 100 || m.DomainAuthority < 1 || m.DomainAuthority > 100 || m.SpamScore == 0 {
				t.Fatalf("day %d: %+v", day, m)
			}
			if m.HTTPCode == 0 && (m.LastCrawled != "" || m.Title != "" || m.FromPage != Outbound{}) {
				t.Fatalf("%s was never crawled, yet %+v", m.Page, m)
			}
			if int(v.toPage[i]) != m.ToPage.Domains || int(v.toDomain[web.domainOf[i]]) != m.ToDomain.Domains {
				t.Fatalf("%s: sorted by %d and %d linking domains, shown with %d and %d", m.Page,
					v.toPage[i], v.toDomain[web.domainOf[i]], m.ToPage.Domains, m.ToDomain.Domains)
			}
		}
	}
}

func grows(t *testing.T, page string, a, b Counts) {
	t.Helper()
	if a.Pages > b.Pages || a.NofollowPages > b.NofollowPages || a.RedirectPages > b.RedirectPages || a.ExternalPages > b.ExternalPages ||
		a.ExternalNofollowPages > b.ExternalNofollowPages || a.DeletedPages > b.DeletedPages || a.Domains > b.Domains {
		t.Fatalf("%s: %+v does not grow into %+v", page, a, b)
	}
}

func TestTheWebMovesALittleEveryDay(t *testing.T) {
	target, _ := web.Find("acme-outdoor.example", Domain)
	live := func(day int) map[LinkID]bool {
		v, out := web.At(day), map[LinkID]bool{}
		for _, id := range v.InLinks(target) {
			if v.Link(id).Live {
				out[id] = true
			}
		}
		return out
	}
	for _, day := range []int{0, 30, 300} {
		a, b := live(day), live(day+1)
		var gained, lost int
		for id := range b {
			gained += one(!a[id])
		}
		for id := range a {
			lost += one(!b[id])
		}
		if gained == 0 || lost == 0 || gained+lost > len(a)/100 {
			t.Errorf("day %d: of %d links %d were gained and %d lost by the next", day, len(a), gained, lost)
		}
	}
}

func TestEveryKindOfLinkAndPageOccurs(t *testing.T) {
	v := web.At(0)
	links, codes := map[string]int{}, map[int]int{}
	for i := 0; i < len(web.rows); i += 4 {
		l := v.Link(LinkID(i))
		for name, on := range map[string]bool{"redirect": l.Redirect, "canonical": l.Canonical, "via redirect": l.ViaRedirect,
			"via canonical": l.ViaCanonical, "nofollow": l.Nofollow, "external": l.External, "dead": !l.Live,
			"returned": l.Live && l.Gained != l.FirstSeen, "external via": l.External && l.ViaRedirect} {
			links[name] += one(on)
		}
	}
	for i := range web.pages {
		codes[v.HTTPCode(PageID(i))]++
	}
	if len(links) != 9 {
		t.Fatal(links)
	}
	for name, n := range links {
		if n < 25 {
			t.Errorf("%d links are %s", n, name)
		}
	}
	for _, code := range []int{0, 1, 3, 5, 15, 200, 301, 302, 404} {
		if codes[code] < 100 {
			t.Errorf("%d pages have code %d", codes[code], code)
		}
	}
	if codes[200] < len(web.pages)/2 {
		t.Errorf("%d of %d pages answer 200", codes[200], len(web.pages))
	}
	target, _ := web.Find("acme-outdoor.example", Domain)
	if c := v.Counts(target); c.IndirectDomains == 0 || c.DeletedDomains == 0 || c.ExternalIndirectPages == 0 {
		t.Errorf("acme-outdoor.example: %+v", *c)
	}
}

func TestAnchorsAreOfEveryKind(t *testing.T) {
	v := web.At(0)
	target, _ := web.Find("acme-outdoor.example", Domain)
	var long, unicode, empty, spelled int
	for _, id := range v.InLinks(target) {
		raw, text := v.RawAnchor(id), v.Anchor(id)
		long += one(len(text) >= 350)
		unicode += one(strings.ContainsFunc(text, func(r rune) bool { return r > 0x2ff }))
		empty += one(text == "")
		spelled += one(raw != text)
		if Normalise(text) != text {
			t.Fatalf("%q is normalised to %q", text, Normalise(text))
		}
	}
	for name, n := range map[string]int{"long": long, "unicode": unicode, "empty": empty, "spelled differently": spelled} {
		if n < 20 {
			t.Errorf("%d anchors are %s", n, name)
		}
	}
}

func TestNormaliseFollowsTheDocumentation(t *testing.T) {
	for in, want := range map[string]string{
		"  Moz \n\t Blog ": "moz blog", "<b>Moz</b> <i class=\"x\">Blog</i>": "moz blog", "a < b": "a < b", "ÉTÉ": "été", "<img src=x>": "", "x<": "x<",
	} {
		if got := Normalise(in); got != want {
			t.Errorf("Normalise(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestDatesFollowFromDays(t *testing.T) {
	for _, day := range []int{-400, -1, 0, 1, 58, 59, 400} {
		date := Epoch.AddDate(0, 0, day)
		if got := DayOf(date.Add(23 * 3600e9)); got != day {
			t.Errorf("DayOf(%v) = %d, want %d", date, got, day)
		}
	}
	if Date(0) != "2026-01-01" || Date(59) != "2026-03-01" {
		t.Error(Date(0), Date(59))
	}
}
