// Package parquet writes Arrow batches of one table into one Parquet file: sorted, sized, verified.
//
// It owns the file's format: zstd level 3 where that saves anything, row groups of at most 122,880 rows or 64 MiB of Arrow data, each column in
// the encoding that makes the smallest of the rows at hand, statistics, a page index where there are pages to skip, and
// a bloom filter on target. Every file is read back and compared with what was handed in before it may be published.
// The package does not know who reads the files, nor where they end up.
//
// arrow-go (v18.8.0) cannot write the checksums that Parquet has for pages. In their place every file is sealed: its
// metadata holds the xxh3 of all its bytes, under "backhaul.xxh3", the 16 digits of the seal itself taken as zeros.
// Whoever reads a file through this package is told of any flipped bit, be it in a page, a statistic or a filter.
package parquet

import (
	"bufio"
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/pipeline/failpoint"
	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/blob"
)

// Options are the choices a caller has.
type Options struct {
	// Memory is where the writer's buffers come from. It must be garbage-collected unless no write fails:
	// arrow-go (v18.8.0) does not release a row group whose write failed. Default memory.DefaultAllocator.
	Memory memory.Allocator
	// Version is the program's version, for created_by. Default "unknown".
	Version string
	// Metadata is written into the footer beside the writer's own: see Metadata. Default none.
	Metadata map[string]string
	// SortedBy names the columns the rows come sorted by, nulls first, strings by their bytes. The order is
	// checked and declared in the file. Default target, scope, rank for vendor tables, none for others.
	SortedBy []string
	// Thorough chooses the encodings by the whole first row group, which is written three times for it, instead of by a
	// few thousand of its rows: for files that are written once and read for years, and for orders in which what
	// recurs lies far apart. Default false.
	Thorough bool
	// RowGroupRows bounds the rows of a row group. Default 40,960.
	RowGroupRows int64
	// RowGroupBytes bounds the Arrow data of a row group. Default 64 MiB.
	RowGroupBytes int64
}

// Writer writes one file. It implements sinks.Writer and is for one goroutine. It keeps the batches of one row group,
// of at most RowGroupBytes, until that is complete, and then the encoded pages of one column, however many rows it is
// given; a batch keeps alive what it is a slice of. With Go's usual garbage collection a process that writes and verifies
// half a million rows of moz.links takes about 340 MiB, ten million of moz.anchor_text 270: see BenchmarkMemory.
type Writer struct {
	table  *schemas.Table
	opts   Options
	sorted []int
	schema *arrow.Schema // of the file
	file   *blob.File
	buf    *bufio.Writer
	sealer *sealer
	out    *output // nil until there is a row group to choose the encodings by
	sums   []*columnSum
	order  order
	group  group
	rows   int64
	done   bool
}

// Create begins the file at path, which must not exist; its directory must.
func Create(fs blob.FS, path string, t *schemas.Table, o Options) (*Writer, error) {
	o = o.withDefaults(t)
	sorted, err := positions(t, o.SortedBy)
	if err != nil {
		return nil, err
	}
	schema, err := fileSchema(t, o.Metadata)
	if err != nil {
		return nil, err
	}
	file, err := fs.Create(path)
	if err != nil {
		return nil, err
	}
	failpoint.Hit("parquet.stage.begun")
	buf := bufio.NewWriterSize(file, 256<<10)
	return &Writer{
		table: t, opts: o, sorted: sorted, schema: schema, file: file, buf: buf, sealer: newSealer(buf),
		sums:  newSums(len(t.Columns())),
		order: order{names: o.SortedBy, at: sorted},
	}, nil
}

func (o Options) withDefaults(t *schemas.Table) Options {
	if o.Memory == nil {
		o.Memory = memory.DefaultAllocator
	}
	if o.Version == "" {
		o.Version = "unknown"
	}
	if o.SortedBy == nil && t.Vendor() {
		o.SortedBy = []string{schemas.ColTarget, schemas.ColScope, schemas.ColRank}
	}
	if o.RowGroupRows == 0 {
		o.RowGroupRows = rowGroupRows
	}
	if o.RowGroupBytes == 0 {
		o.RowGroupBytes = rowGroupBytes
	}
	return o
}

func positions(t *schemas.Table, names []string) ([]int, error) {
	at := make([]int, len(names))
	for i, name := range names {
		if at[i] = t.Index(name); at[i] < 0 {
			return nil, fmt.Errorf("sort %s: no column %s", t.FullName(), name)
		}
	}
	return at, nil
}

