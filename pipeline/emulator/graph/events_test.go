package graph

import "testing"

func TestEventsAreWhatTwoIndexesDifferBy(t *testing.T) {
	from, to := 20, 23
	before, after := web.At(from), web.At(to)
	seen := map[LinkID]Life{}
	last := -1
	for e := range web.Events(from, to) {
		if int(e.Link) <= last {
			t.Fatalf("link %d comes after %d", e.Link, last)
		}
		last = int(e.Link)
		seen[e.Link] = e
	}
	var won, lost, regained int
	for i := range web.rows {
		id := LinkID(i)
		a, b := before.Link(id), after.Link(id)
		e, listed := seen[id]
		if a.Live != b.Live && b.External && !listed {
			t.Fatalf("link %d changed and is not listed", id)
		}
		if !listed {
			continue
		}
		if !b.External || e.Source != b.Source || e.Target != b.Target || e.Live(from) != a.Live || e.Live(to) != b.Live {
			t.Fatalf("%+v, but %+v and %+v", e, a, b)
		}
		won += one(!a.Live && b.Live && e.Born > from)
		lost += one(a.Live && !b.Live)
		regained += one(!a.Live && b.Live && e.Returned > from && e.Returned <= to)
	}
	if won == 0 || lost == 0 || regained == 0 {
		t.Errorf("%d won, %d lost, %d regained", won, lost, regained)
	}
}

func TestLinksToAPageThatMendsAreSeenThroughItFromThatDayOn(t *testing.T) {
	const from, to = 100, 130
	pages, through := 0, 0
	for p, day := range web.Mended(from, to) {
		pages++
		before, after := web.At(day-1), web.At(day)
		if day <= from || day > to || before.HTTPCode(p) != 404 || after.HTTPCode(p)/100 != 3 {
			t.Fatalf("%s, day %d: %d, then %d", web.PageName(p), day, before.HTTPCode(p), after.HTTPCode(p))
		}
		if _, early := before.RedirectOf(p); early {
			t.Fatalf("%s redirects too early", web.PageName(p))
		}
		home, _ := after.RedirectOf(p)
		if after.HTTPCode(home) != 200 || web.HostOf(home) != web.HostOf(p) {
			t.Fatalf("%s redirects to %s", web.PageName(p), web.PageName(home))
		}
		seen := map[PageID]bool{}
		for _, id := range after.InLinks(pageTarget(home)) {
			l := after.Link(id)
			seen[l.Source] = seen[l.Source] || l.Live && (l.ViaRedirect || l.ViaCanonical)
			if l.Source == p && l.Redirect {
				seen[p] = true
			}
		}
		if !seen[p] {
			t.Fatalf("the redirect of %s is not listed", web.PageName(p))
		}
		for _, id := range after.InLinks(pageTarget(p)) {
			if l := after.Link(id); l.Live && l.Source != home {
				if !seen[l.Source] {
					t.Fatalf("the link of %s to %s is not seen through it", web.PageName(l.Source), web.PageName(p))
				}
				through++
			}
		}
		if pages == 20 {
			break
		}
	}
	if pages < 20 || through < 10 {
		t.Errorf("%d pages, %d links", pages, through)
	}
}

func TestNoPageMendsBeforeTheFirstDay(t *testing.T) {
	for p, day := range web.Mended(-5000, 0) {
		t.Fatalf("%s on day %d", web.PageName(p), day)
	}
}

func TestALinkSeenThroughAMendedPageLivesAsTheLinkDoesFromThen(t *testing.T) {
	through := 0
	for i := range web.rows {
		r := &web.rows[i]
		if r.born >= r.died || r.returned <= r.died && r.returned != never {
			t.Fatalf("link %d is born on %d, dies on %d and returns on %d", i, r.born, r.died, r.returned)
		}
		if r.flags&rowMended == 0 || r.flags&rowViaRedirect == 0 {
			continue
		}
		through++
		if !livesThrough(r) {
			t.Fatalf("link %d, %+v, lives as no link to a mended page does", i, *r)
		}
	}
	if through < 1000 {
		t.Errorf("only %d links are seen through mended pages", through)
	}
}

// livesThrough tells whether some link of the same source to a page mended towards the same home is alive on the same days after that.
func livesThrough(r *row) bool {
	for i := web.out[r.src]; i < web.out[r.src+1]; i++ {
		direct := &web.rows[i]
		p := &web.pages[direct.dst]
		same := p.flags&pageMends != 0 && web.hosts[p.host].first == r.dst
		for day := -50; same && day <= Horizon; day++ {
			same = alive(r.born, r.died, r.returned, day) == (day >= int(p.died) && alive(direct.born, direct.died, direct.returned, day))
		}
		if same {
			return true
		}
	}
	return false
}
