package run

import (
	"context"
	"errors"

	"backhaul/jobs/account"
	"backhaul/jobs/buy"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
)

// buy buys what the plan says is missing, and enters what came of it.
func (r *runner) buy(ctx context.Context, result *Result, p *plan.Plan) error {
	order := buy.Order{Plan: p, Sources: r.Sources, Journal: r.journal, Budget: r.budget, Books: r.books(), Retry: r.Retry, Pulse: r.pulse, Observe: r.Observe,
		Now: r.Now, Recovers: func(vendor string) bool { return r.price.Recovers(r.past(), vendor) }}
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
	for _, s := range bought.Stops {
		r.chain.GiveUp(s.Vendor, s.Ending)
	}
	result.Stop, result.Interrupted = errors.Join(result.Stop, bought.Err), ctx.Err() != nil
	r.block(bought.Outcomes)
	err = r.record(context.WithoutCancel(ctx), stands)
	if bought.Fault != nil {
		return bought.Fault // which says why nothing could be entered either, if so
	}
	if err != nil {
		return errors.Join(bought.Err, err)
	}
	return nil
}

// record enters how tasks stand.
func (r *runner) record(ctx context.Context, all map[string]journal.Standing) error {
	return account.Record(ctx, r.ledger, r.journal, r.run.ID, r.places, all)
}

// sync brings the ledger's index to where the journal is.
func (r *runner) sync(ctx context.Context) error {
	return account.Sync(ctx, r.ledger, r.journal, r.run.ID, r.places)
}

// recordHeld enters what the journal holds of tasks that need nothing more: a process that died may not have got to it, and
// a bound that was lowered may be met by now.
func (r *runner) recordHeld(ctx context.Context) error {
	return r.recordPlaces(ctx, func(t *ledger.Task, place pipeline.Place) bool {
		before := t.Ending
		if before == pipeline.EndUnchanged {
			return false
		}
		account.Stand(t, place)
		t.Error, t.Ended = "", r.Now().UTC()
		return t.Ending.Complete() && t.Ending != before
	})
}

// recordPlaces enters how far the tasks have come, as far as stand says it of one and reports that it is news.
func (r *runner) recordPlaces(ctx context.Context, stand func(*ledger.Task, pipeline.Place) bool) error {
	tasks, err := r.ledger.Tasks(ctx, r.run.ID)
	if err != nil {
		return err
	}
	changed := map[string]journal.Standing{}
	for _, t := range tasks {
		if place := r.places[t.ID]; stand(&t, place) {
			changed[t.ID] = account.Standing(t, place)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	return r.record(ctx, changed)
}
