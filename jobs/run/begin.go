package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"backhaul/jobs/account"
	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
	"backhaul/pipeline/failpoint"
	"backhaul/pipeline/journal"
)

// opened are a run's ledger and journal, open.
type opened struct {
	ledger  *ledger.Ledger
	journal *journal.Journal
	run     ledger.Run
	earlier ledger.Run // the same as it was before this execution; zero if there was none
}

// open finds the run in the ledger, or enters it, and opens its journal.
func open(ctx context.Context, l *ledger.Ledger, job Job, o Options) (b opened, err error) {
	book := o.book(job)
	b.ledger = l
	b.earlier, err = l.Find(ctx, job.Name, job.date())
	switch {
	case err == nil:
		if err := notImported(ctx, l, job, b.earlier); err != nil {
			return b, err
		}
		gone, err := book.Gone(ctx)
		if err != nil {
			return b, err
		}
		if gone && holdsPages(ctx, l, b.earlier) {
			return b, fmt.Errorf("%s: %w: the journal of a run that has bought replies is missing; put it back, or they must be bought again", book.Name(), recovery.ErrDamaged)
		}
	case !errors.Is(err, ledger.ErrNoRun):
		return b, err
	}
	now := o.Now()
	header := journal.Header{RunID: cmp.Or(b.earlier.ID, o.NewID), Job: job.Name, RunDate: job.date(), Created: now.UTC()}
	if b.journal, err = book.Open(ctx, header); err != nil {
		return b, err
	}
	failpoint.Hit("run.journal.opened")
	if err := recovery.Recognize(ctx, l, b.journal, b.earlier, book.Name()); err != nil {
		return b, errors.Join(err, b.journal.Close())
	}
	// A journal without its ledger is the truth: the run goes on under the id its pages have.
	if b.run, err = l.Begin(ctx, job.Name, job.date(), job.SpecHash, b.journal.Header().RunID, now); err != nil {
		return b, errors.Join(err, b.journal.Close())
	}
	if err := b.journal.SetCourse(ctx, account.Course(b.run)); err != nil {
		return b, errors.Join(err, b.journal.Close())
	}
	return b, nil
}

// begin enters what was paid for and could not be entered, and what this execution may spend, and settles what an earlier one has left.
func (r *runner) begin(ctx context.Context) error {
	if _, err := books.Enter(ctx, r.journal, r.Warehouse.Kept(r.Name, r.date)); err != nil {
		return err
	}
	if err := r.ledger.SetBudgets(ctx, r.run.ID, r.budget.Allowed()); err != nil {
		return err
	}
	return r.settleBefore(ctx, r.earlier)
}

// settleBefore gives back what an earlier execution had reserved and not spent, and lets this one have its own ceiling beside what the
// run has spent before.
func (r *runner) settleBefore(ctx context.Context, earlier ledger.Run) error {
	if earlier.State == ledger.Running {
		if err := recovery.RecordLost(ctx, r.ledger, r.journal, r.book(r.Job), r.run.ID, r.Now().UTC()); err != nil {
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
func holdsPages(ctx context.Context, l *ledger.Ledger, run ledger.Run) bool {
	tasks, err := l.Tasks(ctx, run.ID)
	if err != nil {
		return true
	}
	spends, err := l.Spends(ctx, run.ID)
	return err != nil || slices.ContainsFunc(tasks, func(t ledger.Task) bool { return t.Pages > 0 }) ||
		slices.ContainsFunc(spends, func(s ledger.Spend) bool { return s.Spent > 0 })
}
