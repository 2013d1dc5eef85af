package duckdb

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"

	"backhaul/schemas"
)

// What came and went between two nights is worked out from their rows alone: those of an earlier one cannot even be read here.
func TestChangesReadTheRowsOfTwoNights(t *testing.T) {
	t.Parallel()
	b := book{t, warehouse(t), "nightly"}
	for n, text := range []string{"oldest", "gone", "come"} {
		b.lay(n+1, "moz.anchor_text", "extract target scope anchor_text", "anchors|a.example|root_domain|"+text, "anchors|a.example|root_domain|stays")
		b.lay(n+1, "ops.tasks", "extract endpoint target scope ending", "anchors|moz/anchor_text|a.example|root_domain|end of list")
	}
	for _, path := range b.files("moz", "anchor_text", 1) {
		spoil(t, path)
	}
	changed(t, b.w, "nightly", date(3))
	b.wantGoneAndCome(day(2), day(3))
	if _, _, err := Select(t.Context(), b.w, "SELECT anchor_text FROM moz.anchor_text"); err == nil {
		t.Error("the oldest night can be read: this tests nothing")
	}
}

// What changed takes as long in ten years: files of other months than those of the two nights are not even opened.
func TestChangesOpenTheFilesOfTwoMonths(t *testing.T) {
	t.Parallel()
	b := book{t, warehouse(t), "nightly"}
	for n, text := range map[int]string{-40: "oldest", 1: "gone", 9: "come"} { // in October, November and December
		b.lay(n, "moz.anchor_text", "extract target scope anchor_text", "anchors|a.example|root_domain|"+text)
		b.lay(n, "ops.tasks", "extract endpoint target scope ending", "anchors|moz/anchor_text|a.example|root_domain|end of list")
	}
	b.unreadable("moz", "anchor_text", "2026-10")
	b.unreadable("moz", "links", "2026-10")
	changed(t, b.w, "nightly", date(9))
	b.wantGoneAndCome(day(1), day(9))
	b.wantUnreadable()
}

// unreadable puts a file without rows into a month, which whoever opens cannot read.
func (b book) unreadable(schema, table, month string) {
	b.t.Helper()
	path := filepath.Join(b.w.Table(schema, table), "month="+month, "nobody."+month+"-01.x.parquet")
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("no Parquet"), 0o644)); err != nil {
		b.t.Fatal(err)
	}
}

// wantUnreadable fails if all anchor texts can be read: then a test that does not open a file tests nothing.
func (b book) wantUnreadable() {
	b.t.Helper()
	if _, _, err := Select(b.t.Context(), b.w, "SELECT anchor_text FROM moz.anchor_text"); err == nil {
		b.t.Error("the file can be read: this tests nothing")
	}
}

// With a year behind it, most of what a question about a night took was opening the files of all others.
func TestAQuestionAboutANightOpensTheFilesOfItsMonth(t *testing.T) {
	t.Parallel()
	b := book{t, warehouse(t), "nightly"}
	for n, text := range map[int]string{-40: "oldest", 1: "gone", 9: "come"} {
		rows := []string{"anchors|a.example|root_domain|" + text}
		for i := range 1000 { // of a handful, DuckDB does not ask first which it needs
			rows = append(rows, fmt.Sprintf("anchors|b.example|root_domain|text %d", i))
		}
		b.lay(n, "moz.anchor_text", "extract target scope anchor_text", rows...)
		b.lay(n, "ops.tasks", "extract endpoint target scope ending", "anchors|moz/anchor_text|a.example|root_domain|end of list")
	}
	mustDeclare(t, b.w)
	b.unreadable("moz", "anchor_text", "2026-10")
	for sql, want := range map[string][]string{
		"SELECT anchor_text, run_date FROM marts.anchors_current WHERE target = 'a.example'":                                                 {"come," + day(9)},
		"SELECT change, anchor_text FROM marts.anchors_between('a.example', DATE '" + day(1) + "', DATE '" + day(9) + "') ORDER BY ALL DESC": {"new,come", "lost,gone"},
	} {
		if got := b.csv(sql); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}
	b.wantUnreadable()
}

