package emulator

import (
	"fmt"
	"strconv"

	"backhaul/pipeline/emulator/graph"
	"backhaul/pipeline/emulator/internal/quote"
)

type rpcAnswer = func(s *Server, v *graph.View, c *rpcCall, from, at int) (rpcResult, error)

// listOf makes a method of a list: "offset":{...}, "NAME":[...], so many rows billed for each result.
func listOf(name string, build func(*graph.View, *query) rows, weight func(*query) int) rpcAnswer {
	return func(s *Server, v *graph.View, c *rpcCall, from, at int) (rpcResult, error) {
		all := s.lists.Get(strconv.Itoa(v.Day())+c.listKey(), func() rows { return build(v, &c.query) })
		out := append([]byte(`"offset":{"provided_token":`), mustJSON(c.provided)...)
		out = append(out, `, "token":`...)
		if next := at + c.Limit; next < all.Len() {
			out = quote.Append(out, s.nextToken(&c.query, v.Day(), next))
		} else {
			out = append(out, "null"...)
		}
		out = fmt.Appendf(out, `, "limit":%d}, "%s":`, c.Limit, name)
		out, n := appendPage(out, all, from, c.Limit)
		return rpcResult{out, n * weight(&c.query)}, nil
	}
}

// globalListOf makes a method of a list over the whole web, by number of page. It is free; a page beyond the end is empty (chosen).
func globalListOf(name string, build func(*graph.View, *query) rows) rpcAnswer {
	return func(s *Server, v *graph.View, c *rpcCall, _, _ int) (rpcResult, error) {
		all := s.lists.Get(strconv.Itoa(v.Day())+c.listKey(), func() rows { return build(v, &c.query) })
		from := all.Len()
		if c.number < all.Len() { // so that the product cannot overflow
			from = c.number * c.Limit
		}
		out, _ := appendPage(append([]byte{'"'}, name+`":`...), all, from, c.Limit)
		return rpcResult{out, 0}, nil
	}
}

// The rows below are V2's under the names this API has for their fields.

type rpcAnchors struct{ anchors }

func rpcAnchorList(v *graph.View, q *query) rows { return rpcAnchors{anchorList(v, q).(anchors)} }

func (a rpcAnchors) Append(buf []byte, i int) []byte { return a.append(buf, i, `{"text":`) }

type rpcLinks struct{ linkRows }

func rpcLinkList(v *graph.View, q *query) rows { return rpcLinks{linkList(v, q).(linkRows)} }

func (l rpcLinks) Append(buf []byte, i int) []byte {
	return l.append(buf, i, `{"source_site_metrics":`, `, "target_site_metrics":`)
}

type rpcDomains struct{ domainRows }

func rpcDomainList(v *graph.View, q *query) rows { return rpcDomains{domainList(v, q).(domainRows)} }

func (d rpcDomains) Append(buf []byte, i int) []byte {
	item := d.items[i]
	number := func(name string, n int) { buf = strconv.AppendInt(append(buf, name...), int64(n), 10) }
	buf = appendMetrics(append(buf, `{"site_metrics":`...), metricsOfDomain(d.view, item.id))
	buf = appendPropensity(append(buf, `, "link_propensity":`...), d.view.LinkPropensity(item.id))
	number(`, "targeted_pages":`, item.pages)
	number(`, "targeted_nofollow_pages":`, item.nofollowPages)
	number(`, "targeted_redirect_pages":`, item.redirectPages)
	number(`, "targeted_deleted_pages":`, item.deleted)
	return append(d.appendDate(buf, item), '}')
}

// metricsOfDomain are those of the page that stands for a root domain.
func metricsOfDomain(v *graph.View, d graph.DomainID) graph.Metrics {
	m, _ := v.Lookup(v.Graph().DomainName(d) + "/")
	return m
}

// rpcTopDomains are root domains with all their metrics, of which V2 shows five.
type rpcTopDomains struct{ domainRows }

func rpcTopDomainList(v *graph.View, q *query) rows {
	return rpcTopDomains{topDomainList(v, q).(topDomainRows).domainRows}
}

func (d rpcTopDomains) Append(buf []byte, i int) []byte {
	return appendMetrics(buf, metricsOfDomain(d.view, d.items[i].id))
}

func rpcIntersectList(v *graph.View, q *query) rows { return intersectList(v, q) }

func rpcSitePageList(v *graph.View, q *query) rows { return sitePageList(v, q) }
