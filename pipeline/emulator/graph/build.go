package graph

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// showcase are the domains with a name and a size of their own; links are external links before duplicates fall out.
var showcase = []struct {
	name  string
	links int
	pages int
	www   bool
	shown bool
}{
	{"acme-outdoor.example", 32500, 300, true, true},
	{"rivalgear.example", 5200, 160, false, true},
	{"summit-supply.example", 1700, 80, false, true},
	{"trailhead-co.example", 600, 40, true, true},
	{"pinecone-packs.example", 60, 12, false, true},
	{"tiny-tarps.example", 12, 6, false, true},
	{"quietpeak.example", 0, 1, false, true},
	{"megamart.example", 80000, 400, true, false},
	{"newswire.example", 42000, 400, false, false},
	{"pagehost.example", 900, 30, true, false}, // owner of the shared hosting: each of its hosts is a root domain of its own
	{"xn--bcher-kva.example", 200, 20, false, false},
}

const domainCount = 20000

// New builds the web of a seed.
func New(seed uint64) *Graph {
	b := &builder{Graph: &Graph{seed: mix(seed ^ 0x6261636b6861756c), byHost: map[string]HostID{}, byDomain: map[string]DomainID{}}}
	b.dice = dice(b.seed)
	for i := range domainCount {
		b.addDomain(i)
	}
	b.joinPages()
	b.drawExternal()
	b.drawInternal()
	b.finishRows()
	b.indexTargets()
	return b.Graph
}

type builder struct {
	*Graph
	dice  dice
	drawn []row // as drawn, in any order
}

func (b *builder) addDomain(i int) {
	d := domain{firstHost: HostID(len(b.hosts)), firstPage: PageID(len(b.pages)), spam: b.drawSpam(), anchors: 1}
	if i > 0 {
		last := &b.domains[i-1]
		d.anchors = last.anchors + last.head + last.inbound
	}
	var www bool
	if i < len(showcase) {
		s := showcase[i]
		d.name, d.inbound, d.pages, www = s.name, uint32(s.links), uint32(s.pages), s.www
	} else {
		d.name = b.drawName(i)
		d.inbound = b.drawInbound(i - len(showcase))
		d.pages = uint32(min(400, 1+4*math.Pow(b.dice.unit()+1e-4, -0.55)))
		www = i%50 != 0 && b.dice.below(2) == 0
	}
	d.head = min(600, 5+d.inbound/8)
	id := DomainID(i)
	b.byDomain[d.name] = id
	main := d.name
	if www {
		main = "www." + d.name
	}
	extra := 0
	if d.pages >= 12 {
		extra = b.dice.below(4)
	}
	share := int(d.pages) / (2 * (extra + 1))
	d.mainHost = b.addHost(id, main, int(d.pages)-extra*share)
	d.home = b.hosts[d.mainHost].first
	for _, sub := range []string{"blog.", "shop.", "forum."}[:extra] {
		b.addHost(id, sub+d.name, share)
	}
	if www {
		h := b.addHost(id, d.name, 1)
		p := &b.pages[b.hosts[h].first]
		p.flags, p.to = pageRedirects, d.home
	}
	d.hosts = uint16(len(b.hosts) - int(d.firstHost))
	d.pages = uint32(len(b.pages)) - uint32(d.firstPage)
	b.domains = append(b.domains, d)
}

func (b *builder) addHost(d DomainID, name string, pages int) HostID {
	id := HostID(len(b.hosts))
	b.hosts = append(b.hosts, host{name: name, domain: d, first: PageID(len(b.pages)), pages: uint32(pages)})
	b.byHost[name] = id
	for i := range pages {
		p := page{host: id, to: noPage, died: never, returned: never, born: -2000}
		if i > 0 {
			b.drawPage(&p, b.hosts[id].first)
			b.drawMend(&p, PageID(len(b.pages)))
		}
		b.pages = append(b.pages, p)
		b.domainOf = append(b.domainOf, d)
	}
	return id
}

