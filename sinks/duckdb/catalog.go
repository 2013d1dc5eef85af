// Package duckdb is the warehouse's SQL side: it writes the catalog, a DuckDB file of views over the lake, and
// answers queries through it.
//
// The views name the lake's present files by versions of their own; package sinks says why.
//
// It knows the layout of the lake and the declared tables, not how the files were written. It is the only package
// that uses cgo. The catalog holds no rows: it can be thrown away and built again at any time, is replaced whole,
// and is never held open between runs. It is written in DuckDB's storage version v1.0.0, so that DuckDB 1.1 and
// later open it. Extensions are never installed or loaded from outside.
package duckdb

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"backhaul/pipeline/failpoint"
	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/blob"
)

// storageVersion is the oldest format that knows everything the catalog uses; DuckDB 1.1.3 opens it (measured).
const storageVersion = "v1.0.0"

// catalogName is what the catalog is attached as while it is built. DuckDB names a database after its file, so
// that is its name for readers too, and names qualified by DuckDB inside the views stay right.
const catalogName = "catalog"

// marts are the views of schema marts, one file each, applied in the order of their names.
//
//go:embed marts/*.sql
var marts embed.FS

// Build writes the warehouse's catalog anew from the declared tables and the files in the lake, and puts it in
// the place of the old one in one step. Readers that have the old one open keep it, and the files it names. Paths are absolute. Builds of several processes follow one another, and each looks at the lake only once its turn has come,
// so that the last one to finish knows every file published before it began.
func Build(ctx context.Context, w sinks.Warehouse) error { return BuildOn(ctx, blob.FS{}, w) }

// BuildOn is Build on the caller's disk, through which everything passes but DuckDB's own writes.
func BuildOn(ctx context.Context, disk blob.FS, w sinks.Warehouse) error {
	if err := build(ctx, disk, w, schemas.All()); err != nil {
		return fmt.Errorf("build catalog: %w", damage(err))
	}
	return nil
}

func build(ctx context.Context, disk blob.FS, w sinks.Warehouse, tables []*schemas.Table) (err error) {
	root, err := filepath.Abs(w.Root)
	if err != nil {
		return err
	}
	if strings.Contains(root, "?") {
		// DuckDB takes what follows for options and puts the log of its writes elsewhere.
		return fmt.Errorf("warehouse %s: DuckDB cannot write below a directory with ? in its name", root)
	}
	w.Root = root
	release, err := disk.Lock(ctx, filepath.Join(w.Staging(), "catalog.lock"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	staging, err := disk.OpenStaging(w.Staging(), "catalog")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, staging.Close()) }()
	path := staging.Path("catalog.duckdb")
	failpoint.Hit("catalog.build.before")
	if err := create(ctx, disk, path, w, tables); err != nil {
		return err
	}
	failpoint.Hit("catalog.swap.before")
	if err := publish(disk, path, w.Catalog()); err != nil {
		return err
	}
	failpoint.Hit("catalog.swap.after")
	return sweepVersions(disk, w, tables)
}

// create writes a catalog file and returns when it is closed, in one piece.
func create(ctx context.Context, disk blob.FS, path string, w sinks.Warehouse, tables []*schemas.Table) error {
	s, err := openSession(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	failpoint.Hit("catalog.session.opened")
	statements := []string{
		fmt.Sprintf("ATTACH %s AS %s (STORAGE_VERSION %s)", quote(path), catalogName, quote(storageVersion)),
		"USE " + catalogName,
		"BEGIN", // one sync of the log instead of one per view and comment
	}
	declared, err := declarations(tables, func(t *schemas.Table) ([]string, error) { return versions(disk, w, t) })
	if err != nil {
		return err
	}
	statements = append(append(statements, declared...), "COMMIT", "CHECKPOINT "+catalogName, "USE memory", "DETACH "+catalogName)
	for _, statement := range statements {
		if err := s.exec(ctx, statement); err != nil {
			return err
		}
	}
	return s.close()
}

// declarations returns the statements that make a catalog of schemas and views, over the files that each table has.
func declarations(tables []*schemas.Table, files func(*schemas.Table) ([]string, error)) ([]string, error) {
	var statements []string
	for _, schema := range schemaNames(tables) {
		statements = append(statements, "CREATE SCHEMA "+ident(schema))
	}
	for _, t := range tables {
		paths, err := files(t)
		if err != nil {
			return nil, err
		}
		statements = append(statements, view(t, paths), comments(t))
	}
	if s := drift(tables); s != "" {
		statements = append(statements, s)
	}
	more, err := martStatements()
	return append(statements, more...), err
}

// grace is how long a version outlives its replacement, for sessions that have an older catalog open.
const grace = 24 * time.Hour

// versions pins the files the table has in the lake and returns the durable names of their present contents.
func versions(disk blob.FS, w sinks.Warehouse, t *schemas.Table) ([]string, error) {
	lake, dir := w.Table(t.Schema, t.Name), w.Versions(t.Schema, t.Name)
	names, err := fs.Glob(os.DirFS(lake), "*/*.parquet")
	if err != nil || len(names) == 0 {
		return nil, err
	}
	var pinned []string
	for _, name := range names {
		path, err := disk.Pin(filepath.Join(lake, name), dir)
		switch {
		case err == nil:
			pinned = append(pinned, path)
		case !errors.Is(err, fs.ErrNotExist): // retention may have taken it since
			return nil, err
		}
	}
	if _, err := os.Stat(dir); err != nil { // no hard links here
		return pinned, nil
	}
	return pinned, disk.SyncDir(dir)
}

func sweepVersions(disk blob.FS, w sinks.Warehouse, tables []*schemas.Table) error {
	for _, t := range tables {
		if _, err := disk.SweepPins(w.Versions(t.Schema, t.Name), time.Now().Add(-grace)); err != nil {
			return err
		}
	}
	return nil
}

// schemaNames returns the schemas of the tables, and those every catalog has.
func schemaNames(tables []*schemas.Table) []string {
	names := []string{"marts", "ops"}
	for _, t := range tables {
		names = append(names, t.Schema)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func martStatements() ([]string, error) {
	names, err := fs.Glob(marts, "marts/*.sql")
	if err != nil {
		return nil, err
	}
	statements := make([]string, len(names))
	for i, name := range names {
		text, err := marts.ReadFile(name)
		if err != nil {
			return nil, err
		}
		statements[i] = string(text)
	}
	return statements, nil
}

// publish makes the closed catalog durable and renames it into place.
func publish(disk blob.FS, path, final string) error {
	if _, err := os.Lstat(path + ".wal"); err == nil {
		return fmt.Errorf("%s was left behind: the catalog is not whole without it", path+".wal")
	}
	if err := disk.Sync(path); err != nil {
		return err
	}
	// Somebody who opened the old catalog for writing may have left a log beside it, which DuckDB would try to
	// apply to the new one.
	if err := disk.Remove(final + ".wal"); err != nil {
		return err
	}
	return disk.Publish(path, final)
}
