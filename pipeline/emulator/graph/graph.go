// Package graph owns a made-up web: root domains, hosts, pages and the links between them, as a link index would see it
// on a given day. It knows nothing of HTTP, of any vendor's JSON, or of money.
//
// The whole web follows from one seed. It is built once, in well under a second, as flat arrays of ids (about 30 MiB); a
// [View] answers for one day, and everything dear is computed on demand and remembered within bounds.
//
// # Rules the web obeys
//
// Every name ends in ".example" (RFC 2606), so no request of a demonstration can leave the machine. Page ids are ordered by
// host and hosts by root domain, so the pages of a host or a domain are one range. Rows (links) are ordered by source page.
//
// A link lives from the day it was first seen to the day it disappeared, and some come back. All links of one page to one
// root domain die and return together, and a page is either nofollow for all its external links or for none. Both are
// chosen: they make the counts of a page, of its host and of its domain grow in that order, as they do in the real replies.
//
// A page that redirects, or that names another page as canonical, gives three kinds of row: the redirect (or canonical)
// itself, the link to the page as it stands, and the same link again seen through it ([Link.ViaRedirect],
// [Link.ViaCanonical]), whose target is the final page. Redirects do not chain. After day 0 some broken pages are mended: from
// that day on they redirect to the home page of their host, and the links to them are seen through them.
//
// Day 0 is 2026-01-01; links are born and die until day 400, after which nothing moves.
//
// # Names to rely on
//
// With seed 0: acme-outdoor.example (tens of thousands of links, about 12,000 anchors; its home is www.acme-outdoor.example/,
// and acme-outdoor.example/ redirects there), rivalgear.example, summit-supply.example, trailhead-co.example (thousands to hundreds),
// pinecone-packs.example, tiny-tarps.example (fewer than 50) and quietpeak.example (none). Larger than all of them, and not in the showcase:
// megamart.example and newswire.example. The names hold for every seed; the counts vary a little.
package graph

import (
	"sort"
	"strings"
	"sync"
	"time"
)

// Horizon is the last day on which the web moves, in days after [Epoch].
const Horizon = 400

// Epoch is day 0.
var Epoch = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// Date returns the date of a day as YYYY-MM-DD.
func Date(day int) string { return Epoch.AddDate(0, 0, day).Format(time.DateOnly) }

// DayOf returns the day that t falls on, negative before [Epoch].
func DayOf(t time.Time) int {
	t = time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	return int(t.Sub(Epoch) / (24 * time.Hour))
}

// PageID, HostID, DomainID and LinkID are dense indexes from 0.
type (
	PageID   uint32
	HostID   uint32
	DomainID uint32
	LinkID   uint32
)

// Never is the day of what does not happen.
const Never = int(never)

const (
	never  = int16(32767)
	noPage = ^PageID(0)
)

// domain is one root domain as the index sees it; on shared hosting that is a host of the hosting company.
type domain struct {
	name      string
	firstHost HostID
	hosts     uint16
	spam      int8 // 1 to 100, -1 for none known
	head      uint32
	inbound   uint32 // external links drawn for it, before duplicates fall out
	anchors   uint32 // first anchor id; head+inbound of them
	home      PageID
	mainHost  HostID
	firstPage PageID
	pages     uint32
}

type host struct {
	name   string
	domain DomainID
	first  PageID
	pages  uint32
}

type page struct {
	host                 HostID
	to                   PageID // where it redirects, or its canonical page; noPage otherwise
	born, died, returned int16  // the days on which the page itself changes; see alive
	flags                pageFlags
}

type pageFlags uint8

const (
	pageRedirects pageFlags = 1 << iota
	pageCanonical
	pageUncrawled     // never crawled: no status, no date, no title, no links
	pageBroken        // 404
	pageFailed        // one of the index's own codes under 100
	pageNofollow      // nofollow on all external links
	pageNofollowLocal // nofollow on all internal links
	pageMends         // broken, but from the day `died` on redirecting to the home page of its host
)

