package run

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
	"backhaul/pipeline/journal"
	"backhaul/schemas"
	"backhaul/sinks"
)

// Job is what to buy: a spec, resolved.
type Job struct {
	Name     string
	RunDate  time.Time // a day, UTC
	SpecHash string
	// Items are the tasks in the order of the spec, without their places.
	Items []plan.Item
	// Sources delivers the source of a task.
	Sources func(pipeline.Task) (pipeline.Source, error)
	// Accounts says what each vendor allows.
	Accounts map[string]Account
}

// Account is what a vendor account allows, and what the user allows to be spent there.
type Account struct {
	PerSecond   float64
	Connections int
	Ceiling     ledger.Ceiling
	// MonthStartsOn is the day on which the account's month begins, 1 to 28. Default 0: the first.
	MonthStartsOn int
	// TokenLife is how long the vendor's cursors live. Default 0: until they are refused.
	TokenLife time.Duration
	// Usage and Index are the vendor's own account and index, where the surface tells them. Default nil.
	Usage pipeline.Usage
	Index pipeline.Index
}

// Lake is where tables are written and published.
type Lake interface {
	// Create begins a staged file of a table.
	Create(t *schemas.Table) (sinks.Writer, error)
	// Publish moves a staged file to its final place in one step.
	Publish(staged, final string) error
	// Catalog writes the catalog anew over what is published.
	Catalog(ctx context.Context) error
}

// Options is how to run a job. All fields without a default are required.
type Options struct {
	Warehouse sinks.Warehouse
	Lake      Lake
	// NewID is the id of the run if it is a new one.
	NewID string
	// Now is the clock. Default time.Now.
	Now   func() time.Time
	Retry engine.Retry
	// Confirm is asked before anything is bought. Its error stops the run. Default: go ahead.
	Confirm func(*plan.Plan) error
	// Observe is told of every event while the run buys, by many goroutines at once. Default none.
	Observe func(engine.Event)
	// Bought is told when buying is over and loading begins. Default none.
	Bought func()
}

// ErrBusy means that another process is at work on the same job and date.
var ErrBusy = errors.New("the run is in progress in another process")

// ErrDamaged means that the journal or the warehouse no longer holds what was written to it.
var ErrDamaged = journal.ErrDamaged

// JournalPath is where the journal of a job's run lies.
func JournalPath(w sinks.Warehouse, job, runDate string) string {
	return filepath.Join(w.Journal(), job, runDate+".sqlite")
}

// runner is a run under way.
type runner struct {
	Options
	Job
	ledger  *ledger.Ledger
	journal *journal.Journal
	run     ledger.Run
	state   ledger.State // before this execution
	date    string
	begun   time.Time // this execution; its months are those whose budgets are spent
	places  map[string]journal.Place
	held    map[*schemas.Table]bool  // tables that must not be seen yet
	answers map[string]ledger.Answer // by task: the latest earlier one
	indexes map[string]string        // by vendor: the index it answers from
	// rejected is what loading rejected; nil if nothing was loaded.
	rejected []schemas.Rejection
	loaded   map[string]bool // tables this execution has published
}

// Run carries out a job for its run date. When ctx ends it stops asking, keeps the pages under way and returns; the same
// call again goes on. The result is not nil once the run has been entered in the ledger; the error is of the program's
// side (disk, damage, another process), Result.Stop of the vendor's, the budget's or the user's.
func Run(ctx context.Context, job Job, o Options) (*Result, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	job.Accounts = maps.Clone(job.Accounts)
	r := &runner{Options: o, Job: job, date: job.RunDate.Format(time.DateOnly)}
	r.begun = r.Now().UTC()
	unlock, err := lock(JournalPath(o.Warehouse, job.Name, r.date))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if r.ledger, err = OpenLedger(ctx, o.Warehouse); err != nil {
		return nil, err
	}
	defer func() { _ = r.ledger.Close() }()
	if result, err := r.before(ctx); result != nil || err != nil {
		return result, err
	}
	if err := SettleDead(ctx, r.ledger, o.Warehouse, r.Now()); err != nil {
		return nil, err
	}
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	defer func() { _ = r.journal.Close() }()
	result, err := r.execute(ctx)
	if errors.As(err, new(*engine.JournalError)) {
		// Pages were paid for that the journal could not keep. The run stays as a dead process leaves it, so that whoever
		// comes next sets aside what they may have cost.
		return result, err
	}
	return result, errors.Join(err, r.leave(context.WithoutCancel(ctx)))
}

