package run

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/failpoint"
	"backhaul/pipeline/journal"
	"backhaul/schemas"
	"backhaul/sinks"
)

// account writes the run's own account, the ops tables, over what an earlier execution wrote.
//
// What tasks hold is told of those the spec asks for today; what was bought and spent, of all the run ever had.
func (r *runner) account(ctx context.Context, result *Result) error {
	dropped, err := r.dropped(ctx, result.Tasks)
	if err != nil {
		return err
	}
	if err := r.tellCharged(ctx, result); err != nil {
		return err
	}
	result.Notes = append(result.Notes, notesOf(dropped, r.date)...)
	paid := slices.Concat(result.Tasks, dropped)
	tables := []struct {
		name  string
		write func(*accountant) error
	}{
		{"ops.runs", func(a *accountant) error { return a.run(result, paid) }},
		{"ops.tasks", func(a *accountant) error { return a.tasks(result, r.isPublished) }},
		{"ops.pages", func(a *accountant) error { return a.pages(ctx, r.journal, paid) }},
		{"ops.attempts", func(a *accountant) error { return a.attempts(ctx, r.journal, paid) }},
		{"ops.spend", func(a *accountant) error { return a.spend(ctx, r.journal, paid) }},
		{"ops.reconciliation", func(a *accountant) error { return a.reconciliation(result.Reconciled) }},
	}
	if r.rejected != nil {
		tables = append(tables, struct {
			name  string
			write func(*accountant) error
		}{"ops.rejected_rows", func(a *accountant) error { return a.rejected(r.rejected) }})
	}
	for _, t := range tables {
		if err := r.accountTable(schemas.Lookup(t.name), result.Run, t.write); err != nil {
			return err
		}
	}
	return nil
}

// dropped returns the tasks that the run has asked something for and that the spec asks for no more.
func (r *runner) dropped(ctx context.Context, current []ledger.Task) ([]ledger.Task, error) {
	asked := map[string]bool{}
	for _, t := range current {
		asked[t.ID] = true
	}
	all, err := r.journal.Tasks(ctx)
	if err != nil {
		return nil, err
	}
	var dropped []ledger.Task
	for _, t := range all {
		if place := r.places[t.ID]; !asked[t.ID] && (place.Pages > 0 || place.Attempts > 0) {
			former := ledger.Task{Task: t}
			held(&former, place)
			dropped = append(dropped, former)
		}
	}
	return dropped, nil
}

// notesOf says which rows leave the tables because the spec asks for them no more.
func notesOf(dropped []ledger.Task, date string) []string {
	var tasks, rows int64
	for _, t := range dropped {
		if t.Rows > 0 {
			tasks, rows = tasks+1, rows+t.Rows
		}
	}
	if tasks == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d rows of %d tasks that this run bought and the spec asks for no more; "+
		"the journal keeps them: asked for again for %s, they cost nothing", rows, tasks, date)}
}

func (r *runner) accountTable(table *schemas.Table, run ledger.Run, write func(*accountant) error) error {
	w, err := r.Lake.Create(table)
	if err != nil {
		return err
	}
	a := &accountant{table: table, w: w, b: schemas.NewBuilder(memory.DefaultAllocator, table), head: run, date: int64(days(r.RunDate))}
	defer a.b.Release()
	if err = write(a); err == nil {
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
	return r.Lake.Publish(staged.Path, r.file(table))
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

func (a *accountant) run(result *Result, paid []ledger.Task) error {
	row := a.row()
	row.text("state", string(result.Run.State))
	row.opt("stop", result.Run.Message)
	row.time("started_at", result.Run.Started)
	row.time("ended_at", result.Run.Ended)
	var held ledger.Task
	for _, t := range result.Tasks {
		held.Rows += t.Rows
	}
	for _, t := range paid {
		held.Pages += t.Pages
		held.Units += t.Units
		held.Waste += t.Waste
		held.MaybeUnits += t.MaybeUnits
	}
	row.number("tasks", int64(len(result.Tasks)))
	row.number("tasks_complete", int64(len(result.Tasks)-len(result.Incomplete())))
	row.number("pages", int64(held.Pages))
	row.number("rows", held.Rows)
	row.number("units", int64(held.Units))
	row.number("waste_rows", held.Waste)
	row.number("maybe_units", int64(held.MaybeUnits))
	row.number("charged_units", int64(result.Charged))
	row.number("held_units", int64(result.HeldUnits))
	row.number("rejected_rows", result.Rejected)
	return row.done()
}

func (a *accountant) tasks(result *Result, published func(pipeline.Task) bool) error {
	for _, t := range result.Tasks {
		row := a.row()
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
		row.flag("published", published(t.Task))
		ending := t.Ending
		if ending == "" {
			ending = pipeline.EndNotReached
		}
		row.text("ending", string(ending))
		row.opt("error", t.Error)
		row.number("pages", int64(t.Pages))
		row.number("rows", t.Rows)
		row.number("units", int64(t.Units))
		row.number("waste_rows", t.Waste)
		row.number("maybe_units", int64(t.MaybeUnits))
		row.number("attempts", int64(t.Attempts))
		if missing, ok := result.missing(t.ID); ok {
			row.number("missing_units", int64(missing.Units))
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
	for _, t := range tasks {
		if isPlaceholder(t.Task) {
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
	byID := map[string]ledger.Task{}
	for _, t := range tasks {
		byID[t.ID] = t
	}
	for attempt, err := range j.Attempts(ctx) {
		if err != nil {
			return err
		}
		t, intended := byID[attempt.TaskID]
		if !intended {
			continue
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
	for _, t := range tasks {
		if isPlaceholder(t.Task) {
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
		for p, err := range j.Facts(ctx, t.ID) {
			if err != nil {
				return err
			}
			if t.ReusedFrom == "" {
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

func (a *accountant) spendOf(t ledger.Task, days map[string]*day) error {
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
		row.text("month", c.First.Month)
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