// wantGoneAndCome fails unless one anchor text, gone, was lost between two nights, and one, come, is new.
func (b book) wantGoneAndCome(from, to string) {
	b.t.Helper()
	mustDeclare(b.t, b.w)
	got := b.csv("SELECT change, anchor_text, previous_run_date, run_date FROM marts.anchor_changes ORDER BY ALL")
	if want := []string{"lost,gone," + from + "," + to, "new,come," + from + "," + to}; !slices.Equal(got, want) {
		b.t.Errorf("%q, want %q", got, want)
	}
}

// files returns a table's files of a night.
func (b book) files(schema, table string, n int) []string {
	b.t.Helper()
	all, err := filepath.Glob(filepath.Join(globEscape.Replace(b.w.Month(schema, table, date(n))), b.job+"."+day(n)+".*"))
	if err != nil || len(all) == 0 {
		b.t.Fatalf("%v, %v", all, err)
	}
	return all
}

// spoil overwrites the values of a Parquet file, and leaves what it says of them.
func spoil(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(make([]byte, 200), 4); err != nil {
		t.Fatal(err)
	}
}

// TestSpansAreOfTheNightsInWhateverOrderTheyCome has nights of two years come, and turn out not to be whole, in any order.
func TestSpansAreOfTheNightsInWhateverOrderTheyCome(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 11))
	w, first := warehouse(t), time.Date(2025, 12, 20, 0, 0, 0, 0, time.UTC)
	mustBuild(t, w)
	whole := map[string]bool{}
	for step := range 43 {
		n := random.IntN(80) // into March
		if step%2 == 0 {
			n = 8 + random.IntN(8) // at the year's end
		}
		date := first.AddDate(0, 0, n)
		ending := []string{"end of list", "end of list", "budget"}[random.IntN(3)]
		task(t, w, "nightly", date, ending, true)
		delete(whole, date.Format(time.DateOnly))
		if ending == "end of list" {
			whole[date.Format(time.DateOnly)] = true
		}
		if step%6 > 0 {
			continue
		}
		want := slices.Sorted(maps.Keys(whole))
		if diff := cmp.Diff(strings.Join(append([]string{"run_date"}, want...), "\n")+"\n", ask(t, w, "SELECT run_date FROM marts.whole_nights ORDER BY 1", CSV)); diff != "" {
			t.Fatalf("step %d: %s", step, diff)
		}
		apart := "SELECT count(*) FROM marts.whole_spans a JOIN marts.whole_spans b ON b.run_date = a.run_date AND b.first_night BETWEEN a.first_night AND a.last_night + 1 AND b <> a"
		if got := ask(t, w, apart, CSV); got != "count_star()\n0\n" {
			t.Fatalf("step %d: spans that are one: %s", step, got)
		}
	}
}

// TestANightWithoutItsRowsIsNotCompared has the lake say of which nights it has rows.
func TestANightWithoutItsRowsIsNotCompared(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	mustBuild(t, w)
	month := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for n := range 4 {
		task(t, w, "nightly", month.AddDate(0, 0, n), "end of list", true)
	}
	compare := func(held map[string][]time.Time, want string) {
		t.Helper()
		days := Days{From: month, Until: month.AddDate(0, 1, 0), Held: held}
		err := WholeLists(t.Context(), w, "", days, func(string) (Days, error) { return days, nil }, func(job string, batches iter.Seq2[arrow.RecordBatch, error]) error {
			putAll(t, w, schemas.WholeSpans(), job, days.Year(), batches)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff("run_date\n"+want, ask(t, w, "SELECT run_date FROM marts.whole_nights ORDER BY 1", CSV)); diff != "" {
			t.Errorf("%v: %s", held, diff)
		}
	}
	for _, c := range []struct {
		held map[string][]time.Time
		want string
	}{
		{map[string][]time.Time{"moz/anchor_text": {month, month.AddDate(0, 0, 2), month.AddDate(0, 0, 3)}}, "2026-11-01\n2026-11-03\n2026-11-04\n"},
		{map[string][]time.Time{"moz/links": {month}}, ""},
		{map[string][]time.Time{}, ""},
		{nil, "2026-11-01\n2026-11-02\n2026-11-03\n2026-11-04\n"},
	} {
		compare(c.held, c.want)
	}
	// Nor where the account of the night has gone before the rows.
	if err := os.RemoveAll(w.Month("ops", "tasks", month)); err != nil {
		t.Fatal(err)
	}
	compare(map[string][]time.Time{}, "")
}
