package ahrefs

import (
	"slices"
	"strings"

	"backhaul/pipeline/emulator/graph"
)

// table is what from names. Names, types and clauses are those of the two old clients, which agree.
type table struct {
	envelope                 string
	columns                  []v2column
	counts                   []string // columns that are counted, and so known after grouping
	perRequest, fifthsPerRow int      // rows
	single                   bool
	build                    func(*call, *v2query) List
	stats                    func(*call) row
	answer                   func(*call) row
}

var tables map[string]*table

const v2LinkColumns = `url_from string WH, url_to string WH, ahrefs_rank int WH, domain_rating int H, ip_from string WH, links_internal int WH,
	links_external int WH, page_size int WH, encoding string WH, title string WH, first_seen date WH, last_visited date WH, prev_visited date WH,
	sitewide boolean WH, original boolean WH, link_type string WH, redirect int WH, nofollow boolean WH, alt string WH, anchor string WH,
	text_pre string WH, text_post string WH`

// v2PageColumns and v2Metrics are those of two tables each.
const (
	v2PageColumns = `url string WH, ahrefs_rank int WH, last_visited date WH, http_code int WH, size int WH, links_internal int WH,
		links_external int WH, encoding string WH, title string WH, redirect_url string WH, content_encoding string WH`
	v2PageCounts = `, backlinks int WH, dofollow int WH, nofollow int WH, redirects int WH, refdomains int WH, refclass_c int WH, refips int WH`
	v2Metrics    = `backlinks int --, refpages int --, pages int --, text int --, image int --, sitewide int --, not_sitewide int --,
		nofollow int --, dofollow int --, redirect int --, gov int --, edu int --, html_pages int --, links_internal int --, links_external int --`
)

func init() {
	none := func(*call) row { return nil }
	tables = map[string]*table{
		"anchors": {
			envelope: "anchors", perRequest: 1, fifthsPerRow: 5, build: anchorsV2, stats: anchorStats, counts: words(`backlinks refpages refdomains`),
			columns: columns(`anchor string WH, backlinks int WH, refpages int WH, refdomain string W-, refdomains int H, first_seen date WH, last_visited date WH`),
		},
		"refdomains": {
			envelope: "refdomains", perRequest: 1, fifthsPerRow: 5, build: refdomainsV2, stats: refdomainStats, counts: words(`backlinks refpages`),
			columns: columns(`url string W-, ip string W-, refdomain string WH, backlinks int WH, refpages int WH, first_seen date WH,
				last_visited date WH, domain_rating int H`),
		},
		"backlinks": {
			envelope: "refpages", perRequest: 1, fifthsPerRow: 1, build: backlinksV2, stats: none, columns: columns(v2LinkColumns),
		},
		"backlinks_one_per_domain": {
			envelope: "refpages", perRequest: 10, fifthsPerRow: 10, build: backlinksV2, stats: none, columns: columns(v2LinkColumns + `, total_backlinks int H`),
		},
		"broken_backlinks": { // the envelope is chosen
			envelope: "refpages", perRequest: 1, fifthsPerRow: 25, build: brokenV2, stats: none,
			columns: columns(v2LinkColumns + `, broken_at date WH, http_code int WH, error string WH`),
		},
		"linked_domains": { // the envelope is chosen
			envelope: "domains", perRequest: 1, fifthsPerRow: 5, build: linkedDomainsV2, stats: none,
			columns: columns(`domain_from string -H, domain_to string -H, links int -H, unique_pages int -H, domain_to_rating int -H`),
		},
		"pages": {
			envelope: "pages", perRequest: 1, fifthsPerRow: 5, build: pagesV2, stats: pageStats, columns: columns(v2PageColumns),
			counts: names(columns(v2PageColumns)),
		},
		"pages_extended": { // the envelope is that of pages (chosen)
			envelope: "pages", perRequest: 1, fifthsPerRow: 5, build: pagesV2, stats: pageStats, columns: columns(v2PageColumns + v2PageCounts),
			counts: names(columns(v2PageColumns + v2PageCounts)),
		},
		"metrics": {envelope: "metrics", perRequest: 1, single: true, answer: metricsV2, columns: columns(v2Metrics)},
		"metrics_extended": { // the price is that of most tables (chosen)
			envelope: "metrics", perRequest: 1, fifthsPerRow: 5, single: true, answer: metricsExtendedV2,
			columns: columns(v2Metrics + `, refdomains int --, refclass_c int --, refips int --`),
		},
		"domain_rating": { // envelope and price are chosen
			envelope: "domain", perRequest: 1, fifthsPerRow: 5, single: true, answer: domainRatingV2, columns: columns(`domain_rating int -H`),
		},
		"subscription_info": {envelope: "info", single: true, answer: subscriptionInfo},
	}
}

