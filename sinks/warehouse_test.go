package sinks

import (
	"path/filepath"
	"testing"
	"time"
)

func TestWarehousePathsFollowTheContract(t *testing.T) {
	w := Warehouse{Root: "/w"}
	date := time.Date(2026, 11, 23, 23, 59, 0, 0, time.UTC)
	for _, c := range []struct{ got, want string }{
		{w.Month("moz", "anchor_text", date), "/w/lake/moz/anchor_text/month=2026-11"},
		{w.SchemaMonth("moz", "anchor_text"), "/w/lake/moz/anchor_text/month=0000-00"},
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

func TestNamesParseBack(t *testing.T) {
	date := time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]Name{
		"nightly.2026-11-03.0123456789abcdef.parquet":      OfRun("nightly", date, "0123456789abcdef"),
		"nightly.2026-11-03.parquet":                       OfRun("nightly", date, ""), // as earlier versions named it
		"a-2026-11-03.2026-11-03.0123456789abcdef.parquet": OfRun("a-2026-11-03", date, "0123456789abcdef"),
		"2026-11.2026-11-03.0123456789abcdef.parquet":      OfRun("2026-11", date, "0123456789abcdef"),
		"2026-11.0123456789abcdef.parquet":                 {Month: "2026-11", ID: "0123456789abcdef"},
	} {
		got, ok := ParseName(text)
		if !ok || got != want || got.String() != text {
			t.Errorf("%s came back as %+v, %v, %s", text, got, ok, got)
		}
	}
	for _, name := range []string{"2026-11.parquet", "nightly.2026-11-31.parquet", "nightly.2026-11-03.parquet.tmp", "A.2026-11-03.parquet", "n.2026-11-03.xyz.parquet", "notes.parquet"} {
		if got, ok := ParseName(name); ok {
			t.Errorf("%s parsed as %+v", name, got)
		}
	}
}

func TestReportsAreOfADate(t *testing.T) {
	w := Warehouse{Root: "w"}
	for file, want := range map[string]string{
		filepath.Base(w.ReportOf("nightly", "2026-11-03")): "2026-11-03", "a.2026-11-03.b.2026-11-04.html": "2026-11-03",
		"report.html": "", "nightly.2026-11-31.html": "", "mine.nightly.2026-11-03.html": "", "nightly.2026-11-03.html.1.partial": "",
	} {
		date, ok := ReportDate(file)
		if ok != (want != "") || ok && date.Format(time.DateOnly) != want {
			t.Errorf("%s: %v %v", file, date, ok)
		}
	}
}
