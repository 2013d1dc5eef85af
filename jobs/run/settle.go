package run

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
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
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		// Without its journal nobody knows what it spent: its grants stay as they are.
		return l.End(ctx, run.ID, ledger.Incomplete, 0, "its process died and its journal is missing", now)
	}
	j, err := journal.Open(ctx, path, journal.Header{Job: run.Job, RunDate: run.RunDate})
	if err != nil {
		return err
	}
	defer func() { _ = j.Close() }()
	if err := settle(ctx, l, j, run.ID, run.Started.UTC().Format("2006-01")); err != nil {
		return err
	}
	if err := recordDead(ctx, l, j, run.ID, now); err != nil {
		return err
	}
	return l.End(ctx, run.ID, ledger.Incomplete, 0, "its process died", now)
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
	for i := range tasks {
		t, place := &tasks[i], places[tasks[i].ID]
		switch {
		case place.End:
			t.Ending = pipeline.EndOfList
		case t.MaxRows > 0 && place.ChainRows >= t.MaxRows:
			t.Ending = pipeline.EndMaxRows
		case place.Pages > 0:
			t.Ending = pipeline.EndInterrupted
		default:
			t.Ending = pipeline.EndNotReached
		}
		t.Pages, t.Rows, t.Units, t.Waste = place.Pages, place.Rows, place.Units, place.Waste
		t.MaybeUnits, t.Attempts, t.Ended = place.MaybeUnits, place.Attempts, now
	}
	return l.Record(ctx, runID, tasks...)
}

// settle shrinks the grants of a run to what its journal says.
func settle(ctx context.Context, l *ledger.Ledger, j *journal.Journal, runID, month string) error {
	tasks, err := j.Tasks(ctx)
	if err != nil {
		return err
	}
	places, err := j.Places(ctx)
	if err != nil {
		return err
	}
	spent, maybe := map[string]pipeline.Units{}, map[string]pipeline.Units{}
	for _, t := range tasks {
		vendor, _, _ := strings.Cut(t.Endpoint, "/")
		spent[vendor] += places[t.ID].Units
		maybe[vendor] += places[t.ID].MaybeUnits
	}
	for vendor := range spent {
		if err := l.Settle(ctx, runID, vendor, month, spent[vendor], maybe[vendor]); err != nil {
			return err
		}
	}
	return nil
}
