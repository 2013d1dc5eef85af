package ahrefs

import (
	"slices"

	"backhaul/pipeline/emulator/graph"
)

// linkList is a list whose rows are links, each standing for those it was put together with.
type linkList struct {
	call *call
	ids  []graph.LinkID
	size []int // link_group_count
}

func (l linkList) Len() int { return len(l.ids) }

func (l linkList) Value(i int, field string) (any, bool) {
	if field == "link_group_count" {
		return l.size[i], true
	}
	return l.call.link(l.ids[i], field, false), true
}

func backlinkList(c *call) List { return c.aggregate(c.inHistory(c.backlinks())) }

// brokenList are the live links to pages that answer 404.
func brokenList(c *call) List {
	return c.aggregate(slices.DeleteFunc(c.backlinks(), func(id graph.LinkID) bool {
		l := c.view.Link(id)
		return !l.Live || c.view.HTTPCode(l.Target) != 404
	}))
}

// aggregate orders links by the rating of their domain, best first, and keeps one of each group: of the links of a domain with one text
// (similar_links, as the emulator understands it), or of all those of a domain.
func (c *call) aggregate(ids []graph.LinkID) List {
	ratings := make(map[graph.LinkID]float64, len(ids))
	for _, id := range ids {
		ratings[id] = c.rating(c.graph.DomainOf(c.view.Link(id).Source))
	}
	slices.SortStableFunc(ids, func(a, b graph.LinkID) int { return compare(ratings[b], ratings[a], false) })
	type key struct {
		domain graph.DomainID
		anchor string
	}
	l := linkList{call: c}
	at := map[key]int{}
	for _, id := range ids {
		k := key{domain: c.graph.DomainOf(c.view.Link(id).Source)}
		switch c.q.aggregation {
		case "all":
			l.ids, l.size = append(l.ids, id), append(l.size, 1)
			continue
		case "similar_links":
			k.anchor = c.view.Anchor(id)
		}
		i, ok := at[k]
		if !ok {
			at[k] = len(l.ids)
			l.ids, l.size = append(l.ids, id), append(l.size, 1)
			continue
		}
		l.size[i]++
	}
	return l
}
