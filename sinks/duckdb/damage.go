package duckdb

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"backhaul/schemas"
	"backhaul/sinks"
)

// damage marks errors that are neither the statement's nor the machine's: a file DuckDB could not read. Their texts name it.
func damage(err error) error {
	if err == nil || errors.Is(err, sinks.ErrDamaged) {
		return err
	}
	text := err.Error() // statements that are not queries fail with plain errors
	for _, sign := range []string{
		"No magic bytes", "too small to be a Parquet", "ZSTD Decompression", "TProtocolException", "Thrift", "Corrupt database",
		"not a valid DuckDB database", "Could not read enough bytes", "Failed to read file", "No files found that match", "Serialization Error",
		"Out of buffer", "Invalid Input Error: Invalid", "corrupt", "Failed to read Parquet file", "Failed to load metadata pointer",
	} {
		if strings.Contains(text, sign) {
			return fmt.Errorf("%w: %w", sinks.ErrDamaged, err)
		}
	}
	return err
}

// Relation is a view of the catalog and how it answers.
type Relation struct {
	Name string // moz.anchor_text
	// Rows is how many rows the view shows; -1 for marts, which are not counted.
	Rows int64
	Err  error
}

// Check opens the catalog and asks every view. Marts are asked for a row. A catalog that cannot be opened is the error.
func Check(ctx context.Context, catalogPath string) ([]Relation, error) {
	s, err := openCatalog(ctx, catalogPath)
	if err != nil {
		return nil, damage(err)
	}
	defer s.close()
	_, views, err := s.rows(ctx, "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal AND database_name = '"+catalogName+"' ORDER BY ALL")
	if err != nil {
		return nil, damage(err)
	}
	found := map[string]bool{}
	var all []Relation
	for _, v := range views {
		r := Relation{Name: v[0].(string) + "." + v[1].(string), Rows: -1}
		full := ident(v[0].(string)) + "." + ident(v[1].(string))
		if schemas.Lookup(r.Name) == nil {
			_, _, r.Err = s.rows(ctx, "SELECT * FROM "+full+" LIMIT 1")
		} else {
			r.Rows, r.Err = s.count(ctx, full)
		}
		r.Err = damage(r.Err)
		found[r.Name] = true
		all = append(all, r)
	}
	for _, t := range schemas.All() {
		if !found[t.FullName()] {
			all = append(all, Relation{Name: t.FullName(), Err: errors.New("the catalog has no such view")})
		}
	}
	return all, nil
}

func (s *session) count(ctx context.Context, view string) (int64, error) {
	_, rows, err := s.rows(ctx, "SELECT count(*) FROM "+view)
	if err != nil {
		return -1, err
	}
	return rows[0][0].(int64), nil
}
