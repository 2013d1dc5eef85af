package sinks

import (
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Warehouse names the places of a warehouse. All methods are pure: they look at no disk.
type Warehouse struct {
	// Root is the warehouse's directory. The catalog's views name the lake by absolute path, so Root should be absolute
	// where a catalog is built.
	Root string
}

// Lake returns the directory of the Parquet files.
func (w Warehouse) Lake() string { return filepath.Join(w.Root, "lake") }

// Table returns the directory of one table: lake/moz/anchor_text.
func (w Warehouse) Table(schema, table string) string {
	return filepath.Join(w.Lake(), schema, table)
}

// Month returns the directory of the table's files of date's month: lake/moz/anchor_text/month=2026-11.
func (w Warehouse) Month(schema, table string, date time.Time) string {
	return filepath.Join(w.Table(schema, table), "month="+date.Format("2006-01"))
}

// SchemaMonth returns the directory of the one file without rows that has a table's columns, so that a table is never
// without them. No run is of that month, which comes before all others: readers that take the first file's columns for
// everybody's take today's.
func (w Warehouse) SchemaMonth(schema, table string) string {
	return filepath.Join(w.Table(schema, table), "month=0000-00")
}

// Staging returns the directory of files not yet published. It lies in the warehouse so that publishing is a
// rename within one filesystem.
func (w Warehouse) Staging() string { return filepath.Join(w.Root, "staging") }

// Catalog returns the path of the DuckDB file.
func (w Warehouse) Catalog() string { return filepath.Join(w.Root, "catalog.duckdb") }

// Replaced returns the directory of what was taken out of the lake, where it stays for those who were just reading it.
func (w Warehouse) Replaced() string { return filepath.Join(w.Staging(), ".replaced") }

// Journal returns the directory of the pages as they were bought.
func (w Warehouse) Journal() string { return filepath.Join(w.Root, "journal") }

// JournalOf is where the journal of a job's run for a date, YYYY-MM-DD, lies.
func (w Warehouse) JournalOf(job, runDate string) string {
	return filepath.Join(w.Journal(), job, runDate+".sqlite")
}

// Elsewhere returns the path of the note that says in which database the ledger and the journals are, where they are in one.
func (w Warehouse) Elsewhere() string { return filepath.Join(w.Root, "database.txt") }

// Kept returns the directory of the replies that were paid for and could not be entered in a database, of a job's run for a date.
func (w Warehouse) Kept(job, runDate string) string {
	return filepath.Join(w.Root, "kept", job, runDate)
}

// Reports returns the directory of the reports about runs, for people.
func (w Warehouse) Reports() string { return filepath.Join(w.Root, "reports") }

// ReportOf is where the report about a job's run for a date, YYYY-MM-DD, lies.
func (w Warehouse) ReportOf(job, runDate string) string {
	return filepath.Join(w.Reports(), job+"."+runDate+".html")
}

// ReportDate returns the date of the run that a file of reports is about, of the first where two are compared. It reports false
// for a file of any other name.
func ReportDate(file string) (time.Time, bool) {
	m := reportName.FindStringSubmatch(file)
	if m == nil {
		return time.Time{}, false
	}
	date, err := time.Parse(time.DateOnly, m[1])
	return date, err == nil
}

// Ledger returns the path of the account of runs.
func (w Warehouse) Ledger() string { return filepath.Join(w.Root, "ledger.sqlite") }

// Notices is where what a job's notices have told is kept.
func (w Warehouse) Notices(job string) string {
	return filepath.Join(w.Root, "notices", job+".json")
}

// Name is what the name of a file in the lake says. It never means other bytes: ID is made of them.
type Name struct {
	// Job and Date are those of the one run whose rows the file has. Where they are zero the file has a month's runs.
	Job  string
	Date time.Time
	// Month is the month of all its rows, as 2026-11.
	Month string
	// ID is made of the file's bytes; "" in warehouses of earlier versions, whose files were replaced under the same name.
	ID string
}

// OfRun is the name of a file with the rows of one run.
func OfRun(job string, date time.Time, id string) Name {
	return Name{Job: job, Date: date, Month: date.Format("2006-01"), ID: id}
}

// String returns nightly.2026-11-23.0123456789abcdef.parquet, or 2026-11.0123456789abcdef.parquet.
func (n Name) String() string {
	parts := []string{n.Month}
	if n.Job != "" {
		parts = []string{n.Job, n.Date.Format(time.DateOnly)}
	}
	if n.ID != "" {
		parts = append(parts, n.ID)
	}
	return strings.Join(append(parts, "parquet"), ".")
}

// IsOf reports whether the file has the rows of that run and no others.
func (n Name) IsOf(job string, date time.Time) bool {
	return n.Job == job && n.Date.Format(time.DateOnly) == date.Format(time.DateOnly)
}

var (
	runName    = regexp.MustCompile(`^([a-z0-9-]+)\.(\d{4}-\d{2}-\d{2})(?:\.([0-9a-f]{16}))?\.parquet$`)
	reportName = regexp.MustCompile(`^[a-z0-9-]+\.(\d{4}-\d{2}-\d{2})(?:\.[a-z0-9-]+\.\d{4}-\d{2}-\d{2})?\.html$`)
	monthName  = regexp.MustCompile(`^(\d{4}-\d{2})\.([0-9a-f]{16})\.parquet$`)
)

// ParseName is the inverse of Name.String. It reports false for any other name.
func ParseName(file string) (Name, bool) {
	if m := monthName.FindStringSubmatch(file); m != nil {
		return Name{Month: m[1], ID: m[2]}, true
	}
	m := runName.FindStringSubmatch(file)
	if m == nil {
		return Name{}, false
	}
	date, err := time.Parse(time.DateOnly, m[2])
	return OfRun(m[1], date, m[3]), err == nil
}
