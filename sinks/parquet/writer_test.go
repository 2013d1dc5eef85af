package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"

	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/blob"
	"backhaul/sinks/internal/sample"
)

var _ sinks.Writer = (*Writer)(nil)

// checked returns an allocator that fails the test if anything is left over.
func checked(t testing.TB) memory.Allocator {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	t.Cleanup(func() { mem.AssertSize(t, 0) })
	return mem
}

// write writes n rows of the table's shape, in batches of 4,096.
func write(t testing.TB, path string, table *schemas.Table, n int, o Options) sinks.Staged {
	t.Helper()
	w, err := Create(blob.FS{}, path, table, o)
	if err != nil {
		t.Fatal(err)
	}
	shape := sample.NewShape(o.Memory, table, 1000)
	defer shape.Release()
	for ; n > 0; n -= 4096 {
		batch := shape.Next(min(n, 4096))
		err := w.Write(batch)
		batch.Release()
		if err != nil {
			t.Fatal(err)
		}
	}
	staged, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return staged
}

func openFile(t testing.TB, path string) *file.Reader {
	t.Helper()
	r, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestTheSameBatchesGiveTheSameBytes(t *testing.T) {
	mem, dir := checked(t), t.TempDir()
	for _, table := range schemas.All() {
		if !table.Vendor() {
			continue
		}
		var files [2][]byte
		for i := range files {
			path := filepath.Join(dir, fmt.Sprint(table.Name, i))
			write(t, path, table, 500, Options{Memory: mem})
			files[i], _ = os.ReadFile(path)
		}
		if len(files[0]) == 0 || !bytes.Equal(files[0], files[1]) {
			t.Errorf("%s: %d and %d bytes that differ", table.FullName(), len(files[0]), len(files[1]))
		}
	}
}

func TestChecksumSpeaksOfRowsNotOfBatchesOrRowGroups(t *testing.T) {
	mem, dir := checked(t), t.TempDir()
	table := sample.Table()
	rows := sample.Rows(table)
	whole := sample.Batch(mem, table, "a.com", rows)
	defer whole.Release()
	var sums []uint64
	for i, cut := range []int64{6, 1, 2, 5} {
		w, err := Create(blob.FS{}, filepath.Join(dir, fmt.Sprint(i)), table, Options{Memory: mem, RowGroupRows: int64(i + 1)})
		if err != nil {
			t.Fatal(err)
		}
		for at := int64(0); at < 6; at += cut {
			part := whole.NewSlice(at, min(at+cut, 6))
			if err := w.Write(part); err != nil {
				t.Fatal(err)
			}
			part.Release()
		}
		staged, err := w.Close()
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, staged.Checksum)
	}
	for _, s := range sums {
		if s != sums[0] || s == 0 {
			t.Errorf("checksums %x", sums)
		}
	}
}

func TestChecksumTellsEveryChangeOfAValue(t *testing.T) {
	mem := checked(t)
	table := sample.Table()
	sumOf := func(rows [][]any) uint64 {
		batch := sample.Batch(mem, table, "a.com", rows)
		defer batch.Release()
		sums := newSums(int(batch.NumCols()))
		for i, s := range sums {
			if err := s.add(batch.Column(i)); err != nil {
				t.Fatal(err)
			}
		}
		return total(finish(sums))
	}
	seen := map[uint64]string{sumOf(sample.Rows(table)): "unchanged"}
	for c, column := range table.Own {
		rows := sample.Rows(table)
		rows[0][c], rows[1][c] = rows[1][c], rows[0][c]
		what := "swap in " + column.Name
		if s := sumOf(rows); seen[s] != "" && column.Type != schemas.Bool {
			t.Errorf("%s has the checksum of %s", what, seen[s])
		} else {
			seen[s] = what
		}
	}
}

func TestAFileWithoutRowsIsValid(t *testing.T) {
	mem, dir := checked(t), t.TempDir()
	for _, table := range schemas.All() {
		path := filepath.Join(dir, table.FullName())
		staged := write(t, path, table, 0, Options{Memory: mem})
		r := openFile(t, path)
		if staged.Rows != 0 || r.NumRows() != 0 || r.MetaData().Schema.NumColumns() != len(table.Columns()) {
			t.Errorf("%s: %+v, %d columns", table.FullName(), staged, r.MetaData().Schema.NumColumns())
		}
	}
}

