package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"backhaul/jobs"
	"backhaul/sinks/duckdb"
)

// demoRate is the rate of the demo's requests, per second: the emulator answers faster than any vendor allows.
const demoRate = 400

func (a *app) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Start an emulator, run the nightly job against it for two nights, show the result",
		Long: `Starts the emulated vendors on this machine, runs the ready-made nightly job against them for two
successive nights, asks the result three questions in SQL, and says where its report is. Nothing leaves this machine. The
warehouse stays for further queries; it is a new temporary one unless --warehouse names one.`,
		Args: exactly(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context()) },
	}
}

func (a *app) demo(ctx context.Context) error {
	a.unshared()
	if a.warehouseDir == "" {
		dir, err := os.MkdirTemp("", "backhaul-demo-")
		if err != nil {
			return err
		}
		a.warehouseDir = filepath.Join(dir, "warehouse")
	}
	emu, err := startEmulator(emulatorFlags{listen: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	defer emu.close()
	a.put(emu.environment())
	spec, problems := jobs.LoadFS(jobs.Files, "nightly.yaml", a.vendors)
	if spec == nil {
		return fmt.Errorf("the ready-made job is invalid: %v", problems)
	}
	for name, v := range spec.Vendors {
		v.RequestsPerSecond = demoRate
		spec.Vendors[name] = v
	}
	today := a.now().UTC()
	dates := []string{today.AddDate(0, 0, -1).Format(time.DateOnly), today.Format(time.DateOnly)}
	for night, date := range dates {
		emu.setDay(night)
		fmt.Fprintf(a.stderr, "night %d of 2, against the emulator at %s\n", night+1, emu.address)
		if err := a.run(ctx, &loadedJob{spec}, runFlags{date: date, yes: true}, nil); err != nil {
			return err
		}
	}
	return a.showDemo(ctx, spec, dates)
}

// showDemo asks the questions a user would ask first.
func (a *app) showDemo(ctx context.Context, spec *jobs.Spec, dates []string) error {
	w, err := a.warehouse(ctx)
	if err != nil {
		return err
	}
	for _, q := range []struct{ title, sql string }{
		{"top anchors of our own site", fmt.Sprintf(`select anchor_text, external_root_domains, external_pages
from moz.anchor_text where run_date = '%s' and target_as_given = 'acme-outdoor.example' order by rank limit 10`, dates[1])},
		{"anchors that are new or lost since last night", fmt.Sprintf(`select target, change, anchor_text, external_root_domains, previous_external_root_domains
from marts.anchor_changes where run_date = '%s' order by greatest(coalesce(external_root_domains, 0), coalesce(previous_external_root_domains, 0)) desc, target, anchor_text limit 10`, dates[1])},
		{"referring domains by authority", fmt.Sprintf(`select root_domain, max(domain_authority) as domain_authority, sum(to_target_pages)::bigint as linking_pages, count(distinct target) as targets
from moz.linking_root_domains where run_date = '%s' group by root_domain order by domain_authority desc, root_domain limit 10`, dates[1])},
	} {
		fmt.Fprintf(a.stdout, "\n%s\n", q.title)
		if err := duckdb.Query(ctx, w, q.sql, duckdb.Table, duckdb.Limits{}, a.stdout); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(a.stdout, "\nmore: backhaul query --warehouse %s \"from moz.links limit 5\"\nthe report of the second night, for a browser: %s\n",
		a.warehouseDir, w.ReportOf(spec.Job, dates[1]))
	return err
}
