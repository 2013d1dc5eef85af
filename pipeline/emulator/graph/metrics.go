package graph

import (
	"math"
	"slices"
	"strings"
)

// Counts are the links to a target, live ones unless it says deleted. Pages are unique source pages and domains unique
// source root domains other than the target's own.
type Counts struct {
	Pages, NofollowPages, RedirectPages                         int // "nofollow": with nofollow links only
	ExternalPages, ExternalNofollowPages, ExternalRedirectPages int
	ExternalIndirectPages                                       int // seen through a redirect or canonical
	DeletedPages                                                int // used to link, now no longer
	Domains, IndirectDomains, DeletedDomains, NofollowDomains   int // "indirect": in no other way
}

// Outbound are the live external links that stand on a page or on all pages of a root domain.
type Outbound struct{ Domains, NofollowDomains, Pages, NofollowPages int }

// Metrics is everything the index says of one page, its host and its root domain.
type Metrics struct {
	Page, Host, Domain    string
	Title                 string // "" if none or never crawled
	LastCrawled           string // date, "" if never crawled
	HTTPCode              int    // under 100: not an answer; 0: never crawled
	ToPage, ToHost        Counts
	ToDomain              Counts
	PageAuthority         int // 1 to 100
	DomainAuthority       int // 1 to 100
	LinkPropensity        float32
	SpamScore             int // 1 to 100, or -1
	FromPage, FromDomain  Outbound
	PagesCrawledOfItsSite int
}

// Lookup computes everything about the page of that name. Of a page the index does not know it says what it knows of the host and
// the root domain; false means that it knows none of the three. No authority is below 1.
func (v *View) Lookup(name string) (Metrics, bool) {
	g := v.g
	if t, ok := g.Find(name, Page); ok {
		return v.Metrics(t.first), true
	}
	hostName, path, _ := strings.Cut(name, "/")
	hostName = strings.ToLower(hostName)
	m := Metrics{Page: hostName + "/" + path, Host: hostName, Domain: hostName, PageAuthority: 1, DomainAuthority: 1, SpamScore: -1}
	d, known := g.domainOfHost(hostName)
	if !known {
		return m, false
	}
	if h, ok := g.byHost[hostName]; ok {
		m.ToHost = *v.Counts(g.hostTarget(h))
	}
	v.ready()
	m.Domain, m.ToDomain = g.domains[d].name, *v.Counts(g.siteOf(d))
	m.DomainAuthority, m.LinkPropensity, m.SpamScore = v.DomainAuthority(d), v.LinkPropensity(d), int(g.domains[d].spam)
	m.FromDomain, m.PagesCrawledOfItsSite = v.fromPages[d].export(), int(v.crawled[d])
	return m, true
}

// Metrics computes everything about a page.
func (v *View) Metrics(p PageID) Metrics {
	v.ready()
	g := v.g
	h, d := &g.hosts[g.pages[p].host], &g.domains[g.domainOf[p]]
	m := Metrics{
		Page: g.PageName(p), Host: h.name, Domain: d.name, HTTPCode: v.HTTPCode(p),
		ToPage:        *v.Counts(pageTarget(p)),
		ToHost:        *v.Counts(g.hostTarget(g.pages[p].host)),
		ToDomain:      *v.Counts(g.siteOf(g.domainOf[p])),
		PageAuthority: v.PageAuthority(p), DomainAuthority: v.DomainAuthority(g.domainOf[p]),
		LinkPropensity: v.LinkPropensity(g.domainOf[p]), SpamScore: int(d.spam),
		FromDomain:            v.fromPages[g.domainOf[p]].export(),
		PagesCrawledOfItsSite: int(v.crawled[g.domainOf[p]]),
	}
	if m.HTTPCode != 0 {
		m.LastCrawled = Date(v.lastCrawl(p))
		m.FromPage = v.outboundOf(p, 1).export()
	}
	m.Title = v.Title(p)
	return m
}

// Title returns the title of a page, "" if it has none or did not answer 200.
func (v *View) Title(p PageID) string {
	if v.HTTPCode(p) != 200 {
		return ""
	}
	return v.g.title(p)
}

func (o outbound) export() Outbound {
	return Outbound{int(o.domains), int(o.nofollowDomains), int(o.pages), int(o.nofollowPages)}
}