// silent pages carry no links of their own.
const silent = pageRedirects | pageUncrawled | pageBroken | pageFailed

// row is one link; 20 bytes.
type row struct {
	src, dst             PageID
	anchor               uint32
	born, died, returned int16
	flags                rowFlags
}

type rowFlags uint8

const (
	rowNofollow rowFlags = 1 << iota
	rowRedirect
	rowCanonical
	rowViaRedirect
	rowViaCanonical
	rowExternal
	rowMended // the redirect of a page that mends, or seen through it
)

const rowVia = rowViaRedirect | rowViaCanonical

func alive(born, died, returned int16, day int) bool {
	return int(born) <= day && (day < int(died) || day >= int(returned))
}

// Graph is the web of one seed. What it says never changes, and it is safe for concurrent use.
type Graph struct {
	seed     uint64
	domains  []domain
	hosts    []host
	pages    []page
	domainOf []DomainID // by page
	rows     []row      // by source page
	out      []uint32   // first row of each source page, one more than pages
	in       []LinkID   // rows by target page, then by source page
	inAt     []uint32   // first entry of each target page in `in`, one more than pages
	byHost   map[string]HostID
	byDomain map[string]DomainID

	mu    sync.Mutex
	views []*View // oldest first
}

// Size returns how many root domains, hosts, pages and links the web has over all days.
func (g *Graph) Size() (domains, hosts, pages, links int) {
	return len(g.domains), len(g.hosts), len(g.pages), len(g.rows)
}

// Scope says how much of the web a target means.
type Scope uint8

const (
	Page Scope = iota
	Host
	Domain
	Folder // of a host: the page of that path and what lies below it
)

// Target is a range of pages: one page, a host or a root domain, or what of a host lies in a folder. The zero value has no pages.
type Target struct {
	first  PageID
	count  uint32
	folder string // without slash at its end; "" for the whole range
}

// Find returns the target that name means at the scope. A name is a host, or a host and a path, without a scheme; at
// host and domain scope the path is ignored, and at domain scope any host under the domain stands for it, known or not.
func (g *Graph) Find(name string, scope Scope) (Target, bool) {
	hostName, path, _ := strings.Cut(name, "/")
	hostName = strings.ToLower(hostName)
	if scope == Domain {
		id, ok := g.domainOfHost(hostName)
		if !ok {
			return Target{}, false
		}
		return g.siteOf(id), true
	}
	id, ok := g.byHost[hostName]
	if !ok {
		return Target{}, false
	}
	h := &g.hosts[id]
	switch scope {
	case Host:
		return g.hostTarget(id), true
	case Folder:
		t := g.hostTarget(id)
		t.folder = strings.TrimSuffix(path, "/")
		return t, true
	}
	for p := h.first; p < h.first+PageID(h.pages); p++ {
		if g.path(p) == path {
			return pageTarget(p), true
		}
	}
	return Target{}, false
}

func pageTarget(p PageID) Target { return Target{first: p, count: 1} }

func (g *Graph) hostTarget(h HostID) Target {
	return Target{first: g.hosts[h].first, count: g.hosts[h].pages}
}

func (g *Graph) siteOf(d DomainID) Target {
	return Target{first: g.domains[d].firstPage, count: g.domains[d].pages}
}

// has tells whether a page belongs to the target.
func (g *Graph) has(t Target, p PageID) bool {
	if p < t.first || p-t.first >= PageID(t.count) {
		return false
	}
	if t.folder == "" {
		return true
	}
	rest, ok := strings.CutPrefix(g.path(p), t.folder)
	return ok && (rest == "" || rest[0] == '/' || rest[0] == '?')
}

// linksTo returns the links to a target over all days, by target page. The caller must not change them.
func (g *Graph) linksTo(t Target) []LinkID {
	if t.count == 0 {
		return nil
	}
	ids := g.in[g.inAt[t.first]:g.inAt[uint32(t.first)+t.count]]
	if t.folder == "" {
		return ids
	}
	var some []LinkID
	for _, id := range ids {
		if g.has(t, g.rows[id].dst) {
			some = append(some, id)
		}
	}
	return some
}

