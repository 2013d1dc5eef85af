package duckdb

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"backhaul/sinks"
)

// exported is the table of a session that holds what Each hands out.
const exported = "temp.exported"

// eachTime is how many rows Each holds at once.
const eachTime = 2048

// Each hands all rows of a table or view to use, as they were at one moment: DuckDB keeps them in a table of the session, on
// disk as far as they do not fit in its memory, since the driver holds the whole answer to a question otherwise. name is the
// table's with its schema, not quoted. Errors are those of Query, and of use.
func Each(ctx context.Context, w sinks.Warehouse, schema, name string, limits Limits, use func(sinks.Rows) error) error {
	return shut(limits.within(ctx, func(ctx context.Context) error {
		return over(ctx, w, schema+"."+name, limits.Memory, nil, func(ctx context.Context, s *session) error { return s.each(ctx, schema, name, use) })
	}))
}

func (s *session) each(ctx context.Context, schema, name string, use func(sinks.Rows) error) error {
	relation := ident(schema) + "." + ident(name)
	_, described, err := s.rows(ctx, "SELECT column_name, column_type FROM (DESCRIBE FROM "+relation+")")
	if err != nil {
		return err
	}
	out := sinks.Rows{Name: schema + "." + name}
	values := make([]string, len(described))
	for i, d := range described {
		column, value := told(d[0].(string), d[1].(string))
		out.Columns = append(out.Columns, column)
		values[i] = value + " AS " + ident(column.Name)
	}
	if err := s.exec(ctx, "CREATE TEMP TABLE exported AS SELECT "+strings.Join(values, ", ")+" FROM "+relation); err != nil {
		return err
	}
	_, counted, err := s.rows(ctx, "SELECT count(*) FROM "+exported)
	if err != nil {
		return err
	}
	out.Count = counted[0][0].(int64)
	out.All = s.kept(ctx, out.Count)
	if err := use(out); err != nil {
		return callers{err}
	}
	return nil
}

// told returns a column as other programs have it, and what its values are in SQL.
func told(name, sqlType string) (sinks.Column, string) {
	kind, as := sinks.Text, "VARCHAR"
	switch {
	case strings.HasSuffix(sqlType, "]"), strings.HasPrefix(sqlType, "STRUCT"), strings.HasPrefix(sqlType, "MAP"):
		return sinks.Column{Name: name}, "CAST(to_json(" + ident(name) + ") AS VARCHAR)"
	case sqlType == "BOOLEAN":
		kind, as = sinks.Boolean, sqlType
	case strings.HasSuffix(sqlType, "INT"), strings.HasSuffix(sqlType, "INTEGER"):
		kind, as = sinks.Integer, "BIGINT" // a sum may be wider; one that is too large is an error
	case sqlType == "DOUBLE", sqlType == "FLOAT", strings.HasPrefix(sqlType, "DECIMAL"):
		kind, as = sinks.Number, "DOUBLE"
	case sqlType == "DATE":
		kind, as = sinks.Date, sqlType
	case strings.HasPrefix(sqlType, "TIMESTAMP"):
		kind, as = sinks.Timestamp, "TIMESTAMP"
	}
	return sinks.Column{Name: name, Kind: kind}, fmt.Sprintf("CAST(%s AS %s)", ident(name), as)
}

// kept yields the rows of the session's own table, some at a time.
func (s *session) kept(ctx context.Context, count int64) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for from := int64(0); from < count; from += eachTime {
			_, rows, err := s.rows(ctx, fmt.Sprintf("FROM %s WHERE rowid BETWEEN %d AND %d", exported, from, from+eachTime-1))
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}
