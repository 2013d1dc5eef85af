package duckdb

import (
	"context"
	"errors"
	"fmt"

	"github.com/duckdb/duckdb-go/v2"

	"backhaul/schemas"
)

// Loose is a table outside the catalog, under a name of its own.
type Loose struct {
	Name  string
	Table *schemas.Table
	// Files hold its rows, and may be none.
	Files []string
}

// ErrNoRelation means that a question names a table or view that there is not.
var ErrNoRelation = errors.New("no such relation")

// noRelation marks DuckDB's errors of that kind, whose texts stay its own.
type noRelation struct{ error }

func (e noRelation) Unwrap() []error { return []error{e.error, ErrNoRelation} }

// Ask runs one question against the catalog and the loose tables, and returns its columns and rows as DuckDB spells them, nil
// for null. Errors are those of Query, and ErrNoRelation.
func Ask(ctx context.Context, catalogPath, sql string, tables []Loose) (columns []string, rows [][]*string, err error) {
	columns, rows, err = askWith(ctx, catalogPath, sql, tables)
	var e *duckdb.Error
	if errors.As(err, &e) && e.Type == duckdb.ErrorTypeCatalog {
		return nil, nil, noRelation{err}
	}
	return columns, rows, damage(err)
}

func askWith(ctx context.Context, catalogPath, sql string, tables []Loose) (columns []string, rows [][]*string, err error) {
	s, err := openCatalog(ctx, catalogPath)
	if err != nil {
		return nil, nil, err
	}
	defer s.close()
	for _, t := range tables {
		if err := s.exec(ctx, "CREATE TEMP VIEW "+ident(t.Name)+" AS "+selection(t.Table, t.Files)); err != nil {
			return nil, nil, fmt.Errorf("table %s: %w", t.Name, err)
		}
	}
	q, err := s.question(ctx, sql)
	if err != nil {
		return nil, nil, err
	}
	if q.explain {
		return nil, nil, errNotAQuestion
	}
	columns, values, err := s.rows(ctx, "SELECT CAST(COLUMNS(*) AS VARCHAR) "+from(q.text))
	if err != nil {
		return nil, nil, err
	}
	for _, row := range values {
		texts := make([]*string, len(row))
		for i, v := range row {
			if text, ok := v.(string); ok {
				texts[i] = &text
			}
		}
		rows = append(rows, texts)
	}
	return columns, rows, nil
}
