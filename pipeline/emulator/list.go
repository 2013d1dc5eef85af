package emulator

import (
	"container/list"
	"net/http"
	"strconv"
	"sync"

	"backhaul/pipeline/emulator/graph"
)

// rows is a whole list in its order, of which pages are cut.
type rows interface {
	Len() int
	Append(buf []byte, i int) []byte // appends row i as JSON
}

// pageOf makes an endpoint of a list: {"results":[...], "next_token":"..."}, so many rows billed for each result.
func pageOf(build func(*graph.View, *query) rows, weight func(*query) int) func(*Server, *graph.View, *query, int, int) reply {
	return func(s *Server, v *graph.View, q *query, from, at int) reply {
		all := s.lists.get(strconv.Itoa(v.Day())+q.listKey(), func() rows { return build(v, q) })
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
		return appendString(append(body, `, "next_token":`...), s.nextToken(q, v.Day(), next))
	}
	switch s.options.LastToken {
	case LastTokenAbsent:
		return body
	case LastTokenNull:
		return append(body, `, "next_token":null`...)
	}
	return append(body, `, "next_token":""`...)
}

// Lists kept: at most keptLists, of keptRows rows together. The last one asked for always stays.
const (
	keptLists = 256
	keptRows  = 500_000
)

// lists computes each list once and forgets the ones not asked for in a while. Safe for concurrent use.
type lists struct {
	mu    sync.Mutex
	order *list.List // of *listed, last used first
	byKey map[string]*list.Element
	rows  int
}

type listed struct {
	key  string
	once sync.Once
	rows rows
	size int // counted against keptRows once known
}

func (l *lists) begin() { l.order, l.byKey = list.New(), map[string]*list.Element{} }

func (l *lists) get(key string, build func() rows) rows {
	l.mu.Lock()
	e, ok := l.byKey[key]
	if ok {
		l.order.MoveToFront(e)
	} else {
		e = l.order.PushFront(&listed{key: key})
		l.byKey[key] = e
	}
	entry := e.Value.(*listed)
	l.mu.Unlock()
	entry.once.Do(func() {
		entry.rows = build()
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.byKey[key] == e { // not evicted meanwhile
			entry.size = entry.rows.Len()
			l.rows += entry.size
		}
		l.evict()
	})
	return entry.rows
}

func (l *lists) evict() {
	for l.order.Len() > 1 && (l.order.Len() > keptLists || l.rows > keptRows) {
		e := l.order.Back()
		old := e.Value.(*listed)
		l.rows -= old.size
		delete(l.byKey, old.key)
		l.order.Remove(e)
	}
}
