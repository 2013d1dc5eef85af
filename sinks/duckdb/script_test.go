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

// Somebody else's DuckDB reads by the scripts what the program reads by its catalog.
func TestScriptsReadWhatTheCatalogReads(t *testing.T) {
	t.Parallel()
	w := sinks.Warehouse{Root: t.TempDir()}
	for day, texts := range []map[string]int64{{"one": 1, "two": 2}, {"two": 2, "three": 3}} {
		night := time.Date(2026, 11, 22+day, 0, 0, 0, 0, time.UTC)
		anchors(t, w, "nightly", night, texts)
		task(t, w, "nightly", night, "end of list", true)
	}
	mustBuild(t, w)
	files := map[string][]string{}
	for _, table := range schemas.All() {
		found, err := filepath.Glob(filepath.Join(w.Table(table.Schema, table.Name), "month=2*", "*.parquet"))
		if err != nil {
			t.Fatal(err)
		}
		files[table.FullName()] = found
	}
	tables, marts, err := Script(files)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, script := range []string{tables, marts, tables, marts} { // they may be read again
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
		if err := db.QueryRow("SELECT count(*) FROM " + name).Scan(&got); err != nil || got != rows[0][0] || got == 0 && name != "ahrefs.anchors" {
			t.Errorf("%s: %d rows (%v), by the catalog %v", name, got, err, rows[0][0])
		}
	}
}
