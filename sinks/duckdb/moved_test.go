package duckdb

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"backhaul/sinks"
)

func TestACopyDoesNotAnswerFromTheOriginal(t *testing.T) {
	w := warehouse(t)
	anchors(t, w, "job", night, map[string]int64{"brand": 7})
	mustBuild(t, w)
	before := ask(t, w, "FROM moz.anchor_text", CSV)
	copied := sinks.Warehouse{Root: filepath.Join(t.TempDir(), "copy")}
	if err := os.CopyFS(copied.Root, os.DirFS(w.Root)); err != nil {
		t.Fatal(err)
	}
	refused := func(where sinks.Warehouse) {
		t.Helper()
		err := Query(t.Context(), where.Catalog(), "FROM moz.anchor_text", CSV, Limits{}, io.Discard)
		if !errors.Is(err, sinks.ErrMoved) || errors.Is(err, sinks.ErrDamaged) || !strings.Contains(err.Error(), w.Root) || !strings.Contains(err.Error(), where.Root) {
			t.Errorf("%v", err)
		}
		if _, err := Check(t.Context(), where.Catalog()); !errors.Is(err, sinks.ErrMoved) {
			t.Errorf("%v", err)
		}
	}
	refused(copied)
	if err := Try(t.Context(), copied.Catalog()); !errors.Is(err, sinks.ErrMoved) {
		t.Errorf("%v", err)
	}
	mustBuild(t, copied)
	if err := Try(t.Context(), copied.Catalog()); err != nil {
		t.Error(err)
	}
	if got := ask(t, copied, "FROM moz.anchor_text", CSV); got != before {
		t.Errorf("%s\nwant\n%s", got, before)
	}
	moved := sinks.Warehouse{Root: w.Root + " moved"}
	if err := os.Rename(w.Root, moved.Root); err != nil {
		t.Fatal(err)
	}
	refused(moved)
}

func TestAWarehouseUnderAnotherNameIsTheSame(t *testing.T) {
	w := warehouse(t)
	anchors(t, w, "job", night, map[string]int64{"brand": 7})
	mustBuild(t, w)
	link := sinks.Warehouse{Root: filepath.Join(t.TempDir(), "link")}
	if err := os.Symlink(w.Root, link.Root); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, link, "SELECT count(*) AS n FROM moz.anchor_text", CSV); got != "n\n1\n" {
		t.Error(got)
	}
}
