package duckdb

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"backhaul/sinks"
)

// ErrFiles means that a statement names a file, or wants something else of the machine. SQL sees the catalog and no files: a
// spec's queries, and what is pasted into `query`, may come from somebody who must not read the credentials of the run.
var ErrFiles = errors.New("SQL reads the tables of the catalog and no files")

// confine shuts the session off from the file system but for the lake and the loose tables, for good. What DuckDB spills
// goes to its temporary directory, which stays open.
func (s *session) confine(ctx context.Context, w sinks.Warehouse, tables []Loose) error {
	var directories, files []string
	if w.Root != "" {
		directories = append(directories, quote(w.Lake()+"/"), quote(escapePattern.Replace(w.Lake())+"/"))
	}
	for _, t := range tables {
		for _, file := range t.Files {
			files = append(files, quote(file), quote(escapePattern.Replace(file)))
		}
	}
	statements := append([]string{fmt.Sprintf("SET allowed_directories = [%s]", strings.Join(directories, ", ")),
		fmt.Sprintf("SET allowed_paths = [%s]", strings.Join(files, ", "))}, makers...)
	return s.exec(ctx, append(statements, "SET enable_external_access = false", "SET lock_configuration = true")...)
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
