package engine

import (
	"cmp"
	"context"
	"slices"
	"time"

	"backhaul/pipeline"
)

// lane is a Lane at work.
type lane struct {
	*run
	Lane
	halt     context.CancelCauseFunc // no further request is made to this vendor
	hire     func()                  // starts a worker
	workers  int                     // that were started
	outcomes []Outcome

	// What is to be done, under the run's lock: the tasks whose turn comes in order, those before them of which a first page tells how
	// long they are, and the lists of which it was bought, the longest last.
	queue, unknown []int
	looked         []*buyer
	look           time.Time // until when first pages are bought

	stopped  *StopError
	failures int       // tasks in a row that failed for want of an answer
	answers  int       // requests answered
	shut     time.Time // since when every request is turned away; zero if not every one is
	whole    bool      // cursors are taken with whole pages only
	recovers bool      // replies that cannot be read pass
	silent   time.Time // when the first request since the last answer found none; zero if none did
	away     *outage   // nil while the vendor answers
}

// probing bounds how long a lane looks at first pages, since the cursors they bring grow old meanwhile.
const probing = 20 * time.Second

// add takes more work. The caller holds the run's lock.
func (l *lane) add(work []Work, probe bool) {
	first := len(l.Work)
	l.Work = joined(l.Work, work)
	l.outcomes = joined(l.outcomes, make([]Outcome, len(work)))
	now := time.Now()
	for i := range work {
		w := &l.Work[first+i]
		if w.From == nil {
			w.From = &nowhere
		}
		if l.left[w.Task.Extract]++; probe && w.Unknown && w.From.Pages == 0 {
			l.unknown, l.look = append(l.unknown, first+i), now.Add(probing)
		} else {
			l.queue = append(l.queue, first+i)
		}
	}
	if l.open += len(work); l.TokenLife > 0 || first > 0 {
		l.sort(now)
	}
}

// nowhere is the place of tasks that have not begun.
var nowhere pipeline.Place

// joined appends without a copy where there is nothing to append to: there may be a million.
func joined[T any](to, more []T) []T {
	if len(to) == 0 {
		return more
	}
	return append(to, more...)
}

// sort puts those first that have priority, and of those of one priority the ones whose cursors live, soonest to die first.
func (l *lane) sort(now time.Time) {
	for _, order := range [][]int{l.queue, l.unknown} {
		slices.SortStableFunc(order, func(i, j int) int {
			a, b := &l.Work[i], &l.Work[j]
			return cmp.Or(cmp.Compare(b.Task.Priority, a.Task.Priority), a.diesAt(now, l.TokenLife).Compare(b.diesAt(now, l.TokenLife)))
		})
	}
}

// diesAt is when the cursor of a list under way dies, and far in the future where there is none that lives.
func (w *Work) diesAt(now time.Time, life time.Duration) time.Time {
	if at := w.From.Fetched.Add(life); life > 0 && w.From.Next != "" && !w.From.End && at.After(now) {
		return at
	}
	return now.AddDate(1000, 0, 0)
}

// most is how many lists are under way at once: one a connection, but no more than have a turn at the account's rate
// within half the life of a cursor.
func (l *lane) most() int {
	n := max(1, l.Connections)
	if rate := l.Gate.PerSecond(); l.TokenLife > 0 && rate > 0 {
		n = min(n, max(1, int(rate*l.TokenLife.Seconds()/2)))
	}
	return n
}

// work buys one list after the other for as long as the run may have one for this lane.
func (l *lane) work(ctx context.Context) {
	done := false
	defer func() {
		if !done {
			l.abandon() // a panic, which is passed on when nobody is at work any more
		}
	}()
	for b, look := l.take(); b != nil; b, look = l.take() {
		if look {
			if b.step(ctx); b.ending == "" {
				l.put(b)
				continue
			}
		}
		outcome := b.buy(ctx)
		l.Observe(Event{Task: *b.Task, Outcome: &outcome})
		l.end(b, outcome)
	}
	done = true
}

// take waits for the next list, and says whether only its first page is to be bought. It returns nil when the run is over.
func (l *lane) take() (b *buyer, look bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.over() {
		switch last := len(l.looked) - 1; {
		case len(l.unknown) > 0 && time.Now().Before(l.look):
			return l.first(&l.unknown), true
		case last >= 0:
			b, l.looked = l.looked[last], l.looked[:last]
			return b, false
		case len(l.unknown) > 0:
			return l.first(&l.unknown), false
		case len(l.queue) > 0:
			return l.first(&l.queue), false
		}
		l.changed.Wait()
	}
	return nil, false
}

// first takes the first task of those. Its buyer is made when it is its turn: there may be a million.
func (l *lane) first(of *[]int) *buyer {
	i := (*of)[0]
	*of = (*of)[1:]
	return newBuyer(l, i)
}

// put leaves a list of which the first page was bought until all others have been looked at.
func (l *lane) put(b *buyer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, _ := slices.BinarySearchFunc(l.looked, b.tail, func(b *buyer, tail float64) int { return cmp.Compare(b.tail, tail) })
	l.looked = slices.Insert(l.looked, at, b) // before those like it, so that of these the first comes first
	l.changed.Broadcast()
}

// outcomesOf are those of an extract that is over. The caller holds the run's lock.
func (l *lane) outcomesOf(extract string) (outcomes []Outcome) {
	for i := range l.Work {
		if l.Work[i].Task.Extract == extract {
			outcomes = append(outcomes, l.outcomes[i])
		}
	}
	return outcomes
}

// end notes how a task went.
func (l *lane) end(b *buyer, outcome Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outcomes[b.index] = outcome
	l.ended(b.Task.Extract)
}

// giveUp stops the lane: no further request is made to this vendor.
func (l *lane) giveUp(ending pipeline.Ending, err error) {
	l.mu.Lock()
	if l.stopped == nil {
		l.stopped = &StopError{Vendor: l.Vendor, Ending: ending, Err: err}
	}
	stopped := l.stopped
	l.mu.Unlock()
	l.halt(stopped)
}

// tooManyFailures is how many tasks in a row may fail for want of an answer before the vendor is taken to be down.
const tooManyFailures = 10

// answered notes that the vendor answers, be it with a refusal.
func (l *lane) answered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures = 0
	l.answers++
	l.present()
}

// turned notes whether the vendor turned a request away, and returns for how long it has done nothing else.
func (l *lane) turned(away bool) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !away {
		l.shut = time.Time{}
		return 0
	}
	l.present()
	if l.shut.IsZero() {
		l.shut = time.Now()
	}
	return time.Since(l.shut)
}

func (l *lane) answersSoFar() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answers
}

// failed notes that a task failed for want of an answer, and reports whether the vendor is to be given up: too many did in
// a row, or no connection can be made and nobody had an answer while the task tried.
func (b *buyer) failed(unreachable bool) (giveUp bool) {
	l := b.lane
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures++
	return l.failures >= tooManyFailures || unreachable && l.answers == b.answers
}

// learn notes what a page that came tells of other lists. One whose cursor was refused with a smaller page and taken with a
// whole one: so will theirs be, and refusals may be held against the account. One that could not be read before: such replies
// pass.
func (b *buyer) learn() {
	l := b.lane
	l.mu.Lock()
	defer l.mu.Unlock()
	l.whole = l.whole || b.whole
	l.recovers = l.recovers || b.Place.Unreadable > 0
}

func (l *lane) recovering() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.recovers
}

func (l *lane) onlyWhole() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.whole
}
