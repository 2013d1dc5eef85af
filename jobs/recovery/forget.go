package recovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/pipeline/journal"
	"backhaul/schemas"
)

// staying are the tables that go on saying what a run cost when its rows are gone, and the one that is of no run alone.
var staying = []string{"ops.runs", "ops.spend", "ops.reconciliation", schemas.WholeSpans().FullName()}

// Forget takes the rows of a run out of the tables, and returns which of them had any. The run's account, its journal and its
// money stay: a replay brings the rows back. remove takes them out of one table, in one step.
func Forget(ctx context.Context, b books.Books, l *ledger.Ledger, run ledger.Run, now time.Time,
	remove func(ctx context.Context, t *schemas.Table, job string, date time.Time) (removed bool, err error)) (tables []string, err error) {
	date, err := time.Parse(time.DateOnly, run.RunDate)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", run.ID, err)
	}
	unlock, err := b.Of(run.Job, run.RunDate).Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	all := slices.DeleteFunc(schemas.All(), func(t *schemas.Table) bool { return slices.Contains(staying, t.FullName()) })
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = t.FullName()
	}
	if err := withdraw(ctx, b, l, run, names, now); err != nil {
		return nil, err
	}
	// ops.tasks goes first: what compares nights must not take the run for one without rows.
	slices.SortStableFunc(all, func(a, b *schemas.Table) int { return first(a) - first(b) })
	for _, t := range all {
		removed, err := remove(ctx, t, run.Job, date)
		if err != nil {
			return tables, fmt.Errorf("forget run %s: %w", run.ID, err)
		}
		if removed {
			tables = append(tables, t.FullName())
		}
	}
	return tables, nil
}

// withdraw enters that a run's rows are out of tables on purpose: in its journal, or in what remains of that, and then in
// the ledger.
func withdraw(ctx context.Context, b books.Books, l *ledger.Ledger, run ledger.Run, tables []string, now time.Time) error {
	since := map[string]time.Time{}
	for _, table := range tables {
		since[table] = now
	}
	err := errors.Join(withJournal(ctx, b, run, func(j *journal.Journal) error { return j.Withdraw(ctx, since) }),
		withdrawRetired(ctx, b.Of(run.Job, run.RunDate), since))
	if err != nil && !errors.Is(err, ErrDamaged) {
		return err
	}
	return l.Absent(ctx, run.ID, tables, now)
}

func first(t *schemas.Table) int {
	if t.FullName() == "ops.tasks" {
		return 0
	}
	return 1
}
