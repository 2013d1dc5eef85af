package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"backhaul/jobs/ledger"
	"backhaul/jobs/report"
	"backhaul/jobs/run"
	"backhaul/pipeline/words"
)

func (a *app) replayCommand() *cobra.Command {
	var job, date string
	cmd := &cobra.Command{
		Use:   "replay [RUN | --job J --date D]",
		Short: "Rebuild the lake from the journal: no request, no unit",
		Long: `Loads the replies in a run's journal anew and publishes them: no request, no unit. Replies that could not
be read when they came (see status --replies) are tried again: those that this version of the program can
read become pages, and the job's next run goes on behind them.`,
		Args: atMost(1, "at most one run"),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := job + "/" + date
			switch {
			case len(args) == 1 && job+date == "":
				name = args[0]
			case len(args) == 1 || job == "" || date == "":
				return usage("want a run's id, or --job and --date; see `backhaul status` for the runs there are")
			}
			return a.withRun(cmd.Context(), name, func(l *ledger.Ledger, r ledger.Run, lake *localLake) error {
				lake.Replays = true
				return a.replay(cmd.Context(), l, r, lake)
			})
		},
	}
	cmd.Flags().StringVar(&job, "job", "", "the job's name")
	cmd.Flags().StringVar(&date, "date", "", "the run date, YYYY-MM-DD")
	return cmd
}

func (a *app) replay(ctx context.Context, l *ledger.Ledger, r ledger.Run, lake *localLake) error {
	result, err := run.Replay(ctx, l, r, decoders(a.vendors).source, run.Options{Warehouse: lake.Warehouse, Books: a.books(lake.Warehouse), Lake: lake, Now: a.now})
	if err != nil {
		return err
	}
	if n := result.Redeemed; n > 0 {
		fmt.Fprintf(a.stderr, "%d of the replies that could not be read when they came can be read now; run the job again with --date %s for what is behind them\n",
			n, r.RunDate)
	}
	if a.json {
		return a.printJSON(result.Files)
	}
	for _, f := range result.Files {
		if _, err := fmt.Fprintf(a.stdout, "%-28s %12s rows %10s  %s\n", f.Table, words.Count(f.Rows), words.Bytes(f.Bytes), f.Path); err != nil {
			return err
		}
	}
	if result.Rejected() > 0 {
		return &exitError{status: exitTasksFailed, err: errors.New(report.RejectedText(result.Run.ID, result.Rejections))}
	}
	return nil
}
