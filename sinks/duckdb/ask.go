package duckdb

import (
	"context"
	"errors"
	"fmt"

	"github.com/duckdb/duckdb-go/v2"

	"backhaul/schemas"
	"backhaul/sinks"
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

// Ask runs one question against the warehouse's views and the loose tables, and returns its columns and rows as DuckDB spells them, nil
// for null. Errors are those of Query, and ErrNoRelation.
func Ask(ctx context.Context, w sinks.Warehouse, sql string, tables []Loose, limits Limits) (columns []string, rows [][]*string, err error) {
	err = limits.within(ctx, func(ctx context.Context) (err error) {
		columns, rows, err = askWith(ctx, w, sql, tables, limits.Memory)
		return err
	})
	var e *duckdb.Error
	if errors.As(err, &e) && e.Type == duckdb.ErrorTypeCatalog {
		return nil, nil, noRelation{err}
	}
	return columns, rows, shut(err)
}

func askWith(ctx context.Context, w sinks.Warehouse, sql string, tables []Loose, memory int64) (columns []string, rows [][]*string, err error) {
	err = over(ctx, w, sql, memory, tables, func(ctx context.Context, s *session) error {
		for _, t := range tables {
			if err := s.lay(ctx, t, only(t.Files)); err != nil {
				return fmt.Errorf("table %s: %w", t.Name, err)
			}
		}
		q, err := s.rowsOf(ctx, sql)
		if err != nil {
			return err
		}
		columns, rows, err = s.texts(ctx, q, mostBytes)
		return err
	})
	return columns, rows, err
}

// lay makes a loose table a view. A list that a job brings along is what the mart of its name makes of it, so that a question
// means by a label what the marts mean.
func (s *session) lay(ctx context.Context, t Loose, from source) error {
	d, err := declare([]*schemas.Table{t.Table}, from)
	if err != nil {
		return err
	}
	shown := d.byName[t.Table.FullName()]
	if t.Table.Given() != nil {
		shown = d.byName["marts."+t.Table.Name]
	}
	return s.exec(ctx, "CREATE TEMP VIEW "+ident(t.Name)+" AS "+d.inlined(shown))
}
