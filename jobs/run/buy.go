package run

import (
	"context"
	"errors"
	"slices"

	"github.com/sourcegraph/conc"

	"backhaul/jobs/account"
	"backhaul/jobs/books"
	"backhaul/jobs/buy"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/jobs/recovery"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
	"backhaul/pipeline/journal"
)

// buy buys the extracts: at first those that need not wait, and while they are bought those that waited, each as soon as what it
// waits for is over. idle says that there was nothing to buy.
func (r *runner) buy(ctx context.Context, result *Result) (idle bool, err error) {
	r.Step(Step{Name: Planning})
	waited, err := r.next(ctx)
	if err != nil {
		return false, err
	}
	first := slices.DeleteFunc(extractsOf(r.Items), func(x string) bool { return !r.Select(x) })
	turn, err := r.turn(ctx, result, append(append([]string{}, first...), waited...)) // never nil, which would be all
	if err != nil || turn.idle {
		return turn.idle, err
	}
	r.Step(Step{Name: Buying})
	order := buy.Order{Work: turn.work, Sources: r.Sources, Journal: r.keeping(), Budget: r.budget, Books: r.books(), Retry: r.Retry, Pulse: r.pulse, Observe: r.Observe,
		Now: r.Now, Engine: r.Engine, Close: r.closeRound, Recovers: func(vendor string) bool { return r.price.Recovers(r.past(), vendor) }}
	if len(r.chain.Waiting()) > 0 {
		order.More = func(ctx context.Context, over engine.Over) (map[string][]plan.Work, error) {
			return r.more(ctx, result, over)
		}
	}
	var aside conc.WaitGroup
	var meanwhile error
	aside.Go(func() { meanwhile = r.Meanwhile(ctx) })
	bought, err := order.Place(ctx)
	aside.Wait()
	for _, d := range bought.Delays {
		result.delayed(d)
	}
	result.Stop, result.Interrupted = bought.Err, ctx.Err() != nil
	entered := r.enter(ctx, result, bought.Outcomes, bought.Stops)
	if bought.Fault != nil {
		return false, bought.Fault // which says why nothing could be entered either, if so
	}
	if ctx.Err() == nil { // else it is done by whoever goes on
		result.meanwhile = meanwhile
	}
	if err := errors.Join(err, entered); err != nil {
		return false, errors.Join(bought.Err, err)
	}
	// What was granted and not spent is somebody else's.
	return false, r.settle(context.WithoutCancel(ctx))
}

// turn is what can be bought now.
type turn struct {
	work map[string][]plan.Work // by vendor
	idle bool                   // there is nothing to do, not even to confirm
}

// turn plans extracts whose turn it is, and those that waited for one of them of which nothing is missing.
func (r *runner) turn(ctx context.Context, result *Result, extracts []string) (t turn, err error) {
	t = turn{work: map[string][]plan.Work{}, idle: true}
	for begun := false; !begun || len(extracts) > 0; begun = true {
		p, err := r.plan(ctx, extracts)
		if err != nil {
			return t, err
		}
		if result.Plan == nil {
			result.Plan = p
		}
		if err := r.expect(ctx, p, extracts); err != nil {
			return t, err
		}
		if !r.done() || len(p.Work) > 0 || !r.published(ctx, r.chain.Tasks()) {
			t.idle = false
			if err := r.agree(ctx, p); err != nil {
				return t, err
			}
			if err := r.takeOver(ctx, result, extracts); err != nil {
				return t, err
			}
		}
		for vendor, work := range p.Work {
			t.work[vendor] = append(t.work[vendor], work...)
		}
		r.chain.Try(without(p, extracts)...)
		if extracts, err = r.next(ctx); err != nil {
			if ctx.Err() != nil {
				return t, nil // what can be bought is, once the run goes on
			}
			return t, err
		}
	}
	return t, nil
}

// without are those of the extracts of which a plan finds nothing missing.
func without(p *plan.Plan, extracts []string) []string {
	missing := map[string]bool{}
	for _, work := range p.Work {
		for _, it := range work {
			missing[it.Task.Extract] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(extracts), func(x string) bool { return missing[x] })
}

func extractsOf(items []plan.Item) []string {
	var names []string
	for _, it := range items {
		if !slices.Contains(names, it.Task.Extract) {
			names = append(names, it.Task.Extract)
		}
	}
	return names
}

// agree has what is to be bought confirmed: the first time, for all that follows, which is only told.
func (r *runner) agree(ctx context.Context, p *plan.Plan) error {
	if r.confirmed {
		if r.Next != nil {
			r.Next(p)
		}
		return nil
	}
	if r.Confirm != nil {
		if err := r.Confirm(p); err != nil {
			return declinedError{err}
		}
	}
	r.confirmed = true
	return r.budget.Raise(ctx, r.books()) // somebody may have taken his time, and others counted meanwhile
}

// more enters how an extract went, and returns what can be bought now that it is over.
func (r *runner) more(ctx context.Context, result *Result, over engine.Over) (map[string][]plan.Work, error) {
	if err := r.enter(ctx, result, over.Outcomes, over.Stops); err != nil {
		return nil, err
	}
	extracts, err := r.next(ctx)
	if err != nil || len(extracts) == 0 {
		if ctx.Err() != nil {
			return nil, nil // the run was interrupted
		}
		return nil, err
	}
	turn, err := r.turn(ctx, result, extracts)
	return turn.work, err
}

// enter notes how tasks went, of extracts that are over.
func (r *runner) enter(ctx context.Context, result *Result, outcomes []engine.Outcome, stops []*engine.StopError) error {
	for i := range outcomes {
		o := &outcomes[i]
		result.Bought.Add(o.Bought)
		if o.Over > 0 {
			result.overcharged(o.Task.Vendor(), o.Over)
		}
		if *o.Place != (pipeline.Place{}) {
			r.places[o.Task.ID] = *o.Place
		}
		r.chain.Try(o.Task.Extract)
	}
	for _, s := range stops {
		r.chain.GiveUp(s.Vendor, s.Ending)
	}
	r.block(outcomes)
	ended := r.Now().UTC()
	return r.journal.Stand(context.WithoutCancel(ctx), func(yield func(string, journal.Standing) bool) {
		for i := range outcomes {
			o := &outcomes[i]
			s := journal.Standing{Ending: o.Ending, Error: account.Why(o.Err), Ended: ended, IndexID: r.price.Index(o.Task.Vendor())}
			if o.Ending == pipeline.EndNotReached && !errors.As(o.Err, new(*engine.StopError)) {
				s = journal.Standing{} // the run was interrupted, and of a million lists most have not begun: there is nothing to say of them
			}
			if !yield(o.Task.ID, s) {
				return
			}
		}
	})
}

// closeRound is [buy.Order.Close].
func (r *runner) closeRound(ctx context.Context, round int) (map[string]pipeline.Place, error) {
	if err := recovery.RecordClaims(ctx, r.journal, r.book(r.Job), round, r.Now().UTC()); err != nil {
		return nil, err
	}
	return r.journal.Places(ctx)
}

// keeping is the journal as it is bought into.
func (r *runner) keeping() engine.Journal {
	return books.Keeping(r.journal, r.run.ID, r.Warehouse.Kept(r.Name, r.date))
}

// sync brings the ledger's index to where the journal is: when the run begins to buy, so that others see what it intends, and when
// it is over. In between the journal alone is asked.
func (r *runner) sync(ctx context.Context) (ledger.Index, error) {
	return account.Sync(ctx, r.ledger, r.journal, r.run.ID, r.places)
}
