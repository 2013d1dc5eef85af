// Package buy lets the engine buy what a plan says is missing: a lane for each vendor account, whose gate asks the ledger for the
// units before they are spent.
//
// It owns how a plan becomes work: how much of a list to ask for at a time, how many units to reserve at a time, what an extract may
// spend by itself. It says what came of it and enters nothing but grants, and which vendors do not answer.
package buy

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"backhaul/jobs/budget"
	"backhaul/jobs/plan"
	"backhaul/jobs/recovery"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
)

// Order is what to buy, and how.
type Order struct {
	// Work is what to buy, by vendor.
	Work map[string][]plan.Work
	// More is told of every extract that is over, by one goroutine, and returns what there is to buy besides. An error ends the asking
	// and nothing else. Default: there is no more.
	More    func(context.Context, engine.Over) (map[string][]plan.Work, error)
	Sources func(pipeline.Task) (pipeline.Source, error)
	Journal engine.Journal
	Budget  *budget.Budget
	Books   budget.Books
	Retry   engine.Retry
	// Recovers reports whether a vendor has answered a question with something that cannot be read and then with a page.
	Recovers func(vendor string) bool
	// Pulse is touched at every request.
	Pulse *recovery.Pulse
	// Observe is told of every event, by many goroutines at once. Default none.
	Observe func(engine.Event)
	Now     func() time.Time
}

// Bought is what came of an order.
type Bought struct {
	// Outcomes are those of the extracts that More was not told of.
	Outcomes []engine.Outcome
	// Stops say why vendors were given up, Err all that the engine has to say, these included.
	Stops []*engine.StopError
	Err   error
	// Fault is of the program's side: pages that the journal could not keep, or leave to buy that could not be made durable.
	// The lists that were cut off by it must not be published.
	Fault error
	// Delays are what the vendors have cost in time, one for each.
	Delays []Delay
}

// Delay is what a vendor has cost in time.
type Delay struct {
	Vendor string
	// Refused is for how long requests waited because others had been turned away, Silent for how long the vendor answered nobody.
	Refused, Silent time.Duration
	// PerSecond is the rate of requests that it was found to take; 0 if it is unlimited.
	PerSecond float64
}

// Place buys what is ordered. When ctx ends no new request is made. An error is More's, or of what came of the order: what is missing
// from Bought the journal has.
func (o Order) Place(ctx context.Context) (Bought, error) {
	buying, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	m := &market{Order: o, stop: stop, sellers: map[string]*seller{}, own: map[string]bool{}, told: map[string]bool{}}
	lanes, err := m.lanes(o.Work)
	if err != nil {
		return Bought{}, err
	}
	silences := newOutages(context.WithoutCancel(ctx), o)
	config := engine.Config{Lanes: lanes, Journal: o.Journal, Retry: o.Retry, Observe: silences.observe}
	if o.More != nil {
		config.More = m.more
	}
	outcomes, err := engine.Run(buying, config)
	bought := Bought{Stops: Stops(err), Err: err, Delays: m.delays(silences)}
	if err := o.Budget.NameCeilings(context.WithoutCancel(ctx), o.Books, bought.Stops); err != nil {
		return bought, errors.Join(bought.Err, err)
	}
	bought.Outcomes = slices.DeleteFunc(outcomes, func(o engine.Outcome) bool { return m.told[o.Task.Extract] })
	for i, outcome := range bought.Outcomes {
		bought.Outcomes[i] = m.byCeiling(outcome, bought.Stops)
	}
	switch cause := context.Cause(buying); {
	case errors.As(err, new(*engine.JournalError)):
		bought.Fault = err
	case errors.As(cause, new(runError)):
		bought.Fault = cause
	}
	return bought, m.err
}

// market is an order under way: the vendors that are bought from, which may become more.
type market struct {
	Order
	stop    context.CancelCauseFunc
	sellers map[string]*seller
	own     map[string]bool // extracts with a ceiling of their own
	told    map[string]bool // extracts that More was told of
	err     error           // its
}

// lanes returns the work as lanes.
func (m *market) lanes(all map[string][]plan.Work) (lanes []engine.Lane, err error) {
	for _, vendor := range slices.Sorted(maps.Keys(all)) {
		work := all[vendor]
		if m.sellers[vendor] == nil {
			m.sellers[vendor] = m.open(vendor, work)
		}
		lane, err := m.lane(m.sellers[vendor], work)
		if err != nil {
			return nil, err
		}
		for _, it := range work {
			m.own[it.Task.Extract] = it.MaxUnits != nil
		}
		lanes = append(lanes, lane)
	}
	return lanes, nil
}

// more tells More of an extract, with the ceilings by name that stopped vendors.
func (m *market) more(ctx context.Context, over engine.Over) []engine.Lane {
	if m.err != nil {
		return nil
	}
	stops := make([]*engine.StopError, len(over.Stops))
	for i, s := range over.Stops {
		stops[i] = new(*s) // which others are reading
	}
	if m.err = m.Budget.NameCeilings(context.WithoutCancel(ctx), m.Books, stops); m.err != nil {
		return nil
	}
	for i, outcome := range over.Outcomes {
		over.Outcomes[i] = m.byCeiling(outcome, stops)
	}
	over.Stops, m.told[over.Extract] = stops, true
	var work map[string][]plan.Work
	if work, m.err = m.More(ctx, over); m.err != nil {
		return nil
	}
	var lanes []engine.Lane
	lanes, m.err = m.lanes(work)
	return lanes
}

func (m *market) byCeiling(o engine.Outcome, stops []*engine.StopError) engine.Outcome {
	return budget.ByCeiling(o, m.own[o.Task.Extract], stops)
}

// delays are what the vendors have cost in time.
func (m *market) delays(silences *outages) (all []Delay) {
	for _, vendor := range slices.Sorted(maps.Keys(m.sellers)) {
		gate := m.sellers[vendor].gate
		all = append(all, Delay{Vendor: vendor, Refused: gate.Lost(), Silent: silences.lost[vendor], PerSecond: gate.PerSecond()})
	}
	return all
}

// runError means that leave to buy could not be had or not be made durable: by the ledger, by whoever has the run, by those who share
// the account's rate. It is neither a task's fault nor a vendor's, so it stops the run.
type runError struct{ error }

func (e runError) Unwrap() error { return e.error }

// Stops returns the stops in joined errors of the engine, one for each vendor.
func Stops(err error) []*engine.StopError {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var stops []*engine.StopError
		for _, err := range joined.Unwrap() {
			stops = append(stops, Stops(err)...)
		}
		return stops
	}
	var stop *engine.StopError
	if errors.As(err, &stop) {
		return []*engine.StopError{stop}
	}
	return nil
}
