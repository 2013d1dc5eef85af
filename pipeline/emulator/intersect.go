package emulator

import (
	"cmp"
	"encoding/json"
	"math"
	"math/bits"
	"slices"
	"strconv"

	"backhaul/pipeline/emulator/graph"
	"backhaul/pipeline/emulator/internal/quote"
)

// intersection is what link_intersect asks beside source_scope and sort.
type intersection struct {
	Positive, Negative []site
	Min                int
}

// maxIntersected targets, positive and negative together, is documented.
const maxIntersected = 6

func parseLinkIntersect(f *fields, q *query) {
	in := &intersection{Positive: f.sites("positive_targets"), Negative: f.sites("negative_targets"), Min: 1}
	if len(in.Positive) == 0 {
		f.fail("positive_targets is required")
	}
	if len(in.Positive)+len(in.Negative) > maxIntersected {
		f.fail("positive_targets and negative_targets must be at most %d together", maxIntersected)
	}
	// Chosen: 1 by default, as the sample reply suggests, and 400 for more than there are.
	if f.take("min_matching_targets", &in.Min, "a whole number") && (in.Min < 1 || in.Min > len(in.Positive)) {
		f.fail("min_matching_targets must be from 1 to the number of positive_targets")
	}
	q.Intersect = in
	q.SourceScope = f.choice("source_scope", "page", "root_domain")
	q.Sort = f.choice("sort", "matching_target_count", "source_domain_authority", "source_spam_score")
	f.paging(q)
}

// sites reads an array of {"target","scope"}, both required.
func (f *fields) sites(name string) []site {
	var raw []json.RawMessage
	if !f.take(name, &raw, "an array of objects") {
		return nil
	}
	var out []site
	for _, text := range raw {
		item := fields{values: map[string]json.RawMessage{}}
		if json.Unmarshal(text, &item.values) != nil || item.values == nil {
			f.fail("%s must be an array of objects", name)
			return nil
		}
		one := site{Target: item.address("target")}
		if item.values["scope"] == nil {
			item.fail("scope is required")
		}
		one.Scope = item.choice("scope", "page", "subdomain", "root_domain")
		if item.err != nil {
			f.fail("%s: %v", name, item.err)
		}
		out = append(out, one)
	}
	return out
}

func (s *Server) linkIntersect(v *graph.View, q *query, from, at int) reply {
	build := func(v *graph.View, q *query) rows {
		list := intersectList(v, q)
		list.withPages = list.withPages && s.options.MatchingSourcePages
		return list
	}
	return pageOf(build, weighs(5))(s, v, q, from, at)
}

// intersectRows are the sources that link to enough of the positive targets and to none of the negative ones.
type intersectRows struct {
	view      *graph.View
	whole     bool // the sources are root domains, not pages
	withPages bool // show the linking pages of a root domain
	items     []linkingSource
}

type linkingSource struct {
	pages []graph.PageID // that link to a positive target; one at page scope
	hits  uint8          // the positive targets, one bit each
}

// intersectList is set algebra over the live external links of the targets. Ties keep the order in which the index keeps
// pages and domains (chosen).
func intersectList(v *graph.View, q *query) intersectRows {
	out := intersectRows{view: v, whole: q.SourceScope == "root_domain", withPages: q.SourceScope == "root_domain"}
	g := v.Graph()
	found := map[uint32]*linkingSource{}
	visit := func(target site, see func(key uint32, p graph.PageID)) {
		for _, id := range v.InLinks(target.find(v)) {
			l := v.Link(id)
			switch {
			case !l.Live || !l.External:
			case out.whole:
				see(uint32(g.DomainOf(l.Source)), l.Source)
			default:
				see(uint32(l.Source), l.Source)
			}
		}
	}
	for i, target := range q.Intersect.Positive {
		visit(target, func(key uint32, p graph.PageID) {
			if found[key] == nil {
				found[key] = &linkingSource{}
			}
			found[key].hits |= 1 << i
			found[key].pages = append(found[key].pages, p)
		})
	}
	for _, target := range q.Intersect.Negative {
		visit(target, func(key uint32, _ graph.PageID) { delete(found, key) })
	}
	for _, source := range found {
		if bits.OnesCount8(source.hits) < q.Intersect.Min {
			continue
		}
		slices.Sort(source.pages)
		source.pages = slices.Compact(source.pages)
		out.items = append(out.items, *source)
	}
	slices.SortFunc(out.items, func(a, b linkingSource) int {
		return cmp.Or(cmp.Compare(intersectValue(v, q.Sort, b), intersectValue(v, q.Sort, a)), cmp.Compare(a.pages[0], b.pages[0]))
	})
	return out
}

func intersectValue(v *graph.View, sort string, s linkingSource) uint32 {
	if sort == "matching_target_count" {
		return uint32(bits.OnesCount8(s.hits))
	}
	return sortValue(v, sort, s.pages[0])
}

func (r intersectRows) Len() int { return len(r.items) }

// Append writes a result, the same in both of Moz's APIs.
func (r intersectRows) Append(buf []byte, i int) []byte {
	item, g := r.items[i], r.view.Graph()
	d := g.DomainOf(item.pages[0])
	name, title := g.PageName(item.pages[0]), r.view.Title(item.pages[0])
	if r.whole {
		name, title = g.DomainName(d), "" // documented: blank for root domains
	}
	buf = quote.Append(append(buf, `{"page":`...), name)
	buf = quote.Append(append(buf, `, "title":`...), title)
	buf = strconv.AppendInt(append(buf, `, "domain_authority":`...), int64(r.view.DomainAuthority(d)), 10)
	buf = strconv.AppendInt(append(buf, `, "spam_score":`...), int64(g.SpamScore(d)), 10)
	buf = append(buf, `, "matching_target_indexes":[`...)
	for k, comma := 0, ""; k < maxIntersected; k++ {
		if item.hits>>k&1 == 1 {
			buf = strconv.AppendInt(append(buf, comma...), int64(k), 10)
			comma = ", "
		}
	}
	buf = append(buf, ']')
	if r.withPages {
		buf = r.appendPages(buf, item.pages)
	}
	return append(buf, '}')
}

// appendPages writes the linking pages, those of the highest authority first (chosen).
func (r intersectRows) appendPages(buf []byte, pages []graph.PageID) []byte {
	keys := make([]uint64, len(pages))
	for i, p := range pages {
		keys[i] = uint64(100-r.view.PageAuthority(p))<<32 | uint64(p)
	}
	slices.Sort(keys)
	buf = append(buf, `, "matching_source_pages":[`...)
	for i, key := range keys {
		if i > 0 {
			buf = append(buf, ", "...)
		}
		p := graph.PageID(key & math.MaxUint32)
		buf = quote.Append(append(buf, `{"page":`...), r.view.Graph().PageName(p))
		buf = strconv.AppendInt(append(buf, `, "page_authority":`...), int64(r.view.PageAuthority(p)), 10)
		buf = append(buf, '}')
	}
	return append(buf, ']')
}
