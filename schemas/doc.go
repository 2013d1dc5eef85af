// Package schemas says what a row is: one declaration per table, and nothing else in the program
// spells a column.
//
// A [Table] lists its columns with type, meaning, unit and vendor source. The Arrow schema (and with it the
// Parquet file, its field metadata and the DuckDB view), the text of `backhaul tables` and the row decoder of
// every vendor surface are derived from it. Column names are a promise to users: they are the vendor's own
// (Moz: Links API V2; Ahrefs: v3), whichever surface delivered the row.
//
// The package knows no vendor protocol, no file and no SQL.
package schemas
