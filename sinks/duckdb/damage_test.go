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
	t.Parallel()
	w := warehouse(t)
	mustCompare(t, w)
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
	t.Parallel()
	w := warehouse(t)
	mustCompare(t, w)
	checked, err := Check(t.Context(), w)
	if err != nil || len(checked) < len(schemas.All()) {
		t.Fatal(len(checked), err)
	}
	err = over(t.Context(), w, "", 0, nil, func(ctx context.Context, s *session) error {
		for _, c := range checked {
			if r := s.relation(ctx, s.declared.byName[c.Name]); r.Err != nil || r.Rows > 0 || c.Err != nil || c.Rows > 0 {
				t.Errorf("%+v, checked %+v", r, c)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Marts are checked too as soon as there is anything that could go wrong in them.
func TestAMartOfADamagedTableIsFound(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	anchors(t, w, "j", night, map[string]int64{"a": 1, "b": 2})
	mustCompare(t, w)
	if err := os.WriteFile(published(t, w, "moz.anchor_text", "j", night), []byte("nothing that anybody could read"), 0o644); err != nil {
		t.Fatal(err)
	}
	found, err := Check(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	damaged := map[string]bool{}
	for _, r := range found {
		damaged[r.Name] = errors.Is(r.Err, sinks.ErrDamaged)
	}
	for name, want := range map[string]bool{"moz.anchor_text": true, "marts.anchors_current": true, "moz.links": false, "marts.links_current": false} {
		if damaged[name] != want {
			t.Errorf("%s is found damaged: %v", name, damaged[name])
		}
	}
}

func TestACatalogIsCurrentStaleOrDamaged(t *testing.T) {
	t.Parallel()
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

func TestTheMachinesTroubleIsNotDamage(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"IO Error: Could not read enough bytes from file \"a\"":                     true,
		"INTERNAL Error: Attempted to dereference shared_ptr that is NULL":          true,
		"Invalid Input Error: No magic bytes found at end of file 'a'":              true,
		"IO Error: Could not write file \"/tmp/a\": No space left on device":        false,
		"IO Error: Cannot open file \"a\": Permission denied":                       false,
		"Invalid Input Error: Could not convert string 'x' to INT32":                false,
		"Binder Error: Referenced column \"magic bytes\" not found in FROM clause!": false,
	} {
		if got := errors.Is(damage(errors.New(text)), sinks.ErrDamaged); got != want {
			t.Errorf("%q is damage: %v", text, got)
		}
	}
}
