package parquet

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/internal/sample"
)

// TestAFileIsReadWithoutASealOnlyIfItWasWrittenWithoutOne writes as this program's early versions did, and as if a seal
// had been lost.
func TestAFileIsReadWithoutASealOnlyIfItWasWrittenWithoutOne(t *testing.T) {
	table := schemas.Lookup("moz.anchor_text")
	batch := sample.Batch(memory.DefaultAllocator, table, "a.com", [][]any{{"x", int64(1), int64(1)}})
	defer batch.Release()
	for by, want := range map[string]error{"backhaul": nil, "backhaul version 1.2.3": sinks.ErrDamaged} {
		path := filepath.Join(t.TempDir(), "t.parquet")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		out, err := pqarrow.NewFileWriter(table.Arrow(), f, pq.NewWriterProperties(pq.WithCreatedBy(by)),
			pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(out.Write(batch), out.Close()); err != nil {
			t.Fatal(err)
		}
		if c, err := Read(path, table); !errors.Is(err, want) || want == nil && c.Rows != 1 {
			t.Errorf("created by %s: %d rows, %v", by, c.Rows, err)
		}
		if err := flip(path, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path, table); !errors.Is(err, sinks.ErrDamaged) {
			t.Errorf("created by %s, and it does not begin as it should: %v", by, err)
		}
	}
}

func TestAFileOfAnotherTableIsNotDamageButOtherColumns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.parquet")
	write(t, path, schemas.Lookup("moz.linking_root_domains"), 10, Options{Memory: memory.DefaultAllocator})
	if _, err := Read(path, schemas.Lookup("moz.anchor_text")); !errors.Is(err, sinks.ErrColumns) || errors.Is(err, sinks.ErrDamaged) {
		t.Error(err)
	}
	if _, err := Read(path+".none", schemas.Lookup("moz.anchor_text")); !errors.Is(err, os.ErrNotExist) || errors.Is(err, sinks.ErrDamaged) {
		t.Error(err)
	}
}

func TestAFileIsStagedOnlyIfItReadsBackAsWhatWasWritten(t *testing.T) {
	table, path := schemas.Lookup("moz.anchor_text"), filepath.Join(t.TempDir(), "t.parquet")
	write(t, path, table, 100, Options{Memory: memory.DefaultAllocator})
	is, err := Read(path, table)
	if err != nil {
		t.Fatal(err)
	}
	if staged, err := verify(path, table, is.Rows, is.Columns); err != nil || staged.Rows != 100 || staged.Checksum != is.Checksum {
		t.Errorf("%+v, %v", staged, err)
	}
	if _, err := verify(path, table, is.Rows+1, is.Columns); err == nil {
		t.Error("a row is missing, and it is staged")
	}
	for i := range is.Columns {
		other := append([]uint64{}, is.Columns...)
		other[i]++
		if _, err := verify(path, table, is.Rows, other); err == nil {
			t.Errorf("column %s has other values, and it is staged", table.Columns()[i].Name)
		}
	}
}

func flip(path string, at int64) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	b[(at+int64(len(b)))%int64(len(b))] ^= 0xff
	return os.WriteFile(path, b, 0o666)
}
