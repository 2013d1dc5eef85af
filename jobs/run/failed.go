package run

import (
	"context"
	"errors"
	"strings"

	"backhaul/jobs/account"
	"backhaul/jobs/ledger"
)

// declinedError means that whoever was asked to confirm did not.
type declinedError struct{ error }

func (e declinedError) Unwrap() error { return e.error }

// fail completes the result of a run that an error ended before its account could be drawn up: with what
// its journal tells of its tasks.
func (r *runner) fail(ctx context.Context, result *Result) {
	result.Failed = ctx.Err() == nil
	result.Run.State = ledger.Incomplete
	ctx = context.WithoutCancel(ctx)
	if places, err := r.journal.Places(ctx); err == nil {
		result.Tasks, _ = account.Tasks(ctx, r.journal, places) // none if the journal does not tell
	}
	if p, err := r.plan(ctx, nil); err == nil {
		result.Missing = p
	}
}

// decline takes back a run that was not confirmed: a new one leaves nothing behind, one that had begun before is as it was.
func (r *runner) decline(ctx context.Context) error {
	for _, place := range r.places {
		if place.Pages > 0 || place.Attempts > 0 {
			return r.end(ctx, "not confirmed")
		}
	}
	if r.earlier.State != "" {
		return r.end(ctx, "not confirmed")
	}
	if err := r.ledger.Withdraw(ctx, r.run.ID); err != nil {
		return err
	}
	r.withdrawn = true
	return nil
}

// removeJournal removes the journal, which is closed, of a run that was withdrawn. One that stays is an empty one, and harmless.
func (r *runner) removeJournal() {
	if !r.withdrawn {
		return
	}
	_ = r.book(r.Job).Remove(context.Background())
}

// leave settles the run and leaves none behind that looks alive. cause is what ended it, nil if nothing did.
func (r *runner) leave(ctx context.Context, cause error) error {
	if err := r.settle(ctx); err != nil {
		return err
	}
	run, err := r.ledger.Get(ctx, r.run.ID)
	if err != nil || run.State != ledger.Running {
		return err
	}
	message := "stopped by an error"
	switch {
	case errors.Is(cause, context.Canceled):
		message = "interrupted"
	case cause != nil:
		message += ": " + strings.ReplaceAll(cause.Error(), "\n", "; ")
	}
	return r.end(ctx, message)
}

// end enters that the run stopped, and what an error has kept from being entered of its tasks.
func (r *runner) end(ctx context.Context, message string) error {
	places, err := r.journal.Places(ctx)
	if err != nil {
		return err
	}
	if _, err := account.Sync(ctx, r.ledger, r.journal, r.run.ID, places); err != nil {
		return err
	}
	return account.End(ctx, r.ledger, r.journal, r.run.ID, ledger.Incomplete, message, r.Now())
}
