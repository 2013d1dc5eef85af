package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"backhaul/jobs/doctor"
	"backhaul/jobs/recovery"
	"backhaul/pipeline/words"
	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/lake"
)

// gcFlags are the flags of `gc`.
type gcFlags struct {
	olderThan string
	rows      []string
	rejected  string
	reports   string
	history   string
	dry       bool
}

func (a *app) gcCommand() *cobra.Command {
	var f gcFlags
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Apply retention: remove journals that are no longer needed, and leftovers",
		Long: `Removes the leftovers of dead processes; with --rows-older-than the months of tables that ended longer ago,
merged or not: their runs, replies and accounts stay, and nothing is bought again; and with --journals-older-than the journals of complete runs
that bought their last reply longer ago than that. A journal is removed only after its run's tables have
been read and found equal to it; the ledger keeps that it was retired, when, and what the tables hold.
Such a run stays complete: the same job and date again does nothing and costs nothing. It can no longer
be replayed. With --reports-older-than the reports of runs for earlier dates go, which ` + "`backhaul report`" + ` writes
again. Without a flag everything is kept.

Of a warehouse in an object store, snapshots of the tables that are older than --snapshots-older-than expire, and objects
that no snapshot names are removed once they are a day old.`,
		Args: exactly(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var age time.Duration
			if cmd.Flags().Changed("journals-older-than") {
				var err error
				if age, err = parseAge(f.olderThan); err != nil {
					return err
				}
			}
			months, err := retention(f, a.now())
			if err != nil {
				return err
			}
			var reports time.Duration
			if f.reports != "" {
				if reports, err = parseAge(f.reports); err != nil {
					return err
				}
			}
			history, err := parseAge(f.history)
			if err != nil {
				return err
			}
			return a.gc(cmd.Context(), age, reports, history, months, f.dry)
		},
	}
	cmd.Flags().StringVar(&f.olderThan, "journals-older-than", "", "remove journals of complete, verified runs older than this: 180d, 26w (default: keep all)")
	cmd.Flags().StringArrayVar(&f.rows, "rows-older-than", nil, "remove months of a table that ended longer ago, as TABLE=AGE (moz.links=400d), or of every vendor's table, as AGE; may be repeated")
	cmd.Flags().StringVar(&f.rejected, "rejected-older-than", "", "the same of ops.rejected_rows, as AGE")
	cmd.Flags().StringVar(&f.reports, "reports-older-than", "", "remove the reports of runs whose date is longer ago, as AGE")
	cmd.Flags().StringVar(&f.history, "snapshots-older-than", "7d", "in an object store, how long the earlier states of tables can be read, as AGE")
	cmd.Flags().BoolVar(&f.dry, "dry-run", false, "say what would be removed, and remove nothing")
	return cmd
}

// gcResult is what `gc` did.
type gcResult struct {
	DryRun   bool               `json:"dry_run"`
	Months   []recovery.Expired `json:"months"`
	Staging  []string           `json:"staging"`
	Journals []doctor.Retired   `json:"journals"`
	Reports  []string           `json:"reports"`
	Store    []lake.Collected   `json:"store,omitempty"`
}

func (a *app) gc(ctx context.Context, age, reports, history time.Duration, months map[*schemas.Table]time.Time, dry bool) error {
	w, err := a.warehouse(ctx)
	if err != nil {
		return err
	}
	if _, err := os.Stat(w.Root); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is not a warehouse: it does not exist; --warehouse names another", w.Root)
	}
	files := examined{&localLake{Lake: a.lakeIn(w)}}
	result := gcResult{DryRun: dry, Staging: []string{}, Journals: []doctor.Retired{}, Months: []recovery.Expired{}, Reports: []string{}}
	sweep := a.disk.Sweep
	if dry {
		sweep = a.disk.Dead
	}
	swept, err := sweep(w.Staging())
	if err != nil {
		return err
	}
	result.Staging = append(result.Staging, swept...)
	if reports > 0 {
		if result.Reports, err = a.expireReports(w, a.now().Add(-reports), dry); err != nil {
			return errors.Join(err, a.printGC(result))
		}
	}
	if result.Months, err = a.expire(ctx, w, months, dry); err != nil {
		return errors.Join(err, a.printGC(result))
	}
	if result.Store, err = a.collect(ctx, history, dry); err != nil {
		return errors.Join(err, a.printGC(result))
	}
	if age > 0 {
		retired, err := doctor.Retire(ctx, doctor.Options{Warehouse: w, Books: a.books(w), Lake: files, Sources: decoders(a.vendors).source}, a.now().Add(-age), dry)
		result.Journals = append(result.Journals, retired...)
		if err != nil {
			return errors.Join(err, a.printGC(result))
		}
	}
	return a.printGC(result)
}

