package duckdb

import (
	"fmt"
	"regexp"
	"strings"

	"backhaul/schemas"
)

// Script returns SQL that has a DuckDB of somebody else's read a warehouse out of an object store: views for each table over the files
// that it has now, by their addresses (a pattern would take in what is not part of the table), and in a script of its own what is derived
// from them, which takes longer to declare, since DuckDB looks into the files of whatever a view names. files are the addresses by the
// tables' full names.
func Script(files map[string][]string) (tables, marts string, err error) {
	d, err := declare(schemas.All(), addressed(files))
	if err != nil {
		return "", "", err
	}
	var plain, derived strings.Builder
	plain.WriteString("-- The tables of a backhaul warehouse as they are now. DuckDB needs its extension httpfs (azure for abfss://) and a secret, say\n" +
		"-- CREATE SECRET (TYPE s3, PROVIDER credential_chain); read marts.sql after this for what is derived.\nINSTALL httpfs;\nLOAD httpfs;\n")
	for _, schema := range append(d.schemas, strings.TrimSuffix(helping, ".")) {
		fmt.Fprintf(&plain, "CREATE SCHEMA IF NOT EXISTS %s;\n", ident(schema))
	}
	derived.WriteString("-- What is derived from the tables of catalog.sql, which must have been read before.\n")
	for i, one := range d.all {
		to := &derived
		switch {
		case one.table != nil: // and its files by months: whoever reads this script again has the new ones in all that is derived
			to = &plain
		case strings.HasPrefix(one.name, helping):
			continue
		}
		head := one.head
		if head == "" { // elsewhere these are only put into others
			head = "CREATE VIEW " + one.name + " AS"
		}
		fmt.Fprintf(to, "%s %s;\n%s", replacing.Replace(head), apart(d.overTables(one), i), one.comments())
	}
	return plain.String(), derived.String(), nil
}

// overTables is inlined, but that tables are named: a hundred files in every view that reads them would be a script of megabytes.
func (d *declarations) overTables(one *declaration) string {
	return d.replaced(one.body(), func(other *declaration) string {
		if other.table != nil {
			return ""
		}
		return d.overTables(other)
	})
}

var window = regexp.MustCompile(`\b(WINDOW |OVER \(?)([a-z]+)\b`)

// apart gives the windows of a statement names of their own: DuckDB refuses two of one name in statements that it is handed together.
func apart(statement string, no int) string {
	return window.ReplaceAllString(statement, fmt.Sprintf("${1}${2}_%d", no))
}

// replacing has a script be read again.
var replacing = strings.NewReplacer("CREATE VIEW", "CREATE OR REPLACE VIEW", "CREATE MACRO", "CREATE OR REPLACE MACRO")

// addressed reads tables from files at addresses, in directories of their months. Each of them may lack columns.
func addressed(files map[string][]string) source {
	return func(t *schemas.Table, month bool) string {
		if len(files[t.FullName()]) == 0 {
			return ""
		}
		if !month {
			return only(files[t.FullName()])(t, month)
		}
		return these(files[t.FullName()], append(columnsOf(t), "NULL::VARCHAR AS month"), "hive_partitioning => true, hive_types => {month: VARCHAR}")
	}
}
