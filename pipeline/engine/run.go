package engine

import (
	"context"
	"slices"
	"sync"

	"github.com/sourcegraph/conc"
)

// run is a run at work: its lanes, and what is left to do.
type run struct {
	Config
	cancel context.CancelCauseFunc
	group  conc.WaitGroup

	mu      sync.Mutex
	changed *sync.Cond // there is something to do, or nothing any more
	lanes   []*lane
	left    map[string]int // by extract: its tasks that are not over
	open    int            // tasks that are not over
	told    []string       // extracts that are over, of which More is to be told
	asking  bool           // More
	broken  bool           // by a panic
	fault   error          // the first page or attempt that could not be made durable
}

func newRun(c Config, cancel context.CancelCauseFunc) *run {
	r := &run{Config: c, cancel: cancel, left: map[string]int{}}
	r.changed = sync.NewCond(&r.mu)
	return r
}

// add opens the lanes, or adds their work to those that are open, and sees to it that there are enough workers.
func (r *run) add(ctx context.Context, lanes []Lane) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range lanes {
		l, work := r.lane(ctx, lanes[i]), lanes[i].Work
		l.add(work, lanes[i].Probe)
		for ; l.workers < min(l.most(), len(l.Work)); l.workers++ {
			l.hire()
		}
	}
	r.asking = false
	r.changed.Broadcast()
}

// lane returns the vendor's, without its work if it is a new one.
func (r *run) lane(ctx context.Context, of Lane) *lane {
	if i := slices.IndexFunc(r.lanes, func(l *lane) bool { return l.Vendor == of.Vendor }); i >= 0 {
		return r.lanes[i]
	}
	l := &lane{run: r, Lane: of, recovers: of.Recovers}
	l.Work = nil
	ctx, l.halt = context.WithCancelCause(ctx)
	l.hire = func() { r.group.Go(func() { l.work(ctx) }) }
	r.lanes = append(r.lanes, l)
	return l
}

// ended notes that a task of an extract is over. The caller holds the lock.
func (r *run) ended(extract string) {
	r.open--
	if r.left[extract]--; r.left[extract] == 0 && r.More != nil {
		r.told = append(r.told, extract)
	}
	if r.open == 0 || len(r.told) > 0 {
		r.changed.Broadcast()
	}
}

// over reports whether there is nothing left to do, and no more to come. The caller holds the lock.
func (r *run) over() bool { return r.broken || r.open == 0 && len(r.told) == 0 && !r.asking }

// abandon ends the run though there is something left to do.
func (r *run) abandon() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = true
	r.changed.Broadcast()
}

// askForMore tells More of one extract after the other.
func (r *run) askForMore(ctx context.Context) {
	done := false
	defer func() {
		if !done {
			r.abandon()
		}
	}()
	for over, ok := r.nextOver(ctx); ok; over, ok = r.nextOver(ctx) {
		r.add(ctx, r.More(ctx, over))
	}
	done = true
}

// nextOver waits until an extract is over, or the run.
func (r *run) nextOver(ctx context.Context) (o Over, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.over() {
		switch {
		case ctx.Err() != nil:
			if r.told = nil; r.over() {
				r.changed.Broadcast()
				return o, false
			}
		case len(r.told) > 0:
			o.Extract, r.told, r.asking = r.told[0], r.told[1:], true
			for _, l := range r.lanes {
				o.Outcomes = append(o.Outcomes, l.outcomesOf(o.Extract)...)
			}
			o.Stops = r.stopsNow()
			return o, true
		}
		r.changed.Wait()
	}
	return o, false
}

// stops say why vendors were given up.
func (r *run) stops() []*StopError {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stopsNow()
}

func (r *run) stopsNow() (stops []*StopError) {
	for _, l := range r.lanes {
		if l.stopped != nil {
			stops = append(stops, l.stopped)
		}
	}
	return stops
}

// stopRun stops every lane, because one page could not be made durable: nothing more can be bought safely. It is told of a run too
// that was stopped before: the last pages were under way.
func (r *run) stopRun(fault error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fault == nil {
		r.fault = fault
	}
	r.cancel(fault)
}
