package ledger

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
)

func TestBudgetsAreThoseOfTheLatestExecution(t *testing.T) {
	l := openAt(t, filepath.Join(t.TempDir(), "ledger.sqlite"))
	r := begin(t, l, "nightly", "2026-11-23", "r1")
	some, start := pipeline.Units(20_000), time.Date(2026, 11, 15, 0, 0, 0, 0, time.UTC)
	for _, all := range [][]Budget{
		{{Vendor: "ahrefs", MonthStart: start}, {Vendor: "moz", Run: &some, Month: &some, MonthStart: start}},
		{{Vendor: "moz", Run: new(pipeline.Units), WarehouseMonth: &some, MonthStart: start}},
		nil,
	} {
		if err := l.SetBudgets(t.Context(), r.ID, all); err != nil {
			t.Fatal(err)
		}
		got, err := l.Budgets(t.Context(), r.ID)
		if diff := cmp.Diff(all, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
	}
}
