package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/gofrs/flock"

	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
	"backhaul/pipeline/failpoint"
	"backhaul/pipeline/journal"
	"backhaul/pipeline/limit"
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

// Result is how a run went.
type Result struct {
	Run ledger.Run
	// Plan is what was to be bought when the run began.
	Plan  *plan.Plan
	Tasks []ledger.Task
	// Bought counts what this execution bought; the tasks count what the run holds in all.
	Bought plan.Cost
	// Saved is what this execution did not have to spend, because an earlier answer would do.
	Saved pipeline.Units
	// Files are the tables published.
	Files []File
	// Rejected counts rows that did not fit their table.
	Rejected int64
	// Reconciled compares the vendors' own accounts with the ledger.
	Reconciled []Reconciliation
	// Stop says why vendors were given up: an *engine.StopError for each, joined; nil if none was.
	Stop error
	// Interrupted: the context ended before the run did.
	Interrupted bool
	untouched   bool // the run was complete: nothing was done
}

// File is one published table of a run.
type File struct {
	Table string `json:"table"`
	Path  string `json:"path"`
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
}

// Incomplete returns the tasks that do not hold all they ask for.
func (r *Result) Incomplete() []ledger.Task {
	var open []ledger.Task
	for _, t := range r.Tasks {
		if !t.Ending.Complete() {
			open = append(open, t)
		}
	}
	return open
}

// Stops returns why vendors were given up, one for each.
func (r *Result) Stops() []*engine.StopError {
	var stops []*engine.StopError
	errs := []error{r.Stop}
	if joined, ok := r.Stop.(interface{ Unwrap() []error }); ok {
		errs = joined.Unwrap()
	}
	for _, err := range errs {
		if stop, ok := err.(*engine.StopError); ok {
			stops = append(stops, stop)
		}
	}
	return stops
}

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
	return result, errors.Join(err, r.leave(context.WithoutCancel(ctx)))
}

// lock takes the run for this process. The operating system lets go of it when the process dies.
func lock(journalPath string) (unlock func(), err error) {
	path := journalPath + ".lock"
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	l := flock.New(path)
	ok, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if !ok {
		return nil, ErrBusy
	}
	return func() { _ = l.Unlock() }, nil
}

