package duckdb

import (
	"fmt"
	"strings"

	"backhaul/schemas"
)

// view returns the statement that declares a table's view over the files, which may be none.
//
// The view's columns are the declared ones, whatever the files have: an empty table of the declared columns is
// put above the files by name, so that a column missing from older files is null, and the casts hold the types
// where a file has others. Both cost nothing: DuckDB drops the empty half and casts to the type a column has
// already, and pushes filters and projections down to the files (EXPLAIN in 1.1.3 and 1.5.5).
func view(t *schemas.Table, files []string) string {
	return "CREATE VIEW " + name(t) + " AS " + selection(t, files)
}

func selection(t *schemas.Table, files []string) string {
	empty, casts := make([]string, len(t.Columns())), make([]string, len(t.Columns()))
	for i, c := range t.Columns() {
		empty[i] = fmt.Sprintf("NULL::%s AS %s", c.Type, ident(c.Name))
		casts[i] = fmt.Sprintf("CAST(%s AS %s) AS %[1]s", ident(c.Name), c.Type)
	}
	from := fmt.Sprintf("SELECT %s WHERE false", strings.Join(empty, ", "))
	if len(files) > 0 {
		from += fmt.Sprintf(" UNION ALL BY NAME SELECT * FROM read_parquet([%s], union_by_name => true, hive_partitioning => false)",
			literals(files))
	}
	return fmt.Sprintf("SELECT %s FROM (%s)", strings.Join(casts, ", "), from)
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
