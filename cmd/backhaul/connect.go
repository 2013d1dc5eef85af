package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/spf13/cobra"
)

// tools are the programs that `connect` knows, each with a template of its name in connect/. What a template says of a
// tool is taken from that tool's own documents and code; duckdb, python, sqlalchemy, dbt and jdbc were tried.
var tools = []struct{ Name, About string }{
	{"duckdb", "DuckDB's command line"},
	{"python", "DuckDB in Python: notebooks, pandas, polars"},
	{"sqlalchemy", "SQLAlchemy, by duckdb-engine"},
	{"superset", "Apache Superset"},
	{"metabase", "Metabase"},
	{"grafana", "Grafana"},
	{"dbeaver", "DBeaver"},
	{"dbt", "dbt, by dbt-duckdb"},
	{"jdbc", "any program that takes a JDBC URL"},
	{"power-bi", "Power BI Desktop"},
	{"excel", "Excel"},
}

//go:embed connect/*.txt
var connections embed.FS

func toolNames() (names []string) {
	for _, t := range tools {
		names = append(names, t.Name)
	}
	return names
}

func (a *app) connectCommand() *cobra.Command {
	at := ""
	cmd := &cobra.Command{
		Use:   "connect [TOOL]",
		Short: "Print what to paste into a BI tool, notebook or driver to read the warehouse",
		Long: `Prints what to paste into a tool so that it reads the warehouse, read-only. Without a tool it lists those
it knows, and shows DuckDB's own and Python's.

The catalog's views look for the files where the warehouse was when the catalog was written, or where the
DuckDB variable ` + rootVariable + ` says. It is set on every connection, so that a copy, or a container
that mounts the warehouse elsewhere, reads its own files: name that place with --at.

Of a warehouse in an object store it prints SQL that has DuckDB read the files its tables have now; what reads Iceberg
finds them by the catalog, see 'backhaul help lake'.`,
		Example: `  backhaul connect python
  backhaul connect metabase --at /data/warehouse`,
		Args:      atMost(1, "one tool, or none"),
		ValidArgs: toolNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.place(cmd.Context(), at)
			if err != nil {
				return err
			}
			if a.store != nil && at == "" {
				return a.printScripts(cmd.Context(), args)
			}
			if len(args) == 0 {
				return a.printTools(p)
			}
			if !slices.Contains(toolNames(), args[0]) {
				return usage("no tool %q%s; it is one of %s", args[0], closest(toolNames(), args[0]), strings.Join(toolNames(), ", "))
			}
			return a.printConnection(p, args[0])
		},
	}
	cmd.Flags().StringVar(&at, "at", "", "where the tool sees the warehouse (default where this program does)")
	return cmd
}

// rootVariable is the DuckDB variable that says where the warehouse is.
const rootVariable = "backhaul_warehouse"

// place is a warehouse as a tool sees it.
type place struct{ Root string }

// place returns where the tool sees the warehouse: at, or where this program does.
func (a *app) place(ctx context.Context, at string) (place, error) {
	if at != "" {
		return place{Root: strings.TrimRight(at, `/\`)}, nil
	}
	w, err := a.warehouse(ctx)
	if err != nil {
		return place{}, err
	}
	if _, err := os.Stat(w.Catalog()); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(a.stderr, "note: there is no catalog at %s yet: `backhaul run JOB` makes one\n", w.Catalog())
	}
	return place{Root: w.Root}, nil
}

// Catalog is the path of the DuckDB file. Windows takes the slash as well.
func (p place) Catalog() string { return p.Root + "/catalog.duckdb" }

// Set is the statement that every connection begins with.
func (p place) Set() string { return "SET VARIABLE " + rootVariable + " = " + sqlText(p.Root) }

// URI is the catalog for SQLAlchemy, which decodes nothing in a path before 2.1, while a space and # stand for themselves in all of them.
func (p place) URI() string { return "duckdb:///" + p.Catalog() }

// ReadOnly is the catalog's path with the option that DuckDB itself takes there.
func (p place) ReadOnly() string { return p.Catalog() + "?access_mode=READ_ONLY" }

// render returns what to paste into a tool.
func (p place) render(tool string) (string, error) {
	t, err := template.New(tool+".txt").Funcs(template.FuncMap{"sql": sqlText, "text": strconv.Quote, "shell": shellWord}).
		ParseFS(connections, "connect/"+tool+".txt")
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = t.Execute(&b, p)
	return b.String(), err
}

// sqlText is a text as SQL spells it.
func sqlText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// shellWord is one word for a shell, in double quotes where nothing in it means something there.
func shellWord(s string) string {
	if strings.ContainsAny(s, "\"$`\\!") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return `"` + s + `"`
}

// connection is what `connect` tells a program.
type connection struct {
	Warehouse string            `json:"warehouse"`
	Catalog   string            `json:"catalog"`
	SQL       string            `json:"sql"` // what every connection begins with
	Tools     map[string]string `json:"tools"`
}

func (a *app) printConnection(p place, names ...string) error {
	out := connection{Warehouse: p.Root, Catalog: p.Catalog(), SQL: p.Set(), Tools: map[string]string{}}
	for i, name := range names {
		text, err := p.render(name)
		if err != nil {
			return err
		}
		out.Tools[name] = text
		if a.json {
			continue
		}
		if i > 0 {
			text = "\n" + text
		}
		if _, err := fmt.Fprint(a.stdout, text); err != nil {
			return err
		}
	}
	if a.json {
		return a.printJSON(out)
	}
	return nil
}

// printTools lists the tools and shows the first two; for a program, all.
func (a *app) printTools(p place) error {
	if a.json {
		return a.printConnection(p, toolNames()...)
	}
	for _, t := range tools {
		if _, err := fmt.Fprintf(a.stdout, "backhaul connect %-11s %s\n", t.Name, t.About); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintln(a.stdout); err != nil {
		return err
	}
	return a.printConnection(p, "duckdb", "python")
}

// printScripts prints SQL for DuckDB that reads a warehouse out of its object store.
func (a *app) printScripts(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] != "duckdb" {
		return usage("a warehouse in an object store is read by DuckDB, with `backhaul connect`, and by whatever reads Iceberg tables, see `backhaul help lake`; %s is for one in a directory", args[0])
	}
	tables, marts, err := a.scripts(ctx)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]string{"warehouse": a.store.Name(), "sql": tables, "marts_sql": marts})
	}
	_, err = fmt.Fprint(a.stdout, tables, marts)
	return err
}
