package xlsx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"backhaul/sinks"
	"backhaul/sinks/sinktest"
)

func sheetOf(columns []sinks.Column, rows ...[]any) sinks.Rows {
	return sinktest.Rows("marts.changes", columns, nil, rows...)
}

func TestSheetsKeepTheirPromises(t *testing.T) {
	t.Parallel()
	sinktest.RunFormat(t, sinktest.Format{
		Write: func(_ context.Context, path string, rows sinks.Rows) error {
			f, err := os.Create(path)
			if err != nil {
				return err
			}
			return errors.Join(Write(f, rows), f.Close())
		},
		Read: read, Precision: time.Second, Digits: 15, Longest: mostText,
		Bent: func(s string) string { return strings.NewReplacer("\x07", "\ufffd", "\x1b", "\ufffd").Replace(s) },
	})
}

// read returns what the library finds in the one sheet.
func read(path string, columns []sinks.Column) (names []string, rows [][]any, err error) {
	book, err := excelize.OpenFile(path)
	if err != nil {
		return nil, nil, err
	}
	defer book.Close()
	header, err := book.GetRows("marts.changes")
	if err != nil || len(header) == 0 {
		return nil, nil, errors.Join(err, errors.New("no header"))
	}
	lines, err := book.Rows("marts.changes") // GetRows leaves out what is empty at the end
	if err != nil {
		return nil, nil, err
	}
	lines.Next()
	for n := 2; lines.Next(); n++ {
		row := make([]any, len(columns))
		for i, c := range columns {
			if row[i], err = value(book, c.Kind, i+1, n); err != nil {
				return nil, nil, fmt.Errorf("row %d, %s: %w", n, c.Name, err)
			}
		}
		rows = append(rows, row)
	}
	return header[0], rows, errors.Join(lines.Error(), lines.Close())
}

// value is what a cell holds: nothing, or a value of its column, which may be written as a text.
func value(book *excelize.File, kind sinks.Kind, column, row int) (any, error) {
	at, err := excelize.CoordinatesToCellName(column, row)
	cell, typeErr := book.GetCellType("marts.changes", at)
	text, textErr := book.GetCellValue("marts.changes", at, excelize.Options{RawCellValue: true})
	if err := errors.Join(err, typeErr, textErr); err != nil {
		return nil, err
	}
	isText := cell == excelize.CellTypeInlineString
	switch {
	case text == "" && !isText:
		return nil, nil
	case kind == sinks.Text:
		return text, nil
	case kind == sinks.Integer:
		return strconv.ParseInt(text, 10, 64)
	case kind == sinks.Number:
		return strconv.ParseFloat(text, 64)
	case kind == sinks.Boolean:
		return text == "1", nil
	case isText && kind == sinks.Date:
		return time.Parse(time.DateOnly, text)
	case isText:
		return time.Parse(time.DateTime, text)
	}
	days, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, err
	}
	moment, err := excelize.ExcelDateToTime(days, false)
	return moment.Round(time.Second), err
}

// written returns the workbook that the rows become.
func written(t *testing.T, rows sinks.Rows) *excelize.File {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, rows); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := book.Close(); err != nil {
			t.Error(err)
		}
	})
	return book
}

// cell describes one as the file has it: its type, its value, how it is shown, and its formula.
func cell(t *testing.T, book *excelize.File, at string) string {
	t.Helper()
	name := book.GetSheetName(0)
	kind, err := book.GetCellType(name, at)
	raw, rawErr := book.GetCellValue(name, at, excelize.Options{RawCellValue: true})
	shown, shownErr := book.GetCellValue(name, at)
	formula, formulaErr := book.GetCellFormula(name, at)
	if err := errors.Join(err, rawErr, shownErr, formulaErr); err != nil {
		t.Fatal(err)
	}
	types := map[excelize.CellType]string{excelize.CellTypeInlineString: "text", excelize.CellTypeBool: "boolean", excelize.CellTypeNumber: "number", excelize.CellTypeUnset: "number"}
	return fmt.Sprintf("%s %s %s%s", types[kind], raw, shown, formula)
}

