// Package lists remembers whole lists that are dear to make, of which pages are cut one after the other. It knows nothing of
// what is in them.
package lists

import (
	"container/list"
	"sync"
)

// Lists computes each list once and forgets the ones not asked for in a while. The zero value works, once its bounds are set,
// and is safe for concurrent use.
type Lists[T interface{ Len() int }] struct {
	// Most and Rows bound how many lists are kept, and how many rows they have together. The last one asked for always stays.
	Most, Rows int

	mu    sync.Mutex
	order list.List // of *listed[T], last used first
	byKey map[string]*list.Element
	rows  int
}

type listed[T any] struct {
	key  string
	once sync.Once
	list T
	size int // counted against Rows once known
}

// Get returns the list of a key, made by build if it is not remembered.
func (l *Lists[T]) Get(key string, build func() T) T {
	l.mu.Lock()
	if l.byKey == nil {
		l.byKey = map[string]*list.Element{}
	}
	e, ok := l.byKey[key]
	if ok {
		l.order.MoveToFront(e)
	} else {
		e = l.order.PushFront(&listed[T]{key: key})
		l.byKey[key] = e
	}
	entry := e.Value.(*listed[T])
	l.mu.Unlock()
	entry.once.Do(func() {
		entry.list = build()
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.byKey[key] == e { // not evicted meanwhile
			entry.size = entry.list.Len()
			l.rows += entry.size
		}
		l.evict()
	})
	return entry.list
}

func (l *Lists[T]) evict() {
	for l.order.Len() > 1 && (l.order.Len() > l.Most || l.rows > l.Rows) {
		e := l.order.Back()
		old := e.Value.(*listed[T])
		l.rows -= old.size
		delete(l.byKey, old.key)
		l.order.Remove(e)
	}
}
