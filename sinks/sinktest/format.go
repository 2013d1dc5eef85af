package sinktest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"backhaul/sinks"
)

// Format is a kind of file for other programs.
type Format struct {
	// Write makes a file of the rows at a path where none is.
	Write func(ctx context.Context, path string, rows sinks.Rows) error
	// Read returns what another program finds in the file: the names of its columns, nil where they cannot be told, and its rows,
	// with values of the types they have in sinks.Rows. The columns are those that were written.
	Read func(path string, columns []sinks.Column) (names []string, rows [][]any, err error)
	// Precision is that of timestamps. Default a microsecond.
	Precision time.Duration
	// Digits is how many a number keeps. Default 0: all of them.
	Digits int
	// Longest is how many characters a text may have; one that has more is an error. Default 0: any number.
	Longest int
	// Bent is what becomes of a text, where a format cannot hold every character. Default: nothing.
	Bent func(string) string
}

// RunFormat tries the format.
func RunFormat(t *testing.T, f Format) {
	t.Helper()
	if f.Precision == 0 {
		f.Precision = time.Microsecond
	}
	if f.Bent == nil {
		f.Bent = func(s string) string { return s }
	}
	for name, claim := range map[string]func(Format, *testing.T){
		"every value is found as it was":          Format.values,
		"rows are found in their order":           Format.order,
		"no rows make a file too":                 Format.empty,
		"names may have any characters":           Format.names,
		"a huge text is found whole or refused":   Format.huge,
		"an error behind the rows leaves nothing": Format.broken,
		"a place that is not there is an error":   Format.nowhere,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			claim(f, t)
		})
	}
}

const view = "marts.changes"

// found writes rows to a new file, and fails where another program finds others.
func (f Format) found(t *testing.T, columns []sinks.Column, rows [][]any) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a file?#%.é'x")
	if err := f.Write(t.Context(), path, Rows(view, columns, nil, rows...)); err != nil {
		t.Fatal(err)
	}
	names, got, err := f.Read(path, columns)
	if err != nil {
		t.Fatal(err)
	}
	var near cmp.Options
	if f.Digits > 0 {
		near = append(near, cmpopts.EquateApprox(math.Pow10(1-f.Digits), 0))
	}
	if diff := cmp.Diff(f.told(rows), append([][]any{}, got...), near); diff != "" {
		t.Errorf("rows: %s", diff)
	}
	var want []string
	for _, c := range columns {
		want = append(want, c.Name)
	}
	if diff := cmp.Diff(want, names); names != nil && diff != "" {
		t.Errorf("columns: %s", diff)
	}
}

// told are the rows as far as the format can tell them.
func (f Format) told(rows [][]any) [][]any {
	told := make([][]any, len(rows))
	for i, row := range rows {
		for _, value := range row {
			switch v := value.(type) {
			case time.Time:
				value = v.Round(f.Precision)
			case string:
				value = f.Bent(v)
			}
			told[i] = append(told[i], value)
		}
	}
	return told
}

// interesting are values of every kind that programs are known to bend.
var interesting = map[sinks.Kind][]any{
	sinks.Text: {"", "NULL", "null", " edges ", "007", "1e5", "=1+1", "-2+3", "@SUM(A1)", "true", "2026-11-23", "a,b;c\td", `"quoted" and 'quoted'`,
		"two\nlines\r\nthree", `back\slash`, "žluťoučký kůň 🐎", "日本語", "e\u0301 ﬁ \u00a0", "\u202eright to left", "<a href=\"x\">&amp;</a>", "_x000A_",
		`["a","b"]`, "bell \x07 and escape \x1b", strings.Repeat("long ", 2000)},
	sinks.Integer: {int64(0), int64(-1), int64(42), int64(999_999_999_999_999), int64(1<<53 + 1), int64(math.MaxInt64), int64(math.MinInt64 + 1)},
	sinks.Number:  {0.0, 0.1, -1.5, 1e-7, 1.0 / 3, 42.0, 1e21, math.MaxFloat64, 2.2250738585072014e-308},
	sinks.Boolean: {true, false},
	sinks.Date:    {day(2026, 11, 23), day(1970, 1, 1), day(1969, 12, 31), day(1900, 2, 28), day(1900, 3, 1), day(1583, 1, 1), day(9999, 12, 31), day(2024, 2, 29)},
	sinks.Timestamp: {day(2026, 11, 23), day(2026, 11, 23).Add(4*time.Hour + 5*time.Minute + 6*time.Second), day(1969, 12, 31).Add(23 * time.Hour),
		day(2026, 11, 23).Add(123_456 * time.Microsecond), day(2026, 11, 23).Add(24*time.Hour - time.Microsecond), day(2024, 2, 29).Add(time.Second / 4)},
}