func (a *app) printGC(r gcResult) error {
	if a.json {
		return a.printJSON(r)
	}
	verb := "removed"
	if r.DryRun {
		verb = "would remove"
	}
	var removed, bytes int64
	for _, j := range r.Journals {
		if j.Kept != "" {
			fmt.Fprintf(a.stdout, "kept %s: %s\n", j.Path, j.Kept)
			continue
		}
		fmt.Fprintf(a.stdout, "%s %s (%s)\n", verb, j.Path, words.Bytes(j.Bytes))
		removed, bytes = removed+1, bytes+j.Bytes
	}
	var months, rows int64
	for _, m := range r.Months {
		if m.Kept != "" {
			fmt.Fprintf(a.stdout, "kept %s of %s: %s\n", m.Month, m.Table, m.Kept)
			continue
		}
		fmt.Fprintf(a.stdout, "%s %s of %s (%s)\n", verb, m.Month, m.Table, words.Bytes(m.Bytes))
		months, rows = months+1, rows+m.Bytes
	}
	for _, c := range r.Store {
		fmt.Fprintf(a.stdout, "%s %s and %s (%s) of %s\n", verb, words.Plural(int64(c.Snapshots), "snapshot"), words.Plural(int64(c.Objects), "object"), words.Bytes(c.Bytes), c.Table)
	}
	_, err := fmt.Fprintf(a.stdout, "%s %s of tables (%s), %s (%s), %s and %s of dead processes\n", verb, words.Plural(months, "month"), words.Bytes(rows),
		words.Plural(removed, "journal"), words.Bytes(bytes), words.Plural(len(r.Reports), "report"), words.Plural(len(r.Staging), "leftover"))
	return err
}

// retention returns before when the months of tables must have ended to be removed.
func retention(f gcFlags, now time.Time) (map[*schemas.Table]time.Time, error) {
	before := map[*schemas.Table]time.Time{}
	if f.rejected != "" {
		f.rows = append(f.rows, "ops.rejected_rows="+f.rejected)
	}
	slices.SortStableFunc(f.rows, func(a, b string) int { return strings.Count(a, "=") - strings.Count(b, "=") }) // a table's own age counts
	for _, text := range f.rows {
		name, age, ok := strings.Cut(text, "=")
		if !ok {
			name, age = "", text
		}
		d, err := parseAge(age)
		if err != nil {
			return nil, err
		}
		t := schemas.Lookup(name)
		if t == nil && ok {
			return nil, usage("--rows-older-than: no table %q; see `backhaul tables`", name)
		}
		for _, other := range schemas.All() {
			if t == other || t == nil && other.Vendor() {
				before[other] = now.Add(-d)
			}
		}
	}
	return before, nil
}

// expiring is a lake that loses months.
type expiring struct{ *localLake }

// Expire implements recovery.Months. A night of which the rows go cannot be compared any more, from before they do.
func (l expiring) Expire(ctx context.Context, t *schemas.Table, month time.Time, dry bool) (bytes int64, err error) {
	if dry || !t.Vendor() {
		return l.Lake.Expire(ctx, t, month, dry)
	}
	release, err := l.aloneWithLists(ctx, month)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, release()) }()
	if err := l.lists(ctx, "", wholeMonth(month), t); err != nil {
		return 0, err
	}
	return l.Lake.Expire(ctx, t, month, dry)
}

// expire removes the months of tables that ended before a time.
func (a *app) expire(ctx context.Context, w sinks.Warehouse, before map[*schemas.Table]time.Time, dry bool) (all []recovery.Expired, err error) {
	all = []recovery.Expired{}
	if len(before) == 0 {
		return all, nil
	}
	l := &localLake{Lake: a.lakeIn(w)}
	if !dry {
		if l, err = a.openLake(w); err != nil {
			return all, err
		}
		defer l.close()
	}
	accounts, err := a.openLedger(ctx)
	if err != nil {
		return all, err
	}
	defer accounts.Close()
	months := expiring{l}
	for _, t := range schemas.All() {
		if before[t].IsZero() {
			continue
		}
		some, err := recovery.Expire(ctx, a.books(l.Warehouse), accounts, months, t, before[t], a.now(), dry)
		if all = append(all, some...); err != nil {
			return all, err
		}
	}
	return all, nil
}

// expireReports removes the reports of runs whose date is before a time, and returns their files. What else lies there is the
// user's own.
func (a *app) expireReports(w sinks.Warehouse, before time.Time, dry bool) ([]string, error) {
	removed := []string{}
	files, err := os.ReadDir(w.Reports())
	if errors.Is(err, fs.ErrNotExist) {
		return removed, nil
	}
	for _, f := range files {
		if date, ok := sinks.ReportDate(f.Name()); !ok || !date.Before(before) {
			continue
		}
		path := filepath.Join(w.Reports(), f.Name())
		if !dry {
			if err := a.disk.Remove(path); err != nil {
				return removed, err
			}
		}
		removed = append(removed, path)
	}
	return removed, err
}

// parseAge reads a number of days or weeks.
func parseAge(text string) (time.Duration, error) {
	units := map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
	for suffix, unit := range units {
		number, ok := strings.CutSuffix(text, suffix)
		if n, err := strconv.ParseUint(number, 10, 31); ok && err == nil && n > 0 && n <= 36500 {
			return time.Duration(n) * unit, nil
		}
	}
	return 0, usage("an age is days or weeks, 1d at least, like 180d or 26w, got %q", text)
}

// collect expires the snapshots of tables in an object store and removes its leftovers. It returns of which tables there were any.
func (a *app) collect(ctx context.Context, keep time.Duration, dry bool) (all []lake.Collected, err error) {
	if a.store == nil {
		return nil, nil
	}
	for _, t := range schemas.All() {
		c, err := a.store.Collect(ctx, t, keep, dry)
		if err != nil {
			return all, err
		}
		if c.Snapshots+c.Objects > 0 {
			all = append(all, c)
		}
	}
	return all, nil
}
