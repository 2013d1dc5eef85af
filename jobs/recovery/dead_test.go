package recovery

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/jobs/account"
	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/pipeline/sqlite"
	"backhaul/pipeline/store"
	"backhaul/sinks"
)

const november = "2026-11"

// died makes the run of a night one whose process died: granted 1000 units, 150 of which could be under way at once, with a page
// of 200 in its journal.
func died(t *testing.T, w sinks.Warehouse, l *ledger.Ledger, date string) (path string) {
	t.Helper()
	ctx := t.Context()
	path = w.JournalOf("nightly", date)
	task := pipeline.Task{ID: "a", Extract: "x", Endpoint: "moz/links", Target: "a.example"}
	_, _, err := l.Grant(ctx, date, "moz", november, 1000, 1000, ledger.Ceiling{InFlight: 150})
	if err = errors.Join(err, l.Sync(ctx, date, ledger.Index{Tasks: []ledger.Task{{Task: task}}})); err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(ctx, path, journal.Header{RunID: date, Job: "nightly", RunDate: date, Created: now})
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(j.AddTasks(ctx, []pipeline.Task{task}), j.Append(ctx, "a", pipeline.Page{Rows: 200, Units: 200, Next: "x", FetchedAt: now}), j.Close())
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// stands is how a run and its money stand in the ledger.
func stands(t *testing.T, l *ledger.Ledger, runID string) (ledger.State, ledger.Spend) {
	t.Helper()
	run, err := l.Get(t.Context(), runID)
	if err != nil {
		t.Fatal(err)
	}
	spends, err := l.Spends(t.Context(), runID)
	if err != nil || len(spends) != 1 {
		t.Fatalf("%+v, %v", spends, err)
	}
	return run.State, spends[0]
}

func TestADeadRunHoldsWhatItMayHaveSpentAndNoMore(t *testing.T) {
	const date = "2026-11-22"
	for name, test := range map[string]struct {
		spoil       func(t *testing.T, path string)
		spent, held pipeline.Units
	}{
		"killed": {func(*testing.T, string) {}, 200, 150},
		"killed, and its journal is gone": {func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}, 0, 1000},
		"killed, and its journal is damaged": {func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte("this is a text, and quite a long one, so that it has a header's length and more than that"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, 0, 1000},
	} {
		w, l := warehouse(t, date)
		test.spoil(t, died(t, w, l, date))
		for range 2 {
			if err := SettleDead(t.Context(), l, books.InFiles(w), now); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			state, s := stands(t, l, date)
			if state != ledger.Incomplete || s.Spent != test.spent || s.Held() != test.held || s.Reserved() != 0 {
				t.Errorf("%s: %s, %d spent, %d held: %+v", name, state, s.Spent, s.Held(), s)
			}
		}
	}
}

func TestARunAtWorkIsNotTakenForADeadOne(t *testing.T) {
	const date = "2026-11-22"
	w, l := warehouse(t, date)
	died(t, w, l, date)
	unlock, err := books.InFiles(w).Of("nightly", date).Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if err := SettleDead(t.Context(), l, books.InFiles(w), now); err != nil {
		t.Fatal(err)
	}
	if state, s := stands(t, l, date); state != ledger.Running || s.Reserved() != 1000 {
		t.Errorf("%s: %+v", state, s)
	}
}

func TestAnOlderCopyOfAJournalIsDamage(t *testing.T) {
	const date = "2026-11-22"
	w, l := warehouse(t, date)
	path := died(t, w, l, date)
	run, err := l.Get(t.Context(), date)
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(t.Context(), path, journal.Header{Job: "nightly", RunDate: date})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for pages, damaged := range map[int]bool{1: false, 2: true} {
		if err := l.Sync(t.Context(), date, ledger.Index{Tasks: []ledger.Task{{Task: pipeline.Task{ID: "a"}, Pages: pages}}}); err != nil {
			t.Fatal(err)
		}
		if err := Recognize(t.Context(), l, j, run, path); errors.Is(err, ErrDamaged) != damaged {
			t.Errorf("one page where the ledger knows %d: %v", pages, err)
		}
	}
}

// enterUnbegun has the ledger keep a task that has not begun, as earlier versions did.
func enterUnbegun(ctx context.Context, w sinks.Warehouse, runID string, t ledger.Task) error {
	db, err := sqlite.Open(ctx, w.Ledger(), ledger.Layout)
	if err != nil {
		return err
	}
	err = db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO tasks (run_id, task_id, request, extract, endpoint, surface, target, target_as_given, scope, params, priority, max_rows, ending, error, ended_at)
			VALUES (?, ?, ?, ?, '', '', '', '', '', ?, 0, 0, ?, ?, ?)`, runID, t.ID, t.Request(), t.Extract, t.Params, t.Ending, t.Error, store.Micros(t.Ended))
		return err
	})
	return errors.Join(err, db.Close())
}

func TestAJournalOfAnEarlierFormatLearnsOnceWhatTheLedgerKnows(t *testing.T) {
	const date = "2026-11-22"
	ctx := t.Context()
	w, l := warehouse(t, date)
	j, err := journal.Open(ctx, w.JournalOf("nightly", date), journal.Header{RunID: date, Job: "nightly", RunDate: date, Created: now})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	a, waits := pipeline.Task{ID: "a", Extract: "x", Target: "a"}, pipeline.Task{ID: "w", Extract: "y", Params: pipeline.PlaceholderParams}
	want := []ledger.Task{{Task: a, Ending: pipeline.EndBudget, Error: "stopped", Ended: now, Pages: 1, Rows: 150, Waste: 50, Units: 200, SavedUnits: 7, IndexID: "i",
		Expected: pipeline.Expectation{Units: 300, Next: 2}}, {Task: waits, Ending: pipeline.EndNotReached, Error: "waits for x", Ended: now}}
	misfits := []pipeline.Rejection{{TaskID: "a", Table: "moz.links", Field: "page", Rows: 3, Reason: "no"}}
	err = errors.Join(j.AddTasks(ctx, []pipeline.Task{a, {ID: "b", Extract: "x"}}), j.Append(ctx, "a", pipeline.Page{Rows: 200, Units: 200, Next: "x", FetchedAt: now}),
		l.Sync(ctx, date, ledger.Index{Tasks: want[:1], Rejections: misfits, Absent: map[string]time.Time{"moz.links": now}}), enterUnbegun(ctx, w, date, want[1]), l.End(ctx, date, ledger.Incomplete, "stopped", now))
	if err != nil {
		t.Fatal(err)
	}
	run, err := l.Get(ctx, date)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := Recognize(ctx, l, j, run, "path"); err != nil {
			t.Fatal(err)
		}
		places, err := j.Places(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got, err := account.Tasks(ctx, j, places)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
		rejected, err := j.Rejections(ctx)
		if diff := cmp.Diff(misfits, rejected); diff != "" || err != nil {
			t.Error(diff, err)
		}
		if absent, err := j.Withdrawn(ctx); len(absent) != 1 || !absent["moz.links"].Equal(now) || err != nil {
			t.Errorf("%+v, %v", absent, err)
		}
		if course, err := j.Course(ctx); course != account.Course(run) || err != nil {
			t.Errorf("%+v, %v", course, err)
		}
		if err := l.Sync(ctx, date, ledger.Index{}); err != nil { // the journal knows by now
			t.Fatal(err)
		}
	}
}

func TestALedgerThatIsGoneIsNotMadeAnewOverJournals(t *testing.T) {
	w := sinks.Warehouse{Root: t.TempDir()}
	l, err := OpenLedger(t.Context(), books.InFiles(w))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	path := w.JournalOf("nightly", "2026-11-22")
	if err := errors.Join(os.Remove(w.Ledger()), os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("pages"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if l, err := OpenLedger(t.Context(), books.InFiles(w)); !errors.Is(err, ErrDamaged) {
		t.Errorf("%v, %v", l, err)
	}
}

func TestARunWithListsThatWereNeverBegunIsNotCompleteThoughItsJournalForgets(t *testing.T) {
	const date = "2026-11-22"
	ctx := t.Context()
	w, l := warehouse(t, date)
	whole, waits := pipeline.Task{ID: "a", Extract: "x"}, pipeline.Task{ID: "b", Extract: "x"}
	j, err := journal.Open(ctx, w.JournalOf("nightly", date), journal.Header{RunID: date, Job: "nightly", RunDate: date, Created: now})
	if err != nil {
		t.Fatal(err)
	}
	// What is kept of a damaged journal has neither the tasks without a page nor how the run stood.
	err = errors.Join(j.AddTasks(ctx, []pipeline.Task{whole}), j.Append(ctx, "a", pipeline.Page{Rows: 1, End: true, FetchedAt: now}), j.Close(),
		l.Sync(ctx, date, ledger.Index{Tasks: []ledger.Task{{Task: whole, Ending: pipeline.EndOfList, Pages: 1, Rows: 1}, {Task: waits}}}), l.End(ctx, date, ledger.Incomplete, "stopped", now),
		Rebuild(ctx, l, books.InFiles(w), "nightly", date, now))
	if run, getErr := l.Get(ctx, date); run.State != ledger.Incomplete || errors.Join(err, getErr) != nil {
		t.Errorf("%+v, %v, %v", run, err, getErr)
	}
}
