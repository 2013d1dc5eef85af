package recovery

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"backhaul/jobs/account"
	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/pipeline/journal"
)

// SettleDead settles the runs whose process died: their grants shrink to what their journals say, so that what they had
// reserved and not spent can be spent by others. A run that another process is at work on is left alone.
func SettleDead(ctx context.Context, l *ledger.Ledger, b books.Books, now time.Time) error {
	runs, err := l.Unsettled(ctx)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if err := settleDead(ctx, l, b.Of(run.Job, run.RunDate), run, now); err != nil {
			return err
		}
	}
	return nil
}

func settleDead(ctx context.Context, l *ledger.Ledger, book books.Book, run ledger.Run, now time.Time) error {
	unlock, err := book.Lock(ctx)
	if errors.Is(err, books.ErrBusy) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unlock()
	gone, err := book.Gone(ctx)
	if err != nil {
		return err
	}
	if gone {
		// Without its journal nobody knows what it spent: all it was granted is held.
		if err := l.Abandon(ctx, run.ID, now); err != nil {
			return err
		}
		return l.End(ctx, run.ID, ledger.Incomplete, "its process died and its journal is missing", now)
	}
	err = settleFrom(ctx, l, run, book, now)
	if errors.Is(err, ErrDamaged) {
		// It must not stop the runs of other jobs. Its own next run says what is damaged.
		if err := l.Abandon(ctx, run.ID, now); err != nil {
			return err
		}
		return l.End(ctx, run.ID, ledger.Incomplete, "its process died and its journal is damaged: "+err.Error(), now)
	}
	return err
}

func settleFrom(ctx context.Context, l *ledger.Ledger, run ledger.Run, book books.Book, now time.Time) error {
	j, err := book.Open(ctx, journal.Header{Job: run.Job, RunDate: run.RunDate})
	if err != nil {
		return err
	}
	defer func() { _ = j.Close() }()
	if err := Recognize(ctx, l, j, run, book.Name()); err != nil {
		return err
	}
	if err := RecordLost(ctx, l, j, book, run.ID, now); err != nil {
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

// RecordLost sets aside what the requests that were under way when a process died may have cost; see [account.RecordLost]. Before that
// it does so of those that other processes made for it. This process has locked the run.
func RecordLost(ctx context.Context, l *ledger.Ledger, j *journal.Journal, book books.Book, runID string, now time.Time) error {
	if err := RecordClaims(ctx, j, book, 0, now); err != nil {
		return err
	}
	return account.RecordLost(ctx, l, j, runID, LastSign(ctx, book, now))
}

// RecordClaims sets aside what processes that bought lists for another may have paid without a trace, up to a round of buying; see
// [books.Book.Claimed].
func RecordClaims(ctx context.Context, j *journal.Journal, book books.Book, round int, now time.Time) error {
	claimed, err := book.Claimed(ctx, round)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(claimed)) {
		task, place, err := j.List(ctx, id)
		if err == nil {
			err = j.AddAttempt(ctx, task.ID, books.Unanswered(place, claimed[id], now))
		}
		if err != nil {
			return err
		}
	}
	return book.ForgetClaims(ctx)
}
