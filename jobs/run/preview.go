package run

import (
	"context"
	"errors"
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
	if gone(w.Ledger()) && !hasJournals(w) {
		return plan.Make(job.Items, nil, accounts), nil
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
	return r.plan(ctx)
}

// findPlaces reads how far an earlier execution of the run has come, if there was one.
func (r *runner) findPlaces(ctx context.Context, w sinks.Warehouse) error {
	earlier, err := r.ledger.Find(ctx, r.Name, r.date)
	if errors.Is(err, ledger.ErrNoRun) {
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
			return err
		}
		r.places, err = placesOf(ctx, r.ledger, earlier.ID)
		return err
	}
	j, err := journal.Open(ctx, path, journal.Header{Job: r.Name, RunDate: r.date})
	if err != nil {
		return err
	}
	defer func() { _ = j.Close() }()
	r.places, err = j.Places(ctx)
	return err
}