// Write implements sinks.Writer. Batches of thousands of rows cost the least.
func (w *Writer) Write(batch arrow.RecordBatch) error {
	if w.done {
		return w.failed("write", errors.New("already closed"))
	}
	batch, err := inRuns(w.opts.Memory, batch, w.table)
	if err != nil {
		return w.failed("write", err)
	}
	defer batch.Release()
	if batch.NumRows() == 0 {
		return nil
	}
	if err := w.order.check(batch, w.rows); err != nil {
		return w.failed("write", err)
	}
	for i, c := range w.table.Columns() {
		if n := nulls(batch.Column(i)); c.Required && n > 0 {
			return w.failed("write", fmt.Errorf("column %s is required and has %d nulls", c.Name, n))
		}
		if err := w.sums[i].add(batch.Column(i)); err != nil {
			return w.failed("write", fmt.Errorf("column %s: %w", c.Name, err))
		}
	}
	if err := w.add(batch); err != nil {
		return w.failed("write", err)
	}
	w.rows += batch.NumRows()
	return nil
}

// add adds the batch to the row group under way, and writes that whenever it is full by rows or by bytes.
func (w *Writer) add(batch arrow.RecordBatch) error {
	rows := batch.NumRows()
	if rows == 0 {
		return nil
	}
	rowBytes := max(1, size(batch)/rows)
	for from := int64(0); from < rows; {
		n := w.takes(batch, from, rowBytes)
		if n == 0 {
			if err := w.flush(false); err != nil {
				return err
			}
			continue
		}
		w.group.add(batch.NewSlice(from, from+n), n*rowBytes)
		from += n
	}
	return nil
}

// takes returns how many rows of a batch, from one on, the row group under way takes; 0 if it is full. One that is two thirds full by
// rows ends with a target, so that who looks for a target of fewer rows reads one group, and of it less.
func (w *Writer) takes(batch arrow.RecordBatch, from, rowBytes int64) int64 {
	room := min(w.opts.RowGroupRows-w.group.rows, (w.opts.RowGroupBytes-w.group.bytes)/rowBytes)
	if w.group.rows == 0 {
		room = max(room, 1)
	}
	n := min(max(room, 0), batch.NumRows()-from)
	at, most := w.table.Index(schemas.ColTarget), w.opts.RowGroupRows*2/3
	if at < 0 || w.group.rows+n <= most {
		return n
	}
	targets, ok := batch.Column(at).(*array.RunEndEncoded)
	if !ok {
		return n
	}
	last, row := w.group.last(at), int64(0)
	for place, rows := range runsOf(targets) {
		target := targets.Values().ValueStr(place)
		switch {
		case row >= from+n:
			return n
		case row >= from && target != last && w.group.rows+row-from > most:
			return row - from
		}
		last, row = target, row+int64(rows)
	}
	return n
}

// flush writes the row group under way, if it has rows. last says that none will follow.
func (w *Writer) flush(last bool) error {
	columns := w.group.columns(w.table.ArrowRuns())
	defer releaseAll(columns)
	if w.out == nil {
		if err := w.begin(columns, last); err != nil {
			return err
		}
	}
	if w.group.rows == 0 {
		return nil
	}
	defer w.group.release()
	return w.out.writeGroup(columns)
}

// begin begins the file in the encodings that suit its first row group.
func (w *Writer) begin(columns []*arrow.Chunked, last bool) error {
	small := last && w.group.bytes < pageBytes
	if w.group.rows == 0 {
		return w.start(nil, small)
	}
	rows := w.group.rows
	if !w.opts.Thorough {
		rows = sampleRows
	}
	part := spread(columns, rows)
	defer releaseAll(part)
	chosen, err := choose(w.opts.Memory, w.schema, part, small, w.saving(last && rows >= w.group.rows))
	if err != nil {
		return err
	}
	return w.start(chosen, small)
}

// saving is how many bytes of a column its compression must save. What else there will be in one nobody knows, unless all rows are
// known by now: then whatever it saves is welcome.
func (w *Writer) saving(whole bool) int64 {
	switch {
	case w.table.Bare:
		return math.MaxInt64
	case whole:
		return packedBytes
	}
	return math.MinInt64
}

func (w *Writer) start(chosen forms, small bool) (err error) {
	w.out, err = newOutput(w.opts.Memory, w.schema, w.sealer, properties(w.opts, w.table, w.sorted, chosen, small))
	return err
}

// group is a row group under way: the batches as they came, because its encodings are chosen by them.
type group struct {
	batches     []arrow.RecordBatch
	rows, bytes int64
}

