// Package grid lays tables out for people. On a terminal a table fits its width: long texts are wrapped, and where that would leave
// too little of them on a line, every row becomes a block with a line for each column. Elsewhere a row is one line, for grep.
package grid

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"
)

// Table is a table in the one style of the program.
type Table struct {
	names, types table.Row
	right        []bool
	rows         []table.Row
	spare        []string
}

// New returns a table with columns of these names.
func New(names ...string) *Table {
	t := &Table{right: make([]bool, len(names))}
	for _, name := range names {
		t.names = append(t.names, name)
	}
	return t
}

// Typed puts a type under the name of every column, and those columns to the right that right says.
func (t *Table) Typed(types []string, right []bool) {
	for _, name := range types {
		t.types = append(t.types, name)
	}
	t.right = right
}

// Add adds a row, with a cell for every column.
func (t *Table) Add(cells ...any) { t.rows = append(t.rows, cells) }

// Drop takes a column out again.
func (t *Table) Drop(name string) {
	i := slices.Index(t.names, any(name))
	t.names, t.right = slices.Delete(t.names, i, i+1), slices.Delete(t.right, i, i+1)
	for j, row := range t.rows {
		t.rows[j] = slices.Delete(row, i, i+1)
	}
}

// Spare names columns that a terminal may lack. One after the other is left out, those that tell nothing before the others, until a row
// fits a line.
func (t *Table) Spare(names ...string) {
	blank, told := []string{}, []string{}
	for _, name := range names {
		i := slices.Index(t.names, any(name))
		if slices.ContainsFunc(t.rows, func(row table.Row) bool { return !slices.Contains([]string{"", "0"}, fmt.Sprint(row[i])) }) {
			told = append(told, name)
		} else {
			blank = append(blank, name)
		}
	}
	t.spare = append(blank, told...)
}

// For lays the table out for who reads w.
func (t *Table) For(w io.Writer) string { return t.Within(Width(w)) }

// Width is how many characters a line has where w is a terminal, else 0.
func Width(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// least is how many characters of a long text a line must show, else it is better read in a block.
const least = 24

// Within lays the table out in lines of so many characters; 0 is without end.
func (t *Table) Within(width int) string {
	whole := t.lines(0)
	for _, name := range t.spare {
		if width == 0 || text.LongestLineLen(whole) <= width {
			break
		}
		t.Drop(name)
		whole = t.lines(0)
	}
	if width == 0 || text.LongestLineLen(whole) <= width {
		return whole
	}
	if most := t.most(width); most > 0 {
		return t.lines(most)
	}
	return t.blocks(width)
}

// lines is the table with columns of so many characters at most; 0 is without end.
func (t *Table) lines(most int) string {
	w := table.NewWriter()
	style := table.StyleLight
	style.Format.Header = text.FormatDefault
	w.SetStyle(style)
	w.AppendHeader(t.names)
	if t.types != nil {
		w.AppendHeader(t.types)
	}
	w.AppendRows(t.rows)
	configs := make([]table.ColumnConfig, len(t.names))
	for i, right := range t.right {
		configs[i] = table.ColumnConfig{Number: i + 1, WidthMax: most, WidthMaxEnforcer: text.WrapSoft}
		if right {
			configs[i].Align, configs[i].AlignHeader = text.AlignRight, text.AlignRight
		}
	}
	w.SetColumnConfigs(configs)
	return w.Render()
}

// most is how many characters a column may have for the table to fit, or 0 if that is too few.
func (t *Table) most(width int) int {
	widths := make([]int, len(t.names))
	for _, row := range append([]table.Row{t.names, t.types}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], text.LongestLineLen(fmt.Sprint(cell)))
		}
	}
	for most := width; most >= least; most-- {
		all := 1
		for _, w := range widths {
			all += min(w, most) + len(" │ ") - 2 // the bar is one character of three bytes
		}
		if all <= width {
			return most
		}
	}
	return 0
}

// blocks has a line for every column of every row.
func (t *Table) blocks(width int) string {
	names := 0
	for _, name := range t.names {
		names = max(names, text.LongestLineLen(fmt.Sprint(name)))
	}
	var b strings.Builder
	for i, row := range t.rows {
		fmt.Fprintf(&b, "%s\n", text.Pad(fmt.Sprintf("─ %d of %d ", i+1, len(t.rows)), min(width, 40), '─'))
		for j, cell := range row {
			for k, line := range strings.Split(text.WrapSoft(fmt.Sprint(cell), max(1, width-names-2)), "\n") {
				name := any("")
				if k == 0 {
					name = t.names[j]
				}
				fmt.Fprintln(&b, strings.TrimRight(text.Pad(fmt.Sprint(name), names+2, ' ')+line, " "))
			}
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}
