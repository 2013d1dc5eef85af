package buy

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"

	"backhaul/jobs/budget"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
)

var list = &pipeline.Endpoint{Vendor: "moz", Name: "anchor_text", PageSize: 50, UnitsPerRow: 1}

func expected(rows int64, known bool) plan.Missing {
	return plan.Missing{Cost: pipeline.Cost{Rows: rows}, Known: known}
}

func work(e *pipeline.Endpoint, missing plan.Missing, change func(*plan.Item)) plan.Work {
	it := &plan.Item{Task: pipeline.Task{Extract: "x"}, Endpoint: e, PageSize: e.PageSize}
	if change != nil {
		change(it)
	}
	return plan.Work{Item: it, Missing: missing}
}

func TestAPageIsHardlyMoreThanTheListHas(t *testing.T) {
	t.Parallel()
	steady := *list
	steady.SteadySize = true
	for name, tc := range map[string]struct {
		work plan.Work
		want int
	}{
		"nobody knows":         {work(list, expected(0, false), nil), 50},
		"a long list":          {work(list, expected(5000, true), nil), 50},
		"a short one":          {work(list, expected(8, true), nil), 20}, // a quarter more, and ten
		"pages of one size":    {work(&steady, expected(8, true), nil), 50},
		"nothing more is left": {work(list, expected(0, true), nil), 50},
	} {
		if got := PageSize(tc.work); got != tc.want {
			t.Errorf("%s: %d rows, want %d", name, got, tc.want)
		}
	}
}

func TestAPageCostsNoMoreThanWhatItMayStillBring(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*plan.Item)
		want   pipeline.Units
	}{
		"a page":                  {nil, 50},
		"the rest up to max_rows": {func(it *plan.Item) { it.Task.MaxRows, it.Place.ChainRows = 120, 100 }, 20},
		"never less than a row":   {func(it *plan.Item) { it.Task.MaxRows, it.Place.ChainRows = 100, 100 }, 1},
	} {
		if got := pageCost(work(list, expected(0, false), tc.change).Item, 50); got != tc.want {
			t.Errorf("%s: %d units, want %d", name, got, tc.want)
		}
	}
}

func TestListsOfUnknownLengthAreTriedFirstOnlyWhereNothingHoldsTheRunUp(t *testing.T) {
	t.Parallel()
	units := pipeline.Units(9)
	plain := []plan.Work{work(list, expected(0, false), nil), work(list, expected(0, false), nil)}
	urgent := work(list, expected(0, false), func(it *plan.Item) { it.Task.Priority = 3 })
	own := work(list, expected(0, false), func(it *plan.Item) { it.MaxUnits = &units })
	for name, tc := range map[string]struct {
		account budget.Account
		work    []plan.Work
		want    bool
	}{
		"nothing":                {budget.Account{Connections: 2}, plain, true},
		"a rate nobody notices":  {budget.Account{Connections: 2, PerSecond: 10}, plain, true},
		"a rate":                 {budget.Account{Connections: 2, PerSecond: 9}, plain, false},
		"a ceiling":              {budget.Account{Ceiling: ledger.Ceiling{Run: &units}}, plain, false},
		"cursors that die":       {budget.Account{TokenLife: 1}, plain, false},
		"priorities":             {budget.Account{}, append(plain[:1:1], urgent), false},
		"an extract's own bound": {budget.Account{}, append(plain[:1:1], own), false},
	} {
		if got := unhindered(tc.account, tc.work); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAPurseIsSpentOnce(t *testing.T) {
	t.Parallel()
	grant := purse(100)
	for _, step := range []struct{ want, least, got, left pipeline.Units }{
		{70, 50, 70, 30}, {70, 50, 0, 30}, {70, 20, 30, 0}, {1, 1, 0, 0},
	} {
		got, left, err := grant(context.Background(), step.want, step.least)
		if err != nil || got != step.got || left != step.left {
			t.Errorf("%+v: %d and %d, %v", step, got, left, err)
		}
	}
}

func TestAFaultOfTheLedgerIsStillWhatItWas(t *testing.T) {
	t.Parallel()
	if err := error(runError{fmt.Errorf("reserve 5 units: %w", syscall.EIO)}); !errors.Is(err, syscall.EIO) {
		t.Errorf("nobody can tell what became of %v", err)
	}
}
