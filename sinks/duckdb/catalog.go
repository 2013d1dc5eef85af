// Package duckdb is the warehouse's SQL side: it writes the catalog, a DuckDB file of views over the lake, and
// answers questions over the same views.
//
// A view reads whatever files the lake has when it is asked, so the catalog is written when the program's declarations
// change, not when data does, and a connection that stays open sees every night. The lake is found by the path that the
// catalog was written for, or by the DuckDB variable backhaul_warehouse ([Variable]). No view or macro names another: what it
// is made of stands in its own text, so that a catalog is right under any name that it is attached by, beside others of its
// kind too.
//
// The program itself never opens the published file. It declares the views it needs in a session in memory, so that nobody's
// lock stops it and nobody's damage misleads it.
//
// The package knows the layout of the lake and the declared tables, not how the files were written. It is the only one
// that uses cgo. The catalog holds no rows: it can be thrown away and built again at any time, and is replaced whole. It
// is written in DuckDB's storage version v1.0.0, so that DuckDB 1.1 and later open it. Extensions are never installed or
// loaded from outside.
package duckdb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"backhaul/pipeline/failpoint"
	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/blob"
)

// storageVersion is the oldest format that knows everything the catalog uses; DuckDB 1.1.3 opens it (measured).
const storageVersion = "v1.0.0"

// catalogName is what the database with the views is called: DuckDB names one after its file, so that is its name for readers
// too.
const catalogName = "catalog"

// Columns sees to it that a table has its columns in the lake where it has no rows: without a file a view cannot be made.
type Columns func(context.Context, *schemas.Table) error

// Build rewrites the warehouse's catalog from the declared tables, and puts it in the place of the old one in one step.
// Readers that have the old one open keep it. Everything passes through the caller's disk but DuckDB's own writes.
//
// Several processes may build at once, none waits for another to build, and none puts its catalog in the place of a later one: whoever
// finds another there than he began with begins again. So a process that stands still in the midst of it holds up nobody.
func Build(ctx context.Context, disk blob.FS, w sinks.Warehouse, columns Columns) error {
	w, err := absolute(w)
	for done := false; err == nil && !done; {
		done, err = build(ctx, disk, w, columns, schemas.All(), create)
	}
	return failed(err)
}

func failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("build catalog: %w", damage(err))
}

// Update builds the catalog if it is not the one that Build would write.
func Update(ctx context.Context, disk blob.FS, w sinks.Warehouse, columns Columns) error {
	w, err := absolute(w)
	for done := false; err == nil && !done; {
		if done, err = isCurrent(ctx, w); err == nil && !done {
			done, err = build(ctx, disk, w, columns, schemas.All(), create)
			err = failed(err)
		}
	}
	return err
}

// isCurrent reports whether the catalog in place is the one that Build would write.
func isCurrent(ctx context.Context, w sinks.Warehouse) (bool, error) {
	n := readNote(w)
	d, err := declare(schemas.All(), globs(w, n.Mixed))
	if err != nil || !n.current(w, d) {
		return false, err
	}
	// Merging or loading may have made whole what was mixed at the last build.
	mixed, err := n.findMixed(ctx, w, schemas.All())
	return slices.Equal(mixed, n.Mixed), err
}

// absolute returns the warehouse by its absolute path, which the views need.
func absolute(w sinks.Warehouse) (sinks.Warehouse, error) {
	root, err := filepath.Abs(w.Root)
	if err == nil && strings.Contains(root, "?") {
		// DuckDB takes what follows for options and puts the log of its writes elsewhere.
		err = fmt.Errorf("warehouse %s: DuckDB cannot write below a directory with ? in its name", root)
	}
	return sinks.Warehouse{Root: root}, err
}

