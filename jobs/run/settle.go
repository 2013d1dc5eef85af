package run

import (
	"context"
	"errors"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/sinks"
)

// SettleDead settles the runs whose process died: their grants shrink to what their journals say, so that what they had
// reserved and not spent can be spent by others. A run that another process is at work on is left alone.
func SettleDead(ctx context.Context, l *ledger.Ledger, w sinks.Warehouse, now time.Time) error {
	runs, err := l.Unsettled(ctx)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if err := settleDead(ctx, l, w, run, now); err != nil {
			return err
		}
	}
	return nil
}

func settleDead(ctx context.Context, l *ledger.Ledger, w sinks.Warehouse, run ledger.Run, now time.Time) error {
	path := JournalPath(w, run.Job, run.RunDate)
	unlock, err := lock(path)
	if errors.Is(err, ErrBusy) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unlock()
	if gone(path) {
		// Without its journal nobody knows what it spent: all it was granted is held.
		if err := l.Abandon(ctx, run.ID, now); err != nil {
			return err
		}
		return l.End(ctx, run.ID, ledger.Incomplete, 0, "its process died and its journal is missing", now)
	}
	if err := settleFrom(ctx, l, run, path, now); errors.Is(err, ErrDamaged) {
		// It must not stop the runs of other jobs. Its own next run says what is damaged.
		if err := l.Abandon(ctx, run.ID, now); err != nil {
			return err
		}
		return l.End(ctx, run.ID, ledger.Incomplete, 0, "its process died and its journal is damaged: "+err.Error(), now)
	} else if err != nil {
		return err
	}
	return l.End(ctx, run.ID, ledger.Incomplete, 0, "its process died", now)
}

func settleFrom(ctx context.Context, l *ledger.Ledger, run ledger.Run, path string, now time.Time) error {
	j, err := journal.Open(ctx, path, journal.Header{Job: run.Job, RunDate: run.RunDate})
	if err != nil {
		return err
	}
	defer func() { _ = j.Close() }()
	if err := checkHeld(ctx, l, j, run.ID, path); err != nil {
		return err
	}
	if err := recordLost(ctx, l, j, run.ID, lastSign(path, now)); err != nil {
		return err
	}
	if err := settle(ctx, l, j, run.ID, calendarMonth(run.Started)); err != nil {
		return err
	}
	return recordDead(ctx, l, j, run.ID, now)
}

// recordLost sets aside what the requests that were under way when a process died may have cost: nobody was left to record
// them, and the vendor may have billed every one. The journal remembers it as an attempt of the first unfinished task, at
// the time of the process's last sign of life.
func recordLost(ctx context.Context, l *ledger.Ledger, j *journal.Journal, runID string, at time.Time) error {
	spends, err := l.Spends(ctx, runID)
	if err != nil {
		return err
	}
	open, inFlight := map[string]pipeline.Units{}, map[string]pipeline.Units{}
	for _, s := range spends {
		open[s.Vendor] += s.Granted - s.Charged + s.Cleared // as the journal knows it
		inFlight[s.Vendor] = max(inFlight[s.Vendor], s.InFlight)
	}
	tasks, places, err := inventory(ctx, j)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		place := places[t.ID]
		open[t.Vendor()] -= place.Units + place.MaybeUnits
		if place.Fetched.After(at) && place.ReusedFrom == "" {
			at = place.Fetched
		}
	}
	for _, t := range tasks {
		vendor, place := t.Vendor(), places[t.ID]
		lost := min(open[vendor], inFlight[vendor])
		if finished := place.End || t.MaxRows > 0 && place.ChainRows >= t.MaxRows; finished || lost <= 0 {
			continue
		}
		open[vendor] = 0
		err := j.AddAttempt(ctx, t.ID, pipeline.Attempt{Seq: place.Pages, At: at, Kind: pipeline.Transient, MaybeUnits: lost,
			Message: "the process died; what the requests under way have cost is unknown"})
		if err != nil {
			return err
		}
	}
	return nil
}

// recordDead enters how far the tasks had come when their process died.
func recordDead(ctx context.Context, l *ledger.Ledger, j *journal.Journal, runID string, now time.Time) error {
	tasks, err := l.Tasks(ctx, runID)
	if err != nil {
		return err
	}
	places, err := j.Places(ctx)
	if err != nil {
		return err
	}
	for _, t := range holdAll(tasks, places) {
		t.Ended = now
	}
	return l.Record(ctx, runID, tasks...)
}

// calendarMonth is the month for runs that were granted nothing yet.
func calendarMonth(t time.Time) func(vendor string) string {
	return func(string) string { return t.UTC().Format("2006-01") }
}

// settle shrinks the grants of a run to what its journal says. What is beyond the grants of earlier months belongs to the
// latest month that has one, or to month where none has.
func settle(ctx context.Context, l *ledger.Ledger, j *journal.Journal, runID string, month func(vendor string) string) error {
	tasks, places, err := inventory(ctx, j)
	if err != nil {
		return err
	}
	for vendor, bill := range bills(tasks, places) {
		last, err := l.LastMonth(ctx, runID, vendor)
		if err != nil {
			return err
		}
		if last == "" {
			last = month(vendor)
		}
		if err := l.Settle(ctx, runID, vendor, last, bill); err != nil {
			return err
		}
	}
	return nil
}

// bills sums up by vendor what a journal says of the units of its run.
func bills(tasks []pipeline.Task, places map[string]pipeline.Place) map[string]ledger.Bill {
	all := map[string]ledger.Bill{}
	for _, t := range tasks {
		place, b := places[t.ID], all[t.Vendor()]
		b.Spent += place.Units
		b.Maybe += place.MaybeUnits
		if place.Fetched.After(b.SpentAt) && place.Units > 0 {
			b.SpentAt = place.Fetched
		}
		if place.MaybeAt.After(b.HeldAt) {
			b.HeldAt = place.MaybeAt
		}
		all[t.Vendor()] = b
	}
	return all
}

// inventory reads from a journal which tasks it has and how far each has come.
func inventory(ctx context.Context, j *journal.Journal) ([]pipeline.Task, map[string]pipeline.Place, error) {
	tasks, err := j.Tasks(ctx)
	if err != nil {
		return nil, nil, err
	}
	places, err := j.Places(ctx)
	return tasks, places, err
}
