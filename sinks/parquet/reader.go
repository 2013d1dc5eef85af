package parquet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"backhaul/schemas"
	"backhaul/sinks"
)

// readRows is how many rows are read back at a time.
const readRows = 16 << 10

// Rows reads a published file of the table from first row to last, in batches of at most batchRows rows and of the
// table's columns as they are declared today: what an earlier version did not write is null, and what it wrote in
// another type is cast, if no value changes by it. The file is checked against its seal first. A batch is good until the
// next is asked for. An error ends the rows and names the file: sinks.ErrDamaged if it cannot be read, sinks.ErrColumns,
// with the column, if its rows are not rows of the table.
//
// A page of each column, its dictionary and one batch are in memory at a time.
func Rows(path string, t *schemas.Table, batchRows int) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		r, err := open(path, int64(batchRows), nil)
		if err != nil {
			yield(nil, named(path, err))
			return
		}
		defer r.close()
		for {
			batch, err := r.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err == nil {
				batch, err = fit(batch, t)
			}
			if err != nil {
				yield(nil, named(path, err))
				return
			}
			goOn := yield(batch, nil)
			batch.Release()
			if !goOn {
				return
			}
		}
	}
}

// Metadata returns what a file was given as Options.Metadata. It reads the footer only, which is not checked.
func Metadata(path string) (metadata map[string]string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	defer func() { err = named(path, err) }()
	defer recovered(&err)
	pf, err := file.NewParquetReader(f)
	if err != nil {
		return nil, err
	}
	metadata = map[string]string{}
	for _, kv := range pf.MetaData().KeyValueMetadata() {
		if kv.Key != tableKey && kv.Key != sealKey {
			metadata[kv.Key] = kv.GetValue()
		}
	}
	return metadata, nil
}

// named puts the file's name ahead of the error, and says that the file is damaged unless it is whole or not there.
func named(path string, err error) error {
	var missing *os.PathError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sinks.ErrColumns), errors.As(err, &missing):
		return fmt.Errorf("%s: %w", path, err)
	}
	return fmt.Errorf("%s: %w: %w", path, sinks.ErrDamaged, err)
}

// recovered turns a panic into an error: arrow-go panics on some damaged files, which here is one more way of not being
// read.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("damaged: %v", p)
	}
}

// reader reads a file from first row to last.
type reader struct {
	file    *os.File
	bytes   int64
	rows    int64 // as the footer says
	read    int64
	records pqarrow.RecordReader
}

// open opens a file whose seal is whole. The columns of those names, which are of texts, are read as dictionaries.
func open(path string, batchRows int64, dictionaries []string) (*reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r := &reader{file: f}
	if err := r.begin(batchRows, dictionaries); err != nil {
		f.Close()
		return nil, err
	}
	return r, nil
}

func (r *reader) begin(batchRows int64, dictionaries []string) (err error) {
	defer recovered(&err)
	info, err := r.file.Stat()
	if err != nil {
		return err
	}
	r.bytes = info.Size()
	if err := checkMagic(r.file); err != nil {
		return err
	}
	// arrow-go's readers (v18.8.0) do not release the scratch of their delta decoders, nor much after an error:
	// only a garbage-collected allocator will do.
	mem := memory.NewGoAllocator()
	props := pq.NewReaderProperties(mem)
	props.BufferedStreamEnabled = true // pages are read as needed, not whole column chunks
	pf, err := file.NewParquetReader(r.file, file.WithReadProps(props))
	if err != nil {
		return err
	}
	if err := checkSeal(r.file, r.bytes, pf.MetaData()); err != nil {
		return err
	}
	r.rows = pf.NumRows()
	arrowProps := pqarrow.ArrowReadProperties{BatchSize: batchRows}
	for _, name := range dictionaries {
		if at := pf.MetaData().Schema.ColumnIndexByName(name); at >= 0 {
			arrowProps.SetReadDict(at, true)
		}
	}
	arrows, err := pqarrow.NewFileReader(pf, arrowProps, mem)
	if err != nil {
		return err
	}
	r.records, err = arrows.GetRecordReader(context.Background(), nil, nil)
	return err
}

// checkMagic looks at the file's first bytes, which arrow-go never does and DuckDB may.
func checkMagic(r io.ReaderAt) error {
	magic := make([]byte, 4)
	if _, err := r.ReadAt(magic, 0); err != nil {
		return err
	}
	if string(magic) != "PAR1" {
		return fmt.Errorf("begins with %q, not PAR1", magic)
	}
	return nil
}

// next returns the next batch, which is good until the next call, or io.EOF after as many rows as the footer says.
func (r *reader) next() (batch arrow.RecordBatch, err error) {
	defer recovered(&err)
	batch, err = r.records.Read()
	switch {
	case err == nil:
		r.read += batch.NumRows()
		return batch, nil
	case !errors.Is(err, io.EOF):
		return nil, err
	case r.read != r.rows:
		return nil, fmt.Errorf("%d rows where the footer says %d", r.read, r.rows)
	}
	return nil, io.EOF
}

func (r *reader) close() {
	r.records.Release()
	r.file.Close()
}