// columns reads "name type WH": W for where, H for having; W- is not part of a row, -- only that.
func columns(text string) []v2column {
	kinds := map[string]kind{"string": 0, "int": whole, "date": stamp, "boolean": flag}
	var out []v2column
	for _, part := range strings.Split(text, ",") {
		f := strings.Fields(part)
		out = append(out, v2column{f[0], kinds[f[1]], strings.Contains(f[2], "W"), strings.Contains(f[2], "H"), f[2] == "W-"})
	}
	return out
}

func names(columns []v2column) (out []string) {
	for _, c := range columns {
		out = append(out, c.name)
	}
	return out
}

// liveV2 are the links of v2, which had a live index.
func (c *call) liveV2() []graph.LinkID { return c.inHistory(c.backlinks()) }

// v2List shows a list of v3 under the names of v2.
type v2List struct {
	List
	value func(*call, List, int, string) (any, bool)
	call  *call
}

func (l v2List) Value(i int, column string) (any, bool) { return l.value(l.call, l.List, i, column) }

// valueV2 returns a column of a row; v2 has no names that must be invented.
func valueV2(l List, i int, column string) any { v, _ := l.Value(i, column); return v }

// v3Names are the fields that columns of grouped tables are called in v3.
var v3Names = map[string]string{"backlinks": "links_to_target", "refdomain": "domain", "last_visited": "last_visited_source"}

// ofGroup shows rows that stand for several links.
func (c *call) ofGroup(l List, i int, column string) (any, bool) {
	if column == "domain_rating" {
		v, ok := l.Value(i, column)
		return int(v.(float64)), ok
	}
	if name, ok := v3Names[column]; ok {
		column = name
	}
	return l.Value(i, column)
}

// ofGiven shows a list that tests serve, with what it leaves away invented.
func (c *call) ofGiven(l List, i int, column string) (any, bool) {
	if name, ok := v3Names[column]; ok {
		column = name
	}
	return value(l, i, column), true
}

func anchorsV2(c *call, q *v2query) List {
	return v2List{groups{c, c.anchorGroups(c.linksV2(q, c.liveV2())), (*call).anchorValue}, (*call).ofGroup, c}
}

func refdomainsV2(c *call, q *v2query) List {
	return v2List{groups{c, c.domainGroups(c.linksV2(q, c.liveV2()), false), (*call).domainValue}, (*call).ofGroup, c}
}

// backlinksV2 lists links, or the best of each domain.
func backlinksV2(c *call, q *v2query) List {
	c.q.aggregation = "all"
	if q.from == "backlinks_one_per_domain" {
		c.q.aggregation = "1_per_domain"
	}
	return v2List{c.aggregate(c.linksV2(q, c.liveV2())), func(c *call, l List, i int, column string) (any, bool) {
		if column == "total_backlinks" {
			return l.Value(i, "link_group_count")
		}
		return c.linkV2(l.(linkList).ids[i], column), true
	}, c}
}

// brokenV2 lists the live links to pages that answer 404.
func brokenV2(c *call, q *v2query) List {
	c.q.aggregation = "all"
	ids := slices.DeleteFunc(c.liveV2(), func(id graph.LinkID) bool { return c.view.HTTPCode(c.view.Link(id).Target) != 404 })
	return v2List{c.aggregate(c.linksV2(q, ids)), func(c *call, l List, i int, column string) (any, bool) {
		return c.linkV2(l.(linkList).ids[i], column), true
	}, c}
}

func linkedDomainsV2(c *call, _ *v2query) List {
	host, _ := split(c.q.target)
	return v2List{groups{c, c.domainGroups(c.outlinks(), true), (*call).domainValue}, func(c *call, l List, i int, column string) (any, bool) {
		switch column {
		case "domain_from":
			return host, true
		case "domain_to_rating":
			v, ok := l.Value(i, "domain_rating")
			return int(v.(float64)), ok
		}
		return l.Value(i, map[string]string{"domain_to": "domain", "links": "links_from_target", "unique_pages": "linked_pages"}[column])
	}, c}
}

// pagesV2 lists the pages that are linked to (chosen: v2 had all that were crawled), those with most links first.
func pagesV2(c *call, _ *v2query) List {
	all := c.groupBy(c.liveV2(), func(_ graph.LinkID, l graph.Link) (string, uint32) {
		return address(c.graph, l.Target), uint32(l.Target)
	})
	return v2List{groups{c, all, (*call).pageValueV2}, func(_ *call, l List, i int, column string) (any, bool) { return l.Value(i, column) }, c}
}

// pageNames are the fields that columns of pages are called in v3.
var pageNames = map[string]string{
	"url": "url_to", "last_visited": "last_visited_target", "http_code": "http_code_target", "title": "title_target", "backlinks": "links_to_target",
	"dofollow": "dofollow_to_target", "nofollow": "nofollow_to_target", "redirects": "redirects_to_target", "refdomains": "refdomains_target",
	"redirect_url": "target_redirect", "refclass_c": "refdomains_target", "refips": "refdomains_target", // one address and network each (chosen)
}

