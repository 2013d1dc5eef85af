package emulator

import (
	"net/http"
	"slices"
	"strings"

	"backhaul/pipeline/emulator/graph"
)

// rpcMethods are the methods by the name their action has.
var rpcMethods = map[string]*rpcMethod{}

func init() {
	one := weighs(1)
	for _, m := range []rpcMethod{
		{"data.site.anchor-text.list", parseAnchorTexts, listOf("anchor_texts", rpcAnchorList, one), true},
		{"data.site.link.list", parseLinkList, listOf("links", rpcLinkList, one), true},
		{"data.site.link.filter.anchor.text", parseLinksByAnchor, listOf("links", rpcLinkList, one), true},
		{"data.site.link.filter.domain", parseLinksByDomain, listOf("links", rpcLinkList, one), true},
		{"data.site.linking-domain.list", parseLinkingDomains, listOf("linking_domains", rpcDomainList, one), true},
		{"data.site.linking-domain.filter.recently-gained", parseRecently("date_gained"), listOf("gained_linking_domains", rpcDomainList, one), true},
		{"data.site.linking-domain.filter.recently-lost", parseRecently("date_lost"), listOf("lost_linking_domains", rpcDomainList, one), true},
		{"data.site.link.intersect.fetch", parseIntersect, listOf("link_intersects", rpcIntersectList, intersectWeight), true},
		{"data.site.top-page.list", parseSitePages, listOf("top_pages", rpcSitePageList, one), true},
		{"data.site.link.status.fetch", parseStatus, (*Server).rpcStatus, true},
		{"data.site.link.status.fetch.multiple", parseStatuses, (*Server).rpcStatuses, true},
		{"data.site.redirect.fetch", parseRedirect, (*Server).rpcRedirect, true},
		{"data.site.metrics.fetch", parseSite, (*Server).rpcMetrics, true},
		{"data.site.metrics.fetch.multiple", parseSites, (*Server).rpcMetricsOfMany, true},
		{"data.site.metrics.histories.fetch", parseHistories, (*Server).rpcHistories, true},
		{"data.site.metrics.distributions.fetch", parseDistributions, (*Server).rpcDistributions, true},
		{"data.global.top-page.list", parseGlobal, globalListOf("top_pages", topPageList), false},
		{"data.global.top-domain.list", parseGlobal, globalListOf("top_domains", rpcTopDomainList), false},
		{"metadata.index.fetch", func(*params, *rpcCall) {}, (*Server).rpcIndex, false},
		{"quota.lookup", parseQuota, (*Server).rpcQuota, false},
	} {
		rpcMethods[actionOf(m.name)] = &m
	}
}

func parseAnchorTexts(p *params, c *rpcCall) {
	p.target(c)
	p.offset(c)
}

// sourceScopes are V2's words for the scopes of sources.
var sourceScopes = map[string]string{"page": "page", "subdomain": "subdomain", "domain": "root_domain"}

// parseLinkList repeats in options the sort and the filters always, the rest only when given (so in the documents' example).
func parseLinkList(p *params, c *rpcCall) {
	p.target(c)
	p.options(c, func(in *params, said map[string]any) {
		c.SourceScope = "page"
		if in.nullable("scope") {
			scope := in.choice("scope", "page", "subdomain", "domain")
			c.SourceScope, said["scope"] = sourceScopes[scope], scope
		}
		sorted := in.nullable("sort")
		if in.nullable("subdomains_limited_to_one") && in.take("subdomains_limited_to_one", &c.LimitedToOne, "an array of strings") {
			if !sorted {
				in.fail("subdomains_limited_to_one needs sort")
			}
			said["subdomains_limited_to_one"] = c.LimitedToOne
		}
		c.Sort = in.choice("sort", "source_page_authority", "source_domain_authority", "source_spam_score", "source_link_propensity",
			"root_domains_to_source_page", "root_domains_to_source_root_domain")
		c.Filter = in.filters(linkFilters)
		said["sort"], said["filters"] = c.Sort, c.Filter
	})
	p.offset(c)
}

