package ahrefs

import (
	"slices"
	"strings"

	"backhaul/pipeline/emulator/graph"
)

// freeRows is what a free target gives at most (free test queries page).
const freeRows = 100

// standIns are the free targets. They are not of the made-up web, so they are served with the links of domains that are (chosen).
var standIns = map[string]string{
	"ahrefs.com": "acme-outdoor.example", "yep.com": "rivalgear.example", "firehose.com": "summit-supply.example",
}

// split takes a target apart: a scheme falls off, the host is lower-cased, the path is what follows the first slash.
func split(target string) (host, path string) {
	if _, rest, ok := strings.Cut(target, "://"); ok {
		target = rest
	}
	host, path, _ = strings.Cut(target, "/")
	return strings.ToLower(host), path
}

// freeDomain returns the free target that a target is on.
func freeDomain(target string) (string, bool) {
	host, _ := split(target)
	for name := range standIns {
		if host == name || strings.HasSuffix(host, "."+name) {
			return name, true
		}
	}
	return "", false
}

func free(target string) bool { _, ok := freeDomain(target); return ok }

// pages are the pages a target means: a range of the web, and what of it belongs.
type pages struct {
	all  graph.Target
	keep func(graph.PageID) bool
}

// find holds the modes (shared with v2): exact is one URL, prefix every URL that begins so, domain one host, subdomains that host
// and those below it. On shared hosting every host is a root domain of its own, so the company's is without its tenants (chosen).
func find(g *graph.Graph, target, mode, protocol string) pages {
	host, path := split(target)
	if name, ok := freeDomain(target); ok {
		host = standIns[name]
	}
	p := pages{keep: func(graph.PageID) bool { return true }}
	switch mode {
	case "exact":
		p.all, _ = g.Find(host+"/"+path, graph.Page)
	case "prefix":
		p.all, _ = g.Find(host, graph.Host)
		p.keep = func(id graph.PageID) bool { return strings.HasPrefix(g.PageName(id), host+"/"+path) }
	case "domain":
		p.all, _ = g.Find(host, graph.Host)
	default:
		d, ok := g.LookupDomain(host)
		if !ok {
			break
		}
		p.all = g.TargetOf(d)
		if g.DomainName(d) != host {
			p.keep = func(id graph.PageID) bool {
				name := g.HostName(id)
				return name == host || strings.HasSuffix(name, "."+host)
			}
		}
	}
	if protocol != "both" {
		keep := p.keep
		p.keep = func(id graph.PageID) bool { return scheme(g, id) == protocol && keep(id) }
	}
	return p
}

// scheme of a page: one host in eight still has http (invented).
func scheme(g *graph.Graph, p graph.PageID) string {
	if roll("scheme", uint64(g.HostOf(p)))%8 == 0 {
		return "http"
	}
	return "https"
}

func address(g *graph.Graph, p graph.PageID) string { return scheme(g, p) + "://" + g.PageName(p) }

// backlinks returns the links from other root domains to the target's pages, all that have ever been seen, by source page. A link that the web
// lists a second time as seen through a redirect or a canonical counts once: as it stands on its page (chosen).
func (c *call) backlinks() []graph.LinkID {
	p := find(c.graph, c.q.target, c.q.mode, c.q.protocol)
	return slices.DeleteFunc(c.view.InLinks(p.all), func(id graph.LinkID) bool {
		l := c.view.Link(id)
		return !standing(l) || !l.External || !p.keep(l.Target)
	})
}

// outlinks returns the live links from the target's pages to other root domains, redirects and canonicals left out.
func (c *call) outlinks() []graph.LinkID {
	p := find(c.graph, c.q.target, c.q.mode, c.q.protocol)
	return slices.DeleteFunc(c.view.OutLinks(p.all), func(id graph.LinkID) bool {
		l := c.view.Link(id)
		return !standing(l) || !l.External || !l.Live || l.Redirect || l.Canonical || !p.keep(l.Source)
	})
}

func standing(l graph.Link) bool { return !l.ViaRedirect && !l.ViaCanonical }

// inHistory keeps the links of the history asked for: live ones; those live or lost since a date; all.
func (c *call) inHistory(ids []graph.LinkID) []graph.LinkID {
	return slices.DeleteFunc(ids, func(id graph.LinkID) bool {
		l := c.view.Link(id)
		return !l.Live && (c.q.history == "live" || l.Lost < c.q.since)
	})
}

// fresh and lost tell whether a link was found, or lost, in the window of history. The window has no beginning unless since: gives it one, so that
// every link is new in it, as in the recorded reply.
func (c *call) fresh(l graph.Link) bool { return l.Gained >= c.q.since }
func (c *call) lost(l graph.Link) bool  { return !l.Live && l.Lost >= c.q.since }