// drawPage gives a page that is not the first of its host its character. Canonical pages are never nofollow and, like
// redirects, do not die, so that the rows seen through them live as long as the links to them.
func (b *builder) drawPage(p *page, home PageID) {
	switch r := b.dice.below(1000); {
	case r < 40:
		p.flags, p.to = pageRedirects, home
	case r < 70:
		p.flags, p.to = pageCanonical, home
	case r < 100:
		p.flags = pageUncrawled
	case r < 125:
		p.flags = pageBroken
	case r < 140:
		p.flags = pageFailed
	default:
		if b.dice.below(100) < 30 {
			p.flags |= pageNofollow
		}
		if b.dice.below(100) < 4 {
			p.flags |= pageNofollowLocal
		}
		if b.dice.below(100) < 35 {
			p.born = int16(-1600 + b.dice.below(2000))
		}
		if b.dice.below(100) < 12 {
			p.died, p.returned = b.drawEnd(p.born)
		}
	}
}

// drawMend lets one in three broken pages redirect from some day on. It is a day after 0, so that the web begins settled, and the roll
// is the page's own, so that no other draw depends on it. The page has no links, or the living redirect would stand beside dead ones.
func (b *builder) drawMend(p *page, id PageID) {
	if r := b.hash(streamMend, uint64(id)); p.flags&pageBroken != 0 && r%3 == 0 {
		p.flags |= pageMends
		p.died = int16(1 + r>>8%Horizon)
	}
}

// drawEnd draws the day something disappears and, for one in five, the day it comes back.
func (b *builder) drawEnd(born int16) (died, returned int16) {
	died = int16(max(-700+b.dice.below(1100), int(born)+1))
	if b.dice.below(5) == 0 {
		return died, died + 3 + int16(b.dice.below(60))
	}
	return died, never
}

func (b *builder) drawSpam() int8 {
	u := b.dice.unit()
	if u < 0.08 {
		return -1
	}
	return int8(1 + 99*math.Pow((u-0.08)/0.92, 4))
}

func (b *builder) drawName(i int) string {
	for try := 0; ; try++ {
		a, z := firstWords[b.dice.below(len(firstWords))], lastWords[b.dice.below(len(lastWords))]
		name := [...]string{a + z, a + "-" + z, z + "of" + a, "the" + a + z, a + z + "s", "my" + a + "-" + z}[b.dice.below(6)]
		if try > 3 {
			name += strconv.Itoa(i)
		}
		name += ".example"
		if i%50 == 0 {
			name = a + z + strconv.Itoa(i) + ".pagehost.example"
		}
		if _, taken := b.byDomain[name]; !taken {
			return name
		}
	}
}

// drawInbound follows a power law, roughened, with one in eight domains linked by nobody.
func (b *builder) drawInbound(rank int) uint32 {
	n := 7000 * math.Pow(float64(rank+3), -0.85) * (0.5 + b.dice.unit())
	if b.dice.below(8) == 0 && rank > 500 {
		return 0
	}
	return uint32(n)
}

// joinPages sends one redirect in five, and one canonical in ten, to another domain.
func (b *builder) joinPages() {
	for i := range b.pages {
		p := &b.pages[i]
		if p.to == noPage || p.to == PageID(i) || b.hosts[p.host].pages == 1 {
			continue
		}
		if odds := b.dice.below(10); odds < 1 || odds < 2 && p.flags&pageRedirects != 0 {
			if t := &b.domains[b.dice.zipf(len(b.domains))]; t.inbound >= 20 && b.domainOf[t.home] != b.domainOf[i] {
				p.to = t.home
			}
		}
	}
}

func (b *builder) drawExternal() {
	total := 0
	for i := range b.domains {
		total += int(b.domains[i].inbound)
	}
	b.drawn = make([]row, 0, total*5/4+4*len(b.pages))
	for i := range b.domains {
		d := &b.domains[i]
		for n := range d.inbound {
			src := b.drawSource(DomainID(i))
			b.drawn = append(b.drawn, row{src: src, dst: b.drawTarget(d), anchor: d.anchors + b.drawAnchor(d, n), flags: rowExternal, born: b.drawBorn()})
		}
	}
}

