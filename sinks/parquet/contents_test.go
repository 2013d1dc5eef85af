package parquet

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
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

func TestADamagedFileNeverReadsAsFewerRows(t *testing.T) {
	table, dir := schemas.Lookup("moz.anchor_text"), t.TempDir()
	path := filepath.Join(dir, "t.parquet")
	staged := write(t, path, table, 3000, Options{Memory: memory.DefaultAllocator})
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(dir, "broken.parquet")
	noticed, unequal := 0, 0
	for at := 0; at < len(whole); at += 61 {
		damaged := bytes.Clone(whole)
		damaged[at] ^= 1 << (at % 8)
		if err := os.WriteFile(broken, damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := Read(broken, table)
		switch {
		case errors.Is(err, sinks.ErrDamaged), errors.Is(err, sinks.ErrColumns):
			noticed++
		case err != nil:
			t.Fatalf("byte %d: %v", at, err)
		case got.Rows != staged.Rows:
			t.Fatalf("byte %d: %d rows of %d, without an error", at, got.Rows, staged.Rows)
		case got.Checksum != staged.Checksum:
			unequal++ // which whoever knows the checksum notices
		}
	}
	if noticed == 0 {
		t.Error("no flipped bit was noticed: the test does not test")
	}
	t.Logf("%d flips noticed by reading, %d by comparing", noticed, unequal)
	for size := 0; size < len(whole); size += 509 {
		if err := os.WriteFile(broken, whole[:size], 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(broken, table); !errors.Is(err, sinks.ErrDamaged) {
			t.Fatalf("cut to %d bytes: %v", size, err)
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
