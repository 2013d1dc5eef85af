package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"backhaul/jobs/chain"
	"backhaul/jobs/ledger"
	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/blob"
	"backhaul/sinks/compact"
	"backhaul/sinks/duckdb"
	"backhaul/sinks/lake"
	"backhaul/sinks/parquet"
)

// localLake wires the sinks: Parquet files staged and published on the local disk, and the catalog over them.
type localLake struct {
	lake.Lake
	staging *blob.Staging
	created atomic.Int64 // files, whose names must differ
	// limits bound the queries that provide targets.
	limits duckdb.Limits
	// lease takes a name for this process alone among those of all hosts. Default nil: the lake is a directory, whose files are locked.
	lease func(ctx context.Context, name string) (release func() error, err error)
}

// targetTime is the flag that bounds the time of a query that provides targets.
const (
	targetTime      = "query-timeout"
	usualTargetTime = 10 * time.Minute
)

// openLake opens a staging directory of its own, and removes those of processes that died.
func (a *app) openLake(w sinks.Warehouse) (*localLake, error) {
	l := &localLake{Lake: a.lakeIn(w), limits: duckdb.Limits{Time: usualTargetTime}}
	if a.store != nil {
		l.lease = a.shared.Alone
	}
	l.Merger = compact.Merger{Sort: duckdb.Sort, Create: l.create, Scratch: l.scratch}
	if err := a.disk.MkdirAll(w.Staging()); err != nil {
		return nil, err
	}
	if err := a.leaveNote(w); err != nil {
		return nil, err
	}
	if _, err := a.disk.Sweep(w.Staging()); err != nil {
		return nil, err
	}
	if err := l.Sweep(a.now()); err != nil {
		return nil, err
	}
	staging, err := a.disk.OpenStaging(w.Staging(), "run-"+ulid.Make().String())
	l.staging = staging
	return l, err
}

func (l *localLake) close() { _ = l.staging.Close() }

// Create implements run.Lake.
func (l *localLake) Create(t *schemas.Table) (sinks.Writer, error) {
	return l.create(t, parquet.Options{})
}

// Has implements run.Lake.
func (l *localLake) Has(t *schemas.Table, job string, date time.Time) bool {
	own, merged, err := l.Of(t, job, date)
	return err == nil && len(own)+len(merged) > 0
}

// Catalog implements run.Lake.
func (l *localLake) Catalog(ctx context.Context) error {
	return duckdb.Update(ctx, l.Disk, l.Warehouse, l.columns)
}

