package ledger

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"backhaul/pipeline"
)

func TestAGrantIsNeverTooSmallForTheRequest(t *testing.T) {
	l := openAt(t, filepath.Join(t.TempDir(), "ledger.sqlite"))
	begin(t, l, "nightly", "2026-11-23", "r1")
	for _, test := range []struct{ least, got pipeline.Units }{{11, 0}, {10, 10}} {
		got, left, err := l.Grant(t.Context(), "r1", "moz", november, 20, test.least, Ceiling{Run: units(10)})
		if err != nil || got != test.got || left != 10 {
			t.Errorf("of 10 units, at least %d: granted %d, %d left, %v", test.least, got, left, err)
		}
	}
}

func TestWhatARunAtWorkHasReservedIsNotHeld(t *testing.T) {
	ctx, l := t.Context(), openAt(t, filepath.Join(t.TempDir(), "ledger.sqlite"))
	begin(t, l, "nightly", "2026-11-23", "r1")
	grant := func() {
		if _, _, err := l.Grant(ctx, "r1", "moz", november, 100, 100, Ceiling{}); err != nil {
			t.Fatal(err)
		}
	}
	grant()
	if err := l.Settle(ctx, "r1", "moz", november, pipeline.Bill{Spent: 40}); err != nil {
		t.Fatal(err)
	}
	grant() // the run goes on
	spends := must(l.Spends(ctx, "r1"))(t)
	if len(spends) != 1 || spends[0].Settled || spends[0].Held() != 0 || spends[0].Reserved() != 100 {
		t.Errorf("%+v", spends)
	}
	if settled, err := l.Release(ctx, "r1", now); !errors.Is(err, ErrNothingHeld) {
		t.Errorf("released under the run: %+v, %v", settled, err)
	}
}

func TestWhatOthersHaveUsedOnlyGrows(t *testing.T) {
	said := []Usage{{VendorUnits: 100, LedgerUnits: 30}, {VendorUnits: 60, LedgerUnits: 30}, {VendorUnits: 90, LedgerUnits: 30, MaybeUnits: 5}}
	if got := Others(said); got != 70 {
		t.Errorf("%d, want 70: a count that lags does not make it less", got)
	}
}

func TestAVendorsMonthBeginsOnTheDayItWasLastAskedAbout(t *testing.T) {
	l := openAt(t, filepath.Join(t.TempDir(), "ledger.sqlite"))
	day := func(text string) time.Time { return must(time.Parse(time.DateOnly, text))(t) }
	months := func(want map[string]string) {
		t.Helper()
		for now, begun := range want {
			if got := must(l.MonthStart(t.Context(), "moz", day(now)))(t); got != day(begun) {
				t.Errorf("on %s it has begun on %s, want %s", now, got.Format(time.DateOnly), begun)
			}
		}
	}
	begin(t, l, "nightly", "2026-11-23", "r1")
	months(map[string]string{"2026-11-01": "2026-11-01", "2026-11-30": "2026-11-01"})
	for _, from := range []string{"2026-09-03", "2026-10-15"} {
		if _, _, err := l.Count(t.Context(), Usage{RunID: "r1", Vendor: "moz", Month: from[:7], From: day(from), At: day(from).AddDate(0, 0, 1)}, 0); err != nil {
			t.Fatal(err)
		}
	}
	months(map[string]string{"2026-11-14": "2026-10-15", "2026-11-15": "2026-11-15", "2026-11-30": "2026-11-15", "2027-01-02": "2026-12-15"})
}

// What a count lacks that it had before may be a held request's as well as anybody's.
func TestACountThatFellSettlesNothingThoughItIsAboveTheLedgers(t *testing.T) {
	ctx, l := t.Context(), openAt(t, filepath.Join(t.TempDir(), "ledger.sqlite"))
	begin(t, l, "nightly", "2026-11-23", "r1")
	if err := l.Settle(ctx, "r1", "moz", november, pipeline.Bill{Spent: 50, SpentAt: now, Maybe: 50, HeldAt: now}); err != nil {
		t.Fatal(err)
	}
	count := func(at time.Time, units pipeline.Units) []Settlement {
		t.Helper()
		_, settled, err := l.Count(ctx, Usage{RunID: "r1", Vendor: "moz", Month: november, At: at, VendorUnits: units}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return settled
	}
	if settled := count(now.Add(time.Minute), 100); settled != nil { // within the lag
		t.Fatalf("%+v", settled)
	}
	if settled := count(now.Add(2*time.Hour), 80); settled != nil {
		t.Errorf("settled by a count that fell from 100 to 80: %+v", settled)
	}
}

func TestASecondGrantAddsToTheFirstAndBothCountAgainstTheCeiling(t *testing.T) {
	ctx, l := t.Context(), openAt(t, filepath.Join(t.TempDir(), "ledger.sqlite"))
	begin(t, l, "nightly", "2026-11-23", "r1")
	for i, want := range []pipeline.Units{60, 40, 0} {
		if got, _, err := l.Grant(ctx, "r1", "moz", november, 60, 1, Ceiling{Run: units(100)}); err != nil || got != want {
			t.Errorf("grant %d is of %d units, %v, want %d", i, got, err, want)
		}
	}
	if spends := must(l.Spends(ctx, "r1"))(t); len(spends) != 1 || spends[0].Granted != 100 {
		t.Errorf("%+v", spends)
	}
}
