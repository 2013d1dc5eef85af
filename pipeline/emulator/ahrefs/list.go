package ahrefs

import (
	"fmt"
	"slices"
	"strings"

	"backhaul/pipeline/emulator/graph"
)

// List is a whole list in the order it has when none is asked for. Value returns a field of row i as nil, string, int, float64, bool,
// []string or []int, and false for a field that it leaves to be invented.
type List interface {
	Len() int
	Value(i int, field string) (value any, ok bool)
}

// linked is a list of rows that stand for links, on which conditions about a link can be met by any of them.
type linked interface {
	links(i int) []graph.LinkID
}

// ordered is a list with the order asked for.
type ordered struct {
	List
	order []int32
}

// rows returns the first rows, in order, that meet the conditions, limit of them at most, as row numbers.
func (c *call) rows(o ordered) []int32 {
	var out []int32
	after := c.after()
	for _, i := range o.order {
		if len(out) == c.q.limit {
			break
		}
		if !slices.ContainsFunc(after, func(n *node) bool { return !c.meets(o, int(i), n) }) {
			out = append(out, i)
		}
	}
	return out
}

// value returns a field of a row.
func value(l List, i int, name string) any {
	if v, ok := l.Value(i, name); ok {
		return v
	}
	return invent(name, uint64(i))
}

// meets evaluates a condition on a row. One that speaks of the row and of its links at once, with or and not, is met by any link that
// meets it (chosen).
func (c *call) meets(o ordered, i int, n *node) bool {
	ofRow := func(name string) any { return value(o.List, i, name) }
	if !c.mixed(n) {
		return n.holds(ofRow)
	}
	l := o.List
	if d, ok := l.(drifting); ok {
		l = d.List
	}
	links, ok := l.(linked)
	if !ok {
		return n.holds(ofRow)
	}
	outward := c.q.report.outward
	return slices.ContainsFunc(links.links(i), func(id graph.LinkID) bool {
		return n.holds(func(name string) any {
			if c.q.report.grouped(name) {
				return ofRow(name)
			}
			return c.link(id, name, outward)
		})
	})
}

// mixed tells whether a condition speaks of links, alone or beside rows.
func (c *call) mixed(n *node) bool {
	return slices.ContainsFunc(n.names(nil), func(name string) bool { return !c.q.report.grouped(name) })
}

// before are the conditions on links alone: they choose the links that groups are made of, as v2's where does (chosen). In reports whose rows
// are links all conditions come after, so that a list can be cut by its own key whatever the aggregation (chosen).
func (c *call) before() []*node {
	if c.q.report.ofLinks || c.given != nil {
		return nil
	}
	return slices.DeleteFunc(c.q.where.conjuncts(), func(n *node) bool {
		return slices.ContainsFunc(n.names(nil), c.q.report.grouped)
	})
}

func (c *call) after() []*node {
	before := c.before()
	return slices.DeleteFunc(c.q.where.conjuncts(), func(n *node) bool { return slices.Contains(before, n) })
}

// chosen keeps the links that the conditions on links choose.
func (c *call) chosen(ids []graph.LinkID) []graph.LinkID {
	before := c.before()
	if len(before) == 0 {
		return ids
	}
	return slices.DeleteFunc(ids, func(id graph.LinkID) bool {
		return slices.ContainsFunc(before, func(n *node) bool {
			return !n.holds(func(name string) any { return c.link(id, name, c.q.report.outward) })
		})
	})
}

// sorted builds the list and its order. Rows that order_by leaves equal keep the order of the list.
func (c *call) sorted(generation uint64) ordered {
	o, l := c.server.options, c.given
	if l == nil {
		l = c.q.report.build(c)
	}
	out := ordered{List: l, order: make([]int32, l.Len())}
	for i := range out.order {
		out.order[i] = int32(i)
	}
	if o.Drift > 0 {
		out = drift(out, o.Drift, generation)
	}
	if o.ShuffleTies {
		slices.SortStableFunc(out.order, func(a, b int32) int {
			return compare(int(roll("tie", uint64(a)^generation)), int(roll("tie", uint64(b)^generation)), false)
		})
	}
	for _, by := range slices.Backward(c.q.order) {
		column := make([]any, l.Len())
		for i := range column {
			column[i] = value(out.List, i, by.name)
			if s, ok := column[i].(string); ok && o.Collation != CollateCodePoints {
				column[i] = strings.ToLower(s)
			}
		}
		slices.SortStableFunc(out.order, func(a, b int32) int {
			x, y := column[a], column[b]
			if by.down && x != nil && y != nil { // null comes last either way (chosen)
				x, y = y, x
			}
			return compare(x, y, false)
		})
	}
	return out
}

// drifting is a list that changed a little.
type drifting struct {
	List
	share      float64
	generation uint64
}

// drift changes the counts of a share of the rows, and takes every third of those away.
func drift(o ordered, share float64, generation uint64) ordered {
	d := drifting{o.List, share, generation}
	o.List = d
	o.order = slices.DeleteFunc(o.order, func(i int32) bool { r, moved := d.moved(int(i)); return moved && r%3 == 0 })
	return o
}

func (d drifting) moved(i int) (uint64, bool) {
	r := roll("drift", uint64(i)^d.generation)
	return r >> 32, float64(uint32(r)) < d.share*(1<<32)
}

func (d drifting) Value(i int, field string) (any, bool) {
	v, ok := d.List.Value(i, field)
	if r, moved := d.moved(i); moved && ok {
		if n, count := v.(int); count {
			return n + 1 + int(r%3), true
		}
	}
	return v, ok
}

// list finds or builds the ordered list of a request. The conditions that come after grouping are not part of its name, so all pages of a
// list cut by its key share one.
func (c *call) list() ordered {
	q, o := c.q, c.server.options
	if o.Lists != nil {
		c.given = o.Lists(q.name(), q.target)
	}
	var generation uint64
	if o.Drift > 0 || o.ShuffleTies {
		generation = roll(q.key(), uint64(c.view.Day()))
	}
	key := fmt.Sprintf("%d %s %q %s %s %q %s %v %d", c.view.Day(), q.path, q.target, q.mode, q.protocol, q.history, q.aggregation, q.order, generation)
	for _, n := range c.before() {
		key += n.text
	}
	return c.server.lists.Get(key, func() ordered { return c.sorted(generation) })
}

// keptLists and keptRows bound the lists that are remembered.
const (
	keptLists = 128
	keptRows  = 500_000
)
