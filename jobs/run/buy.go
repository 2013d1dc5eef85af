package run

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"backhaul/jobs/account"
	"backhaul/jobs/budget"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
	"backhaul/pipeline/limit"
)

// ledgerError means that leave to buy could not be made durable. It is the program's fault and not a task's, so it stops
// the run: the lists that were cut off by it must not be published.
type ledgerError struct{ error }

func (e ledgerError) Unwrap() error { return e.error }

// buy lets the engine buy what the plan says is missing.
func (r *runner) buy(ctx context.Context, result *Result, p *plan.Plan) error {
	buying, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var lanes []engine.Lane
	for vendor, work := range p.Work {
		lane, err := r.lane(vendor, work, stop)
		if err != nil {
			return err
		}
		lanes = append(lanes, lane)
	}
	outcomes, err := engine.Run(buying, engine.Config{Lanes: lanes, Journal: r.journal, Retry: r.Retry, Observe: r.tellOutages(context.WithoutCancel(ctx))})
	stops := stopsOf(err)
	if nameErr := r.budget.NameCeilings(context.WithoutCancel(ctx), r.books(), stops); nameErr != nil {
		return errors.Join(err, nameErr)
	}
	own := map[string]bool{} // extracts with a ceiling of their own
	for _, it := range r.chain.Known() {
		own[it.Task.Extract] = it.MaxUnits != nil
	}
	ended := r.Now().UTC()
	var records []ledger.Task
	for _, o := range outcomes {
		o = budget.ByCeiling(o, own[o.Task.Extract], stops)
		before := r.places[o.Task.ID]
		result.Bought.Pages += int64(o.Place.Pages - before.Pages)
		result.Bought.Rows += o.Place.Rows + o.Place.Waste - before.Rows - before.Waste
		result.Bought.Units += o.Place.Units - before.Units
		if o.Over > 0 {
			result.overcharged(o.Task.Vendor(), o.Over)
		}
		r.places[o.Task.ID] = o.Place
		record := record(o, ended)
		record.IndexID = r.price.Index(o.Task.Vendor())
		records = append(records, record)
	}
	for _, s := range stops {
		r.chain.GiveUp(s.Vendor, s.Ending)
	}
	result.Stop, result.Interrupted = errors.Join(result.Stop, err), ctx.Err() != nil
	r.block(outcomes)
	if recordErr := r.ledger.Record(context.WithoutCancel(ctx), r.run.ID, records...); recordErr != nil {
		return errors.Join(err, recordErr)
	}
	if errors.As(err, new(*engine.JournalError)) {
		return err
	}
	if cause := context.Cause(buying); errors.As(cause, new(ledgerError)) {
		return cause
	}
	return nil
}

func record(o engine.Outcome, ended time.Time) ledger.Task {
	t := ledger.Task{
		Task: o.Task, Ending: o.Ending, Pages: o.Place.Pages, Rows: o.Place.Rows, Units: o.Place.Units,
		Waste: o.Place.Waste, MaybeUnits: o.Place.MaybeUnits, Attempts: o.Place.Attempts, Ended: ended,
	}
	t.Error = account.Why(o.Err)
	return t
}

// recordHeld enters what the journal holds of tasks that need nothing more: a process that died may not have got to it, and
// a bound that was lowered may be met by now.
func (r *runner) recordHeld(ctx context.Context) error {
	tasks, err := r.ledger.Tasks(ctx, r.run.ID)
	if err != nil {
		return err
	}
	var changed []ledger.Task
	for _, t := range tasks {
		before := t
		if t.Ending == pipeline.EndUnchanged {
			continue
		}
		if account.Stand(&t, r.places[t.ID]); t.Ending.Complete() && t.Ending != before.Ending {
			t.Error, t.Ended = "", r.Now().UTC()
			changed = append(changed, t)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	return r.ledger.Record(ctx, r.run.ID, changed...)
}

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
func (r *runner) lane(vendor string, work []plan.Work, stop context.CancelCauseFunc) (engine.Lane, error) {
	a := r.budget.Account(vendor)
	connections := max(1, a.Connections)
	lane := engine.Lane{Vendor: vendor, Connections: connections, TokenLife: a.TokenLife, Recovers: r.price.Recovers(r.past(), vendor)}
	lane.Work = make([]engine.Work, 0, len(work))
	pages := make([]pipeline.Units, 0, len(work))
	purses := map[string]*limit.Gate{}
	for _, it := range work {
		if x := it.Task.Extract; it.MaxUnits != nil && purses[x] == nil {
			purses[x] = limit.New(limit.Config{Connections: connections, Grant: purse(*it.MaxUnits)})
		}
		source, err := r.Sources(it.Task)
		if err != nil {
			return lane, err
		}
		size := pageSize(it)
		pages = append(pages, pageCost(it.Item, size))
		lane.Work = append(lane.Work, engine.Work{Task: it.Task, Source: beating{source, r.pulse}, Place: it.Place, PageSize: size, Purse: purses[it.Task.Extract],
			Unknown: !it.Missing.Known})
	}
	lane.Probe = unhindered(a, work)
	inFlight := dearest(pages, connections)
	block := inFlight
	if !a.Ceiling.Bounds() {
		block *= 16 // nobody waits for what this run holds
	}
	a.Ceiling.InFlight = inFlight
	lane.Gate = limit.New(limit.Config{
		PerSecond: a.PerSecond, Connections: connections, Block: block,
		Grant: func(ctx context.Context, want, least pipeline.Units) (got, left pipeline.Units, err error) {
			if got, left, err = r.ledger.Grant(context.WithoutCancel(ctx), r.run.ID, vendor, r.budget.Month(vendor), want, least, a.Ceiling); err != nil {
				stop(ledgerError{err})
			}
			return got, left, err
		},
	})
	return lane, nil
}

// pageSize is how many rows of a list to ask for at a time: hardly more than it is known to have, so that a request reserves,
// and a crash sets aside, what it can bring and not the vendor's largest page.
func pageSize(it plan.Work) int {
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

// dearest is what so many requests can cost together at most, one of each list.
func dearest(pages []pipeline.Units, requests int) (units pipeline.Units) {
	slices.SortFunc(pages, func(a, b pipeline.Units) int { return cmp.Compare(b, a) })
	for _, u := range pages[:min(len(pages), requests)] {
		units += u
	}
	return units
}
