package parquet

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/schemas"
	"backhaul/sinks"
)

// fit returns the batch's rows in the table's columns. A column that the table does not have is an error rather than
// left out: whoever rewrites the rows would lose it.
func fit(batch arrow.RecordBatch, t *schemas.Table) (arrow.RecordBatch, error) {
	for _, f := range batch.Schema().Fields() {
		if t.Index(f.Name) < 0 {
			return nil, fmt.Errorf("column %s: %s has none of that name: %w", f.Name, t.FullName(), sinks.ErrColumns)
		}
	}
	columns := make([]arrow.Array, len(t.Columns()))
	defer func() {
		for _, c := range columns {
			if c != nil {
				c.Release()
			}
		}
	}()
	for i, f := range t.Arrow().Fields() {
		at := batch.Schema().FieldIndices(f.Name)
		if len(at) == 0 {
			columns[i] = array.MakeArrayOfNull(memory.DefaultAllocator, f.Type, int(batch.NumRows()))
			continue
		}
		var err error
		if columns[i], err = cast(batch.Column(at[0]), f.Type); err != nil {
			return nil, fmt.Errorf("column %s: %w: %w", f.Name, err, sinks.ErrColumns)
		}
	}
	return array.NewRecordBatch(t.Arrow(), columns, batch.NumRows()), nil
}

// cast returns the values in another type. Whether a value is changed by it is seen by casting it back.
func cast(a arrow.Array, to arrow.DataType) (arrow.Array, error) {
	if arrow.TypeEqual(a.DataType(), to) {
		a.Retain()
		return a, nil
	}
	there, err := compute.CastArray(context.Background(), a, compute.SafeCastOptions(to))
	if err != nil {
		return nil, fmt.Errorf("%s as %s: %w", a.DataType(), to, err)
	}
	back, err := compute.CastArray(context.Background(), there, compute.SafeCastOptions(a.DataType()))
	if err != nil || !array.Equal(a, back) {
		there.Release()
		return nil, fmt.Errorf("%s as %s: a value would change", a.DataType(), to)
	}
	back.Release()
	return there, nil
}
