package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backhaul/jobs/budget"
	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
	"backhaul/pipeline"
)

// ErrClock means that the clock is behind what the ledger knows to have happened.
var ErrClock = errors.New("the clock has jumped back")

// clockSlack is how far the clock may be set back without harm: it decides which month's budget is spent.
const clockSlack = time.Hour

// before looks for what must stop a run ahead of everything else: a clock that has jumped back, and a run whose journal was
// retired. Of such a run the result is returned if nothing more is asked of it.
func before(ctx context.Context, l *ledger.Ledger, job Job, o Options, b *budget.Budget) (*Result, error) {
	latest, err := l.Latest(ctx)
	if err != nil {
		return nil, err
	}
	if now := o.Now(); now.Before(latest.Add(-clockSlack)) {
		return nil, fmt.Errorf("%w: it says %s, and the ledger's latest entry is of %s", ErrClock, now.UTC().Format(time.RFC3339), latest.Format(time.RFC3339))
	}
	earlier, err := l.Find(ctx, job.Name, job.date())
	if errors.Is(err, ledger.ErrNoRun) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	retired, err := l.Retired(ctx, earlier.ID)
	if err != nil || retired == nil {
		return nil, err
	}
	if gone, err := o.book(job).Gone(ctx); err != nil || !gone {
		return nil, err
	}
	return newRunner(job, o, b, opened{ledger: l, run: earlier, earlier: earlier}).asRetired(ctx)
}

// asRetired returns the result of a run whose journal was retired, or why it cannot go on: what it would buy could not be
// joined with what it holds.
func (r *runner) asRetired(ctx context.Context) (*Result, error) {
	result := &Result{Run: r.run, untouched: true}
	var err error
	if r.places, err = recovery.PlacesOf(ctx, r.ledger, r.run.ID); err != nil {
		return nil, err
	}
	if result.Tasks, err = r.ledger.Tasks(ctx, r.run.ID); err != nil {
		return nil, err
	}
	if err := r.chain.KnowHeld(result.Tasks); err != nil {
		return nil, err
	}
	if result.Plan, err = r.plan(ctx, nil); err != nil {
		return nil, err
	}
	tasks := make([]pipeline.Task, len(result.Tasks))
	for i, t := range result.Tasks {
		tasks[i] = t.Task
	}
	switch {
	case len(result.Plan.Work) > 0:
		return nil, fmt.Errorf("%w; the job asks for more than it held: run it for another date", recovery.Missing(ctx, r.ledger, r.run.ID, r.book(r.Job)))
	case !r.published(ctx, tasks):
		return nil, fmt.Errorf("%w: tables of run %s are missing in the lake, and its journal was retired; put them back", recovery.ErrDamaged, r.run.ID)
	}
	return result, nil
}
