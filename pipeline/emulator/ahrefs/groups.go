package ahrefs

import (
	"cmp"
	"slices"

	"backhaul/pipeline/emulator/graph"
)

// group is a row of a report that stands for several links, summed up.
type group struct {
	name   string // an anchor, a domain or an address
	domain graph.DomainID
	page   graph.PageID
	ids    []graph.LinkID

	dofollow, redirects, fresh, lost int // links
	sourcePages, sourceDomains       int // distinct
	targetPages, targetDomains       int // distinct
	first, last                      int64
	visited                          int64 // last crawl of any source
	live, spam                       bool
	rating                           float64 // the best of the linking domains
}

// groups is a list of them, largest first, then by name (chosen).
type groups struct {
	call  *call
	all   []group
	value func(c *call, g *group, field string) (any, bool)
}

func (g groups) Len() int                              { return len(g.all) }
func (g groups) Value(i int, field string) (any, bool) { return g.value(g.call, &g.all[i], field) }
func (g groups) links(i int) []graph.LinkID            { return g.all[i].ids }

// groupBy puts links with one name together and sums them up.
func (c *call) groupBy(ids []graph.LinkID, name func(graph.LinkID, graph.Link) (string, uint32)) []group {
	var all []group
	type key struct {
		name string
		id   uint32
	}
	at := map[key]int{}
	for _, id := range ids {
		var k key
		k.name, k.id = name(id, c.view.Link(id))
		i, ok := at[k]
		if !ok {
			i = len(all)
			at[k] = i
			all = append(all, group{name: k.name})
		}
		all[i].ids = append(all[i].ids, id)
	}
	for i := range all {
		c.sum(&all[i])
	}
	slices.SortFunc(all, func(a, b group) int {
		return cmp.Or(cmp.Compare(len(b.ids), len(a.ids)), cmp.Compare(a.name, b.name))
	})
	return all
}

func (c *call) sum(g *group) {
	var sources, targets []graph.PageID
	for i, id := range g.ids {
		l := c.view.Link(id)
		sources, targets = append(sources, l.Source), append(targets, l.Target)
		g.dofollow += number(!l.Nofollow)
		g.redirects += number(l.Redirect)
		g.fresh += number(c.fresh(l))
		g.lost += number(c.lost(l))
		g.live = g.live || l.Live
		first, last := second(id, l.FirstSeen), second(id, l.Lost)
		if i == 0 || first < g.first {
			g.first = first
		}
		if !l.Live && (g.last == 0 || last > g.last) {
			g.last = last
		}
		if visited := c.visited(id, l); i == 0 || visited > g.visited {
			g.visited = visited
		}
		d := c.graph.DomainOf(l.Source)
		g.rating = max(g.rating, c.rating(d))
		g.spam = g.spam || c.spam(d)
	}
	g.page = targets[0]
	g.sourcePages, g.sourceDomains = c.distinct(sources)
	g.targetPages, g.targetDomains = c.distinct(targets)
}

// distinct counts pages and their root domains. The pages of a domain are neighbours.
func (c *call) distinct(pages []graph.PageID) (n, domains int) {
	slices.Sort(pages)
	pages = slices.Compact(pages)
	for i, p := range pages {
		if i == 0 || c.graph.DomainOf(p) != c.graph.DomainOf(pages[i-1]) {
			domains++
		}
	}
	return len(pages), domains
}

func (c *call) anchorGroups(ids []graph.LinkID) []group {
	return c.groupBy(ids, func(id graph.LinkID, _ graph.Link) (string, uint32) { return c.view.Anchor(id), 0 })
}

func (c *call) domainGroups(ids []graph.LinkID, outward bool) []group {
	of := func(l graph.Link) graph.DomainID {
		if outward {
			return c.graph.DomainOf(l.Target)
		}
		return c.graph.DomainOf(l.Source)
	}
	all := c.groupBy(ids, func(_ graph.LinkID, l graph.Link) (string, uint32) { return c.graph.DomainName(of(l)), 0 })
	for i := range all {
		all[i].domain = of(c.view.Link(all[i].ids[0]))
	}
	return all
}

func anchorList(c *call) List {
	return groups{c, c.anchorGroups(c.chosen(c.inHistory(c.backlinks()))), (*call).anchorValue}
}

func refdomainList(c *call) List {
	return groups{c, c.domainGroups(c.chosen(c.inHistory(c.backlinks())), false), (*call).domainValue}
}

func linkedDomainList(c *call) List {
	return groups{c, c.domainGroups(c.chosen(c.outlinks()), true), (*call).domainValue}
}

func linkedAnchorList(c *call) List {
	return groups{c, c.anchorGroups(c.chosen(c.outlinks())), (*call).anchorValue}
}

func pageList(c *call) List {
	return groups{c, c.groupBy(c.chosen(c.inHistory(c.backlinks())), func(_ graph.LinkID, l graph.Link) (string, uint32) {
		return address(c.graph, l.Target), uint32(l.Target)
	}), (*call).pageValue}
}

// counts has what groups of all reports share.
func (g *group) counts(field string) (any, bool) {
	switch field {
	case "links_to_target", "links_from_target":
		return len(g.ids), true
	case "dofollow_links", "dofollow_to_target":
		return g.dofollow, true
	case "nofollow_to_target":
		return len(g.ids) - g.dofollow, true
	case "redirects_to_target":
		return g.redirects, true
	case "new_links", "new_links_to_target":
		return g.fresh, true
	case "lost_links", "lost_links_to_target":
		return g.lost, true
	case "first_seen", "first_seen_link":
		return moment(g.first), true
	case "last_seen":
		if g.live {
			return nil, true
		}
		return moment(g.last), true
	case "last_visited_source":
		return moment(g.visited), true
	case "linked_pages":
		return g.targetPages, true
	case "linked_domains":
		return g.targetDomains, true
	case "refpages":
		return g.sourcePages, true
	case "refdomains", "refdomains_target":
		return g.sourceDomains, true
	case "top_domain_rating", "top_domain_rating_source":
		return g.rating, true
	}
	return nil, false
}

func (c *call) anchorValue(g *group, field string) (any, bool) {
	switch field {
	case "anchor":
		return g.name, true
	case "is_spam":
		return g.spam, true
	}
	return g.counts(field)
}

func (c *call) domainValue(g *group, field string) (any, bool) {
	switch field {
	case "domain":
		return g.name, true
	case "domain_rating":
		return c.rating(g.domain), true
	case "is_spam":
		return c.spam(g.domain), true
	case "is_root_domain":
		return true, true
	case "dofollow_refdomains":
		n := c.view.Counts(c.graph.TargetOf(g.domain))
		return n.Domains - n.NofollowDomains, true
	case "dofollow_linked_domains":
		n := c.view.FromDomain(g.domain)
		return n.Domains - n.NofollowDomains, true
	case "ip_source", "positions_source_domain", "traffic_domain", "linked_domain_traffic":
		return invent(field, uint64(g.domain)), true
	}
	return g.counts(field)
}

func (c *call) pageValue(g *group, field string) (any, bool) {
	if field == "is_spam" {
		return g.spam, true
	}
	if v, ok := g.counts(field); ok {
		return v, true
	}
	return c.ofTarget(g.page, field)
}
