package run

import (
	"context"
	"errors"
	"slices"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline/journal"
	"backhaul/sinks"
)

// Preview plans a job without entering anything anywhere: what a run would do and cost now.
func Preview(ctx context.Context, job Job, w sinks.Warehouse, now time.Time) (*plan.Plan, error) {
	r := &runner{Options: Options{Warehouse: w, Now: func() time.Time { return now }}, Job: job, date: job.RunDate.Format(time.DateOnly), begun: now.UTC()}
	accounts := map[string]plan.Account{}
	for vendor, a := range job.Accounts {
		accounts[vendor] = plan.Account{PerSecond: a.PerSecond, Connections: a.Connections, Left: least(a.Ceiling.Run, a.Ceiling.Month)}
	}
	r.begin()
	if gone(w.Ledger()) && !hasJournals(w) {
		r.know(nil)
		pending, err := r.pending(ctx)
		return plan.Make(r.items, nil, accounts, pending...), err
	}
	l, err := OpenLedger(ctx, w)
	if err != nil {
		return nil, err
	}
	defer func() { _ = l.Close() }()
	r.ledger = l
	if err := r.findPlaces(ctx, w); err != nil {
		return nil, err
	}
	// What the run has spent before does not count against its budget, which bounds one execution.
	for vendor, a := range job.Accounts {
		before, _, err := l.Granted(ctx, r.run.ID, vendor, r.month(vendor))
		if err != nil {
			return nil, err
		}
		if a.Ceiling.Run != nil {
			most := before + *a.Ceiling.Run
			a.Ceiling.Run = &most
			job.Accounts[vendor] = a
		}
	}
	return r.plan(ctx, nil)
}

// know takes from the waiting steps those whose tasks the spec lists, or that answers have, by extract.
func (r *runner) know(answers map[string][]plan.Item) {
	r.waiting = slices.DeleteFunc(r.waiting, func(s Step) bool {
		items, known := answers[s.Extract]
		if s.Query == "" {
			items, known = s.Items, true
		}
		r.items = append(r.items, items...)
		return known
	})
}

// knowHeld makes the tasks known that the ledger has of a run whose journal was retired.
func (r *runner) knowHeld(tasks []ledger.Task) {
	answers := map[string][]plan.Item{}
	for _, s := range r.waiting {
		if s.Query == "" {
			continue
		}
		answers[s.Extract] = []plan.Item{}
		for _, t := range tasks {
			if t.Extract == s.Extract && !isPlaceholder(t.Task) {
				answers[s.Extract] = append(answers[s.Extract], s.Item(t.Task))
			}
		}
	}
	r.know(answers)
}

// findAnswered makes the tasks known that queries have provided for good.
func (r *runner) findAnswered(ctx context.Context) error {
	answers := map[string][]plan.Item{}
	for _, s := range r.waiting {
		known, tasks, err := r.resolved(ctx, s)
		if err != nil {
			return err
		}
		if known == nil || !known.Final {
			continue
		}
		answers[s.Extract] = []plan.Item{}
		for _, t := range tasks {
			answers[s.Extract] = append(answers[s.Extract], s.Item(t))
		}
	}
	r.know(answers)
	return nil
}

// findPlaces reads how far an earlier execution of the run has come, if there was one.
func (r *runner) findPlaces(ctx context.Context, w sinks.Warehouse) error {
	earlier, err := r.ledger.Find(ctx, r.Name, r.date)
	if errors.Is(err, ledger.ErrNoRun) {
		r.know(nil)
		return nil
	}
	if err != nil {
		return err
	}
	r.run = earlier
	path := JournalPath(w, r.Name, r.date)
	if gone(path) {
		retired, err := r.ledger.Retired(ctx, earlier.ID)
		if err != nil || retired == nil {
			r.know(nil)
			return err
		}
		tasks, err := r.ledger.Tasks(ctx, earlier.ID)
		if err != nil {
			return err
		}
		r.knowHeld(tasks)
		r.places, err = placesOf(ctx, r.ledger, earlier.ID)
		return err
	}
	j, err := journal.Open(ctx, path, journal.Header{Job: r.Name, RunDate: r.date})
	if err != nil {
		return err
	}
	defer func() { _ = j.Close() }()
	r.journal = j
	if r.places, err = j.Places(ctx); err != nil {
		return err
	}
	return r.findAnswered(ctx)
}
