package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"backhaul/sinks"
	"backhaul/sinks/blob"
	"backhaul/sinks/duckdb"
	"backhaul/sinks/sqlite"
	"backhaul/sinks/xlsx"
)

// The formats of exports that are not DuckDB's.
const (
	xlsxFormat   = "xlsx"
	sqliteFormat = "sqlite"
)

// exportFormats lists the formats of exports in the order a usage line gives them.
var exportFormats = []string{string(duckdb.CSV), string(duckdb.JSON), string(duckdb.Parquet), xlsxFormat, sqliteFormat}

// formatOf is the format of a file by how its name ends; "" is CSV.
var formatOf = map[string]string{
	"": string(duckdb.CSV), ".csv": string(duckdb.CSV), ".json": string(duckdb.JSON), ".parquet": string(duckdb.Parquet),
	".xlsx": xlsxFormat, ".sqlite": sqliteFormat, ".sqlite3": sqliteFormat, ".db": sqliteFormat,
}

func (a *app) exportCommand() *cobra.Command {
	e := export{app: a}
	cmd := &cobra.Command{
		Use:   "export TABLE or VIEW",
		Short: "Write a whole table or view as CSV, JSON, Parquet, an Excel sheet or SQLite",
		Long: `Writes every row of a table or view, for a spreadsheet, a review queue or another program. They are
named as in the catalog: moz.anchor_text, user.labels, marts.prospects. The format is that of --format,
else the one that the file's name ends with, else CSV. A file appears under its name once it is whole.

A sheet (xlsx) has a header line that stays in sight, dates and numbers as what they are, and texts as
texts, whatever they begin with. It takes 1,048,575 rows and 32,767 characters a cell; what has more is
refused, never cut. A SQLite file has one table, marts_prospects for marts.prospects, with dates as
2026-11-23. Lists are JSON in both. For some of the rows, or other columns, see
` + "`backhaul query --format`" + `.`,
		Example: `  backhaul export marts.prospects -o prospects.xlsx
  backhaul export marts.anchor_changes -o changes.sqlite
  backhaul export marts.campaign --format parquet -o campaign.parquet`,
		Args: exactly(1, "one table or view, like marts.prospects"),
		RunE: func(cmd *cobra.Command, args []string) error { return e.run(cmd.Context(), args[0]) },
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return a.completeRelations(cmd.Context()), cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().StringVar(&e.format, "format", "", strings.Join(exportFormats, ", ")+" (default that of the file's name, else csv)")
	e.limits.add(cmd, "the export", queryTime, 0)
	cmd.Flags().StringVarP(&e.file, "output", "o", "", "file to write (default standard output, but for xlsx and sqlite)")
	if err := cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(exportFormats, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag is there
	}
	return cmd
}

// export is one export as it was asked for.
type export struct {
	*app
	format, file string
	limits       limitFlags
}

func (e *export) run(ctx context.Context, name string) error {
	format, err := e.formatWanted()
	if err != nil {
		return err
	}
	w, err := e.warehouse(ctx)
	if err != nil {
		return err
	}
	e.noteCopy()
	r, err := findRelation(w, name)
	if err != nil {
		return err
	}
	defer e.holdMemory(int64(e.limits.memory))()
	switch format {
	case xlsxFormat:
		err = e.each(ctx, w, r, func(rows sinks.Rows) error {
			return writeWhole(e.disk, e.file, func(f *blob.File) error { return xlsx.Write(f, rows) })
		})
	case sqliteFormat:
		err = e.each(ctx, w, r, func(rows sinks.Rows) error {
			return writeWhole(e.disk, e.file, func(f *blob.File) error { return sqlite.Write(ctx, f.Name(), rows) })
		})
	default:
		err = e.query(ctx, w, fmt.Sprintf(`FROM "%s"."%s"`, r.schema, r.name), duckdb.Format(format))
	}
	if errors.Is(err, xlsx.ErrSize) {
		err = fmt.Errorf("%w: write it as csv, parquet or sqlite, or ask for less with `backhaul query --format csv`", err)
	}
	return raiseLimit(err, queryTime)
}

func (e *export) each(ctx context.Context, w sinks.Warehouse, r relation, use func(sinks.Rows) error) error {
	return duckdb.Each(ctx, w, r.schema, r.name, e.limits.limits(), use)
}

// query writes what DuckDB writes by itself.
func (e *export) query(ctx context.Context, w sinks.Warehouse, sql string, format duckdb.Format) error {
	if e.file == "" {
		return duckdb.Query(ctx, w, sql, format, e.limits.limits(), e.stdout)
	}
	return writeWhole(e.disk, e.file, func(f *blob.File) error {
		return duckdb.Query(ctx, w, sql, format, e.limits.limits(), f)
	})
}

// formatWanted is the format that was asked for: by name, or by what the file is called.
func (e *export) formatWanted() (string, error) {
	format := e.format
	if e.json {
		format = string(duckdb.JSON)
	}
	if format == "" {
		format = formatOf[strings.ToLower(filepath.Ext(e.file))]
	}
	if format == "" {
		return "", usage("the name %s does not tell the format: give --format, one of %s", e.file, strings.Join(exportFormats, ", "))
	}
	if !slices.Contains(exportFormats, format) {
		return "", usage("--format wants one of %s, got %q", strings.Join(exportFormats, ", "), format)
	}
	if e.file == "" && (format == xlsxFormat || format == sqliteFormat) {
		return "", usage("%s is written to a file: name it with -o", format)
	}
	return format, nil
}

// relation is a table or view of the catalog.
type relation struct{ schema, name string }

// completeRelations are the names that a shell may complete. What is not a warehouse has none.
func (a *app) completeRelations(ctx context.Context) (names []string) {
	w, err := a.warehouse(ctx)
	if err != nil {
		return nil
	}
	names, _ = duckdb.Views(w)
	return names
}

// findRelation returns the table or view of that name.
func findRelation(w sinks.Warehouse, name string) (relation, error) {
	names, err := duckdb.Views(w)
	if err != nil {
		return relation{}, err
	}
	for _, one := range names {
		if strings.EqualFold(one, name) {
			schema, bare, _ := strings.Cut(one, ".")
			return relation{schema, bare}, nil
		}
	}
	return relation{}, usage("no table or view %q%s; see `backhaul tables`", name, closest(names, name))
}

// closest proposes one of the tables for a name that is not one of them.
func closest(tables []string, name string) string {
	known := &cobra.Command{SuggestionsMinimumDistance: 3} // cobra knows what is misspelt how
	for _, table := range tables {
		_, bare, _ := strings.Cut(table, ".")
		known.AddCommand(&cobra.Command{Use: table, Run: func(*cobra.Command, []string) {}, SuggestFor: []string{bare}})
	}
	return suggestion(known, name)
}

// writeWhole lets write fill a file that takes its name when it is whole; else a file of that name stays as it is.
func writeWhole(disk blob.FS, path string, write func(*blob.File) error) error {
	return disk.WriteWhole(fmt.Sprintf("%s.%d.partial", path, os.Getpid()), path, write)
}
