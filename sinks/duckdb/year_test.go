package duckdb

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/internal/sample"
	"backhaul/sinks/lake"
)

// yearVariable makes the year of the benchmark smaller: rows a night.
const yearVariable = "BACKHAUL_YEAR_ROWS"

// BenchmarkYear asks an analyst's first questions of 365 nights of 100 targets with 1,000 anchor texts each, of which ten a night are new, past months merged,
// over a connection that stays open and remembers footers, as the warehouse's README has it, and the same of DuckDB's own files of the
// same rows by month, in the order that suits it best. Times are the best of many, in ms; ratios are to DuckDB's own. What working out a night's changes takes is told as a ratio
// to the same on the tenth night.
func BenchmarkYear(b *testing.B) {
	rows := 100_000
	if text := os.Getenv(yearVariable); text != "" {
		rows, _ = strconv.Atoi(text)
	}
	w, last := warehouse(b), time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	y := year{b: b, w: w, rows: rows}
	var tenth time.Duration
	for n := range 365 {
		date := last.AddDate(0, 0, n-364)
		y.night(date)
		if n == 9 {
			tenth = y.changes(date)
		}
	}
	mustBuildOnly(b, w)
	var latest time.Duration
	for n := range 8 {
		latest = y.changes(last.AddDate(0, 0, n-7))
	}
	s := y.client()
	from := y.own(s)
	const target, first, second = "target-0000042.com", "2026-11-01", "2026-11-27"
	// Who asks DuckDB's own files must find the night himself, but need not know which were whole.
	by := func(date string) string {
		of := fmt.Sprintf("FROM %s WHERE target = '%s'", from, target)
		return fmt.Sprintf("(SELECT anchor_text %s AND run_date = (SELECT max(run_date) %[1]s AND run_date <= DATE '%[2]s'))", of, date)
	}
	questions := []struct{ name, ours, own string }{
		{"history", "SELECT run_date, count(*), sum(external_pages) FROM moz.anchor_text WHERE target = '" + target + "' GROUP BY 1",
			"SELECT run_date, count(*), sum(external_pages) FROM " + from + " WHERE target = '" + target + "' GROUP BY 1"},
		{"current", "SELECT count(*) FROM marts.anchors_current WHERE target = '" + target + "'", "SELECT count(*) FROM " + by(second)},
		{"between", fmt.Sprintf("FROM marts.anchors_between('%s', DATE '%s', DATE '%s')", target, first, second),
			"FROM " + by(second) + " c FULL JOIN " + by(first) + " p USING (anchor_text) WHERE c.anchor_text IS NULL OR p.anchor_text IS NULL"},
		{"news", "FROM marts.anchor_changes WHERE run_date > DATE '2026-11-20'", ""},
	}
	var all []string
	for _, q := range questions {
		if all = append(all, q.ours); q.own != "" {
			all = append(all, q.own)
		}
	}
	best := y.best(s, all)
	for _, q := range questions {
		b.Run(q.name, func(b *testing.B) {
			b.ReportMetric(float64(best[q.ours].Microseconds())/1000, "ms")
			if q.own != "" {
				b.ReportMetric(float64(best[q.ours])/float64(best[q.own]), "of-own")
			}
		})
	}
	b.Run("changes", func(b *testing.B) {
		b.ReportMetric(float64(latest.Milliseconds()), "ms")
		b.ReportMetric(float64(latest)/float64(tenth), "of-tenth")
	})
}

// changes works out what changed on a night, and returns how long that took.
func (y *year) changes(date time.Time) time.Duration {
	begin := time.Now()
	changed(y.b, y.w, "nightly", date)
	return time.Since(begin)
}

