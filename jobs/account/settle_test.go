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
	stopped := ledger.Task{Task: pipeline.Task{MaxRows: 100}, Ending: pipeline.EndBudget, Error: "the budget has 0 units left", Pages: 1, Ended: now}
	whole := stopped
	whole.Ending, whole.Error = pipeline.EndOfList, ""
	cut := whole
	cut.Ending = pipeline.EndMaxRows
	unchanged := whole
	unchanged.Ending, unchanged.Pages = pipeline.EndUnchanged, 0
	later := now.Add(time.Hour)
	for name, test := range map[string]struct {
		said  ledger.Task
		at    pipeline.Place
		want  pipeline.Ending
		error string
		ended time.Time
	}{
		"came to its end":            {stopped, pipeline.Place{Pages: 2, End: true}, pipeline.EndOfList, "", later},
		"came to its bound":          {stopped, pipeline.Place{Pages: 2, ChainRows: 100}, pipeline.EndMaxRows, "", later},
		"its bound was lowered":      {stopped, pipeline.Place{Pages: 1, ChainRows: 100}, pipeline.EndMaxRows, "", later},
		"its bound was raised":       {cut, pipeline.Place{Pages: 1, ChainRows: 50}, pipeline.EndInterrupted, "", later},
		"came on":                    {stopped, pipeline.Place{Pages: 2, ChainRows: 50}, pipeline.EndInterrupted, "", later},
		"came on and repeats itself": {stopped, pipeline.Place{Pages: 2, RepeatsAt: 2}, pipeline.EndRepeats, "the list repeats itself; " + repeatsAdvice, later},
		"came on and is unreadable":  {stopped, pipeline.Place{Pages: 2, Unreadable: 2}, pipeline.EndFault, "the reply cannot be read; " + unreadableAdvice, later},
		"did not come on":            {stopped, pipeline.Place{Pages: 1, ChainRows: 50}, pipeline.EndBudget, stopped.Error, now},
		"was whole before":           {whole, pipeline.Place{Pages: 1, End: true}, pipeline.EndOfList, "", now},
		"needs no page":              {unchanged, pipeline.Place{}, pipeline.EndUnchanged, "", now},
		"never began":                {ledger.Task{}, pipeline.Place{}, "", "", time.Time{}},
	} {
		test.at.Fetched = later
		Stand(&test.said, test.at)
		if got := test.said; got.Ending != test.want || got.Error != test.error || !got.Ended.Equal(test.ended) || got.Pages != test.at.Pages {
			t.Errorf("%s: %q, %q since %v; want %q, %q since %v", name, got.Ending, got.Error, got.Ended, test.want, test.error, test.ended)
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
	a, b := task("1", "a"), task("3", "b")
	both, again, other := questionsOf([]ledger.Task{task("1", "a"), task("2", "a"), task("3", "b")}), questionsOf([]ledger.Task{task("2", "a"), task("1", "a")}),
		questionsOf([]ledger.Task{task("1", "a"), task("4", "a")})
	if both.of(&a) != again.of(&a) || both.of(&a) == other.of(&a) || both.of(&a) == a.ID || both.of(&b) != "3" {
		t.Errorf("%v, %v, %v", both, again, other)
	}
}
