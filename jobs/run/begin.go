package run

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"backhaul/jobs/account"
	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
	"backhaul/pipeline/failpoint"
	"backhaul/pipeline/journal"
)

// open finds the run in the ledger, or enters it, and opens its journal.
func (r *runner) open(ctx context.Context) (err error) {
	path := r.Warehouse.JournalOf(r.Name, r.date)
	earlier, err := r.ledger.Find(ctx, r.Name, r.date)
	switch {
	case err == nil:
		if err := r.notImported(ctx, earlier); err != nil {
			return err
		}
		if recovery.Gone(path) && r.holdsPages(ctx, earlier) {
			return fmt.Errorf("%s: %w: the journal of a run that has bought pages is missing; put it back, or the pages must be bought again", path, recovery.ErrDamaged)
		}
	case !errors.Is(err, ledger.ErrNoRun):
		return err
	}
	id := r.NewID
	if earlier.ID != "" {
		id = earlier.ID
	}
	header := journal.Header{RunID: id, Job: r.Name, RunDate: r.date, Created: r.Now().UTC()}
	if r.journal, err = journal.Open(ctx, path, header); err != nil {
		return err
	}
	failpoint.Hit("run.journal.opened")
	if err := recovery.CheckHeld(ctx, r.ledger, r.journal, earlier.ID, path); err != nil {
		return errors.Join(err, r.journal.Close())
	}
	// A journal without its ledger is the truth: the run goes on under the id its pages have.
	r.run, err = r.ledger.Begin(ctx, r.Name, r.date, r.SpecHash, r.journal.Header().RunID, r.Now())
	if err == nil {
		r.state, r.ended = earlier.State, earlier.Ended
		err = r.ledger.SetBudgets(ctx, r.run.ID, r.budget.Allowed())
	}
	if err == nil {
		err = r.settleBefore(ctx, earlier)
	}
	if err != nil {
		return errors.Join(err, r.journal.Close())
	}
	return nil
}

// settleBefore gives back what an earlier execution had reserved and not spent, and lets this one have its own ceiling beside what the
// run has spent before.
func (r *runner) settleBefore(ctx context.Context, earlier ledger.Run) error {
	if earlier.State == ledger.Running {
		if err := account.RecordLost(ctx, r.ledger, r.journal, r.run.ID, recovery.LastSign(r.Warehouse.JournalOf(r.Name, r.date), r.Now().UTC())); err != nil {
			return err
		}
		if err := account.RecordDead(ctx, r.ledger, r.journal, r.run.ID, r.Now().UTC()); err != nil {
			return err
		}
	}
	if earlier.ID != "" {
		if err := account.Settle(ctx, r.ledger, r.journal, r.run.ID, account.CalendarMonth(earlier.Started)); err != nil {
			return err
		}
	}
	return r.budget.Raise(ctx, r.books())
}

// holdsPages reports whether the ledger knows of anything the run has bought, be it by tasks that its spec asks for no more.
func (r *runner) holdsPages(ctx context.Context, run ledger.Run) bool {
	tasks, err := r.ledger.Tasks(ctx, run.ID)
	if err != nil {
		return true
	}
	spends, err := r.ledger.Spends(ctx, run.ID)
	return err != nil || slices.ContainsFunc(tasks, func(t ledger.Task) bool { return t.Pages > 0 }) ||
		slices.ContainsFunc(spends, func(s ledger.Spend) bool { return s.Spent > 0 })
}
