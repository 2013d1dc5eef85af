// Package buy lets the engine buy what a plan says is missing: a lane for each vendor account, whose gate asks the ledger for the
// units before they are spent.
//
// It owns how a plan becomes work: how much of a list to ask for at a time, how many units to reserve at a time, what an extract may
// spend by itself. It says what came of it and enters nothing but grants, and which vendors do not answer.
package buy

import (
	"context"
	"errors"
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
	// More is told of every extract that is over, one after the other, and returns what there is to buy besides. An error ends the asking
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
	// Expose has it known, durably, what the requests under way may cost together at most, before they are sent. Default: the ledger.
	Expose func(ctx context.Context, units pipeline.Units) error
	// Engine buys. Default: this process.
	Engine Engine
	// Close ends a round of buying by other processes, counted from 1: none of them writes any more, and what they may have paid without a
	// trace is held. It returns how far the lists have come. An engine of other processes needs it.
	Close func(ctx context.Context, round int) (map[string]pipeline.Place, error)
}

// Bought is what came of an order.
type Bought struct {
	// Outcomes are, where an order was placed, those of the extracts that its More was not told of.
	Outcomes []engine.Outcome
	// Stops say why vendors were given up, Err all that the engine has to say, these included.
	Stops []*engine.StopError
	Err   error
	// Fault is of the program's side: pages that the journal could not keep, or leave to buy that could not be made durable.
	// The lists that were cut off by it must not be published.
	Fault error
	// Delays are what the vendors have cost in time, one for each.
	Delays []Delay
	// Unspent is what the ledger has granted at the vendors and was not needed.
	Unspent map[string]pipeline.Units
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
	var buyer Engine = Here{}
	if o.Engine != nil {
		buyer = o.Engine
	}
	p := &placed{Order: o, own: map[string]bool{}, told: map[string]bool{}}
	p.note(o.Work)
	if o.More != nil {
		o.More = p.more
	}
	bought, err := buyer.Buy(ctx, o)
	if err != nil {
		return bought, err
	}
	if err := o.Budget.NameCeilings(context.WithoutCancel(ctx), o.Books, bought.Stops); err != nil {
		return bought, errors.Join(bought.Err, err)
	}
	bought.Outcomes = slices.DeleteFunc(bought.Outcomes, func(o engine.Outcome) bool { return p.told[o.Task.Extract] })
	p.byCeiling(bought.Outcomes, bought.Stops)
	return bought, p.err
}

// placed is an order under way of which More is asked.
type placed struct {
	Order
	own  map[string]bool // extracts with a ceiling of their own
	told map[string]bool // extracts that More was told of
	err  error           // its
}

func (p *placed) note(all map[string][]plan.Work) {
	for _, work := range all {
		for _, it := range work {
			p.own[it.Task.Extract] = it.MaxUnits != nil
		}
	}
}

// more tells More of an extract, with the ceilings by name that stopped vendors.
func (p *placed) more(ctx context.Context, over engine.Over) (map[string][]plan.Work, error) {
	if p.err != nil {
		return nil, nil
	}
	stops := make([]*engine.StopError, len(over.Stops))
	for i, s := range over.Stops {
		stops[i] = new(*s) // which others are reading
	}
	if p.err = p.Budget.NameCeilings(context.WithoutCancel(ctx), p.Books, stops); p.err != nil {
		return nil, nil
	}
	p.byCeiling(over.Outcomes, stops)
	over.Stops, p.told[over.Extract] = stops, true
	var work map[string][]plan.Work
	work, p.err = p.More(ctx, over)
	p.note(work)
	return work, nil
}

func (p *placed) byCeiling(outcomes []engine.Outcome, stops []*engine.StopError) {
	for i, outcome := range outcomes {
		outcomes[i] = budget.ByCeiling(outcome, p.own[outcome.Task.Extract], stops)
	}
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
