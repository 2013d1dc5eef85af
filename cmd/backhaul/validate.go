package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"backhaul/jobs"
	"backhaul/jobs/plan"
	"backhaul/jobs/report"
	"backhaul/jobs/run"
	"backhaul/pipeline"
	"backhaul/pipeline/grid"
	"backhaul/pipeline/words"
)

func (a *app) validateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "validate JOB...",
		Short: "Check job specs offline; every problem at once as file:line:column: text",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("want at least one job file; see `%s --help`", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			all, valid := []jobs.Problem{}, true
			for _, path := range args {
				spec, problems, err := a.loadSpec(cmd.Context(), path)
				if err != nil {
					return err
				}
				all = append(all, problems...)
				valid = valid && spec != nil
				if spec != nil && !a.json {
					fmt.Fprintf(a.stderr, "%s: valid: job %s, %s, %s\n", path, spec.Job, words.Plural(len(spec.Extracts), "extract"), words.Plural(spec.Count(), "task"))
					for i := range spec.Extracts {
						fmt.Fprintln(a.stderr, priceLine(&spec.Extracts[i]))
					}
				}
			}
			if err := a.printProblems(all); err != nil {
				return err
			}
			if !valid {
				return &exitError{status: exitUsage}
			}
			return nil
		},
	}
	a.specFlags(cmd)
	return cmd
}

// priceLine says what an extract's rows cost.
func priceLine(x *jobs.Extract) string {
	t := x.Sample()
	if x.Endpoint.Asks.Batched() {
		t.Inputs = nil // the price of an input, not of the first request for them
	}
	text := ""
	if price, err := x.Endpoint.PriceOf(t, pipeline.Ask{}); err != nil {
		text = err.Error()
	} else {
		text = report.PriceText(price)
	}
	if x.Merged > 0 {
		text += fmt.Sprintf("; %s merged", words.Plural(x.Merged, "duplicate"))
	}
	return fmt.Sprintf("  %-20s %-28s %s", x.Name, x.Endpoint, text)
}

func (a *app) printProblems(problems []jobs.Problem) error {
	if a.json {
		return a.printJSON(problems)
	}
	for _, p := range problems {
		if _, err := fmt.Fprintln(a.stdout, p); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) planCommand() *cobra.Command {
	var dateText string
	var chosen selection
	var check, probe bool
	cmd := &cobra.Command{
		Use:   "plan JOB",
		Short: "Show what a run would do and cost; buys nothing",
		Long: `Shows what a run would do and cost, and buys nothing. What is known of a list's length comes from its last
complete answer.

With --probe, lists that were never read are counted first, by reports that cost little: a unit of Moz for each
target, 50 of Ahrefs. Anchor texts are counted by no vendor: of those the first reply of each list is bought, and
the length is estimated from how the list goes down in it, mostly within a factor of two. What all that costs is
said first. It is bought by a run of its own, JOB-probe, and costs nothing more on the same date: the job's run of
that date goes on behind the first replies.`,
		Args: exactly(1, "one job file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			job, err := a.loadJob(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if err := chosen.check(job); err != nil {
				return err
			}
			return a.plan(cmd.Context(), job, dateText, chosen, check, probe)
		},
	}
	a.specFlags(cmd)
	chosen.add(cmd)
	cmd.Flags().BoolVar(&check, "check", false, "exit with status 4 if a budget or the vendor's quota will stop the run")
	cmd.Flags().BoolVar(&probe, "probe", false, "count lists that were never read first, for a few units")
	cmd.Flags().StringVar(&dateText, "date", "", "the run date, YYYY-MM-DD (default today in UTC)")
	return cmd
}

// plan prints what a run of some extracts would do and cost. With check it fails if a ceiling will stop the run, with probe
// it has lists counted that were never read.
func (a *app) plan(ctx context.Context, job *loadedJob, dateText string, chosen selection, check, probe bool) error {
	date, err := runDate(dateText, a.now())
	if err != nil {
		return err
	}
	a.warnOfDate(date)
	w, err := a.warehouse(ctx)
	if err != nil {
		return err
	}
	outline, err := job.outline(date, nil)
	if err != nil {
		return err
	}
	items := chosen.items(job)
	if probe {
		if items, err = a.probed(ctx, job, date, w, items); err != nil {
			return err
		}
	}
	p, err := run.Preview(ctx, chosen.of(*outline), items, a.books(w), a.now())
	if err != nil {
		return err
	}
	job.inOrder(p)
	if a.json {
		err = a.printJSON(p)
	} else {
		err = report.PlanText(grid.Fold(a.stdout), job.Job, date.Format(time.DateOnly), p)
	}
	if err == nil && check && slices.ContainsFunc(p.Vendors, func(v plan.Vendor) bool { return v.Scarce }) {
		return &exitError{status: exitBudget}
	}
	return err
}
