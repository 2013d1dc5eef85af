package duckdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"backhaul/sinks"
)

// Format is how Query writes its result.
type Format string

// The formats of query results.
const (
	Table   Format = "table"   // for people: types in the header, numbers to the right, NULL, the number of rows
	CSV     Format = "csv"     // with a header line; null is empty, empty text is ""
	JSON    Format = "json"    // one array of objects
	Parquet Format = "parquet" // one file, zstd
)

// Formats lists them in the order a usage line gives them.
func Formats() []Format { return []Format{Table, CSV, JSON, Parquet} }

// copyOptions are DuckDB's COPY options of the formats it writes by itself.
var copyOptions = map[Format]string{
	CSV:     "FORMAT csv, HEADER",
	JSON:    "FORMAT json, ARRAY",
	Parquet: "FORMAT parquet, COMPRESSION zstd",
}

// errNotAQuestion refuses statements that are not about reading.
var errNotAQuestion = errors.New("only questions are taken: SELECT, FROM, WITH, VALUES, TABLE, PIVOT, UNPIVOT, DESCRIBE, SHOW, SUMMARIZE, PRAGMA that return rows, and EXPLAIN as a table")

// questions are the words that begin one. Statements that begin otherwise are not even prepared: EXPORT makes its
// directory as it is prepared (DuckDB 1.5.5).
var questions = regexp.MustCompile(`(?i)^(\(|(select|from|with|values|table|pivot|unpivot|describe|desc|show|summarize)\b)`)

// Query runs one statement against the warehouse's views and writes its result to out. Nothing of the warehouse is written,
// and no file is read but those of the lake (ErrFiles). Values are spelled by DuckDB. What is written may be cut short if out
// fails or ctx ends, but nothing is written when the statement itself is at fault: errors of the statement are DuckDB's own,
// with line and caret, or say which limit it came to: ErrTime, ErrMemory, ErrSize. A warehouse without a lake is ErrNoLake, a
// file that cannot be read sinks.ErrDamaged.
func Query(ctx context.Context, w sinks.Warehouse, sql string, format Format, limits Limits, out io.Writer) error {
	return shut(limits.within(ctx, func(ctx context.Context) error {
		return query(ctx, w, sql, format, limits.Memory, out)
	}))
}

func query(ctx context.Context, w sinks.Warehouse, sql string, format Format, memory int64, out io.Writer) error {
	if _, ok := copyOptions[format]; !ok && format != Table {
		return fmt.Errorf("unknown format %q: one of %v", format, Formats())
	}
	return over(ctx, w, sql, memory, nil, func(ctx context.Context, s *session) error { return s.answer(ctx, sql, format, out) })
}

func (s *session) answer(ctx context.Context, sql string, format Format, w io.Writer) error {
	q, err := s.question(ctx, sql)
	if err != nil {
		return err
	}
	switch {
	case format == Table:
		return s.table(ctx, q, w)
	case q.explain:
		return fmt.Errorf("EXPLAIN has no %s form: %w", format, errNotAQuestion)
	}
	return s.export(ctx, q, format, w)
}

// question is a statement that has been checked to only read.
type question struct {
	text    string // usable as FROM (text), unless it explains
	explain bool
}

// question checks names and types of a statement as it was typed, so that messages point into the user's own text.
func (s *session) question(ctx context.Context, sql string) (question, error) {
	text, err := statement(sql)
	if err != nil {
		return question{}, err
	}
	bare := text[len(comment.FindString(text)):]
	if m := explain.FindString(bare); m != "" {
		_, err := s.question(ctx, bare[len(m):])
		return question{text: text, explain: true}, err
	}
	if m := pragma.FindStringSubmatch(bare); m != nil {
		text = "FROM pragma_" + m[1] + "(" + strings.Trim(m[2], "()") + ")"
	} else if !questions.MatchString(bare) || doers.MatchString(bare) {
		return question{}, errNotAQuestion
	}
	if err := s.check(ctx, text); err != nil {
		return question{}, err
	}
	if err := s.check(ctx, from(text)); err != nil {
		return question{}, errNotAQuestion
	}
	return question{text: text}, nil
}

// rowsOf checks a statement whose rows are wanted: EXPLAIN has none.
func (s *session) rowsOf(ctx context.Context, sql string) (question, error) {
	q, err := s.question(ctx, sql)
	if err == nil && q.explain {
		err = errNotAQuestion
	}
	return q, err
}