// HTTPCode returns the status of the last crawl: 200 mostly, 301 or 302 for a redirect, 404, one of the index's own codes under
// 100, or 0 for a page never crawled.
func (v *View) HTTPCode(p PageID) int {
	pg := &v.g.pages[p]
	r := v.g.hash(streamCode, uint64(p))
	switch {
	case pg.flags&pageUncrawled != 0 || int(pg.born) > v.day:
		return 0
	case pg.flags&pageRedirects != 0 || v.mended(p):
		if r%5 == 0 {
			return 302
		}
		return 301
	case pg.flags&pageBroken != 0 || !alive(pg.born, pg.died, pg.returned, v.day):
		return 404
	case pg.flags&pageFailed != 0:
		return [...]int{1, 3, 5, 15}[r%4]
	}
	return 200
}

// Authority is the page or domain authority of something that so many root domains link to.
func Authority(domains int) int { return authority(uint32(domains)) }

// authority is monotone in the number of linking root domains: 1 for none, 100 for all the domains of this web.
func authority(domains uint32) int {
	return 1 + int(99*min(1, math.Log1p(float64(domains))/math.Log1p(domainCount)))
}

// PageAuthority returns 1 to 100, growing with the root domains that link to the page.
func (v *View) PageAuthority(p PageID) int { v.ready(); return authority(v.toPage[p]) }

// DomainAuthority returns 1 to 100, growing with the root domains that link to the domain.
func (v *View) DomainAuthority(d DomainID) int { v.ready(); return authority(v.toDomain[d]) }

// DomainsToPage returns how many root domains link to the page.
func (v *View) DomainsToPage(p PageID) int { v.ready(); return int(v.toPage[p]) }

// DomainsToDomain returns how many root domains link to the domain.
func (v *View) DomainsToDomain(d DomainID) int { v.ready(); return int(v.toDomain[d]) }

// LinkPropensity is the root domains a domain links to, by its crawled pages, as a 32-bit float; 0 where nothing was crawled.
func (v *View) LinkPropensity(d DomainID) float32 {
	v.ready()
	if v.crawled[d] == 0 {
		return 0
	}
	return float32(float64(v.fromPages[d].domains) / float64(v.crawled[d]))
}

const rememberedLevels = 30000

// Counts counts the links to a target and remembers the answer. The caller must not change it.
func (v *View) Counts(t Target) *Counts {
	v.mu.Lock()
	c, ok := v.levels[t]
	v.mu.Unlock()
	if ok {
		return c
	}
	c = v.count(t)
	v.mu.Lock()
	if len(v.levels) >= rememberedLevels {
		clear(v.levels)
	}
	v.levels[t] = c
	v.mu.Unlock()
	return c
}

// seen is what the links of one source, a page or a domain, have in common.
type seen struct{ live, follow, direct, redirect, via, dead bool }

func (s *seen) add(r *row, live bool) {
	if !live {
		s.dead = true
		return
	}
	s.live = true
	s.follow = s.follow || r.flags&rowNofollow == 0
	s.redirect = s.redirect || r.flags&rowRedirect != 0
	s.via = s.via || r.flags&rowVia != 0
	s.direct = s.direct || r.flags&rowVia == 0
}

func (v *View) count(t Target) *Counts {
	g := v.g
	var c Counts
	if t.count == 0 {
		return &c
	}
	ids := g.linksTo(t)
	if t.count > 1 {
		ids = slices.Clone(ids)
		slices.Sort(ids)
	}
	own := g.domainOf[t.first]
	for i := 0; i < len(ids); {
		d := g.domainOf[g.rows[ids[i]].src]
		var ofDomain seen
		for i < len(ids) && g.domainOf[g.rows[ids[i]].src] == d {
			src := g.rows[ids[i]].src
			var ofPage seen
			for ; i < len(ids) && g.rows[ids[i]].src == src; i++ {
				r := &g.rows[ids[i]]
				if int(r.born) > v.day {
					continue
				}
				live := v.live(r)
				ofPage.add(r, live)
				ofDomain.add(r, live)
			}
			c.addPage(ofPage, d != own)
		}
		if d != own {
			c.addDomain(ofDomain)
		}
	}
	return &c
}

func (c *Counts) addPage(s seen, external bool) {
	if !s.live {
		if s.dead {
			c.DeletedPages++
		}
		return
	}
	nofollow, redirect, via := one(!s.follow), one(s.redirect), one(s.via)
	c.Pages++
	c.NofollowPages += nofollow
	c.RedirectPages += redirect
	if external {
		c.ExternalPages++
		c.ExternalNofollowPages += nofollow
		c.ExternalRedirectPages += redirect
		c.ExternalIndirectPages += via
	}
}

func (c *Counts) addDomain(s seen) {
	if !s.live {
		c.DeletedDomains += one(s.dead)
		return
	}
	c.Domains++
	c.NofollowDomains += one(!s.follow)
	c.IndirectDomains += one(!s.direct)
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
