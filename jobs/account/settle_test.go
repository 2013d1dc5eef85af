package account

import (
	"path/filepath"
	"testing"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
)

const november = "2026-11"

var now = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

// books are a run that was granted so many units in November, and has bought a page of 200 and lost a request of 50.
func books(t *testing.T, granted, inFlight pipeline.Units) (*ledger.Ledger, *journal.Journal) {
	t.Helper()
	ctx, dir := t.Context(), t.TempDir()
	l, err := ledger.Open(ctx, filepath.Join(dir, "ledger.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	j, err := journal.Open(ctx, filepath.Join(dir, "j.sqlite"), journal.Header{RunID: "r1", Job: "nightly", RunDate: "2026-11-23", Created: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err = l.Begin(ctx, "nightly", "2026-11-23", "hash", "r1", now)
	must(err)
	_, _, err = l.Grant(ctx, "r1", "moz", november, granted, granted, ledger.Ceiling{InFlight: inFlight})
	must(err)
	must(j.AddTasks(ctx, []pipeline.Task{{ID: "whole", Endpoint: "moz/links"}, {ID: "a", Endpoint: "moz/links"}, {ID: "b", Endpoint: "moz/links"}}))
	must(j.Append(ctx, "whole", pipeline.Page{End: true, FetchedAt: now}))
	must(j.Append(ctx, "a", pipeline.Page{Rows: 200, Units: 200, Next: "x", FetchedAt: now}))
	must(j.AddAttempt(ctx, "b", pipeline.Attempt{At: now, Kind: pipeline.Transient, MaybeUnits: 50}))
	return l, j
}

func TestAKilledProcessHasLostWhatWasUnderWayAndNoMoreThanItReserved(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ granted, inFlight, want pipeline.Units }{{1000, 150, 150}, {300, 150, 50}, {250, 150, 0}, {1000, 0, 0}} {
		l, j := books(t, test.granted, test.inFlight)
		for range 2 { // whoever looks again finds it noted
			if err := RecordLost(t.Context(), l, j, "r1", now.Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			if err := Settle(t.Context(), l, j, "r1", CalendarMonth(now)); err != nil {
				t.Fatal(err)
			}
			places, err := j.Places(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if places["a"].MaybeUnits != test.want || places["b"].MaybeUnits != 50 || places["whole"].MaybeUnits != 0 {
				t.Errorf("granted %d, %d at once: %+v", test.granted, test.inFlight, places)
			}
		}
	}
}

func TestATaskThatTheJournalHasWholeHasNoErrorAnyMore(t *testing.T) {
	t.Parallel()
	const stop = "the budget has 0 units left"
	for want, at := range map[pipeline.Ending]pipeline.Place{
		pipeline.EndOfList:      {Pages: 2, End: true},
		pipeline.EndMaxRows:     {Pages: 1, ChainRows: 100},
		pipeline.EndInterrupted: {Pages: 1, ChainRows: 50},
	} {
		task := ledger.Task{Task: pipeline.Task{MaxRows: 100}, Ending: pipeline.EndBudget, Error: stop}
		Stand(&task, at)
		if task.Ending != want || (task.Error == "") != want.Complete() {
			t.Errorf("%q, %q; want %q", task.Ending, task.Error, want)
		}
	}
}

func TestARunIsSettledInTheMonthItWasGrantedIn(t *testing.T) {
	t.Parallel()
	l, j := books(t, 1000, 0)
	if err := Settle(t.Context(), l, j, "r1", func(string) string { return "2026-12" }); err != nil {
		t.Fatal(err)
	}
	spends, err := l.Spends(t.Context(), "r1")
	if err != nil || len(spends) != 1 || spends[0].Month != november || spends[0].Spent != 200 || spends[0].Held() != 50 || !spends[0].HeldAt.Equal(now) {
		t.Errorf("%+v, %v", spends, err)
	}
}

func TestABoundIsBreachedBeyondItAndNotAtIt(t *testing.T) {
	t.Parallel()
	number := func(n int64) *int64 { return &n }
	for found, breached := range map[int64]bool{9: true, 10: false, 20: false, 21: true} {
		if f := (Expectation{}).Judge("rows", number(found), number(10), number(20)); f.Breached != breached {
			t.Errorf("%d of 10 to 20: %+v", found, f)
		}
	}
	if f := (Expectation{}).Judge("change", nil, nil, number(20)); f.Breached {
		t.Error("nothing to compare with is a breach")
	}
}

func TestTheQuestionOfAListIsAllThatWasAskedForIt(t *testing.T) {
	t.Parallel()
	task := func(id, target string) ledger.Task {
		return ledger.Task{Task: pipeline.Task{ID: id, Extract: "x", Target: target}}
	}
	a := list{extract: "x", target: "a"}
	both, again, other := questionsOf([]ledger.Task{task("1", "a"), task("2", "a"), task("3", "b")}), questionsOf([]ledger.Task{task("2", "a"), task("1", "a")}),
		questionsOf([]ledger.Task{task("1", "a"), task("4", "a")})
	if both[a] != again[a] || both[a] == other[a] || both[list{extract: "x", target: "b"}] != "3" {
		t.Errorf("%v, %v, %v", both, again, other)
	}
}