// parseLinksByAnchor: an anchor_text of null asks for links without text; so does an empty one (chosen).
func parseLinksByAnchor(p *params, c *rpcCall) {
	p.target(c)
	if _, ok := p.values["anchor_text"]; !ok {
		p.lacks("anchor_text")
	}
	var text string
	if p.nullable("anchor_text") {
		text, _ = p.text("anchor_text")
		c.repeatValue("anchor_text", text)
	} else {
		c.repeatValue("anchor_text", nil)
	}
	text = graph.Normalise(text)
	c.Anchor, c.SourceScope = &text, "page"
	p.options(c, func(in *params, said map[string]any) {
		in.nullable("sort")
		c.Sort = in.choice("sort", "source_page_authority", "source_domain_authority", "source_link_propensity", "source_spam_score")
		c.Filter = in.filters(linkFilters)
		said["sort"], said["filters"] = c.Sort, c.Filter
	})
	p.offset(c)
}

func parseLinksByDomain(p *params, c *rpcCall) {
	p.target(c)
	from := p.site("domain_site_query", "domain")
	c.SourceRootDomain, _, _ = strings.Cut(from.site.Target, "/")
	c.SourceScope = "page"
	c.repeat("domain_site_query", from.append)
	p.options(c, func(in *params, said map[string]any) {
		in.nullable("sort")
		c.Sort = in.choice("sort", "source_page_authority")
		c.Filter = in.filters(domainFilters)
		said["sort"], said["filters"] = c.Sort, c.Filter
	})
	p.offset(c)
}

func parseLinkingDomains(p *params, c *rpcCall) {
	p.target(c)
	p.options(c, func(in *params, said map[string]any) {
		in.nullable("sort")
		c.Sort = in.choice("sort", "source_domain_authority", "source_link_propensity", "source_spam_score")
		c.Filter = in.filters([]string{"external", "follow", "nofollow", "deleted", "not_deleted"})
		said["sort"], said["filters"] = c.Sort, c.Filter
	})
	p.offset(c)
}

// parseRecently reads the period within the last 60 days; either end may be missing or null and then is repeated as null (chosen).
func parseRecently(sort string) func(*params, *rpcCall) {
	filter := map[string]string{"date_gained": "gained_last_60_days", "date_lost": "lost_last_60_days"}[sort]
	return func(p *params, c *rpcCall) {
		p.target(c)
		c.Sort, c.Filter = sort, []string{"external", filter}
		p.options(c, func(in *params, said map[string]any) {
			for name, date := range map[string]*string{"begin_date": &c.Begin, "end_date": &c.End} {
				said[name] = nil
				if in.nullable(name) {
					*date = in.date(name)
					said[name] = *date
				}
			}
			if c.Begin != "" && c.End != "" && c.Begin > c.End {
				in.fail("begin_date must not be after end_date")
			}
		})
		p.offset(c)
	}
}

func parseIntersect(p *params, c *rpcCall) {
	yes, no := p.siteList("is_linking_to"), p.siteList("not_linking_to")
	if len(yes) == 0 {
		p.lacks("is_linking_to")
	}
	if len(yes)+len(no) > maxIntersected {
		p.fail("is_linking_to and not_linking_to must be at most %d together", maxIntersected)
	}
	in := &intersection{Min: 1}
	for _, q := range yes {
		in.Positive = append(in.Positive, q.site)
	}
	for _, q := range no {
		in.Negative = append(in.Negative, q.site)
	}
	c.Intersect = in
	c.repeat("is_linking_to", func(buf []byte, v *graph.View) []byte { return appendSites(buf, v, yes) })
	c.repeat("not_linking_to", func(buf []byte, v *graph.View) []byte { return appendSites(buf, v, no) })
	p.options(c, func(o *params, said map[string]any) {
		said["minimum_matching_targets"] = nil
		if o.nullable("minimum_matching_targets") && o.take("minimum_matching_targets", &in.Min, "a whole number or null") {
			said["minimum_matching_targets"] = in.Min
			if in.Min < 1 || in.Min > len(yes) {
				o.fail("minimum_matching_targets must be from 1 to the number of is_linking_to")
			}
		}
		o.nullable("scope")
		o.nullable("sort")
		scope := o.choice("scope", "page", "domain")
		c.SourceScope = sourceScopes[scope]
		c.Sort = o.choice("sort", "matching_target_count", "source_domain_authority", "source_spam_score")
		said["scope"], said["sort"] = scope, c.Sort
	})
	p.offset(c)
}

