package sqlite

import (
	"database/sql"
	"errors"
	"iter"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/sinks"
)

func all(err error, rows ...[]any) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

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
	rows := sinks.Rows{Name: "marts.changes", Columns: columns, All: all(nil,
		[]any{"007", int64(9_007_199_254_740_993), 0.25, true, at.Truncate(24 * time.Hour), at},
		[]any{nil, nil, nil, nil, nil, nil})}
	if err := Write(t.Context(), path, rows); err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"text", "007", "integer", "9007199254740993", "real", "1", "text", "2026-11-23", "2026-11-24", "text", "2026-11-23 04:05:06.789", "04"}}
	got := answer(t, path, `select typeof("a text"), "a text", typeof(i), i, typeof(n), b, typeof(d), d||'', date(d, '+1 day'), typeof("t"""), "t"""||'', strftime('%H', "t""") from marts_changes where i is not null`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := answer(t, path, `select count(*)||'' from marts_changes where coalesce("a text", i, n, b, d, "t""") is null`); got[0][0] != "1" {
		t.Errorf("%s rows of nulls", got[0][0])
	}
	want = [][]string{{"a text", "TEXT"}, {"i", "INTEGER"}, {"n", "REAL"}, {"b", "BOOLEAN"}, {"d", "DATE"}, {`t"`, "TIMESTAMP"}}
	if diff := cmp.Diff(want, answer(t, path, `select name, type from pragma_table_info('marts_changes')`)); diff != "" {
		t.Error(diff)
	}
}

func TestErrorsComeThrough(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	rows := sinks.Rows{Name: "marts.changes", Columns: columns[:1], All: all(broken, []any{"x"})}
	if err := Write(t.Context(), filepath.Join(t.TempDir(), "x"), rows); !errors.Is(err, broken) {
		t.Errorf("rows: %v", err)
	}
	rows.All = all(nil)
	if err := Write(t.Context(), filepath.Join(t.TempDir(), "no", "x"), rows); err == nil {
		t.Error("no folder: no error")
	}
}
