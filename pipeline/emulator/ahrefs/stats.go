package ahrefs

import (
	"slices"
	"time"

	"backhaul/pipeline/emulator/graph"
)

// row is what goes over the wire: names and values in order.
type row []cell

type cell struct {
	name  string
	value any
}

// domain returns the root domain a target is on.
func (c *call) domain(target string) (graph.DomainID, bool) {
	host, _ := split(target)
	if name, ok := freeDomain(target); ok {
		host = standIns[name]
	}
	return c.graph.LookupDomain(host)
}

// domainsOn counts the root domains that links, by source page, came from on some days.
func (c *call) domainsOn(ids []graph.LinkID, days ...int) []int {
	sources := make([]graph.DomainID, len(ids))
	for i, id := range ids {
		sources[i] = c.graph.DomainOf(c.view.Link(id).Source)
	}
	counts := make([]int, len(days))
	for i, day := range days {
		last := ^graph.DomainID(0) // a domain seen before is the last one
		for j, id := range ids {
			if sources[j] != last && c.graph.LiveOn(id, day) {
				last = sources[j]
				counts[i]++
			}
		}
	}
	return counts
}

// ratings are those of a domain on some days: by the same links that the web's authority counts.
func (c *call) ratings(d graph.DomainID, days ...int) []float64 {
	ids := slices.DeleteFunc(c.view.InLinks(c.graph.TargetOf(d)), func(id graph.LinkID) bool { return !c.view.Link(id).External })
	out := make([]float64, len(days))
	for i, n := range c.domainsOn(ids, days...) {
		out[i] = rating(n, d)
	}
	return out
}

func domainRating(c *call) []row {
	d, ok := c.domain(c.q.target)
	if !ok {
		return []row{{{"domain_rating", 0.0}, {"ahrefs_rank", nil}}}
	}
	// The rank is today's whatever the date (chosen).
	return []row{{{"domain_rating", c.ratings(d, c.q.date)[0]}, {"ahrefs_rank", c.server.rank(c.view, d)}}}
}

// backlinksStats counts the links that the lists have: live is history=live, all_time is history=all_time, both on the date asked for.
func backlinksStats(c *call) []row {
	var live, ever []graph.PageID
	for _, id := range c.backlinks() {
		l := c.view.Link(id)
		if l.FirstSeen > c.q.date {
			continue
		}
		ever = append(ever, l.Source)
		if c.graph.LiveOn(id, c.q.date) {
			live = append(live, l.Source)
		}
	}
	n, all := len(live), len(ever)
	_, domains := c.distinct(live)
	_, allDomains := c.distinct(ever)
	return []row{{{"live", n}, {"all_time", all}, {"live_refdomains", domains}, {"all_time_refdomains", allDomains}}}
}

func outlinksStats(c *call) []row {
	o := c.outbound()
	return []row{{{"outgoing_links", o.links}, {"outgoing_links_dofollow", o.dofollow},
		{"linked_domains", o.domains}, {"linked_domains_dofollow", o.dofollowDomains}}}
}

type outbound struct{ links, dofollow, domains, dofollowDomains int }

func (c *call) outbound() (o outbound) {
	var all, followed []graph.PageID
	for _, id := range c.outlinks() {
		l := c.view.Link(id)
		all = append(all, l.Target)
		if !l.Nofollow {
			followed = append(followed, l.Target)
		}
	}
	o.links, o.dofollow = len(all), len(followed)
	_, o.domains = c.distinct(all)
	_, o.dofollowDomains = c.distinct(followed)
	return o
}

// firstDay is when histories begin: before it the web has nothing.
const firstDay = -2000

// buckets are the days of a history: every day, Mondays, or firsts of months, within the period, both ends included.
func (q *query) buckets() []int {
	var days []int
	for d := max(q.from, firstDay); d <= q.to; d++ {
		date := graph.Epoch.AddDate(0, 0, d)
		if q.grouping == "daily" || q.grouping == "weekly" && date.Weekday() == time.Monday || q.grouping == "monthly" && date.Day() == 1 {
			days = append(days, d)
		}
	}
	return days
}

func refdomainsHistory(c *call) []row {
	days := c.q.buckets()
	out := make([]row, len(days))
	for i, n := range c.domainsOn(c.backlinks(), days...) {
		out[i] = row{{"date", graph.Date(days[i])}, {"refdomains", n}}
	}
	return out
}

func ratingHistory(c *call) []row {
	days := c.q.buckets()
	ratings := make([]float64, len(days))
	if d, ok := c.domain(c.q.target); ok {
		ratings = c.ratings(d, days...)
	}
	out := make([]row, len(days))
	for i, r := range ratings {
		out[i] = row{{"date", graph.Date(days[i])}, {"domain_rating", r}}
	}
	return out
}

// ranks orders the domains of a day by the number of domains that link to them, the strongest first.
type ranks struct {
	day int
	of  []int
}

// rank returns the place of a domain among all, from 1.
func (s *Server) rank(v *graph.View, d graph.DomainID) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ranks.of == nil || s.ranks.day != v.Day() {
		n, _, _, _ := v.Graph().Size()
		ids := make([]graph.DomainID, n)
		for i := range ids {
			ids[i] = graph.DomainID(i)
		}
		slices.SortStableFunc(ids, func(a, b graph.DomainID) int { return v.DomainsToDomain(b) - v.DomainsToDomain(a) })
		s.ranks = ranks{v.Day(), make([]int, n)}
		for place, id := range ids {
			s.ranks.of[id] = place + 1
		}
	}
	return s.ranks.of[d]
}
