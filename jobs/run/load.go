package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

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

	places map[string]journal.Place

	rejected     []schemas.Rejection
	rejectedRows int64
	waste        map[string]int64 // by task: rows bought again by restarted lists
}

// staged is one table of the run, verified, waiting to be published.
type staged struct {
	table *schemas.Table
	file  sinks.Staged
}

// load writes one file per table, in the order of the tables' names. When it fails no file is left.
func (l *loader) load(ctx context.Context, tasks []pipeline.Task) (files []staged, err error) {
	l.waste = map[string]int64{}
	byTable := map[*schemas.Table][]pipeline.Task{}
	for _, t := range tasks {
		source, err := l.sources(t)
		if err != nil {
			return nil, err
		}
		table := source.Endpoint().Table
		byTable[table] = append(byTable[table], t)
	}
	for _, table := range schemas.All() {
		if len(byTable[table]) == 0 {
			continue
		}
		file, err := l.table(ctx, table, byTable[table])
		if err != nil {
			return files, fmt.Errorf("load %s: %w", table.FullName(), err)
		}
		files = append(files, staged{table: table, file: file})
	}
	return files, nil
}

// table writes the rows of the tasks, sorted by target, scope and rank.
func (l *loader) table(ctx context.Context, table *schemas.Table, tasks []pipeline.Task) (sinks.Staged, error) {
	w, err := l.create(table)
	if err != nil {
		return sinks.Staged{}, err
	}
	slices.SortStableFunc(tasks, func(a, b pipeline.Task) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Extract, b.Extract), cmp.Compare(a.ID, b.ID))
	})
	b := schemas.NewBuilder(memory.DefaultAllocator, table)
	defer b.Release()
	for len(tasks) > 0 && err == nil {
		same := 1
		for same < len(tasks) && tasks[same].Target == tasks[0].Target && tasks[same].Scope == tasks[0].Scope {
			same++
		}
		if same == 1 {
			err = l.list(ctx, tasks[0], b, func() error { return flush(b, w, batchRows) })
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

// flush hands the builder's rows to the writer if there are at least so many.
func flush(b *schemas.Builder, w sinks.Writer, atLeast int) error {
	if b.Len() < atLeast {
		return nil
	}
	batch := b.Batch()
	defer batch.Release()
	return w.Write(batch)
}

// list decodes the pages of one task into the builder, and calls after behind every page.
func (l *loader) list(ctx context.Context, t pipeline.Task, b *schemas.Builder, after func() error) error {
	source, err := l.sources(t)
	if err != nil {
		return err
	}
	header := l.journal.Header()
	o := schemas.Origin{
		Task: t.ID, Target: t.Target, TargetAsGiven: t.TargetAsGiven, Scope: t.Scope,
		Job: header.Job, Extract: t.Extract, RunID: header.RunID, RunDate: l.runDate, Surface: t.Surface, Rank: 1,
	}
	if l.places[t.ID].Chain > 0 {
		o.Held = schemas.NewHeld(b.Table())
		defer func() { l.waste[t.ID] = o.Held.Dropped() }()
	}
	chain := 0
	for page, err := range l.journal.Pages(ctx, t.ID) {
		if err != nil {
			return err
		}
		if page.Repeated {
			continue // its rows are held already
		}
		if page.Chain != chain {
			chain = page.Chain
			o.Held.Restart()
		}
		if o.FetchedAt, o.PageSeq = page.FetchedAt, int32(page.Seq); t.MaxRows > 0 {
			if o.Most = t.MaxRows - (o.Rank - 1); o.Most <= 0 {
				return nil
			}
		}
		b.Begin(o)
		if err := source.Decode(page, b); err != nil {
			return fmt.Errorf("decode page %d of %s/%s: %w", page.Seq, t.Extract, t.Target, err)
		}
		o.Rank = b.NextRank()
		l.reject(b.Rejected())
		if err := after(); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// reject keeps rejected rows for ops.rejected_rows. The journal has them all; memory keeps so many.
func (l *loader) reject(rows []schemas.Rejection) {
	const most = 100_000
	l.rejectedRows += int64(len(rows))
	l.rejected = append(l.rejected, rows[:min(len(rows), most-len(l.rejected))]...)
}
