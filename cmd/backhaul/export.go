package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"backhaul/sinks"
	"backhaul/sinks/duckdb"
)

func (a *app) exportCommand() *cobra.Command {
	format, file := string(duckdb.CSV), ""
	var f limitFlags
	formats := []string{string(duckdb.CSV), string(duckdb.JSON), string(duckdb.Parquet)}
	cmd := &cobra.Command{
		Use:   "export RELATION",
		Short: "Write a whole table or view of the catalog as CSV, JSON or Parquet",
		Long: `Writes every row of a table or view, for a spreadsheet, a review queue or another program. Relations are
named as in the catalog: moz.anchor_text, user.labels, marts.prospects. A file appears under its name
once it is whole. For some of the rows, or other columns, see ` + "`backhaul query --format`" + `.`,
		Example: `  backhaul export marts.prospects --format csv -o prospects.csv
  backhaul export marts.campaign --format parquet -o campaign.parquet`,
		Args: exactly(1, "one table or view, like marts.prospects"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.json {
				format = string(duckdb.JSON)
			}
			if !slices.Contains(formats, format) {
				return usage("--format wants one of %s, got %q", strings.Join(formats, ", "), format)
			}
			w, err := a.warehouse()
			if err != nil {
				return err
			}
			relation, err := findRelation(cmd.Context(), w, args[0])
			if err != nil {
				return err
			}
			defer holdMemory(int64(f.memory))()
			write := func(out io.Writer) error {
				return raiseLimit(duckdb.Query(cmd.Context(), w, "FROM "+relation, duckdb.Format(format), f.limits(), out), queryTime)
			}
			if file == "" {
				return write(a.stdout)
			}
			return writeWhole(file, write)
		},
	}
	cmd.Flags().StringVar(&format, "format", format, strings.Join(formats, ", "))
	f.add(cmd, "the export", queryTime, 0)
	cmd.Flags().StringVarP(&file, "output", "o", "", "file to write (default standard output)")
	return cmd
}

// findRelation returns the table or view of that name, quoted for SQL.
func findRelation(ctx context.Context, w sinks.Warehouse, name string) (string, error) {
	_, rows, err := duckdb.Select(ctx, w,
		"SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = current_database() AND NOT internal ORDER BY ALL")
	if err != nil {
		return "", err
	}
	var names []string
	for _, row := range rows {
		schema, view := row[0].(string), row[1].(string)
		full := schema + "." + view
		if strings.EqualFold(full, name) {
			return `"` + schema + `"."` + view + `"`, nil
		}
		names = append(names, full)
	}
	return "", usage("no table or view %q%s; see `backhaul tables`", name, closest(names, name))
}

// closest proposes one of the tables for a name that is none.
func closest(tables []string, name string) string {
	known := &cobra.Command{SuggestionsMinimumDistance: 3} // cobra knows what is misspelt how
	for _, table := range tables {
		_, bare, _ := strings.Cut(table, ".")
		known.AddCommand(&cobra.Command{Use: table, Run: func(*cobra.Command, []string) {}, SuggestFor: []string{bare}})
	}
	return suggestion(known, name)
}

// writeWhole lets write fill a file that takes its name when it is whole; else a file of that name stays as it is.
func writeWhole(path string, write func(io.Writer) error) error {
	f, err := disk.Create(fmt.Sprintf("%s.%d.partial", path, os.Getpid()))
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		return errors.Join(err, f.Abort())
	}
	if err := f.Close(); err != nil {
		return errors.Join(err, disk.Remove(f.Name()))
	}
	return disk.Replace(f.Name(), path)
}