// add takes the batch over.
func (g *group) add(batch arrow.RecordBatch, bytes int64) {
	g.batches = append(g.batches, batch)
	g.rows += batch.NumRows()
	g.bytes += bytes
}

// last is the last row's value of a column that comes in runs, "" if there is no row.
func (g *group) last(column int) string {
	if len(g.batches) == 0 {
		return ""
	}
	runs := g.batches[len(g.batches)-1].Column(column).(*array.RunEndEncoded)
	return runs.Values().ValueStr(runs.GetPhysicalOffset() + runs.GetPhysicalLength() - 1)
}

// columns returns the group's columns, which the caller releases.
func (g *group) columns(s *arrow.Schema) []*arrow.Chunked {
	columns := make([]*arrow.Chunked, s.NumFields())
	for i := range columns {
		chunks := make([]arrow.Array, len(g.batches))
		for j, b := range g.batches {
			chunks[j] = b.Column(i)
		}
		columns[i] = arrow.NewChunked(s.Field(i).Type, chunks)
	}
	return columns
}

func (g *group) release() {
	for _, b := range g.batches {
		b.Release()
	}
	*g = group{}
}

// size returns about how many bytes the batch's values take.
func size(batch arrow.RecordBatch) (bytes int64) {
	for _, c := range batch.Columns() {
		bytes += arraySize(c)
	}
	return bytes
}

func arraySize(a arrow.Array) int64 {
	rows := int64(a.Len())
	switch a := a.(type) {
	case *array.String:
		return int64(len(a.ValueBytes())) + 4*rows
	case *array.RunEndEncoded:
		return runsSize(a)
	case *array.List:
		from, _ := a.ValueOffsets(0) // size is not asked for empty batches
		_, to := a.ValueOffsets(int(rows) - 1)
		elements := array.NewSlice(a.ListValues(), from, to)
		defer elements.Release()
		return arraySize(elements) + 4*rows
	}
	return int64(a.DataType().(arrow.FixedWidthDataType).BitWidth()) * rows / 8
}

// runsSize is what the rows take that the runs stand for.
func runsSize(a *array.RunEndEncoded) (bytes int64) {
	_, text := a.Values().(*array.String)
	for at, rows := range runsOf(a) {
		switch {
		case text && a.Values().IsNull(at):
			bytes += 4 * int64(rows)
		case text:
			bytes += int64(4+len(raw(a.Values(), at))) * int64(rows)
		default:
			bytes += int64(a.Values().DataType().(arrow.FixedWidthDataType).Bytes()) * int64(rows)
		}
	}
	return bytes
}

// Close implements sinks.Writer: it completes the file, makes it durable, reads it back and compares row count
// and checksums with what was written.
func (w *Writer) Close() (sinks.Staged, error) {
	if w.done {
		return sinks.Staged{}, w.failed("close", errors.New("already closed"))
	}
	staged, err := w.complete()
	w.finish()
	if err != nil {
		return sinks.Staged{}, errors.Join(w.failed("close", err), w.file.Abort())
	}
	failpoint.Hit("parquet.verify.after")
	return staged, nil
}

// finish lets go of what the writer keeps.
func (w *Writer) finish() {
	w.done = true
	w.order.release()
	w.group.release()
}

func (w *Writer) complete() (sinks.Staged, error) {
	if err := w.flush(true); err != nil {
		return sinks.Staged{}, err
	}
	w.sealer.begin()
	if err := w.out.Close(); err != nil {
		return sinks.Staged{}, err
	}
	if err := w.sealer.seal(); err != nil {
		return sinks.Staged{}, err
	}
	if err := w.buf.Flush(); err != nil {
		return sinks.Staged{}, err
	}
	if err := w.file.Close(); err != nil {
		return sinks.Staged{}, err
	}
	failpoint.Hit("parquet.verify.before")
	return verify(w.file.Name(), w.table, w.rows, finish(w.sums))
}

// Abort implements sinks.Writer.
func (w *Writer) Abort() error {
	if w.done {
		return nil
	}
	w.finish()
	if w.out != nil {
		w.out.Close() // frees what is left of a row group; what it writes is removed
	}
	return w.file.Abort()
}

// failed says what failed on which file, unless err already names it.
func (w *Writer) failed(verb string, err error) error {
	var named interface{ Timeout() bool } // *fs.PathError has it
	if errors.As(err, &named) {
		return err
	}
	return fmt.Errorf("%s %s: %w", verb, w.file.Name(), err)
}
