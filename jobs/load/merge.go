package load

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/pipeline"
	"backhaul/schemas"
)

// merge writes the lists of several extracts for the same target and scope in the order of their ranks: a row of each
// in turn, since every extract's ranks count from 1. The lists that one extract has of them, for it asked with different
// parameters or at different times, follow each other.
func (l *loader) merge(ctx context.Context, table *schemas.Table, tasks []pipeline.Task, write func(arrow.RecordBatch) error) error {
	g := gatherer{write: write, schema: table.Arrow()}
	defer g.release()
	var heads []*head
	for len(tasks) > 0 {
		one := 1
		for one < len(tasks) && tasks[one].Extract == tasks[0].Extract {
			one++
		}
		next, stop := iter.Pull2(l.batches(ctx, table, tasks[:one]))
		defer stop()
		heads, tasks = append(heads, &head{next: next}), tasks[one:]
	}
	for len(heads) > 0 {
		alive := heads[:0]
		for _, h := range heads {
			ok, err := h.row(&g)
			if err != nil {
				return err
			}
			if ok {
				alive = append(alive, h)
			}
		}
		heads = alive
	}
	return g.flush()
}

// batches yields the rows of an extract's tasks, a batch per page.
func (l *loader) batches(ctx context.Context, table *schemas.Table, tasks []pipeline.Task) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		b := schemas.NewBuilder(memory.DefaultAllocator, table)
		defer b.Release()
		rank := int64(1)
		for _, t := range tasks {
			var err error
			if rank, err = l.list(ctx, t, rank, b, func() error {
				if b.Len() > 0 && !yield(b.Batch(), nil) {
					return context.Canceled
				}
				return nil
			}); err != nil {
				if err != context.Canceled {
					yield(nil, err)
				}
				return
			}
		}
	}
}

// head is the next row of one list.
type head struct {
	next  func() (arrow.RecordBatch, error, bool)
	batch arrow.RecordBatch
	at    int64
}

// row gives the list's next row to g. It reports false when the list has ended.
func (h *head) row(g *gatherer) (bool, error) {
	if h.batch == nil || h.at == h.batch.NumRows() {
		if h.batch != nil {
			h.batch.Release()
			h.batch = nil
		}
		batch, err, ok := h.next()
		if !ok || err != nil {
			return false, err
		}
		h.batch, h.at = batch, 0
	}
	h.at++
	return true, g.add(h.batch.NewSlice(h.at-1, h.at))
}

// sort writes the rows of tasks that are about many targets each in the order of target, scope and rank. It holds them
// all in memory: they are as many as the job names targets.
func (l *loader) sort(ctx context.Context, table *schemas.Table, tasks []pipeline.Task, write func(arrow.RecordBatch) error) error {
	b := schemas.NewBuilder(memory.DefaultAllocator, table)
	defer b.Release()
	for _, t := range tasks {
		if _, err := l.list(ctx, t, 1, b, func() error { return nil }); err != nil {
			return err
		}
	}
	all := b.Batch()
	defer all.Release()
	order := sorted(all, table)
	g := gatherer{write: write, schema: table.Arrow()}
	defer g.release()
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && order[to] == order[to-1]+1 && to-from < batchRows {
			to++
		}
		if err := g.add(all.NewSlice(order[from], order[from]+int64(to-from))); err != nil {
			return err
		}
		from = to
	}
	return g.flush()
}

// sorted returns the places of the batch's rows in the order of target, scope and rank, nulls first.
func sorted(batch arrow.RecordBatch, table *schemas.Table) []int64 {
	order := make([]int64, batch.NumRows())
	for i := range order {
		order[i] = int64(i)
	}
	targets := batch.Column(table.Index(schemas.ColTarget)).(*array.String)
	scopes := batch.Column(table.Index(schemas.ColScope)).(*array.String)
	ranks := batch.Column(table.Index(schemas.ColRank)).(*array.Int64)
	text := func(c *array.String, i int64) string {
		if c.IsNull(int(i)) {
			return "" // a target is never empty
		}
		return c.Value(int(i))
	}
	slices.SortStableFunc(order, func(i, j int64) int {
		return cmp.Or(cmp.Compare(text(targets, i), text(targets, j)), cmp.Compare(text(scopes, i), text(scopes, j)),
			cmp.Compare(ranks.Value(int(i)), ranks.Value(int(j))))
	})
	return order
}

// gatherer joins rows to batches.
type gatherer struct {
	write  func(arrow.RecordBatch) error // does not keep the batch
	schema *arrow.Schema
	rows   []arrow.RecordBatch
	count  int64
}

func (g *gatherer) add(rows arrow.RecordBatch) error {
	g.rows = append(g.rows, rows)
	if g.count += rows.NumRows(); g.count < batchRows {
		return nil
	}
	return g.flush()
}

func (g *gatherer) flush() error {
	if len(g.rows) == 0 {
		return nil
	}
	columns := make([]arrow.Array, g.schema.NumFields())
	defer func() {
		for _, c := range columns {
			if c != nil {
				c.Release()
			}
		}
	}()
	parts := make([]arrow.Array, len(g.rows))
	for i := range columns {
		for n, row := range g.rows {
			parts[n] = row.Column(i)
		}
		var err error
		if columns[i], err = array.Concatenate(parts, memory.DefaultAllocator); err != nil {
			return err
		}
	}
	batch := array.NewRecordBatch(g.schema, columns, g.count)
	defer batch.Release()
	g.release()
	return g.write(batch)
}

func (g *gatherer) release() {
	for _, row := range g.rows {
		row.Release()
	}
	g.rows, g.count = g.rows[:0], 0
}
