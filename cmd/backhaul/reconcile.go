package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
	"backhaul/jobs/report"
	"backhaul/pipeline"
	"backhaul/pipeline/grid"
	"backhaul/pipeline/words"
)

func (a *app) reconcileCommand() *cobra.Command {
	var release string
	cmd := &cobra.Command{
		Use:   "reconcile",
		Short: "Show what requests without an answer have set aside, and what can be released",
		Long: `Requests that got no answer, because the process was killed or the connection broke, may have been charged.
What they may have cost is held: no budget can spend it again until the vendor's own count tells. Every run
asks the vendor when it begins and when it ends, and settles what the count tells of: what was charged is
entered as spent, the rest is free again. What the count never tells of is released at the end of the month.

This shows what is held, by which run, what the vendor's count says of it now, and what could be released.
The vendor is asked once, for its usage report, which is taken to be free. Nothing is entered.

--release RUN releases what is held for a run, by its id or JOB/DATE: what the count says was charged stays
charged, the rest is free again, also where the count does not tell.`,
		Example: `  backhaul reconcile
  backhaul reconcile --release nightly/2026-11-23`,
		Args: atMost(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := a.openLedger(cmd.Context())
			if err != nil {
				return err
			}
			defer l.Close()
			if release != "" {
				return a.release(cmd.Context(), l, release)
			}
			return a.reconcile(cmd.Context(), l)
		},
	}
	cmd.Flags().StringVar(&release, "release", "", "release what is held for this run, an id or JOB/DATE")
	return cmd
}

func (a *app) reconcile(ctx context.Context, l *ledger.Ledger) error {
	w, err := a.warehouse(ctx)
	if err != nil {
		return err
	}
	held, err := recovery.Reconcile(ctx, l, a.books(w), a.meter, a.now().UTC())
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(held)
	}
	if len(held) == 0 {
		_, err := fmt.Fprintln(a.stdout, "nothing is held: every request got an answer, or is settled")
		return err
	}
	rows := grid.New("run", "job", "date", "vendor", "month", "held", "charged", "can be released", "why")
	for _, h := range held {
		rows.Add(h.RunID, h.Job, h.RunDate, h.Vendor, h.Month, words.Count(h.Held), known(h.Charged), known(h.Releasable), h.Why)
	}
	_, err = fmt.Fprintf(a.stdout, "%s\nthe next run settles what the vendor's count tells of; `backhaul reconcile --release RUN` releases the rest by hand\n", rows.For(a.stdout))
	return err
}

func known(units *pipeline.Units) string {
	if units == nil {
		return "not known yet"
	}
	return words.Count(*units)
}

func (a *app) release(ctx context.Context, l *ledger.Ledger, name string) error {
	w, err := a.warehouse(ctx)
	if err != nil {
		return err
	}
	r, err := findRun(ctx, l, name)
	if err != nil {
		return err
	}
	settled, err := recovery.Release(ctx, l, a.books(w), r.ID, a.meter, a.now().UTC())
	if err != nil {
		return err
	}
	told := report.SettlementsOf(settled)
	if a.json {
		return a.printJSON(told)
	}
	for _, s := range told {
		if _, err := fmt.Fprintln(a.stdout, s.Text()); err != nil {
			return err
		}
	}
	return nil
}

// meter returns a surface's own count, as far as there are credentials to ask for it.
func (a *app) meter(vendor, name string) recovery.Meter {
	if s, _ := a.vendors.Surface(vendor, name); s.Counts != "" {
		client, _, err := a.open(s, 1)
		switch usage, ok := client.(pipeline.Usage); {
		case err != nil:
			return recovery.Meter{Why: "the vendor was not asked: " + err.Error()}
		case client == nil:
			return recovery.Meter{Why: "the vendor was not asked: set " + s.Credentials.String()}
		case ok:
			a.warnOfCredentials(s)
			return recovery.Meter{Usage: usage}
		}
	}
	return recovery.Meter{Why: "the vendor does not tell what it counts: what is held is released at the end of the month, or by hand"}
}
