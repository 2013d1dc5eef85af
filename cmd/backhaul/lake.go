package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"backhaul/jobs/run"
	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/blob"
	"backhaul/sinks/duckdb"
	"backhaul/sinks/parquet"
)

// lake wires the sinks: Parquet files staged and published on the local disk, and the catalog over them.
type lake struct {
	warehouse sinks.Warehouse
	disk      blob.FS
	staging   *blob.Staging
	created   int // files, whose names must differ
	// limits bound the queries that provide targets.
	limits duckdb.Limits
}

// targetTime is the flag that bounds the time of a query that provides targets.
const (
	targetTime      = "query-timeout"
	usualTargetTime = 10 * time.Minute
)

// disk is what lakes are written through. Tests put one in its place that fails.
var disk blob.FS

// openLake opens a staging directory of its own, and removes those of processes that died.
func openLake(w sinks.Warehouse) (*lake, error) {
	l := &lake{warehouse: w, disk: disk, limits: duckdb.Limits{Time: usualTargetTime}}
	if err := l.disk.MkdirAll(w.Staging()); err != nil {
		return nil, err
	}
	if _, err := l.disk.Sweep(w.Staging()); err != nil {
		return nil, err
	}
	staging, err := l.disk.OpenStaging(w.Staging(), "run-"+ulid.Make().String())
	l.staging = staging
	return l, err
}

func (l *lake) close() { _ = l.staging.Close() }

// Create implements run.Lake.
func (l *lake) Create(t *schemas.Table) (sinks.Writer, error) {
	l.created++
	return parquet.Create(l.disk, l.staging.Path(fmt.Sprintf("%s.%d.parquet", t.FullName(), l.created)), t, parquet.Options{})
}

// Publish implements run.Lake.
func (l *lake) Publish(staged, final string) error { return l.disk.Publish(staged, final) }

// Catalog implements run.Lake.
func (l *lake) Catalog(ctx context.Context) error { return duckdb.BuildOn(ctx, l.disk, l.warehouse) }

// Ask implements run.Lake. A warehouse without a catalog gets one, so that its views are there, be they empty.
func (l *lake) Ask(ctx context.Context, query string, relations []run.Relation) ([]string, [][]*string, error) {
	if _, err := os.Stat(l.warehouse.Catalog()); errors.Is(err, fs.ErrNotExist) {
		if err := l.Catalog(ctx); err != nil {
			return nil, nil, err
		}
	}
	all := make([]duckdb.Loose, len(relations))
	for i, r := range relations {
		all[i] = duckdb.Loose{Name: r.Name, Table: r.Table, Files: []string{r.Path}}
	}
	columns, rows, err := duckdb.Ask(ctx, l.warehouse.Catalog(), query, all, l.limits)
	if errors.Is(err, duckdb.ErrNoRelation) || errors.Is(err, sinks.ErrMoved) {
		// The catalog may have been written by an earlier version of the program, which had fewer views, or elsewhere.
		if err := l.Catalog(ctx); err != nil {
			return nil, nil, err
		}
		columns, rows, err = duckdb.Ask(ctx, l.warehouse.Catalog(), query, all, l.limits)
	}
	return columns, rows, raiseLimit(err, targetTime)
}

// warnOfMove says so where a warehouse's catalog is of another place, to who asks for something else.
func (a *app) warnOfMove(ctx context.Context) {
	w, err := a.warehouse()
	if err != nil {
		return
	}
	if err := duckdb.Try(ctx, w.Catalog()); errors.Is(err, sinks.ErrMoved) {
		fmt.Fprintln(a.stderr, "note:", err)
	}
}

// anything reports whether a warehouse has what a catalog can be of: a mistyped name must not become one.
func anything(w sinks.Warehouse) bool {
	for _, path := range []string{w.Lake(), w.Journal(), w.Ledger()} {
		if _, err := os.Stat(path); err == nil {
			return true
		}
	}
	return false
}

func (a *app) catalogCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "catalog",
		Short: "Write catalog.duckdb anew, after the warehouse was moved or copied, say",
		Args:  exactly(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, err := a.warehouse()
			if err != nil {
				return err
			}
			if !anything(w) {
				return fmt.Errorf("%s is no warehouse: it has no lake, journal or ledger; `backhaul run` makes one, --warehouse names another", w.Root)
			}
			if err := duckdb.BuildOn(cmd.Context(), disk, w); err != nil {
				return err
			}
			if a.json {
				return a.printJSON(map[string]string{"catalog": w.Catalog()})
			}
			_, err = fmt.Fprintln(a.stderr, "wrote", w.Catalog())
			return err
		},
	}
}
