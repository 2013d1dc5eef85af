package parquet

import (
	"fmt"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/schemas"
)

// A writer has the columns that are the same for all rows of a page (schemas.Table.OfPage) as runs of equal values, whichever
// way they come. It checks and adds them up a run at a time, and hands them to arrow-go as dictionaries, which that
// writes without looking at the values again.

// runsOf yields the runs of an array: the place of their value among its values, and how many rows they have.
func runsOf(a *array.RunEndEncoded) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		ends := a.RunEndsArr().(*array.Int32).Int32Values()
		from, end := a.Offset(), a.Offset()+a.Len()
		for at := a.GetPhysicalOffset(); from < end; at++ {
			to := min(int(ends[at]), end)
			if !yield(at, to-from) {
				return
			}
			from = to
		}
	}
}

// nulls is how many nulls an array has.
func nulls(a arrow.Array) (n int) {
	runs, ok := a.(*array.RunEndEncoded)
	if !ok {
		return a.NullN()
	}
	for at, rows := range runsOf(runs) {
		if runs.Values().IsNull(at) {
			n += rows
		}
	}
	return n
}

// inRuns returns a batch of either schema of the table as one of its ArrowRuns, which the caller releases.
func inRuns(mem memory.Allocator, batch arrow.RecordBatch, t *schemas.Table) (arrow.RecordBatch, error) {
	switch {
	case batch.Schema().Equal(t.ArrowRuns()):
		batch.Retain()
		return batch, nil
	case !batch.Schema().Equal(t.Arrow()):
		return nil, fmt.Errorf("batch is not of table %s", t.FullName())
	}
	columns := make([]arrow.Array, batch.NumCols())
	for i, c := range batch.Columns() {
		if t.OfPage(i) {
			columns[i] = encodeRuns(mem, c)
			defer columns[i].Release()
		} else {
			columns[i] = c
		}
	}
	return array.NewRecordBatch(t.ArrowRuns(), columns, batch.NumRows()), nil
}

// encodeRuns returns an array as runs of equal values.
func encodeRuns(mem memory.Allocator, a arrow.Array) arrow.Array {
	b := array.NewRunEndEncodedBuilder(mem, arrow.PrimitiveTypes.Int32, a.DataType())
	defer b.Release()
	for i, rows := range equals(a) {
		b.Append(uint64(rows))
		appendFrom(b.ValueBuilder(), a, i)
	}
	return b.NewArray()
}

// equals yields the first rows of runs of equal values, and how many rows they have.
func equals(a arrow.Array) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		for from, to := 0, 0; from < a.Len(); from = to {
			for to = from + 1; to < a.Len() && compareAt(a, a, from, to) == 0; to++ {
			}
			if !yield(from, to-from) {
				return
			}
		}
	}
}

// appendFrom appends a value of an array, which may be null. Types are those of columns that are OfPage.
func appendFrom(b array.Builder, a arrow.Array, i int) {
	if a.IsNull(i) {
		b.AppendNull()
		return
	}
	switch a := a.(type) {
	case *array.String:
		b.(*array.StringBuilder).Append(a.Value(i))
	case *array.Int32:
		b.(*array.Int32Builder).Append(a.Value(i))
	case *array.Date32:
		b.(*array.Date32Builder).Append(a.Value(i))
	case *array.Timestamp:
		b.(*array.TimestampBuilder).Append(a.Value(i))
	default:
		panic(fmt.Sprintf("parquet: no runs of %s", a.DataType()))
	}
}

// raw returns the bytes of a value that is not null.
func raw(a arrow.Array, i int) []byte {
	switch a := a.(type) {
	case *array.String:
		return a.ValueBytes()[a.ValueOffset(i)-a.ValueOffset(0) : a.ValueOffset(i)-a.ValueOffset(0)+a.ValueLen(i)]
	case *array.Int32:
		return arrow.Int32Traits.CastToBytes(a.Int32Values()[i : i+1])
	case *array.Date32:
		return arrow.Date32Traits.CastToBytes(a.Date32Values()[i : i+1])
	case *array.Timestamp:
		return arrow.TimestampTraits.CastToBytes(a.TimestampValues()[i : i+1])
	}
	panic(fmt.Sprintf("parquet: no runs of %s", a.DataType()))
}

