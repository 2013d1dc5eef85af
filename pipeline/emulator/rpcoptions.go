package emulator

import (
	"strings"

	"backhaul/pipeline/emulator/graph"
)

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