// domainOfHost finds the root domain by taking labels off the left, so shared hosts win over their owner.
func (g *Graph) domainOfHost(name string) (DomainID, bool) {
	if id, ok := g.byHost[name]; ok {
		return g.hosts[id].domain, true
	}
	for name != "" {
		if id, ok := g.byDomain[name]; ok {
			return id, true
		}
		_, name, _ = strings.Cut(name, ".")
	}
	return 0, false
}

// Showcase returns root domains worth showing, from one with about 12,000 anchors to one with no links at all.
func (g *Graph) Showcase() []string {
	names := make([]string, 0, len(showcase))
	for _, s := range showcase {
		if s.shown {
			names = append(names, s.name)
		}
	}
	return names
}

// Largest returns the n root domains with the most external links, largest first.
func (g *Graph) Largest(n int) []string {
	ids := make([]DomainID, len(g.domains))
	for i := range ids {
		ids[i] = DomainID(i)
	}
	sort.Slice(ids, func(i, j int) bool {
		a, b := g.domains[ids[i]], g.domains[ids[j]]
		if a.inbound != b.inbound {
			return a.inbound > b.inbound
		}
		return a.name < b.name
	})
	names := make([]string, 0, n)
	for _, id := range ids[:min(n, len(ids))] {
		names = append(names, g.domains[id].name)
	}
	return names
}

// Between returns up to n root domains with at least low and fewer than high external links over all days, in a fixed order.
func (g *Graph) Between(low, high, n int) []string {
	var names []string
	for i := range g.domains {
		if k := int(g.domains[i].inbound); k >= low && k < high && len(names) < n {
			names = append(names, g.domains[i].name)
		}
	}
	return names
}

// Hosts returns the host names of a root domain; the first is its main host.
func (g *Graph) Hosts(domainName string) []string {
	id, ok := g.byDomain[domainName]
	if !ok {
		return nil
	}
	d := &g.domains[id]
	names := []string{g.hosts[d.mainHost].name}
	for h := d.firstHost; h < d.firstHost+HostID(d.hosts); h++ {
		if h != d.mainHost {
			names = append(names, g.hosts[h].name)
		}
	}
	return names
}

// Pages returns up to n page names of a root domain, its home page first.
func (g *Graph) Pages(domainName string, n int) []string {
	id, ok := g.byDomain[domainName]
	if !ok {
		return nil
	}
	d := &g.domains[id]
	names := []string{g.PageName(d.home)}
	for p := d.firstPage; p < d.firstPage+PageID(d.pages) && len(names) < n; p++ {
		if p != d.home {
			names = append(names, g.PageName(p))
		}
	}
	return names
}

// PageName returns the page without scheme: "www.acme-outdoor.example/", "acme-outdoor.example/guides/tents-17".
func (g *Graph) PageName(p PageID) string { return g.hosts[g.pages[p].host].name + "/" + g.path(p) }

// HostName returns the host of a page.
func (g *Graph) HostName(p PageID) string { return g.hosts[g.pages[p].host].name }

// HostOf returns the host a page belongs to.
func (g *Graph) HostOf(p PageID) HostID { return g.pages[p].host }

// DomainOf returns the root domain a page belongs to.
func (g *Graph) DomainOf(p PageID) DomainID { return g.domainOf[p] }

// DomainName returns the name of a root domain.
func (g *Graph) DomainName(d DomainID) string { return g.domains[d].name }

// LookupDomain returns the root domain of that name.
func (g *Graph) LookupDomain(name string) (DomainID, bool) {
	id, ok := g.domainOfHost(strings.ToLower(name))
	return id, ok
}

// SpamScore returns 1 to 100, or -1 where none is known. It does not change from day to day.
func (g *Graph) SpamScore(d DomainID) int { return int(g.domains[d].spam) }
