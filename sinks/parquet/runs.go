package parquet

import (
	"fmt"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"

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

// dictEncoder is what arrow-go's encoders of dictionaries can do beyond their interface, which is internal.
type dictEncoder interface {
	NormalizeDict(arrow.Array) (arrow.Array, error)
	PutDictionary(arrow.Array) error
}

// writeRuns writes a column of runs as a dictionary, its values in the order they come, and as many indices a page as make
// pageBytes of values. Where another encoding was chosen its rows are written.
func (o *output) writeRuns(column file.ColumnChunkWriter, c *arrow.Chunked, nullable bool) error {
	d := dictionaryBuilder{places: map[string]int32{}, values: array.NewBuilder(o.mem, c.DataType().(*arrow.RunEndEncodedType).Encoded())}
	defer d.values.Release()
	for _, chunk := range c.Chunks() {
		d.add(chunk.(*array.RunEndEncoded))
	}
	values := d.values.NewArray()
	defer values.Release()
	encoder, ok := column.CurrentEncoder().(dictEncoder)
	if !ok {
		rows := dictionaryOf(o.mem, values, d.runs)
		defer rows.Release()
		return o.writeRows(column, rows, nullable)
	}
	normal, err := encoder.NormalizeDict(values)
	if err != nil {
		return err
	}
	defer normal.Release()
	if err := encoder.PutDictionary(normal); err != nil {
		return err
	}
	for page := range pagesOf(d.runs, values) {
		if stats := column.PageStatistics(); stats != nil {
			if err := o.addStatistics(stats, encoder, page, values); err != nil {
				return err
			}
		}
		if err := o.writePage(column, dictionaryOf(o.mem, values, page), nullable); err != nil {
			return err
		}
	}
	return nil
}

// writePage writes a page of indices, which it releases.
func (o *output) writePage(column file.ColumnChunkWriter, page *array.Dictionary, nullable bool) error {
	defer page.Release()
	if err := column.WriteDictIndices(page.Indices(), defined(page, nullable), nil); err != nil {
		return err
	}
	return column.(interface{ FlushCurrentPage() error }).FlushCurrentPage()
}

// addStatistics adds the values of a page, each once.
func (o *output) addStatistics(stats metadata.TypedStatistics, encoder dictEncoder, page []indexRun, values arrow.Array) error {
	some := array.NewBuilder(o.mem, values.DataType())
	defer some.Release()
	seen := make([]bool, values.Len())
	for _, r := range page {
		switch {
		case r.index < 0:
			stats.IncNulls(int64(r.rows))
			continue
		case !seen[r.index]:
			seen[r.index] = true
			appendFrom(some, values, int(r.index))
		}
		stats.IncNumValues(int64(r.rows))
	}
	stats.IncNulls(0) // that there is none is known
	distinct := some.NewArray()
	defer distinct.Release()
	normal, err := encoder.NormalizeDict(distinct)
	if err != nil {
		return err
	}
	defer normal.Release()
	return stats.UpdateFromArrow(normal, false)
}

// dictionaryBuilder collects the different values of runs.
type dictionaryBuilder struct {
	places map[string]int32
	values array.Builder
	runs   []indexRun
}

// indexRun is rows of one value; -1 is null.
type indexRun struct {
	index int32
	rows  int
}

func (d *dictionaryBuilder) add(a *array.RunEndEncoded) {
	for at, rows := range runsOf(a) {
		run := indexRun{-1, rows}
		if a.Values().IsValid(at) {
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

// dictionaryOf returns rows of those runs as a dictionary array. Indices of a byte, where that will do, are the quickest to take in.
func dictionaryOf(mem memory.Allocator, values arrow.Array, runs []indexRun) *array.Dictionary {
	rows, nulls := 0, 0
	for _, r := range runs {
		if rows += r.rows; r.index < 0 {
			nulls += r.rows
		}
	}
	var index arrow.DataType = arrow.PrimitiveTypes.Uint8
	if values.Len() > 256 {
		index = arrow.PrimitiveTypes.Int32
	}
	indices := memory.NewResizableBuffer(mem)
	defer indices.Release()
	indices.Resize(rows * index.(arrow.FixedWidthDataType).Bytes())
	if values.Len() > 256 {
		fill(arrow.Int32Traits.CastFromBytes(indices.Bytes()), runs)
	} else {
		fill(indices.Bytes(), runs)
	}
	buffers := []*memory.Buffer{nil, indices}
	if nulls > 0 {
		buffers[0] = valid(mem, runs, rows)
		defer buffers[0].Release()
	}
	data := array.NewDataWithDictionary(&arrow.DictionaryType{IndexType: index, ValueType: values.DataType()}, rows, buffers, nulls, 0, values.Data().(*array.Data))
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

// valid returns the bitmap of the rows that are not null.
func valid(mem memory.Allocator, runs []indexRun, rows int) *memory.Buffer {
	bits := memory.NewResizableBuffer(mem)
	bits.Resize(int(bitutil.BytesForBits(int64(rows))))
	at := 0
	for _, r := range runs {
		bitutil.SetBitsTo(bits.Bytes(), int64(at), int64(r.rows), r.index >= 0)
		at += r.rows
	}
	return bits
}

// pagesOf cuts runs into those of pages, which have pageBytes of values.
func pagesOf(runs []indexRun, values arrow.Array) iter.Seq[[]indexRun] {
	return func(yield func([]indexRun) bool) {
		var page []indexRun
		bytes := 0
		for _, r := range runs {
			width := 0
			if r.index >= 0 {
				width = plainSize(values, int(r.index))
			}
			for r.rows > 0 {
				n := r.rows
				if width > 0 {
					n = min(n, max(1, (pageBytes-bytes)/width))
				}
				page = append(page, indexRun{r.index, n})
				r.rows -= n
				if bytes += n * width; bytes+width > pageBytes {
					if !yield(page) {
						return
					}
					page, bytes = nil, 0
				}
			}
		}
		if len(page) > 0 {
			yield(page)
		}
	}
}

// plainSize is what a value takes on a page without a dictionary.
func plainSize(values arrow.Array, i int) int {
	size := len(raw(values, i))
	if _, text := values.(*array.String); text {
		size += 4
	}
	return size
}
