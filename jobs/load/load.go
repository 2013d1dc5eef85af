// Package load turns the pages of a run's journal into staged files: one per table, each row once, sorted by target, scope
// and rank.
//
// It reads the journal only, so what it wrote can be written again at any time, for free. It knows neither who buys pages nor
// what becomes of the files.
package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/schemas"
	"backhaul/sinks"
)

// Config is what is loaded, and where to. All fields without a default are required.
type Config struct {
	Journal *journal.Journal
	// Sources delivers the source that reads a task's pages.
	Sources func(t pipeline.Task) (pipeline.Source, error)
	// Create begins a staged file of a table.
	Create  func(t *schemas.Table) (sinks.Writer, error)
	RunDate time.Time
	// Places is how far the tasks have come.
	Places map[string]pipeline.Place
	// Held are tables to leave out, Emptied those to write even if no task fills them. Default none.
	Held, Emptied map[*schemas.Table]bool
	// Observe is told of every page that is loaded, by one goroutine at a time. Default none.
	Observe func(Progress)
}

// Progress is how far loading has come.
type Progress struct {
	// Table is the one that is written.
	Table string
	// Pages is how many pages have been read, Of how many there are at most. One that fills several tables counts for each.
	Pages, Of int64
}

// Staged is one table of the run, verified, waiting to be published.
type Staged struct {
	Table *schemas.Table
	File  sinks.Staged
	// Beside: no task's own table, but one that replies may fill beside it, and mostly do not.
	Beside bool
}

// Loaded is what loading has brought to light.
type Loaded struct {
	Files []Staged
	// Rejected are rows that did not fit their table, at most MostRejected of RejectedRows.
	Rejected     []schemas.Rejection
	RejectedRows int64
	// Misfits are RejectedRows by task, table and field.
	Misfits map[Misfit]*Misfits
	// Rows is how many rows each task's own table has of it.
	Rows map[string]int64
	// Waste is how many rows of a task were bought again, of which the table has one.
	Waste map[string]int64
	// Drift is how replies differ from what their tables expect; Answers is which fields they had.
	Drift   map[Field]*schemas.Drift
	Answers map[Question]*Answer
}

// Misfit is what rows of a task are rejected for. Field is "" where it is not one field alone.
type Misfit struct{ Task, Table, Field string }

// Misfits are such rows: how many, and why the first was.
type Misfits struct {
	Rows   int64
	Reason string
}

// Field is a field of the replies of an extract, and how it differs from what their table expects.
type Field struct {
	Table, Extract, Surface, Field string
	Kind                           schemas.DriftKind
}

// Question is what an extract asks of a vendor, whatever the target: the answers have the same fields.
type Question struct{ Table, Extract, Surface, Asked string }

// Answer is what came.
type Answer struct {
	Rows   int64
	Fields map[string]bool // those that some row had
}

// All writes one file per table, in the order of the tables' names. When it fails no file is left.
func All(ctx context.Context, c Config, tasks []pipeline.Task) (*Loaded, error) {
	l := newLoader(c)
	err := l.all(ctx, tasks)
	return &l.Loaded, err
}

// Table writes the rows of the tasks that one table has, and returns how many do not fit it.
func Table(ctx context.Context, c Config, table *schemas.Table, tasks []pipeline.Task) (file sinks.Staged, rejected int64, err error) {
	l := newLoader(c)
	file, err = l.table(ctx, table, tasks)
	return file, l.RejectedRows, err
}

// batchRows is how many rows are handed to a writer at once: batches of a vendor's page cost three to four times as
// much in pqarrow.
const batchRows = 8192

// loader is a Config at work.
type loader struct {
	Config
	Loaded
	runDate arrow.Date32
	indexes []journal.Index // nil until they are needed
	far     *progress
}

// progress is how far all have come that read for a loader.
type progress struct {
	mu sync.Mutex
	Progress
}

func newLoader(c Config) *loader {
	if c.Observe == nil {
		c.Observe = func(Progress) {}
	}
	return &loader{Config: c, runDate: arrow.Date32FromTime(c.RunDate), far: &progress{}, Loaded: nothing()}
}

// nothing has come to light yet.
func nothing() Loaded {
	return Loaded{Rejected: []schemas.Rejection{}, Misfits: map[Misfit]*Misfits{}, Rows: map[string]int64{}, Waste: map[string]int64{},
		Drift: map[Field]*schemas.Drift{}, Answers: map[Question]*Answer{}}
}

// another is a loader of the same, for other tasks.
func (l *loader) another() *loader {
	other := *l
	other.Loaded = nothing()
	return &other
}

// passed notes that another page of a table has been read.
func (l *loader) passed(t *schemas.Table) {
	l.far.mu.Lock()
	defer l.far.mu.Unlock()
	l.far.Table, l.far.Pages = t.FullName(), l.far.Pages+1
	l.Observe(l.far.Progress)
}

