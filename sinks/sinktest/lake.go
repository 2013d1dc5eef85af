package sinktest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/internal/sample"
)

// Lake is a format of the lake's files. All of it is needed.
type Lake struct {
	// Create begins a file of the table at a path, with memory from mem. before is called ahead of everything that is done to the
	// storage, and its error takes the place of that.
	Create func(path string, t *schemas.Table, mem memory.Allocator, before func() error) (sinks.Writer, error)
	// Contents reads a file of the table from its first row to its last.
	Contents func(path string, t *schemas.Table) (sinks.Contents, error)
	// Rows yields its rows in batches of at most so many, which are valid until the next; an error is the last thing yielded.
	Rows func(path string, t *schemas.Table, most int) iter.Seq2[arrow.RecordBatch, error]
	// Digest returns the digest of no rows of the table.
	Digest func(t *schemas.Table) sinks.Digester
}

// RunLake tries the format.
func RunLake(t *testing.T, l Lake) {
	t.Helper()
	for name, claim := range map[string]func(Lake, *testing.T){
		"the values that are read were written":      Lake.values,
		"every table has a file without rows":        Lake.empty,
		"the same rows make the same bytes":          Lake.same,
		"checksums are those of the rows":            Lake.checksums,
		"every change of a value changes a checksum": Lake.changes,
		"rows out of order are refused":              Lake.order,
		"what is not the table's is refused":         Lake.misfits,
		"a file that is there is not written over":   Lake.present,
		"abort leaves nothing":                       Lake.abort,
		"a writer that is closed stays so":           Lake.closed,
		"any operation may fail":                     Lake.failing,
		"what is spoilt on its way is found":         Lake.spoilt,
		"every changed byte is damage":               Lake.flipped,
		"a cut file is damage":                       Lake.cut,
		"another table's file has other columns":     Lake.others,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			claim(l, t)
		})
	}
}

func anchors() *schemas.Table { return schemas.Lookup("moz.anchor_text") }

// anchor is a batch of one row of anchors.
func anchor(mem memory.Allocator, target string) arrow.RecordBatch {
	return sample.Batch(mem, anchors(), target, [][]any{{"a", int64(1), int64(1)}})
}

func nothing() error { return nil }

// checked returns an allocator that fails the test if anything is left over.
func checked(t *testing.T) memory.Allocator {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	t.Cleanup(func() { mem.AssertSize(t, 0) })
	return mem
}

