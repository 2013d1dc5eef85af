package budget

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
	"backhaul/pipeline/limit"
)

func at(text string) func() time.Time {
	now, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return func() time.Time { return now }
}

func TestABillingMonthBeginsOnItsDay(t *testing.T) {
	t.Parallel()
	for now, want := range map[string]string{"2026-11-14": "2026-10", "2026-11-15": "2026-11", "2026-01-03": "2025-12"} {
		b := New(map[string]Account{"moz": {MonthStartsOn: 15}}, at(now))
		if got := b.Month("moz"); got != want {
			t.Errorf("on %s the month is %s, want %s", now, got, want)
		}
	}
}

// open returns the books of a run in a new ledger.
func open(t *testing.T, job string) Books {
	t.Helper()
	l, err := ledger.Open(t.Context(), t.TempDir()+"/ledger.sqlite")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	run, err := l.Begin(t.Context(), job, "2026-11-23", "hash", "run-1", at("2026-11-23")())
	if err != nil {
		t.Fatal(err)
	}
	return Books{Ledger: l, RunID: run.ID, Job: job}
}

func TestTheCeilingThatLeavesTheLeastIsTold(t *testing.T) {
	t.Parallel()
	units := func(n pipeline.Units) *pipeline.Units { return &n }
	for name, tc := range map[string]struct {
		account Account
		count   counted
		want    plan.Ceiling
		left    *pipeline.Units
	}{
		"none":                       {Account{}, counted{}, plan.Ceiling(""), nil},
		"the run's":                  {Account{Ceiling: ledger.Ceiling{Run: units(50), Month: units(90)}}, counted{}, plan.OfRun, units(50)},
		"the user's":                 {Account{Ceiling: ledger.Ceiling{Run: units(50)}, ByFlag: true}, counted{}, plan.OfFlag, units(50)},
		"the job's month":            {Account{Ceiling: ledger.Ceiling{Run: units(50), Month: units(40)}}, counted{}, plan.OfMonth, units(40)},
		"what others left":           {Account{Ceiling: ledger.Ceiling{Run: units(50), WarehouseMonth: units(90)}}, counted{others: 60}, plan.OfWarehouse, units(30)},
		"what the vendor has":        {Account{Ceiling: ledger.Ceiling{Run: units(50)}}, counted{quota: units(10)}, plan.OfQuota, units(10)},
		"the hardest of equals":      {Account{Ceiling: ledger.Ceiling{Run: units(50), Month: units(50), WarehouseMonth: units(50)}}, counted{}, plan.OfWarehouse, units(50)},
		"nothing, and never below 0": {Account{Ceiling: ledger.Ceiling{WarehouseMonth: units(50)}}, counted{others: 80}, plan.OfWarehouse, units(0)},
	} {
		b := New(map[string]Account{"moz": tc.account}, at("2026-11-23"))
		b.counts["moz"] = tc.count
		got := b.Unspent("moz")
		if got.Ceiling != tc.want || (got.Left == nil) != (tc.left == nil) || got.Left != nil && *got.Left != *tc.left {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestWhatTheMonthsLeaveIsToldAndNotWhatTheNextExecutionHasAnew(t *testing.T) {
	t.Parallel()
	books, most := open(t, "nightly"), pipeline.Units(100)
	b := New(map[string]Account{"moz": {Ceiling: ledger.Ceiling{Run: &most, Month: &most, WarehouseMonth: &most}}, "ahrefs": {}}, at("2026-11-23"))
	if _, _, err := books.Ledger.Grant(t.Context(), books.RunID, "moz", b.Month("moz"), 30, 30, b.Account("moz").Ceiling); err != nil {
		t.Fatal(err)
	}
	got, err := b.Remaining(t.Context(), books)
	want := []plan.Remaining{{Vendor: "moz", Ceiling: plan.OfWarehouse, Units: 70}, {Vendor: "moz", Ceiling: plan.OfMonth, Units: 70}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestARunsCeilingLiesAboveWhatItSpentBefore(t *testing.T) {
	t.Parallel()
	books, most := open(t, "nightly"), pipeline.Units(50)
	b := New(map[string]Account{"moz": {Ceiling: ledger.Ceiling{Run: &most}}}, at("2026-11-23"))
	if _, _, err := books.Ledger.Grant(t.Context(), books.RunID, "moz", b.Month("moz"), 30, 30, b.Account("moz").Ceiling); err != nil {
		t.Fatal(err)
	}
	left := func() pipeline.Units {
		a, err := b.Left(t.Context(), books, "moz")
		if err != nil {
			t.Fatal(err)
		}
		return *a.Left
	}
	if got := left(); got != 20 {
		t.Errorf("%d left in the execution that spent 30", got)
	}
	if err := b.Raise(t.Context(), books); err != nil {
		t.Fatal(err)
	}
	if got := left(); got != 50 {
		t.Errorf("%d left in the next one", got)
	}
	if most != 50 {
		t.Error("the job's own ceiling was changed")
	}
}

func TestAStopForWantOfUnitsNamesItsCeiling(t *testing.T) {
	t.Parallel()
	books, most, quota := open(t, "nightly"), pipeline.Units(50), pipeline.Units(10)
	b := New(map[string]Account{"moz": {Ceiling: ledger.Ceiling{Run: &most}}}, at("2026-11-23"))
	stop := func() *engine.StopError {
		s := &engine.StopError{Vendor: "moz", Ending: pipeline.EndBudget, Err: &limit.BudgetError{Left: 5, Want: 20}}
		if err := b.NameCeilings(t.Context(), books, []*engine.StopError{s}); err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := stop(); s.Ending != pipeline.EndBudget || !strings.Contains(s.Err.Error(), "the job's budget for one run has 5 units left, the next request may cost 20") {
		t.Errorf("%+v", s)
	}
	b.counts["moz"] = counted{quota: &quota}
	s := stop()
	if s.Ending != pipeline.EndQuota || !strings.Contains(s.Err.Error(), "the vendor's own quota") {
		t.Errorf("%+v", s)
	}
	o := engine.Outcome{Task: &pipeline.Task{Endpoint: "moz/anchor_text"}, Ending: pipeline.EndBudget}
	if got := ByCeiling(o, false, []*engine.StopError{s}); got.Ending != pipeline.EndQuota {
		t.Errorf("a task ended by %s", got.Ending)
	}
	if got := ByCeiling(o, true, []*engine.StopError{s}); got.Ending != pipeline.EndBudget {
		t.Errorf("a task of an extract with a ceiling of its own ended by %s", got.Ending)
	}
}

// teller is a vendor that tells of the month that runs by its own clock, whatever it is asked for.
type teller struct {
	clock time.Time
	units pipeline.Units
}

func (v teller) Usage(context.Context, time.Time, time.Time) (pipeline.UsageReport, error) {
	return pipeline.UsageReport{Units: v.units, VendorTime: v.clock}, nil
}

func TestACountOfAnotherMonthSettlesNothing(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		now, vendor time.Time
		want        bool
	}{
		"within the month":                    {end.Add(-time.Hour), end.Add(-time.Hour), true},
		"within it, the vendor without clock": {end.Add(-time.Hour), time.Time{}, true},
		"the month has ended":                 {end, end, false},
		"it has, the vendor without clock":    {end, time.Time{}, false},
		"it has for the vendor":               {end.Add(-time.Second), end, false},
		"it has not begun for the vendor":     {end.Add(-29 * 24 * time.Hour), end.AddDate(0, -1, 0).Add(-time.Second), false},
	} {
		books, now := open(t, "nightly"), end.Add(-29*24*time.Hour)
		b := New(map[string]Account{"moz": {Usage: teller{tc.vendor, 10}}}, func() time.Time { return now })
		held := pipeline.Bill{Spent: 10, Maybe: 40, HeldAt: now.Add(-time.Hour)}
		if err := books.Ledger.Settle(t.Context(), books.RunID, "moz", b.Month("moz"), held); err != nil {
			t.Fatal(err)
		}
		now = tc.now
		if err := b.AskAgain(t.Context(), books, []string{"moz"}); err != nil {
			t.Fatal(err)
		}
		if got := len(b.Settled()) == 1; got != tc.want {
			t.Errorf("%s: settled %+v", name, b.Settled())
		}
	}
}
