package graph

import "slices"

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
func (v *View) RedirectOf(p PageID) (PageID, bool) {
	pg := &v.g.pages[p]
	if v.mended(p) {
		return v.g.hosts[pg.host].first, true
	}
	return pg.to, pg.flags&pageRedirects != 0
}

// mended tells whether a broken page redirects by now.
func (v *View) mended(p PageID) bool {
	pg := &v.g.pages[p]
	return pg.flags&pageMends != 0 && v.day >= int(pg.died)
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