var (
	comment = regexp.MustCompile(`(?s)^(\s+|--[^\n]*\n|/\*.*?\*/)*`)
	pragma  = regexp.MustCompile(`(?is)^pragma\s+(\w+)\s*(\(.*\))?$`)
	explain = regexp.MustCompile(`(?is)^explain(\s+analyze)?\b`)
)

// from makes any question part of another statement. The new line ends a comment at its end.
func from(text string) string { return "FROM (" + text + "\n)" }

// export lets DuckDB write the result into a file of its own and passes that on.
func (s *session) export(ctx context.Context, q question, format Format, w io.Writer) error {
	path := filepath.Join(s.dir, "result")
	err := s.exec(ctx, fmt.Sprintf("COPY (%s) TO %s (%s)", from(q.text), quote(path), copyOptions[format]))
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if format == JSON {
		if empty, err := emptyArray(f); err != nil || empty {
			return errors.Join(err, writeAll(w, "[]\n"))
		}
	}
	_, err = io.Copy(w, f)
	return err
}

// emptyArray reports whether the file is a JSON array of nothing, which DuckDB spells over three lines.
func emptyArray(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil || info.Size() > 16 {
		return false, err
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return false, err
	}
	_, err = f.Seek(0, io.SeekStart)
	return strings.Join(strings.Fields(string(b)), "") == "[]", err
}

func writeAll(w io.Writer, s string) error {
	_, err := io.WriteString(w, s)
	return err
}

// Select puts one of the program's own questions to the warehouse's views and returns its columns and rows as Go values: nil, bool,
// int8 to int64, float64, string, time.Time (DATE, TIMESTAMP), *big.Int (HUGEINT, which sum of BIGINT gives),
// duckdb-go's Decimal, []any (lists). All rows are held in memory. Nobody looks at the question first, and it has FROM and JOIN in
// capitals: no view is made for it, whose query DuckDB would plan twice, but put in the place of its name. Errors are those of Query.
func Select(ctx context.Context, w sinks.Warehouse, sql string) (columns []string, rows [][]any, err error) {
	err = over(ctx, w, "", 0, nil, func(ctx context.Context, s *session) (err error) {
		columns, rows, err = s.rows(ctx, s.declared.inlined(&declaration{body: fixed(sql)}))
		return err
	})
	return columns, rows, err
}

// texts runs a statement and returns its rows as DuckDB spells them, nil for null. The answer may have up to so many bytes,
// else it is ErrSize.
func (s *session) texts(ctx context.Context, q question, most int) (columns []string, rows [][]*string, err error) {
	result, err := s.conn.QueryContext(ctx, fmt.Sprintf("SELECT CAST(COLUMNS(*) AS VARCHAR) %s LIMIT %d", from(q.text), mostRows+1))
	if err != nil {
		return nil, nil, err
	}
	defer result.Close()
	if columns, err = result.Columns(); err != nil {
		return nil, nil, err
	}
	for result.Next() {
		row, places := make([]*string, len(columns)), make([]any, len(columns))
		for i := range row {
			places[i] = &row[i]
		}
		if err := result.Scan(places...); err != nil {
			return nil, nil, err
		}
		for _, text := range row {
			if text != nil {
				most -= len(*text)
			}
		}
		switch rows = append(rows, row); {
		case len(rows) > mostRows:
			return nil, nil, fmt.Errorf("%w: it has more than %d rows", ErrSize, mostRows)
		case most < 0:
			return nil, nil, fmt.Errorf("%w after %d rows", ErrSize, len(rows))
		}
	}
	return columns, rows, result.Err()
}

func (s *session) rows(ctx context.Context, sql string) (columns []string, rows [][]any, err error) {
	result, err := s.conn.QueryContext(ctx, sql)
	if err != nil {
		return nil, nil, err
	}
	defer result.Close()
	if columns, err = result.Columns(); err != nil {
		return nil, nil, err
	}
	for result.Next() {
		row, places := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			places[i] = &row[i]
		}
		if err := result.Scan(places...); err != nil {
			return nil, nil, err
		}
		rows = append(rows, row)
	}
	return columns, rows, result.Err()
}
