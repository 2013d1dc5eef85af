package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"backhaul/jobs/account"
	"backhaul/jobs/books"
	"backhaul/jobs/budget"
	"backhaul/jobs/buy"
	"backhaul/jobs/chain"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/jobs/price"
	"backhaul/jobs/recovery"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
	"backhaul/schemas"
	"backhaul/sinks"
)

// Job is what to buy: a spec, resolved.
type Job struct {
	Name     string
	RunDate  time.Time // a day, UTC
	SpecHash string
	// Items are the tasks of the extracts that need not wait, in the order of the spec, without their places.
	Items []plan.Item
	// Steps are the extracts that wait for others, or for a query, in the order of the spec.
	Steps []chain.Step
	// Tables are lists that the job brings along. Default none.
	Tables []UserTable
	// Expectations are checked before tables are published. Default none.
	Expectations []account.Expectation
	// Sources delivers the source of a task.
	Sources func(pipeline.Task) (pipeline.Source, error)
	// Accounts says what each vendor allows.
	Accounts map[string]budget.Account
}

func (j Job) date() string { return j.RunDate.Format(time.DateOnly) }

// Lake is where tables are written and published.
type Lake interface {
	// Create begins a staged file of a table.
	Create(t *schemas.Table) (sinks.Writer, error)
	// Publish makes a staged file what a table has of the run of (job, date), in one step, and returns the file's path.
	Publish(ctx context.Context, t *schemas.Table, job string, date time.Time, staged string) (path string, err error)
	// Has reports whether a table has a file of the run of (job, date), be it without rows.
	Has(t *schemas.Table, job string, date time.Time) bool
	// WholeLists writes down, from the account of the run of (job, date), which nights of its month can be compared: until then the
	// marts do not know the night.
	WholeLists(ctx context.Context, job string, date time.Time) error
	// Changes works out again what came and went between the whole nights that the run of (job, date) is one of, and publishes it.
	Changes(ctx context.Context, job string, date time.Time) error
	// Catalog sees to it that there is a catalog, and that it is the one this program writes.
	Catalog(ctx context.Context) error
	// Ask puts one query to the catalog and the relations, and returns its columns and rows as text, nil for null.
	Ask(ctx context.Context, query string, relations []chain.Relation) (columns []string, rows [][]*string, err error)
}

// Options is how to run a job. All fields without a default are required.
type Options struct {
	Warehouse sinks.Warehouse
	// Books are the ledger and the journals. Default: files in the warehouse.
	Books books.Books
	Lake  Lake
	// NewID is the id of the run if it is a new one.
	NewID string
	// Now is the clock. Default time.Now.
	Now   func() time.Time
	Retry engine.Retry
	// Again buys on where lists repeated themselves or replies could not be read, which is else not tried again on the same
	// date, and where an extract waits for lists that are not whole. Default false.
	Again bool
	// Accept publishes what breaches an expectation that holds. Default false.
	Accept bool
	// Select says which extracts this execution buys; the others stay as they are, and what they lack the run lacks. One that
	// waits for others begins when those are complete, whoever bought them. Default: all.
	Select func(extract string) bool
	// Waits is told who is at work on the run, and the run waits until that process is done. Default: it does not wait, but
	// returns a *books.BusyError.
	Waits func(books.Holder)
	// Beat is how often the run shows that its process is alive. Default 0: only by its requests.
	Beat time.Duration
	// Engine buys. Default: this process does.
	Engine buy.Engine
	// Confirm is asked before anything is bought. Its error stops the run. Default: go ahead.
	Confirm func(*plan.Plan) error
	// Next is told what is to be bought whenever extracts begin that had to wait. Default none.
	Next func(*plan.Plan)
	// Meanwhile is begun when the run begins to buy, and waited for when it has bought. Its error is the run's if that ends without
	// one, published, and ctx has not ended before. Default none.
	Meanwhile func(ctx context.Context) error
	// Observe is told of every event while the run buys, by many goroutines at once. Default none.
	Observe func(engine.Event)
	// Step is told what the run does, whenever it begins something else and as it goes on with it, by one goroutine at a time.
	// Default none.
	Step func(Step)
}

