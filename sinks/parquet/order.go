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
	at    []int // columns, the most significant first
	last  arrow.RecordBatch
}

// check reports the first row that sorts before the one ahead of it. first is the number of the batch's first
// row in the file, for the message.
func (o *order) check(batch arrow.RecordBatch, first int64) error {
	if len(o.at) == 0 || batch.NumRows() == 0 {
		return nil
	}
	if o.last != nil {
		if o.compare(o.last, batch, int(o.last.NumRows())-1, 0) > 0 {
			return o.broken(first)
		}
	}
	for row := 1; row < int(batch.NumRows()); row++ {
		if o.compare(batch, batch, row-1, row) > 0 {
			return o.broken(first + int64(row))
		}
	}
	o.release()
	o.last = batch.NewSlice(batch.NumRows()-1, batch.NumRows())
	return nil
}

func (o *order) broken(row int64) error {
	return fmt.Errorf("row %d is out of order: rows come sorted by %v", row, o.names)
}

func (o *order) release() {
	if o.last != nil {
		o.last.Release()
		o.last = nil
	}
}

func (o *order) compare(a, b arrow.RecordBatch, i, j int) int {
	for _, at := range o.at {
		if c := compareAt(a.Column(at), b.Column(at), i, j); c != 0 {
			return c
		}
	}
	return 0
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
