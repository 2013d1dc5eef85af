// Package xlsx writes rows as a sheet for Excel and its like: one sheet under a header line that stays in sight.
//
// It owns what a sheet can hold and what it does to values. Numbers, dates and times are what they are; a text is a text,
// whatever it begins with, so that no cell computes anything. What a cell would bend is written as text: a whole number of
// more than 15 digits, a date before 1 March 1900, a number that is infinite or none. Other numbers keep 15 digits, as Excel
// shows them, and a control character, which a sheet cannot have, is U+FFFD. What does not fit a sheet is an error, never cut.
// Rows wait in a temporary file, not in memory.
package xlsx

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"backhaul/sinks"
)

// What a sheet can hold. Source: Microsoft, Excel specifications and limits.
const (
	mostRows    = 1_048_576 // with the header
	mostColumns = 16_384
	mostText    = 32_767 // units of UTF-16 in a cell
	mostName    = 31     // characters of a sheet's name
	// mostDigits is the largest whole number that Excel shows as it is.
	mostDigits = 999_999_999_999_999
)

// ErrSize means that the rows do not fit a sheet.
var ErrSize = errors.New("it does not fit a sheet")

// firstDate is the first day that every program that reads sheets counts alike: Excel believes in 29 February 1900.
var firstDate = time.Date(1900, 3, 1, 0, 0, 0, 0, time.UTC)

// Write writes the rows as a workbook of one sheet. What was written before an error is not a workbook.
func Write(w io.Writer, rows sinks.Rows) (err error) {
	switch {
	case rows.Count >= mostRows:
		return fmt.Errorf("%w: %s has %d rows, and a sheet takes %d below its header", ErrSize, rows.Name, rows.Count, mostRows-1)
	case len(rows.Columns) > mostColumns:
		return fmt.Errorf("%w: %s has %d columns, and a sheet takes %d", ErrSize, rows.Name, len(rows.Columns), mostColumns)
	}
	book := excelize.NewFile()
	defer func() { err = errors.Join(err, book.Close()) }()
	if err := fill(book, rows); err != nil {
		return err
	}
	// The library would hold the whole file in memory, and then write it.
	book.ZipWriter = func(io.Writer) excelize.ZipWriter { return zip.NewWriter(w) }
	return book.Write(io.Discard)
}

// sheet is a workbook's one sheet, while it is written from its top to its end.
type sheet struct {
	*excelize.StreamWriter
	styles [sinks.Timestamp + 1]int // by the kind of column
	header int
}

func fill(book *excelize.File, rows sinks.Rows) error {
	s, err := newSheet(book, rows)
	if err != nil {
		return err
	}
	cells := make([]any, len(rows.Columns))
	for i, c := range rows.Columns {
		cells[i] = excelize.Cell{StyleID: s.header, Value: c.Name}
	}
	if err := s.SetRow("A1", cells); err != nil {
		return err
	}
	line := 1
	for row, err := range rows.All {
		if err != nil {
			return err
		}
		line++
		for i, value := range row {
			if cells[i], err = s.cell(rows.Columns[i].Kind, value); err != nil {
				return fmt.Errorf("%w: row %d of %s, column %s: %w", ErrSize, line-1, rows.Name, rows.Columns[i].Name, err)
			}
		}
		if err := s.SetRow("A"+strconv.Itoa(line), cells); err != nil {
			return err
		}
	}
	return s.Flush()
}

func newSheet(book *excelize.File, rows sinks.Rows) (s sheet, err error) {
	const first = "Sheet1" // what the library calls it
	name := sheetName(rows.Name)
	if err := book.SetSheetName(first, name); err != nil {
		return s, err
	}
	if s.StreamWriter, err = book.NewStreamWriter(name); err != nil {
		return s, err
	}
	day, moment := "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
	for _, style := range []struct {
		id *int
		excelize.Style
	}{
		{&s.header, excelize.Style{Font: &excelize.Font{Bold: true}}},
		{&s.styles[sinks.Date], excelize.Style{CustomNumFmt: &day}},
		{&s.styles[sinks.Timestamp], excelize.Style{CustomNumFmt: &moment}},
	} {
		if *style.id, err = book.NewStyle(&style.Style); err != nil {
			return s, err
		}
	}
	for i, c := range rows.Columns {
		if err := s.SetColWidth(i+1, i+1, width(c)); err != nil {
			return s, err
		}
	}
	return s, s.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"})
}

// width is how wide a column is, in characters: as wide as its name or as what is usually in it.
func width(c sinks.Column) float64 {
	usual := map[sinks.Kind]int{sinks.Text: 28, sinks.Date: 11, sinks.Timestamp: 19, sinks.Boolean: 7}[c.Kind]
	return float64(min(max(usual, utf8.RuneCountInString(c.Name)+2), 60))
}

// sheetName is the name without what a sheet's may not have.
func sheetName(name string) string {
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:\/?*[]'`, r) {
			return '_'
		}
		return r
	}, name)
	if runes := []rune(name); len(runes) > mostName {
		name = string(runes[:mostName])
	}
	return name
}

// cell is a value as the sheet has it.
func (s *sheet) cell(kind sinks.Kind, value any) (any, error) {
	switch v := value.(type) {
	case string:
		return v, checkText(v)
	case int64:
		if v > mostDigits || v < -mostDigits {
			return strconv.FormatInt(v, 10), nil
		}
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return strconv.FormatFloat(v, 'g', -1, 64), nil
		}
	case time.Time:
		switch {
		case !v.Before(firstDate):
			return excelize.Cell{StyleID: s.styles[kind], Value: v}, nil
		case kind == sinks.Date:
			return v.Format(time.DateOnly), nil
		default:
			return v.Format(time.DateTime), nil
		}
	}
	return value, nil
}

func checkText(s string) error {
	if len(s) <= mostText {
		return nil // it has no more units than bytes
	}
	units := 0
	for _, r := range s {
		units += utf16.RuneLen(r)
	}
	if units > mostText {
		return fmt.Errorf("a text of %d characters, and a cell takes %d", units, mostText)
	}
	return nil
}
