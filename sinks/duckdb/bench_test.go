package duckdb

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/schemas"
	"backhaul/sinks/internal/sample"
)

// BenchmarkBuild builds the catalog over 30 nights of anchor texts.
func BenchmarkBuild(b *testing.B) {
	w := warehouse(b)
	for n := range 30 {
		anchors(b, w, "nightly", night.Add(time.Duration(n)*24*time.Hour), map[string]int64{"x": 1})
	}
	for b.Loop() {
		mustBuild(b, w)
	}
}

// BenchmarkSelect opens the catalog, asks for one row and closes it.
func BenchmarkSelect(b *testing.B) {
	w := warehouse(b)
	anchors(b, w, "nightly", night, map[string]int64{"x": 1})
	mustBuild(b, w)
	for b.Loop() {
		if _, _, err := Select(b.Context(), w, "FROM moz.anchor_text"); err != nil {
			b.Fatal(err)
		}
	}
}

// TestFilesAreNoLargerThanDuckDBsOwn compares bytes with what DuckDB makes of the same rows in the same order, with zstd.
func TestFilesAreNoLargerThanDuckDBsOwn(t *testing.T) {
	for _, c := range []struct {
		table string
		rows  int
	}{{"moz.anchor_text", 4000}, {"moz.linking_root_domains", 4000}, {"moz.links", 3000}, {"moz.anchor_text", 50}, {"ops.pages", 500}, {"ops.tasks", 50}} {
		w, table := warehouse(t), schemas.Lookup(c.table)
		batch := sample.NewShape(memory.DefaultAllocator, table, 100).Of("nightly", night).Next(c.rows)
		put(t, w, table, "nightly", night, batch)
		batch.Release()
		ours := published(t, w, c.table, "nightly", night)
		s, err := openSession(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		theirs := filepath.Join(t.TempDir(), "duckdb.parquet")
		if err := s.exec(t.Context(), fmt.Sprintf("COPY (SELECT * FROM read_parquet([%s], hive_partitioning => false)) TO %s (FORMAT parquet, COMPRESSION zstd)",
			literals([]string{ours}), quote(theirs))); err != nil {
			t.Fatal(err)
		}
		a, err := os.Stat(ours)
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.Stat(theirs)
		if err != nil {
			t.Fatal(err)
		}
		ratio := float64(a.Size()) / float64(b.Size())
		t.Logf("%s, %d rows: %d bytes where DuckDB has %d: %.2f", c.table, c.rows, a.Size(), b.Size(), ratio)
		if ratio > 1 {
			t.Errorf("%s, %d rows: %.2f of DuckDB's own", c.table, c.rows, ratio)
		}
	}
}
