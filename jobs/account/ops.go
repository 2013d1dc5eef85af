package account

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/jobs/ledger"
	"backhaul/jobs/load"
	"backhaul/pipeline"
	"backhaul/pipeline/failpoint"
	"backhaul/pipeline/journal"
	"backhaul/schemas"
	"backhaul/sinks"
)

// Books are what a run's ops tables are written from.
//
// What tasks hold is told of those the spec asks for today; what was bought and spent, of all the run ever had.
type Books struct {
	Run     ledger.Run
	RunDate time.Time
	Journal *journal.Journal
	// Tasks are those the spec asks for today, Dropped those it asks for no more.
	Tasks, Dropped []ledger.Task
	// Missing is what a task is expected to need still, if that is known.
	Missing func(taskID string) (units pipeline.Units, known bool)
	// Published reports whether the rows of a task are in the lake.
	Published  func(pipeline.Task) bool
	Reconciled []Reconciliation
	// Charged is what requests without an answer are known to have cost, Held what they may have cost beyond that.
	Charged, Held pipeline.Units
	// Windowed reports whether a task's list is over a moving window of time.
	Windowed func(pipeline.Task) bool
	// Loaded is what loading brought to light. Nil: nothing was loaded, and what the tables hold of that stays.
	Loaded *load.Loaded
	// Drift is how replies differ from what their tables expect, as of Loaded.
	Drift []Drift
}

// Shelf is where tables are written.
type Shelf struct {
	// Create begins a staged file of a table.
	Create func(t *schemas.Table) (sinks.Writer, error)
	// Publish puts a staged file in the place of what an earlier execution wrote.
	Publish func(t *schemas.Table, staged sinks.Staged) error
}

// Write writes the ops tables of the run.
func (b Books) Write(ctx context.Context, shelf Shelf) error {
	paid := b.Tasks // mostly nothing was dropped, and they are many
	if len(b.Dropped) > 0 {
		paid = slices.Concat(b.Tasks, b.Dropped)
	}
	tables := []opsTable{
		{"ops.runs", func(a *accountant) error { return a.run(b, paid) }},
		{"ops.tasks", func(a *accountant) error { return a.tasks(b) }},
		{"ops.pages", func(a *accountant) error { return a.pages(ctx, b.Journal, paid) }},
		{"ops.attempts", func(a *accountant) error { return a.attempts(ctx, b.Journal, paid) }},
		{"ops.spend", func(a *accountant) error { return a.spend(ctx, b.Journal, paid) }},
		{"ops.reconciliation", func(a *accountant) error { return a.reconciliation(b.Reconciled) }},
	}
	if b.Loaded != nil {
		tables = append(tables, opsTable{"ops.rejected_rows", func(a *accountant) error { return a.rejected(b.Loaded.Rejected) }},
			opsTable{"ops.drift", func(a *accountant) error { return a.drift(b.Drift) }})
	}
	for _, t := range tables {
		if err := b.table(shelf, t); err != nil {
			return err
		}
	}
	return nil
}

// WriteFindings writes what was expected of the run against what was found.
func (b Books) WriteFindings(findings []Finding, shelf Shelf) error {
	return b.table(shelf, opsTable{"ops.expectations", func(a *accountant) error { return a.expectations(findings) }})
}

// opsTable is one of the tables, and what fills it.
type opsTable struct {
	name string
	fill func(*accountant) error
}

func (b Books) table(shelf Shelf, t opsTable) error {
	table := schemas.Lookup(t.name)
	w, err := shelf.Create(table)
	if err != nil {
		return err
	}
	a := &accountant{table: table, w: w, b: schemas.NewBuilder(memory.DefaultAllocator, table), head: b.Run, date: int64(arrow.Date32FromTime(b.RunDate))}
	defer a.b.Release()
	if err = t.fill(a); err == nil {
		err = a.b.Drain(1, w.Write)
	}
	if err != nil {
		_ = w.Abort()
		return err
	}
	staged, err := w.Close()
	if err != nil {
		return err
	}
	failpoint.Hit("run.account.staged")
	return shelf.Publish(table, staged)
}

// accountant writes the rows of one ops table.
type accountant struct {
	table *schemas.Table
	w     sinks.Writer
	b     *schemas.Builder
	head  ledger.Run
	date  int64
}

// opsBatch is how many rows of an account are handed to a writer at once.
const opsBatch = 8192

// row begins a row with the run's columns.
func (a *accountant) row() *opsRow {
	r := &opsRow{a: a, row: a.b.Row()}
	r.text("job", a.head.Job)
	r.text("run_id", a.head.ID)
	r.number(schemas.ColRunDate, a.date)
	return r
}

// opsRow fills columns by their names.
type opsRow struct {
	a   *accountant
	row *schemas.Row
}

// text sets a text that must be there; opt one that is null when empty.
func (r *opsRow) text(column, s string) { r.row.SetString(r.a.table.Index(column), s) }

func (r *opsRow) opt(column, s string) {
	if s != "" {
		r.text(column, s)
	}
}

