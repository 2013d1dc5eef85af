package sqlite

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/sinks"
	"backhaul/sinks/sinktest"
)

var columns = []sinks.Column{
	{Name: "a text", Kind: sinks.Text}, {Name: "i", Kind: sinks.Integer}, {Name: "n", Kind: sinks.Number},
	{Name: "b", Kind: sinks.Boolean}, {Name: "d", Kind: sinks.Date}, {Name: `t"`, Kind: sinks.Timestamp},
}

// answer runs a question against a file and returns its rows as SQLite spells them, NULL for null.
func answer(t *testing.T, path, question string) (rows [][]string) {
	t.Helper()
	db, err := sql.Open("sqlite", address(path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	result, err := db.Query(question)
	if err != nil {
		t.Fatal(err)
	}
	defer result.Close()
	names, err := result.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for result.Next() {
		row, places := make([]string, len(names)), make([]any, len(names))
		for i := range row {
			places[i] = &row[i]
		}
		if err := result.Scan(places...); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	if err := result.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestValuesAreWhatSQLiteReads(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a file?#%.sqlite")
	at := time.Date(2026, 11, 23, 4, 5, 6, 789_000_000, time.UTC)
	rows := sinktest.Rows("marts.changes", columns, nil, []any{"007", int64(9_007_199_254_740_993), 0.25, true, at.Truncate(24 * time.Hour), at})
	if err := Write(t.Context(), path, rows); err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"text", "007", "integer", "9007199254740993", "real", "1", "text", "2026-11-23", "2026-11-24", "text", "2026-11-23 04:05:06.789", "04"}}
	got := answer(t, path, `select typeof("a text"), "a text", typeof(i), i, typeof(n), b, typeof(d), d||'', date(d, '+1 day'), typeof("t"""), "t"""||'', strftime('%H', "t""") from marts_changes`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	want = [][]string{{"a text", "TEXT"}, {"i", "INTEGER"}, {"n", "REAL"}, {"b", "BOOLEAN"}, {"d", "DATE"}, {`t"`, "TIMESTAMP"}}
	if diff := cmp.Diff(want, answer(t, path, `select name, type from pragma_table_info('marts_changes')`)); diff != "" {
		t.Error(diff)
	}
}

func TestSQLiteKeepsItsPromises(t *testing.T) {
	t.Parallel()
	sinktest.RunFormat(t, sinktest.Format{Write: Write, Read: read})
}

// read returns what SQLite has in the one table.
func read(path string, columns []sinks.Column) (names []string, rows [][]any, err error) {
	db, err := sql.Open("sqlite", address(path)+"?mode=ro")
	if err != nil {
		return nil, nil, err
	}
	defer db.Close()
	result, err := db.Query("SELECT * FROM marts_changes")
	if err != nil {
		return nil, nil, err
	}
	defer result.Close()
	if names, err = result.Columns(); err != nil {
		return nil, nil, err
	}
	for result.Next() {
		row, places := make([]any, len(names)), make([]any, len(names))
		for i := range row {
			places[i] = &row[i]
		}
		if err := result.Scan(places...); err != nil {
			return nil, nil, err
		}
		for i, c := range columns {
			if n, ok := row[i].(int64); ok && c.Kind == sinks.Boolean {
				row[i] = n != 0
			}
		}
		rows = append(rows, row)
	}
	return names, rows, result.Err()
}
