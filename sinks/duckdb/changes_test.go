package duckdb

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
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
	for _, table := range []string{"anchor_text", "links"} {
		stranger := filepath.Join(b.w.Table("moz", table), "month=2026-10", "nobody.2026-10-01.x.parquet")
		if err := os.MkdirAll(filepath.Dir(stranger), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(stranger, []byte("no Parquet"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	changed(t, b.w, "nightly", date(9))
	b.wantGoneAndCome(day(1), day(9))
	if _, _, err := Select(t.Context(), b.w, "SELECT anchor_text FROM moz.anchor_text"); err == nil {
		t.Error("the file can be read: this tests nothing")
	}
}

// wantGoneAndCome fails unless one anchor text, gone, was lost between two nights, and one, come, is new.
func (b book) wantGoneAndCome(from, to string) {
	b.t.Helper()
	mustBuildOnly(b.t, b.w)
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
