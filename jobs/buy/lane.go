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

// lane wires a vendor's work to its gate. Units are granted by the ledger a few pages at a time, so that a request does not
// cost a write, nor a run hold much that another could spend.
func (o Order) lane(ctx context.Context, vendor string, work []plan.Work, stop context.CancelCauseFunc) (engine.Lane, error) {
	a := o.Budget.Account(vendor)
	connections := max(1, a.Connections)
	lane := engine.Lane{Vendor: vendor, Connections: connections, TokenLife: a.TokenLife, Recovers: o.Recovers(vendor)}
	lane.Work = make([]engine.Work, 0, len(work))
	pages := make([]page, 0, len(work))
	for _, it := range work {
		pages = append(pages, page{it.Task.ID, pageCost(it.Item, PageSize(it))})
	}
	grant := func(ctx context.Context, want, least, inFlight pipeline.Units) (got, left pipeline.Units, err error) {
		ceiling := a.Ceiling
		ceiling.InFlight = inFlight
		if got, left, err = o.Books.Ledger.Grant(context.WithoutCancel(ctx), o.Books.RunID, vendor, o.Budget.Month(vendor), want, least, ceiling); err != nil {
			stop(runError{err})
		}
		return got, left, err
	}
	tell := o.Expose
	if tell == nil {
		tell = func(ctx context.Context, units pipeline.Units) error {
			_, _, err := grant(ctx, 0, 0, units)
			return err
		}
	}
	exposure := expose(pages, connections, tell)
	purses := map[string]*limit.Gate{}
	for _, it := range work {
		if x := it.Task.Extract; it.MaxUnits != nil && purses[x] == nil {
			purses[x] = limit.New(limit.Config{Connections: connections, Grant: purse(*it.MaxUnits)})
		}
		source, err := o.Sources(it.Task)
		if err != nil {
			return lane, err
		}
		lane.Work = append(lane.Work, engine.Work{Task: it.Task, Source: beating{exposed{source, exposure}, o.Pulse, stop}, Place: it.Place, PageSize: PageSize(it),
			Purse: purses[it.Task.Extract], Unknown: !it.Missing.Known})
	}
	lane.Probe = unhindered(a, work)
	block := exposure.most()
	if !a.Ceiling.Bounds() {
		block *= 16 // nobody waits for what this run holds
	}
	lane.Gate = limit.New(limit.Config{
		PerSecond: a.PerSecond, Connections: connections, Block: block, Pacer: paced(a.Pacer, stop),
		Grant: func(ctx context.Context, want, least pipeline.Units) (got, left pipeline.Units, err error) {
			if o.Expose != nil { // it is known elsewhere
				return grant(ctx, want, least, 0)
			}
			return grant(ctx, want, least, exposure.most())
		},
	})
	if o.Expose != nil {
		return lane, o.Expose(ctx, exposure.most())
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
