package emulator

import (
	"net/http"
	"strconv"

	"backhaul/pipeline/emulator/graph"
	"backhaul/pipeline/emulator/internal/quote"
)

// rows is a whole list in its order, of which pages are cut.
type rows interface {
	Len() int
	Append(buf []byte, i int) []byte // appends row i as JSON
}

// pageOf makes an endpoint of a list: {"results":[...], "next_token":"..."}, so many rows billed for each result.
func pageOf(build func(*graph.View, *query) rows, weight func(*query) int) func(*Server, *graph.View, *query, int, int) reply {
	return func(s *Server, v *graph.View, q *query, from, at int) reply {
		all := s.lists.Get(strconv.Itoa(v.Day())+q.listKey(), func() rows { return build(v, q) })
		body := append(make([]byte, 0, 4096), `{"results":`...)
		body, n := appendPage(body, all, from, q.Limit)
		body = s.appendNext(body, v, q, at, all.Len())
		return reply{status: http.StatusOK, body: append(body, '}'), rows: n * weight(q), page: true}
	}
}

// appendPage writes up to limit rows from a place in the list, and returns how many.
func appendPage(buf []byte, all rows, from, limit int) ([]byte, int) {
	from = min(max(from, 0), all.Len())
	to := min(from+limit, all.Len())
	buf = append(buf, '[')
	for i := from; i < to; i++ {
		if i > from {
			buf = append(buf, ", "...)
		}
		buf = all.Append(buf, i)
	}
	return append(buf, ']'), to - from
}

func weighs(rows int) func(*query) int { return func(*query) int { return rows } }

func (s *Server) appendNext(body []byte, v *graph.View, q *query, at, size int) []byte {
	if next := at + q.Limit; next < size {
		return quote.Append(append(body, `, "next_token":`...), s.nextToken(q, v.Day(), next))
	}
	switch s.options.LastToken {
	case LastTokenAbsent:
		return body
	case LastTokenNull:
		return append(body, `, "next_token":null`...)
	}
	return append(body, `, "next_token":""`...)
}

// keptLists and keptRows bound the lists that are remembered.
const (
	keptLists = 256
	keptRows  = 500_000
)
