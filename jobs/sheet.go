package jobs

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxSheet bounds a CSV file, in bytes: some five million targets.
const maxSheet = 256 << 20

// sheet is a CSV file with a header.
type sheet struct {
	file string
	// header holds the columns' names in lower case.
	header []*node
	// rows hold one cell per column of the header; nil where the row ends early. Rows without text are left out.
	rows [][]node
}

// sheet reads the CSV file that n names; nil if it reported why it cannot be read.
func (l *loader) sheet(n *node) *sheet {
	name, ok := l.str(n, "file")
	if !ok {
		return nil
	}
	s := &sheet{file: l.join(name)}
	data, err := l.read(s.file, maxSheet, func() (fs.File, error) { return l.openList(s.file) })
	if err != nil {
		l.errorf(n.Place, "cannot read %s: %v (paths are relative to the folder of the spec)", s.file, err)
		return nil
	}
	data = bytes.TrimPrefix(data, []byte(byteOrderMark))
	if !utf8.Valid(data) {
		l.errorf(firstInvalid(s.file, data), "the file is not valid UTF-8: save it as CSV UTF-8")
		return nil
	}
	if !l.records(s, data) || !l.columns(s) {
		return nil
	}
	return s
}

// records reads header and rows with the places of their cells.
func (l *loader) records(s *sheet, data []byte) bool {
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	r.TrimLeadingSpace = true
	where := newColumns(data)
	for {
		record, err := r.Read()
		if err == io.EOF {
			return true
		}
		if err != nil {
			l.damaged(s.file, where, err)
			return false
		}
		if strings.TrimSpace(strings.Join(record, "")) == "" {
			continue
		}
		row := make([]node, len(record))
		for i, value := range record {
			line, column := r.FieldPos(i)
			row[i] = node{Place: Place{s.file, line, where.character(line, column)}, kind: cell, text: strings.TrimSpace(value), size: 1}
		}
		if s.header == nil {
			s.setHeader(row)
			continue
		}
		if row = l.fit(s, row); row != nil {
			s.rows = append(s.rows, row)
		}
	}
}

func (l *loader) damaged(file string, where columns, err error) {
	var broken *csv.ParseError
	if !errors.As(err, &broken) {
		l.errorf(Place{file, 1, 1}, "not valid CSV: %v", err)
		return
	}
	begins := ""
	if broken.StartLine != broken.Line {
		begins = fmt.Sprintf(" (the row begins on line %d)", broken.StartLine)
	}
	at := Place{file, broken.Line, where.character(broken.Line, broken.Column)}
	l.errorf(at, "not valid CSV here: %v%s; a cell with a quote or comma is written in quotes, with its quotes doubled", broken.Err, begins)
}

func (s *sheet) setHeader(row []node) {
	for i := range row {
		row[i].text = strings.ToLower(row[i].text)
		s.header = append(s.header, &row[i])
	}
}

// fit makes a row as long as the header. Longer ones are reported, unless nothing is in their further cells.
func (l *loader) fit(s *sheet, row []node) []node {
	for i := len(s.header); i < len(row); i++ {
		if row[i].text != "" {
			l.errorf(row[i].Place, "the row has more cells than the header, which has %d: quote a cell that holds a comma", len(s.header))
			return nil
		}
	}
	for len(row) < len(s.header) {
		end := row[len(row)-1].Place
		row = append(row, node{Place: end, kind: cell, size: 1})
	}
	return row[:len(s.header)]
}

// columns checks the header's names.
func (l *loader) columns(s *sheet) bool {
	if s.header == nil {
		l.errorf(Place{s.file, 1, 1}, "the file is empty: its first row names the columns, one of them target")
		return false
	}
	seen := map[string]bool{}
	for i, name := range s.header {
		switch {
		case name.text == "" && s.used(i):
			l.errorf(name.Place, "column %d holds values but has no name", i+1)
			return false
		case name.text != "" && seen[name.text]:
			l.errorf(name.Place, "column %q appears twice: keep one", shorten(name.text))
			return false
		}
		seen[name.text] = true
	}
	return true
}

func (s *sheet) used(column int) bool {
	for _, row := range s.rows {
		if row[column].text != "" {
			return true
		}
	}
	return false
}

// column returns the position of a column that must be there, or -1.
func (l *loader) column(s *sheet, name string) int {
	var found []string
	for i, column := range s.header {
		if column.text == name {
			return i
		}
		found = append(found, column.text)
	}
	l.errorf(Place{s.file, s.header[0].Line, 1}, "no column %q; %s", name, headed(name, found))
	return -1
}

// headed says what stands in a header row in place of the column that is missing. What does not look like the names of
// columns is not repeated: it may be anything, a key as well.
func headed(missing string, found []string) string {
	if len(found) == 1 && strings.ContainsAny(found[0], ";\t|") {
		return "the first row holds no comma: separate columns with commas"
	}
	if !slices.ContainsFunc(found, columnName.MatchString) || slices.ContainsFunc(found, looksLikeKey) {
		return "the first row does not look like names of columns: the first row names them"
	}
	names := found[:min(len(found), 5)]
	text := "the columns found are: " + strings.Join(shortened(names), ", ")
	if more := len(found) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	if near := nearest(missing, found); near != "" {
		text += fmt.Sprintf("; rename %q", shorten(near))
	}
	return text
}

// columnName is what people call columns.
var columnName = regexp.MustCompile(`^\pL[\pL _.()/-]{0,31}[0-9]{0,2}$`)

// columns turns byte columns into character columns.
type columns struct {
	lines [][]byte // nil in a file of ASCII alone, where they are the same
}

func newColumns(data []byte) columns {
	for _, c := range data {
		if c >= utf8.RuneSelf {
			return columns{bytes.SplitAfter(data, []byte("\n"))}
		}
	}
	return columns{}
}

func (c columns) character(line, column int) int {
	if line > len(c.lines) {
		return column
	}
	text := c.lines[line-1]
	return utf8.RuneCount(text[:min(column-1, len(text))]) + 1
}
