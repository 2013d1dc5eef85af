package emulator

import (
	"net/http"
	"slices"

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
