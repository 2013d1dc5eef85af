package graph

import "iter"

// Life is an external link over all days. It is alive from Born to the day before Died, and again from Returned on; both may be [Never].
type Life struct {
	Link                      LinkID
	Source, Target            PageID
	Born, Died, Returned      int // days
	Nofollow                  bool
	Redirect, Canonical       bool // the link itself is one
	ViaRedirect, ViaCanonical bool // seen through a page that redirects, or names the target as canonical
}

// Live tells whether the link is alive on a day.
func (l Life) Live(day int) bool {
	return l.Born <= day && (day < l.Died || day >= l.Returned)
}

// Events yields the external links that come to life, disappear or return after the day `from` and not after the day `to`: what an
// index of day `to` has found new or lost since day `from`. They come in the order of their source pages. A link that
// appears and disappears between the two is among them, though neither index shows it alive.
//
// A link whose target begins to redirect (see [Graph.Mended]) is not among them itself; that it is seen through the target is, as a new
// link with ViaRedirect.
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

// Mended yields the pages that begin to redirect after the day `from` and not after the day `to`, each with that day: links to them are
// seen through them from then on.
func (g *Graph) Mended(from, to int) iter.Seq2[PageID, int] {
	return func(yield func(PageID, int) bool) {
		for i := range g.pages {
			p := &g.pages[i]
			if day := int(p.died); p.flags&pageMends != 0 && day > from && day <= to && !yield(PageID(i), day) {
				return
			}
		}
	}
}