// drawSource takes half the links from any page, so that large domains link more, and half from any domain.
func (b *builder) drawSource(target DomainID) PageID {
	for {
		p := PageID(b.dice.below(len(b.pages)))
		if b.dice.below(2) == 0 {
			d := &b.domains[b.dice.below(len(b.domains))]
			p = d.firstPage + PageID(b.dice.below(int(d.pages)))
		}
		if b.pages[p].flags&silent == 0 && b.domainOf[p] != target {
			return p
		}
	}
}

func (b *builder) drawTarget(d *domain) PageID {
	if b.dice.below(10) < 4 {
		if last := d.firstPage + PageID(d.pages) - 1; b.pages[last].to == d.home && b.dice.below(4) == 0 {
			return last // the host without www
		}
		return d.home
	}
	return d.firstPage + PageID(b.dice.zipf(int(d.pages)))
}

// drawAnchor draws from the head, which many links share, or takes a text of the link's own.
func (b *builder) drawAnchor(d *domain, n uint32) uint32 {
	own := 25
	if d.inbound > 5000 {
		own = 70
	} else if d.inbound > 100 {
		own = 50
	}
	if b.dice.below(100) < own {
		return d.head + n
	}
	return uint32(b.dice.zipf(int(d.head)))
}

func (b *builder) drawBorn() int16 {
	if b.dice.below(100) < 20 {
		return int16(1 + b.dice.below(Horizon))
	}
	return int16(-1500 + b.dice.below(1501))
}

// drawInternal links every page to its domain's home and some page before it, and adds the redirects and canonicals.
func (b *builder) drawInternal() {
	for i := range b.pages {
		id, p, d := PageID(i), &b.pages[i], &b.domains[b.domainOf[i]]
		if p.to != noPage {
			kind := rowRedirect
			if p.flags&pageCanonical != 0 {
				kind = rowCanonical
			}
			b.drawn = append(b.drawn, row{src: id, dst: p.to, flags: kind, born: p.born})
		}
		if p.flags&pageMends != 0 {
			b.drawn = append(b.drawn, row{src: id, dst: b.hosts[p.host].first, flags: rowRedirect | rowMended, born: p.died})
		}
		if p.flags&silent != 0 {
			continue
		}
		if id != d.home {
			b.drawn = append(b.drawn, row{src: id, dst: d.home, anchor: d.anchors, born: p.born})
		}
		if other := d.firstPage + PageID(b.dice.below(int(d.pages))); other != id && other != d.home {
			b.drawn = append(b.drawn, row{src: id, dst: other, anchor: d.anchors + uint32(b.dice.below(int(d.head))), born: b.drawBorn()})
		}
	}
}

// finishRows sorts what was drawn by source page and completes the links of one page at a time.
func (b *builder) finishRows() {
	at := offsets(len(b.pages), b.drawn, func(r *row) PageID { return r.src })
	sorted := make([]row, len(b.drawn))
	next := slices.Clone(at)
	for i := range b.drawn {
		src := b.drawn[i].src
		sorted[next[src]] = b.drawn[i]
		next[src]++
	}
	b.drawn = nil
	b.rows = make([]row, 0, len(sorted)*5/4)
	b.out = make([]uint32, len(b.pages)+1)
	for p := range b.pages {
		b.finishPage(PageID(p), sorted[at[p]:at[p+1]])
		b.out[p+1] = uint32(len(b.rows))
	}
	b.rows = slices.Clip(b.rows)
}

func (b *builder) finishPage(src PageID, drawn []row) {
	start := len(b.rows)
	for _, r := range drawn {
		if !slices.ContainsFunc(b.rows[start:], func(o row) bool { return o.dst == r.dst && (o.flags^r.flags)&rowMended == 0 }) {
			b.rows = append(b.rows, r)
		}
	}
	for _, r := range b.rows[start:] {
		to := b.pages[r.dst].to
		if to == noPage || to == src || r.flags&(rowRedirect|rowCanonical) != 0 {
			continue
		}
		r.flags |= rowViaRedirect
		if b.pages[r.dst].flags&pageCanonical != 0 {
			r.flags = r.flags&^rowViaRedirect | rowViaCanonical
		}
		r.dst = to
		if !slices.ContainsFunc(b.rows[start:], func(o row) bool { return o.dst == r.dst && o.flags&rowVia != 0 }) {
			b.rows = append(b.rows, r)
		}
	}
	b.setLives(src, b.rows[start:])
	b.follow(b.rows[start:])
}