func (l Lake) create(t *testing.T, path string, table *schemas.Table, mem memory.Allocator) sinks.Writer {
	t.Helper()
	w, err := l.Create(path, table, mem, nothing)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// batches hands a table's rows, of the web's shape, to use: n of them, 4,096 at a time.
func batches(mem memory.Allocator, table *schemas.Table, n int, use func(arrow.RecordBatch) error) error {
	shape := sample.NewShape(mem, table, 1000)
	defer shape.Release()
	for ; n > 0; n -= 4096 {
		batch := shape.Next(min(n, 4096))
		err := use(batch)
		batch.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

// write writes n rows of the web's shape.
func (l Lake) write(t *testing.T, path string, table *schemas.Table, mem memory.Allocator, n int) sinks.Staged {
	t.Helper()
	w := l.create(t, path, table, mem)
	if err := batches(mem, table, n, w.Write); err != nil {
		t.Fatal(err)
	}
	staged, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return staged
}

func (l Lake) values(t *testing.T) {
	mem, table, path := checked(t), sample.Table(), filepath.Join(t.TempDir(), "f")
	rows := sample.Rows(table)
	for i, c := range table.Own {
		if c.Type == schemas.String && c.Required {
			rows[1][i] = strings.Repeat("žluť", 1<<19) // 3 MiB
		}
	}
	want := sample.Batch(mem, table, "a.com", rows)
	defer want.Release()
	w := l.create(t, path, table, mem)
	if err := w.Write(want); err != nil {
		t.Fatal(err)
	}
	staged, err := w.Close()
	if err != nil || staged.Rows != want.NumRows() || staged.Path != path {
		t.Fatalf("%+v, %v", staged, err)
	}
	at := int64(0)
	for got, err := range l.Rows(path, table, 4) {
		if err != nil {
			t.Fatal(err)
		}
		if got.NumRows() > 4 || !got.Schema().Equal(table.Arrow()) {
			t.Errorf("%d rows of %v", got.NumRows(), got.Schema())
		}
		part := want.NewSlice(at, at+got.NumRows())
		for i := range int(want.NumCols()) {
			if !array.Equal(got.Column(i), part.Column(i)) {
				t.Errorf("%s from row %d: %.200s, want %.200s", want.ColumnName(i), at, got.Column(i), part.Column(i))
			}
		}
		part.Release()
		at += got.NumRows()
	}
	if at != want.NumRows() {
		t.Errorf("%d of %d rows", at, want.NumRows())
	}
}

func (l Lake) empty(t *testing.T) {
	mem, dir := checked(t), t.TempDir()
	for _, table := range append(schemas.All(), sample.Table()) {
		path := filepath.Join(dir, table.FullName())
		staged := l.write(t, path, table, mem, 0)
		c, err := l.Contents(path, table)
		if err != nil || staged.Rows != 0 || c.Rows != 0 || c.Checksum != staged.Checksum || len(c.Columns) != len(table.Columns()) {
			t.Errorf("%s: %+v, %+v, %v", table.FullName(), staged, c, err)
		}
	}
}

func (l Lake) same(t *testing.T) {
	mem, dir := checked(t), t.TempDir()
	for _, table := range schemas.All() {
		if !table.Vendor() {
			continue
		}
		var files [2][]byte
		for i := range files {
			path := filepath.Join(dir, fmt.Sprint(table.Name, i))
			l.write(t, path, table, mem, 500)
			files[i] = bytesOf(t, path)
		}
		if len(files[0]) == 0 || !bytes.Equal(files[0], files[1]) {
			t.Errorf("%s: %d and %d bytes that differ", table.FullName(), len(files[0]), len(files[1]))
		}
	}
}

func bytesOf(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (l Lake) checksums(t *testing.T) {
	mem, dir, table := checked(t), t.TempDir(), anchors()
	const rows = 5000
	whole := sample.NewShape(mem, table, 1000)
	defer whole.Release()
	batch := whole.Next(rows)
	defer batch.Release()
	var want sinks.Contents
	for _, cut := range []int64{rows, 17, 1024} {
		path := filepath.Join(dir, fmt.Sprint(cut))
		w, d := l.create(t, path, table, mem), l.Digest(table)
		for at := int64(0); at < rows; at += cut {
			part := batch.NewSlice(at, min(at+cut, rows))
			if err := errors.Join(w.Write(part), d.Write(part)); err != nil {
				t.Fatal(err)
			}
			part.Release()
		}
		staged, err := w.Close()
		got, readErr := l.Contents(path, table)
		if err := errors.Join(err, readErr); err != nil {
			t.Fatal(err)
		}
		if got.Rows != rows || staged.Rows != rows || got.Checksum != staged.Checksum || got.Bytes != staged.Bytes || got.Checksum == 0 {
			t.Errorf("in batches of %d: %+v, %+v", cut, got, staged)
		}
		got.Bytes = 0
		if diff := cmp.Diff(got, d.Contents()); diff != "" {
			t.Errorf("in batches of %d: %s", cut, diff)
		}
		if diff := cmp.Diff(want, got); cut != rows && diff != "" {
			t.Errorf("in batches of %d: %s", cut, diff)
		}
		want = got
	}
}

func (l Lake) changes(t *testing.T) {
	table := sample.Table()
	digest := func(rows [][]any) uint64 {
		batch := sample.Batch(memory.DefaultAllocator, table, "a.com", rows)
		defer batch.Release()
		d := l.Digest(table)
		if err := d.Write(batch); err != nil {
			t.Fatal(err)
		}
		return d.Contents().Checksum
	}
	seen := map[uint64]string{digest(sample.Rows(table)): "no change"}
	for i, c := range table.Own {
		rows := sample.Rows(table)
		rows[0][i], rows[1][i] = rows[1][i], rows[0][i]
		what := "a swap in " + c.Name
		if sum := digest(rows); seen[sum] != "" && c.Type != schemas.Bool { // whose values recur
			t.Errorf("%s has the checksum of %s", what, seen[sum])
		} else {
			seen[sum] = what
		}
	}
}

func (l Lake) order(t *testing.T) {
	mem := checked(t)
	for _, c := range []struct{ first, then, want string }{
		{"b.com", "a.com", "row 1 is out of order"},
		{"", "a.com", ""}, // null comes first
		{"a.com", "", "row 1 is out of order"},
		{"a.com", "a.com", ""}, // two extracts may hold the same rank
		{"é.com", "z.com", "row 1 is out of order"},
	} {
		w := l.create(t, filepath.Join(t.TempDir(), "f"), anchors(), mem)
		var err error
		for _, target := range []string{c.first, c.then} {
			batch := anchor(mem, target)
			err = w.Write(batch)
			batch.Release()
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q then %q: %v", c.first, c.then, err)
		}
		if err := w.Abort(); err != nil {
			t.Error(err)
		}
	}
}

func (l Lake) misfits(t *testing.T) {
	mem := checked(t)
	for want, batch := range map[string]arrow.RecordBatch{
		"column external_root_domains is required and has 1 nulls": sample.Batch(mem, anchors(), "a.com", [][]any{{"x", nil, int64(1)}}),
		"batch is not of table moz.anchor_text":                    sample.Batch(mem, sample.Table(), "a.com", sample.Rows(sample.Table())),
	} {
		w := l.create(t, filepath.Join(t.TempDir(), "f"), anchors(), mem)
		if err := w.Write(batch); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		if err := w.Abort(); err != nil {
			t.Error(err)
		}
		batch.Release()
	}
}

func (l Lake) present(t *testing.T) {
	mem, path := checked(t), filepath.Join(t.TempDir(), "f")
	l.write(t, path, anchors(), mem, 10)
	before := bytesOf(t, path)
	if _, err := l.Create(path, anchors(), mem, nothing); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	if !bytes.Equal(before, bytesOf(t, path)) {
		t.Error("it was written over")
	}
}

func (l Lake) abort(t *testing.T) {
	mem, path := checked(t), filepath.Join(t.TempDir(), "f")
	w := l.create(t, path, anchors(), mem)
	batch := anchor(mem, "a.com")
	defer batch.Release()
	if err := errors.Join(w.Write(batch), w.Abort(), w.Abort()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Abort: %v", err)
	}
	if err := w.Write(batch); err == nil {
		t.Error("wrote after Abort")
	}
	if _, err := w.Close(); err == nil {
		t.Error("closed after Abort")
	}
}

func (l Lake) closed(t *testing.T) {
	mem, path := checked(t), filepath.Join(t.TempDir(), "f")
	w := l.create(t, path, anchors(), mem)
	batch := anchor(mem, "a.com")
	defer batch.Release()
	if err := w.Write(batch); err != nil {
		t.Fatal(err)
	}
	staged, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err == nil {
		t.Error("closed twice")
	}
	if err := w.Write(batch); err == nil {
		t.Error("wrote after Close")
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
	if c, err := l.Contents(path, anchors()); err != nil || c.Rows != 1 || c.Checksum != staged.Checksum {
		t.Errorf("%+v, %v", c, err)
	}
}
