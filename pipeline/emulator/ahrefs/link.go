package ahrefs

import (
	"backhaul/pipeline/emulator/graph"
)

// call is one request being answered.
type call struct {
	server *Server
	q      *query
	view   *graph.View
	graph  *graph.Graph
	given  List // by Options.Lists, in place of the web's
}

// second is when something happened to a link: on that day, always at the link's own time of day.
func second(id graph.LinkID, day int) int64 {
	return int64(day)*86400 + int64(roll("second", uint64(id))%86400)
}

// visited is when the link was last looked at; the web knows of pages that are looked at first on a day to come.
func (c *call) visited(id graph.LinkID, l graph.Link) int64 {
	return second(id, min(l.LastSeen, c.view.Day()))
}

// rating is the domain rating that goes with a number of linking root domains: the web's authority, with a decimal of the domain's own.
func rating(domains int, d graph.DomainID) float64 {
	if domains == 0 {
		return 0
	}
	return float64(graph.Authority(domains)*10-int(roll("rating", uint64(d))%10)) / 10
}

func (c *call) rating(d graph.DomainID) float64 { return rating(c.view.DomainsToDomain(d), d) }

// pageRating is the same for pages.
func (c *call) pageRating(p graph.PageID) float64 {
	return rating(c.view.DomainsToPage(p), graph.DomainID(p))
}

func (c *call) spam(d graph.DomainID) bool { return c.graph.SpamScore(d) > 60 }

// linkType is text for most links that stand on a page; the graph knows redirects and canonicals.
func linkType(id graph.LinkID, l graph.Link) string {
	switch r := roll("link_type", uint64(id)) % 100; {
	case l.Redirect:
		return "redirect"
	case l.Canonical:
		return "canonical"
	case r < 8:
		return "image"
	case r < 11:
		return "frame"
	case r < 12:
		return "form"
	case r < 14:
		return "rss"
	case r < 15:
		return "alternate"
	}
	return "text"
}

// link returns a field of one link. The domain that a report is about is the source's, or the target's where the report looks outward.
func (c *call) link(id graph.LinkID, name string, outward bool) any {
	l := c.view.Link(id)
	if v, ok := c.ofLink(id, l, name); ok {
		return v
	}
	source, target := c.graph.DomainOf(l.Source), c.graph.DomainOf(l.Target)
	other := source
	if outward {
		other = target
	}
	switch name {
	case "root_domain_name", "domain":
		return c.graph.DomainName(other)
	case "domain_rating":
		return c.rating(other)
	case "refdomains":
		return c.view.DomainsToDomain(other)
	case "is_root_domain":
		return c.atRoot(l, outward)
	case "is_root_source":
		return c.atRoot(l, false)
	case "is_root_target":
		return c.atRoot(l, true)
	}
	if v, ok := c.ofDomains(source, target, name); ok {
		return v
	}
	if v, ok := c.ofPages(l, name); ok {
		return v
	}
	return invent(name, uint64(id))
}

func (c *call) atRoot(l graph.Link, target bool) bool {
	p := l.Source
	if target {
		p = l.Target
	}
	return c.graph.HostName(p) == c.graph.DomainName(c.graph.DomainOf(p))
}

// ofLink has what belongs to the link itself.
func (c *call) ofLink(id graph.LinkID, l graph.Link, name string) (any, bool) {
	kind := linkType(id, l)
	switch name {
	case "anchor":
		return c.view.Anchor(id), true
	case "alt":
		if kind != "image" {
			return nil, true
		}
		return c.view.Anchor(id), true
	case "first_seen", "first_seen_link":
		return moment(second(id, l.FirstSeen)), true
	case "last_seen":
		if l.Live {
			return nil, true
		}
		return moment(second(id, l.Lost)), true
	case "last_visited":
		return moment(c.visited(id, l)), true
	case "is_lost":
		return !l.Live, true
	case "is_new":
		return c.fresh(l), true
	case "is_dofollow":
		return !l.Nofollow, true
	case "is_nofollow":
		return l.Nofollow, true
	case "is_ugc", "is_sponsored":
		return l.Nofollow && roll(name, uint64(id))%4 == 0, true
	case "link_type":
		return kind, true
	case "is_redirect_lost":
		return kind == "redirect" && !l.Live, true
	case "is_alternate", "is_canonical", "is_form", "is_frame", "is_image", "is_redirect", "is_rss", "is_text":
		return name == "is_"+kind, true
	case "lost_reason", "drop_reason":
		if l.Live {
			return nil, true
		}
	case "broken_redirect_new_target", "broken_redirect_reason", "broken_redirect_source":
		if kind != "redirect" || l.Live {
			return nil, true
		}
	case "link_group_count":
		return 1, true
	}
	return nil, false
}

