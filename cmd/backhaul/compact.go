package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"backhaul/pipeline/words"
	"backhaul/schemas"
	"backhaul/sinks/lake"
	"backhaul/sinks/parquet"
)

func (a *app) compactCommand() *cobra.Command {
	var month string
	cmd := &cobra.Command{
		Use:   "compact",
		Short: "Merge each table's files of a month into one",
		Long: `Merges the files that a table has of a month into one, sorted by target, scope and the row's own key: a
target's history then lies in one place, and what stays from night to night takes next to no room. What
was merged is read back and compared, run by run, before it takes the place of the files in one step;
readers notice nothing. Every run does so by itself for the months just past (see run --no-compact).
A run that is loaded again, or forgotten, writes the merged file anew. It takes at most 1 GiB of memory,
and room for two copies of the month in staging. Default: every month that is past.`,
		Args: exactly(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := a.existingLake(cmd.Context())
			if err != nil {
				return err
			}
			defer l.close()
			wanted := func(_, last time.Time) bool { return last.Before(firstOfMonth(a.now())) }
			if month != "" {
				one, err := time.Parse("2006-01", month)
				if err != nil {
					return usage("--month wants a month like 2026-10, got %q", month)
				}
				wanted = func(_, last time.Time) bool { return one.Equal(last) }
			}
			done, err := l.compactMonths(cmd.Context(), wanted)
			return errors.Join(err, a.printCompacted(done))
		},
	}
	cmd.Flags().StringVar(&month, "month", "", "the month to merge, YYYY-MM (default every month that is past)")
	return cmd
}

func (a *app) printCompacted(done []lake.Compacted) error {
	if a.json {
		return a.printJSON(append([]lake.Compacted{}, done...))
	}
	for _, c := range done {
		if _, err := fmt.Fprintf(a.stdout, "%-28s %s  %s of %s became %s of %s\n", c.Table, c.Month, words.Plural(c.Files, "file"), words.Bytes(c.Bytes),
			words.Plural(c.Parts, "file"), words.Bytes(c.MergedBytes)); err != nil {
			return err
		}
	}
	if len(done) == 0 {
		fmt.Fprintln(a.stderr, "nothing to merge")
	}
	return nil
}

// recentMonths is how many months before this one, and before its own, a run looks at: older ones have been merged by earlier
// runs, and `compact` merges any.
const recentMonths = 3

// compactPast merges the months just past, but for the one that a run was of: the next night of a backfill would rewrite it.
func (a *app) compactPast(ctx context.Context, l *localLake, runDate time.Time) {
	this, own := firstOfMonth(a.now()), firstOfMonth(runDate)
	justBefore := func(m, other time.Time) bool { return m.Before(other) && !m.Before(other.AddDate(0, -recentMonths, 0)) }
	_, err := l.compactMonths(ctx, func(first, last time.Time) bool {
		return last.Before(this) && (own.Before(first) || own.After(last)) && (justBefore(last, this) || justBefore(last, own))
	})
	if err != nil && ctx.Err() == nil && !errors.Is(err, lake.ErrChanged) {
		fmt.Fprintf(a.stderr, "note: a month that is past could not be merged: %v; `backhaul compact` tries again\n", err)
	}
}

func firstOfMonth(t time.Time) time.Time {
	return time.Date(t.UTC().Year(), t.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
}

// compactMonths merges what every table has of a month, or of a year, the first and last months of which are wanted. A table that fails
// does not keep the others.
func (l *localLake) compactMonths(ctx context.Context, wanted func(first, last time.Time) bool) (done []lake.Compacted, err error) {
	for _, t := range schemas.All() {
		months, merr := l.Months(t)
		if merr != nil {
			err = errors.Join(err, merr)
		}
		for _, m := range months {
			last := m
			if t.Yearly {
				last = m.AddDate(0, 11, 0)
			}
			if !wanted(m, last) {
				continue
			}
			c, cerr := l.Compact(ctx, t, m)
			if ctx.Err() != nil {
				return done, ctx.Err()
			}
			if err = errors.Join(err, cerr); c != nil && cerr == nil {
				done = append(done, *c)
			}
		}
	}
	return done, err
}

// create begins a staged file with options.
func (l *localLake) create(t *schemas.Table, o parquet.Options) (*parquet.Writer, error) {
	o.Version = version
	return parquet.Create(l.Disk, l.staging.Path(fmt.Sprintf("%s.%d.parquet", t.FullName(), l.created.Add(1))), t, o)
}

// scratch makes a directory in staging.
func (l *localLake) scratch() (dir string, remove func() error, err error) {
	dir = l.staging.Path(fmt.Sprintf("scratch.%d", l.created.Add(1)))
	return dir, func() error { return os.RemoveAll(dir) }, l.Disk.MkdirAll(dir)
}