// asDictionary returns a column of runs as one dictionary array, its values in the order they come. A column that is none it
// returns as it is. The caller releases it.
func asDictionary(mem memory.Allocator, c *arrow.Chunked) *arrow.Chunked {
	encoded, ok := c.DataType().(*arrow.RunEndEncodedType)
	if !ok {
		c.Retain()
		return c
	}
	d := dictionaryBuilder{places: map[string]int32{}, values: array.NewBuilder(mem, encoded.Encoded())}
	defer d.values.Release()
	for _, chunk := range c.Chunks() {
		d.add(chunk.(*array.RunEndEncoded))
	}
	a := d.array(mem, c.Len())
	defer a.Release()
	return arrow.NewChunked(a.DataType(), []arrow.Array{a})
}

// dictionaryBuilder collects the different values of runs.
type dictionaryBuilder struct {
	places map[string]int32
	values array.Builder
	runs   []indexRun
	nulls  int
}

// indexRun is rows of one value; -1 is null.
type indexRun struct {
	index int32
	rows  int
}

func (d *dictionaryBuilder) add(a *array.RunEndEncoded) {
	for at, rows := range runsOf(a) {
		run := indexRun{-1, rows}
		if a.Values().IsNull(at) {
			d.nulls += rows
		} else {
			run.index = d.index(a.Values(), at)
		}
		d.runs = append(d.runs, run)
	}
}

func (d *dictionaryBuilder) index(values arrow.Array, at int) int32 {
	value := raw(values, at)
	index, known := d.places[string(value)]
	if !known {
		index = int32(len(d.places))
		d.places[string(value)] = index
		appendFrom(d.values, values, at)
	}
	return index
}

// array returns the dictionary array. Indices of a byte, where that will do, are the quickest to take in.
func (d *dictionaryBuilder) array(mem memory.Allocator, rows int) arrow.Array {
	dict := d.values.NewArray()
	defer dict.Release()
	var index arrow.DataType = arrow.PrimitiveTypes.Uint8
	if dict.Len() > 256 {
		index = arrow.PrimitiveTypes.Int32
	}
	indices := memory.NewResizableBuffer(mem)
	defer indices.Release()
	indices.Resize(rows * index.(arrow.FixedWidthDataType).Bytes())
	if dict.Len() > 256 {
		fill(arrow.Int32Traits.CastFromBytes(indices.Bytes()), d.runs)
	} else {
		fill(indices.Bytes(), d.runs)
	}
	valid := d.valid(mem, rows)
	if valid != nil {
		defer valid.Release()
	}
	data := array.NewDataWithDictionary(&arrow.DictionaryType{IndexType: index, ValueType: dict.DataType()}, rows,
		[]*memory.Buffer{valid, indices}, d.nulls, 0, dict.Data().(*array.Data))
	defer data.Release()
	return array.NewDictionaryData(data)
}

func fill[T uint8 | int32](indices []T, runs []indexRun) {
	for _, r := range runs {
		for i := range indices[:r.rows] {
			indices[i] = T(max(r.index, 0))
		}
		indices = indices[r.rows:]
	}
}

// valid returns the bitmap of the rows that are not null, nil if all are.
func (d *dictionaryBuilder) valid(mem memory.Allocator, rows int) *memory.Buffer {
	if d.nulls == 0 {
		return nil
	}
	bits := memory.NewResizableBuffer(mem)
	bits.Resize(int(bitutil.BytesForBits(int64(rows))))
	at := 0
	for _, r := range d.runs {
		bitutil.SetBitsTo(bits.Bytes(), int64(at), int64(r.rows), r.index >= 0)
		at += r.rows
	}
	return bits
}