func (l *loader) all(ctx context.Context, tasks []pipeline.Task) error {
	byTable, own := map[*schemas.Table][]pipeline.Task{}, map[*schemas.Table]bool{}
	for _, t := range tasks {
		source, err := l.Sources(t)
		if err != nil {
			return err
		}
		own[source.Endpoint().Table] = true
		for _, table := range source.Endpoint().Tables() {
			byTable[table] = append(byTable[table], t)
			if !l.Held[table] {
				l.far.Of += int64(l.Places[t.ID].Pages)
			}
		}
	}
	for _, table := range schemas.All() {
		if l.Held[table] || len(byTable[table]) == 0 && !l.Emptied[table] {
			continue
		}
		file, err := l.table(ctx, table, byTable[table])
		if err != nil {
			return fmt.Errorf("load %s: %w", table.FullName(), err)
		}
		l.Files = append(l.Files, Staged{Table: table, File: file, Beside: !own[table]})
	}
	return nil
}

// table writes the rows of the tasks, sorted by target, scope and rank.
func (l *loader) table(ctx context.Context, table *schemas.Table, tasks []pipeline.Task) (sinks.Staged, error) {
	w, err := l.Create(table)
	if err != nil {
		return sinks.Staged{}, err
	}
	slices.SortStableFunc(tasks, func(a, b pipeline.Task) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Extract, b.Extract), cmp.Compare(a.ID, b.ID))
	})
	single, batched, err := l.apart(tasks)
	switch {
	case err != nil:
	case len(batched) > 0:
		err = l.sort(ctx, table, append(batched, single...), w.Write)
	default:
		err = l.together(ctx, table, l.parts(single), w.Write)
	}
	if err != nil {
		return sinks.Staged{}, errors.Join(err, w.Abort())
	}
	return w.Close()
}

// apart tells tasks whose rows are all about one target from those that are about many.
func (l *loader) apart(tasks []pipeline.Task) (single, batched []pipeline.Task, err error) {
	for _, t := range tasks {
		source, err := l.Sources(t)
		switch {
		case err != nil:
			return nil, nil, err
		case source.Endpoint().Asks == pipeline.AboutTargets:
			batched = append(batched, t)
		default:
			single = append(single, t)
		}
	}
	return single, batched, nil
}

// list decodes the pages of one task into the builder, with ranks from first on, and calls after behind every page. It returns
// the rank behind the last.
//
// A list whose cursor died has been read in several chains, each from the start. The latest comes first, as far as it
// goes, then what only the earlier ones have, the later of them first. Of a list that did not change in between, that is
// its order and each row once, wherever the chains broke off. Of one that did, the latest chain is as the vendor gave it,
// with its ranks and its values; behind it stand rows that an earlier chain brought and the latest has lost or has not
// reached. In no case is a row (by its table's key) there more often than some one chain brought it.
//
// Within a chain nothing is dropped: a vendor whose list moves while it is paged through delivers rows at the seams
// twice, or never, and no cursor tells. The key finds the former; the latter are found by nobody. Only of a list that was
// found to repeat itself rows are dropped that a page before had brought, as often as one page had them.
func (l *loader) list(ctx context.Context, t pipeline.Task, first int64, b *schemas.Builder, after func() error) (next int64, err error) {
	source, err := l.Sources(t)
	if err != nil {
		return first, err
	}
	if l.indexes == nil && b.Table().Indexed() {
		if l.indexes, err = l.Journal.Indexes(ctx); err != nil {
			return first, err
		}
	}
	header, place := l.Journal.Header(), l.Places[t.ID]
	r := reading{loader: l, task: t, source: source, b: b, after: after, first: first, origin: schemas.Origin{
		Task: t.ID, Target: t.Target, TargetAsGiven: t.TargetAsGiven, Scope: t.Scope,
		Job: header.Job, Extract: t.Extract, RunID: header.RunID, RunDate: l.runDate, Surface: t.Surface, Rank: first,
	}, main: b.Table() == source.Endpoint().Table}
	if source.Endpoint().Asks == pipeline.AboutTargets {
		r.origin.AsGiven = spellings(t)
	}
	if place.Pages > 1 && !r.finite() {
		if r.repeats, err = l.Journal.Repeated(ctx, t.ID); err != nil {
			return first, err
		}
	}
	switch {
	case r.repeats:
		r.origin.Held = schemas.NewList(b.Table())
	case place.Chain > 0:
		r.origin.Held = schemas.NewHeld(b.Table())
	}
	before := b.Appended()
	for chain := place.Chain; chain >= 0 && !r.full(); chain-- {
		if err := r.chain(ctx, chain); err != nil {
			return first, err
		}
	}
	l.observe(t, b, b.Appended()-before, r.main)
	if r.main && r.origin.Held != nil {
		l.Waste[t.ID] = r.waste(place)
	}
	return r.origin.Rank, ctx.Err()
}

