package parquet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"backhaul/schemas"
	"backhaul/sinks"
)

// verifyRows is how many rows are read back at a time.
const verifyRows = 16 << 10

// verify reads the whole file back and compares it with the rows and per-column checksums of what was written.
// Every column is compared: on moz.anchor_text that is about a fifth of the whole time.
func verify(path string, t *schemas.Table, rows int64, want []uint64) (sinks.Staged, error) {
	f, err := os.Open(path)
	if err != nil {
		return sinks.Staged{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return sinks.Staged{}, err
	}
	if err := checkMagic(f); err != nil {
		return sinks.Staged{}, fmt.Errorf("read back: %w", err)
	}
	sums, err := readSums(f, len(want))
	if err != nil {
		return sinks.Staged{}, fmt.Errorf("read back: %w", err)
	}
	if got := sums[0].rows; got != rows {
		return sinks.Staged{}, fmt.Errorf("read back: %d rows where %d were written", got, rows)
	}
	for i, got := range finish(sums) {
		if got != want[i] {
			return sinks.Staged{}, fmt.Errorf("read back: column %s has checksum %016x where %016x was written",
				t.Columns()[i].Name, got, want[i])
		}
	}
	return sinks.Staged{Path: path, Rows: rows, Bytes: info.Size(), Checksum: total(want)}, nil
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

// readSums reads the file from first row to last and returns the checksum of each of its columns.
func readSums(r pq.ReaderAtSeeker, columns int) ([]*columnSum, error) {
	sums := newSums(columns)
	return sums, readBatches(r, func(batch arrow.RecordBatch) error {
		if int(batch.NumCols()) != columns {
			return fmt.Errorf("%d columns where %d were written", batch.NumCols(), columns)
		}
		for i, s := range sums {
			if err := s.add(batch.Column(i)); err != nil {
				return err
			}
		}
		return nil
	})
}

// readBatches reads the file from first row to last.
func readBatches(r pq.ReaderAtSeeker, visit func(arrow.RecordBatch) error) (err error) {
	// arrow-go panics on some damaged files; here that is one more way of not reading back.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("damaged: %v", p)
		}
	}()
	// arrow-go's readers (v18.8.0) do not release the scratch of their delta decoders, nor much after an error:
	// only a garbage-collected allocator will do.
	mem := memory.NewGoAllocator()
	props := pq.NewReaderProperties(mem)
	props.BufferedStreamEnabled = true // pages are read as needed, not whole column chunks
	pf, err := file.NewParquetReader(r, file.WithReadProps(props))
	if err != nil {
		return err
	}
	reader, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{BatchSize: verifyRows}, mem)
	if err != nil {
		return err
	}
	records, err := reader.GetRecordReader(context.Background(), nil, nil)
	if err != nil {
		return err
	}
	defer records.Release()
	rows := int64(0)
	for {
		batch, err := records.Read()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		rows += batch.NumRows()
		if err := visit(batch); err != nil {
			return err
		}
	}
	if rows != pf.NumRows() {
		return fmt.Errorf("%d rows where the footer says %d", rows, pf.NumRows())
	}
	return nil
}