func (c *call) pageValueV2(g *group, column string) (any, bool) {
	switch column {
	case "ahrefs_rank": // what v3 calls URL rating
		rating, _ := c.ofTarget(g.page, "url_rating_target")
		whole, _ := rating.(float64)
		return int(whole), true
	case "size", "links_internal", "links_external", "encoding":
		if column == "size" {
			column = "page_size"
		}
		return invent(column, uint64(g.page)), true
	case "content_encoding":
		return "gzip", true
	}
	v, ok := c.pageValue(g, pageNames[column])
	if v == nil && (column == "title" || column == "redirect_url") {
		return "", ok
	}
	return v, ok
}

func pageStats(c *call) row {
	targets := map[graph.PageID]bool{}
	for _, id := range c.liveV2() {
		targets[c.view.Link(id).Target] = true
	}
	return row{{"pages", len(targets)}}
}

func metricsExtendedV2(c *call) row {
	_, _, domains := c.totals()
	return append(metricsV2(c), row{{"refdomains", domains}, {"refclass_c", domains}, {"refips", domains}}...)
}

func domainRatingV2(c *call) row {
	if d, ok := c.domain(c.q.target); ok {
		return row{{"domain_rating", int(c.ratings(d, c.view.Day())[0])}}
	}
	return row{{"domain_rating", 0}}
}

// linkV2 returns what v2 says of a link, by what v3 says where both have it.
func (c *call) linkV2(id graph.LinkID, column string) any {
	l := c.view.Link(id)
	v3 := func(name string) any { return c.link(id, name, false) }
	switch column {
	case "refdomain":
		return v3("root_name_source")
	case "url":
		return v3("url_from")
	case "ip", "ip_from":
		return orEmpty(v3("ip_source"))
	case "ahrefs_rank": // what v3 calls URL rating
		return int(v3("url_rating_source").(float64))
	case "domain_rating":
		return int(v3("domain_rating_source").(float64))
	case "prev_visited":
		return moment(max(second(id, l.FirstSeen), c.visited(id, l)-7*86400))
	case "sitewide":
		return roll(column, uint64(id))%10 == 0
	case "original":
		return true
	case "link_type":
		kind := v3("link_type").(string)
		if kind == "text" || kind == "image" {
			return "href"
		}
		return kind
	case "redirect":
		if code, ok := v3("redirect_code").(int); ok {
			return code
		}
		return 0
	case "nofollow":
		return l.Nofollow
	case "alt":
		return orEmpty(v3("alt"))
	case "broken_at":
		return v3("last_visited")
	case "http_code": // of the page linked to (chosen)
		return c.view.HTTPCode(l.Target)
	case "error":
		return ""
	case "text_pre":
		return v3("snippet_left")
	case "text_post":
		return v3("snippet_right")
	}
	return v3(column)
}

func orEmpty(v any) any {
	if v == nil {
		return ""
	}
	return v
}

// anchorStats and refdomainStats are about the target, whatever where says (chosen), as the documentation's example shows for pages.
func anchorStats(c *call) row {
	links, pages, _ := c.totals()
	return row{{"backlinks", links}, {"refpages", pages}}
}

func refdomainStats(c *call) row {
	_, _, domains := c.totals()
	return row{{"refdomains", domains}, {"ips", domains}, {"class_c", domains}} // one address and network each (chosen)
}

func (c *call) totals() (links, pages, domains int) {
	var sources []graph.PageID
	ids := c.liveV2()
	for _, id := range ids {
		sources = append(sources, c.view.Link(id).Source)
	}
	pages, domains = c.distinct(sources)
	return len(ids), pages, domains
}

// metricsV2 counts the live links by kind; what the web does not know is invented.
func metricsV2(c *call) row {
	kinds := map[string]int{}
	links, pages, _ := c.totals()
	targets := map[graph.PageID]bool{}
	for _, id := range c.liveV2() {
		l := c.view.Link(id)
		targets[l.Target] = true
		kinds[linkType(id, l)]++
		kinds["nofollow"] += number(l.Nofollow)
		kinds["sitewide"] += number(c.linkV2(id, "sitewide").(bool))
	}
	host, _ := split(c.q.target)
	known := len(targets)
	return row{
		{"backlinks", links}, {"refpages", pages}, {"pages", known}, {"text", kinds["text"]}, {"image", kinds["image"]},
		{"sitewide", kinds["sitewide"]}, {"not_sitewide", links - kinds["sitewide"]}, {"nofollow", kinds["nofollow"]}, {"dofollow", links - kinds["nofollow"]},
		{"redirect", kinds["redirect"]}, {"gov", 0}, {"edu", 0}, {"html_pages", known},
		{"links_internal", invent("links_internal", roll(host, 0))}, {"links_external", c.outbound().links},
	}
}

func subscriptionInfo(c *call) row {
	limit := c.server.options.V2Rows
	if limit == 0 {
		limit = v2RowsDefault
	}
	used := c.server.account.spent(c.server.options.Clock()).rows
	return row{{"rows_left", int(max(0, limit-used))}, {"rows_limit", int(limit)}, {"subscription", "Emulated Subscription"}}
}
