package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"backhaul/sinks/duckdb"
)

// queryTime is the flag that bounds the time of a statement.
const queryTime = "timeout"

func (a *app) queryCommand() *cobra.Command {
	var format string
	var f limitFlags
	var names []string
	for _, f := range duckdb.Formats() {
		names = append(names, string(f))
	}
	cmd := &cobra.Command{
		Use:   "query SQL",
		Short: "Ask the catalog in SQL",
		Long: `Runs one statement over the catalog, read-only. Tables are named by vendor: moz.anchor_text, moz.links,
marts.anchor_changes, ops.rejected_rows; see ` + "`backhaul tables`" + `. SQL reads the catalog
and nothing else: no files, no environment, no network. On a terminal a table fits its width, a row that is too
wide becomes a block of lines, and the first 1,000 rows are shown.`,
		Args: exactly(1, "one SQL statement, in quotes"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.json {
				format = string(duckdb.JSON)
			}
			if !slices.Contains(names, format) {
				return usage("--format wants one of %s, got %q", strings.Join(names, ", "), format)
			}
			w, err := a.warehouse(cmd.Context())
			if err != nil {
				return err
			}
			a.noteCopy()
			defer a.holdMemory(int64(f.memory))()
			err = duckdb.Query(cmd.Context(), w, args[0], duckdb.Format(format), f.limits(), a.stdout)
			if errors.Is(err, duckdb.ErrSize) {
				err = fmt.Errorf("%w: add a LIMIT, or write it with --format csv, json or parquet", err)
			}
			return raiseLimit(err, queryTime)
		},
	}
	cmd.Flags().StringVar(&format, "format", string(duckdb.Table), strings.Join(names, ", "))
	f.add(cmd, "the statement", queryTime, 5*time.Minute)
	return cmd
}
