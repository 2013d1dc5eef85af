package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/xuri/excelize/v2"

	"backhaul/jobs/telemetry/telemetrytest"
	"backhaul/pipeline/emulator"
)

// exits runs a program and checks its exit status: exits 2 backhaul run job.yaml. Its output is there for stdout and stderr.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS PROGRAM [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// billed returns a command that holds the rows the emulator has billed so far against a number: billed 120.
func billed(right func(got, want int64) bool) func(ts *testscript.TestScript, neg bool, args []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 1 {
			ts.Fatalf("usage: billed[-at-most|-at-least] ROWS")
		}
		want, err := strconv.ParseInt(args[0], 10, 64)
		ts.Check(err)
		if got := ts.Value("emulator").(*emulator.Server).Meter().Rows; !right(got, want) {
			ts.Fatalf("%d rows billed, want %d", got, want)
		}
	}
}

// holds checks that the rows of a Parquet file, as JSON, have each of the texts: parquet FILE TEXT...
func holds(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: parquet FILE TEXT...")
	}
	rows, err := pqarrow.ReadTable(context.Background(), bytes.NewReader([]byte(ts.ReadFile(args[0]))), parquet.NewReaderProperties(nil), pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	ts.Check(err)
	defer rows.Release()
	batches := array.NewTableReader(rows, 0)
	defer batches.Release()
	var text strings.Builder
	for batches.Next() {
		ts.Check(array.RecordToJSON(batches.RecordBatch(), &text))
	}
	for _, want := range args[1:] {
		if !strings.Contains(text.String(), want) {
			ts.Fatalf("%s holds\n%s\nwithout %s", args[0], text.String(), want)
		}
	}
}

// sheet checks that the first rows of a workbook have each of the texts: sheet FILE TEXT...
func sheet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: sheet FILE TEXT...")
	}
	book, err := excelize.OpenReader(strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	rows, err := book.GetRows(book.GetSheetName(0))
	ts.Check(errors.Join(err, book.Close()))
	for _, want := range args[1:] {
		if !slices.ContainsFunc(rows[:min(2, len(rows))], func(row []string) bool { return slices.Contains(row, want) }) {
			ts.Fatalf("%s begins with %q, without %s", args[0], rows[:min(2, len(rows))], want)
		}
	}
}

// inSQLite checks the first row of an answer of a SQLite file against a pattern: sqlite FILE QUESTION PATTERN
func inSQLite(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: sqlite FILE QUESTION PATTERN")
	}
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	result, err := db.Query(args[1])
	ts.Check(err)
	defer result.Close()
	columns, err := result.Columns()
	ts.Check(err)
	row, places := make([]string, len(columns)), make([]any, len(columns))
	for i := range row {
		places[i] = &row[i]
	}
	if !result.Next() {
		ts.Fatalf("no rows: %v", result.Err())
	}
	ts.Check(result.Scan(places...))
	if got := strings.Join(row, " "); !regexp.MustCompile("^(" + args[2] + ")$").MatchString(got) {
		ts.Fatalf("%s says %s, want %s", args[0], got, args[2])
	}
}

// told checks that a receiver of OpenTelemetry was sent a line that a pattern fits: told spans PATTERN, or told metrics PATTERN; with !
// that it was not, and told bytes that a text is nowhere in all it was sent.
func told(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: [!] told spans|metrics|bytes PATTERN")
	}
	otlp := ts.Value("otlp").(*telemetrytest.Receiver)
	if odd := otlp.Odd(); len(odd) > 0 {
		ts.Fatalf("what came was no OTLP: %v", odd)
	}
	lines := map[string]func() []string{"spans": otlp.Spans, "metrics": otlp.Metrics, "bytes": func() []string { return []string{string(otlp.Bodies())} }}[args[0]]
	if lines == nil {
		ts.Fatalf("told spans, metrics or bytes, not %s", args[0])
	}
	pattern := regexp.MustCompile(args[1])
	if slices.ContainsFunc(lines(), pattern.MatchString) == neg {
		ts.Fatalf("%s is told: %v; all that was:\n%s", args[1], neg, strings.ToValidUTF8(strings.Join(lines(), "\n"), "."))
	}
}
