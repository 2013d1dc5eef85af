package buy

import (
	"context"
	"time"

	"backhaul/jobs/budget"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
	"backhaul/pipeline/limit"
)

// purse grants what one extract may spend in this execution.
func purse(units pipeline.Units) limit.Grant {
	left := units
	return func(_ context.Context, want, least pipeline.Units) (got, _ pipeline.Units, err error) { // one at a time, says limit
		if got = min(want, left); got < least {
			return 0, left, nil
		}
		left -= got
		return got, left, nil
	}
}

// unhindered reports whether nothing but the connections holds a run up at a vendor: no ceiling, no priorities that a
// ceiling could give a meaning, no known end of the cursors, and a rate that a connection alone does not come near.
func unhindered(a budget.Account, work []plan.Work) bool {
	const perConnection = 5 // requests a second, at 200 ms each
	free := !a.Ceiling.Bounds() && a.TokenLife == 0 &&
		(a.PerSecond == 0 || a.PerSecond >= perConnection*float64(max(1, a.Connections)))
	for _, it := range work {
		free = free && it.MaxUnits == nil && it.Task.Priority == work[0].Task.Priority
	}
	return free
}

// seller is a vendor account that is bought from: its gate, what the ledger knows may be under way there, and the purses of extracts.
type seller struct {
	budget.Account
	vendor   string
	gate     *limit.Gate
	exposure *exposure
	purses   map[string]*limit.Gate // by extract
}

// open wires a vendor's account to the ledger, for work to begin with. Units are granted a few pages at a time, so that a request does
// not cost a write, nor a run hold much that another could spend.
func (m *market) open(ctx context.Context, vendor string, work []plan.Work) (*seller, error) {
	s := &seller{Account: m.Budget.Account(vendor), vendor: vendor, purses: map[string]*limit.Gate{}}
	s.Connections = max(1, s.Connections)
	pages := make([]page, 0, len(work))
	for _, it := range work {
		pages = append(pages, page{it.Task.ID, pageCost(it.Item, PageSize(it))})
	}
	grant := func(ctx context.Context, want, least, inFlight pipeline.Units) (got, left pipeline.Units, err error) {
		ceiling := s.Ceiling
		ceiling.InFlight = inFlight
		if got, left, err = m.Books.Ledger.Grant(context.WithoutCancel(ctx), m.Books.RunID, vendor, m.Budget.Month(vendor), want, least, ceiling); err != nil {
			m.stop(runError{err})
		}
		return got, left, err
	}
	tell := m.Expose
	if tell == nil {
		tell = func(ctx context.Context, units pipeline.Units) error {
			_, _, err := grant(ctx, 0, 0, units)
			return err
		}
	}
	s.exposure = expose(pages, s.Connections, tell)
	block := s.exposure.most()
	if !s.Ceiling.Bounds() {
		block *= 16 // nobody waits for what this run holds
	}
	s.gate = limit.New(limit.Config{
		PerSecond: s.PerSecond, Connections: s.Connections, Block: block, Pacer: paced(s.Pacer, m.stop),
		Grant: func(ctx context.Context, want, least pipeline.Units) (got, left pipeline.Units, err error) {
			if m.Expose != nil { // it is known elsewhere
				return grant(ctx, want, least, 0)
			}
			return grant(ctx, want, least, s.exposure.most())
		},
	})
	if m.Expose != nil {
		return s, m.Expose(ctx, s.exposure.most())
	}
	return s, nil
}

// lane is work to do at a vendor.
func (m *market) lane(s *seller, work []plan.Work) (engine.Lane, error) {
	lane := engine.Lane{Vendor: s.vendor, Gate: s.gate, Connections: s.Connections, TokenLife: s.TokenLife, Recovers: m.Recovers(s.vendor), Probe: unhindered(s.Account, work)}
	lane.Work = make([]engine.Work, 0, len(work))
	sources := map[[2]string]pipeline.Source{} // by endpoint and surface, on which they depend
	for _, it := range work {
		if x := it.Task.Extract; it.MaxUnits != nil && s.purses[x] == nil {
			s.purses[x] = limit.New(limit.Config{Connections: s.Connections, Grant: purse(*it.MaxUnits)})
		}
		of := [2]string{it.Task.Endpoint, it.Task.Surface}
		if sources[of] == nil {
			source, err := m.Sources(it.Task)
			if err != nil {
				return lane, err
			}
			sources[of] = beating{exposed{source, s.exposure}, m.Pulse, m.stop}
		}
		w := engine.Work{Task: &it.Task, Source: sources[of], PageSize: PageSize(it), Purse: s.purses[it.Task.Extract], Unknown: !it.Missing.Known}
		if place := it.Place; place != (pipeline.Place{}) { // a copy: plans that are made meanwhile change it
			w.From = &place
		}
		lane.Work = append(lane.Work, w)
	}
	return lane, nil
}

// paced is a pacer that stops the run where it fails; nil if there is none.
func paced(p limit.Pacer, stop context.CancelCauseFunc) limit.Pacer {
	if p == nil {
		return nil
	}
	return stopping{p, stop}
}

type stopping struct {
	limit.Pacer
	stop context.CancelCauseFunc
}

func (s stopping) Slot(ctx context.Context, gap time.Duration) (time.Duration, error) {
	wait, err := s.Pacer.Slot(ctx, gap)
	if err != nil && ctx.Err() == nil {
		s.stop(runError{err})
	}
	return wait, err
}

// PageSize is how many rows of a list to ask for at a time: hardly more than it is known to have, so that a request reserves,
// and a crash sets aside, what it can bring and not the vendor's largest page.
func PageSize(it plan.Work) int {
	e, missing := it.Endpoint, it.Missing
	if !missing.Known || missing.Rows <= 0 || e.SteadySize || e.Once || e.Asks.Batched() {
		return it.PageSize
	}
	return int(min(int64(it.PageSize), missing.Rows+missing.Rows/4+10))
}

// pageCost is what one page of a list can cost at most.
func pageCost(it *plan.Item, size int) pipeline.Units {
	rows := size
	if it.Task.MaxRows > 0 && !it.Endpoint.SteadySize {
		rows = int(max(1, min(int64(size), it.Task.MaxRows-it.Place.ChainRows)))
	}
	rule, err := it.Endpoint.PriceOf(it.Task, pipeline.Ask{Cursor: it.Place.Next, Limit: size})
	if err != nil {
		return 0 // what cannot be priced is not sent
	}
	return rule.Worst(rows)
}