func TestValuesKeepTheirTypes(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 4, 5, 6, 0, time.UTC)
	for name, tc := range map[string]struct {
		kind  sinks.Kind
		value any
		want  string
	}{
		"text":                      {sinks.Text, "moz", "text moz moz"},
		"text like a formula":       {sinks.Text, "=1+1", "text =1+1 =1+1"},
		"text like a number":        {sinks.Text, "007", "text 007 007"},
		"text with edges and lines": {sinks.Text, " a\nb ", "text  a\nb   a\nb "},
		"text of markup":            {sinks.Text, `<a href="x">&amp;`, `text <a href="x">&amp; <a href="x">&amp;`},
		"text of control":           {sinks.Text, "_x000A_", "text _x000A_ _x000A_"},
		"empty text":                {sinks.Text, "", "text  "},
		"integer":                   {sinks.Integer, int64(42), "number 42 42"},
		"large integer":             {sinks.Integer, int64(999_999_999_999_999), "number 999999999999999 999999999999999"},
		"too large an integer":      {sinks.Integer, int64(9_007_199_254_740_993), "text 9007199254740993 9007199254740993"},
		"number":                    {sinks.Number, 0.25, "number 0.25 0.25"},
		"no number":                 {sinks.Number, math.NaN(), "text NaN NaN"},
		"infinity":                  {sinks.Number, math.Inf(-1), "text -Inf -Inf"},
		"boolean":                   {sinks.Boolean, true, "boolean 1 TRUE"},
		"date":                      {sinks.Date, at.Truncate(24 * time.Hour), "number 46349 2026-11-23"},
		"timestamp":                 {sinks.Timestamp, at, "number 46349.17020833334 2026-11-23 04:05:06"},
		"date before the calendar":  {sinks.Date, time.Date(1899, 12, 31, 0, 0, 0, 0, time.UTC), "text 1899-12-31 1899-12-31"},
		"null":                      {sinks.Integer, nil, "number  "},
	} {
		book := written(t, sheetOf([]sinks.Column{{Name: "v", Kind: tc.kind}}, []any{tc.value}))
		if got := cell(t, book, "A2"); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestTheHeaderStaysInSight(t *testing.T) {
	t.Parallel()
	book := written(t, sheetOf([]sinks.Column{{Name: "target"}, {Name: "run_date", Kind: sinks.Date}}))
	rows, err := book.GetRows("marts.changes")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"target", "run_date"}}, rows); diff != "" {
		t.Error(diff)
	}
	if panes, err := book.GetPanes("marts.changes"); err != nil || !panes.Freeze || panes.YSplit != 1 || panes.TopLeftCell != "A2" {
		t.Errorf("%+v, %v", panes, err)
	}
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	t.Parallel()
	text := []sinks.Column{{Name: "a"}, {Name: "b"}}
	long := sheetOf(text, []any{"x", "y"}, []any{"x", strings.Repeat("é", mostText+1)})
	many := sheetOf(text)
	many.Count = mostRows
	wide := sheetOf(slices.Repeat(text, mostColumns/2+1))
	for want, rows := range map[string]sinks.Rows{
		"row 2 of marts.changes, column b: a text of 32768 characters, and a cell takes 32767": long,
		"marts.changes has 1048576 rows, and a sheet takes 1048575 below its header":           many,
		"marts.changes has 16386 columns, and a sheet takes 16384":                             wide,
	} {
		if err := Write(new(bytes.Buffer), rows); !errors.Is(err, ErrSize) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	// Characters beyond the first plane count twice, as in Excel.
	longest := strings.Repeat("x", mostText-2) + "😀"
	book := written(t, sheetOf(text[:1], []any{longest}))
	if got, err := book.GetCellValue("marts.changes", "A2"); err != nil || got != longest {
		t.Errorf("%d bytes of %d, %v", len(got), len(longest), err)
	}
	if err := Write(new(bytes.Buffer), sheetOf(text[:1], []any{"x" + longest})); !errors.Is(err, ErrSize) {
		t.Errorf("one too many: %v", err)
	}
}

func TestErrorsOfTheFileComeThrough(t *testing.T) {
	t.Parallel()
	full, err := os.Open(os.DevNull) // not open for writing
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	if err := Write(full, sheetOf([]sinks.Column{{Name: "a"}}, []any{"x"})); !errors.Is(err, os.ErrPermission) && !strings.Contains(fmt.Sprint(err), "bad file descriptor") {
		t.Errorf("file: %v", err)
	}
}

func TestSheetsHaveNamesThatExcelTakes(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"marts.changes":         "marts.changes",
		"a[b]*c?d/e\\f:g'":      "a_b__c_d_e_f_g_",
		strings.Repeat("é", 40): strings.Repeat("é", 31),
	} {
		if got := sheetName(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
