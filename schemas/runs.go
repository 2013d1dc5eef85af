package schemas

import (
	"bytes"
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// runs are the columns that are OfPage under construction. Their values are looked at once a page.
type runs struct {
	columns []runColumn
	page    Row // scratch
	rows    int // appended since the last run ended
}

// runColumn is one of them, with the value of its last run.
type runColumn struct {
	at   int
	typ  Type
	b    *array.RunEndEncodedBuilder
	last value
	some bool // there is a last run
}

func (r *runs) add(at int, b *array.RunEndEncodedBuilder, t Type) {
	r.columns = append(r.columns, runColumn{at: at, b: b, typ: t})
}

// begin says that the builders are empty.
func (r *runs) begin() {
	for i := range r.columns {
		r.columns[i].some = false
	}
}

// end adds the values of the rows since the last end, which all come from o. own is the number of the table's own columns.
func (r *runs) end(o *Origin, own int) {
	if r.rows == 0 {
		return
	}
	r.page.reset()
	o.fill(&r.page, own)
	for i := range r.columns {
		r.columns[i].add(&r.page.values[r.columns[i].at], uint64(r.rows))
	}
	r.rows = 0
}

func (c *runColumn) add(v *value, rows uint64) {
	if c.some && c.last.valid == v.valid && c.last.num == v.num && bytes.Equal(c.last.text, v.text) {
		c.b.ContinueRun(rows)
		return
	}
	c.b.Append(rows)
	appendValue(c.b.ValueBuilder(), c.typ, v)
	c.last.valid, c.last.num, c.last.text, c.some = v.valid, v.num, append(c.last.text[:0], v.text...), true
}

// decoded returns a batch of the table's ArrowRuns as one of its Arrow.
func decoded(mem memory.Allocator, batch arrow.RecordBatch, t *Table) arrow.RecordBatch {
	ctx := compute.WithAllocator(context.Background(), mem)
	columns := make([]arrow.Array, batch.NumCols())
	for i, c := range batch.Columns() {
		if c.DataType().ID() != arrow.RUN_END_ENCODED {
			c.Retain()
			columns[i] = c
			continue
		}
		var err error
		if columns[i], err = compute.RunEndDecodeArray(ctx, c); err != nil {
			panic(fmt.Sprintf("schemas: decode runs of %s: %v", t.columns[i].Name, err)) // the types are our own
		}
	}
	defer func() {
		for _, c := range columns {
			c.Release()
		}
	}()
	return array.NewRecordBatch(t.Arrow(), columns, batch.NumRows())
}
