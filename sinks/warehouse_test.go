package sinks

import (
	"testing"
	"time"
)

func TestWarehousePathsFollowTheContract(t *testing.T) {
	w := Warehouse{Root: "/w"}
	date := time.Date(2026, 11, 23, 23, 59, 0, 0, time.UTC)
	for _, c := range []struct{ got, want string }{
		{w.File("moz", "anchor_text", "nightly", date), "/w/lake/moz/anchor_text/month=2026-11/nightly.2026-11-23.parquet"},
		{w.Versions("moz", "anchor_text"), "/w/versions/moz/anchor_text"},
		{w.Catalog(), "/w/catalog.duckdb"},
		{w.Staging(), "/w/staging"},
		{w.Journal(), "/w/journal"},
		{w.Ledger(), "/w/ledger.sqlite"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}

func TestFileNamesOfDifferentRunsDifferAndParseBack(t *testing.T) {
	date := time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)
	for _, job := range []string{"nightly", "a-2026-11-03", "0"} {
		gotJob, gotDate, ok := ParseFileName(FileName(job, date))
		if !ok || gotJob != job || !gotDate.Equal(date) {
			t.Errorf("%s came back as %s, %s, %v", job, gotJob, gotDate, ok)
		}
	}
	for _, name := range []string{"2026-11.parquet", "nightly.2026-11-31.parquet", "nightly.2026-11-03.parquet.tmp", "A.2026-11-03.parquet"} {
		if job, date, ok := ParseFileName(name); ok {
			t.Errorf("%s parsed as %s, %s", name, job, date)
		}
	}
}