// build writes the catalog of an absolute warehouse, and puts it into place unless another was put there meanwhile: then it is not done.
func build(ctx context.Context, disk blob.FS, w sinks.Warehouse, columns Columns, tables []*schemas.Table,
	create func(ctx context.Context, path string, w sinks.Warehouse, tables []*schemas.Table) (note, error)) (done bool, err error) {
	before := standing(w)
	staging, err := openStaging(disk, w)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, staging.Close()) }()
	for _, t := range tables {
		if err := columns(ctx, t); err != nil {
			return false, fmt.Errorf("columns of %s: %w", t.FullName(), err)
		}
	}
	path := staging.Path("catalog.duckdb")
	failpoint.Hit("catalog.build.before")
	n, err := create(ctx, path, w, tables)
	if err != nil {
		return false, err
	}
	release, err := disk.Lock(ctx, filepath.Join(w.Staging(), "catalog.lock"))
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, release()) }()
	if !isSame(before, standing(w)) {
		return false, nil
	}
	failpoint.Hit("catalog.swap.before")
	if err := publish(disk, path, w.Catalog()); err != nil {
		return false, err
	}
	failpoint.Hit("catalog.swap.after")
	if err := write(disk, staging.Path("README.md"), filepath.Join(w.Root, "README.md"), []byte(Readme(w.Root))); err != nil {
		return false, err
	}
	return true, n.write(disk, staging, w)
}

// openStaging opens one that no other process has.
func openStaging(disk blob.FS, w sinks.Warehouse) (*blob.Staging, error) {
	for no := 1; ; no++ {
		staging, err := disk.OpenStaging(w.Staging(), fmt.Sprintf("catalog-%d", no))
		if !errors.Is(err, blob.ErrInUse) {
			return staging, err
		}
	}
}

// standing is the catalog's file that is in place, nil if there is none.
func standing(w sinks.Warehouse) fs.FileInfo {
	info, err := os.Stat(w.Catalog())
	if err != nil { // that it cannot be written is said by who writes it
		return nil
	}
	return info
}

func isSame(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime())
}

// create writes a catalog file and returns when it is closed, in one piece.
func create(ctx context.Context, path string, w sinks.Warehouse, tables []*schemas.Table) (note, error) {
	mixed, err := readNote(w).findMixed(ctx, w, tables)
	if err != nil {
		return note{}, err
	}
	d, err := declare(tables, globs(w, mixed))
	if err != nil {
		return note{}, err
	}
	s, err := openDirect()
	if err != nil {
		return note{}, err
	}
	defer s.close()
	failpoint.Hit("catalog.session.opened")
	// There is nothing to optimize, to share among threads or to move out of memory, and the statements are so many and so small that
	// trying takes longer than they do.
	all := slices.Concat(settings, []string{"SET threads = 1", "PRAGMA disable_optimizer", "SET temp_directory = ''"}, d.making(everything, true),
		// Every comment writes its view to the file's log again: copied out of memory it takes a third of the time.
		[]string{fmt.Sprintf("ATTACH %s AS published (STORAGE_VERSION %s)", quote(path), quote(storageVersion)),
			"COPY FROM DATABASE " + catalogName + " TO published (SCHEMA)", "CHECKPOINT published", "DETACH published"})
	if err := s.exec(ctx, all...); err != nil {
		return note{}, err
	}
	return note{Columns: fingerprint(tables), Mixed: mixed, Declared: d.hash()}, nil
}

// write makes a text the content of a file, in one step.
func write(disk blob.FS, staged, final string, text []byte) error {
	return disk.WriteWhole(staged, final, func(f *blob.File) error {
		_, err := f.Write(text)
		return err
	})
}

// publish makes the closed catalog durable and renames it into place. It is for reading only: a tool that opens it for
// writing, as DuckDB does by itself, is told so instead of locking others out.
func publish(disk blob.FS, path, final string) error {
	if _, err := os.Lstat(path + ".wal"); err == nil {
		return fmt.Errorf("%s was left behind: the catalog is not whole without it", path+".wal")
	}
	if err := os.Chmod(path, 0o444); err != nil {
		return err
	}
	if err := disk.Sync(path); err != nil {
		return err
	}
	// Somebody who opened the old catalog for writing may have left a log beside it, which DuckDB would try to
	// apply to the new one.
	if err := disk.Remove(final + ".wal"); err != nil {
		return err
	}
	return disk.Replace(path, final)
}
