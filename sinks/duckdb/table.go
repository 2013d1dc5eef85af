package duckdb

import (
	"context"
	"fmt"
	"io"
	"strings"

	"backhaul/pipeline/grid"
)

// table writes the result for people. Every value is spelled by DuckDB; control characters are escaped, so that
// one row is one line.
func (s *session) table(ctx context.Context, q question, w io.Writer) error {
	if q.explain {
		return s.plan(ctx, q, w)
	}
	_, described, err := s.rows(ctx, "SELECT column_name, column_type FROM (DESCRIBE "+from(q.text)+")")
	if err != nil {
		return err
	}
	asked, terminal := q, grid.Width(w) > 0
	if terminal {
		asked.text = fmt.Sprintf("%s LIMIT %d", from(q.text), mostShown+1)
	}
	_, rows, err := s.texts(ctx, asked, mostTable)
	if err != nil {
		return err
	}
	more := terminal && len(rows) > mostShown
	if more {
		rows = rows[:mostShown]
	}
	names, types, right := make([]string, len(described)), make([]string, len(described)), make([]bool, len(described))
	for i, d := range described {
		names[i], types[i], right[i] = escape(d[0].(string)), strings.ToLower(d[1].(string)), isNumber(d[1].(string))
	}
	out := grid.New(names...)
	out.Typed(types, right)
	for _, row := range rows {
		out.Add(cells(row)...)
	}
	_, err = fmt.Fprintf(w, "%s\n%s\n", out.For(w), count(len(rows), more))
	return err
}

// mostTable bounds a table, in bytes of its texts: laid out it takes many times that.
const mostTable = 32 << 20

// mostShown bounds the rows of a table on a terminal.
const mostShown = 1000

// plan writes what EXPLAIN says as it says it.
func (s *session) plan(ctx context.Context, q question, w io.Writer) error {
	_, rows, err := s.rows(ctx, q.text)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if _, err := fmt.Fprintln(w, row[len(row)-1]); err != nil {
			return err
		}
	}
	return nil
}

func cells(row []*string) []any {
	out := make([]any, len(row))
	for i, v := range row {
		if v == nil {
			out[i] = "NULL"
			continue
		}
		out[i] = escape(*v)
		if out[i] == "NULL" {
			out[i] = "'NULL'" // the text, not its absence
		}
	}
	return out
}

// escape spells control characters as Go does.
func escape(s string) string {
	if !strings.ContainsFunc(s, isControl) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if isControl(r) {
			q := fmt.Sprintf("%q", r)
			b.WriteString(q[1 : len(q)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// isControl includes the marks that turn the direction of a whole line.
func isControl(r rune) bool {
	return r < 0x20 || 0x7f <= r && r < 0xa0 || 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069
}

func isNumber(sqlType string) bool {
	return !strings.HasSuffix(sqlType, "]") && (strings.HasSuffix(sqlType, "INT") || sqlType == "INTEGER" || sqlType == "UINTEGER" || sqlType == "DOUBLE" ||
		sqlType == "FLOAT" || strings.HasPrefix(sqlType, "DECIMAL"))
}

// count says how many rows are shown, and whether there are more.
func count(rows int, more bool) string {
	switch {
	case more:
		return fmt.Sprintf("the first %d rows, and there are more: --format csv, or into a file, has all", rows)
	case rows == 1:
		return "1 row"
	}
	return fmt.Sprintf("%d rows", rows)
}
