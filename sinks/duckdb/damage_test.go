package duckdb

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"backhaul/sinks"
)

func TestASlipInAStatementIsNotDamage(t *testing.T) {
	w := sinks.Warehouse{Root: t.TempDir()}
	if err := Build(context.Background(), w); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		"selec 1", "select nothing from moz.links", "from moz.lnks", "select 'x'::int", "select 1/0 from range(3) where error('no')", "select date '2026-13-01'",
		"select regexp_matches('a', '(')", "select * from read_csv('/nowhere/at/all.csv')", "select 200::tinyint", "select substr([1], 'a')",
	} {
		if err := Query(context.Background(), w.Catalog(), sql, CSV, Limits{}, io.Discard); err == nil || errors.Is(err, sinks.ErrDamaged) {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

func TestACatalogIsReadOrDamaged(t *testing.T) {
	w := sinks.Warehouse{Root: t.TempDir()}
	if err := Build(context.Background(), w); err != nil {
		t.Fatal(err)
	}
	relations, err := Check(context.Background(), w.Catalog())
	if err != nil || len(relations) == 0 {
		t.Fatal(relations, err)
	}
	for _, r := range relations {
		if r.Err != nil || r.Rows > 0 {
			t.Errorf("%+v", r)
		}
	}
	whole, err := os.ReadFile(w.Catalog())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(w.Root, "damaged.duckdb")
	for _, size := range []int{0, 1, 100, 4096, 5000, 12288, len(whole) / 2, len(whole) - 1} {
		if err := os.WriteFile(path, whole[:size], 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Check(context.Background(), path); !errors.Is(err, sinks.ErrDamaged) {
			t.Errorf("cut to %d of %d bytes: %v", size, len(whole), err)
		}
	}
}