func (o Options) withDefaults() Options {
	if o.Books == nil {
		o.Books = books.InFiles(o.Warehouse)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Select == nil {
		o.Select = func(string) bool { return true }
	}
	if o.Meanwhile == nil {
		o.Meanwhile = func(context.Context) error { return nil }
	}
	if o.Step == nil {
		o.Step = func(Step) {}
	}
	return o
}

// runner is a run under way.
type runner struct {
	Options
	Job
	opened
	date    string
	budget  *budget.Budget
	chain   *chain.Chain // its tasks, and the extracts that wait
	price   *price.Pricer
	memory  chain.Memory // the journal; nothing where that was retired
	places  map[string]pipeline.Place
	firsts  firsts                  // of its probe
	edited  bool                    // the spec asks for something else than when the run was complete
	brought []chain.Relation        // the job's own tables, staged
	held    map[*schemas.Table]bool // tables that must not be seen yet
	pulse   *recovery.Pulse
	// confirmed: the run may buy; withdrawn: it was new, and may not.
	confirmed, withdrawn bool
}

// newRunner returns an execution, with a budget, of a run whose books are open.
func newRunner(job Job, o Options, b *budget.Budget, open opened) *runner {
	r := &runner{Options: o, Job: job, opened: open, date: job.date(), budget: b, held: map[*schemas.Table]bool{}}
	if r.memory = (chain.Nothing{}); open.journal != nil {
		r.memory = open.journal
	}
	extracts := job.extracts(o, r.books())
	extracts.Load = r.loadForQueries
	extracts.Ask = func(ctx context.Context, query string, relations []chain.Relation) ([]string, [][]*string, error) {
		return r.Lake.Ask(ctx, query, relations)
	}
	r.chain = chain.New(extracts)
	r.price = price.New(price.Config{Chain: r.chain, Budget: b, Books: r.books(), Complete: r.earlier.State == ledger.Complete, Again: r.Again,
		HasPages: o.hasPages, Now: o.Now})
	r.pulse = recovery.NewPulse(o.book(job), o.Now)
	return r
}

// Run carries out a job for its run date. When ctx ends it stops asking, keeps the pages under way and returns; the same
// call again goes on. The result is not nil once the run has been entered in the ledger; the error is of the program's
// side (disk, damage, another process), Result.Stop of the vendor's, the budget's or the user's.
func Run(ctx context.Context, job Job, o Options) (*Result, error) {
	o = o.withDefaults()
	b := budget.New(job.Accounts, o.Now) // its months are decided before the clock is checked, which may go back meanwhile
	unlock, err := lock(ctx, job, o)
	if err != nil {
		return nil, err
	}
	defer unlock()
	l, err := recovery.OpenLedger(ctx, o.Books)
	if err != nil {
		return nil, err
	}
	defer func() { _ = l.Close() }()
	if result, err := before(ctx, l, job, o, b); result != nil || err != nil {
		return result, err
	}
	if err := recovery.SettleDead(ctx, l, o.Books, o.Now()); err != nil {
		return nil, err
	}
	opened, err := open(ctx, l, job, o)
	if err != nil {
		return nil, err
	}
	r := newRunner(job, o, b, opened)
	defer r.removeJournal()
	defer func() { _ = r.journal.Close() }()
	if err := r.begin(ctx); err != nil {
		return nil, err
	}
	defer r.pulse.Keep(o.Beat)()
	result, err := r.execute(ctx)
	if errors.As(err, new(declinedError)) {
		result.Declined = true
		return result, errors.Join(err, r.decline(context.WithoutCancel(ctx)))
	}
	if err != nil && result.Run.State == ledger.Running {
		r.fail(ctx, result)
	}
	if errors.As(err, new(*engine.JournalError)) {
		// Pages were paid for that the journal could not keep. The run stays as a dead process leaves it, so that whoever
		// comes next sets aside what they may have cost.
		return result, err
	}
	return result, errors.Join(err, r.leave(context.WithoutCancel(ctx), err))
}

// lock makes the run this process's own, so that others can tell whose it is.
func lock(ctx context.Context, job Job, o Options) (unlock func(), err error) {
	if o.Waits != nil {
		return recovery.WaitSigned(ctx, o.book(job), o.Now, o.Waits)
	}
	return recovery.LockSigned(ctx, o.book(job), o.Now())
}

// book is that of a job's run.
func (o Options) book(job Job) books.Book { return o.Books.Of(job.Name, job.date()) }

// execute plans, buys, loads and publishes.
func (r *runner) execute(ctx context.Context) (*Result, error) {
	result := &Result{Run: r.run, selected: r.Select}
	if err := r.writeTables(); err != nil {
		return result, err
	}
	var err error
	if r.places, err = r.journal.Places(ctx); err != nil {
		return result, err
	}
	if err := r.intend(ctx); err != nil {
		return result, err
	}
	if r.edited, err = r.isEdited(ctx); err != nil {
		return result, err
	}
	var asked []string
	if !r.done() {
		if r.firsts, err = firstsOf(ctx, r.ledger, r.Job, r.Options); err != nil {
			return result, err
		}
		if err := r.askIndexes(ctx); err != nil {
			return result, err
		}
		if asked, err = r.budget.Ask(ctx, r.books()); err != nil {
			return result, err
		}
		if err := r.budget.Raise(ctx, r.books()); err != nil {
			return result, err
		}
	}
	idle, err := r.buy(ctx, result)
	if err != nil {
		return result, err
	}
	idle = idle && r.chain.Err() == nil && len(r.chain.Waiting()) == 0
	if result.Notes, err = r.leaveWaiting(context.WithoutCancel(ctx)); err != nil {
		return result, err
	}
	tasks := r.chain.Tasks()
	if result.untouched = idle && r.done() && r.published(ctx, tasks); result.untouched {
		return result, errors.Join(r.refreshTables(ctx), r.close(ctx, result, publication{}))
	}
	if err := r.budget.AskAgain(ctx, r.books(), asked); err != nil {
		return result, err
	}
	now, err := r.publish(ctx, result, tasks)
	if err != nil {
		return result, err
	}
	if err := r.publishTables(ctx); err != nil {
		return result, err
	}
	return result, errors.Join(r.chain.Err(), cmp.Or(r.close(ctx, result, now), result.meanwhile))
}

// books are those of the run.
func (r *runner) books() budget.Books {
	return budget.Books{Ledger: r.ledger, RunID: r.run.ID, Job: r.Name}
}

// done reports whether the run was complete before this execution, and still is.
func (r *runner) done() bool { return r.earlier.State == ledger.Complete && !r.edited }

// isEdited reports whether the spec of a run that was complete asks for something else by now: for more, for less, or for what
// the journal holds from before an earlier edit.
func (r *runner) isEdited(ctx context.Context) (bool, error) {
	if r.earlier.State != ledger.Complete {
		return false, nil
	}
	before, err := r.ledger.Tasks(ctx, r.run.ID) // as the earlier execution left them: this one has entered nothing there yet
	if err != nil {
		return false, err
	}
	now, err := account.Tasks(ctx, r.journal, r.places)
	if err != nil {
		return false, err
	}
	known := map[string]bool{}
	for _, t := range before {
		known[t.ID] = true
	}
	other := slices.ContainsFunc(now, func(t ledger.Task) bool { return !t.Ending.Complete() || !known[t.ID] })
	if other || len(now) < len(before) {
		return true, nil
	}
	p, err := r.plan(ctx, nil)
	return err == nil && len(p.Work) > 0, err
}

// refreshTables brings the lists of a run that is complete up to date.
func (r *runner) refreshTables(ctx context.Context) error {
	if err := r.publishTables(ctx); err != nil {
		return err
	}
	return r.Lake.Catalog(ctx)
}

// close writes the run's end into the ledger and completes the result.
func (r *runner) close(ctx context.Context, result *Result, now publication) (err error) {
	r.Step(Step{Name: Closing})
	ctx = context.WithoutCancel(ctx)
	if result.Missing = result.Plan; !result.untouched {
		if result.Missing, err = r.plan(ctx, nil); err != nil {
			return err
		}
		if err = r.expect(ctx, result.Missing, nil); err != nil {
			return err
		}
	}
	if err := r.tasks(ctx, result); err != nil {
		return err
	}
	state, message := ledger.Complete, ""
	if len(result.Incomplete()) > 0 || result.Held() || result.Interrupted { // which publishes nothing, be it all bought
		state = ledger.Incomplete
	}
	if result.Stop != nil {
		message = result.Stop.Error()
	}
	if over := result.OverText(); over != "" {
		message = strings.TrimPrefix(message+"; "+over, "; ")
	}
	for _, f := range result.Findings {
		if f.Held {
			message = strings.TrimPrefix(message+"; "+f.Text(), "; ")
		}
	}
	if result.Reconciled, err = account.Reconciliations(ctx, r.ledger, r.run.ID); err != nil {
		return err
	}
	result.Settled = r.budget.Settled()
	if result.Holds, err = r.budget.Holds(ctx, r.books()); err != nil {
		return err
	}
	if result.Remaining, err = r.budget.Remaining(ctx, r.books()); err != nil {
		return err
	}
	result.Run.State, result.Run.Message, result.Run.Ended = state, message, r.Now().UTC()
	if result.untouched {
		result.Run.Ended = r.earlier.Ended // this execution did nothing
	}
	if !result.untouched {
		// The account is published before the ledger says that all is done, so that a crash here is made good by the next run.
		if err = r.account(ctx, result, now); err == nil {
			err = r.Lake.Catalog(ctx)
		}
		if err == nil {
			err = r.Lake.WholeLists(ctx, r.Name, r.RunDate)
		}
		if err != nil {
			result.Run.State = ledger.Incomplete // it cannot be seen yet
			return err
		}
		if err := r.Lake.Changes(ctx, r.Name, r.RunDate); err != nil {
			// The night itself is published.
			result.Notes = append(result.Notes, fmt.Sprintf("what changed since the night before could not be worked out: %v; `backhaul replay %s` does it again", err, r.run.ID))
		}
		if err := r.checkMarts(ctx, result, now); err != nil {
			result.Run.State = ledger.Incomplete
			return err
		}
	}
	return account.End(ctx, r.ledger, r.journal, r.run.ID, state, message, result.Run.Ended)
}

// tasks enters in the ledger, and in the result, how the tasks went, and which rows did not fit: in this execution, or in the one
// before if this one loaded nothing.
func (r *runner) tasks(ctx context.Context, result *Result) error {
	x, err := r.sync(ctx)
	if err != nil {
		return err
	}
	result.Tasks, result.Whole = x.Tasks, nil
	for i := range result.Tasks {
		if t := &result.Tasks[i]; t.Ending == pipeline.EndOfList && !r.isWindowed(t.Task) {
			result.Whole = append(result.Whole, t)
		}
	}
	result.Rejections, err = r.ledger.Rejections(ctx, r.run.ID)
	return err
}

// settle shrinks the run's grants to what its journal says.
func (r *runner) settle(ctx context.Context) error {
	return account.Settle(ctx, r.ledger, r.journal, r.run.ID, r.budget.Month)
}
