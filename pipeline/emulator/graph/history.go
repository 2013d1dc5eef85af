package graph

import "slices"

// Change is what links to a target on a day, and what came and went since the day before it in a list of days: sources that count
// now and did not then, and the other way round.
type Change struct{ Now, Gained, Lost Counts }

// History counts the links to a target on each of the days, which ascend. It needs no [View]: the cost is one walk over the target's
// own links, however many the days. The first day has neither gains nor losses.
func (g *Graph) History(t Target, days []int) []Change {
	return g.Spread(t, days, 1, func(DomainID) int { return 0 })[0]
}

// Spread is [Graph.History] told apart by the drawer of the linking root domain. Root domains whose drawer is not from 0 to drawers-1 are
// left out.
func (g *Graph) Spread(t Target, days []int, drawers int, drawer func(DomainID) int) [][]Change {
	out := make([][]Change, drawers)
	for i := range out {
		out[i] = make([]Change, len(days))
	}
	if t.count == 0 || len(days) == 0 {
		return out
	}
	own := g.domainOf[t.first]
	var states []seen
	g.walk(t, func(d DomainID, rows []LinkID) {
		at := drawer(d)
		if at < 0 || at >= drawers {
			return
		}
		for rest := rows; len(rest) > 0; {
			n := g.sameSource(rest)
			states = g.states(states[:0], rest[:n], days)
			trace(out[at], states, func(c *Counts, s seen) { c.addPage(s, d != own) })
			rest = rest[n:]
		}
		if d != own {
			states = g.states(states[:0], rows, days)
			trace(out[at], states, (*Counts).addDomain)
		}
	})
	for _, changes := range out {
		for i := 1; i < len(changes); i++ {
			changes[i].sum(&changes[i-1])
		}
	}
	return out
}

// walk visits the root domains that link to a target, in their order, each with its links by source page.
func (g *Graph) walk(t Target, visit func(d DomainID, rows []LinkID)) {
	ids := slices.Clone(g.linksTo(t))
	slices.Sort(ids)
	for len(ids) > 0 {
		d, n := g.domainOf[g.rows[ids[0]].src], 1
		for n < len(ids) && g.domainOf[g.rows[ids[n]].src] == d {
			n++
		}
		visit(d, ids[:n])
		ids = ids[n:]
	}
}

// sameSource returns how many of the first links share one source page.
func (g *Graph) sameSource(ids []LinkID) int {
	n := 1
	for n < len(ids) && g.rows[ids[n]].src == g.rows[ids[0]].src {
		n++
	}
	return n
}

// states appends what the links have in common on each of the days, or on the first alone if nothing changes.
func (g *Graph) states(buf []seen, ids []LinkID, days []int) []seen {
	first, last := days[0], days[len(days)-1]
	moves := func(day int16) bool { return int(day) > first && int(day) <= last }
	if !slices.ContainsFunc(ids, func(id LinkID) bool {
		r := &g.rows[id]
		return moves(r.born) || moves(r.died) || moves(r.returned)
	}) {
		days = days[:1]
	}
	for _, day := range days {
		var s seen
		for _, id := range ids {
			if r := &g.rows[id]; int(r.born) <= day {
				s.add(r, alive(r.born, r.died, r.returned, day))
			}
		}
		buf = append(buf, s)
	}
	return buf
}

// trace adds one source to a history: where it stood on the first day, and its steps from day to day.
func trace(changes []Change, states []seen, count func(*Counts, seen)) {
	count(&changes[0].Now, states[0])
	for i := 1; i < len(states); i++ {
		if states[i] == states[i-1] {
			continue
		}
		var before, now Counts
		count(&before, states[i-1])
		count(&now, states[i])
		a, b, gained, lost := before.each(), now.each(), changes[i].Gained.each(), changes[i].Lost.each()
		for k := range a {
			*gained[k] += max(0, *b[k]-*a[k])
			*lost[k] += max(0, *a[k]-*b[k])
		}
	}
}

func (c *Change) sum(before *Change) {
	now, then, gained, lost := c.Now.each(), before.Now.each(), c.Gained.each(), c.Lost.each()
	for k := range now {
		*now[k] = *then[k] + *gained[k] - *lost[k]
	}
}

func (c *Counts) each() [12]*int {
	return [...]*int{&c.Pages, &c.NofollowPages, &c.RedirectPages, &c.ExternalPages, &c.ExternalNofollowPages, &c.ExternalRedirectPages,
		&c.ExternalIndirectPages, &c.DeletedPages, &c.Domains, &c.IndirectDomains, &c.DeletedDomains, &c.NofollowDomains}
}
