package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
	"backhaul/jobs/report"
	"backhaul/pipeline/grid"
	"backhaul/pipeline/words"
	"backhaul/sinks"
)

func (a *app) statusCommand() *cobra.Command {
	var f replyFlags
	cmd := &cobra.Command{
		Use:   "status [RUN or JOB]",
		Short: "Show runs, tasks, failures, units spent and reserved, and what is missing",
		Long: `Without an argument: every run of the warehouse, the latest first. With a run's id, JOB/DATE, or a
job's name or file, which is its latest run:
its tasks, how each list ended, and what it cost; of a run at work, how far each list and each extract
has come. A run whose process died is "interrupted": its job again,
with the same --date, goes on. Rows that do not fit their table are shown until a replay has loaded them.

With --replies: the replies that were paid for, perhaps, and could not be read; --reply N writes what one
of them says, as it came.`,
		Args: atMost(1, "at most one run or job"),
		RunE: func(cmd *cobra.Command, args []string) error {
			a.warnOfMove(cmd.Context())
			l, err := a.openLedger(cmd.Context())
			if err != nil {
				return err
			}
			defer l.Close()
			w, err := a.warehouse(cmd.Context())
			if err != nil {
				return err
			}
			if f.list || f.no > 0 {
				return a.replies(cmd.Context(), l, w, args, f)
			}
			if len(args) == 0 {
				return a.statusOfAll(cmd.Context(), l, w)
			}
			r, err := a.runOrLatest(cmd.Context(), l, args[0])
			if err != nil {
				return err
			}
			return a.statusOf(cmd.Context(), l, w, r)
		},
	}
	cmd.Flags().BoolVar(&f.list, "replies", false, "list the replies that could not be read")
	cmd.Flags().Int64Var(&f.no, "reply", 0, "write what reply N of a run says, as it came")
	cmd.Flags().StringVarP(&f.output, "output", "o", "", "the file to write it to (default standard output)")
	return cmd
}

