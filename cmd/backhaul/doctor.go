package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"backhaul/jobs/doctor"
	"backhaul/pipeline"
	"backhaul/pipeline/grid"
	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/blob"
	"backhaul/sinks/duckdb"
	"backhaul/sinks/parquet"
)

// doctorFlags are the flags of `doctor`.
type doctorFlags struct{ repair, dropDamaged bool }

func (a *app) doctorCommand() *cobra.Command {
	var f doctorFlags
	cmd := &cobra.Command{
		Use:   "doctor [JOB]",
		Short: "Check credentials, clock, disk, vendors and the warehouse; repair what can be derived",
		Long: `Checks the credentials of the vendors (of the job, or of all; they are never printed), the clock, the
disk, whether each vendor answers and what it says was consumed this month, and every file of the
warehouse: journals, ledger, lake and catalog, each against the others. One line per finding: ok, warn
or bad. The vendor is asked once, for its usage report, which is taken to be free.

--repair rebuilds what can be derived without buying anything: tables and catalog from the journals, the
ledger from the journals (a damaged one is kept beside it), and sweeps what dead processes left. It never
deletes a journal. --drop-damaged, with --repair, also puts damaged journals aside and keeps the replies
before the damage, so that the next run buys the others again.

Exit status: 0 nothing is bad, 5 the warehouse is damaged, 1 something else is bad.`,
		Args: atMost(1, "at most one job file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.dropDamaged && !f.repair {
				return usage("--drop-damaged goes with --repair")
			}
			wanted, err := a.vendorsOf(cmd.Context(), args)
			if err != nil {
				return err
			}
			return a.doctor(cmd.Context(), wanted, f)
		},
	}
	a.specFlags(cmd)
	cmd.Flags().BoolVar(&f.repair, "repair", false, "rebuild what can be derived; buys nothing, deletes no journal")
	cmd.Flags().BoolVar(&f.dropDamaged, "drop-damaged", false, "with --repair: put damaged journals aside and keep the replies before the damage")
	return cmd
}

// vendorsOf returns the surfaces a job buys from, as vendor/surface; nil without a job.
func (a *app) vendorsOf(ctx context.Context, args []string) (map[string]bool, error) {
	if len(args) == 0 {
		return nil, nil
	}
	job, err := a.loadJob(ctx, args[0])
	if err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for _, x := range job.Extracts {
		wanted[x.Endpoint.Vendor+"/"+x.Endpoint.Surface] = true
	}
	return wanted, nil
}

func (a *app) doctor(ctx context.Context, wanted map[string]bool, f doctorFlags) error {
	w, err := a.warehouse(ctx)
	if err != nil {
		return err
	}
	o := doctor.Options{Warehouse: w, Copied: a.store != nil, Books: a.books(w), Lake: examined{&localLake{Lake: a.lakeIn(w)}}, Sources: decoders(a.vendors).source, Vendors: a.accounts(wanted), Now: a.now}
	findings := doctor.Examine(ctx, o)
	var done []doctor.Finding
	// A rebuilt ledger is examined again before anything else is done: two rounds, and one to spare.
	for range 3 {
		if !f.repair || !doctor.Curable(findings, f.dropDamaged) {
			break
		}
		done = append(done, doctor.Repair(ctx, o, findings, f.dropDamaged, func() (doctor.Workshop, error) { return a.openWorkshop(w) })...)
		if findings = doctor.Examine(ctx, o); anyBad(done) {
			break
		}
	}
	if err := a.printFindings(append(done, findings...)); err != nil {
		return err
	}
	return verdict(append(done, findings...))
}

func anyBad(findings []doctor.Finding) bool {
	worst, _ := doctor.Worst(findings)
	return worst == doctor.Bad
}

func (a *app) printFindings(findings []doctor.Finding) error {
	if a.json {
		return a.printJSON(findings)
	}
	for _, f := range findings {
		line := fmt.Sprintf("%-4s  %s: %s", f.Level, f.What, f.Text)
		if f.Advice != "" {
			line += " (" + f.Advice + ")"
		}
		if _, err := fmt.Fprintln(grid.Fold(a.stdout), line); err != nil {
			return err
		}
	}
	return nil
}

