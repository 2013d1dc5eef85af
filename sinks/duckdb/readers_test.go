package duckdb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/lake"
)

// TestAReaderOfAnotherProcessBlocksNothing runs itself as a second process that attaches the catalog and keeps
// it, while this one publishes and builds, and asks it again afterwards.
func TestAReaderOfAnotherProcessBlocksNothing(t *testing.T) {
	t.Parallel()
	if root := os.Getenv("DUCKDB_TEST_READER"); root != "" {
		read(t, sinks.Warehouse{Root: root})
		return
	}
	w := warehouse(t)
	anchors(t, w, "nightly", night, map[string]int64{"old": 1})
	mustBuild(t, w)
	reader := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	reader.Env = append(os.Environ(), "DUCKDB_TEST_READER="+w.Root)
	in, err := reader.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := reader.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.Start(); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewScanner(out)
	next := func() string { answers.Scan(); return answers.Text() }
	if got := next(); got != "[[old]]" {
		t.Errorf("before: %s", got)
	}
	anchors(t, w, "nightly", night, map[string]int64{"new": 1})
	anchors(t, w, "second", night, map[string]int64{"second": 1})
	fmt.Fprintln(in, "again")
	if got := next(); got != "[[new] [second]]" {
		t.Errorf("after, over the same session: %s", got)
	}
	if got := ask(t, w, "SELECT anchor_text AS a FROM moz.anchor_text ORDER BY 1", CSV); got != "a\nnew\nsecond\n" {
		t.Errorf("after, over a new session: %s", got)
	}
	in.Close()
	if err := reader.Wait(); err != nil {
		t.Error(err)
	}
}