// firstCatalog writes the catalog of a warehouse that has none, which takes longer than all else of a small run but to wait for the
// vendor.
func (l *localLake) firstCatalog(ctx context.Context) error {
	if _, err := os.Stat(l.Warehouse.Catalog()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return l.Catalog(ctx)
}

// alone waits until this process alone, of those of all hosts, works something out of tables that others publish to meanwhile. Everybody
// publishes before: so whoever is the last to work it out has seen what all have published. release fails where another may have done it
// too.
func (l *localLake) alone(ctx context.Context, what string, no int) (release func() error, err error) {
	name := fmt.Sprintf("%s.%02d", what, no)
	if l.lease != nil {
		return l.lease(ctx, name)
	}
	return l.Disk.Lock(ctx, filepath.Join(l.Warehouse.Staging(), "."+name+".lock"))
}

// Changes implements run.Lake.
func (l *localLake) Changes(ctx context.Context, job string, date time.Time) error {
	later, err := l.changesUntil(ctx, job, date)
	for _, date := range later {
		if err == nil {
			_, err = l.changesUntil(ctx, job, date)
		}
	}
	return err
}

// dayNo numbers days, of which neighbours have different numbers. They are few, since what is locked leaves a name behind.
func dayNo(date time.Time) int { return int(date.Unix()/(24*60*60)) % 16 }

// changesUntil writes what changed until a night, and returns the nights that are compared with it. Two neighbours may do it at once. A table
// without changes has no file, unless it had one.
func (l *localLake) changesUntil(ctx context.Context, job string, date time.Time) (later []time.Time, err error) {
	release, err := l.alone(ctx, "changes", dayNo(date))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	if err := pullAll(ctx, l.Lake); err != nil {
		return nil, err
	}
	return duckdb.Changes(ctx, l.Warehouse, job, date, func(t *schemas.Table, batches iter.Seq2[arrow.RecordBatch, error]) error {
		return l.write(ctx, t, job, date, batches, l.Has(t, job, date))
	})
}

// WholeLists implements run.Lake.
func (l *localLake) WholeLists(ctx context.Context, job string, date time.Time) error {
	written, err := l.missingLists(ctx)
	if month := wholeMonth(date); err == nil && !slices.Contains(written, month.Year()) {
		err = l.writeLists(ctx, job, month)
	}
	return err
}

// formerLists is where earlier versions kept which nights can be compared, by month.
const formerLists = "whole_lists"

// missingLists writes those of the years that have none at all, of earlier versions and one that has just begun, and returns
// which those are.
func (l *localLake) missingLists(ctx context.Context) (years []time.Time, err error) {
	months, err := l.Months(schemas.Lookup("ops.tasks"))
	if err != nil {
		return nil, err
	}
	written, err := l.Months(schemas.WholeSpans())
	if err != nil {
		return nil, err
	}
	for _, m := range months {
		if year := wholeMonth(m).Year(); !slices.Contains(written, year) && !slices.Contains(years, year) {
			years = append(years, year)
		}
	}
	for _, year := range years {
		if err := l.writeLists(ctx, "", wholeYear(year)); err != nil {
			return nil, err
		}
	}
	former := l.Warehouse.Table(schemas.WholeSpans().Schema, formerLists)
	if _, err := os.Stat(former); errors.Is(err, fs.ErrNotExist) {
		return years, nil
	}
	return years, l.Disk.RemoveAll(former)
}

// writeLists writes those of some days, of every job if none is named. What others have bought meanwhile belongs into them as well.
func (l *localLake) writeLists(ctx context.Context, job string, days duckdb.Days) (err error) {
	release, err := l.aloneWithLists(ctx, days.From)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	return l.lists(ctx, job, days, nil)
}

// aloneWithLists waits until this process alone writes those of a date's year.
func (l *localLake) aloneWithLists(ctx context.Context, date time.Time) (release func() error, err error) {
	return l.alone(ctx, "lists", yearNo(date))
}

// lists writes those of some days, of every job if none is named; of a job that has none in their year, those of the year. The rows of
// a table that is about to lose them are taken for lost.
func (l *localLake) lists(ctx context.Context, job string, days duckdb.Days, without *schemas.Table) error {
	if err := pullAll(ctx, l.Lake); err != nil {
		return err
	}
	year := days.Year()
	return duckdb.WholeLists(ctx, l.Warehouse, job, days, func(job string) (of duckdb.Days, err error) {
		if of = days; !l.Has(schemas.WholeSpans(), job, year) {
			of = wholeYear(year)
		}
		of.Held, err = l.nights(job, of, func(t *schemas.Table, month time.Time) bool {
			return t == without && !month.Before(days.From) && month.Before(days.Until)
		})
		return of, err
	}, func(job string, batches iter.Seq2[arrow.RecordBatch, error]) error {
		return l.write(ctx, schemas.WholeSpans(), job, year, batches, true)
	})
}

// nights returns on which days the tables of endpoints have something of a job, be it that a list was empty, but for what they lose.
func (l *localLake) nights(job string, days duckdb.Days, lost func(t *schemas.Table, month time.Time) bool) (map[string][]time.Time, error) {
	held := map[string][]time.Time{}
	for _, t := range schemas.All() {
		for _, m := range days.Months() {
			if !t.Vendor() || lost(t, m) {
				continue
			}
			nights, err := l.Nights(t, job, m)
			if err != nil {
				return nil, err
			}
			if endpoint := t.Schema + "/" + t.Name; len(nights) > 0 {
				held[endpoint] = append(held[endpoint], nights...)
			}
		}
	}
	return held, nil
}

// yearNo numbers years, of which neighbours have different numbers.
func yearNo(t time.Time) int { return t.Year() % 16 }

func wholeYear(year time.Time) duckdb.Days {
	return duckdb.Days{From: year, Until: year.AddDate(1, 0, 0)}
}

// wholeMonth is the month of a date.
func wholeMonth(date time.Time) duckdb.Days {
	first := firstOfMonth(date)
	return duckdb.Days{From: first, Until: first.AddDate(0, 1, 0)}
}

// write publishes rows as what a table has of the run of (job, date). If there are none it has no file, unless it must.
func (l *localLake) write(ctx context.Context, t *schemas.Table, job string, date time.Time, batches iter.Seq2[arrow.RecordBatch, error], must bool) error {
	w, err := l.Create(t)
	if err != nil {
		return err
	}
	rows := int64(0)
	for batch, err := range batches {
		if err == nil {
			rows += batch.NumRows()
			err = w.Write(batch)
			batch.Release()
		}
		if err != nil {
			return errors.Join(err, w.Abort())
		}
	}
	if rows == 0 && !must {
		return w.Abort()
	}
	staged, err := w.Close()
	if err != nil {
		return err
	}
	_, err = l.Publish(ctx, t, job, date, staged.Path)
	return err
}

// columns implements duckdb.Columns.
func (l *localLake) columns(ctx context.Context, t *schemas.Table) error {
	return l.Columns(ctx, t, l.Create)
}

// Ask implements run.Lake. A warehouse without a lake gets one, so that its views are there, be they empty.
func (l *localLake) Ask(ctx context.Context, query string, relations []chain.Relation) ([]string, [][]*string, error) {
	if err := errors.Join(l.Disk.MkdirAll(l.Warehouse.Lake()), pullAll(ctx, l.Lake)); err != nil {
		return nil, nil, err
	}
	all := make([]duckdb.Loose, len(relations))
	for i, r := range relations {
		all[i] = duckdb.Loose{Name: r.Name, Table: r.Table, Files: []string{r.Path}}
	}
	columns, rows, err := duckdb.Ask(ctx, l.Warehouse, query, all, l.limits)
	return columns, rows, raiseLimit(err, targetTime)
}

// warnOfMove says so where a warehouse's catalog is of another place, to who asks for something else.
func (a *app) warnOfMove(ctx context.Context) {
	w, err := a.warehouse(ctx)
	if err != nil {
		return
	}
	if err := duckdb.Current(w); errors.Is(err, sinks.ErrStale) {
		fmt.Fprintf(a.stderr, "note: %v: other programs read it right once `backhaul catalog --warehouse %s` has rebuilt it\n", err, w.Root)
	}
}

// anything reports whether a warehouse has what a catalog can be of: a mistyped name must not become one.
func anything(w sinks.Warehouse) bool {
	for _, path := range []string{w.Lake(), w.Journal(), w.Ledger(), w.Elsewhere()} {
		if _, err := os.Stat(path); err == nil {
			return true
		}
	}
	return false
}

// existingLake opens the lake of a warehouse that is there.
func (a *app) existingLake(ctx context.Context) (*localLake, error) {
	w, err := a.warehouse(ctx)
	if err != nil {
		return nil, err
	}
	if !anything(w) {
		return nil, fmt.Errorf("%s is not a warehouse: it has no lake, journal or ledger; `backhaul run` makes one, --warehouse names another", w.Root)
	}
	return a.openLake(w)
}

// withRun lets do work on a run that the ledger knows, named by its id or as job/date, and on the lake.
func (a *app) withRun(ctx context.Context, name string, do func(*ledger.Ledger, ledger.Run, *localLake) error) error {
	l, err := a.openLedger(ctx)
	if err != nil {
		return err
	}
	defer l.Close()
	r, err := findRun(ctx, l, name)
	if err != nil {
		return err
	}
	lake, err := a.existingLake(ctx)
	if err != nil {
		return err
	}
	defer lake.close()
	return do(l, r, lake)
}

func (a *app) catalogCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "catalog",
		Short: "Rebuild catalog.duckdb, for instance after the warehouse was moved or copied",
		Args:  exactly(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := a.existingLake(cmd.Context())
			if err != nil {
				return err
			}
			defer l.close()
			if err := duckdb.Build(cmd.Context(), a.disk, l.Warehouse, l.columns); err != nil {
				return err
			}
			if _, err := l.missingLists(cmd.Context()); err != nil {
				return err
			}
			if a.json {
				return a.printJSON(map[string]string{"catalog": l.Warehouse.Catalog()})
			}
			_, err = fmt.Fprintln(a.stderr, "wrote", l.Warehouse.Catalog())
			return err
		},
	}
}