// openLedger opens the ledger of a warehouse that exists: looking must not make one.
func (a *app) openLedger(ctx context.Context) (*ledger.Ledger, error) {
	w, err := a.warehouse(ctx)
	if err != nil {
		return nil, err
	}
	gone, err := a.books(w).LedgerGone(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(w.Journal()); errors.Is(err, fs.ErrNotExist) && gone {
		return nil, fmt.Errorf("%s is not a warehouse: it has no ledger; `backhaul run` makes one, --warehouse names another", w.Root)
	}
	return recovery.OpenLedger(ctx, a.books(w))
}

// findRun looks a run up by its id, or by JOB/DATE.
func findRun(ctx context.Context, l *ledger.Ledger, name string) (ledger.Run, error) {
	var r ledger.Run
	var err error
	if job, date, ok := strings.Cut(name, "/"); ok {
		r, err = l.Find(ctx, job, date)
	} else {
		r, err = l.Get(ctx, name)
	}
	if err != nil {
		return r, fmt.Errorf("run %s: %w", name, err)
	}
	return r, nil
}

// runOrLatest looks a run up as findRun does, or the latest of a job, by its name or file.
func (a *app) runOrLatest(ctx context.Context, l *ledger.Ledger, name string) (ledger.Run, error) {
	r, err := findRun(ctx, l, name)
	if !errors.Is(err, ledger.ErrNoRun) {
		return r, err
	}
	job := name
	if ext := filepath.Ext(name); ext == ".yaml" || ext == ".yml" {
		spec, loadErr := a.loadJob(ctx, name)
		if loadErr != nil {
			return r, loadErr
		}
		job = spec.Job
	}
	runs, runsErr := l.Runs(ctx)
	if runsErr != nil {
		return r, runsErr
	}
	if i := slices.IndexFunc(runs, func(r ledger.Run) bool { return r.Job == job }); i >= 0 {
		return runs[i], nil
	}
	return r, err
}

func (a *app) statusOfAll(ctx context.Context, l *ledger.Ledger, w sinks.Warehouse) error {
	in := a.books(w)
	statuses, err := report.Statuses(ctx, l, func(r ledger.Run) report.Recall { return recallIn(ctx, in, r) })
	if err != nil {
		return err
	}
	a.addKnown(ctx, statuses, w)
	if a.json {
		return a.printJSON(statuses)
	}
	if len(statuses) == 0 {
		_, err := fmt.Fprintln(a.stdout, "no run yet")
		return err
	}
	rows := grid.New("run", "job", "date", "state", "started", "tasks", "incomplete", "rows", "rejected", "spent", "held", "reserved")
	for _, s := range statuses {
		rows.Add(s.RunID, s.Job, s.RunDate, s.State, s.Started.Format(time.DateTime), s.TaskCount, s.IncompleteCount,
			words.Count(s.Rows), words.Count(s.Rejected), words.Count(s.Spent), words.Count(s.Held), words.Count(s.Reserved))
	}
	rows.Spare("run", "started", "reserved", "held", "rejected") // a run is found by its job and date as well
	if _, err = fmt.Fprintln(a.stdout, rows.For(a.stdout)); err == nil {
		err = printUndelivered(grid.Fold(a.stdout), statuses)
	}
	return err
}

func (a *app) statusOf(ctx context.Context, l *ledger.Ledger, w sinks.Warehouse, r ledger.Run) error {
	s, err := a.statusIn(ctx, l, w, r)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(s)
	}
	rows := grid.New("extract", "target", "scope", "ending", "replies", "rows", "rejected", "units", "waste", "tried again", "error")
	for _, t := range s.Tasks {
		rows.Add(t.Extract, t.Target, t.Scope, t.Ending, t.Pages, words.Count(t.Rows), words.Count(t.Rejected), words.Count(t.Units),
			t.Waste, t.Retries, firstLine(t.Error))
	}
	rows.Spare("scope", "replies", "waste", "tried again", "rejected")
	if _, err = fmt.Fprintln(a.stdout, rows.For(a.stdout)); err == nil && s.IsRunning() {
		_, err = fmt.Fprintln(a.stdout, a.extractTable(s.Extracts))
	}
	if err != nil {
		return err
	}
	out := grid.Fold(a.stdout)
	if _, err = fmt.Fprintln(out, s.Text()); err == nil {
		err = printUndelivered(out, []report.Status{s})
	}
	return err
}

// extractTable shows how the extracts of a run go.
func (a *app) extractTable(all []report.ExtractStatus) string {
	rows := grid.New("extract", "endpoint", "lists", "complete", "under way", "rows", "requests", "units", "tried again")
	for _, x := range all {
		rows.Add(x.Extract, x.Endpoint, words.Count(x.Lists), words.Count(x.Complete), x.UnderWay, words.Count(x.Rows), words.Count(x.Requests), words.Count(x.Units), x.Retries)
	}
	return rows.For(a.stdout)
}

// statusIn reads the status of a run of a warehouse.
func (a *app) statusIn(ctx context.Context, l *ledger.Ledger, w sinks.Warehouse, r ledger.Run) (report.Status, error) {
	s, err := report.StatusOf(ctx, l, r, recallIn(ctx, a.books(w), r))
	one := []report.Status{s}
	a.addKnown(ctx, one, w)
	return one[0], err
}

// addKnown adds to statuses what the ledger does not know.
func (a *app) addKnown(ctx context.Context, statuses []report.Status, w sinks.Warehouse) {
	in := a.books(w)
	for i := range statuses {
		nameProcess(ctx, &statuses[i], in)
	}
	nameUndelivered(statuses, w)
}

// nameProcess says who is at work on a run that is running.
func nameProcess(ctx context.Context, s *report.Status, b books.Books) {
	if !s.IsRunning() {
		return
	}
	if h := b.Of(s.Job, s.RunDate).Holder(ctx); h.PID != 0 {
		s.Process = &report.Process{PID: h.PID, Host: h.Host, Since: h.Since, Silent: h.Silent.Seconds()}
	}
}

func recallIn(ctx context.Context, b books.Books, r ledger.Run) report.Recall {
	return func(tasks []ledger.Task) ([]ledger.Task, bool, error) { return recovery.Recall(ctx, b, r, tasks) }
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
