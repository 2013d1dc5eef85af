package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
	"backhaul/jobs/report/document"
	"backhaul/sinks"
	"backhaul/sinks/blob"
	"backhaul/sinks/duckdb"
)

// reportFlags are the flags of `report`.
type reportFlags struct {
	output  string
	rows    int
	mime    bool
	compare bool
}

func (a *app) reportCommand() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use:   "report [RUN], or --compare RUN RUN",
		Short: "Write one HTML file about a run and what changed",
		Long: `Writes what a run did and what it found as one HTML file, to be opened from disk, sent or printed: what
ran, what it cost and out of which budget, what is incomplete and why, and for each target what was won
and lost. RUN is a run's id or JOB/DATE; without it the latest run is meant. The file asks no network
for anything. It lies in the warehouse's folder reports, where a run puts it by itself if its job says
` + "`report: true`" + `, unless -o names another file; -o - is standard output.

With --mime it is a mail message, with the report in words and the file attached; it has no From and To.
With --compare it is about what is different between two runs, of one job or of two.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.compare {
				return exactly(2, "two runs to compare")(cmd, args)
			}
			return atMost(1, "at most one run, or --compare")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.rows < 1 {
				return usage("--rows wants at least 1, got %d", f.rows)
			}
			return a.report(cmd.Context(), args, f)
		},
	}
	cmd.Flags().StringVarP(&f.output, "output", "o", "", "the file to write it to (default reports/JOB.DATE.html in the warehouse, with --mime standard output)")
	cmd.Flags().IntVar(&f.rows, "rows", document.DefaultRows, "how many rows a table has at most")
	cmd.Flags().BoolVar(&f.mime, "mime", false, "write it as a mail message")
	cmd.Flags().BoolVar(&f.compare, "compare", false, "say what is different between two runs")
	return cmd
}

// report writes the report of a run, the latest if none is named.
func (a *app) report(ctx context.Context, args []string, f reportFlags) error {
	a.warnOfMove(ctx)
	l, err := a.openLedger(ctx)
	if err != nil {
		return err
	}
	defer l.Close()
	w, err := a.warehouse(ctx)
	if err != nil {
		return err
	}
	runs, err := wantedRuns(ctx, l, args)
	if err != nil {
		return err
	}
	r, err := a.buildReport(ctx, l, w, runs, f.rows)
	if err != nil {
		return err
	}
	return a.writeReport(w, runs, r, f)
}

// wantedRuns are the runs that are named, else the latest; none where there is none at all.
func wantedRuns(ctx context.Context, l *ledger.Ledger, names []string) (runs []ledger.Run, err error) {
	if len(names) == 0 {
		runs, err = l.Runs(ctx)
		return runs[:min(1, len(runs))], err
	}
	for _, name := range names {
		run, err := findRun(ctx, l, name)
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
	}
	return runs, nil
}

// buildReport gathers what there is to say of a run, or of the difference between two.
func (a *app) buildReport(ctx context.Context, l *ledger.Ledger, w sinks.Warehouse, runs []ledger.Run, rows int) (*document.Report, error) {
	var subjects []document.Subject
	for _, run := range runs {
		status, err := a.statusIn(ctx, l, w, run)
		if err != nil {
			return nil, err
		}
		subject, err := document.Gather(ctx, l, status, a.now())
		if err != nil {
			return nil, err
		}
		subject.Rows = rows
		subjects = append(subjects, subject)
	}
	switch len(subjects) {
	case 0:
		return document.Nothing(a.now()), nil
	case 1:
		return document.Build(ctx, askerOf(w), subjects[0])
	}
	return document.Compare(ctx, askerOf(w), subjects[0], subjects[1])
}

// askerOf puts the questions of reports to a warehouse. One in which nothing was published yet has no rows.
func askerOf(w sinks.Warehouse) document.Ask {
	return func(ctx context.Context, sql string) ([][]any, error) {
		_, rows, err := duckdb.Select(ctx, w, sql)
		if errors.Is(err, duckdb.ErrNoLake) {
			return nil, nil
		}
		for _, row := range rows {
			for i, v := range row {
				row[i] = plainValue(v)
			}
		}
		return rows, err
	}
}

// plainValue makes a number of any size one of 64 bits.
func plainValue(v any) any {
	switch v := v.(type) {
	case int32:
		return int64(v)
	case *big.Int:
		return v.Int64()
	}
	return v
}

// reportAfter writes the report of a run that has just ended, and returns where it is. A run does not fail for it.
func (a *app) reportAfter(ctx context.Context, w sinks.Warehouse, run ledger.Run, rows int) string {
	path, err := func() (string, error) {
		l, err := recovery.OpenLedger(ctx, a.books(w))
		if err != nil {
			return "", err
		}
		defer l.Close()
		runs := []ledger.Run{run}
		r, err := a.buildReport(ctx, l, w, runs, rows)
		if err != nil {
			return "", err
		}
		return a.keepReport(w, runs, r)
	}()
	if err != nil {
		path = ""
		fmt.Fprintf(a.stderr, "warning: no report of the run was written: %v; `backhaul report %s` tries again\n", err, run.ID)
	}
	return path
}

// keepReport writes the report of a run into the warehouse, in place of an earlier one.
func (a *app) keepReport(w sinks.Warehouse, runs []ledger.Run, r *document.Report) (path string, err error) {
	if err := a.disk.MkdirAll(w.Reports()); err != nil {
		return "", err
	}
	path = filepath.Join(w.Reports(), reportName(runs))
	return path, writeWhole(a.disk, path, func(f *blob.File) error { return r.HTML(f) })
}

// reportName is what the file about some runs is called.
func reportName(runs []ledger.Run) string {
	var parts []string
	for _, r := range runs {
		parts = append(parts, r.Job, r.RunDate)
	}
	if parts == nil {
		parts = []string{"report"}
	}
	return strings.Join(parts, ".") + ".html"
}

// writeReport writes a report to where it is wanted, and says where that is.
func (a *app) writeReport(w sinks.Warehouse, runs []ledger.Run, r *document.Report, f reportFlags) error {
	write := r.HTML
	if f.mime {
		write = func(to io.Writer) error { return r.Mail(to, "backhaul: "+r.Title, reportName(runs), a.now()) }
	}
	path := f.output
	var err error
	switch {
	case path == "-" || path == "" && f.mime:
		return write(a.stdout)
	case path == "":
		path, err = a.keepReport(w, runs, r)
	default:
		err = writeWhole(a.disk, path, func(file *blob.File) error { return write(file) })
	}
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]string{"report": path})
	}
	_, err = fmt.Fprintln(a.stdout, path)
	return err
}
