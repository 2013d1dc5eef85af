package emulator

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"backhaul/pipeline/emulator/graph"
	"backhaul/pipeline/emulator/internal/quote"
)

// domainRows are the root domains that link to a target.
type domainRows struct {
	view  *graph.View
	sort  string
	items []linkingDomain
}

type linkingDomain struct {
	id                                           graph.DomainID
	pages, nofollowPages, redirectPages, deleted int
	gained, lost                                 int // newest day of each; noDay if there is none
}

const noDay = math.MinInt32

// domainList groups the links of a target by source root domain. The counts are over all links of the domain, whatever
// the filter. Ties keep the order in which the index keeps domains (chosen). Under a date sort only domains with such a date are
// listed: date_gained is the newest day on which one of its links came to life, date_lost the newest on which one now dead disappeared (both chosen;
// so the 60-day filters and the dates agree).
func domainList(v *graph.View, q *query) rows {
	out := domainRows{view: v, sort: q.Sort}
	g := v.Graph()
	ids := v.InLinks(q.find(v))
	var group []graph.Link
	for i := 0; i < len(ids); {
		group = group[:0]
		first := v.Link(ids[i])
		d := g.DomainOf(first.Source)
		for ; i < len(ids); i++ {
			l := v.Link(ids[i])
			if g.DomainOf(l.Source) != d {
				break
			}
			group = append(group, l)
		}
		item := summarise(d, group)
		if fits(v, group, q.Filter) && inPeriod(item, q) {
			out.items = append(out.items, item)
		}
	}
	keys := make([]uint64, len(out.items))
	for i, item := range out.items {
		keys[i] = uint64(^domainValue(v, q.Sort, item))<<32 | uint64(i)
	}
	slices.Sort(keys)
	sorted := make([]linkingDomain, len(keys))
	for i, key := range keys {
		sorted[i] = out.items[key&math.MaxUint32]
	}
	out.items = sorted
	return out
}

// fits holds the documented rule: a positive name needs one matching link, a negative one ("not_deleted") needs all to match.
// Each name is asked on its own, so two positive names may be met by two links (chosen).
func fits(v *graph.View, group []graph.Link, filter []string) bool {
	for _, name := range filter {
		hit := slices.ContainsFunc(group, func(l graph.Link) bool { return matches(v, l, name) })
		if strings.HasPrefix(name, "not_") {
			hit = !slices.ContainsFunc(group, func(l graph.Link) bool { return !matches(v, l, name) })
		}
		if !hit {
			return false
		}
	}
	return true
}

// summarise counts one domain's pages; its links are ordered by page.
func summarise(d graph.DomainID, group []graph.Link) linkingDomain {
	item := linkingDomain{id: d, gained: noDay, lost: noDay}
	for i := 0; i < len(group); {
		page := group[i].Source
		var live, follow, redirect bool
		for ; i < len(group) && group[i].Source == page; i++ {
			l := group[i]
			if !l.Live {
				item.lost = max(item.lost, l.Lost)
				continue
			}
			item.gained = max(item.gained, l.Gained)
			live, follow, redirect = true, follow || !l.Nofollow, redirect || l.Redirect
		}
		if !live {
			item.deleted++
			continue
		}
		item.pages++
		if !follow {
			item.nofollowPages++
		}
		if redirect {
			item.redirectPages++
		}
	}
	return item
}

func (d linkingDomain) date(sort string) int {
	switch sort {
	case "date_gained":
		return d.gained
	case "date_lost":
		return d.lost
	}
	return noDay
}

// inPeriod keeps everything unless a date sort asks; begin_date and end_date belong to the period.
func inPeriod(item linkingDomain, q *query) bool {
	if !strings.HasPrefix(q.Sort, "date_") {
		return true
	}
	day := item.date(q.Sort)
	if day == noDay {
		return false
	}
	date := graph.Date(day)
	return (q.Begin == "" || date >= q.Begin) && (q.End == "" || date <= q.End)
}

func domainValue(v *graph.View, sort string, item linkingDomain) uint32 {
	switch sort {
	case "date_gained", "date_lost":
		return uint32(item.date(sort) + 1<<20)
	case "source_link_propensity":
		return math.Float32bits(v.LinkPropensity(item.id))
	case "source_spam_score":
		return uint32(v.Graph().SpamScore(item.id) + 1)
	}
	return uint32(v.DomainAuthority(item.id))
}

func (d domainRows) Len() int { return len(d.items) }

func (d domainRows) Append(buf []byte, i int) []byte {
	item, g := d.items[i], d.view.Graph()
	number := func(name string, n int) {
		buf = strconv.AppendInt(append(buf, name...), int64(n), 10)
	}
	buf = quote.Append(append(buf, `{"root_domain":`...), g.DomainName(item.id))
	number(`, "root_domains_to_root_domain":`, d.view.DomainsToDomain(item.id))
	number(`, "domain_authority":`, d.view.DomainAuthority(item.id))
	buf = appendPropensity(append(buf, `, "link_propensity":`...), d.view.LinkPropensity(item.id))
	number(`, "spam_score":`, g.SpamScore(item.id))
	number(`, "to_target":{"pages":`, item.pages)
	number(`, "nofollow_pages":`, item.nofollowPages)
	number(`, "redirect_pages":`, item.redirectPages)
	number(`, "deleted_pages":`, item.deleted)
	return append(d.appendDate(append(buf, '}'), item), '}')
}

// appendDate writes the date under a date sort; the field is named as the sort is.
func (d domainRows) appendDate(buf []byte, item linkingDomain) []byte {
	day := item.date(d.sort)
	if day == noDay {
		return buf
	}
	buf = append(append(append(buf, `, "`...), d.sort...), `":`...)
	return quote.Append(buf, graph.Date(day))
}
