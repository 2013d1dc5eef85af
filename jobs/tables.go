package jobs

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"backhaul/schemas"
)

// UserTable is a list that the job brings along, under `tables:`, for marts and queries to read.
type UserTable struct {
	Place
	name  string
	table *schemas.Table
	lines []line
}

// line is one row of the list: what stands in the columns, by their positions in the table.
type line struct {
	number int64
	texts  map[int]string
	counts map[int]int64 // numbers and days
}

// Name returns what the spec calls the list: labels.
func (t *UserTable) Name() string { return t.name }

// Table returns the declaration of the table that the list is kept in: user.labels.
func (t *UserTable) Table() *schemas.Table { return t.table }

// Digest identifies the rows, in 16 hexadecimal digits.
func (t *UserTable) Digest() string {
	h := sha256.New()
	for _, l := range t.lines {
		fmt.Fprintln(h, l.number, l.texts, l.counts) // maps are printed in the order of their keys
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Len returns how many rows the list has.
func (t *UserTable) Len() int { return len(t.lines) }

// Fill sets the columns of row i that the file brings, or that follow from those.
func (t *UserTable) Fill(i int, row *schemas.Row) {
	l := &t.lines[i]
	row.SetInt(t.table.Index("row"), l.number)
	for at, text := range l.texts {
		row.SetString(at, text)
	}
	for at, n := range l.counts {
		row.SetInt(at, n)
	}
}

func (l *loader) userTables(n *node) []UserTable {
	if n == nil {
		return nil
	}
	if n.kind != mapping {
		l.errorf(n.Place, "tables must be a mapping of names to files (labels: {file: labels.csv}), not %s", n.kind)
		return nil
	}
	var names []string
	for _, t := range schemas.UserTables() {
		names = append(names, t.Name)
	}
	var out []UserTable
	for _, f := range n.fields {
		t := UserTable{Place: f.Place, name: f.key, table: schemas.UserTable(f.key)}
		if t.table == nil {
			l.errorf(f.Place, "unknown table %q%s the tables a job can bring along are: %s", shorten(f.key), or(didYouMean(f.key, names), ";"), join(names))
			continue
		}
		keys := l.section(f.value, "table "+f.key, tableKeys)
		if file := l.required(f.value, keys, "file", "table "+f.key, "file: NAME.csv"); file != nil {
			l.userTable(&t, file)
		}
		out = append(out, t)
	}
	return out
}

// userTable reads the file of a list.
func (l *loader) userTable(t *UserTable, file *node) {
	s := l.sheet(file)
	if s == nil {
		return
	}
	given := t.table.Given()
	at := map[string]int{}
	for _, c := range given {
		i := slices.IndexFunc(s.header, func(h *node) bool { return h.text == c.Name })
		if i < 0 && c.Required && l.column(s, c.Name) < 0 {
			return
		}
		at[c.Name] = i
	}
	for n := range s.rows() {
		cells := s.row(n)
		row := line{number: int64(n + 1), texts: map[int]string{}, counts: map[int]int64{}}
		for _, c := range given {
			if i := at[c.Name]; i >= 0 {
				l.userCell(t.table, &row, c, s.node(cells[i]))
			}
		}
		if rest := s.others(cells, given); rest != "" {
			row.texts[t.table.Index(schemas.ColExtra)] = rest
		}
		t.lines = append(t.lines, row)
	}
}

// userCell takes one cell into a row, and what follows from it.
func (l *loader) userCell(table *schemas.Table, row *line, c schemas.Column, n *node) {
	what := fmt.Sprintf("%s of %s", c.Name, table.Name)
	if n.text == "" {
		if c.Required {
			l.errorf(n.Place, "%s is empty: every row needs one", what)
		}
		return
	}
	at := table.Index(c.Name)
	switch {
	case len(c.Values) > 0:
		row.texts[at], _ = l.word(n, what, c.Values)
	case c.Type == schemas.Date:
		if day, ok := l.date(n, what); ok {
			t, _ := time.Parse(time.DateOnly, day.(string)) // l.date has checked it
			row.counts[at] = t.Unix() / (24 * 60 * 60)
		}
	case c.Type == schemas.Int64:
		row.counts[at], _ = l.integer(n, what, -maxUnits, maxUnits)
	default:
		row.texts[at] = n.text
	}
	for _, d := range table.Own {
		if d.From == c.Name {
			row.texts[table.Index(d.Name)], _ = l.canonical(n.Place, c.Name, n.text)
		}
	}
}

// others returns the cells of other columns that have a value, as a JSON object, or "". A list that was exported has such an
// object in a column, which is read back.
func (s *sheet) others(cells []entry, given []schemas.Column) string {
	rest := map[string]string{}
	for i := range cells {
		name := s.header[i].text
		if name == schemas.ColExtra && unpack(cells[i].text, rest) {
			continue
		}
		known := slices.ContainsFunc(given, func(c schemas.Column) bool { return c.Name == name })
		if !known && cells[i].text != "" {
			rest[name] = cells[i].text
		}
	}
	if len(rest) == 0 {
		return ""
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(rest); err != nil {
		panic(fmt.Sprintf("encode a row: %v", err)) // texts always encode
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// unpack takes the columns of an exported line out of its object, but those that the file has by now. It reports whether the
// text is such an object.
func unpack(text string, rest map[string]string) bool {
	var packed map[string]string
	if err := json.Unmarshal([]byte(text), &packed); err != nil || packed == nil {
		return false
	}
	for name, value := range packed {
		if _, given := rest[name]; !given {
			rest[name] = value
		}
	}
	return true
}