// reading is the list of one task on its way into a builder.
type reading struct {
	*loader
	task     pipeline.Task
	source   pipeline.Source
	b        *schemas.Builder
	after    func() error
	first    int64          // rank of the first row
	origin   schemas.Origin // of the next page
	rejected int64
	repeats  bool // rows came again within a chain
	main     bool // the builder is of the endpoint's own table, not of one beside it
}

// indexAt is the vendor's index at a time, as it was last said before; "" if it was not.
func (l *loader) indexAt(vendor string, at time.Time) (id string) {
	for _, x := range l.indexes {
		if x.Vendor == vendor && !x.At.After(at) {
			id = x.ID
		}
	}
	return id
}

// spellings returns how the spec spelled the targets of a batch.
func spellings(t pipeline.Task) map[string]string {
	asGiven := make(map[string]string, len(t.Inputs))
	for _, in := range t.Inputs {
		asGiven[in.Target] = in.TargetAsGiven
	}
	return asGiven
}

// chain decodes the pages of one chain.
func (r *reading) chain(ctx context.Context, chain int) error {
	if r.origin.Held != nil {
		r.origin.Held.Restart()
	}
	for page, err := range r.Journal.Pages(ctx, r.task.ID) {
		switch {
		case err != nil:
			return err
		case page.Chain != chain:
			continue
		case r.full():
			return nil
		}
		if err := r.page(page); err != nil {
			return err
		}
		if r.repeats {
			r.origin.Held.Restart()
		}
		r.passed(r.b.Table())
	}
	return nil
}

// finite: the task is a batch, whose inputs may have answers alike.
func (r *reading) finite() bool { return len(r.task.Inputs) > 0 }

func (r *reading) page(page pipeline.Page) error {
	o := &r.origin
	o.FetchedAt, o.PageSeq = page.FetchedAt, int32(page.Seq)
	o.IndexID = r.indexAt(r.task.Vendor(), page.FetchedAt)
	if r.task.MaxRows > 0 && r.main {
		o.Most = r.task.MaxRows - r.rows()
	}
	r.b.Begin(*o)
	if err := r.source.Decode(page, r.b); err != nil {
		return fmt.Errorf("decode reply %d of %s/%s: %w", page.Seq, r.task.Extract, r.task.Target, err)
	}
	o.Rank = r.b.NextRank()
	rejected := r.b.Rejected()
	r.rejected += int64(len(rejected))
	r.reject(rejected)
	return r.after()
}

// rows is how many rows of the task the table has got.
func (r *reading) rows() int64 { return r.origin.Rank - r.first }

// full reports whether the table has all the rows the task asks for.
func (r *reading) full() bool { return r.main && r.task.MaxRows > 0 && r.rows() >= r.task.MaxRows }

// waste is how many of the rows held were bought again: neither did they come to the table, nor were they rejected, nor
// are they what the last page of max_rows brought too many, which a list read at once brings as well.
func (r *reading) waste(place pipeline.Place) int64 {
	waste := place.Rows - r.rows() - r.rejected
	if r.task.MaxRows > 0 {
		waste -= max(0, place.ChainRows-r.task.MaxRows)
	}
	return max(0, waste)
}

// MostRejected is how many rejected rows ops.rejected_rows gets of a run at most. The journal has them all.
const MostRejected = 100_000

// observe adds up what the rows of a task's list were, and had.
func (l *loader) observe(t pipeline.Task, b *schemas.Builder, rows int64, main bool) {
	if main {
		l.Rows[t.ID] = rows
	}
	table := b.Table().FullName()
	for _, d := range b.Drift() {
		at(l.Drift, Field{table, t.Extract, t.Surface, d.Field, d.Kind}, schemas.Drift{Field: d.Field, Kind: d.Kind, Example: d.Example}).Rows += d.Rows
	}
	asked := pipeline.Task{Endpoint: t.Endpoint, Surface: t.Surface, Params: t.Params}.Request()
	a := at(l.Answers, Question{table, t.Extract, t.Surface, asked}, Answer{Fields: map[string]bool{}})
	a.Rows += rows
	for _, field := range b.Fields() {
		a.Fields[field] = true
	}
}

// at returns the value at the key, which is the given one if there was none.
func at[K comparable, V any](all map[K]*V, key K, first V) *V {
	if all[key] == nil {
		all[key] = &first
	}
	return all[key]
}

// reject counts rejected rows, and keeps them for ops.rejected_rows.
func (l *loader) reject(rows []schemas.Rejection) {
	for _, one := range rows {
		at(l.Misfits, Misfit{one.Origin.Task, one.Table, one.Field}, Misfits{Reason: one.Reason}).Rows++
	}
	l.keep(int64(len(rows)), rows)
}

// keep counts so many rejected rows, and keeps those at hand as far as there is room.
func (l *Loaded) keep(count int64, rows []schemas.Rejection) {
	l.RejectedRows += count
	l.Rejected = append(l.Rejected, rows[:min(len(rows), MostRejected-len(l.Rejected))]...)
}
