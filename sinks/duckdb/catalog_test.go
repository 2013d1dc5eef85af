package duckdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/blob"
	"backhaul/sinks/compact"
	"backhaul/sinks/internal/sample"
	"backhaul/sinks/lake"
	"backhaul/sinks/parquet"
)

var night = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// warehouse returns an empty one whose path has all the characters that need quoting.
func warehouse(t testing.TB) sinks.Warehouse {
	return sinks.Warehouse{Root: filepath.Join(t.TempDir(), `Bob's "ware house" [1] *`)}
}

// put puts the batch into the lake as the file of (job, date).
func put(t testing.TB, w sinks.Warehouse, table *schemas.Table, job string, date time.Time, batch arrow.RecordBatch) {
	t.Helper()
	putAll(t, w, table, job, date, func(yield func(arrow.RecordBatch, error) bool) {
		batch.Retain()
		yield(batch, nil)
	})
}

// putAll publishes batches, which it releases, as what a table has of a run; no file if there is none, but of the lists that are whole.
func putAll(t testing.TB, w sinks.Warehouse, table *schemas.Table, job string, date time.Time, batches iter.Seq2[arrow.RecordBatch, error]) {
	t.Helper()
	st, err := blob.FS{}.OpenStaging(w.Staging(), table.Name+job+date.Format(time.DateOnly))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	out, err := parquet.Create(st.FS, st.Path("f.parquet"), table, parquet.Options{})
	if err != nil {
		t.Fatal(err)
	}
	came := table == schemas.WholeSpans()
	for batch, err := range batches {
		if err == nil {
			came, err = true, out.Write(batch)
			batch.Release()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	staged, err := out.Close()
	if err != nil {
		t.Fatal(err)
	}
	if !came {
		return
	}
	if _, err := (lake.Lake{Warehouse: w}).Publish(context.Background(), table, job, date, staged.Path); err != nil {
		t.Fatal(err)
	}
	if table.FullName() == "ops.tasks" {
		wholeLists(t, w, job, time.Date(date.Year(), date.Month(), 1, 0, 0, 0, 0, time.UTC))
	}
}

// wholeLists writes down which nights of a month can be compared, as runs do when they are published.
func wholeLists(t testing.TB, w sinks.Warehouse, job string, month time.Time) {
	t.Helper()
	days := Days{From: month, Until: month.AddDate(0, 1, 0)}
	err := WholeLists(context.Background(), w, job, days, func(string) (Days, error) { return days, nil }, func(job string, batches iter.Seq2[arrow.RecordBatch, error]) error {
		putAll(t, w, schemas.WholeSpans(), job, days.Year(), batches)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// empty is a lake of nothing but files without rows. It is made once, since that is hundreds of system calls.
var empty = sync.OnceValues(func() (root string, err error) {
	if root, err = os.MkdirTemp("", "backhaul-empty-"); err != nil {
		return "", err
	}
	w := sinks.Warehouse{Root: root}
	for _, table := range schemas.All() {
		if err := columns(w)(context.Background(), table); err != nil {
			return "", err
		}
	}
	return root, nil
})

func TestMain(m *testing.M) {
	status := m.Run()
	if root, err := empty(); err == nil {
		_ = os.RemoveAll(root)
	}
	os.Exit(status)
}

// compare works out what changed from night to night, as runs do when they are published.
func compare(t testing.TB, w sinks.Warehouse) {
	t.Helper()
	if files, _ := filepath.Glob(filepath.Join(globEscape.Replace(w.Table("ops", "tasks")), "month=2*", "*")); len(files) == 0 {
		return
	}
	_, nights, err := Select(context.Background(), w, "SELECT DISTINCT job, run_date FROM ops.tasks ORDER BY ALL")
	if err != nil {
		t.Fatal(err)
	}
	for _, night := range nights {
		changed(t, w, night[0].(string), night[1].(time.Time))
	}
}

// changed works out what changed on one night, and on those after it.
func changed(t testing.TB, w sinks.Warehouse, job string, night time.Time) {
	t.Helper()
	for _, later := range changedUntil(t, w, job, night) {
		changedUntil(t, w, job, later)
	}
}

func changedUntil(t testing.TB, w sinks.Warehouse, job string, night time.Time) (later []time.Time) {
	t.Helper()
	later, err := Changes(context.Background(), w, job, night, func(table *schemas.Table, batches iter.Seq2[arrow.RecordBatch, error]) error {
		putAll(t, w, table, job, night, batches)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return later
}

// columns writes the files without rows.
func columns(w sinks.Warehouse) Columns {
	return func(ctx context.Context, table *schemas.Table) error {
		st, err := blob.FS{}.OpenStaging(w.Staging(), "columns")
		if err != nil {
			return err
		}
		defer st.Close()
		return lake.Lake{Warehouse: w}.Columns(ctx, table, func(table *schemas.Table) (sinks.Writer, error) {
			return parquet.Create(st.FS, st.Path("f.parquet"), table, parquet.Options{})
		})
	}
}

// merge merges a table's month.
func merge(t testing.TB, w sinks.Warehouse, table string, month time.Time) {
	t.Helper()
	if err := mergeBy(t, w, table, month, Sort); err != nil {
		t.Fatal(err)
	}
}

// mergeBy merges a table's month, whose rows something else puts in order.
func mergeBy(t testing.TB, w sinks.Warehouse, table string, month time.Time, sort func(context.Context, sinks.Sorting) error) error {
	t.Helper()
	st, err := blob.FS{}.OpenStaging(w.Staging(), "merge")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	made := 0
	l := lake.Lake{Warehouse: w, Merger: compact.Merger{Sort: sort,
		Create: func(table *schemas.Table, o parquet.Options) (*parquet.Writer, error) {
			made++
			return parquet.Create(st.FS, st.Path(fmt.Sprintf("%d.parquet", made)), table, o)
		},
		Scratch: func() (string, func() error, error) {
			dir := st.Path("scratch")
			return dir, func() error { return os.RemoveAll(dir) }, os.MkdirAll(dir, 0o777)
		},
	}}
	_, err = l.Compact(context.Background(), schemas.Lookup(table), month)
	return err
}

// published returns the path of a run's file.
func published(t testing.TB, w sinks.Warehouse, table, job string, date time.Time) string {
	t.Helper()
	files, _, err := lake.Lake{Warehouse: w}.Of(schemas.Lookup(table), job, date)
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	return files[0].Path
}

// outside opens the published catalog as another tool does.
func outside(t testing.TB, w sinks.Warehouse) *session {
	t.Helper()
	s, err := openSession(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.close() })
	if err := s.exec(context.Background(), "ATTACH "+quote(w.Catalog())+" (READ_ONLY)", "USE catalog"); err != nil {
		t.Fatal(err)
	}
	return s
}

// remembering is outside in a session that reads each file's footer once.
func remembering(t testing.TB, w sinks.Warehouse) *session {
	t.Helper()
	s := outside(t, w)
	if err := s.exec(context.Background(), "SET parquet_metadata_cache = true"); err != nil {
		t.Fatal(err)
	}
	return s
}

// anchors publishes a night of anchor texts of a.com: text and external_root_domains.
func anchors(t testing.TB, w sinks.Warehouse, job string, date time.Time, texts map[string]int64) {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	table := schemas.Lookup("moz.anchor_text")
	b := schemas.NewBuilder(mem, table)
	defer b.Release()
	o := sample.Origin("a.com")
	o.RunDate = arrow.Date32FromTime(date)
	b.Begin(o)
	for _, text := range slices.Sorted(maps.Keys(texts)) {
		row := b.Row()
		row.SetString(0, text)
		row.SetInt(1, texts[text])
		row.SetInt(2, 2*texts[text])
		b.Append()
	}
	batch := b.Batch()
	defer batch.Release()
	put(t, w, table, job, date, batch)
}

// task writes how the list of a.com ended on a night.
func task(t testing.TB, w sinks.Warehouse, job string, date time.Time, ending string, published bool) {
	t.Helper()
	table := schemas.Lookup("ops.tasks")
	b := schemas.NewBuilder(memory.DefaultAllocator, table)
	defer b.Release()
	o, row := sample.Origin("a.com"), b.Row()
	for i, c := range table.Columns() {
		switch {
		case c.Type == schemas.String:
			row.SetString(i, "x")
		case c.Type == schemas.Bool:
			row.SetBool(i, true)
		default:
			row.SetInt(i, 0)
		}
	}
	for column, text := range map[string]string{
		"job": o.Job, "extract": o.Extract, "target": o.Target, "scope": o.Scope, "endpoint": "moz/anchor_text", "ending": ending,
	} {
		row.SetString(table.Index(column), text)
	}
	row.SetInt(table.Index("run_date"), int64(arrow.Date32FromTime(date)))
	row.SetBool(table.Index("published"), published)
	row.SetBool(table.Index("windowed"), false)
	b.Append()
	batch := b.Batch()
	defer batch.Release()
	put(t, w, table, job, date, batch)
}

func ask(t testing.TB, w sinks.Warehouse, sql string, format Format) string {
	t.Helper()
	var out bytes.Buffer
	if err := Query(context.Background(), w, sql, format, Limits{}, &out); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return out.String()
}

// mustBuild writes the catalog, for those who open it.
func mustBuild(t testing.TB, w sinks.Warehouse) {
	t.Helper()
	mustBuildOnly(t, w)
	compare(t, w)
}

// mustBuildOnly leaves what changed from night to night alone.
func mustBuildOnly(t testing.TB, w sinks.Warehouse) {
	t.Helper()
	mustDeclare(t, w)
	if err := Update(context.Background(), blob.FS{}, w, columns(w)); err != nil {
		t.Fatal(err)
	}
}

// mustCompare has all tables, and what changed from night to night, without a catalog, which takes longer than most questions:
// the program asks without one.
func mustCompare(t testing.TB, w sinks.Warehouse) {
	t.Helper()
	mustDeclare(t, w)
	compare(t, w)
}

// mustDeclare gives tables that have no files the one that declares their columns.
func mustDeclare(t testing.TB, w sinks.Warehouse) {
	t.Helper()
	root, err := empty()
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range schemas.All() {
		dir := w.SchemaMonth(table.Schema, table.Name)
		if _, err := os.Stat(dir); err == nil {
			continue
		}
		if err := os.CopyFS(dir, os.DirFS(sinks.Warehouse{Root: root}.SchemaMonth(table.Schema, table.Name))); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEveryTableHasItsDeclaredColumnsBeforeAnyFileExists(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	mustBuild(t, w)
	checkTables(t, w, 0)
}

// checkTables holds the columns of every table in the catalog against the declared ones, and how many rows it has.
func checkTables(t *testing.T, w sinks.Warehouse, rows int64) {
	t.Helper()
	s := outside(t, w)
	for _, table := range schemas.All() {
		checkTable(t, s, table)
		if n, err := s.count(t.Context(), table.FullName()); err != nil || n != rows {
			t.Errorf("%s has %d rows, not %d: %v", table.FullName(), n, rows, err)
		}
	}
}

func checkTable(t *testing.T, s *session, table *schemas.Table) {
	t.Helper()
	_, got, err := s.rows(t.Context(), "SELECT column_name, column_type FROM (DESCRIBE "+table.FullName()+")")
	if err != nil {
		t.Fatal(err)
	}
	var want [][]any
	for _, c := range table.Columns() {
		want = append(want, []any{c.Name, c.Type.String()})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", table.FullName(), diff)
	}
}

func TestFilesOfEveryTableAreSeenWithTheDeclaredColumns(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	for _, table := range schemas.All() {
		shape := sample.NewShape(memory.DefaultAllocator, table, 10)
		batch := shape.Next(25)
		put(t, w, table, "nightly", night, batch)
	}
	mustBuildOnly(t, w)
	checkTables(t, w, 25)
}

func TestDuckDBReadsTheValuesThatWereWritten(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	table := sample.Table()
	want := sample.Rows(table)
	batch := sample.Batch(memory.DefaultAllocator, table, "a.com", want)
	defer batch.Release()
	put(t, w, table, "nightly", night, batch)
	if _, err := build(context.Background(), blob.FS{}, w, columns(w), append(schemas.All(), table), create); err != nil {
		t.Fatal(err)
	}
	_, rows, err := outside(t, w).rows(context.Background(), "SELECT "+plain(table)+" FROM moz.every_type ORDER BY rank")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, widen(rows)); diff != "" {
		t.Error(diff)
	}
}

// plain selects dates as days and timestamps as microseconds, which is how the sample spells them.
func plain(table *schemas.Table) string {
	var columns []string
	for _, c := range table.Own {
		switch c.Type {
		case schemas.Date:
			columns = append(columns, fmt.Sprintf("%s - DATE '1970-01-01'", c.Name))
		case schemas.Timestamp:
			columns = append(columns, fmt.Sprintf("epoch_us(%s)", c.Name))
		case schemas.Dates:
			columns = append(columns, fmt.Sprintf("[d - DATE '1970-01-01' FOR d IN %s]", c.Name))
		default:
			columns = append(columns, c.Name)
		}
	}
	return strings.Join(columns, ", ")
}

func widen(rows [][]any) [][]any {
	for _, row := range rows {
		for i, v := range row {
			switch v := v.(type) {
			case int32:
				row[i] = int64(v)
			case []any:
				widen([][]any{v})
			}
		}
	}
	return rows
}

func TestColumnsMissingFromOlderFilesAreNullAndNarrowerOnesAreWidened(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	now := schemas.Lookup("moz.anchor_text")
	older := &schemas.Table{Schema: "moz", Name: "anchor_text", Own: []schemas.Column{
		{Name: "external_root_domains", Type: schemas.Int32, Required: true},
		{Name: "anchor_text", Type: schemas.String, Required: true},
		{Name: "dropped_since", Type: schemas.Bool},
	}}
	batch := sample.Batch(memory.DefaultAllocator, older, "a.com", [][]any{{int64(7), "old", true}})
	put(t, w, older, "nightly", night.AddDate(0, -1, 0), batch)
	mustBuild(t, w)
	checkTable(t, outside(t, w), now)
	anchors(t, w, "nightly", night, map[string]int64{"new": 1 << 60})
	mustBuild(t, w)
	checkTable(t, outside(t, w), now)
	got := ask(t, w, "SELECT anchor_text, external_root_domains AS d, external_pages AS p FROM moz.anchor_text ORDER BY 1", CSV)
	want := fmt.Sprintf("anchor_text,d,p\nnew,%d,%d\nold,7,\n", int64(1)<<60, int64(2)<<60)
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFiltersAndProjectionsReachTheFiles(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	shape := sample.NewShape(memory.DefaultAllocator, schemas.Lookup("moz.anchor_text"), 1000)
	put(t, w, schemas.Lookup("moz.anchor_text"), "nightly", night, shape.Next(4000))
	mustBuild(t, w)
	plan := ask(t, w, "EXPLAIN SELECT anchor_text FROM moz.anchor_text WHERE target = 'target-0000002.com' AND rank < 10", Table)
	for _, want := range []string{"READ_PARQUET", "target='target-0000002.com", "rank<10"} {
		if !strings.Contains(plan, want) {
			t.Errorf("the plan has no %s:\n%s", want, plan)
		}
	}
	for _, unwanted := range []string{"EMPTY_RESULT", "run_id", "│           FILTER"} {
		if strings.Contains(plan, unwanted) {
			t.Errorf("the plan has %s:\n%s", unwanted, plan)
		}
	}
}

func TestMeaningsAreCommentsInTheCatalog(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	mustBuild(t, w)
	got := ask(t, w, "SELECT comment FROM duckdb_columns() WHERE schema_name = 'moz' AND table_name = 'anchor_text' AND column_name = 'rank'", CSV)
	if !strings.Contains(got, "from 1") || !strings.Contains(got, "[position]") {
		t.Errorf("comment of rank: %s", got)
	}
	got = ask(t, w, "SELECT comment FROM duckdb_views() WHERE view_name = 'anchor_text'", CSV)
	if !strings.Contains(got, schemas.Lookup("moz.anchor_text").Meaning) {
		t.Errorf("comment of anchor_text: %s", got)
	}
}

func TestCatalogHasNoLogAndNoRowsAndStagingIsEmpty(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	anchors(t, w, "nightly", night, map[string]int64{"x": 1})
	if err := os.WriteFile(w.Catalog()+".wal", []byte("of an older catalog"), 0o666); err != nil {
		t.Fatal(err)
	}
	mustBuild(t, w)
	var names []string
	entries, _ := os.ReadDir(w.Root)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if diff := cmp.Diff([]string{"README.md", "catalog.duckdb", "lake", "staging"}, names); diff != "" {
		t.Error(diff)
	}
	if staged, _ := filepath.Glob(filepath.Join(strings.ReplaceAll(w.Staging(), "[", `\[`), "*/*")); len(staged) > 0 {
		t.Errorf("staging has %v", staged)
	}
	if got := ask(t, w, "SELECT count(*) AS n FROM duckdb_tables()", CSV); got != "n\n0\n" {
		t.Errorf("tables: %s", got)
	}
}

func TestAnchorChangesAreBetweenConsecutiveWholeNights(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	for i, n := range []struct {
		texts     map[string]int64
		ending    string
		published bool
	}{
		{map[string]int64{"stays": 5, "lost": 3}, "end of list", true},
		{map[string]int64{"stays": 5}, "fault", true}, // cut off: the rest is not lost
		{map[string]int64{"stays": 5}, "max_rows", true},
		{map[string]int64{"stays": 6, "new": 2}, "end of list", true},
		{nil, "end of list", false}, // bought, but its rows are not to be seen yet
		{map[string]int64{"stays": 6, "new": 2}, "end of list", true},
		{map[string]int64{}, "end of list", true}, // a night without an anchor is a night
	} {
		date := night.AddDate(0, 0, 5*i) // over the end of a month
		if n.texts != nil {
			anchors(t, w, "nightly", date, n.texts)
		}
		task(t, w, "nightly", date, n.ending, n.published)
	}
	mustBuild(t, w)
	got := ask(t, w, `SELECT previous_run_date AS p, run_date AS d, change, anchor_text,
		previous_external_root_domains AS was, external_root_domains AS "is" FROM marts.anchor_changes ORDER BY ALL`, CSV)
	want := "p,d,change,anchor_text,was,is\n2026-11-23,2026-12-08,lost,lost,3,\n2026-11-23,2026-12-08,new,new,,2\n" +
		"2026-12-18,2026-12-23,lost,new,2,\n2026-12-18,2026-12-23,lost,stays,6,\n"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestBuildThatFailsAnywhereLeavesTheOldCatalogOrTheNew(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	mustBuild(t, w)
	anchors(t, w, "nightly", night, map[string]int64{"x": 1})
	made, err := os.ReadFile(w.Catalog())
	if err != nil {
		t.Fatal(err)
	}
	// What DuckDB writes does not pass through the disk that fails here.
	again := func(_ context.Context, path string, _ sinks.Warehouse, tables []*schemas.Table) (note, error) {
		return note{Columns: fingerprint(tables)}, os.WriteFile(path, made, 0o600)
	}
	for nth := 1; ; nth++ {
		count := 0
		disk := blob.FS{Before: func(blob.Op, string) error {
			if count++; count == nth {
				return syscall.EROFS
			}
			return nil
		}}
		_, err := build(context.Background(), disk, w, func(context.Context, *schemas.Table) error { return nil }, schemas.All(), again)
		if n, err := outside(t, w).count(t.Context(), "moz.anchor_text"); err != nil || n != 1 {
			t.Errorf("%d rows, %v", n, err)
		}
		if count < nth {
			if err != nil || nth < 4 {
				t.Fatalf("%d operations, then %v", nth-1, err)
			}
			return
		}
		if !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), w.Root) {
			t.Errorf("operation %d failed: %v", nth, err)
		}
	}
}

func TestABuildThatStandsStillHoldsUpNobodyAndReplacesNoLaterCatalog(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	none := func(context.Context, *schemas.Table) error { return nil }
	stand := func(_ context.Context, path string, w sinks.Warehouse, tables []*schemas.Table) (note, error) {
		mustBuild(t, w) // as another process does, which does not wait
		return note{}, os.WriteFile(path, []byte("an earlier catalog"), 0o600)
	}
	if done, err := build(t.Context(), blob.FS{}, w, none, schemas.All(), stand); done || err != nil {
		t.Errorf("done %v, %v", done, err)
	}
	before := standing(w)
	if err := Update(t.Context(), blob.FS{}, w, columns(w)); err != nil || !isSame(before, standing(w)) {
		t.Errorf("the later catalog was built again: %v", err)
	}
	staged, err := filepath.Glob(filepath.Join(w.Staging(), "catalog-*"))
	if err != nil || len(staged) > 0 {
		t.Errorf("%v is left, %v", staged, err)
	}
}

func TestAWarehouseThatDuckDBCannotNameIsRefused(t *testing.T) {
	t.Parallel()
	err := Build(context.Background(), blob.FS{}, sinks.Warehouse{Root: filepath.Join(t.TempDir(), "what?")}, nil)
	if err == nil || !strings.Contains(err.Error(), "with ? in its name") {
		t.Error(err)
	}
}

func TestBuildStopsWhenAskedTo(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Build(ctx, blob.FS{}, w, columns(w)); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled build: %v", err)
	}
}

func TestATableOfOlderFilesIsLookedAtAgainAndTheCatalogFollows(t *testing.T) {
	t.Parallel()
	w, month := warehouse(t), night.AddDate(0, -1, 0)
	older := &schemas.Table{Schema: "moz", Name: "anchor_text", Own: []schemas.Column{{Name: "anchor_text", Type: schemas.String, Required: true}}}
	put(t, w, older, "nightly", month, sample.Batch(memory.DefaultAllocator, older, "a.com", [][]any{{"old"}}))
	mustBuild(t, w)
	written := func() time.Time {
		t.Helper()
		if err := Update(t.Context(), blob.FS{}, w, columns(w)); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(w.Catalog())
		if err != nil {
			t.Fatal(err)
		}
		return info.ModTime()
	}
	before := written()
	if n := readNote(w); len(n.Mixed) != 1 || written() != before {
		t.Errorf("mixed %v, and written anew: %v", n.Mixed, written() != before)
	}
	anchors(t, w, "nightly", month, map[string]int64{"new": 1})
	if written() == before || len(readNote(w).Mixed) > 0 {
		t.Errorf("no file is of an older version any more, and the catalog says %v", readNote(w).Mixed)
	}
}

// TestQueriesHaveTheColumnsTheyName: those of a table that a view does not name are not in it, and all are where it takes them
// without naming them.
func TestQueriesHaveTheColumnsTheyName(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"SELECT t.job, max(Rank) FROM moz.anchor_text t":                     "job rank",
		"SELECT count(*) FROM moz.anchor_text":                               "",
		"SELECT job IS NOT DISTINCT FROM rank FROM moz.anchor_text":          "job rank",
		"FROM moz.anchor_text":                                               "job rank extra",
		"SELECT * FROM moz.anchor_text":                                      "job rank extra",
		"SELECT t.*, job FROM moz.anchor_text t":                             "job rank extra",
		"WITH a AS (FROM moz.anchor_text) SELECT job FROM a":                 "job rank extra",
		"SELECT job FROM x.y UNION ALL BY NAME FROM moz.anchor_text":         "job rank extra",
		"SELECT job FROM moz.anchor_text NATURAL JOIN ops.tasks":             "job rank extra",
		"SELECT job, COLUMNS(*) FROM moz.anchor_text WHERE rank IS NOT NULL": "job rank extra",
	} {
		wanted := namedIn(query)
		var got []string
		for _, column := range []string{"job", "rank", "extra"} {
			if wanted(column) {
				got = append(got, column)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}
