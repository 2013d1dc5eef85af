package compact_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/blob"
	"backhaul/sinks/compact"
	"backhaul/sinks/duckdb"
	"backhaul/sinks/internal/sample"
	"backhaul/sinks/parquet"
)

// bench is a directory with files to merge.
type bench struct {
	t    *testing.T
	dir  string
	made int
}

func (b *bench) create(t *schemas.Table, o parquet.Options) (*parquet.Writer, error) {
	b.made++
	o.RowGroupRows = 8000
	return parquet.Create(blob.FS{}, filepath.Join(b.dir, fmt.Sprintf("staged.%d.parquet", b.made)), t, o)
}

func (b *bench) merger(partBytes int64) compact.Merger {
	return compact.Merger{Sort: duckdb.Sort, Create: b.create, PartBytes: partBytes, Scratch: func() (string, func() error, error) {
		dir, err := os.MkdirTemp(b.dir, "scratch")
		return dir, func() error { return os.RemoveAll(dir) }, err
	}}
}

// night writes a run's file of a table with rows of the web's shape.
func (b *bench) night(t *schemas.Table, job string, day, rows int) string {
	b.t.Helper()
	date := time.Date(2026, 10, day, 0, 0, 0, 0, time.UTC)
	batch := sample.NewShape(memory.DefaultAllocator, t, 10).Of(job, date).Next(rows)
	defer batch.Release()
	w, err := b.create(t, parquet.Options{})
	if err != nil {
		b.t.Fatal(err)
	}
	if err := w.Write(batch); err != nil {
		b.t.Fatal(err)
	}
	staged, err := w.Close()
	if err != nil {
		b.t.Fatal(err)
	}
	path := filepath.Join(b.dir, sinks.OfRun(job, date, "0123456789abcdef").String())
	if err := os.Rename(staged.Path, path); err != nil {
		b.t.Fatal(err)
	}
	return path
}

// total adds up files of any kind.
func total(t *testing.T, table *schemas.Table, files ...string) compact.Sums {
	t.Helper()
	sums := compact.Sums{}
	for _, path := range files {
		for batch, err := range parquet.Rows(path, table, 1000) {
			if err == nil {
				err = sums.Add(batch)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return sums
}

func paths(parts []sinks.Staged) (all []string) {
	for _, p := range parts {
		all = append(all, p.Path)
	}
	return all
}

func TestEveryTablesMonthKeepsEveryRowOfEveryRun(t *testing.T) {
	for _, table := range schemas.All() {
		b := &bench{t: t, dir: t.TempDir()}
		files := []string{b.night(table, "nightly", 1, 35), b.night(table, "nightly", 2, 35), b.night(table, "other", 2, 0)}
		before := total(t, table, files...)
		parts, err := b.merger(0).Merge(t.Context(), table, files)
		if err != nil || len(parts) != 1 {
			t.Fatalf("%s: %d parts, %v", table.FullName(), len(parts), err)
		}
		if after := total(t, table, paths(parts)...); !equal(before, after) {
			t.Errorf("%s: %v became %v", table.FullName(), before, after)
		}
		m, err := compact.Read(parts[0].Path)
		if err != nil || len(m.Runs) != 3 || m.Runs[2].Job != "other" || m.Runs[2].Rows != 0 || table.Index("run_id") >= 0 && m.Runs[0].IDs[0] != "nightly2026-10-01" {
			t.Errorf("%s: %+v, %v", table.FullName(), m, err)
		}
		whole, err := parquet.Read(files[0], table)
		if err != nil || m.Runs[0].Checksum != whole.Checksum {
			t.Errorf("%s: checksum %x of a file that has %x, %v", table.FullName(), m.Runs[0].Checksum, whole.Checksum, err)
		}
	}
}

func equal(a, b compact.Sums) bool {
	for key, sum := range a {
		if b[key] != sum {
			return false
		}
	}
	return len(a) == len(b)
}

func TestALargeMonthHasPartsAndARunCanBeTakenOutOfThem(t *testing.T) {
	table := schemas.Lookup("moz.anchor_text")
	b := &bench{t: t, dir: t.TempDir()}
	var files []string
	for day := 1; day <= 4; day++ {
		files = append(files, b.night(table, "nightly", day, 9000))
	}
	parts, err := b.merger(1).Merge(t.Context(), table, files)
	if err != nil || len(parts) < 3 {
		t.Fatal(len(parts), err)
	}
	for i := range parts {
		path := filepath.Join(b.dir, fmt.Sprintf("2026-10.%016x.parquet", i))
		if err := os.Rename(parts[i].Path, path); err != nil {
			t.Fatal(err)
		}
		parts[i].Path = path
	}
	if rows, err := compact.Check(t.Context(), table, paths(parts)); rows != 36_000 || err != nil {
		t.Error(rows, err)
	}
	if _, err := compact.Check(t.Context(), table, paths(parts)[1:]); !errors.Is(err, sinks.ErrDamaged) {
		t.Errorf("a part is missing: %v", err)
	}
	gone := sinks.RunKey{Job: "nightly", Date: "2026-10-02"}
	rest, err := b.merger(0).Merge(t.Context(), table, paths(parts), gone)
	if err != nil {
		t.Fatal(err)
	}
	want := total(t, table, files[0], files[2], files[3])
	if got := total(t, table, paths(rest)...); !equal(want, got) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestAMergeThatLosesOrChangesARowIsGivenUp(t *testing.T) {
	table := schemas.Lookup("moz.anchor_text")
	b := &bench{t: t, dir: t.TempDir()}
	files := []string{b.night(table, "nightly", 1, 50), b.night(table, "nightly", 2, 50)}
	m := b.merger(0)
	for name, sort := range map[string]func(context.Context, sinks.Sorting) error{
		"a run is missing": func(ctx context.Context, s sinks.Sorting) error { s.Files = s.Files[1:]; return duckdb.Sort(ctx, s) },
		"a run is there twice": func(ctx context.Context, s sinks.Sorting) error {
			s.Files = slices.Concat(s.Files, s.Files[1:])
			return duckdb.Sort(ctx, s)
		},
		"a run is left out": func(ctx context.Context, s sinks.Sorting) error {
			s.Except = []sinks.RunKey{{Job: "nightly", Date: "2026-10-01"}}
			return duckdb.Sort(ctx, s)
		},
	} {
		m.Sort = sort
		if parts, err := m.Merge(t.Context(), table, files); err == nil {
			t.Errorf("%s: %d parts", name, len(parts))
		}
	}
}
