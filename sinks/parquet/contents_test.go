package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/internal/sample"
)

var (
	_ sinks.Digester = (*Digest)(nil)
	_ sinks.Writer   = (*Digest)(nil)
)

func TestReadReturnsWhatWasWritten(t *testing.T) {
	table, path := schemas.Lookup("moz.anchor_text"), filepath.Join(t.TempDir(), "t.parquet")
	staged := write(t, path, table, 20_000, Options{Memory: memory.DefaultAllocator})
	got, err := Read(path, table)
	if err != nil || got.Rows != staged.Rows || got.Checksum != staged.Checksum || got.Bytes != staged.Bytes || len(got.Columns) != len(table.Columns()) {
		t.Errorf("%+v, %v; staged %+v", got, err, staged)
	}
}

// TestADigestDoesNotDependOnBatches holds that a file can be compared with batches cut in another way.
func TestADigestDoesNotDependOnBatches(t *testing.T) {
	table := schemas.Lookup("moz.anchor_text")
	digest := func(batch int) sinks.Contents {
		d := NewDigest(table)
		shape := sample.NewShape(memory.DefaultAllocator, table, 1000)
		defer shape.Release()
		whole := shape.Next(5000)
		defer whole.Release()
		for from := 0; from < 5000; from += batch {
			part := whole.NewSlice(int64(from), int64(min(from+batch, 5000)))
			if err := d.Write(part); err != nil {
				t.Fatal(err)
			}
			part.Release()
		}
		return d.Contents()
	}
	if diff := cmp.Diff(digest(5000), digest(17)); diff != "" {
		t.Error(diff)
	}
}

// TestEveryFlippedBitIsFound flips a bit in every part of a file: pages, their headers, statistics, the filter, the
// footer and the seal itself.
func TestEveryFlippedBitIsFound(t *testing.T) {
	table, dir := schemas.Lookup("moz.anchor_text"), t.TempDir()
	for _, rows := range []int{0, 100, 9000} { // without pages, with one a column, with an index of pages and a filter
		path := filepath.Join(dir, fmt.Sprint(rows))
		write(t, path, table, rows, Options{Memory: memory.DefaultAllocator, Metadata: map[string]string{"a": "b"}})
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		broken := filepath.Join(dir, "broken.parquet")
		for at := 0; at < len(whole); at += 1 + len(whole)/1000 {
			damaged := bytes.Clone(whole)
			damaged[at] ^= 1 << (at % 8)
			if err := os.WriteFile(broken, damaged, 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := Read(broken, table); !errors.Is(err, sinks.ErrDamaged) {
				t.Fatalf("byte %d of %d flipped: %v", at, len(whole), err)
			}
		}
	}
}

func TestACutFileIsDamaged(t *testing.T) {
	table, dir := schemas.Lookup("moz.anchor_text"), t.TempDir()
	path := filepath.Join(dir, "t.parquet")
	write(t, path, table, 3000, Options{Memory: memory.DefaultAllocator})
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for size := 0; size < len(whole); size += 509 {
		if err := os.WriteFile(path, whole[:size], 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path, table); !errors.Is(err, sinks.ErrDamaged) {
			t.Fatalf("cut to %d bytes: %v", size, err)
		}
	}
}

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
