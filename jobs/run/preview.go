package run

import (
	"context"
	"errors"
	"iter"
	"time"

	"backhaul/jobs/budget"
	"backhaul/jobs/chain"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/jobs/recovery"
	"backhaul/pipeline/journal"
	"backhaul/sinks"
)

// Preview plans a job without entering anything anywhere: what a run would do and cost now. items are further ones before
// job.Items, made one after another, so that a plan of a million of them need not hold any. Default none.
func Preview(ctx context.Context, job Job, items iter.Seq[plan.Item], w sinks.Warehouse, now time.Time) (*plan.Plan, error) {
	o := Options{Warehouse: w, Now: func() time.Time { return now }}.withDefaults()
	b := budget.New(job.Accounts, o.Now)
	if recovery.Gone(w.Ledger()) && !recovery.HasJournals(w) {
		r := newRunner(job, o, b, opened{})
		r.chain = chain.New(r.extracts(items))
		if err := r.chain.Know(ctx, r.past()); err != nil {
			return nil, err
		}
		return r.preview(ctx)
	}
	l, err := recovery.OpenLedger(ctx, w)
	if err != nil {
		return nil, err
	}
	defer func() { _ = l.Close() }()
	r := newRunner(job, o, b, opened{ledger: l})
	r.chain = chain.New(r.extracts(items))
	if err := r.findPlaces(ctx, w); err != nil {
		return nil, err
	}
	if err := errors.Join(r.budget.Raise(ctx, r.books()), r.budget.Recall(ctx, r.books())); err != nil {
		return nil, err
	}
	return r.preview(ctx)
}

// preview prices all that is known without keeping it.
func (r *runner) preview(ctx context.Context) (*plan.Plan, error) {
	known, err := r.terms(ctx)
	if err != nil {
		return nil, err
	}
	items := func(yield func(*plan.Item) bool) {
		for it := range r.chain.All() {
			if r.place(it); r.ledger != nil {
				if _, _, err = r.findAnswer(ctx, it, nil); err != nil {
					return
				}
			}
			if !yield(it) {
				return
			}
		}
	}
	p := plan.Price(items, known.histories, known.accounts, known.pending...)
	return p, err
}

// findPlaces reads how far an earlier execution of the run has come, if there was one.
func (r *runner) findPlaces(ctx context.Context, w sinks.Warehouse) error {
	earlier, err := r.ledger.Find(ctx, r.Name, r.date)
	if errors.Is(err, ledger.ErrNoRun) {
		return r.chain.Know(ctx, r.past())
	}
	if err != nil {
		return err
	}
	r.run = earlier
	path := w.JournalOf(r.Name, r.date)
	if recovery.Gone(path) {
		retired, err := r.ledger.Retired(ctx, earlier.ID)
		if err != nil {
			return err
		}
		if retired == nil {
			return r.chain.Know(ctx, r.past())
		}
		tasks, err := r.ledger.Tasks(ctx, earlier.ID)
		if err != nil {
			return err
		}
		if err := r.chain.KnowHeld(tasks); err != nil {
			return err
		}
		r.places, err = recovery.PlacesOf(ctx, r.ledger, earlier.ID)
		return err
	}
	j, err := journal.Open(ctx, path, journal.Header{Job: r.Name, RunDate: r.date})
	if err != nil {
		return err
	}
	defer func() { _ = j.Close() }()
	r.journal = j
	defer func() { r.journal = nil }()
	if r.places, err = j.Places(ctx); err != nil {
		return err
	}
	return r.chain.Know(ctx, r.past())
}
