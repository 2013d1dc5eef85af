package graph

import (
	"iter"
	"slices"
)

// First returns the first page of a target: of a page itself, of a host its home page.
func (t Target) First() (PageID, bool) { return t.first, t.count > 0 }

// Linked tells whether some page of source has a live link to some page of target, external or not.
func (v *View) Linked(source, target Target) bool {
	g := v.g
	if source.count == 0 || target.count == 0 {
		return false
	}
	rows := g.rows[g.out[source.first]:g.out[uint32(source.first)+source.count]]
	return slices.ContainsFunc(rows, func(r row) bool { return v.live(&r) && g.has(target, r.dst) && g.has(source, r.src) })
}

// RedirectOf returns where a page redirects to.
func (g *Graph) RedirectOf(p PageID) (PageID, bool) {
	pg := &g.pages[p]
	return pg.to, pg.flags&pageRedirects != 0
}

// KnownPages returns the pages of a target that the index knows on its day, crawled or merely linked to, in their order.
func (v *View) KnownPages(t Target) []PageID {
	g := v.g
	var pages []PageID
	for p := t.first; p < t.first+PageID(t.count); p++ {
		if g.has(t, p) && (int(g.pages[p].born) <= v.day || v.linkedTo(p)) {
			pages = append(pages, p)
		}
	}
	return pages
}

func (v *View) linkedTo(p PageID) bool {
	g := v.g
	return slices.ContainsFunc(g.in[g.inAt[p]:g.inAt[p+1]], func(id LinkID) bool { return int(g.rows[id].born) <= v.day })
}

// TopPages returns the n pages with the highest authority, ties by their order.
func (v *View) TopPages(n int) []PageID {
	v.ready()
	return top[PageID](v.toPage, n)
}

// TopDomains returns the n root domains with the highest authority, ties by their order.
func (v *View) TopDomains(n int) []DomainID {
	v.ready()
	return top[DomainID](v.toDomain, n)
}

// top sorts by authority, not by the count it follows from: that is all a reader of the list can see.
func top[ID PageID | DomainID](counts []uint32, n int) []ID {
	var byAuthority [101][]ID
	for i, count := range counts {
		a := authority(count)
		if len(byAuthority[a]) < n {
			byAuthority[a] = append(byAuthority[a], ID(i))
		}
	}
	var out []ID
	for a := 100; a > 0 && len(out) < n; a-- {
		out = append(out, byAuthority[a]...)
	}
	return out[:min(n, len(out))]
}

// Life is an external link over all days. It is alive from Born to the day before Died, and again from Returned on; both may be [Never].
type Life struct {
	Link                      LinkID
	Source, Target            PageID
	Born, Died, Returned      int // days
	Nofollow                  bool
	Redirect, Canonical       bool // the link itself is one
	ViaRedirect, ViaCanonical bool // seen through a page that redirects, or names the target as canonical
}

// Events yields the external links that come to life, disappear or return after the day `from` and not after the day `to`: what an
// index of day `to` has found new or lost since day `from`. They come in the order of their source pages. A link that
// appears and disappears between the two is among them, though neither index shows it alive.
func (g *Graph) Events(from, to int) iter.Seq[Life] {
	within := func(day int16) bool { return int(day) > from && int(day) <= to }
	return func(yield func(Life) bool) {
		for i := range g.rows {
			r := &g.rows[i]
			if r.flags&rowExternal != 0 && (within(r.born) || within(r.died) || within(r.returned)) && !yield(g.life(LinkID(i))) {
				return
			}
		}
	}
}

func (g *Graph) life(id LinkID) Life {
	r := &g.rows[id]
	return Life{
		Link: id, Source: r.src, Target: r.dst, Born: int(r.born), Died: int(r.died), Returned: int(r.returned),
		Nofollow: r.flags&rowNofollow != 0, Redirect: r.flags&rowRedirect != 0, Canonical: r.flags&rowCanonical != 0,
		ViaRedirect: r.flags&rowViaRedirect != 0, ViaCanonical: r.flags&rowViaCanonical != 0,
	}
}

// Live tells whether the link is alive on a day.
func (l Life) Live(day int) bool { return alive(int16(l.Born), int16(l.Died), int16(l.Returned), day) }