// own has DuckDB write the rows of each month into a file, and returns what to read them from.
func (y *year) own(s *direct) (from string) {
	y.b.Helper()
	dir := y.b.TempDir()
	months, err := lake.Lake{Warehouse: y.w}.Months(schemas.Lookup("moz.anchor_text"))
	if err != nil {
		y.b.Fatal(err)
	}
	for _, month := range months {
		y.must(s, fmt.Sprintf("COPY (SELECT * FROM moz.anchor_text WHERE date_trunc('month', run_date) = %s ORDER BY target, scope, anchor_text, run_date) TO %s (FORMAT parquet, COMPRESSION zstd)",
			sqlDate(month), quote(filepath.Join(dir, month.Format("2006-01")+".parquet"))))
	}
	return "read_parquet(" + quote(filepath.Join(dir, "*.parquet")) + ")"
}

// year is a warehouse under construction.
type year struct {
	b    *testing.B
	w    sinks.Warehouse
	rows int
	last time.Time
}

// night publishes a night, and merges the month before it when it is over.
func (y *year) night(date time.Time) {
	table := schemas.Lookup("moz.anchor_text")
	shape := sample.NewShape(memory.DefaultAllocator, table, y.rows/100).Of("nightly", date).Steady(y.rows / 100 / 100)
	batch := shape.Next(y.rows - date.Day()%7)
	put(y.b, y.w, table, "nightly", date, batch)
	batch.Release()
	y.tasks(date)
	if !y.last.IsZero() && y.last.Month() != date.Month() {
		merge(y.b, y.w, "moz.anchor_text", y.last)
		merge(y.b, y.w, "ops.tasks", y.last)
	}
	y.last = date
}

// tasks writes that each of the hundred lists was bought to its end.
func (y *year) tasks(date time.Time) {
	table := schemas.Lookup("ops.tasks")
	build := schemas.NewBuilder(memory.DefaultAllocator, table)
	defer build.Release()
	for n := range 100 {
		row := build.Row()
		for i, c := range table.Columns() {
			switch {
			case !c.Required:
			case c.Type == schemas.String:
				row.SetString(i, "x")
			case c.Type == schemas.Bool:
				row.SetBool(i, true)
			default:
				row.SetInt(i, 0)
			}
		}
		target := fmt.Sprintf("target-%07d.com", n+1)
		for column, text := range map[string]string{"job": "nightly", "extract": "sample", "endpoint": "moz/anchor_text", "ending": "end of list",
			"target": target, "scope": "root_domain", "question": "q", "task_id": target} {
			row.SetString(table.Index(column), text)
		}
		row.SetInt(table.Index("run_date"), int64(arrow.Date32FromTime(date)))
		build.Append()
	}
	batch := build.Batch()
	defer batch.Release()
	put(y.b, y.w, table, "nightly", date, batch)
}

// client is a session as DuckDB's shell and its Python have them, where a question is planned once: database/sql prepares it first. It
// remembers footers.
func (y *year) client() *direct {
	y.b.Helper()
	s, err := openDirect()
	if err != nil {
		y.b.Fatal(err)
	}
	y.b.Cleanup(s.close)
	for _, sql := range []string{"ATTACH " + quote(y.w.Catalog()) + " (READ_ONLY)", "USE catalog", "SET parquet_metadata_cache = true"} {
		y.must(s, sql)
	}
	return s
}

func (y *year) must(s *direct, sql string) {
	y.b.Helper()
	if err := s.put(sql); err != nil {
		y.b.Fatalf("%s: %s", sql, err)
	}
}

// best is the shortest time that each question takes. It is put many times in a row, as whoever looks at a target does, and they take
// turns for as long as it takes a busy machine to be quiet once.
func (y *year) best(s *direct, questions []string) map[string]time.Duration {
	y.b.Helper()
	best := map[string]time.Duration{}
	for range 10 {
		for _, sql := range questions {
			for range 20 {
				begin := time.Now()
				y.must(s, sql)
				if took := time.Since(begin); best[sql] == 0 || took < best[sql] {
					best[sql] = took
				}
			}
		}
	}
	return best
}
