package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"backhaul/schemas"
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
	return &cobra.Command{
		Use:   "tables [NAME]",
		Short: "Show tables, columns, types, meanings, units and vendor sources",
		Args:  atMost(1, "at most one table"),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.listTables()
			}
			t := schemas.Lookup(args[0])
			if t == nil {
				return usage("unknown table %q; see `backhaul tables`", args[0])
			}
			return a.showTable(t)
		},
	}
}

func (a *app) listTables() error {
	infos := make([]tableInfo, 0)
	for _, t := range schemas.All() {
		infos = append(infos, describeTable(t))
	}
	if a.json {
		return a.printJSON(infos)
	}
	w := newTable(table.Row{"table", "columns", "one row is"})
	for _, t := range infos {
		w.AppendRow(table.Row{t.Table, len(t.Columns), t.Meaning})
	}
	_, err := fmt.Fprintln(a.stdout, w.Render())
	return err
}

func (a *app) showTable(t *schemas.Table) error {
	info := describeTable(t)
	if a.json {
		return a.printJSON(info)
	}
	w := newTable(table.Row{"column", "type", "unit", "price", "meaning", "source"})
	for _, c := range info.Columns {
		w.AppendRow(table.Row{c.Column, c.Type, c.Unit, priceText(c.Price), c.Meaning, c.Source})
	}
	if !priced(info.Columns) {
		w.SetColumnConfigs([]table.ColumnConfig{{Name: "price", Hidden: true}})
	}
	_, err := fmt.Fprintf(a.stdout, "%s: %s\nsource: %s\n%s\n", info.Table, info.Meaning, info.Source, w.Render())
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

// newTable returns a table in the one style of the program.
func newTable(header table.Row) table.Writer {
	w := table.NewWriter()
	w.SetStyle(table.StyleLight)
	w.Style().Format.Header = text.FormatDefault
	w.AppendHeader(header)
	return w
}

func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