// execute plans, buys, loads and publishes.
func (r *runner) execute(ctx context.Context) (*Result, error) {
	result := &Result{Run: r.run}
	tasks := make([]pipeline.Task, len(r.Items))
	for i, it := range r.Items {
		tasks[i] = it.Task
	}
	if err := r.journal.AddTasks(ctx, tasks); err != nil {
		return result, err
	}
	if err := r.ledger.Intend(ctx, r.run.ID, tasks); err != nil {
		return result, err
	}
	var err error
	if r.places, err = r.journal.Places(ctx); err != nil {
		return result, err
	}
	var asked []string
	if r.state != ledger.Complete {
		r.askIndexes(ctx)
		if asked, err = r.askUsage(ctx, slices.Sorted(maps.Keys(r.Accounts))); err != nil {
			return result, err
		}
	}
	if result.Plan, err = r.plan(ctx); err != nil {
		return result, err
	}
	complete := r.state == ledger.Complete && len(result.Plan.Work) == 0 && r.published(tasks)
	result.untouched = complete
	if !complete && r.Confirm != nil {
		if err := r.Confirm(result.Plan); err != nil {
			return result, err
		}
	}
	if !complete {
		if err := r.takeOver(ctx, result); err != nil {
			return result, err
		}
		if err := r.recordHeld(ctx); err != nil {
			return result, err
		}
		if err := r.buy(ctx, result); err != nil {
			return result, err
		}
		if err := r.settle(context.WithoutCancel(ctx)); err != nil {
			return result, err
		}
		if _, err := r.askUsage(ctx, asked); err != nil {
			return result, err
		}
		if err := r.publish(ctx, result, tasks); err != nil {
			return result, err
		}
	}
	return result, r.close(ctx, result)
}

// close writes the run's end into the ledger and completes the result.
func (r *runner) close(ctx context.Context, result *Result) (err error) {
	ctx = context.WithoutCancel(ctx)
	if result.Tasks, err = r.ledger.Tasks(ctx, r.run.ID); err != nil {
		return err
	}
	state, message := ledger.Complete, ""
	if len(result.Incomplete()) > 0 {
		state = ledger.Incomplete
	}
	if result.Stop != nil {
		message = result.Stop.Error()
	}
	usages, err := r.ledger.Usages(ctx, r.run.ID)
	if err != nil {
		return err
	}
	result.Reconciled = reconcile(usages)
	if result.Missing = result.Plan; !result.untouched {
		if result.Missing, err = r.plan(ctx); err != nil {
			return err
		}
	}
	result.Run.State, result.Run.Message, result.Run.Ended = state, message, r.Now().UTC()
	if !result.untouched {
		// The account is published before the ledger says that all is done, so that a crash here is made good by the next run.
		if err = r.account(ctx, result); err == nil {
			err = r.Lake.Catalog(ctx)
		}
		if err != nil {
			result.Run.State = ledger.Incomplete // it cannot be seen yet
			return err
		}
	}
	return r.ledger.End(ctx, r.run.ID, state, 0, message, result.Run.Ended)
}

// settle shrinks the run's grants to what its journal says.
func (r *runner) settle(ctx context.Context) error {
	return settle(ctx, r.ledger, r.journal, r.run.ID, r.month)
}

// leave settles the run and leaves none behind that looks alive.
func (r *runner) leave(ctx context.Context) error {
	if err := r.settle(ctx); err != nil {
		return err
	}
	run, err := r.ledger.Get(ctx, r.run.ID)
	if err != nil || run.State != ledger.Running {
		return err
	}
	return r.ledger.End(ctx, r.run.ID, ledger.Incomplete, 0, "stopped by an error", r.Now())
}
