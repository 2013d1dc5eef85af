package duckdb

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backhaul/schemas"
	"backhaul/sinks"
)

// Somebody else's DuckDB reads by the scripts what the program reads by its catalog, and the tables alone again after each night.
func TestScriptsReadWhatTheCatalogReads(t *testing.T) {
	t.Parallel()
	w := sinks.Warehouse{Root: t.TempDir()}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for day, texts := range []map[string]int64{{}, {"one": 1, "two": 2}, {"two": 2, "three": 3, "four": 4}} {
		if night := time.Date(2026, 11, 22+day, 0, 0, 0, 0, time.UTC); day > 0 {
			anchors(t, w, "nightly", night, texts)
			task(t, w, "nightly", night, "end of list", true)
		}
		mustBuild(t, w)
		tables, marts, err := Script(filesOf(t, w))
		if err != nil {
			t.Fatal(err)
		}
		scripts := []string{tables, marts, tables, marts} // they may be read again
		if day > 0 {
			scripts = scripts[:1]
		}
		for _, script := range scripts {
			if _, err := db.Exec(strings.Replace(script, "INSTALL httpfs;\nLOAD httpfs;\n", "", 1)); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"moz.anchor_text", "ops.tasks", "marts.anchor_changes", "marts.anchors_current", "ahrefs.anchors"} {
			_, rows, err := Select(t.Context(), w, "SELECT count(*) FROM "+name)
			if err != nil {
				t.Fatal(err)
			}
			var got int64
			if err := db.QueryRow("SELECT count(*) FROM " + name).Scan(&got); err != nil || got != rows[0][0] {
				t.Errorf("day %d: %s: %d rows (%v), by the catalog %v", day, name, got, err, rows[0][0])
			}
			if got == 0 && (day == 1 && name != "marts.anchor_changes" || day == 2) && name != "ahrefs.anchors" {
				t.Errorf("day %d: %s has no rows", day, name)
			}
		}
	}
}

// filesOf returns the paths of the files with rows by the full names of their tables.
func filesOf(t *testing.T, w sinks.Warehouse) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	for _, table := range schemas.All() {
		found, err := filepath.Glob(filepath.Join(w.Table(table.Schema, table.Name), "month=2*", "*.parquet"))
		if err != nil {
			t.Fatal(err)
		}
		files[table.FullName()] = found
	}
	return files
}
