package jobs

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// maxSheet bounds a CSV file, in bytes: some five million targets.
const maxSheet = 256 << 20

// sheet is a CSV file with a header. It may have millions of rows, so a cell is small, and its text a part of the file's.
type sheet struct {
	file string
	// header holds the columns' names in lower case.
	header []*node
	// cells are those of all rows, one per column of the header. Rows without text are left out.
	cells []entry
}

// entry is a cell of a row, with its place in the file.
type entry struct {
	text         string
	line, column int32
}

func (s *sheet) rows() int { return len(s.cells) / max(1, len(s.header)) }

func (s *sheet) row(n int) []entry {
	width := len(s.header)
	return s.cells[n*width : (n+1)*width]
}

func (s *sheet) place(e entry) Place { return Place{s.file, int(e.line), int(e.column)} }

// node is the cell as a value of the spec.
func (s *sheet) node(e entry) *node {
	return &node{Place: s.place(e), kind: cell, text: e.text, size: 1}
}

// sheet reads the CSV file that n names; nil if it reported why it cannot be read.
func (l *loader) sheet(n *node) *sheet {
	name, ok := l.str(n, "file")
	if !ok {
		return nil
	}
	s := &sheet{file: l.join(name)}
	text, err := l.read(s.file, maxSheet, func() (fs.File, error) { return l.openList(s.file) })
	if err != nil {
		l.errorf(n.Place, "cannot read %s: %v (paths are relative to the folder of the spec)", s.file, err)
		return nil
	}
	text = strings.TrimPrefix(text, byteOrderMark)
	if !utf8.ValidString(text) {
		l.errorf(firstInvalid(s.file, text), "the file is not valid UTF-8: save it as CSV UTF-8")
		return nil
	}
	if !l.records(s, text) || !l.columns(s) {
		return nil
	}
	return s
}

// records reads header and rows with the places of their cells.
func (l *loader) records(s *sheet, text string) bool {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	r.TrimLeadingSpace = true
	at := &position{text: text, line: 1}
	var row []entry
	for {
		record, err := r.Read()
		if err == io.EOF {
			return true
		}
		if err != nil {
			l.damaged(s.file, at, err)
			return false
		}
		row = row[:0]
		empty := true
		for i, value := range record {
			e := at.entry(value, r, i)
			row, empty = append(row, e), empty && e.text == ""
		}
		switch {
		case empty:
		case s.header == nil:
			s.setHeader(row)
			// Room for all rows; for less where most cells are shorter than any target, as in a file of empty lines.
			s.cells = make([]entry, 0, min(len(row)*strings.Count(text, "\n"), len(text)/4))
		default:
			l.add(s, row)
		}
	}
}

// position follows a reader of CSV through its text.
type position struct {
	text        string
	line, start int // the line the reader is in, and where it begins
}

// entry is field i of the record that was read last.
func (p *position) entry(value string, r *csv.Reader, i int) entry {
	line, column := r.FieldPos(i)
	return entry{p.shared(strings.TrimSpace(value), line, column), int32(line), int32(p.character(line, column))}
}

// offset returns where a byte of a line is, which is not before the line asked for last.
func (p *position) offset(line, column int) int {
	for ; p.line < line; p.line++ {
		p.start += strings.IndexByte(p.text[p.start:], '\n') + 1
	}
	return min(p.start+column-1, len(p.text))
}

// character turns a byte column into a character column.
func (p *position) character(line, column int) int {
	at := p.offset(line, column)
	return utf8.RuneCountInString(p.text[p.start:at]) + 1
}

// shared returns the part of the text that a value was read from, so that the value is not kept beside it; the value itself
// where it was written otherwise, with quotes doubled.
func (p *position) shared(value string, line, column int) string {
	from := p.text[p.offset(line, column):]
	from = strings.TrimPrefix(from, `"`)
	if strings.HasPrefix(from, value) {
		return from[:len(value)]
	}
	return value
}

func (l *loader) damaged(file string, at *position, err error) {
	var broken *csv.ParseError
	if !errors.As(err, &broken) {
		l.errorf(Place{file, 1, 1}, "not valid CSV: %v", err)
		return
	}
	begins := ""
	if broken.StartLine != broken.Line {
		begins = fmt.Sprintf(" (the row begins on line %d)", broken.StartLine)
	}
	place := Place{file, broken.Line, at.character(broken.Line, broken.Column)}
	l.errorf(place, "not valid CSV here: %v%s; a cell with a quote or comma is written in quotes, with its quotes doubled", broken.Err, begins)
}

func (s *sheet) setHeader(row []entry) {
	for _, e := range row {
		e.text = strings.ToLower(e.text)
		s.header = append(s.header, s.node(e))
	}
}

// add adds a row, made as long as the header. Longer ones are reported, unless nothing is in their further cells.
func (l *loader) add(s *sheet, row []entry) {
	for i := len(s.header); i < len(row); i++ {
		if row[i].text != "" {
			l.errorf(s.place(row[i]), "the row has more cells than the header, which has %d: quote a cell that holds a comma", len(s.header))
			return
		}
	}
	last := row[len(row)-1]
	for len(row) < len(s.header) {
		row = append(row, entry{"", last.line, last.column})
	}
	s.cells = append(s.cells, row[:len(s.header)]...)
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
	for n := range s.rows() {
		if s.row(n)[column].text != "" {
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
	if !slices.ContainsFunc(found, columnName().MatchString) || slices.ContainsFunc(found, looksLikeKey) {
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

// columnName is what people call columns. So many letters are a megabyte, which is made where it is needed.
var columnName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\pL[\pL _.()/-]{0,31}[0-9]{0,2}$`) })
