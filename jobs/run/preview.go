package run

import (
	"context"
	"errors"
	"iter"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/jobs/recovery"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/sinks"
)

// Preview plans a job without entering anything anywhere: what a run would do and cost now. items are further ones before
// job.Items, made one after another, so that a plan of a million of them need not hold any. Default none.
func Preview(ctx context.Context, job Job, items iter.Seq[plan.Item], w sinks.Warehouse, now time.Time) (*plan.Plan, error) {
	r := newRunner(job, Options{Warehouse: w, Now: func() time.Time { return now }})
	r.listed = items
	if recovery.Gone(w.Ledger()) && !recovery.HasJournals(w) {
		if err := r.know(ctx); err != nil {
			return nil, err
		}
		return r.preview(ctx)
	}
	l, err := recovery.OpenLedger(ctx, w)
	if err != nil {
		return nil, err
	}
	defer func() { _ = l.Close() }()
	r.ledger = l
	if err := r.findPlaces(ctx, w); err != nil {
		return nil, err
	}
	if err := r.raiseCeilings(ctx); err != nil {
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
		for it := range r.all() {
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

// all yields the items that are known: of a run those that it holds, of a plan also those that are only listed, which are
// gone when the next is asked for.
func (r *runner) all() iter.Seq[*plan.Item] {
	return func(yield func(*plan.Item) bool) {
		if r.listed != nil {
			var it plan.Item
			for it = range r.listed {
				if !yield(&it) {
					return
				}
			}
		}
		each(r.items)(yield)
	}
}

// each yields items where they are.
func each(items []plan.Item) iter.Seq[*plan.Item] {
	return func(yield func(*plan.Item) bool) {
		for i := range items {
			if !yield(&items[i]) {
				return
			}
		}
	}
}

// raiseCeilings makes the ceilings those of a run that began now.
func (r *runner) raiseCeilings(ctx context.Context) error {
	for vendor, a := range r.Accounts {
		// What the run has spent before does not count against its budget, which bounds one execution.
		before, err := r.ledger.Granted(ctx, r.run.ID, r.Name, vendor, r.month(vendor))
		if err != nil {
			return err
		}
		if a.Ceiling.Run != nil {
			most := before.Run + *a.Ceiling.Run
			a.Ceiling.Run = &most
			r.Accounts[vendor] = a
		}
		said, err := r.ledger.MonthUsages(ctx, vendor, r.month(vendor))
		if err != nil {
			return err
		}
		var last *ledger.Usage
		if n := len(said); n > 0 {
			last = &said[n-1]
		}
		if err := r.count(ctx, vendor, last); err != nil {
			return err
		}
	}
	return nil
}

// know takes from the waiting steps those whose tasks are known.
func (r *runner) know(ctx context.Context) error {
	var waiting []Step
	for _, s := range r.waiting {
		tasks, final, err := r.made(ctx, s)
		if err != nil {
			return err
		}
		if !final {
			waiting = append(waiting, s)
			continue
		}
		r.items = append(r.items, s.items(tasks)...)
	}
	r.waiting = waiting
	return nil
}

// knowHeld makes the tasks known that the ledger has of a run whose journal was retired.
func (r *runner) knowHeld(tasks []ledger.Task) error {
	for _, s := range r.waiting {
		var held []pipeline.Task
		for _, t := range tasks {
			if t.Extract == s.Extract && !ledger.IsPlaceholder(t.Task) {
				held = append(held, t.Task)
			}
		}
		if s.Query == "" {
			var err error
			if held, _, err = s.Make(nil, nil, held); err != nil {
				return err
			}
		}
		r.items = append(r.items, s.items(held)...)
	}
	r.waiting = nil
	return nil
}

// findPlaces reads how far an earlier execution of the run has come, if there was one.
func (r *runner) findPlaces(ctx context.Context, w sinks.Warehouse) error {
	earlier, err := r.ledger.Find(ctx, r.Name, r.date)
	if errors.Is(err, ledger.ErrNoRun) {
		return r.know(ctx)
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
			return r.know(ctx)
		}
		tasks, err := r.ledger.Tasks(ctx, earlier.ID)
		if err != nil {
			return err
		}
		if err := r.knowHeld(tasks); err != nil {
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
	return r.know(ctx)
}
