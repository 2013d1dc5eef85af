package duckdb

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"backhaul/schemas"
	"backhaul/sinks"
)

// Variable is the DuckDB variable that tells a connection where the warehouse is, where that is not the path the catalog was
// written for: SET VARIABLE backhaul_warehouse = '/mnt/warehouse'.
const Variable = "backhaul_warehouse"

// allFiles are a table's files below its directory. The file without rows comes first: its columns are today's.
const allFiles = "/month=*/*.parquet"

// source is the text that a table's rows are selected from; "" for a table without files. With month the rows have a column of that
// name beside their own: whose directory they are in, as 2026-11.
type source func(t *schemas.Table, month bool) string

// globs reads all that the lake has of a table whenever it is asked. By itself DuckDB takes the first file's columns for
// everybody's, and finds the others' by their names. Where files lack columns (mixed) it must look into each of them first.
func globs(w sinks.Warehouse, mixed []string) source {
	return reading(w, mixed, func(*schemas.Table) []string { return []string{allFiles} })
}

// months is globs for the files of some months alone: the others are not even opened.
func months(w sinks.Warehouse, mixed []string, days ...time.Time) source {
	return reading(w, mixed, func(t *schemas.Table) (all []string) {
		for _, month := range append([]string{filepath.Base(w.SchemaMonth(t.Schema, t.Name))}, monthsOf(days)...) {
			files := "/" + month + "/*.parquet"
			if found, err := filepath.Glob(globEscape.Replace(w.Table(t.Schema, t.Name)) + files); err == nil && len(found) > 0 {
				all = append(all, files)
			}
		}
		return all
	})
}

// monthsOf are the directories of the months that days are in.
func monthsOf(days []time.Time) (all []string) {
	for _, day := range days {
		all = append(all, "month="+day.Format("2006-01"))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// reading reads what the lake has of a table at patterns below its directory; nothing where there are none.
func reading(w sinks.Warehouse, mixed []string, patterns func(*schemas.Table) []string) source {
	root := fmt.Sprintf("coalesce(replace(replace(getvariable(%s), '[', '[[]'), '*', '[*]'), %s)", quote(Variable), quote(escapePattern.Replace(w.Root)))
	return func(t *schemas.Table, month bool) string {
		options := "hive_partitioning => false"
		if month {
			options = "hive_partitioning => true, hive_types => {month: VARCHAR}"
		}
		if slices.Contains(mixed, t.FullName()) {
			options += ", union_by_name => true"
		}
		files := patterns(t)
		for i, pattern := range files {
			files[i] = root + " || " + quote("/lake/"+t.Schema+"/"+t.Name+pattern)
		}
		switch len(files) {
		case 0:
			return ""
		case 1:
			return fmt.Sprintf("read_parquet(%s, %s)", files[0], options)
		}
		return fmt.Sprintf("read_parquet([%s], %s)", strings.Join(files, ", "), options)
	}
}

// only reads these files, each of which may lack columns. They are in no month's directory.
func only(files []string) source {
	return func(t *schemas.Table, _ bool) string {
		if len(files) == 0 {
			return ""
		}
		return these(files, columnsOf(t), "hive_partitioning => false")
	}
}

// these reads files, each of which may lack some of the columns.
func these(files, columns []string, options string) string {
	return fmt.Sprintf("(SELECT %s WHERE false UNION ALL BY NAME SELECT * FROM read_parquet([%s], %s, union_by_name => true))",
		strings.Join(columns, ", "), literals(files), options)
}

// columnsOf selects a null for each column of a table.
func columnsOf(t *schemas.Table) []string {
	empty := make([]string, len(t.Columns()))
	for i, c := range t.Columns() {
		empty[i] = fmt.Sprintf("NULL::%s AS %s", c.Type, ident(c.Name))
	}
	return empty
}

// none is a lake without files.
func none(*schemas.Table, bool) string { return "" }

// selection is the query of a table's view: its columns are the declared ones, and have the declared types whatever the files
// have. The casts cost nothing where a column has its type already, and filters and projections reach the files (EXPLAIN in
// 1.1.3 and 1.5.6).
func selection(t *schemas.Table, from source) string { return selected(t, from(t, false), everything) }

// monthly is a selection with the column month. DuckDB opens no files of other months than those that a condition on it leaves, be it
// known only when the query is under way (1.5.6 and 2.0.1, where it stands in a semi join with run_date): so a question about one night
// does not look into all that was ever bought.
func monthly(t *schemas.Table, from source, wanted func(column string) bool) string {
	where := from(t, true)
	if where == "" {
		return selected(t, where, wanted, "NULL::VARCHAR AS month")
	}
	return selected(t, where, wanted, "month")
}

// selected selects a table's wanted columns, and more, from where its rows are; no row where that is nowhere.
func selected(t *schemas.Table, where string, wanted func(column string) bool, more ...string) string {
	var columns []string
	for _, c := range t.Columns() {
		if !wanted(c.Name) {
			continue
		}
		value := ident(c.Name)
		if where == "" {
			value = "NULL"
		}
		columns = append(columns, fmt.Sprintf("CAST(%s AS %s) AS %s", value, c.Type, ident(c.Name)))
	}
	if columns = append(columns, more...); len(columns) == 0 { // rows alone are counted
		columns = []string{"NULL"}
	}
	if where == "" {
		return "SELECT " + strings.Join(columns, ", ") + " WHERE false"
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM " + where
}

// literals returns the paths as SQL texts, with what DuckDB would take for a pattern escaped.
func literals(paths []string) string {
	texts := make([]string, len(paths))
	for i, path := range paths {
		texts[i] = quote(escapePattern.Replace(path))
	}
	return strings.Join(texts, ", ")
}

var escapePattern = strings.NewReplacer("[", "[[]", "*", "[*]")

// comments returns the statements that tell the meanings of a table and its columns to whoever asks DuckDB.
func comments(t *schemas.Table) string {
	var b strings.Builder
	fmt.Fprintf(&b, "COMMENT ON VIEW %s IS %s;\n", name(t), quote(t.Meaning))
	for _, c := range t.Columns() {
		text := c.Meaning
		if c.Unit != "" {
			text += " [" + c.Unit + "]"
		}
		fmt.Fprintf(&b, "COMMENT ON COLUMN %s.%s IS %s;\n", name(t), ident(c.Name), quote(text))
	}
	return b.String()
}

func name(t *schemas.Table) string { return ident(t.Schema) + "." + ident(t.Name) }

// ident quotes a name for SQL.
func ident(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// quote quotes a text for SQL.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