func day(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// kinds has a column of each.
var kinds = []sinks.Column{
	{Name: "text", Kind: sinks.Text}, {Name: "whole", Kind: sinks.Integer}, {Name: "number", Kind: sinks.Number},
	{Name: "flag", Kind: sinks.Boolean}, {Name: "day", Kind: sinks.Date}, {Name: "moment", Kind: sinks.Timestamp},
}

func (f Format) values(t *testing.T) {
	var rows [][]any
	for i, c := range kinds {
		for _, value := range interesting[c.Kind] {
			row := make([]any, len(kinds)) // the others are null
			row[i] = value
			rows = append(rows, row)
		}
	}
	full, none := make([]any, len(kinds)), make([]any, len(kinds))
	for i, c := range kinds {
		full[i] = interesting[c.Kind][1]
	}
	f.found(t, kinds, append(rows, none, full, none))
}

func (f Format) order(t *testing.T) {
	columns := []sinks.Column{{Name: "target"}, {Name: "rank", Kind: sinks.Integer}}
	rows := make([][]any, 5001) // more than anybody holds at once
	for i := range rows {
		rows[i] = []any{fmt.Sprint("target ", i*7919%100), int64(len(rows) - i)}
	}
	f.found(t, columns, rows)
}

func (f Format) empty(t *testing.T) { f.found(t, kinds, nil) }

func (f Format) names(t *testing.T) {
	columns := []sinks.Column{
		{Name: "a text"}, {Name: `quoted "twice"`}, {Name: "it's"}, {Name: "select", Kind: sinks.Integer}, {Name: "a,b;c"}, {Name: "žluťoučký"},
		{Name: "Case"}, {Name: "100 %"}, {Name: "[x](y)"},
	}
	row := make([]any, len(columns))
	for i := range row {
		row[i] = fmt.Sprint("value ", i)
	}
	row[3] = int64(3)
	f.found(t, columns, [][]any{row})
}

func (f Format) huge(t *testing.T) {
	columns := []sinks.Column{{Name: "text"}, {Name: "n", Kind: sinks.Integer}}
	sizes := []int{1 << 18}
	if f.Longest > 0 {
		sizes = []int{f.Longest}
		path := filepath.Join(t.TempDir(), "x")
		if err := f.Write(t.Context(), path, Rows(view, columns, nil, []any{strings.Repeat("x", f.Longest+1), int64(1)})); err == nil {
			t.Errorf("a text of %d characters was taken", f.Longest+1)
		}
		if _, rows, err := f.Read(path, columns); err == nil {
			t.Errorf("%d rows are found", len(rows))
		}
	}
	for _, size := range sizes {
		f.found(t, columns, [][]any{{strings.Repeat("x", size), int64(1)}, {strings.Repeat("é", size), int64(2)}})
	}
}

// errBroken stands behind rows.
var errBroken = errors.New("the rows broke off")

func (f Format) broken(t *testing.T) {
	columns := []sinks.Column{{Name: "n", Kind: sinks.Integer}}
	rows := make([][]any, 3000)
	for i := range rows {
		rows[i] = []any{int64(i)}
	}
	for _, n := range []int{0, 1, len(rows)} {
		path := filepath.Join(t.TempDir(), "x")
		if err := f.Write(t.Context(), path, Rows(view, columns, errBroken, rows[:n]...)); err == nil || !strings.Contains(err.Error(), errBroken.Error()) {
			t.Errorf("behind %d rows: %v", n, err)
		}
		if _, got, err := f.Read(path, columns); err == nil {
			t.Errorf("%d of %d rows are found", len(got), n)
		}
	}
}

func (f Format) nowhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no", "folder", "x")
	if err := f.Write(t.Context(), path, Rows(view, kinds, nil)); err == nil {
		t.Error("no folder, and no error")
	}
}
