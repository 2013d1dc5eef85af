package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"backhaul/pipeline/grid"
	"backhaul/schemas"
	"backhaul/sinks/duckdb"
)

type tableInfo struct {
	Table   string       `json:"table"`
	Meaning string       `json:"meaning"`
	Source  string       `json:"source"`
	Columns []columnInfo `json:"columns"`
}

type columnInfo struct {
	Column   string `json:"column"`
	Type     string `json:"type"`
	Nullable bool   `json:"nullable"`
	Unit     string `json:"unit,omitempty"`
	// Price is what naming the column adds to the price of a row, in the vendor's units; 0 where rows are priced whole.
	Price   int      `json:"price,omitempty"`
	Values  []string `json:"values,omitempty"`
	Meaning string   `json:"meaning"`
	Source  string   `json:"source"`
}

func (a *app) tablesCommand() *cobra.Command {
	var drift bool
	cmd := &cobra.Command{
		Use:   "tables [NAME]",
		Short: "Show tables, columns, types, meanings, units and vendor sources",
		Long: `Shows what the tables are and mean. With --drift: the fields of vendors' replies that the tables of
this warehouse did not expect, and since when: new ones, values that misfit their column, and ones that
have vanished. A field gets a column by one line in package schemas; then ` + "`backhaul replay`" + ` fills it
for the nights there are, for nothing.`,
		Args: atMost(1, "at most one table"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if drift {
				return a.showDrift(cmd.Context(), args)
			}
			if len(args) == 0 {
				return a.listTables()
			}
			if t := schemas.Lookup(args[0]); t != nil {
				return a.showTable(describeTable(t))
			}
			infos, err := allTables()
			if err != nil {
				return err
			}
			var names []string
			for _, t := range infos {
				if t.Table == args[0] {
					return a.showTable(t)
				}
				names = append(names, t.Table)
			}
			return usage("unknown table %q%s; see `backhaul tables`", args[0], closest(names, args[0]))
		},
	}
	cmd.Flags().BoolVar(&drift, "drift", false, "the fields that the tables did not expect, and since when")
	return cmd
}

// allTables describes the declared tables and the views that the catalog derives from them, by name.
func allTables() ([]tableInfo, error) {
	infos := make([]tableInfo, 0)
	for _, t := range schemas.All() {
		infos = append(infos, describeTable(t))
	}
	derived, err := derivedTables()
	infos = append(infos, derived...)
	slices.SortFunc(infos, func(a, b tableInfo) int { return strings.Compare(a.Table, b.Table) })
	return infos, err
}

// derivedTables describes the views that the catalog derives.
func derivedTables() (infos []tableInfo, err error) {
	views, err := duckdb.Derived()
	for _, v := range views {
		info := tableInfo{Table: v.Name, Meaning: v.Meaning, Source: "derived from other tables by the catalog"}
		for _, c := range v.Columns {
			column := columnInfo{Column: c.Name, Type: c.Type, Nullable: true, Meaning: c.Meaning}
			if m := unitAtEnd.FindStringSubmatch(c.Meaning); m != nil {
				column.Meaning, column.Unit = m[1], m[2]
			}
			info.Columns = append(info.Columns, column)
		}
		infos = append(infos, info)
	}
	return infos, err
}

// unitAtEnd is how comments in the catalog spell a unit.
var unitAtEnd = regexp.MustCompile(`^(.*) \[([^\]]+)\]$`)

func (a *app) listTables() error {
	infos, err := allTables()
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(infos)
	}
	w := grid.New("table", "columns", "one row is")
	for _, t := range infos {
		w.Add(t.Table, len(t.Columns), t.Meaning)
	}
	_, err = fmt.Fprintln(a.stdout, w.For(a.stdout))
	return err
}

func (a *app) showTable(info tableInfo) error {
	if a.json {
		return a.printJSON(info)
	}
	w := grid.New("column", "type", "unit", "price", "meaning", "source")
	for _, c := range info.Columns {
		w.Add(c.Column, c.Type, c.Unit, priceText(c.Price), c.Meaning, c.Source)
	}
	if !priced(info.Columns) {
		w.Drop("price")
	}
	w.Spare("source", "unit")
	_, err := fmt.Fprintf(a.stdout, "%s: %s\nsource: %s\n%s\n", info.Table, info.Meaning, info.Source, w.For(a.stdout))
	return err
}

func describeTable(t *schemas.Table) tableInfo {
	info := tableInfo{Table: t.FullName(), Meaning: t.Meaning, Source: t.Source}
	for _, c := range t.Columns() {
		info.Columns = append(info.Columns, columnInfo{
			Column: c.Name, Type: c.Type.String(), Nullable: !c.Required, Unit: c.Unit, Price: c.Price, Values: c.Values, Meaning: c.Meaning, Source: c.Source,
		})
	}
	return info
}

// priced says whether the rows are paid for by the column.
func priced(columns []columnInfo) bool {
	return slices.ContainsFunc(columns, func(c columnInfo) bool { return c.Price > 0 })
}

// priceText is the price in units a row, "" for a column that costs nothing by itself.
func priceText(units int) string {
	if units == 0 {
		return ""
	}
	return strconv.Itoa(units)
}

func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
