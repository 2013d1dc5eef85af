package duckdb

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"backhaul/schemas"
	"backhaul/sinks"
)

func TestASlipInAStatementIsNotDamage(t *testing.T) {
	w := warehouse(t)
	mustBuild(t, w)
	for _, sql := range []string{
		"selec 1", "select nothing from moz.links", "from moz.lnks", "select 'x'::int", "select 1/0 from range(3) where error('no')", "select date '2026-13-01'",
		"select regexp_matches('a', '(')", "select * from read_csv('/nowhere/at/all.csv')", "select 200::tinyint", "select substr([1], 'a')",
	} {
		if err := Query(context.Background(), w, sql, CSV, Limits{}, io.Discard); err == nil || errors.Is(err, sinks.ErrDamaged) {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

func TestEveryViewAnswersBeforeThereIsARow(t *testing.T) {
	w := warehouse(t)
	mustBuild(t, w)
	relations, err := Check(t.Context(), w)
	if err != nil || len(relations) < len(schemas.All()) {
		t.Fatal(len(relations), err)
	}
	for _, r := range relations {
		if r.Err != nil || r.Rows > 0 {
			t.Errorf("%+v", r)
		}
	}
}

func TestACatalogIsCurrentStaleOrDamaged(t *testing.T) {
	w := warehouse(t)
	mustBuild(t, w)
	if err := CheckCatalog(t.Context(), w); err != nil {
		t.Error(err)
	}
	copied := sinks.Warehouse{Root: filepath.Join(t.TempDir(), "copy")}
	if err := os.CopyFS(copied.Root, os.DirFS(w.Root)); err != nil {
		t.Fatal(err)
	}
	if err := CheckCatalog(t.Context(), copied); !errors.Is(err, sinks.ErrStale) {
		t.Error(err)
	}
	whole, err := os.ReadFile(w.Catalog())
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 1, 100, 4096, 5000, 12288, len(whole) / 2, len(whole) - 1} {
		if err := errors.Join(os.Remove(w.Catalog()), os.WriteFile(w.Catalog(), whole[:size], 0o644)); err != nil {
			t.Fatal(err)
		}
		if err := CheckCatalog(t.Context(), w); !errors.Is(err, sinks.ErrDamaged) && !errors.Is(err, sinks.ErrStale) || size > 0 && size < 12288 && !errors.Is(err, sinks.ErrDamaged) {
			t.Errorf("cut to %d of %d bytes: %v", size, len(whole), err)
		}
	}
}