// verdict turns the findings into the exit status; they have been printed.
func verdict(findings []doctor.Finding) error {
	switch worst, damage := doctor.Worst(findings); {
	case damage:
		return &exitError{status: exitDamaged}
	case worst == doctor.Bad:
		return &exitError{status: exitFailed}
	}
	return nil
}

// accounts returns the vendor accounts to look at: those wanted, or each vendor's on the surface that is its default.
func (a *app) accounts(wanted map[string]bool) []doctor.Vendor {
	var all []doctor.Vendor
	for _, s := range a.vendors {
		if wanted != nil && !wanted[s.Vendor+"/"+s.Name] || wanted == nil && !a.vendors.Default(s) {
			continue
		}
		client, from, err := a.open(s, 1)
		v := doctor.Vendor{Name: s.Vendor, Wanted: wanted != nil, URL: s.URL, Credentials: from, Doubts: a.doubts(s.Credentials), Err: err}
		if v.Missing = client == nil && err == nil; v.Missing {
			v.Credentials = s.Credentials.String()
		}
		v.Usage, _ = client.(pipeline.Usage)
		all = append(all, v)
	}
	return all
}

// examined is the lake as the doctor looks at it.
type examined struct{ *localLake }

// Digest implements doctor.Lake.
func (examined) Digest(t *schemas.Table) sinks.Digester { return parquet.NewDigest(t) }

// Read implements doctor.Lake.
func (examined) Read(path string, t *schemas.Table) (sinks.Contents, error) {
	c, err := parquet.Read(path, t)
	if err != nil && blob.Gone(path) {
		err = fmt.Errorf("%s: %w", path, fs.ErrNotExist) // what stands in for it is no Parquet
	}
	return c, err
}

// Find implements doctor.Lake.
func (e examined) Find(t *schemas.Table, job string, date time.Time) (found doctor.Found, err error) {
	own, merged, err := e.Of(t, job, date)
	for _, f := range own {
		found.Own = append(found.Own, f.Path)
	}
	for _, f := range merged {
		found.Parts = append(found.Parts, f.Path)
		r := f.Run(sinks.KeyOf(job, date))
		found.Merged = &sinks.Contents{Rows: r.Rows, Checksum: r.Checksum, Runs: r.IDs}
	}
	return found, err
}

// CheckMerged implements doctor.Lake.
func (e examined) CheckMerged(ctx context.Context, t *schemas.Table, month time.Time) (rows int64, err error) {
	return e.Check(ctx, t, month)
}

// CheckCatalog implements doctor.Lake.
func (e examined) CheckCatalog(ctx context.Context) error {
	err := duckdb.CheckCatalog(ctx, e.Warehouse)
	if errors.Is(err, duckdb.ErrInUse) {
		return fmt.Errorf("%w: %w", doctor.ErrInUse, err)
	}
	return err
}

// Views implements doctor.Lake.
func (e examined) Views(ctx context.Context) ([]doctor.View, error) {
	relations, err := duckdb.Check(ctx, e.Warehouse)
	views := make([]doctor.View, len(relations))
	for i, r := range relations {
		views[i] = doctor.View(r)
	}
	return views, err
}

// DeadStaging implements doctor.Lake.
func (e examined) DeadStaging() ([]string, error) { return e.Disk.Dead(e.Warehouse.Staging()) }

// workshop is the lake as repairs write it.
type workshop struct{ *localLake }

func (a *app) openWorkshop(w sinks.Warehouse) (doctor.Workshop, error) {
	l, err := a.openLake(w)
	if err != nil {
		return nil, err
	}
	return workshop{localLake: l}, nil
}

// Catalog implements doctor.Workshop. Where the one before was of an earlier version, what its marts read may be missing.
func (w workshop) Catalog(ctx context.Context) error {
	err := w.localLake.Catalog(ctx)
	if err == nil {
		_, err = w.missingLists(ctx)
	}
	return err
}

// SweepStaging implements doctor.Workshop.
func (w workshop) SweepStaging() ([]string, error) { return w.Disk.Sweep(w.Warehouse.Staging()) }

// Close implements doctor.Workshop.
func (w workshop) Close() { w.close() }
