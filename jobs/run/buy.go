package run

import (
	"context"
	"errors"

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

// buy buys what the plan says is missing, and enters what came of it.
func (r *runner) buy(ctx context.Context, result *Result, p *plan.Plan) error {
	order := buy.Order{Plan: p, Sources: r.Sources, Journal: r.keeping(), Budget: r.budget, Books: r.books(), Retry: r.Retry, Pulse: r.pulse, Observe: r.Observe,
		Now: r.Now, Engine: r.Engine, Close: r.closeRound, Recovers: func(vendor string) bool { return r.price.Recovers(r.past(), vendor) }}
	bought, err := order.Place(ctx)
	if err != nil {
		return err
	}
	ended := r.Now().UTC()
	stands := map[string]journal.Standing{}
	for _, o := range bought.Outcomes {
		before := r.places[o.Task.ID]
		result.Bought.Pages += int64(o.Place.Pages - before.Pages)
		result.Bought.Rows += o.Place.Rows + o.Place.Waste - before.Rows - before.Waste
		result.Bought.Units += o.Place.Units - before.Units
		if o.Over > 0 {
			result.overcharged(o.Task.Vendor(), o.Over)
		}
		r.places[o.Task.ID] = o.Place
		stands[o.Task.ID] = journal.Standing{Ending: o.Ending, Error: account.Why(o.Err), Ended: ended, IndexID: r.price.Index(o.Task.Vendor())}
	}
	for _, d := range bought.Delays {
		result.delayed(d)
	}
	for _, s := range bought.Stops {
		r.chain.GiveUp(s.Vendor, s.Ending)
	}
	result.Stop, result.Interrupted = errors.Join(result.Stop, bought.Err), ctx.Err() != nil
	r.block(bought.Outcomes)
	err = r.journal.Stand(context.WithoutCancel(ctx), stands)
	if bought.Fault != nil {
		return bought.Fault // which says why nothing could be entered either, if so
	}
	if err != nil {
		return errors.Join(bought.Err, err)
	}
	return nil
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
