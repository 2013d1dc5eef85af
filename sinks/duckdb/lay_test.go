package duckdb

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/internal/sample"
)

// book is a job whose nights a test writes down.
type book struct {
	t   testing.TB
	w   sinks.Warehouse
	job string
}

// date returns a night of the tests, from 1: the first lies six nights before the end of a month.
func date(n int) time.Time { return time.Date(2026, 11, 24+n, 0, 0, 0, 0, time.UTC) }

// day spells it.
func day(n int) string { return date(n).Format(time.DateOnly) }

// lay publishes rows as what a night's run has of a table. header names the columns; a row is its values, parted by |, with
// spaces around them that do not count: - is null, , parts lists. Required columns that the header does not name get a value.
func (b book) lay(n int, name, header string, rows ...string) {
	b.t.Helper()
	table := schemas.Lookup(name)
	if table == nil {
		b.t.Fatalf("no table %s", name)
	}
	build := schemas.NewBuilder(memory.DefaultAllocator, table)
	defer build.Release()
	lines := make([]map[string]string, len(rows))
	for i, line := range rows {
		lines[i] = b.parse(table, strings.Fields(header), line)
	}
	slices.SortStableFunc(lines, func(x, y map[string]string) int {
		return cmp.Or(strings.Compare(x["target"], y["target"]), strings.Compare(x["scope"], y["scope"]))
	})
	for i, line := range lines {
		o := b.origin(n, line)
		if i > 0 && o.Target == lines[i-1]["target"] && o.Scope == lines[i-1]["scope"] {
			o.Rank = build.NextRank()
		}
		build.Begin(o)
		row := build.Row()
		b.own(row, table, n, line)
		build.Append()
	}
	batch := build.Batch()
	defer batch.Release()
	put(b.t, b.w, table, b.job, date(n), batch)
}

// parse returns a row's values by column, without the nulls.
func (b book) parse(table *schemas.Table, columns []string, line string) map[string]string {
	b.t.Helper()
	values := strings.Split(line, "|")
	if len(values) != len(columns) {
		b.t.Fatalf("%s: %q has %d values, want %d", table.FullName(), line, len(values), len(columns))
	}
	given := map[string]string{}
	for i, c := range columns {
		if table.Index(c) < 0 {
			b.t.Fatalf("%s has no column %s", table.FullName(), c)
		}
		if v := strings.TrimSpace(values[i]); v != "-" {
			given[c] = v
		}
	}
	return given
}

func (b book) origin(n int, given map[string]string) schemas.Origin {
	o := sample.Origin(given["target"])
	o.Scope, o.Job, o.Extract, o.RunID = given["scope"], b.job, given["extract"], b.job+strconv.Itoa(n)
	o.RunDate, o.FetchedAt, o.Rank = arrow.Date32FromTime(date(n)), date(n).Add(time.Hour), 1
	return o
}

func (b book) own(row *schemas.Row, table *schemas.Table, n int, given map[string]string) {
	for i, c := range table.Own {
		v, ok := given[c.Name]
		switch {
		case !table.Vendor() && c.Name == "job":
			row.SetString(i, b.job)
		case !table.Vendor() && c.Name == "run_id":
			row.SetString(i, b.job+strconv.Itoa(n))
		case !table.Vendor() && c.Name == schemas.ColRunDate:
			row.SetInt(i, int64(arrow.Date32FromTime(date(n))))
		case ok:
			b.set(row, i, c, v)
		case c.Required:
			b.set(row, i, c, map[schemas.Type]string{schemas.String: "x", schemas.Bool: "true", schemas.Timestamp: "1", schemas.Date: day(n)}[c.Type])
		}
	}
}

func (b book) set(row *schemas.Row, i int, c schemas.Column, v string) {
	b.t.Helper()
	switch c.Type {
	case schemas.String:
		row.SetString(i, v)
	case schemas.Bool:
		row.SetBool(i, v == "true")
	case schemas.Strings:
		row.SetStrings(i, strings.Split(v, ","))
	case schemas.Date:
		d, err := time.Parse(time.DateOnly, v)
		if err != nil {
			b.t.Fatal(err)
		}
		row.SetInt(i, int64(arrow.Date32FromTime(d)))
	case schemas.Float64:
		f, err := strconv.ParseFloat(v, 64)
		if err != nil {
			b.t.Fatal(err)
		}
		row.SetFloat(i, f)
	default:
		k := int64(0)
		if v != "" {
			var err error
			if k, err = strconv.ParseInt(v, 10, 64); err != nil {
				b.t.Fatalf("%s: %v", c.Name, err)
			}
		}
		row.SetInt(i, k)
	}
}

// csv asks a question and returns the lines of the answer without the header.
func (b book) csv(sql string) []string {
	b.t.Helper()
	lines := strings.Split(strings.TrimSuffix(ask(b.t, b.w, sql, CSV), "\n"), "\n")
	return lines[1:]
}

func sorted(lines []string) []string { return slices.Sorted(slices.Values(lines)) }
