package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"backhaul/sinks/duckdb"
)

func (a *app) queryCommand() *cobra.Command {
	var format string
	var names []string
	for _, f := range duckdb.Formats() {
		names = append(names, string(f))
	}
	cmd := &cobra.Command{
		Use:   "query SQL",
		Short: "Ask the catalog in SQL",
		Long: `Runs one statement over the catalog, read-only. Tables are named by vendor: moz.anchor_text, moz.links,
marts.anchor_changes, ops.rejected_rows; see ` + "`backhaul tables`" + `.`,
		Args: exactly(1, "one SQL statement, in quotes"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.json {
				format = string(duckdb.JSON)
			}
			if !slices.Contains(names, format) {
				return usage("--format wants one of %s, got %q", strings.Join(names, ", "), format)
			}
			w, err := a.warehouse()
			if err != nil {
				return err
			}
			return duckdb.Query(cmd.Context(), w.Catalog(), args[0], duckdb.Format(format), a.stdout)
		},
	}
	cmd.Flags().StringVar(&format, "format", string(duckdb.Table), strings.Join(names, ", "))
	return cmd
}