func (r *opsRow) number(column string, n int64)   { r.row.SetInt(r.a.table.Index(column), n) }
func (r *opsRow) flag(column string, b bool)      { r.row.SetBool(r.a.table.Index(column), b) }
func (r *opsRow) time(column string, t time.Time) { r.row.SetTime(r.a.table.Index(column), t) }

func (r *opsRow) done() error {
	r.a.b.Append()
	return r.a.b.Drain(opsBatch, r.a.w.Write)
}

func (a *accountant) run(b Books, paid []ledger.Task) error {
	row := a.row()
	row.text("state", string(b.Run.State))
	row.opt("stop", b.Run.Message)
	row.time("started_at", b.Run.Started)
	row.time("ended_at", b.Run.Ended)
	var held ledger.Task
	for i := range b.Tasks {
		t := &b.Tasks[i]
		held.Rows += b.rows(t)
		held.Rejected += t.Rejected
	}
	for i := range paid {
		t := &paid[i]
		held.Pages += t.Pages
		held.Units += t.Units
		held.Waste += t.Waste
		held.MaybeUnits += t.MaybeUnits
	}
	row.number("tasks", int64(len(b.Tasks)))
	row.number("tasks_complete", int64(complete(b.Tasks)))
	row.number("pages", int64(held.Pages))
	row.number("rows", held.Rows)
	row.number("units", int64(held.Units))
	row.number("waste_rows", held.Waste)
	row.number("maybe_units", int64(held.MaybeUnits))
	row.number("charged_units", int64(b.Charged))
	row.number("held_units", int64(b.Held))
	row.number("rejected_rows", held.Rejected)
	return row.done()
}

// rows is how many rows the task's table has of it; where it is not published, how many the run holds.
func (b Books) rows(t *ledger.Task) int64 {
	if b.Loaded != nil {
		if n, ok := b.Loaded.Rows[t.ID]; ok {
			return n
		}
	}
	return t.Rows
}

func complete(tasks []ledger.Task) (n int) {
	for i := range tasks {
		if tasks[i].Ending.Complete() {
			n++
		}
	}
	return n
}

func (a *accountant) tasks(b Books) error {
	questions := questionsOf(b.Tasks)
	for i := range b.Tasks {
		t, row := &b.Tasks[i], a.row()
		row.text("task_id", t.ID)
		row.text("extract", t.Extract)
		row.text("endpoint", t.Endpoint)
		row.text("surface", t.Surface)
		row.opt("target", t.Target)
		row.opt("target_as_given", t.TargetAsGiven)
		row.opt("scope", t.Scope)
		if n := len(t.Inputs); n > 0 {
			row.number("inputs", int64(n))
		}
		row.flag("complete", t.Ending.Complete())
		row.flag("published", b.Published(t.Task))
		ending := t.Ending
		if ending == "" {
			ending = pipeline.EndNotReached
		}
		row.text("ending", string(ending))
		row.opt("error", t.Error)
		row.number("pages", int64(t.Pages))
		row.number("rows", b.rows(t))
		row.number("rejected_rows", t.Rejected)
		row.text("question", questions.of(t))
		row.flag("windowed", b.Windowed(t.Task))
		row.number("units", int64(t.Units))
		row.number("waste_rows", t.Waste)
		row.number("maybe_units", int64(t.MaybeUnits))
		row.number("attempts", int64(t.Attempts))
		if units, ok := b.Missing(t.ID); ok {
			row.number("missing_units", int64(units))
		}
		row.opt("reused_from", t.ReusedFrom)
		row.number("saved_units", int64(t.SavedUnits))
		row.opt("index_id", t.IndexID)
		row.time("ended_at", t.Ended)
		if err := row.done(); err != nil {
			return err
		}
	}
	return nil
}

