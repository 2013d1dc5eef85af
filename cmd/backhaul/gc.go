package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"backhaul/jobs/doctor"
	"backhaul/pipeline/words"
	"backhaul/sinks/lake"
)

// gcFlags are the flags of `gc`.
type gcFlags struct {
	olderThan string
	dry       bool
}

func (a *app) gcCommand() *cobra.Command {
	var f gcFlags
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Apply retention: remove journals that are no longer needed, and leftovers",
		Long: `Removes the leftovers of dead processes and, with --journals-older-than, the journals of complete runs
that bought their last page longer ago than that. A journal is removed only after its run's tables have
been read and found equal to it; the ledger keeps that it was retired, when, and what the tables hold.
Such a run stays complete: the same job and date again does nothing and costs nothing. It can no longer
be replayed. Without the flag every journal is kept.`,
		Args: exactly(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var age time.Duration
			if cmd.Flags().Changed("journals-older-than") {
				var err error
				if age, err = parseAge(f.olderThan); err != nil {
					return err
				}
			}
			return a.gc(cmd.Context(), age, f.dry)
		},
	}
	cmd.Flags().StringVar(&f.olderThan, "journals-older-than", "", "remove journals of complete, verified runs older than this: 180d, 26w (default: keep all)")
	cmd.Flags().BoolVar(&f.dry, "dry-run", false, "say what would be removed, and remove nothing")
	return cmd
}

// gcResult is what `gc` did.
type gcResult struct {
	DryRun   bool             `json:"dry_run"`
	Staging  []string         `json:"staging"`
	Journals []doctor.Retired `json:"journals"`
}

func (a *app) gc(ctx context.Context, age time.Duration, dry bool) error {
	w, err := a.warehouse()
	if err != nil {
		return err
	}
	if _, err := os.Stat(w.Root); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is no warehouse: it does not exist; --warehouse names another", w.Root)
	}
	files := examined{localLake{Lake: lake.Lake{Disk: disk, Warehouse: w}}}
	result := gcResult{DryRun: dry, Staging: []string{}, Journals: []doctor.Retired{}}
	sweep := disk.Sweep
	if dry {
		sweep = disk.Dead
	}
	swept, err := sweep(w.Staging())
	if err != nil {
		return err
	}
	result.Staging = append(result.Staging, swept...)
	if age > 0 {
		retired, err := doctor.Retire(ctx, doctor.Options{Warehouse: w, Lake: files, Sources: decoders(a.vendors).source}, time.Now().Add(-age), dry)
		result.Journals = append(result.Journals, retired...)
		if err != nil {
			return errors.Join(err, a.printGC(result))
		}
	}
	return a.printGC(result)
}

func (a *app) printGC(r gcResult) error {
	if a.json {
		return a.printJSON(r)
	}
	verb := "removed"
	if r.DryRun {
		verb = "would remove"
	}
	var removed, bytes int64
	for _, j := range r.Journals {
		if j.Kept != "" {
			fmt.Fprintf(a.stdout, "kept %s: %s\n", j.Path, j.Kept)
			continue
		}
		fmt.Fprintf(a.stdout, "%s %s (%s)\n", verb, j.Path, words.Bytes(j.Bytes))
		removed, bytes = removed+1, bytes+j.Bytes
	}
	_, err := fmt.Fprintf(a.stdout, "%s %d journals (%s) and %d leftovers of dead processes\n", verb, removed, words.Bytes(bytes), len(r.Staging))
	return err
}

// parseAge reads a number of days or weeks.
func parseAge(text string) (time.Duration, error) {
	units := map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
	for suffix, unit := range units {
		number, ok := strings.CutSuffix(text, suffix)
		if n, err := strconv.ParseUint(number, 10, 31); ok && err == nil && n > 0 && n <= 36500 {
			return time.Duration(n) * unit, nil
		}
	}
	return 0, usage("--journals-older-than wants days or weeks, like 180d or 26w, got %q", text)
}