// ofDomains has what belongs to the root domains at both ends.
func (c *call) ofDomains(source, target graph.DomainID, name string) (any, bool) {
	switch name {
	case "root_name_source":
		return c.graph.DomainName(source), true
	case "root_name_target":
		return c.graph.DomainName(target), true
	case "domain_rating_source":
		return c.rating(source), true
	case "domain_rating_target":
		return c.rating(target), true
	case "ahrefs_rank_source":
		return c.server.rank(c.view, source), true
	case "ahrefs_rank_target":
		return c.server.rank(c.view, target), true
	case "refdomains_source_domain":
		return c.view.DomainsToDomain(source), true
	case "refdomains_target_domain":
		return c.view.DomainsToDomain(target), true
	case "linked_domains_source_domain":
		return c.view.FromDomain(source).Domains, true
	case "linked_domains_target_domain":
		return c.view.FromDomain(target).Domains, true
	case "is_spam":
		return c.spam(source), true
	case "tld_class_source", "tld_class_target":
		return "normal", true // of .example
	case "traffic_domain", "traffic_domain_source", "positions_source_domain", "ip_source":
		return invent(name, uint64(source)), true
	}
	return nil, false
}

// ofPages has what belongs to the pages at both ends.
func (c *call) ofPages(l graph.Link, name string) (any, bool) {
	switch name {
	case "url_from", "url_from_plain":
		return address(c.graph, l.Source), true
	case "name_source":
		return c.graph.HostName(l.Source), true
	case "port_source":
		return port(c.graph, l.Source), true
	case "http_code", "http_code_source":
		return c.view.HTTPCode(l.Source), true
	case "title", "title_source":
		return c.view.Title(l.Source), true
	case "refdomains_source":
		return c.view.DomainsToPage(l.Source), true
	case "url_rating_source":
		return c.pageRating(l.Source), true
	case "is_homepage_link":
		return c.graph.PageName(l.Source) == c.graph.HostName(l.Source)+"/", true
	case "redirect_code":
		if !l.Redirect {
			return nil, true
		}
		return c.view.HTTPCode(l.Source), true
	case "traffic", "traffic_page", "traffic_source", "positions", "positions_source", "links_external", "links_external_source", "links_internal",
		"linked_domains", "linked_domains_source", "linked_domains_source_page", "class_c", "page_size", "encoding", "languages", "languages_source",
		"powered_by", "powered_by_source", "source_page_author", "source_page_publish_date", "page_category_source", "page_type_source",
		"noindex", "http_crawl", "js_crawl":
		return invent(name, uint64(l.Source)), true
	case "name_target":
		return c.graph.HostName(l.Target), true
	case "port_target":
		return port(c.graph, l.Target), true
	}
	return c.ofTarget(l.Target, name)
}

// ofTarget has what belongs to the page linked to.
func (c *call) ofTarget(p graph.PageID, name string) (any, bool) {
	to, redirects := c.view.RedirectOf(p)
	code := c.view.HTTPCode(p)
	redirects = redirects && code >= 300 && code < 400 // a page not crawled yet does not
	switch name {
	case "url_to", "url_to_plain":
		return address(c.graph, p), true
	case "http_code_target":
		if code == 0 {
			return nil, true
		}
		return code, true
	case "title_target":
		if title := c.view.Title(p); title != "" {
			return title, true
		}
		return nil, true
	case "target_redirect":
		if !redirects {
			return nil, true
		}
		return address(c.graph, to), true
	case "url_redirect", "url_redirect_with_target":
		chain := []string{}
		if name != "url_redirect" {
			chain = append(chain, address(c.graph, p))
		}
		if redirects {
			chain = append(chain, address(c.graph, to))
		}
		return chain, true
	case "len_url_redirect":
		return number(redirects), true
	case "redirect_kind":
		if !redirects {
			return []int{}, true
		}
		return []int{code}, true
	case "url_rating_target":
		if code == 0 {
			return nil, true
		}
		return c.pageRating(p), true
	case "last_visited_target":
		if code == 0 {
			return nil, true
		}
		return invent(name, uint64(p)), true
	case "languages_target", "powered_by_target":
		return invent(name, uint64(p)), true
	}
	return nil, false
}

func port(g *graph.Graph, p graph.PageID) int {
	if scheme(g, p) == "http" {
		return 80
	}
	return 443
}
