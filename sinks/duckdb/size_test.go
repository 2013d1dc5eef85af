package duckdb

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/internal/sample"
	"backhaul/sinks/lake"
)

// TestFilesAreNoLargerThanDuckDBsOwn compares bytes with what DuckDB makes of the same rows in the same order, with zstd.
func TestFilesAreNoLargerThanDuckDBsOwn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		table string
		rows  int
	}{
		{"moz.anchor_text", 20_000}, {"moz.linking_root_domains", 15_000}, {"moz.links", 3000},
		{"moz.anchor_text", 50}, {"moz.links", 1}, {"ops.pages", 500}, {"ops.tasks", 50}, {"ops.runs", 1},
	} {
		w := warehouse(t)
		night := ofNight(t, w, c.table, night, c.rows)
		if ratio := toDuckDBs(t, night); ratio > 1 {
			t.Errorf("%s, %d rows: %.2f of DuckDB's own", c.table, c.rows, ratio)
		}
	}
}

// TestMergedFilesAreNoLargerThanDuckDBsOwn compares in the order of a merged month, in which ranks and times jump.
func TestMergedFilesAreNoLargerThanDuckDBsOwn(t *testing.T) {
	t.Parallel()
	for table, rows := range map[string]int{"moz.anchor_text": 2000, "moz.linking_root_domains": 2000, "moz.links": 200, "ops.pages": 100, "ops.tasks": 40} {
		w := warehouse(t)
		for n := range 8 {
			ofNight(t, w, table, night.AddDate(0, 0, -n), rows)
		}
		if ratio := toDuckDBs(t, merged(t, w, table)); ratio > 1 {
			t.Errorf("%s: %.2f of DuckDB's own", table, ratio)
		}
	}
}

// BenchmarkSize prints the sizes of a night and of a merged month, as ratios to DuckDB's.
func BenchmarkSize(b *testing.B) {
	for table, rows := range map[string]int{"moz.anchor_text": 100_000, "moz.linking_root_domains": 100_000, "moz.links": 10_000, "ops.pages": 1000, "ops.tasks": 100} {
		b.Run(table, func(b *testing.B) {
			for b.Loop() {
				w := warehouse(b)
				for n := range 5 {
					ofNight(b, w, table, night.AddDate(0, 0, -n), rows)
				}
				b.ReportMetric(toDuckDBs(b, published(b, w, table, "nightly", night)), "night/duckdb")
				b.ReportMetric(toDuckDBs(b, merged(b, w, table)), "month/duckdb")
			}
		})
	}
}

// ofNight publishes a night of rows of the web's shape and returns the file.
func ofNight(t testing.TB, w sinks.Warehouse, table string, date time.Time, rows int) string {
	t.Helper()
	shape := sample.NewShape(memory.DefaultAllocator, schemas.Lookup(table), 1000).Of("nightly", date)
	defer shape.Release()
	batch := shape.Next(rows)
	defer batch.Release()
	put(t, w, schemas.Lookup(table), "nightly", date, batch)
	return published(t, w, table, "nightly", date)
}

// merged merges the month of night and returns the file.
func merged(t testing.TB, w sinks.Warehouse, table string) string {
	t.Helper()
	merge(t, w, table, night)
	_, parts, err := lake.Lake{Warehouse: w}.Of(schemas.Lookup(table), "nightly", night)
	if err != nil || len(parts) != 1 {
		t.Fatal(parts, err)
	}
	return parts[0].Path
}

// toDuckDBs returns the file's size over that of DuckDB's copy.
func toDuckDBs(t testing.TB, ours string) float64 {
	t.Helper()
	s, err := openSession(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	theirs := filepath.Join(t.TempDir(), "duckdb.parquet")
	if err := s.exec(t.Context(), fmt.Sprintf("COPY (SELECT * FROM read_parquet(%s, hive_partitioning => false)) TO %s (FORMAT parquet, COMPRESSION zstd)",
		quote(ours), quote(theirs))); err != nil {
		t.Fatal(err)
	}
	return size(t, ours) / size(t, theirs)
}

func size(t testing.TB, path string) float64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return float64(info.Size())
}
