package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"
)

// askOutside asks as another program does that has the warehouse's catalog before it, if one is named, and may read the lake's
// files as well, which the program's own queries may not.
func askOutside[T any](t testing.TB, warehouse, query string) []T {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if warehouse != "" {
		if _, err := db.Exec(fmt.Sprintf("ATTACH '%s' AS catalog (READ_ONLY); USE catalog", filepath.Join(warehouse, "catalog.duckdb"))); err != nil {
			t.Fatal(err)
		}
	}
	var text string
	if err := db.QueryRow("SELECT coalesce(to_json(list(answer)), '[]')::VARCHAR FROM (" + query + ") answer").Scan(&text); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	var rows []T
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		t.Fatalf("%s: %v\n%s", query, err, text)
	}
	return rows
}
