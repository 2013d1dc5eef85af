package emulator

import (
	"strconv"

	"backhaul/pipeline/emulator/graph"
)

// drawers of every distribution (documented).
const drawers = 10

// series is one distribution: what links to something, by a property of the linking root domain.
type series struct {
	name    string
	scope   graph.Scope
	by      property
	of      func(*graph.Counts) int
	history bool // of values
}

// property sorts root domains into drawers. It is the property of the day the index serves even in a history (chosen; spam scores do
// not change anyway).
type property int

const (
	bySize      property = iota // linking root domains: 0, 1-9, 10-99, ..., 100000000 and more
	byAuthority                 // 1-10, 11-20, ..., 91-100
	bySpam                      // the same; a domain without score is in none
)

func (p property) drawer(v *graph.View, d graph.DomainID) int {
	switch p {
	case bySize:
		n := v.DomainsToDomain(d)
		if n == 0 {
			return 0
		}
		return min(drawers-1, len(strconv.Itoa(n)))
	case byAuthority:
		return (v.DomainAuthority(d) - 1) / 10
	}
	if score := v.Graph().SpamScore(d); score > 0 {
		return (score - 1) / 10
	}
	return -1
}

// allSeries are the thirteen, in the documented order.
var allSeries = func() []series {
	pages := func(c *graph.Counts) int { return c.Pages }
	nofollowPages := func(c *graph.Counts) int { return c.NofollowPages }
	domains := func(c *graph.Counts) int { return c.Domains }
	nofollowDomains := func(c *graph.Counts) int { return c.NofollowDomains }
	return []series{
		{"root_domains_to_page_by_root_domains", graph.Page, bySize, domains, false},
		{"root_domains_to_root_domain_by_root_domains", graph.Domain, bySize, domains, true},
		{"nofollow_root_domains_to_root_domain_by_root_domains", graph.Domain, bySize, nofollowDomains, true},
		{"root_domains_to_page_by_domain_authority", graph.Page, byAuthority, domains, false},
		{"root_domains_to_subdomain_by_domain_authority", graph.Host, byAuthority, domains, false},
		{"root_domains_to_root_domain_by_domain_authority", graph.Domain, byAuthority, domains, false},
		{"nofollow_root_domains_to_root_domain_by_domain_authority", graph.Domain, byAuthority, nofollowDomains, false},
		{"pages_to_root_domain_by_spam_score", graph.Domain, bySpam, pages, true},
		{"nofollow_pages_to_root_domain_by_spam_score", graph.Domain, bySpam, nofollowPages, true},
		{"root_domains_to_page_by_spam_score", graph.Page, bySpam, domains, false},
		{"root_domains_to_subdomain_by_spam_score", graph.Host, bySpam, domains, false},
		{"root_domains_to_root_domain_by_spam_score", graph.Domain, bySpam, domains, true},
		{"nofollow_root_domains_to_root_domain_by_spam_score", graph.Domain, bySpam, nofollowDomains, true},
	}
}()

func seriesOf(name string) *series {
	for i := range allSeries {
		if allSeries[i].name == name {
			return &allSeries[i]
		}
	}
	return nil
}

func (c *chronicle) spread(s *series, days []int) [][]graph.Change {
	return c.view.Graph().Spread(c.of[s.scope], days, drawers, func(d graph.DomainID) int { return s.by.drawer(c.view, d) })
}

// append writes the ten numbers of a day.
func (s *series) append(buf []byte, spread [][]graph.Change, day int) []byte {
	for i := range spread {
		comma := ", "
		if i == 0 {
			comma = "["
		}
		buf = strconv.AppendInt(append(buf, comma...), int64(s.of(&spread[i][day].Now)), 10)
	}
	return append(buf, ']')
}

// appendDistributions writes the thirteen arrays of today.
func (c *chronicle) appendDistributions(buf []byte) []byte {
	type group struct {
		scope graph.Scope
		by    property
	}
	known := map[group][][]graph.Change{}
	for i := range allSeries {
		s := &allSeries[i]
		key := group{s.scope, s.by}
		if known[key] == nil {
			known[key] = c.spread(s, []int{c.view.Day()})
		}
		comma := `, "`
		if i == 0 {
			comma = `{"`
		}
		buf = append(append(append(buf, comma...), s.name...), `":`...)
		buf = s.append(buf, known[key], 0)
	}
	return append(buf, '}')
}
