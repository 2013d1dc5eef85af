package duckdb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"backhaul/schemas"
	"backhaul/sinks"
)

// broken are the classes of errors that hardly any statement brings about, only a file that does not hold what it says.
var broken = []string{"Invalid Error:", "Serialization Error:", "INTERNAL Error:", "FATAL Error:", "IO Error:"}

// unread are DuckDB's words, in a class that statements bring about as well, for a file it cannot read.
var unread = []string{"magic bytes", "ZSTD", "orrupt", "Failed to read", "Out of buffer", ".parquet'", `.parquet"`, "arquet", "stats", "page", "column chunk"}

// spared are errors of the machine, and of files that a statement names.
var spared = []string{"Too many open files", "Permission denied", "No space left", "Out of Memory", "Cannot open file", "Could not write", "Could not truncate"}

// damage marks errors that are neither the statement's nor the machine's: a file DuckDB could not read.
func damage(err error) error {
	if err == nil || errors.Is(err, sinks.ErrDamaged) {
		return err
	}
	text := err.Error() // statements that are not queries fail with plain errors
	in := func(s string) bool { return strings.Contains(text, s) }
	beginsWith := func(s string) bool { return strings.HasPrefix(text, s) }
	switch {
	case slices.ContainsFunc(spared, in), in("No files found") && !in("/versions/"):
		return err
	case slices.ContainsFunc(broken, beginsWith), beginsWith("Invalid Input Error:") && slices.ContainsFunc(unread, in):
		return fmt.Errorf("%w: %w", sinks.ErrDamaged, err)
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
	s, err := openCatalog(ctx, catalogPath, 0)
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
