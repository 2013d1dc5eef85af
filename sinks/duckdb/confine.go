package duckdb

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
)

// ErrFiles means that a statement names a file, or wants something else of the machine. SQL sees the catalog and no files: a
// spec's queries, and what is pasted into `query`, may come from somebody who must not read the credentials of the run.
var ErrFiles = errors.New("SQL reads the tables of the catalog and no files")

// confine shuts the session off from the file system but for the files given, for good. What DuckDB spills goes to its
// temporary directory, which stays open.
func (s *session) confine(ctx context.Context, files []string) error {
	var statements []string
	if len(files) > 0 {
		quoted := make([]string, len(files))
		for i, file := range files {
			quoted[i] = quote(file)
		}
		statements = append(statements, "SET allowed_paths = ["+strings.Join(quoted, ", ")+"]")
	}
	statements = append(append(statements, makers...), "SET enable_external_access = false", "SET lock_configuration = true")
	for _, statement := range statements {
		if err := s.exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// opened returns what DuckDB must be allowed to open for the catalog's views and the loose tables: the files, and the
// patterns that stand for them where a name has characters of patterns.
func opened(views []viewText, tables []Loose) []string {
	var files []string
	for _, v := range views {
		for _, text := range texts.FindAllString(v.sql, -1) {
			if pattern := strings.ReplaceAll(text[1:len(text)-1], "''", "'"); strings.HasSuffix(pattern, ".parquet") {
				files = append(files, pattern, unescape.Replace(pattern))
			}
		}
	}
	for _, t := range tables {
		for _, file := range t.Files {
			files = append(files, file, escapePattern.Replace(file))
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// doers are functions that look like tables and change the session, or what is on disk.
var doers = regexp.MustCompile(`(?i)\b(enable|disable)_(logging|profiling|peg_parser)\b|\b(force_)?checkpoint\s*\(|\btruncate_duckdb_logs\b`)

// shut marks the errors of a confined session.
func shut(err error) error {
	var e *duckdb.Error
	if errors.As(err, &e) && e.Type == duckdb.ErrorTypePermission {
		return fmt.Errorf("%w: %w", ErrFiles, err)
	}
	return err
}
