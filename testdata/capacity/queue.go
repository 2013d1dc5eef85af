package main

import (
	"container/heap"
	"time"
)

// clock is virtual time: what is due happens in its order, and nothing takes any in between.
type clock struct {
	now time.Duration // since the day began
	due agenda
	no  int
}

type appointment struct {
	at time.Duration
	no int // of two at one time the earlier made
	do func()
}

type agenda []appointment

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].no < a[j].no
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(appointment)) }
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// at has something done at a time, which is now if it is past.
func (c *clock) at(t time.Duration, do func()) {
	c.no++
	heap.Push(&c.due, appointment{max(t, c.now), c.no, do})
}

// run goes on until nothing is due any more.
func (c *clock) run() {
	for len(c.due) > 0 {
		next := heap.Pop(&c.due).(appointment)
		c.now = next.at
		next.do()
	}
}

// cores serve whoever comes in the order of their coming, so many at a time.
type cores struct {
	*clock
	free []time.Duration // when each is
	busy time.Duration   // of all of them together
}

func newCores(c *clock, n int) *cores { return &cores{clock: c, free: make([]time.Duration, n)} }

// serve takes work from now on, and has done called when it is over.
func (s *cores) serve(work time.Duration, done func()) {
	first := 0
	for i, free := range s.free {
		if free < s.free[first] {
			first = i
		}
	}
	s.free[first] = max(s.free[first], s.now) + work
	s.busy += work
	s.at(s.free[first], done)
}

// lock is held by one at a time; those who wait have it in their order.
type lock struct {
	*clock
	held    bool
	since   time.Duration
	busy    time.Duration
	waiting []func()
}

// take has do called with the lock held. It must be released.
func (l *lock) take(do func()) {
	if l.held {
		l.waiting = append(l.waiting, do)
		return
	}
	l.held, l.since = true, l.now
	do()
}

func (l *lock) release() {
	l.held = false
	l.busy += l.now - l.since
	if len(l.waiting) > 0 {
		next := l.waiting[0]
		l.waiting = l.waiting[1:]
		l.take(next)
	}
}
