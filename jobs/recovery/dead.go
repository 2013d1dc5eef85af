package recovery

import (
	"context"
	"errors"
	"time"

	"backhaul/jobs/account"
	"backhaul/jobs/ledger"
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
	path := w.JournalOf(run.Job, run.RunDate)
	unlock, err := LockAt(path)
	if errors.Is(err, ErrBusy) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unlock()
	if Gone(path) {
		// Without its journal nobody knows what it spent: all it was granted is held.
		if err := l.Abandon(ctx, run.ID, now); err != nil {
			return err
		}
		return l.End(ctx, run.ID, ledger.Incomplete, "its process died and its journal is missing", now)
	}
	err = settleFrom(ctx, l, run, path, now)
	if errors.Is(err, ErrDamaged) {
		// It must not stop the runs of other jobs. Its own next run says what is damaged.
		if err := l.Abandon(ctx, run.ID, now); err != nil {
			return err
		}
		return l.End(ctx, run.ID, ledger.Incomplete, "its process died and its journal is damaged: "+err.Error(), now)
	}
	return err
}

func settleFrom(ctx context.Context, l *ledger.Ledger, run ledger.Run, path string, now time.Time) error {
	j, err := journal.Open(ctx, path, journal.Header{Job: run.Job, RunDate: run.RunDate})
	if err != nil {
		return err
	}
	defer func() { _ = j.Close() }()
	if err := Recognize(ctx, l, j, run, path); err != nil {
		return err
	}
	if err := account.RecordLost(ctx, l, j, run.ID, LastSign(path, now)); err != nil {
		return err
	}
	if err := account.Settle(ctx, l, j, run.ID, account.CalendarMonth(run.Started)); err != nil {
		return err
	}
	places, err := j.Places(ctx)
	if err != nil {
		return err
	}
	if _, err := account.Sync(ctx, l, j, run.ID, places); err != nil {
		return err
	}
	return account.End(ctx, l, j, run.ID, ledger.Incomplete, "its process died", now)
}
