package duckdb

import (
	"fmt"
	"strings"

	"backhaul/schemas"
)

// Script returns SQL that has a DuckDB of somebody else's read a warehouse out of an object store: a view for each table over the files
// that it has now, by their addresses (a pattern would take in what is no part of the table), and in a script of its own what is derived
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
	for _, one := range d.all {
		to := &derived
		if one.table != nil && !strings.HasPrefix(one.name, helping) {
			to = &plain
		}
		head := one.head
		if head == "" { // elsewhere these are only put into others
			head = "CREATE VIEW " + one.name + " AS"
		}
		fmt.Fprintf(to, "%s %s;\n%s", replacing.Replace(head), one.body, one.comments)
	}
	return plain.String(), derived.String(), nil
}

// replacing has a script be read again.
var replacing = strings.NewReplacer("CREATE VIEW", "CREATE OR REPLACE VIEW", "CREATE MACRO", "CREATE OR REPLACE MACRO")

// addressed reads tables from files at addresses, in directories of their months. Each of them may lack columns.
func addressed(files map[string][]string) source {
	return func(t *schemas.Table, month bool) string {
		if len(files[t.FullName()]) == 0 {
			return ""
		}
		options, none := "hive_partitioning => false", columnsOf(t)
		if month {
			options, none = "hive_partitioning => true, hive_types => {month: VARCHAR}", append(none, "NULL::VARCHAR AS month")
		}
		return fmt.Sprintf("(SELECT %s WHERE false UNION ALL BY NAME SELECT * FROM read_parquet([%s], %s, union_by_name => true))",
			strings.Join(none, ", "), literals(files[t.FullName()]), options)
	}
}