// follow adds what links to pages that mend are seen as from that day on. It comes last, for it changes nothing of the links
// themselves; and since home and page are of one root domain, the ends of the links hold for both rows.
func (b *builder) follow(rows []row) {
	for _, r := range rows {
		p := &b.pages[r.dst]
		home := b.hosts[p.host].first
		if p.flags&pageMends == 0 || home == r.src || r.flags&rowRedirect != 0 {
			continue
		}
		r.dst, r.flags, r.born = home, r.flags&(rowNofollow|rowExternal)|rowViaRedirect|rowMended, max(r.born, p.died)
		if r.born >= r.died { // dead by then
			if r.returned == never {
				continue
			}
			r.born, r.died, r.returned = max(r.born, r.returned), never, never
		}
		if !slices.ContainsFunc(b.rows[b.out[r.src]:], func(o row) bool { return o.dst == r.dst && o.flags&rowVia != 0 }) {
			b.rows = append(b.rows, r)
		}
	}
}

// setLives fixes what all links of a page to one root domain share: external or not, nofollow or not, and their end.
// Where one of them is seen through another page, that end is the page's own, so that both rows of the link agree.
func (b *builder) setLives(src PageID, rows []row) {
	p := &b.pages[src]
	for i := range rows {
		r := &rows[i]
		d := b.domainOf[r.dst]
		r.flags &^= rowExternal | rowNofollow
		limit := pageNofollowLocal
		if d != b.domainOf[src] {
			r.flags |= rowExternal
			limit = pageNofollow
		}
		if p.flags&limit != 0 {
			r.flags |= rowNofollow
		}
		if r.flags&rowMended != 0 {
			r.died, r.returned = never, never // the page's own redirect
			continue
		}
		r.died, r.returned = p.died, p.returned
		if p.died == never && r.flags&rowExternal != 0 && !b.indirect(rows, d) {
			r.died, r.returned = b.ownEnd(src, d)
		}
		r.born = max(r.born, p.born)
		if r.born >= r.died {
			r.born = r.died - 1 - r.born&63
		}
	}
}

// indirect tells whether a page's links to a domain include a redirect, a canonical, a link to such a page or one through it.
func (b *builder) indirect(rows []row, d DomainID) bool {
	return slices.ContainsFunc(rows, func(r row) bool {
		return b.domainOf[r.dst] == d && (r.flags&(rowVia|rowRedirect|rowCanonical) != 0 || b.pages[r.dst].to != noPage)
	})
}

func (b *builder) ownEnd(src PageID, d DomainID) (died, returned int16) {
	roll := dice(b.hash(streamLife, uint64(src)<<32|uint64(d)))
	if roll.below(100) >= 18 {
		return never, never
	}
	own := builder{Graph: b.Graph, dice: roll} // for its dice alone
	return own.drawEnd(-1600)
}

func (b *builder) indexTargets() {
	b.inAt = offsets(len(b.pages), b.rows, func(r *row) PageID { return r.dst })
	b.in = make([]LinkID, len(b.rows))
	next := slices.Clone(b.inAt)
	for i := range b.rows {
		dst := b.rows[i].dst
		b.in[next[dst]] = LinkID(i)
		next[dst]++
	}
}

// offsets counts rows by page: entry p is where the rows of page p begin once sorted.
func offsets(pages int, rows []row, of func(*row) PageID) []uint32 {
	at := make([]uint32, pages+1)
	for i := range rows {
		at[of(&rows[i])+1]++
	}
	for p := range pages {
		at[p+1] += at[p]
	}
	return at
}

// String describes the size of the web.
func (g *Graph) String() string {
	return fmt.Sprintf("%d root domains, %d hosts, %d pages, %d links", len(g.domains), len(g.hosts), len(g.pages), len(g.rows))
}
