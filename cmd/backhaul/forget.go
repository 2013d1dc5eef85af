package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
	"backhaul/pipeline/words"
	"backhaul/schemas"
)

func (a *app) forgetCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "forget RUN",
		Short: "Take the rows of a run or an import out of the tables; what it cost stays in the account",
		Long: `Takes the rows of a run, or of an import, out of every table, also of merged months: each table in one
step. Its replies stay in the journal and its units in the account (ops.runs, ops.spend), so that nothing is
bought again: ` + "`backhaul replay RUN`" + ` brings the rows back. The same job and date again does nothing.`,
		Example: `  backhaul forget nightly/2026-11-23`,
		Args:    exactly(1, "one run: an id, or job/date; see `backhaul status`"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withRun(cmd.Context(), args[0], func(l *ledger.Ledger, r ledger.Run, lake *localLake) error {
				return a.forget(cmd.Context(), l, r, lake)
			})
		},
	}
}

// forget takes a run out of a table. Once ops.tasks has nothing of it, it is not a night that can be compared.
func (l *localLake) forget(ctx context.Context, t *schemas.Table, job string, date time.Time) (removed bool, err error) {
	removed, err = l.Remove(ctx, t, job, date)
	if err == nil && t.FullName() == "ops.tasks" {
		err = l.WholeLists(ctx, job, date)
	}
	return removed, err
}

func (a *app) forget(ctx context.Context, l *ledger.Ledger, r ledger.Run, lake *localLake) error {
	tables, err := recovery.Forget(ctx, a.books(lake.Warehouse), l, r, a.now(), lake.forget)
	if err != nil {
		return err
	}
	if date, err := time.Parse(time.DateOnly, r.RunDate); err == nil && len(tables) > 0 {
		if err := lake.Changes(ctx, r.Job, date); err != nil {
			return fmt.Errorf("the run is out of the tables, but what its neighbours' nights changed could not be worked out: %w; `backhaul replay` of the night after it does it again", err)
		}
	}
	if a.json {
		return a.printJSON(map[string]any{"run_id": r.ID, "tables": append([]string{}, tables...)})
	}
	_, err = fmt.Fprintf(a.stdout, "took run %s (%s/%s) out of %s; its replies and what they cost are kept: `backhaul replay %[1]s` brings it back\n",
		r.ID, r.Job, r.RunDate, words.Plural(len(tables), "table"))
	return err
}
