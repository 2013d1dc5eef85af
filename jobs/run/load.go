package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/schemas"
	"backhaul/sinks"
)

// batchRows is how many rows are handed to a writer at once: batches of a vendor's page cost three to four times as
// much in pqarrow.
const batchRows = 8192

// loader turns the pages of a run into staged files.
type loader struct {
	journal *journal.Journal
	sources func(t pipeline.Task) (pipeline.Source, error)
	create  func(t *schemas.Table) (sinks.Writer, error)
	runDate arrow.Date32

	places map[string]pipeline.Place
	// held are tables to leave out, emptied those to write even if no task fills them. Default none.
	held, emptied map[*schemas.Table]bool

	indexes []journal.Index // nil until they are needed

	rejected     []schemas.Rejection
	rejectedRows int64
	waste        map[string]int64 // by task: rows bought again, of which the table has one
}

// staged is one table of the run, verified, waiting to be published.
type staged struct {
	table *schemas.Table
	file  sinks.Staged
	// beside: no task's own table, but one that replies may fill beside it, and mostly do not.
	beside bool
}

// load writes one file per table, in the order of the tables' names. When it fails no file is left.
func (l *loader) load(ctx context.Context, tasks []pipeline.Task) (files []staged, err error) {
	byTable, own := map[*schemas.Table][]pipeline.Task{}, map[*schemas.Table]bool{}
	for _, t := range real(tasks) {
		source, err := l.sources(t)
		if err != nil {
			return nil, err
		}
		own[source.Endpoint().Table] = true
		for _, table := range source.Endpoint().Tables() {
			byTable[table] = append(byTable[table], t)
		}
	}
	for _, table := range schemas.All() {
		if l.held[table] || len(byTable[table]) == 0 && !l.emptied[table] {
			continue
		}
		file, err := l.table(ctx, table, byTable[table])
		if err != nil {
			return files, fmt.Errorf("load %s: %w", table.FullName(), err)
		}
		files = append(files, staged{table: table, file: file, beside: !own[table]})
	}
	return files, nil
}

// table writes the rows of the tasks, sorted by target, scope and rank.
func (l *loader) table(ctx context.Context, table *schemas.Table, tasks []pipeline.Task) (sinks.Staged, error) {
	if l.waste == nil {
		l.waste = map[string]int64{}
	}
	w, err := l.create(table)
	if err != nil {
		return sinks.Staged{}, err
	}
	slices.SortStableFunc(tasks, func(a, b pipeline.Task) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Extract, b.Extract), cmp.Compare(a.ID, b.ID))
	})
	b := schemas.NewBuilder(memory.DefaultAllocator, table)
	defer b.Release()
	var batched []pipeline.Task
	if tasks, batched, err = l.apart(tasks); len(batched) > 0 && err == nil {
		err = l.sort(ctx, table, append(batched, tasks...), w)
		tasks = nil
	}
	for len(tasks) > 0 && err == nil {
		same := 1
		for same < len(tasks) && tasks[same].Target == tasks[0].Target && tasks[same].Scope == tasks[0].Scope {
			same++
		}
		if same == 1 {
			_, err = l.list(ctx, tasks[0], 1, b, func() error { return flush(b, w, batchRows) })
		} else if err = flush(b, w, 1); err == nil {
			err = l.merge(ctx, table, tasks[:same], w)
		}
		tasks = tasks[same:]
	}
	if err == nil {
		err = flush(b, w, 1)
	}
	if err != nil {
		return sinks.Staged{}, errors.Join(err, w.Abort())
	}
	return w.Close()
}

// apart tells tasks whose rows are all about one target from those that are about many.
func (l *loader) apart(tasks []pipeline.Task) (single, batched []pipeline.Task, err error) {
	for _, t := range tasks {
		source, err := l.sources(t)
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

// flush hands the builder's rows to the writer if there are at least so many.
func flush(b *schemas.Builder, w sinks.Writer, atLeast int) error {
	if b.Len() < atLeast {
		return nil
	}
	batch := b.Batch()
	defer batch.Release()
	return w.Write(batch)
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
	source, err := l.sources(t)
	if err != nil {
		return first, err
	}
	if l.indexes == nil && b.Table().Indexed() {
		if l.indexes, err = l.journal.Indexes(ctx); err != nil {
			return first, err
		}
	}
	header, place := l.journal.Header(), l.places[t.ID]
	r := reading{loader: l, task: t, source: source, b: b, after: after, first: first, origin: schemas.Origin{
		Task: t.ID, Target: t.Target, TargetAsGiven: t.TargetAsGiven, Scope: t.Scope,
		Job: header.Job, Extract: t.Extract, RunID: header.RunID, RunDate: l.runDate, Surface: t.Surface, Rank: first,
	}, main: b.Table() == source.Endpoint().Table}
	if source.Endpoint().Asks == pipeline.AboutTargets {
		r.origin.AsGiven = spellings(t)
	}
	if place.Pages > 1 && !r.finite() {
		if r.repeats, err = l.journal.Repeated(ctx, t.ID); err != nil {
			return first, err
		}
	}
	switch {
	case r.repeats:
		r.origin.Held = schemas.NewList(b.Table())
	case place.Chain > 0:
		r.origin.Held = schemas.NewHeld(b.Table())
	}
	for chain := place.Chain; chain >= 0 && !r.full(); chain-- {
		if err := r.chain(ctx, chain); err != nil {
			return first, err
		}
	}
	if r.main && r.origin.Held != nil {
		l.waste[t.ID] = r.waste(place)
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
	for page, err := range r.journal.Pages(ctx, r.task.ID) {
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
	}
	return nil
}

// finite: the task is a batch, whose inputs may have answers alike.
func (r *reading) finite() bool { return len(r.task.Inputs) > 0 }

func (r *reading) page(page pipeline.Page) error {
	o := &r.origin
	o.FetchedAt, o.PageSeq = page.FetchedAt, int32(page.Seq)
	o.IndexID = r.indexAt(vendorOf(r.task), page.FetchedAt)
	if r.task.MaxRows > 0 && r.main {
		o.Most = r.task.MaxRows - r.rows()
	}
	r.b.Begin(*o)
	if err := r.source.Decode(page, r.b); err != nil {
		return fmt.Errorf("decode page %d of %s/%s: %w", page.Seq, r.task.Extract, r.task.Target, err)
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

// reject keeps rejected rows for ops.rejected_rows.
func (l *loader) reject(rows []schemas.Rejection) {
	const most = MostRejected
	l.rejectedRows += int64(len(rows))
	l.rejected = append(l.rejected, rows[:min(len(rows), most-len(l.rejected))]...)
}
