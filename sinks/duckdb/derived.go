package duckdb

import (
	_ "embed"
	"encoding/json"
)

// Described is a view that the catalog derives, as it describes itself.
type Described struct {
	Name    string            `json:"name"`
	Meaning string            `json:"meaning"`
	Columns []DescribedColumn `json:"columns"`
}

// DescribedColumn is one of its columns. Meaning ends with the unit in brackets, where there is one.
type DescribedColumn struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Meaning string `json:"meaning"`
}

// described is what DuckDB finds out about the marts when it makes them, which takes half a second. A test holds it to that.
//
//go:embed derived.json
var described []byte

// Derived returns the views of the catalog that are not declared tables, by name: the marts.
func Derived() (all []Described, err error) {
	err = json.Unmarshal(described, &all)
	return all, err
}
