package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"backhaul/jobs/books"
	"backhaul/pipeline/grid"
	"backhaul/pipeline/words"
	"backhaul/sinks"
)

// app is what every command shares: its environment, and the flags that all of them take.
type app struct {
	environment
	warehouseDir string
	json         bool
	allowed      []string        // folders that specs may read beside their own
	set          []string        // parameters of jobs, NAME=VALUE
	warned       map[string]bool // the surfaces whose credentials have been looked at, as vendor/surface
	configFile   string
	shared       *books.Database // nil: the books are files of the warehouse
	known        accounts        // those whose credentials were read
	store        store           // nil: the warehouse is a directory
	copied       sinks.Warehouse // this host's copy of what is in the store
}

// newRoot returns the program, to be executed once, in an environment.
func newRoot(e environment) *cobra.Command {
	e.stderr = inTurn(e.stderr)
	a := &app{environment: e, known: accounts{}}
	a.seen = a.known.add
	root := &cobra.Command{
		Use:   "backhaul",
		Short: "Buy link data by the row: nothing twice, no budget overrun, nothing lost",
		Long: `Backhaul buys backlink data from metered APIs (Moz, Ahrefs) by a job spec and loads it into
Parquet files and a DuckDB catalog. No reply is bought twice, a budget is never overrun,
and what was bought is never lost, whatever crashes.

Exit status: 0 complete, 1 failed, 2 usage or invalid spec, 3 finished but some tasks failed,
4 stopped by a budget or the vendor's quota (run it again to go on), 5 journal or warehouse
damaged, 75 try again later: another process is at work on the run, or the vendor did not
answer for the job's retry_for, or the database or the object store did not; 130 interrupted
(run it again to go on).`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("unknown command %q%s; see `backhaul help`", args[0], suggestion(cmd, args[0]))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SuggestionsMinimumDistance = 2
	root.SetArgs(e.args)
	root.SetIn(e.stdin)
	root.SetOut(grid.Fold(e.stdout))
	root.SetErr(e.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("%v; see `%s --help`", err, cmd.CommandPath())
	})
	flags := root.PersistentFlags()
	flags.StringVar(&a.warehouseDir, "warehouse", "", "directory of the warehouse, or its address in an object store, see 'backhaul help lake' (default $BACKHAUL_WAREHOUSE, else ./warehouse)")
	flags.BoolVar(&a.json, "json", false, "print the answer as JSON")
	new(profiles).add(root)
	a.configFlag(root)
	root.AddCommand(
		a.initCommand(), a.validateCommand(), a.planCommand(), a.runCommand(), a.notifyCommand(), a.statusCommand(), a.reportCommand(), a.replayCommand(), a.importCommand(),
		a.queryCommand(), a.exportCommand(), a.connectCommand(), a.tablesCommand(), a.endpointsCommand(), a.schemaCommand(), a.emulateCommand(), a.demoCommand(), a.catalogCommand(), a.doctorCommand(), a.reconcileCommand(), a.forgetCommand(), a.compactCommand(), a.gcCommand(), a.migrateCommand(), a.mcpCommand(), a.workerCommand(), a.scheduleCommand(), a.versionCommand(),
		a.manCommand(),
	)
	root.AddCommand(a.topics()...)
	root.SetHelpCommand(a.helpCommand())
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	root.DisableAutoGenTag = true // a manual page does not change with the day
	root.Version = version
	root.SetVersionTemplate(versionText())
	addExamples(root)
	for _, cmd := range append(root.Commands(), root) {
		cmd.Long = grid.Reflow(cmd.Long, grid.Width(e.stdout))
	}
	return root
}

func suggestion(cmd *cobra.Command, word string) string {
	if s := cmd.SuggestionsFor(word); len(s) > 0 {
		return fmt.Sprintf(", did you mean %q?", s[0])
	}
	return ""
}

// exactly returns an argument check that says what is wanted.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usage("want %s, got %s; see `%s --help`", what, words.Plural(len(args), "argument"), cmd.CommandPath())
		}
		return nil
	}
}

// atMost returns an argument check that says what is wanted.
func atMost(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return usage("want %s, got %s; see `%s --help`", what, words.Plural(len(args), "argument"), cmd.CommandPath())
		}
		return nil
	}
}

// warehouse returns the warehouse that flags and environment name, with an absolute path: this host's copy of one that is in an object
// store.
func (a *app) warehouse(ctx context.Context) (sinks.Warehouse, error) {
	dir := a.warehouseDir
	if dir == "" {
		var err error
		if dir, err = a.env("BACKHAUL_WAREHOUSE"); err != nil {
			return sinks.Warehouse{}, err
		}
	}
	if dir == "" {
		dir = "warehouse"
	}
	if err := a.share(); err != nil {
		return sinks.Warehouse{}, err
	}
	if isStore(dir) {
		return a.copyOf(ctx, dir)
	}
	root, err := filepath.Abs(dir)
	return sinks.Warehouse{Root: root}, err
}

// runDate reads --date.
func runDate(text string, now time.Time) (time.Time, error) {
	if text == "" {
		now = now.UTC()
		return time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC), nil
	}
	date, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return date, usage("--date wants YYYY-MM-DD, got %q", text)
	}
	return date, nil
}

// oddDate warns of a run date that is more likely a slip than a night: what a run buys is of today, whatever it is filed
// under. A run is gone on with under its own date, days later.
func oddDate(date, now time.Time) string {
	const day = 24 * time.Hour
	if ahead := date.Sub(now); ahead > day || ahead < -366*day {
		return fmt.Sprintf("warning: --date %s is not near today, %s: what is bought is of today", date.Format(time.DateOnly), now.UTC().Format(time.DateOnly))
	}
	return ""
}

// warnOfDate prints what is odd about a run date.
func (a *app) warnOfDate(date time.Time) {
	if text := oddDate(date, a.now()); text != "" {
		fmt.Fprintln(a.stderr, text)
	}
}