func TestRowsOutOfOrderAreRefused(t *testing.T) {
	table := schemas.Lookup("moz.anchor_text")
	one := func(mem memory.Allocator, target string) arrow.RecordBatch {
		return sample.Batch(mem, table, target, [][]any{{"a", int64(1), int64(1)}})
	}
	for _, c := range []struct{ first, then, want string }{
		{"b.com", "a.com", "row 1 is out of order: rows come sorted by [target scope rank]"},
		{"", "a.com", ""}, // null comes first
		{"a.com", "", "row 1 is out of order"},
		{"a.com", "a.com", ""}, // two extracts may hold the same rank
		{"é.com", "z.com", "row 1 is out of order"},
	} {
		mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
		w, err := Create(blob.FS{}, filepath.Join(t.TempDir(), "f"), table, Options{Memory: mem})
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range []string{c.first, c.then} {
			batch := one(mem, target)
			err = w.Write(batch)
			batch.Release()
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q then %q: %v", c.first, c.then, err)
		}
		if err := w.Abort(); err != nil {
			t.Error(err)
		}
		mem.AssertSize(t, 0)
	}
}

func TestNullsInRequiredColumnsAreRefused(t *testing.T) {
	mem := checked(t)
	table := schemas.Lookup("moz.anchor_text")
	w, err := Create(blob.FS{}, filepath.Join(t.TempDir(), "f"), table, Options{Memory: mem})
	if err != nil {
		t.Fatal(err)
	}
	batch := sample.Batch(mem, table, "a.com", [][]any{{"x", nil, int64(1)}})
	defer batch.Release()
	err = w.Write(batch)
	if err == nil || !strings.Contains(err.Error(), "column external_root_domains is required and has 1 nulls") {
		t.Error(err)
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
}

func TestAbortRemovesTheFile(t *testing.T) {
	mem := checked(t)
	path := filepath.Join(t.TempDir(), "f")
	table := sample.Table()
	w, err := Create(blob.FS{}, path, table, Options{Memory: mem})
	if err != nil {
		t.Fatal(err)
	}
	batch := sample.Batch(mem, table, "a.com", sample.Rows(table))
	defer batch.Release()
	if err := errors.Join(w.Write(batch), w.Abort(), w.Abort()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("after Abort: %v", err)
	}
	if err := w.Write(batch); err == nil {
		t.Error("wrote after Abort")
	}
}

func TestADamagedFileIsAnErrorThatNamesItAndNothingIsStaged(t *testing.T) {
	mem := checked(t)
	table := schemas.Lookup("moz.anchor_text")
	for _, at := range []int64{0, 10, 500, 1500, -5, -200} {
		path := filepath.Join(t.TempDir(), "nightly.2026-11-23.parquet")
		fs := blob.FS{Before: func(op blob.Op, p string) error {
			if op == blob.OpClose { // the last thing before the file is read back
				return flip(p, at)
			}
			return nil
		}}
		w, err := Create(fs, path, table, Options{Memory: mem})
		if err != nil {
			t.Fatal(err)
		}
		shape := sample.NewShape(mem, table, 100)
		batch := shape.Next(500)
		if err := w.Write(batch); err != nil {
			t.Fatal(err)
		}
		batch.Release()
		shape.Release()
		_, err = w.Close()
		_, statErr := os.Stat(path)
		if err == nil || !strings.Contains(err.Error(), path) || !os.IsNotExist(statErr) {
			t.Errorf("byte %d flipped: %v, file: %v", at, err, statErr)
		}
	}
}

// flip inverts a byte of the file; negative positions count from the end.
func flip(path string, at int64) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	b[(at+int64(len(b)))%int64(len(b))] ^= 0xff
	return os.WriteFile(path, b, 0o666)
}

func TestFailureOfAnyOperationNamesTheFileAndLeavesNothing(t *testing.T) {
	table := schemas.Lookup("moz.anchor_text")
	for nth := 1; ; nth++ {
		mem := memory.NewGoAllocator() // see Options.Memory
		dir := t.TempDir()
		path := filepath.Join(dir, "f.parquet")
		count := 0
		fs := blob.FS{Before: func(op blob.Op, p string) error {
			if count++; count == nth {
				return syscall.ENOSPC
			}
			return nil
		}}
		err := writeSmallGroups(mem, fs, path, table)
		if count < nth {
			if err != nil || nth < 5 {
				t.Fatalf("%d operations, then %v", nth-1, err)
			}
			return
		}
		if !errors.Is(err, syscall.ENOSPC) || strings.Count(err.Error(), path) != 1 {
			t.Errorf("operation %d failed: %v", nth, err)
		}
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("operation %d failed and left %v", nth, left)
		}
	}
}

func writeSmallGroups(mem memory.Allocator, fs blob.FS, path string, table *schemas.Table) error {
	w, err := Create(fs, path, table, Options{Memory: mem, RowGroupRows: 10_000})
	if err != nil {
		return err
	}
	shape := sample.NewShape(mem, table, 100)
	defer shape.Release()
	for range 6 {
		batch := shape.Next(10_000)
		err := w.Write(batch)
		batch.Release()
		if err != nil {
			return errors.Join(err, w.Abort())
		}
	}
	_, err = w.Close()
	return err
}