// intersectWeight is the documented one: the items of both lists.
func intersectWeight(q *query) int { return len(q.Intersect.Positive) + len(q.Intersect.Negative) }

func parseSitePages(p *params, c *rpcCall) {
	p.target(c, "domain", "subdomain")
	p.options(c, func(in *params, said map[string]any) {
		in.nullable("filter")
		in.nullable("sort")
		c.Filter, c.Sort = []string{in.choice("filter", topPageFilters...)}, in.choice("sort", topPageSorts...)
		said["filter"], said["sort"] = c.Filter[0], c.Sort
	})
	p.offset(c)
}

// options reads the object of that name and repeats in the result what read says of it.
func (p *params) options(c *rpcCall, read func(in *params, said map[string]any)) {
	said := map[string]any{}
	p.object("options", false, func(in *params) { read(in, said) })
	c.repeatValue("options", said)
}

// parseGlobal reads page{n, limit}: n from 0, limit 1 to 50, 50 by default.
func parseGlobal(p *params, c *rpcCall) {
	p.object("page", false, func(in *params) {
		c.Limit = 50
		in.take("n", &c.number, "a whole number")
		in.take("limit", &c.Limit, "a whole number")
		if c.number < 0 || c.Limit < 1 || c.Limit > 50 {
			in.fail("n must not be negative, and limit must be from 1 to 50")
		}
	})
	c.repeatValue("page", map[string]int{"n": c.number, "limit": c.Limit})
}

// maxBatch is how many items the methods that end in multiple take (chosen; the schemas state no bound).
const maxBatch = 50

func parseSite(p *params, c *rpcCall) { p.target(c) }

func parseSites(p *params, c *rpcCall) {
	c.sites = p.siteList("site_queries")
	p.batch(c, "site_queries", 1)
}

func parseStatus(p *params, c *rpcCall) {
	target, source := p.site("target_site_query"), p.site("source_site_query")
	c.sites = []siteQuery{source, target}
	c.Sites = []site{source.site, target.site}
	c.repeat("target_site_query", target.append)
	c.repeat("source_site_query", source.append)
}

func parseStatuses(p *params, c *rpcCall) {
	c.sites = p.siteList("queries", "source_site_query", "target_site_query")
	p.batch(c, "queries", 2)
}

// batch checks the size of a list whose items are so many sites each.
func (p *params) batch(c *rpcCall, name string, each int) {
	if len(c.sites) == 0 {
		p.lacks(name)
	}
	if len(c.sites) > maxBatch*each {
		p.fail("%s must be at most %d", name, maxBatch)
	}
	for _, q := range c.sites {
		c.Sites = append(c.Sites, q.site)
	}
}

// parseRedirect never suggests what it is asked for (so in the documents' example).
func parseRedirect(p *params, c *rpcCall) {
	p.target(c, "url")
	c.echoes = nil
	c.repeat("site_query", c.sites[0].append)
}

// parseHistories repeats the site query as the documents show it here: the suggestion under a shorter name.
func parseHistories(p *params, c *rpcCall) {
	p.target(c)
	c.echoes = nil
	c.repeat("site_query", func(buf []byte, v *graph.View) []byte {
		return c.sites[0].appendWith(buf, v, `, "suggestion":null}`)
	})
	var h histories
	for _, field := range historyFields {
		names, name := field.of(&h), "get_"+field.name+"_for"
		if p.nullable(name) {
			p.take(name, names, "an array of strings")
		}
		for i, metric := range *names {
			if !hasHistory(metric, field.deltas) || slices.Contains((*names)[:i], metric) {
				p.fail("%s must name metrics that have a history, each once; not %s", name, metric)
			}
		}
	}
	c.Histories = &h
}

func parseDistributions(p *params, c *rpcCall) {
	p.target(c)
	c.echoes = nil
	c.repeat("site_query", c.sites[0].appendBare)
}

var quotaPaths = []string{"api.limits.data.rows", "api.limits.beta.rows"}

func parseQuota(p *params, c *rpcCall) {
	c.Target = p.required("path")
	if c.Target != "" && !slices.Contains(quotaPaths, c.Target) && p.err == nil {
		p.err = &rpcError{code: codeNoRecord, status: http.StatusNotFound, message: "No quota for that path.", key: "path", value: c.Target}
	}
}
