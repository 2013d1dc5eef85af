package graph

import "slices"

// Questions of indexes that look at links from their other end, or on other days than the view's.

// TargetOf returns all pages of a root domain.
func (g *Graph) TargetOf(d DomainID) Target { return g.siteOf(d) }

// Home returns the home page of a root domain.
func (g *Graph) Home(d DomainID) PageID { return g.domains[d].home }

// LiveOn tells whether a link was live on a day, which may be later than any view's.
func (g *Graph) LiveOn(id LinkID, day int) bool {
	r := &g.rows[id]
	return alive(r.born, r.died, r.returned, day)
}

// OutLinks returns the links from a target's pages that have ever been seen, ordered by source page. The caller owns the slice.
func (v *View) OutLinks(t Target) []LinkID {
	if t.count == 0 {
		return nil
	}
	g := v.g
	var ids []LinkID
	for i := g.out[t.first]; i < g.out[uint32(t.first)+t.count]; i++ {
		if int(g.rows[i].born) <= v.day && g.has(t, g.rows[i].src) {
			ids = append(ids, LinkID(i))
		}
	}
	return slices.Clip(ids)
}

// FromDomain counts the live external links that stand on a root domain's pages.
func (v *View) FromDomain(d DomainID) Outbound { v.ready(); return v.fromPages[d].export() }
