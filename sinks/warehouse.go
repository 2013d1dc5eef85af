package sinks

import (
	"path/filepath"
	"regexp"
	"time"
)

// Warehouse names the places of a warehouse. All methods are pure: they look at no disk.
type Warehouse struct {
	// Root is the warehouse's directory. The catalog's views name the lake by absolute path, so Root should be
	// absolute where a catalog is built.
	Root string
}

// Lake returns the directory of the Parquet files.
func (w Warehouse) Lake() string { return filepath.Join(w.Root, "lake") }

// Table returns the directory of one table: lake/moz/anchor_text.
func (w Warehouse) Table(schema, table string) string {
	return filepath.Join(w.Lake(), schema, table)
}

// Partition returns the directory of the table's files of date's month: lake/moz/anchor_text/month=2026-11.
func (w Warehouse) Partition(schema, table string, date time.Time) string {
	return filepath.Join(w.Table(schema, table), "month="+date.Format("2006-01"))
}

// File returns the path of the one file that holds the job's rows of date:
// lake/moz/anchor_text/month=2026-11/nightly.2026-11-23.parquet.
func (w Warehouse) File(schema, table, job string, date time.Time) string {
	return filepath.Join(w.Partition(schema, table, date), FileName(job, date))
}

// Versions returns the directory where the catalog keeps the contents of the table's files under names of their
// own, so that a query goes on reading what it began with when a file of the lake is replaced: hard links, which
// take no room as long as the lake has the file. The program's own, not an interface.
func (w Warehouse) Versions(schema, table string) string {
	return filepath.Join(w.Root, "versions", schema, table)
}

// Staging returns the directory of files not yet published. It lies in the warehouse so that publishing is a
// rename within one filesystem.
func (w Warehouse) Staging() string { return filepath.Join(w.Root, "staging") }

// Catalog returns the path of the DuckDB file.
func (w Warehouse) Catalog() string { return filepath.Join(w.Root, "catalog.duckdb") }

// Journal returns the directory of the pages as they were bought.
func (w Warehouse) Journal() string { return filepath.Join(w.Root, "journal") }

// JournalOf is where the journal of a job's run for a date, YYYY-MM-DD, lies.
func (w Warehouse) JournalOf(job, runDate string) string {
	return filepath.Join(w.Journal(), job, runDate+".sqlite")
}

// Ledger returns the path of the account of runs.
func (w Warehouse) Ledger() string { return filepath.Join(w.Root, "ledger.sqlite") }

// FileName returns the name of the file of one job and run date: nightly.2026-11-23.parquet.
func FileName(job string, date time.Time) string {
	return job + "." + date.Format(time.DateOnly) + ".parquet"
}

var fileName = regexp.MustCompile(`^([a-z0-9-]+)\.(\d{4}-\d{2}-\d{2})\.parquet$`)

// ParseFileName is the inverse of FileName. It reports false for any other name, such as a compacted month's.
func ParseFileName(name string) (job string, date time.Time, ok bool) {
	m := fileName.FindStringSubmatch(name)
	if m == nil {
		return "", time.Time{}, false
	}
	date, err := time.Parse(time.DateOnly, m[2])
	return m[1], date, err == nil
}
