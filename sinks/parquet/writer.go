// Package parquet writes Arrow batches of one table into one Parquet file: sorted, sized, verified.
//
// It owns the file's format: zstd level 1, row groups of at most 122,880 rows or 64 MiB of Arrow data, dictionaries
// for text and deltas for whole numbers, statistics, a page index, a bloom filter on target, and what schemas says
// of each column as field metadata under "ARROW:schema". Every file is read back and compared with what was handed
// in before it may be published. The package does not know who reads the files, nor where they end up.
package parquet

import (
	"bufio"
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

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
	// SortedBy names the columns the rows come sorted by, nulls first, strings by their bytes. The order is
	// checked and declared in the file. Default target, scope, rank for vendor tables, none for others.
	SortedBy []string
	// RowGroupRows bounds the rows of a row group. Default 122,880.
	RowGroupRows int64
	// RowGroupBytes bounds the Arrow data of a row group. Default 64 MiB.
	RowGroupBytes int64
}

// Writer writes one file. It implements sinks.Writer and is for one goroutine. Its memory is that of one row
// group, however many rows it is given: see the package's benchmarks.
type Writer struct {
	table *schemas.Table
	opts  Options
	fs    blob.FS
	file  *blob.File
	buf   *bufio.Writer
	out   *pqarrow.FileWriter
	sums  []*columnSum
	order order
	rows  int64

	groupRows, groupBytes int64 // in the row group under way
	done                  bool
}

// Create begins the file at path, which must not exist; its directory must.
func Create(fs blob.FS, path string, t *schemas.Table, o Options) (*Writer, error) {
	o = o.withDefaults(t)
	sorted, err := positions(t, o.SortedBy)
	if err != nil {
		return nil, err
	}
	file, err := fs.Create(path)
	if err != nil {
		return nil, err
	}
	w := &Writer{
		table: t, opts: o, fs: fs, file: file,
		buf:   bufio.NewWriterSize(file, 256<<10),
		sums:  newSums(len(t.Columns())),
		order: order{names: o.SortedBy, at: sorted},
	}
	failpoint.Hit("parquet.stage.begun")
	w.out, err = pqarrow.NewFileWriter(t.Arrow(), w.buf, properties(o.Memory, t, sorted),
		pqarrow.NewArrowWriterProperties(pqarrow.WithAllocator(o.Memory), pqarrow.WithStoreSchema()))
	if err != nil {
		return nil, errors.Join(w.failed("begin", err), file.Abort())
	}
	return w, nil
}

func (o Options) withDefaults(t *schemas.Table) Options {
	if o.Memory == nil {
		o.Memory = memory.DefaultAllocator
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

// Write implements sinks.Writer. Batches should have thousands of rows: at 50 rows a batch each row costs three
// to five times as much.
func (w *Writer) Write(batch arrow.RecordBatch) error {
	if w.done {
		return w.failed("write", errors.New("already closed"))
	}
	if !batch.Schema().Equal(w.table.Arrow()) {
		return w.failed("write", fmt.Errorf("batch is not of table %s", w.table.FullName()))
	}
	if err := w.order.check(batch, w.rows); err != nil {
		return w.failed("write", err)
	}
	for i, c := range w.table.Columns() {
		if n := batch.Column(i).NullN(); c.Required && n > 0 {
			return w.failed("write", fmt.Errorf("column %s is required and has %d nulls", c.Name, n))
		}
		if err := w.sums[i].add(batch.Column(i)); err != nil {
			return w.failed("write", fmt.Errorf("column %s: %w", c.Name, err))
		}
	}
	if err := w.writeGroups(batch); err != nil {
		return w.failed("write", err)
	}
	w.rows += batch.NumRows()
	return nil
}

// writeGroups writes the batch, beginning a new row group whenever the one under way is full by rows or by bytes.
func (w *Writer) writeGroups(batch arrow.RecordBatch) error {
	rows := batch.NumRows()
	if rows == 0 {
		return nil
	}
	rowBytes := max(1, size(batch)/rows)
	for from := int64(0); from < rows; {
		room := min(w.opts.RowGroupRows-w.groupRows, (w.opts.RowGroupBytes-w.groupBytes)/rowBytes)
		if room <= 0 && w.groupRows > 0 {
			if err := w.out.NewBufferedRowGroupChecked(); err != nil {
				return err
			}
			w.groupRows, w.groupBytes = 0, 0
			continue
		}
		n := min(max(room, 1), rows-from)
		part := batch.NewSlice(from, from+n)
		err := w.out.WriteBuffered(part)
		part.Release()
		if err != nil {
			return err
		}
		from += n
		w.groupRows += n
		w.groupBytes += n * rowBytes
	}
	return nil
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
	case *array.List:
		from, _ := a.ValueOffsets(0) // size is not asked for empty batches
		_, to := a.ValueOffsets(int(rows) - 1)
		elements := array.NewSlice(a.ListValues(), from, to)
		defer elements.Release()
		return arraySize(elements) + 4*rows
	}
	return int64(a.DataType().(arrow.FixedWidthDataType).BitWidth()) * rows / 8
}

// Close implements sinks.Writer: it completes the file, makes it durable, reads it back and compares row count
// and checksums with what was written.
func (w *Writer) Close() (sinks.Staged, error) {
	if w.done {
		return sinks.Staged{}, w.failed("close", errors.New("already closed"))
	}
	w.done = true
	w.order.release()
	staged, err := w.complete()
	if err != nil {
		return sinks.Staged{}, errors.Join(w.failed("close", err), w.file.Abort())
	}
	failpoint.Hit("parquet.verify.after")
	return staged, nil
}

func (w *Writer) complete() (sinks.Staged, error) {
	if err := w.out.Close(); err != nil {
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
	w.done = true
	w.order.release()
	w.out.Close() // frees the row group under way; what it writes is removed
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
