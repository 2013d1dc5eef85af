package ahrefsv2

import (
	"strings"

	"backhaul/pipeline"
)

const (
	// maxRows is the largest `limit`. Source: Ahrefs, API v2 documentation.
	maxRows = 5_000_000
	// perClause is what each of where, having and offset adds to a request. Source: Ahrefs, API v2, anchors, for where and
	// having; older copies of the same documentation for offset.
	perClause = 5
	// freeTarget and its subdomains cost nothing. Source: Ahrefs, API v2 documentation.
	freeTarget = "ahrefs.com"
)

// DefaultRows is what Ahrefs takes for `limit` where it is not sent. Source: Ahrefs, API v2 documentation.
const DefaultRows = 1000

// cost is what a table charges for a request, and for every so many results. Source of all: Ahrefs, API v2
// documentation, the line "cost" of each table.
type cost struct {
	request, results pipeline.Units
	every            int
}

var (
	// ordinary is the price of most tables, anchors among them, and taken for those whose page was out of reach.
	ordinary = cost{request: 1, results: 1}
	// fifth is that of backlinks and backlinks_new_lost: 0.2 a result.
	fifth = cost{request: 1, results: 1, every: 5}
	// five is that of broken_backlinks.
	five = cost{request: 1, results: 5}
	// onePerDomain is that of backlinks_one_per_domain.
	onePerDomain = cost{request: 10, results: 2}
	// once is that of metrics: results cost nothing.
	once = cost{request: 1}
	// free is that of subscription_info.
	free = cost{}
)

// Request is what the price of a request depends on.
type Request struct {
	Target string
	// Where and Having are the clauses' texts. Default "": not sent.
	Where, Having string
	// Offset is how many rows are skipped. Default 0: not sent.
	Offset int64
}

// Price returns the rule by which the request is charged.
//
// How Ahrefs rounded tenths of a row is not known, nor whether per request or per month. Each request is rounded up, so
// that neither the worst case nor the account is ever below what was charged.
func (t *Table) Price(q Request) pipeline.Price {
	p := pipeline.Price{
		PerRequest: t.cost.request, PerRow: t.cost.results, Every: t.cost.every, MaxRows: maxRows,
		Free: isFree(q.Target), Source: "Ahrefs, API v2 documentation, " + t.Name,
	}
	if t.cost == free {
		return p
	}
	var assumed []string
	if t.cost.every > 1 {
		assumed = append(assumed, "parts of a row are rounded up, request by request")
	}
	for _, sent := range []bool{q.Where != "", q.Having != "", q.Offset > 0} {
		if sent {
			p.PerRequest += perClause
		}
	}
	if q.Offset > 0 {
		assumed = append(assumed, "an offset costs 5, as in older copies of the documentation")
	}
	p.Assumed = strings.Join(assumed, "; ")
	return p
}

// isFree says whether the target is the free one, a subdomain of it, or a URL there.
func isFree(target string) bool {
	if _, rest, schemed := strings.Cut(target, "://"); schemed {
		target = rest
	}
	host, _, _ := strings.Cut(target, "/")
	host = strings.ToLower(host)
	return host == freeTarget || strings.HasSuffix(host, "."+freeTarget)
}