// open finds the run in the ledger, or enters it, and opens its journal.
func (r *runner) open(ctx context.Context) (err error) {
	path := JournalPath(r.Warehouse, r.Name, r.date)
	earlier, err := r.ledger.Find(ctx, r.Name, r.date)
	switch {
	case err == nil:
		if gone(path) && r.holdsPages(ctx, earlier) {
			return fmt.Errorf("%s: %w: the journal of a run that has bought pages is missing; put it back, or the pages must be bought again", path, ErrDamaged)
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
	if err := checkHeld(ctx, r.ledger, r.journal, earlier.ID, path); err != nil {
		return errors.Join(err, r.journal.Close())
	}
	// A journal without its ledger is the truth: the run goes on under the id its pages have.
	r.run, err = r.ledger.Begin(ctx, r.Name, r.date, r.SpecHash, r.journal.Header().RunID, r.Now())
	if err == nil {
		r.state = earlier.State
		err = r.settleBefore(ctx, earlier)
	}
	if err != nil {
		return errors.Join(err, r.journal.Close())
	}
	return nil
}

// settleBefore gives back what an earlier execution had reserved and not spent, and moves the ceiling of this one above what
// the run has spent before: the budget's "run" bounds one execution, so that a run stopped by it can go on the next day.
func (r *runner) settleBefore(ctx context.Context, earlier ledger.Run) error {
	if earlier.State == ledger.Running {
		if err := recordDead(ctx, r.ledger, r.journal, r.run.ID, r.Now().UTC()); err != nil {
			return err
		}
	}
	if earlier.ID != "" {
		if err := settle(ctx, r.ledger, r.journal, r.run.ID, calendarMonth(earlier.Started)); err != nil {
			return err
		}
	}
	for vendor, a := range r.Accounts {
		if a.Ceiling.Run == nil {
			continue
		}
		before, _, err := r.ledger.Granted(ctx, r.run.ID, vendor, r.month(vendor))
		if err != nil {
			return err
		}
		most := before + *a.Ceiling.Run
		a.Ceiling.Run = &most
		r.Accounts[vendor] = a
	}
	return nil
}

func (r *runner) holdsPages(ctx context.Context, run ledger.Run) bool {
	tasks, err := r.ledger.Tasks(ctx, run.ID)
	if err != nil {
		return true
	}
	for _, t := range tasks {
		if t.Pages > 0 {
			return true
		}
	}
	return false
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

// month names the month, YYYY-MM, in which the account's period at a vendor began.
func (r *runner) month(vendor string) string { return r.monthStart(vendor).Format("2006-01") }

func (r *runner) monthStart(vendor string) time.Time {
	day := max(1, r.Accounts[vendor].MonthStartsOn)
	start := time.Date(r.begun.Year(), r.begun.Month(), day, 0, 0, 0, 0, time.UTC)
	if start.After(r.begun) {
		start = start.AddDate(0, -1, 0)
	}
	return start
}

// plan prices what is missing.
func (r *runner) plan(ctx context.Context) (*plan.Plan, error) {
	histories, err := r.ledger.Histories(ctx)
	if err != nil {
		return nil, err
	}
	accounts := map[string]plan.Account{}
	for vendor, a := range r.Accounts {
		leaves, err := left(ctx, r.ledger, r.run.ID, vendor, r.month(vendor), a.Ceiling)
		if err != nil {
			return nil, err
		}
		accounts[vendor] = plan.Account{PerSecond: a.PerSecond, Connections: a.Connections, Left: leaves}
	}
	for i := range r.Items {
		r.Items[i].Place = r.places[r.Items[i].Task.ID]
	}
	if err := r.findAnswers(ctx); err != nil {
		return nil, err
	}
	return plan.Make(r.Items, histories, accounts), nil
}

// left returns what the ceiling leaves a run at a vendor, nil if there is none.
func left(ctx context.Context, l *ledger.Ledger, runID, vendor, month string, c ledger.Ceiling) (*pipeline.Units, error) {
	if c.Run == nil && c.Month == nil {
		return nil, nil
	}
	ofRun, ofMonth, err := l.Granted(ctx, runID, vendor, month)
	if err != nil {
		return nil, err
	}
	var ofRunLeft, ofMonthLeft *pipeline.Units
	if c.Run != nil {
		n := max(0, *c.Run-ofRun)
		ofRunLeft = &n
	}
	if c.Month != nil {
		n := max(0, *c.Month-ofMonth)
		ofMonthLeft = &n
	}
	return least(ofRunLeft, ofMonthLeft), nil
}

// least returns the lower of two bounds, of which nil is none.
func least(a, b *pipeline.Units) *pipeline.Units {
	if a == nil || b != nil && *b < *a {
		return b
	}
	return a
}

// ledgerError means that leave to buy could not be made durable. It is the program's fault and not a task's, so it stops
// the run: the lists that were cut off by it must not be published.
type ledgerError struct{ error }

func (e ledgerError) Unwrap() error { return e.error }

// buy lets the engine buy what the plan says is missing.
func (r *runner) buy(ctx context.Context, result *Result) error {
	buying, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var lanes []engine.Lane
	for vendor, items := range result.Plan.Work {
		lane, err := r.lane(vendor, items, stop)
		if err != nil {
			return err
		}
		lanes = append(lanes, lane)
	}
	outcomes, err := engine.Run(buying, engine.Config{Lanes: lanes, Journal: r.journal, Retry: r.Retry, Observe: r.Observe})
	if r.Bought != nil {
		r.Bought()
	}
	ended := r.Now().UTC()
	var records []ledger.Task
	for _, o := range outcomes {
		before := r.places[o.Task.ID]
		result.Bought.Pages += int64(o.Place.Pages - before.Pages)
		result.Bought.Rows += o.Place.Rows + o.Place.Waste - before.Rows - before.Waste
		result.Bought.Units += o.Place.Units - before.Units
		r.places[o.Task.ID] = o.Place
		record := record(o, ended)
		record.IndexID = r.indexes[vendorOf(o.Task)]
		records = append(records, record)
	}
	result.Stop, result.Interrupted = err, ctx.Err() != nil
	r.held = r.blocked(outcomes)
	if recordErr := r.ledger.Record(context.WithoutCancel(ctx), r.run.ID, records...); recordErr != nil {
		return errors.Join(err, recordErr)
	}
	if errors.As(err, new(*engine.JournalError)) {
		return err
	}
	if cause := context.Cause(buying); errors.As(cause, new(ledgerError)) {
		return cause
	}
	return nil
}

func vendorOf(t pipeline.Task) string {
	vendor, _, _ := strings.Cut(t.Endpoint, "/")
	return vendor
}

func record(o engine.Outcome, ended time.Time) ledger.Task {
	t := ledger.Task{
		Task: o.Task, Ending: o.Ending, Pages: o.Place.Pages, Rows: o.Place.Rows, Units: o.Place.Units,
		Waste: o.Place.Waste, MaybeUnits: o.Place.MaybeUnits, Attempts: o.Place.Attempts, Ended: ended,
	}
	if o.Err != nil {
		t.Error = o.Err.Error()
	}
	return t
}

// recordHeld enters what the journal holds of tasks that need nothing more: a process that died may not have got to it, and
// a bound that was lowered may be met by now.
func (r *runner) recordHeld(ctx context.Context) error {
	tasks, err := r.ledger.Tasks(ctx, r.run.ID)
	if err != nil {
		return err
	}
	var changed []ledger.Task
	for _, t := range tasks {
		before := t
		if t.Ending == pipeline.EndUnchanged {
			continue
		}
		if held(&t, r.places[t.ID]); t.Ending.Complete() && t.Ending != before.Ending {
			t.Error, t.Ended = "", r.Now().UTC()
			changed = append(changed, t)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	return r.ledger.Record(ctx, r.run.ID, changed...)
}

// held fills in what the journal says of a task.
func held(t *ledger.Task, place journal.Place) {
	switch {
	case place.Pages > 0 && place.End:
		t.Ending = pipeline.EndOfList
	case t.MaxRows > 0 && place.ChainRows >= t.MaxRows:
		t.Ending = pipeline.EndMaxRows
	case place.Pages > 0:
		t.Ending = pipeline.EndInterrupted
	default:
		t.Ending = pipeline.EndNotReached
	}
	t.Pages, t.Rows, t.Units, t.Waste = place.Pages, place.Rows, place.Units, place.Waste
	t.MaybeUnits, t.Attempts, t.ReusedFrom = place.MaybeUnits, place.Attempts, place.ReusedFrom
}

// lane wires a vendor's work to its gate. Units are granted by the ledger a few pages at a time, so that a request does not
// cost a write, nor a run hold much that another could spend.
func (r *runner) lane(vendor string, items []plan.Item, stop context.CancelCauseFunc) (engine.Lane, error) {
	a := r.Accounts[vendor]
	connections := max(1, a.Connections)
	lane := engine.Lane{Vendor: vendor, Connections: connections, TokenLife: a.TokenLife}
	var page pipeline.Units
	for _, it := range items {
		source, err := r.Sources(it.Task)
		if err != nil {
			return lane, err
		}
		page = max(page, it.Endpoint.WorstCase(it.PageSize))
		lane.Work = append(lane.Work, engine.Work{Task: it.Task, Source: source, Place: it.Place, PageSize: it.PageSize})
	}
	block := page * pipeline.Units(connections)
	if a.Ceiling.Run == nil && a.Ceiling.Month == nil {
		block *= 16 // nobody waits for what this run holds
	}
	lane.Gate = limit.New(limit.Config{
		PerSecond: a.PerSecond, Connections: connections, Block: block,
		Grant: func(ctx context.Context, want, least pipeline.Units) (got, left pipeline.Units, err error) {
			if got, left, err = r.ledger.Grant(context.WithoutCancel(ctx), r.run.ID, vendor, r.month(vendor), want, least, a.Ceiling); err != nil {
				stop(ledgerError{err})
			}
			return got, left, err
		},
	})
	return lane, nil
}

// blocked returns the tables that must not be seen yet, because a list of theirs was cut off by something that has nothing
// to do with it: an interruption, a wrong key, a vendor that is down. A list that failed by itself, or that the budget did
// not reach, holds nothing back; ops.tasks tells which those are.
func (r *runner) blocked(outcomes []engine.Outcome) map[*schemas.Table]bool {
	blocked := map[*schemas.Table]bool{}
	for _, o := range outcomes {
		ending := o.Ending
		var stop *engine.StopError
		if ending == pipeline.EndNotReached && errors.As(o.Err, &stop) {
			ending = stop.Ending
		}
		switch ending {
		case pipeline.EndInterrupted, pipeline.EndDenied, pipeline.EndUnreachable:
			if source, err := r.Sources(o.Task); err == nil {
				blocked[source.Endpoint().Table] = true
			}
		}
	}
	return blocked
}

// published reports whether every table of the tasks is in the lake.
func (r *runner) published(tasks []pipeline.Task) bool {
	for _, t := range tasks {
		source, err := r.Sources(t)
		if err != nil {
			return false
		}
		if _, err := os.Stat(r.file(source.Endpoint().Table)); err != nil {
			return false
		}
	}
	_, err := os.Stat(r.Warehouse.Catalog())
	return err == nil
}

func (r *runner) file(t *schemas.Table) string {
	return r.Warehouse.File(t.Schema, t.Name, r.Name, r.RunDate)
}

// publish loads the journal into the run's tables and makes them part of the lake, one atomic step each.
func (r *runner) publish(ctx context.Context, result *Result, tasks []pipeline.Task) error {
	if result.Interrupted {
		return nil
	}
	l := &loader{journal: r.journal, sources: r.Sources, create: r.Lake.Create, runDate: days(r.RunDate), places: r.places}
	tasks, err := r.visible(tasks)
	if err != nil || len(tasks) == 0 {
		return err
	}
	failpoint.Hit("run.load.before")
	files, err := l.load(ctx, tasks)
	if err != nil {
		return err
	}
	result.Rejected = l.rejectedRows
	r.rejected = append([]schemas.Rejection{}, l.rejected...)
	r.loaded = map[string]bool{}
	failpoint.Hit("run.load.after")
	for _, s := range files {
		final := r.file(s.table)
		if err := r.Lake.Publish(s.file.Path, final); err != nil {
			return err
		}
		failpoint.Hit("run.publish.after")
		r.loaded[s.table.FullName()] = true
		result.Files = append(result.Files, File{Table: s.table.FullName(), Path: final, Rows: s.file.Rows, Bytes: s.file.Bytes})
	}
	return r.waste(ctx, l.waste)
}

// visible leaves out the tasks of tables that must not be seen yet.
func (r *runner) visible(tasks []pipeline.Task) ([]pipeline.Task, error) {
	var visible []pipeline.Task
	for _, t := range tasks {
		source, err := r.Sources(t)
		if err != nil {
			return nil, err
		}
		if !r.held[source.Endpoint().Table] {
			visible = append(visible, t)
		}
	}
	return visible, nil
}

// isPublished reports whether the rows of a task are in the lake.
func (r *runner) isPublished(t pipeline.Task) bool {
	source, err := r.Sources(t)
	return err == nil && r.loaded[source.Endpoint().Table.FullName()]
}

// waste enters the rows that restarted lists brought again, which only loading can tell.
func (r *runner) waste(ctx context.Context, waste map[string]int64) error {
	if len(waste) == 0 {
		return nil
	}
	tasks, err := r.ledger.Tasks(ctx, r.run.ID)
	if err != nil {
		return err
	}
	var changed []ledger.Task
	for _, t := range tasks {
		if n := waste[t.ID]; n > 0 {
			place := r.places[t.ID]
			t.Waste, t.Rows = place.Waste+n, place.Rows-n
			changed = append(changed, t)
		}
	}
	return r.ledger.Record(ctx, r.run.ID, changed...)
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

// days is the date as Arrow counts it.
func days(t time.Time) arrow.Date32 { return arrow.Date32FromTime(t) }
