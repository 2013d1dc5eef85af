package run

import (
	"context"
	"fmt"
	"time"

	"backhaul/jobs/account"
	"backhaul/jobs/budget"
	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
)

// Replay loads and publishes a run from its journal, without a request. The result is what the run's own loading gave, or
// would give with today's tables and readers: replies that could not be read when they came, and can be now, become pages, and
// their lists go on behind them when the job runs next. sources need no credentials.
func Replay(ctx context.Context, l *ledger.Ledger, run ledger.Run, sources func(pipeline.Task) (pipeline.Source, error), o Options) (*Result, error) {
	o = o.withDefaults()
	book := o.Books.Of(run.Job, run.RunDate)
	unlock, err := recovery.LockSigned(ctx, book, o.Now())
	if err != nil {
		return nil, err
	}
	defer unlock()
	if gone, err := book.Gone(ctx); err != nil {
		return nil, err
	} else if gone {
		return nil, recovery.Missing(ctx, l, run.ID, book)
	}
	j, err := book.Open(ctx, journal.Header{Job: run.Job, RunDate: run.RunDate})
	if err != nil {
		return nil, err
	}
	defer func() { _ = j.Close() }()
	if err := recovery.Recognize(ctx, l, j, run, book.Name()); err != nil {
		return nil, err
	}
	date, err := time.Parse(time.DateOnly, run.RunDate)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", run.ID, err)
	}
	r := newRunner(Job{Name: run.Job, RunDate: date, Sources: sources}, o, budget.New(nil, o.Now), opened{ledger: l, journal: j, run: run})
	result := &Result{Run: run}
	if result.Redeemed, err = recovery.Redeem(ctx, j, sources); err != nil {
		return result, err
	}
	if r.places, err = j.Places(ctx); err != nil {
		return result, err
	}
	if result.Tasks, err = account.Tasks(ctx, j, r.places); err != nil {
		return result, err
	}
	if result.Reconciled, err = account.Reconciliations(ctx, l, run.ID); err != nil {
		return result, err
	}
	tasks := make([]pipeline.Task, len(result.Tasks))
	for i, t := range result.Tasks {
		tasks[i] = t.Task
	}
	now, err := r.publish(ctx, result, tasks)
	if err != nil {
		return result, err
	}
	if err := r.tasks(ctx, result); err != nil {
		return result, err
	}
	finished := result.Redeemed > 0 && len(result.Incomplete()) == 0
	if finished {
		result.Run.State = ledger.Complete
	}
	if err := r.account(ctx, result, now); err != nil {
		return result, err
	}
	if err := o.Lake.Catalog(ctx); err != nil {
		return result, err
	}
	if err := r.Lake.WholeLists(ctx, r.Name, r.RunDate); err != nil {
		return result, err
	}
	if err := r.Lake.Changes(ctx, r.Name, r.RunDate); err != nil || !finished {
		return result, err
	}
	return result, account.End(ctx, l, j, run.ID, ledger.Complete, "", r.Now().UTC())
}
