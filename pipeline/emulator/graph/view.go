package graph

import (
	"slices"
	"sort"
	"strings"
	"sync"
)

// View is the web on one day. It is safe for concurrent use.
type View struct {
	g   *Graph
	day int

	once      sync.Once
	toPage    []uint32 // root domains linking to a page
	toDomain  []uint32 // root domains linking to a root domain
	fromPages []outbound
	crawled   []uint32 // pages of a root domain that ever answered

	mu     sync.Mutex
	levels map[Target]*Counts
}

// keptViews of a web are remembered: at most some 10 MiB each.
const keptViews = 4

// At returns the web on a day. The first question asked of a view costs a walk over all links (about 100 ms); the last
// few days asked for are remembered.
func (g *Graph) At(day int) *View {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, v := range g.views {
		if v.day == day {
			return v
		}
	}
	if len(g.views) == keptViews {
		g.views = slices.Delete(g.views, 0, 1)
	}
	v := &View{g: g, day: day, levels: map[Target]*Counts{}}
	g.views = append(g.views, v)
	return v
}

// Day returns the day of the view.
func (v *View) Day() int { return v.day }

// Graph returns the web the view looks at.
func (v *View) Graph() *Graph { return v.g }

// Link is one link as the index knows it.
type Link struct {
	Source, Target PageID
	FirstSeen      int // day
	LastSeen       int // day; of a live link the last crawl of its page
	Live           bool
	Gained         int // day on which it last came to life: FirstSeen, or its return
	Lost           int // day on which it last disappeared; meaningless while live
	External       bool
	Nofollow       bool
	Redirect       bool // the link is a redirect from source to target
	Canonical      bool // the link is a rel=canonical
	ViaRedirect    bool // the link points at a page that redirects to the target
	ViaCanonical   bool // the link points at a page whose canonical is the target
}

// Link returns a link; its anchor text is asked for separately, being dear.
func (v *View) Link(id LinkID) Link {
	r := &v.g.rows[id]
	l := Link{
		Source: r.src, Target: r.dst, FirstSeen: int(r.born), Gained: int(r.born), Lost: int(r.died),
		Live:     alive(r.born, r.died, r.returned, v.day),
		External: r.flags&rowExternal != 0, Nofollow: r.flags&rowNofollow != 0,
		Redirect: r.flags&rowRedirect != 0, Canonical: r.flags&rowCanonical != 0,
		ViaRedirect: r.flags&rowViaRedirect != 0, ViaCanonical: r.flags&rowViaCanonical != 0,
	}
	if !l.Live {
		l.LastSeen = l.Lost - 1
		return l
	}
	if v.day >= int(r.returned) {
		l.Gained = int(r.returned)
	}
	l.LastSeen = max(l.Gained, v.lastCrawl(r.src))
	return l
}

// Anchor returns the anchor text of a link as the index keeps it. Redirects and canonicals have none.
func (v *View) Anchor(id LinkID) string { return Normalise(v.RawAnchor(id)) }

// RawAnchor returns the anchor text as it stands in the source page: some authors capitalise, some add tags or spaces.
func (v *View) RawAnchor(id LinkID) string {
	g := v.g
	a := g.rows[id].anchor
	if a == 0 {
		return ""
	}
	d := DomainID(sort.Search(len(g.domains), func(i int) bool { return g.domains[i].anchors > a }) - 1)
	text := g.phrase(d, a-g.domains[d].anchors)
	switch r := g.hash(streamSpelling, uint64(id)); r % 16 {
	case 0:
		return "<b>" + text + "</b>"
	case 1:
		return "  " + strings.ReplaceAll(text, " ", "\n  ") + " "
	case 2, 3, 4:
		if text != "" && text[0] >= 'a' && text[0] <= 'z' {
			return string(text[0]-'a'+'A') + text[1:]
		}
	}
	return text
}

// InLinks returns the links to a target that have ever been seen, ordered by source page. The caller owns the slice.
func (v *View) InLinks(t Target) []LinkID {
	var ids []LinkID
	for _, id := range v.g.linksTo(t) {
		if int(v.g.rows[id].born) <= v.day {
			ids = append(ids, id)
		}
	}
	if t.count > 1 {
		slices.Sort(ids)
	}
	return ids
}

// lastCrawl is the last of the regular visits to a page, 3 to 27 days apart and not before the page began.
func (v *View) lastCrawl(p PageID) int {
	r := v.g.hash(streamCrawl, uint64(p))
	every := 3 + int(r%25)
	since := (v.day + 100000 + int(r>>32%1000)) % every
	return max(v.day-since, int(v.g.pages[p].born))
}

// ready walks all links once for the counts that lists are sorted by.
func (v *View) ready() {
	v.once.Do(func() {
		v.countInbound()
		v.countOutbound()
	})
}

func (v *View) live(r *row) bool { return alive(r.born, r.died, r.returned, v.day) }

func (v *View) countInbound() {
	g := v.g
	v.toPage, v.toDomain = make([]uint32, len(g.pages)), make([]uint32, len(g.domains))
	seenBy := make([]DomainID, len(g.domains)) // last domain, plus one, that a source was counted for
	for p := range g.pages {
		d := g.domainOf[p]
		last := ^DomainID(0)
		for _, id := range g.in[g.inAt[p]:g.inAt[p+1]] {
			r := &g.rows[id]
			if r.flags&rowExternal == 0 || !v.live(r) {
				continue
			}
			src := g.domainOf[r.src]
			if src != last {
				v.toPage[p]++
				last = src
			}
			if seenBy[src] != d+1 {
				v.toDomain[d]++
				seenBy[src] = d + 1
			}
		}
	}
}

// outbound counts what a domain links to: unique other root domains and unique external pages, and those of them
// reached by nofollow links only.
type outbound struct{ domains, nofollowDomains, pages, nofollowPages uint32 }

func (v *View) countOutbound() {
	g := v.g
	v.crawled = make([]uint32, len(g.domains))
	v.fromPages = make([]outbound, len(g.domains))
	for i := range g.domains {
		d := &g.domains[i]
		for p := d.firstPage; p < d.firstPage+PageID(d.pages); p++ {
			if v.HTTPCode(p) >= 100 {
				v.crawled[i]++
			}
		}
		v.fromPages[i] = v.outboundOf(d.firstPage, d.pages)
	}
}

// outboundOf counts the live external links of a range of pages. Redirects, canonicals and rows seen through another
// page are not links that stand on the page, so they do not count here.
func (v *View) outboundOf(first PageID, pages uint32) (n outbound) {
	g := v.g
	var keys []uint64
	for i := g.out[first]; i < g.out[uint32(first)+pages]; i++ {
		r := &g.rows[i]
		if r.flags&rowExternal != 0 && r.flags&(rowVia|rowRedirect|rowCanonical) == 0 && v.live(r) {
			keys = append(keys, uint64(r.dst)<<1|uint64(r.flags&rowNofollow))
		}
	}
	slices.Sort(keys) // a followed link sorts before a nofollow one to the same page
	for i := 0; i < len(keys); {
		d := g.domainOf[keys[i]>>1]
		follow := false
		for i < len(keys) && g.domainOf[keys[i]>>1] == d {
			target := keys[i] >> 1
			n.pages++
			if keys[i]&1 == 1 {
				n.nofollowPages++
			} else {
				follow = true
			}
			for i < len(keys) && keys[i]>>1 == target {
				i++
			}
		}
		n.domains++
		if !follow {
			n.nofollowDomains++
		}
	}
	return n
}