// read asks the same question for every line of input, over one session that stays open.
func read(t *testing.T, w sinks.Warehouse) {
	ctx, s := context.Background(), outside(t, w)
	lines := bufio.NewScanner(os.Stdin)
	for more := true; more; more = lines.Scan() {
		_, rows, err := s.rows(ctx, "SELECT anchor_text FROM moz.anchor_text ORDER BY 1")
		fmt.Println(rows)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestAQueryDuringPublishingSeesTheOldNightOrTheNew replaces a night of 1 to 400 rows, over and over, and merges its month now
// and then, while other sessions read it: one held open, one that remembers footers, fresh ones, and one that knows no catalog. Every row
// of a version says which version it is and how many rows it has.
func TestAQueryDuringPublishingSeesTheOldNightOrTheNew(t *testing.T) {
	t.Parallel()
	nights := 100
	if testing.Short() {
		nights = 30
	}
	w := warehouse(t)
	version := func(n int) map[string]int64 {
		texts, rows := map[string]int64{}, 1+n*37%400
		for i := range rows {
			texts[fmt.Sprintf("%04d %d", i, n)] = int64(n*1000 + rows)
		}
		return texts
	}
	anchors(t, w, "nightly", night, version(0))
	mustBuild(t, w)
	done := make(chan struct{})
	var wg sync.WaitGroup
	held, remembers := outside(t, w), remembering(t, w)
	plain := "read_parquet(" + quote(escapePattern.Replace(w.Table("moz", "anchor_text"))+allFiles) + ")"
	for _, r := range []struct {
		from string
		open func() *session
	}{{"moz.anchor_text", func() *session { return held }}, {"moz.anchor_text", func() *session { return remembers }}, {"moz.anchor_text", func() *session { return outside(t, w) }}, {plain, func() *session { return outside(t, w) }}} {
		wg.Go(func() { readVersions(t, r.open, r.from, done) })
	}
	for n := range nights {
		anchors(t, w, "nightly", night, version(n))
		if n%7 == 0 {
			merge(t, w, "moz.anchor_text", night)
		}
	}
	close(done)
	wg.Wait()
}

const versionSQL = `SELECT count(*), count(DISTINCT external_root_domains), min(external_root_domains), count(DISTINCT split_part(anchor_text, ' ', 1))
	FROM `

// readVersions asks until done. A query may lose a file that is replaced under it, and says which.
func readVersions(t *testing.T, open func() *session, from string, done chan struct{}) {
	questions, lost := 0, 0
	defer func() { t.Logf("asked %d times, %d of them lost a file", questions, lost) }()
	for {
		select {
		case <-done:
			return
		default:
		}
		questions++
		_, rows, err := open().rows(context.Background(), versionSQL+from)
		if err != nil && strings.Contains(err.Error(), ".parquet") && (strings.Contains(err.Error(), "Cannot open file") || strings.Contains(err.Error(), "too small to be a Parquet file") ||
			strings.Contains(err.Error(), "bytes outside file")) {
			lost++
			continue
		}
		if err != nil {
			t.Error(err)
			return
		}
		r := rows[0]
		if r[1] != int64(1) || r[2].(int64)%1000 != r[0] || r[3] != r[0] {
			t.Errorf("neither old nor new: %v", r)
			return
		}
	}
}

// TestAMonthIsMergedAnewThatWasPublishedToMeanwhile has a night replaced after its file was read, and after it was taken away.
func TestAMonthIsMergedAnewThatWasPublishedToMeanwhile(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	anchors(t, w, "nightly", night, map[string]int64{"old": 1})
	anchors(t, w, "nightly", night.AddDate(0, 0, 1), map[string]int64{"second": 1})
	mustBuild(t, w)
	merges := 0
	late := func(date time.Time, times int) func(context.Context, sinks.Sorting) error {
		return func(ctx context.Context, s sinks.Sorting) error {
			if merges++; merges <= times {
				anchors(t, w, "nightly", date, map[string]int64{fmt.Sprint("new ", merges): 1})
			}
			return Sort(ctx, s)
		}
	}
	if err := mergeBy(t, w, "moz.anchor_text", night, late(night, 2)); err != nil || merges != 3 {
		t.Errorf("%d merges: %v", merges, err)
	}
	files, err := lake.Lake{Warehouse: w}.Month(schemas.Lookup("moz.anchor_text"), night)
	if err != nil || len(files) != 1 || files[0].Merged == nil {
		t.Errorf("%v, %v", files, err)
	}
	if got := ask(t, w, "SELECT anchor_text AS a FROM moz.anchor_text ORDER BY 1", CSV); got != "a\nnew 2\nsecond\n" {
		t.Error(got)
	}
	third := night.AddDate(0, 0, 2)
	anchors(t, w, "nightly", third, map[string]int64{"third": 1})
	if err := mergeBy(t, w, "moz.anchor_text", night, late(third, 99)); !errors.Is(err, lake.ErrChanged) {
		t.Errorf("where somebody publishes all the time: %v", err)
	}
}

// TestANameThatGoesIsAnErrorAndNoRowsLess looks at the moment of an exchange in which the names that go are still there.
func TestANameThatGoesIsAnErrorAndNoRowsLess(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	anchors(t, w, "nightly", night, map[string]int64{"brand": 1})
	mustBuild(t, w)
	gone := filepath.Join(w.Month("moz", "anchor_text", night), "nightly.2026-11-02.0123456789abcdef.parquet")
	if err := os.Symlink(fmt.Sprintf("/proc/%d/comm", os.Getpid()), gone); err != nil {
		t.Fatal(err)
	}
	s := outside(t, w)
	if _, rows, err := s.rows(t.Context(), "SELECT count(*) FROM moz.anchor_text"); err == nil || !strings.Contains(err.Error(), gone) {
		t.Errorf("%v, %v", rows, err)
	}
	if _, _, err := Select(t.Context(), w, "SELECT count(*) FROM moz.anchor_text"); err == nil || errors.Is(err, sinks.ErrDamaged) || !strings.Contains(err.Error(), "ask again") {
		t.Errorf("%v", err)
	}
	if err := errors.Join(os.Remove(gone), os.Symlink("/proc/4194305/comm", gone)); err != nil { // its process is no more
		t.Fatal(err)
	}
	if _, rows, err := s.rows(t.Context(), "SELECT count(*) FROM moz.anchor_text"); err != nil || fmt.Sprint(rows) != "[[1]]" {
		t.Errorf("%v, %v", rows, err)
	}
}

func TestAConnectionHeldOpenSeesEveryNight(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	mustBuild(t, w)
	held, remembers := outside(t, w), remembering(t, w)
	for n := range 30 {
		date := night.AddDate(0, 0, n-22) // from the 1st of November
		anchors(t, w, "nightly", date, map[string]int64{"brand": int64(n), "other": 1})
		if n == 10 || n == 20 {
			merge(t, w, "moz.anchor_text", date)
		}
		for _, s := range []*session{held, remembers} {
			_, rows, err := s.rows(t.Context(), "SELECT count(*), count(DISTINCT run_date), max(external_root_domains) FROM moz.anchor_text")
			if err != nil {
				t.Fatal(err)
			}
			if got, want := fmt.Sprint(rows[0]), fmt.Sprint([]any{2 * (n + 1), n + 1, max(n, 1)}); got != want {
				t.Errorf("night %d: %s, want %s", n, got, want)
			}
		}
	}
}

func TestWarehousesAttachedSideBySideAnswerForThemselves(t *testing.T) {
	t.Parallel()
	s, err := openSession(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for name, rows := range map[string]map[string]int64{"a": {"x": 1}, "b": {"x": 1, "y": 2, "z": 3}} {
		w := warehouse(t)
		anchors(t, w, "nightly", night, rows)
		task(t, w, "nightly", night, "end of list", true)
		mustBuild(t, w)
		if err := s.exec(t.Context(), "ATTACH "+quote(w.Catalog())+" AS "+name+" (READ_ONLY)"); err != nil {
			t.Fatal(err)
		}
	}
	for _, use := range []string{"memory", "a", "b"} {
		_, rows, err := s.rows(t.Context(), "SELECT (SELECT count(*) FROM a.moz.anchor_text), (SELECT count(*) FROM b.moz.anchor_text), (SELECT count(*) FROM a.marts.freshness), (SELECT count(*) FROM b.marts.freshness)")
		if err != nil || fmt.Sprint(rows[0]) != "[1 3 1 1]" {
			t.Errorf("with %s as the default: %v, %v", use, rows, err)
		}
		if err := s.exec(t.Context(), "USE "+use); err != nil {
			t.Fatal(err)
		}
	}
}

func TestACopyAnswersFromTheCopyByTheVariable(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	anchors(t, w, "nightly", night, map[string]int64{"x": 1})
	mustBuild(t, w)
	copied := sinks.Warehouse{Root: filepath.Join(t.TempDir(), "copy [2] *")}
	if err := os.CopyFS(copied.Root, os.DirFS(w.Root)); err != nil {
		t.Fatal(err)
	}
	anchors(t, copied, "nightly", night.AddDate(0, 0, 1), map[string]int64{"y": 1})
	s := outside(t, copied)
	if err := s.exec(t.Context(), "SET VARIABLE backhaul_warehouse = "+quote(copied.Root)); err != nil {
		t.Fatal(err)
	}
	if _, rows, err := s.rows(t.Context(), "SELECT count(*) FROM moz.anchor_text"); err != nil || rows[0][0] != int64(2) {
		t.Errorf("the copy: %v, %v", rows, err)
	}
	if got := ask(t, copied, "SELECT count(*) AS n FROM moz.anchor_text", CSV); got != "n\n2\n" {
		t.Errorf("the program: %s", got)
	}
}

// TestAnAnswerWaitsForANameThatGoes asks in the moment of an exchange, which is over a moment later.
func TestAnAnswerWaitsForANameThatGoes(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	anchors(t, w, "nightly", night, map[string]int64{"brand": 1})
	mustBuild(t, w)
	gone := filepath.Join(w.Month("moz", "anchor_text", night), "nightly.2026-11-02.0123456789abcdef.parquet")
	for name, asks := range map[string]func() error{
		"Select": func() error {
			_, rows, err := Select(t.Context(), w, "SELECT count(*) FROM moz.anchor_text")
			if err == nil && fmt.Sprint(rows) != "[[1]]" {
				t.Errorf("Select: %v", rows)
			}
			return err
		},
		"Query": func() error {
			var out strings.Builder
			err := Query(t.Context(), w, "SELECT count(*) AS n FROM moz.anchor_text", CSV, Limits{}, &out)
			if err == nil && out.String() != "n\n1\n" {
				t.Errorf("Query: %q", out.String())
			}
			return err
		},
		"Check": func() error {
			all, err := Check(t.Context(), w)
			for _, r := range all {
				err = errors.Join(err, r.Err)
			}
			return err
		},
	} {
		if err := os.Symlink(fmt.Sprintf("/proc/%d/comm", os.Getpid()), gone); err != nil {
			t.Fatal(err)
		}
		removed := make(chan error, 1)
		time.AfterFunc(300*time.Millisecond, func() { removed <- os.Remove(gone) })
		if err := asks(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(removed) == 0 {
			t.Errorf("%s answered while the name was there", name)
		}
		if err := <-removed; err != nil {
			t.Error(err)
		}
	}
}

// TestAnErrorOfWhoTakesTheRowsIsTold has those who are handed rows fail as a rename does, at a file that is not there: once is enough.
func TestAnErrorOfWhoTakesTheRowsIsTold(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	anchors(t, w, "nightly", night, map[string]int64{"brand": 1})
	task(t, w, "nightly", night, "end of list", true)
	mustBuild(t, w)
	full := &os.LinkError{Op: "rename", Old: "staged", New: filepath.Join(w.Month("moz", "anchor_text", night), "absent.parquet"), Err: os.ErrNotExist}
	takes := 0
	take := func() error { takes++; return full }
	for name, do := range map[string]func() error{
		"WholeLists": func() error {
			days := Days{From: night.AddDate(0, 0, 1-night.Day()), Until: night.AddDate(0, 1, 1-night.Day())}
			return WholeLists(t.Context(), w, "nightly", days, func(string) (Days, error) { return days, nil }, func(string, iter.Seq2[arrow.RecordBatch, error]) error { return take() })
		},
		"WholeLists of which days are not known": func() error {
			return WholeLists(t.Context(), w, "nightly", Days{From: night, Until: night}, func(string) (Days, error) { return Days{}, take() }, nil)
		},
		"Changes": func() error {
			_, err := Changes(t.Context(), w, "nightly", night, func(*schemas.Table, iter.Seq2[arrow.RecordBatch, error]) error { return take() })
			return err
		},
		"Each": func() error {
			return Each(t.Context(), w, "moz", "anchor_text", Limits{}, func(sinks.Rows) error { return take() })
		},
	} {
		takes = 0
		if err := do(); err != error(full) || takes != 1 {
			t.Errorf("%s: %d times: %v", name, takes, err)
		}
	}
}