func (a *accountant) pages(ctx context.Context, j *journal.Journal, tasks []ledger.Task) error {
	for i := range tasks {
		t := &tasks[i]
		if t.Pages == 0 {
			continue
		}
		for p, err := range j.Facts(ctx, t.ID) {
			if err != nil {
				return err
			}
			row := a.row()
			row.text("task_id", t.ID)
			row.text("extract", t.Extract)
			row.opt("target", t.Target)
			row.opt("scope", t.Scope)
			row.number("page_seq", int64(p.Seq))
			row.number("chain", int64(p.Chain))
			row.flag("repeated", p.Repeated)
			row.flag("last", p.End)
			row.text("request", string(p.Request))
			row.number("status", int64(p.Status))
			row.time("fetched_at", p.FetchedAt)
			row.number("rows", int64(p.Rows))
			row.number("overlap_rows", int64(p.Overlap))
			row.number("units", int64(p.Units))
			if p.Listed != 0 {
				row.number("listed_units", int64(p.Listed))
			}
			row.opt("cache", p.Cache)
			row.number("bytes", p.Size)
			if err := row.done(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *accountant) attempts(ctx context.Context, j *journal.Journal, tasks []ledger.Task) error {
	byID := map[string]*ledger.Task{}
	for i := range tasks {
		if t := &tasks[i]; t.Attempts > 0 {
			byID[t.ID] = t
		}
	}
	for attempt, err := range j.Attempts(ctx) {
		if err != nil {
			return err
		}
		t := byID[attempt.TaskID]
		if t == nil {
			continue // it is not intended
		}
		row := a.row()
		row.number("no", attempt.No)
		row.text("task_id", t.ID)
		row.text("extract", t.Extract)
		row.opt("target", t.Target)
		row.number("page_seq", int64(attempt.Seq))
		row.time("at", attempt.At)
		row.text("kind", attempt.Kind)
		if attempt.Status != 0 {
			row.number("status", int64(attempt.Status))
		}
		row.number("maybe_units", int64(attempt.MaybeUnits))
		row.text("message", attempt.Message)
		if attempt.Size > 0 {
			row.number("bytes", attempt.Size)
		}
		if err := row.done(); err != nil {
			return err
		}
	}
	return nil
}

// day is what one task spent on one day.
type day struct{ pages, rows, units, maybe, saved int64 }

// spend sums up pages and attempts by the day they happened. What was saved counts on the day the task ended.
func (a *accountant) spend(ctx context.Context, j *journal.Journal, tasks []ledger.Task) error {
	maybe, err := maybeByDay(ctx, j)
	if err != nil {
		return err
	}
	for i := range tasks {
		t := &tasks[i]
		if t.Pages == 0 && t.SavedUnits == 0 && len(maybe[t.ID]) == 0 {
			continue
		}
		days := map[string]*day{}
		of := func(at time.Time) *day {
			key := at.UTC().Format(time.DateOnly)
			if days[key] == nil {
				days[key] = &day{}
			}
			return days[key]
		}
		if t.Pages > 0 && t.ReusedFrom == "" {
			for p, err := range j.Facts(ctx, t.ID) {
				if err != nil {
					return err
				}
				d := of(p.FetchedAt)
				d.pages++
				d.rows += int64(p.Rows)
				d.units += int64(p.Units)
			}
		}
		for at, units := range maybe[t.ID] {
			of(at).maybe += units
		}
		if t.SavedUnits > 0 {
			of(t.Ended).saved += int64(t.SavedUnits)
		}
		if err := a.spendOf(t, days); err != nil {
			return err
		}
	}
	return nil
}

// maybeByDay sums up what attempts may have cost, by task and day.
func maybeByDay(ctx context.Context, j *journal.Journal) (map[string]map[time.Time]int64, error) {
	maybe := map[string]map[time.Time]int64{}
	for attempt, err := range j.Attempts(ctx) {
		if err != nil {
			return nil, err
		}
		if attempt.MaybeUnits == 0 {
			continue
		}
		if maybe[attempt.TaskID] == nil {
			maybe[attempt.TaskID] = map[time.Time]int64{}
		}
		maybe[attempt.TaskID][attempt.At.Truncate(24*time.Hour)] += int64(attempt.MaybeUnits)
	}
	return maybe, nil
}

func (a *accountant) spendOf(t *ledger.Task, days map[string]*day) error {
	for _, key := range slices.Sorted(maps.Keys(days)) {
		date, err := time.Parse(time.DateOnly, key)
		if err != nil {
			return err
		}
		d, row := days[key], a.row()
		row.text("vendor", t.Task.Vendor())
		row.text("endpoint", t.Endpoint)
		row.text("extract", t.Extract)
		row.opt("target", t.Target)
		row.opt("scope", t.Scope)
		row.number("day", int64(arrow.Date32FromTime(date)))
		row.number("pages", d.pages)
		row.number("rows", d.rows)
		row.number("units", d.units)
		row.number("maybe_units", d.maybe)
		row.number("saved_units", d.saved)
		if err := row.done(); err != nil {
			return err
		}
	}
	return nil
}

func (a *accountant) reconciliation(all []Reconciliation) error {
	for _, c := range all {
		row := a.row()
		row.text("vendor", c.Vendor)
		row.text("account_month", c.First.Month)
		row.time("first_asked_at", c.First.At)
		row.time("last_asked_at", c.Last.At)
		row.number("vendor_units_before", int64(c.First.VendorUnits))
		row.number("vendor_units_after", int64(c.Last.VendorUnits))
		row.number("ledger_units", int64(c.LedgerUnits))
		row.number("maybe_units", int64(c.MaybeUnits))
		row.number("settled_units", int64(c.HeldUnits))
		row.number("charged_units", int64(c.ChargedUnits))
		row.number("others_units", int64(c.OthersUnits))
		row.number("difference", int64(c.Difference))
		row.text("explanation", c.Explanation)
		if err := row.done(); err != nil {
			return err
		}
	}
	return nil
}

func (a *accountant) rejected(rejections []schemas.Rejection) error {
	for _, rejection := range rejections {
		o, row := rejection.Origin, a.row()
		row.text("table_name", rejection.Table)
		row.text("extract", o.Extract)
		row.text("task_id", o.Task)
		row.opt("target", o.Target)
		row.opt("scope", o.Scope)
		row.number("page_seq", int64(o.PageSeq))
		row.number("row", int64(rejection.Row))
		row.text("reason", rejection.Reason)
		row.text("json", string(rejection.JSON))
		if err := row.done(); err != nil {
			return err
		}
	}
	return nil
}
