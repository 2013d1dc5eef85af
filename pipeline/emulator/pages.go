package emulator

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"backhaul/pipeline/emulator/graph"
)

// globalTop is where the lists over the whole web end (documented).
const globalTop = 500

// pageRows are pages with their metrics, and with their histories if asked.
type pageRows struct {
	view      *graph.View
	pages     []graph.PageID
	histories *histories
}

func topPageList(v *graph.View, _ *query) rows {
	return pageRows{view: v, pages: v.TopPages(globalTop)}
}

var (
	topPageSorts   = []string{"page_authority", "root_domains_to_page", "external_pages_to_page"}
	topPageFilters = []string{"all", "status_200", "status_301", "status_302", "status_4xx", "status_5xx"}
)

// parseTopPages takes root_domain for the default scope (chosen; the vendor's is unknown).
func parseTopPages(f *fields, q *query) {
	f.target(q)
	q.Scope = f.choice("scope", "root_domain", "subdomain")
	q.Sort = f.choice("sort", topPageSorts...)
	q.Filter = []string{f.choice("filter", topPageFilters...)}
	f.histories(q, false)
	f.paging(q)
}

func (s *Server) topPages(v *graph.View, q *query, from, at int) reply {
	if name := q.Histories.invalid(); name != "" {
		return unknownMetric(name)
	}
	weight := func(q *query) int { return 1 + q.Histories.modifiers() }
	return pageOf(func(v *graph.View, q *query) rows { return sitePageList(v, q) }, weight)(s, v, q, from, at)
}

// sitePageList orders by the sort, descending, then by the order in which the index keeps pages (chosen).
func sitePageList(v *graph.View, q *query) pageRows {
	var keys []uint64
	for _, p := range v.KnownPages(q.find(v)) {
		if hasStatus(v.HTTPCode(p), q.Filter[0]) {
			keys = append(keys, uint64(^pageValue(v, q.Sort, p))<<32|uint64(p))
		}
	}
	slices.Sort(keys)
	out := pageRows{view: v, histories: q.Histories}
	for _, key := range keys {
		out.pages = append(out.pages, graph.PageID(key&math.MaxUint32))
	}
	return out
}

func pageValue(v *graph.View, sort string, p graph.PageID) uint32 {
	switch sort {
	case "root_domains_to_page":
		return uint32(v.DomainsToPage(p))
	case "external_pages_to_page":
		return uint32(v.Metrics(p).ToPage.ExternalPages)
	}
	return uint32(v.PageAuthority(p))
}

func hasStatus(code int, filter string) bool {
	want, ok := strings.CutPrefix(filter, "status_")
	if class, wide := strings.CutSuffix(want, "xx"); wide {
		return strconv.Itoa(code/100) == class
	}
	return !ok || strconv.Itoa(code) == want
}

func (r pageRows) Len() int { return len(r.pages) }

func (r pageRows) Append(buf []byte, i int) []byte {
	p := r.pages[i]
	buf = appendMetrics(buf, r.view.Metrics(p))
	return appendHistories(buf, r.view, r.view.Graph().PageName(p), r.histories)
}

// topDomainRows are root domains; each has the shape of a linking one, and links to no target.
type topDomainRows struct{ domainRows }

func topDomainList(v *graph.View, _ *query) rows {
	out := domainRows{view: v}
	for _, d := range v.TopDomains(globalTop) {
		out.items = append(out.items, linkingDomain{id: d, gained: noDay, lost: noDay})
	}
	return topDomainRows{out}
}

func parseURLMetrics(f *fields, q *query) {
	q.Batch = &batch{Sites: f.addresses("targets")}
	f.histories(q, true)
}

// urlMetrics answers one object for each target, in their order. Of a page the index does not know it tells what it knows of the
// host and the root domain; all else is zero, the authorities are 1 and the spam score is -1 (chosen).
func (s *Server) urlMetrics(v *graph.View, q *query, _, _ int) reply {
	if name := q.Histories.invalid(); name != "" {
		return unknownMetric(name)
	}
	body := []byte(`{"results":[`)
	for n, i := range s.batch(q.key(), len(q.Batch.Sites)) {
		if n > 0 {
			body = append(body, ", "...)
		}
		name := q.Batch.Sites[i]
		m, _ := v.Lookup(name)
		body = appendHistories(appendMetrics(body, m), v, name, q.Histories)
	}
	rows := len(q.Batch.Sites) * (1 + q.Histories.modifiers())
	return reply{status: http.StatusOK, body: append(body, "]}"...), rows: rows, page: true}
}

// unknownMetric is a 500, not a 400: seen for a monthly_history_values entry with an invalid name.
func unknownMetric(name string) reply {
	return refuse(http.StatusInternalServerError, "internal_error", "no history of "+name)
}
