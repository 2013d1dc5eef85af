package emulator

import (
	"strconv"
	"strings"
	"time"

	"backhaul/pipeline/emulator/graph"
	"backhaul/pipeline/emulator/internal/quote"
)

// Reach of the histories (documented).
const (
	dailyReach   = 60
	monthlyReach = 32
)

// chronicle is what became of one page, its host and its root domain. It computes each history once and is not safe for
// concurrent use.
type chronicle struct {
	view  *graph.View
	of    map[graph.Scope]graph.Target
	known map[chapter][]graph.Change
}

type chapter struct {
	scope   graph.Scope
	monthly bool
}

// newChronicle of a name: its page level is the page of that name or, where the scope is wider, the home page.
func newChronicle(v *graph.View, name, scope string) *chronicle {
	c := &chronicle{view: v, of: map[graph.Scope]graph.Target{}, known: map[chapter][]graph.Change{}}
	for _, level := range []graph.Scope{graph.Page, graph.Host, graph.Domain} {
		c.of[level], _ = v.Graph().Find(face(v, name, scope), level)
	}
	return c
}

// days returns the days of a history, oldest first: one before it begins, from which the first step is counted, then the last 60
// days, or the last days of the last 32 months; the current month ends today (chosen).
func days(today int, monthly bool) (days []int) {
	if !monthly {
		for day := today - dailyReach; day <= today; day++ {
			days = append(days, day)
		}
		return days
	}
	now := graph.Epoch.AddDate(0, 0, today)
	for back := monthlyReach; back > 0; back-- {
		next := time.Date(now.Year(), now.Month()-time.Month(back)+1, 1, 0, 0, 0, 0, time.UTC)
		days = append(days, graph.DayOf(next)-1)
	}
	return append(days, today)
}

// appendDate writes a day of a history: months as YYYY-MM.
func appendDate(buf []byte, day int, monthly bool) []byte {
	date := graph.Date(day)
	if monthly {
		date = date[:len("2006-01")]
	}
	return quote.Append(append(buf, `{"date":`...), date)
}

func (c *chronicle) changes(scope graph.Scope, monthly bool) []graph.Change {
	key := chapter{scope, monthly}
	if c.known[key] == nil {
		c.known[key] = c.view.Graph().History(c.of[scope], days(c.view.Day(), monthly))
	}
	return c.known[key]
}

// appendSeries writes one history: deltas newest first, values oldest first (V3's example).
func (c *chronicle) appendSeries(buf []byte, name string, monthly, deltas bool) []byte {
	dates := days(c.view.Day(), monthly)
	if !deltas {
		return c.appendValues(buf, name, dates, monthly)
	}
	m := historyMetrics[name]
	changes := c.changes(m.scope, monthly)
	side := func(name string, of func(i int) int) {
		buf = append(buf, name...)
		for i := len(dates) - 1; i > 0; i-- {
			if i < len(dates)-1 {
				buf = append(buf, ", "...)
			}
			buf = appendDate(buf, dates[i], monthly)
			buf = strconv.AppendInt(append(buf, `, "count":`...), int64(of(i)), 10)
			buf = append(buf, '}')
		}
		buf = append(buf, ']')
	}
	side(`{"gained":[`, func(i int) int { return m.gained(changes, i) })
	side(`, "lost":[`, func(i int) int { return m.lost(changes, i) })
	return append(buf, '}')
}

func (c *chronicle) appendValues(buf []byte, name string, dates []int, monthly bool) []byte {
	var value func(buf []byte, i int) []byte
	if m, ok := historyMetrics[name]; ok {
		changes := c.changes(m.scope, monthly)
		value = func(buf []byte, i int) []byte { return strconv.AppendInt(buf, int64(m.of(&changes[i].Now)), 10) }
	} else {
		s := seriesOf(name)
		drawers := c.spread(s, dates)
		value = func(buf []byte, i int) []byte { return s.append(buf, drawers, i) }
	}
	buf = append(buf, '[')
	for i := 1; i < len(dates); i++ {
		if i > 1 {
			buf = append(buf, ", "...)
		}
		buf = append(appendDate(buf, dates[i], monthly), `, "value":`...)
		buf = append(value(buf, i), '}')
	}
	return append(buf, ']')
}

// metric is a count that has a history, or an authority that follows from one.
type metric struct {
	scope     graph.Scope
	of        func(*graph.Counts) int
	authority bool
}

// gained is how many sources a count has gained since the day before; an authority gains what it grows by (chosen).
func (m metric) gained(changes []graph.Change, i int) int {
	if m.authority {
		return max(0, m.of(&changes[i].Now)-m.of(&changes[i-1].Now))
	}
	return m.of(&changes[i].Gained)
}

func (m metric) lost(changes []graph.Change, i int) int {
	if m.authority {
		return max(0, m.of(&changes[i-1].Now)-m.of(&changes[i].Now))
	}
	return m.of(&changes[i].Lost)
}

// historyMetrics are the documented ones: every count of links to something, but for the deleted ones, and the two authorities.
var historyMetrics = map[string]metric{}

func init() {
	counts := map[string]func(*graph.Counts) int{
		"pages":                   func(c *graph.Counts) int { return c.Pages },
		"nofollow_pages":          func(c *graph.Counts) int { return c.NofollowPages },
		"redirect_pages":          func(c *graph.Counts) int { return c.RedirectPages },
		"external_pages":          func(c *graph.Counts) int { return c.ExternalPages },
		"external_nofollow_pages": func(c *graph.Counts) int { return c.ExternalNofollowPages },
		"external_redirect_pages": func(c *graph.Counts) int { return c.ExternalRedirectPages },
		"root_domains":            func(c *graph.Counts) int { return c.Domains },
		"nofollow_root_domains":   func(c *graph.Counts) int { return c.NofollowDomains },
	}
	indirect := func(c *graph.Counts) int { return c.IndirectDomains }
	for name, of := range counts {
		historyMetrics[name+"_to_page"] = metric{scope: graph.Page, of: of}
		historyMetrics[name+"_to_subdomain"] = metric{scope: graph.Host, of: of}
		historyMetrics[name+"_to_root_domain"] = metric{scope: graph.Domain, of: of}
	}
	// Indirect links are counted at some levels only; see the 52 fields.
	historyMetrics["indirect_root_domains_to_page"] = metric{scope: graph.Page, of: indirect}
	historyMetrics["indirect_root_domains_to_root_domain"] = metric{scope: graph.Domain, of: indirect}
	historyMetrics["external_indirect_pages_to_root_domain"] = metric{scope: graph.Domain, of: func(c *graph.Counts) int { return c.ExternalIndirectPages }}
	authority := func(c *graph.Counts) int { return graph.Authority(c.Domains) }
	historyMetrics["page_authority"] = metric{graph.Page, authority, true}
	historyMetrics["domain_authority"] = metric{graph.Domain, authority, true}
}

// hasHistory tells whether a metric has a history; some distributions have one of values.
func hasHistory(name string, deltas bool) bool {
	if _, ok := historyMetrics[name]; ok {
		return true
	}
	s := seriesOf(name)
	return !deltas && s != nil && s.history
}

// face returns the page that stands for a site: of a host or a root domain its root, host and slash.
func face(v *graph.View, name, scope string) string {
	host, _, _ := strings.Cut(name, "/")
	switch scope {
	case "root_domain":
		if d, ok := v.Graph().LookupDomain(host); ok {
			host = v.Graph().DomainName(d)
		}
		return host + "/"
	case "subdomain":
		return host + "/"
	}
	return name
}
