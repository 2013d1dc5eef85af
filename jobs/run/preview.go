package run

import (
	"context"
	"errors"
	"iter"
	"time"

	"backhaul/jobs/books"
	"backhaul/jobs/budget"
	"backhaul/jobs/chain"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/jobs/price"
	"backhaul/jobs/recovery"
	"backhaul/pipeline/journal"
)

// Preview plans a job without entering anything anywhere: what a run would do and cost now. items are further ones before
// job.Items, made one after another, so that a plan of a million of them need not hold any. Default none.
func Preview(ctx context.Context, job Job, items iter.Seq[plan.Item], in books.Books, now time.Time) (*plan.Plan, error) {
	o := Options{Books: in, Now: func() time.Time { return now }}.withDefaults()
	b := budget.New(job.Accounts, o.Now)
	l, err := ledgerOf(ctx, in)
	if err != nil {
		return nil, err
	}
	if l == nil {
		return preview(ctx, job, items, o, b, budget.Books{Job: job.Name})
	}
	defer func() { _ = l.Close() }()
	earlier, err := l.Find(ctx, job.Name, job.date())
	if err != nil && !errors.Is(err, ledger.ErrNoRun) {
		return nil, err
	}
	run := budget.Books{Ledger: l, RunID: earlier.ID, Job: job.Name}
	if err := errors.Join(b.Raise(ctx, run), b.Recall(ctx, run)); err != nil {
		return nil, err
	}
	return preview(ctx, job, items, o, b, run)
}

// ledgerOf opens the ledger of a warehouse; nil where there is nothing yet that one would tell of.
func ledgerOf(ctx context.Context, in books.Books) (*ledger.Ledger, error) {
	gone, err := in.LedgerGone(ctx)
	if err != nil {
		return nil, err
	}
	if gone {
		if has, err := recovery.HasJournals(ctx, in); err != nil || !has {
			return nil, err
		}
	}
	return recovery.OpenLedger(ctx, in)
}

// preview prices all that is known without keeping it.
func preview(ctx context.Context, job Job, items iter.Seq[plan.Item], o Options, b *budget.Budget, of budget.Books) (*plan.Plan, error) {
	extracts := job.extracts(o, of)
	extracts.Listed = items
	c := chain.New(extracts)
	past, err := know(ctx, c, of, o.book(job), job.date())
	if err != nil {
		return nil, err
	}
	if of.Ledger != nil {
		f, err := firstsOf(ctx, of.Ledger, job, o)
		if err != nil {
			return nil, err
		}
		past.Places = f.onwards(past.Places, c.All())
	}
	return price.New(price.Config{Chain: c, Budget: b, Books: of, HasPages: o.hasPages, Now: o.Now}).Preview(ctx, past)
}

// know makes the tasks of a chain known that an earlier execution of the run has made, if there was one, and returns how far they
// have come. The journal, if there is one, is not read afterwards.
func know(ctx context.Context, c *chain.Chain, of budget.Books, book books.Book, date string) (past chain.Past, err error) {
	past.Memory = chain.Nothing{}
	if of.RunID == "" {
		return past, c.Know(ctx, past)
	}
	gone, err := book.Gone(ctx)
	if err != nil {
		return past, err
	}
	if gone {
		retired, err := of.Ledger.Retired(ctx, of.RunID)
		if err != nil {
			return past, err
		}
		if retired == nil {
			return past, c.Know(ctx, past)
		}
		tasks, err := of.Ledger.Tasks(ctx, of.RunID)
		if err != nil {
			return past, err
		}
		if err := c.KnowHeld(tasks); err != nil {
			return past, err
		}
		past.Places, err = recovery.PlacesOf(ctx, of.Ledger, of.RunID)
		return past, err
	}
	j, err := book.Open(ctx, journal.Header{Job: of.Job, RunDate: date})
	if err != nil {
		return past, err
	}
	defer func() { _ = j.Close() }()
	if past.Places, err = j.Places(ctx); err != nil {
		return past, err
	}
	return past, c.Know(ctx, chain.Past{Memory: j, Places: past.Places})
}
