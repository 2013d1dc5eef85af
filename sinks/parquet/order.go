package parquet

import (
	"cmp"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// order holds the rows to the order that the file declares in its sorting columns: readers may skip work on the
// strength of that declaration, so a file that breaks it would answer wrongly.
type order struct {
	names []string
	at    []int  // columns, the most significant first
	last  []cell // of the last row, nil before there is one
}

// cell is the value of a row in one column: where it stands in an array.
type cell struct {
	values arrow.Array
	at     int
}

// check reports the first row that sorts before the one ahead of it. first is the number of the batch's first
// row in the file, for the message.
func (o *order) check(batch arrow.RecordBatch, first int64) error {
	if len(o.at) == 0 || batch.NumRows() == 0 {
		return nil
	}
	columns := make([]places, len(o.at))
	row := make([]cell, len(o.at))
	for n, at := range o.at {
		columns[n] = placesOf(batch.Column(at))
		row[n].values = columns[n].values
	}
	before := o.last
	for i := range int(batch.NumRows()) {
		for n := range columns {
			row[n].at = columns[n].of(i)
		}
		if before != nil && compare(before, row) > 0 {
			return o.broken(first + int64(i))
		}
		if i == 0 {
			before = make([]cell, len(row))
		}
		copy(before, row)
	}
	o.keep(before)
	return nil
}

func (o *order) broken(row int64) error {
	return fmt.Errorf("row %d is out of order: rows come sorted by %v", row, o.names)
}

// keep remembers the last row.
func (o *order) keep(row []cell) {
	for _, c := range row {
		c.values.Retain()
	}
	o.release()
	o.last = row
}

func (o *order) release() {
	for _, c := range o.last {
		c.values.Release()
	}
	o.last = nil
}

func compare(a, b []cell) int {
	for n := range a {
		if a[n] == b[n] {
			continue // the rows are of one run
		}
		if c := compareAt(a[n].values, b[n].values, a[n].at, b[n].at); c != 0 {
			return c
		}
	}
	return 0
}

// places finds the values of rows, which are asked for in their order.
type places struct {
	values arrow.Array
	ends   []int32 // of runs; nil where every row has a value
	offset int
	at     int
}

func placesOf(a arrow.Array) places {
	runs, ok := a.(*array.RunEndEncoded)
	if !ok {
		return places{values: a}
	}
	return places{values: runs.Values(), ends: runs.RunEndsArr().(*array.Int32).Int32Values(), offset: runs.Offset(), at: runs.GetPhysicalOffset()}
}

func (p *places) of(row int) int {
	if p.ends == nil {
		return row
	}
	for int(p.ends[p.at]) <= row+p.offset {
		p.at++
	}
	return p.at
}

// compareAt compares as Parquet orders: nulls first, strings by their bytes. Types that have no order are equal.
func compareAt(a, b arrow.Array, i, j int) int {
	if a.IsNull(i) || b.IsNull(j) {
		return bit(a.IsValid(i)) - bit(b.IsValid(j))
	}
	switch a := a.(type) {
	case *array.String:
		return cmp.Compare(a.Value(i), b.(*array.String).Value(j))
	case *array.Int64:
		return cmp.Compare(a.Value(i), b.(*array.Int64).Value(j))
	case *array.Int32:
		return cmp.Compare(a.Value(i), b.(*array.Int32).Value(j))
	case *array.Float64:
		return cmp.Compare(a.Value(i), b.(*array.Float64).Value(j))
	case *array.Date32:
		return cmp.Compare(a.Value(i), b.(*array.Date32).Value(j))
	case *array.Timestamp:
		return cmp.Compare(a.Value(i), b.(*array.Timestamp).Value(j))
	case *array.Boolean:
		return bit(a.Value(i)) - bit(b.(*array.Boolean).Value(j))
	}
	return 0
}
