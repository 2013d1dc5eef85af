package parquet

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// output is a Parquet file under way. It takes the place of pqarrow.FileWriter (v18.8.0), which counts the values of every
// dictionary array for its statistics, a row at a time, and puts all of its rows on one page.
type output struct {
	*file.Writer
	fields []arrow.Field
	mem    memory.Allocator
}

// newOutput begins a file of the schema's columns: of the types in package schemas.
func newOutput(mem memory.Allocator, s *arrow.Schema, w io.Writer, props *pq.WriterProperties) (*output, error) {
	columns, err := pqarrow.ToParquet(s, props, pqarrow.NewArrowWriterProperties())
	if err != nil {
		return nil, err
	}
	md := metadata.KeyValueMetadata{}
	for i, key := range s.Metadata().Keys() {
		if err := md.Append(key, s.Metadata().Values()[i]); err != nil {
			return nil, err
		}
	}
	out, err := file.NewParquetWriterWithError(w, columns.Root(), file.WithWriterProps(props), file.WithWriteMetadata(md))
	if err != nil {
		return nil, err
	}
	return &output{Writer: out, fields: s.Fields(), mem: mem}, nil
}

// writeGroup writes the columns as one row group, one after the other, so that the encoded pages of only one are in
// memory.
func (o *output) writeGroup(columns []*arrow.Chunked) error {
	group, err := o.AppendRowGroupChecked()
	if err != nil {
		return err
	}
	for i, c := range columns {
		column, err := group.NextColumn()
		if err != nil {
			return err
		}
		if err := o.writeColumn(column, c, o.fields[i].Nullable); err != nil {
			return fmt.Errorf("column %s: %w", o.fields[i].Name, err)
		}
	}
	return group.Close()
}

func (o *output) writeColumn(column file.ColumnChunkWriter, c *arrow.Chunked, nullable bool) error {
	if _, runs := c.DataType().(*arrow.RunEndEncodedType); runs {
		return o.writeRuns(column, c, nullable)
	}
	for _, chunk := range c.Chunks() {
		if err := o.writeRows(column, chunk, nullable); err != nil {
			return err
		}
	}
	return nil
}

// writeRows writes an array that is not run-end encoded.
func (o *output) writeRows(column file.ColumnChunkWriter, a arrow.Array, nullable bool) error {
	props := pqarrow.NewArrowWriterProperties(pqarrow.WithAllocator(o.mem))
	ctx := pqarrow.NewArrowWriteContext(context.Background(), &props)
	list, ok := a.(*array.List)
	if !ok {
		return pqarrow.WriteArrowToColumn(ctx, column, a, defined(a, nullable), nil, nullable)
	}
	def, rep, elements, err := levels(list, nullable)
	if err != nil {
		return err
	}
	defer elements.Release()
	return pqarrow.WriteArrowToColumn(ctx, column, elements, def, rep, true)
}

// defined returns the definition levels of an array's rows: 0 for a null, 1 for a value; nil for a column that has no nulls.
func defined(a arrow.Array, nullable bool) []int16 {
	if !nullable {
		return nil
	}
	levels := make([]int16, a.Len())
	for i := range levels {
		if a.IsValid(i) {
			levels[i] = 1
		}
	}
	return levels
}

// levels returns the definition and repetition levels of lists, and their elements, which the caller releases.
func levels(a *array.List, nullable bool) (def, rep []int16, elements arrow.Array, err error) {
	there := int16(0) // the level of a list that has no elements
	if nullable {
		there = 1
	}
	first, last := int64(0), int64(0)
	for i := range a.Len() {
		from, to := a.ValueOffsets(i)
		if i == 0 {
			first = from
		}
		last = to
		switch {
		case a.IsNull(i) && from < to:
			return nil, nil, nil, errors.New("a list that is null has elements")
		case a.IsNull(i):
			def, rep = append(def, 0), append(rep, 0)
		case from == to:
			def, rep = append(def, there), append(rep, 0)
		}
		for at := from; at < to; at++ {
			value, again := there+1, int16(1)
			if a.ListValues().IsValid(int(at)) {
				value++
			}
			if at == from {
				again = 0
			}
			def, rep = append(def, value), append(rep, again)
		}
	}
	return def, rep, array.NewSlice(a.ListValues(), first, last), nil
}
