package emulator

import (
	"math"
	"slices"
	"strings"

	"backhaul/pipeline/emulator/graph"
	"backhaul/pipeline/emulator/internal/quote"
)

// recent is how far back gained_last_60_days and lost_last_60_days reach, in days, today included.
const recent = 60

func gainedLately(v *graph.View, l graph.Link) bool { return l.Live && l.Gained > v.Day()-recent }
func lostLately(v *graph.View, l graph.Link) bool   { return !l.Live && l.Lost > v.Day()-recent }

// matches tells whether a link fits one filter name. Names not about being deleted leave that open: external alone lists lost links too.
func matches(v *graph.View, l graph.Link, name string) bool {
	positive, negated := strings.CutPrefix(name, "not_")
	if negated {
		return !matches(v, l, positive)
	}
	switch name {
	case "external":
		return l.External
	case "follow":
		return !l.Nofollow
	case "nofollow":
		return l.Nofollow
	case "deleted":
		return !l.Live
	case "redirect":
		return l.Redirect
	case "rel_canonical":
		return l.Canonical
	case "via_redirect":
		return l.ViaRedirect
	case "via_rel_canonical":
		return l.ViaCanonical
	case "gained_last_60_days":
		return gainedLately(v, l)
	case "lost_last_60_days":
		return lostLately(v, l)
	}
	return false
}

// linkRows are links in the order of a sort.
type linkRows struct {
	view *graph.View
	ids  []graph.LinkID
}

// linkList orders by the sort, descending, then by the order in which the index keeps pages: source, then target (chosen).
func linkList(v *graph.View, q *query) rows {
	g := v.Graph()
	from, known := graph.DomainID(0), true
	if q.SourceRootDomain != "" {
		from, known = g.LookupDomain(q.SourceRootDomain)
	}
	if !known {
		return linkRows{v, nil}
	}
	var keys []uint64 // the sort's value, inverted, above the id
	for _, id := range v.InLinks(q.find(v)) {
		l := v.Link(id)
		if q.SourceRootDomain != "" && g.DomainOf(l.Source) != from {
			continue
		}
		if slices.ContainsFunc(q.Filter, func(name string) bool { return !matches(v, l, name) }) {
			continue
		}
		if q.Anchor != nil && v.Anchor(id) != *q.Anchor {
			continue
		}
		keys = append(keys, uint64(^sortValue(v, q.Sort, l.Source))<<32|uint64(id))
	}
	slices.Sort(keys)
	ids := make([]graph.LinkID, len(keys))
	for i, key := range keys {
		ids[i] = graph.LinkID(key & math.MaxUint32)
	}
	return linkRows{v, bestOfEach(v, q, ids)}
}

// sortValue maps a source's metric to a number of the same order.
func sortValue(v *graph.View, sort string, p graph.PageID) uint32 {
	d := v.Graph().DomainOf(p)
	switch sort {
	case "source_domain_authority":
		return uint32(v.DomainAuthority(d))
	case "source_spam_score":
		return uint32(v.Graph().SpamScore(d) + 1) // none known (-1) comes last
	case "source_link_propensity":
		return math.Float32bits(v.LinkPropensity(d)) // never negative, so bits order as values do
	case "root_domains_to_source_page":
		return uint32(v.DomainsToPage(p))
	case "root_domains_to_source_root_domain":
		return uint32(v.DomainsToDomain(d))
	}
	return uint32(v.PageAuthority(p))
}

// bestOfEach keeps the first link of each host or root domain under source_scope, and of each listed subdomain.
func bestOfEach(v *graph.View, q *query, ids []graph.LinkID) []graph.LinkID {
	if q.SourceScope == "page" && len(q.LimitedToOne) == 0 {
		return ids
	}
	g := v.Graph()
	seen := map[uint64]bool{}
	limited := map[string]bool{}
	for _, host := range q.LimitedToOne {
		limited[strings.ToLower(host)] = false
	}
	return slices.DeleteFunc(ids, func(id graph.LinkID) bool {
		p := v.Link(id).Source
		if q.SourceScope != "page" {
			group := uint64(g.DomainOf(p))
			if q.SourceScope == "subdomain" {
				group = uint64(g.HostOf(p))
			}
			if seen[group] {
				return true
			}
			seen[group] = true
		}
		host := g.HostName(p)
		given, ok := limited[host]
		if ok {
			limited[host] = true
		}
		return given
	})
}

func (l linkRows) Len() int { return len(l.ids) }

func (l linkRows) Append(buf []byte, i int) []byte {
	return l.append(buf, i, `{"source":`, `, "target":`)
}

// append writes a link with its two pages under the names the API has for them.
func (l linkRows) append(buf []byte, i int, source, target string) []byte {
	id := l.ids[i]
	link := l.view.Link(id)
	buf = appendMetrics(append(buf, source...), l.view.Metrics(link.Source))
	buf = appendMetrics(append(buf, target...), l.view.Metrics(link.Target))
	disappeared := ""
	if !link.Live {
		disappeared = graph.Date(link.Lost)
	}
	buf = quote.Append(append(buf, `, "anchor_text":`...), l.view.Anchor(id))
	buf = quote.Append(append(buf, `, "date_first_seen":`...), graph.Date(link.FirstSeen))
	buf = quote.Append(append(buf, `, "date_last_seen":`...), graph.Date(link.LastSeen))
	buf = quote.Append(append(buf, `, "date_disappeared":`...), disappeared)
	buf = appendFlag(buf, `, "nofollow":`, link.Nofollow)
	buf = appendFlag(buf, `, "redirect":`, link.Redirect)
	buf = appendFlag(buf, `, "rel_canonical":`, link.Canonical)
	buf = appendFlag(buf, `, "via_redirect":`, link.ViaRedirect)
	buf = appendFlag(buf, `, "via_rel_canonical":`, link.ViaCanonical)
	return append(buf, '}')
}
