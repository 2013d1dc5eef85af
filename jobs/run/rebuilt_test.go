package run

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/jobs/books"
	"backhaul/jobs/chain"
	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/schemas"
	"backhaul/sinks"
)

// book is what a ledger has of a run that a journal tells as well.
type book struct {
	Run ledger.Run
	ledger.Index
	Retired *ledger.Retirement
}

func booksIn(t *testing.T, l *ledger.Ledger) []book {
	t.Helper()
	runs, err := l.Runs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := make([]book, len(runs))
	for i, r := range runs {
		all[i].Run = r
		if all[i].Index, err = l.Index(t.Context(), r.ID); err != nil {
			t.Fatal(err)
		}
		if all[i].Retired, err = l.Retired(t.Context(), r.ID); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// lose loses the ledger of a warehouse, has another one rebuilt from the journals, and fails where that has anything else. It leaves the
// warehouse as it was. It returns what the ledger had.
func lose(t *testing.T, dir string) []book {
	t.Helper()
	w, now := sinks.Warehouse{Root: dir}, time.Now()
	l, err := ledger.Open(t.Context(), w.Ledger())
	if err != nil {
		t.Fatal(err)
	}
	before := booksIn(t, l)
	if err := errors.Join(l.Close(), os.Rename(w.Ledger(), w.Ledger()+".before")); err != nil {
		t.Fatal(err)
	}
	if l, err = ledger.Open(t.Context(), w.Ledger()); err != nil {
		t.Fatal(err)
	}
	for _, b := range before {
		if err := recovery.Rebuild(t.Context(), l, books.InFiles(w), b.Run.Job, b.Run.RunDate, now); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(before, booksIn(t, l)); diff != "" {
		t.Errorf("the ledger as it was, and as it is rebuilt: %s", diff)
	}
	if err := errors.Join(l.Close(), os.Rename(w.Ledger()+".before", w.Ledger())); err != nil {
		t.Fatal(err)
	}
	return before
}

// forget takes the rows of a run out of the tables, and returns those that the ledger knows them to be out of.
func forget(t *testing.T, dir string, run ledger.Run) map[string]bool {
	t.Helper()
	w := sinks.Warehouse{Root: dir}
	l, err := ledger.Open(t.Context(), w.Ledger())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = recovery.Forget(t.Context(), books.InFiles(w), l, run, time.Now(), func(context.Context, *schemas.Table, string, time.Time) (bool, error) { return true, nil })
	if err != nil {
		t.Error(err)
	}
	absent, err := l.AbsentTables(t.Context(), run.ID)
	if err != nil {
		t.Error(err)
	}
	return absent
}

// comesOn gives the first task that is incomplete another page, and nobody enters what that means.
func comesOn(t *testing.T, w sinks.Warehouse, tasks []ledger.Task) error {
	j, err := journal.Open(t.Context(), w.JournalOf("a", "2026-11-23"), journal.Header{Job: "a", RunDate: "2026-11-23"})
	if err != nil {
		return err
	}
	i := slices.IndexFunc(tasks, func(t ledger.Task) bool { return !t.Ending.Complete() })
	page := pipeline.Page{Seq: tasks[i].Pages, Rows: 1, Units: 1, FetchedAt: time.Now(), Next: "x"}
	return errors.Join(j.Append(t.Context(), tasks[i].ID, page), j.Close())
}

// answering is an index that a vendor answers from.
type answering string

func (a answering) IndexID(context.Context) (string, error) { return string(a), nil }

// shortOf returns how a run of two lists ends that meets faults of a kind at its second list.
func shortOf(t *testing.T, dir string, kind pipeline.Kind) {
	m := newMeter(1, 50)
	m.fault = func() (pipeline.Kind, bool, bool) { return kind, true, m.asking == "77" }
	mustRun(t, m.job("faulty", 1, ledger.Ceiling{}, 40, 77), dir)
}

// What a run leaves behind, however it ends, is in its journal.
func TestALedgerThatIsRebuiltHasTheTasksItHad(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		leave func(t *testing.T, dir string)
		// ending is that of a task, or "" if all are complete.
		ending pipeline.Ending
	}{
		"complete": {func(t *testing.T, dir string) {
			mustRun(t, newMeter(1, 50).job("a", 2, ledger.Ceiling{}, 120, 30), dir)
		}, ""},
		"stopped by its budget":   {func(t *testing.T, dir string) { mustRun(t, newMeter(1, 50).job("a", 1, execution(70), 120, 30), dir) }, pipeline.EndBudget},
		"a list is refused":       {func(t *testing.T, dir string) { shortOf(t, dir, pipeline.Rejected) }, pipeline.EndFault},
		"the key is refused":      {func(t *testing.T, dir string) { shortOf(t, dir, pipeline.Denied) }, pipeline.EndDenied},
		"the vendor is exhausted": {func(t *testing.T, dir string) { shortOf(t, dir, pipeline.Exhausted) }, pipeline.EndQuota},
		"no answer":               {func(t *testing.T, dir string) { shortOf(t, dir, pipeline.Transient) }, pipeline.EndFault},
		"a list begins anew": {func(t *testing.T, dir string) {
			m, asked := newMeter(1, 50), 0
			m.fault = func() (pipeline.Kind, bool, bool) { asked++; return pipeline.Stale, false, asked == 3 }
			if r := mustRun(t, m.job("a", 1, ledger.Ceiling{}, 120), dir); r.Tasks[0].Waste == 0 {
				t.Errorf("no row came again: %+v", r.Tasks)
			}
		}, ""},
		"a list repeats itself": {func(t *testing.T, dir string) { newOdd(func(int) int { return 0 }).run(t, dir, 0, false) }, pipeline.EndRepeats},
		"cannot be read": {func(t *testing.T, dir string) {
			newOdd(func(n int) int { return 50 * n * (1 - n) }).run(t, dir, 0, false)
		}, pipeline.EndFault},
		"waits in vain": {func(t *testing.T, dir string) {
			m := newMeter(1, 50)
			job := m.job("a", 1, execution(70), 120)
			job.Steps = []chain.Step{m.after("y", "x0")}
			runAsked(t, job, dir, newAsked(dir))
		}, pipeline.EndNotReached},
		"a chain": {func(t *testing.T, dir string) {
			m := newMeter(1, 50)
			job := m.job("a", 1, ledger.Ceiling{}, 120)
			job.Steps = []chain.Step{m.after("y", "x0"), m.after("z", "y")}
			runAsked(t, job, dir, newAsked(dir))
		}, ""},
		"the spec asks for something else": {func(t *testing.T, dir string) {
			m := newMeter(1, 50)
			mustRun(t, m.job("a", 1, ledger.Ceiling{}, 120, 30), dir)
			mustRun(t, m.job("a", 1, execution(20), 120, 80), dir)
		}, pipeline.EndBudget},
		"the index is unchanged": {func(t *testing.T, dir string) {
			job := newMeter(1, 50).job("a", 1, ledger.Ceiling{}, 120)
			job.Items[0].OnlyIfIndexChanged = true
			a := job.Accounts["moz"]
			a.Index = answering("2026-11")
			job.Accounts["moz"] = a
			mustRun(t, job, dir)
			job.RunDate = job.RunDate.AddDate(0, 0, 1)
			if r := mustRun(t, job, dir); r.Saved != 120 || r.Tasks[0].Ending != pipeline.EndUnchanged {
				t.Errorf("%+v", r.Tasks)
			}
		}, ""},
		"an answer is taken over": {func(t *testing.T, dir string) {
			job := newMeter(1, 50).job("a", 1, ledger.Ceiling{}, 120)
			job.Items[0].MaxAge = time.Hour
			mustRun(t, job, dir)
			job.RunDate = job.RunDate.AddDate(0, 0, 1)
			if r := mustRun(t, job, dir); r.Saved != 120 || r.Tasks[0].ReusedFrom == "" {
				t.Errorf("%+v", r.Tasks)
			}
		}, ""},
		"an answer is taken over and read on": {func(t *testing.T, dir string) {
			job := newMeter(1, 50).job("a", 1, ledger.Ceiling{}, 120)
			job.Items[0].MaxAge, job.Items[0].Task.MaxRows = time.Hour, 50
			mustRun(t, job, dir)
			job.RunDate = job.RunDate.AddDate(0, 0, 1)
			mustRun(t, job, dir)
			job.Items[0].Task.MaxRows = 100
			if r := mustRun(t, job, dir); r.Bought.Rows != 50 || r.Tasks[0].ReusedFrom != "" {
				t.Errorf("%+v", r.Tasks)
			}
		}, ""},
		"rows that do not fit": {func(t *testing.T, dir string) {
			job := newMeter(1, 50).job("a", 1, ledger.Ceiling{}, 120)
			job.Sources = func(pipeline.Task) (pipeline.Source, error) { return misfit{newMeter(1, 50)}, nil }
			if r := mustRun(t, job, dir); r.Rejected() != 3 {
				t.Errorf("%+v", r.Rejections)
			}
		}, ""},
		"forgotten": {func(t *testing.T, dir string) {
			r := mustRun(t, newMeter(1, 50).job("a", 1, ledger.Ceiling{}, 120), dir)
			if absent := forget(t, dir, r.Run); len(absent) == 0 {
				t.Error("nothing is taken out of any table")
			}
		}, ""},
		"forgotten and replayed": {func(t *testing.T, dir string) {
			m := newMeter(1, 50)
			r := mustRun(t, m.job("a", 1, ledger.Ceiling{}, 120), dir)
			forget(t, dir, r.Run)
			l, err := ledger.Open(t.Context(), sinks.Warehouse{Root: dir}.Ledger())
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if _, err := Replay(t.Context(), l, r.Run, func(pipeline.Task) (pipeline.Source, error) { return m, nil }, options(dir)); err != nil {
				t.Error(err)
			}
			if x, err := l.Index(t.Context(), r.Run.ID); err != nil || len(x.Absent) != 0 {
				t.Errorf("%+v, %v", x.Absent, err)
			}
		}, ""},
		"retired, and forgotten": {func(t *testing.T, dir string) {
			r := mustRun(t, newMeter(1, 50).job("a", 1, ledger.Ceiling{}, 120), dir)
			w := sinks.Warehouse{Root: dir}
			l, err := ledger.Open(t.Context(), w.Ledger())
			if err != nil {
				t.Fatal(err)
			}
			retirement := ledger.Retirement{At: time.Now().UTC().Truncate(time.Microsecond), Tables: []ledger.RetiredTable{{Table: "moz.links", Rows: 120, Checksum: 1<<63 + 5}}}
			path := w.JournalOf("a", "2026-11-23")
			err = errors.Join(recovery.WriteRemains(t.Context(), l, r.Run, books.InFiles(w).Of("a", "2026-11-23"), retirement), l.Retire(t.Context(), r.Run.ID, retirement), removeJournalAt(path), l.Close())
			if err != nil {
				t.Error(err)
			}
			forget(t, dir, r.Run)
		}, ""},
		"held back by a breach": {func(t *testing.T, dir string) {
			few := int64(1000)
			job := newMeter(1, 50).job("a", 1, ledger.Ceiling{}, 120)
			job.Expectations = []Expectation{{Extract: "x0", MinRows: &few, Hold: true}}
			if r := mustRun(t, job, dir); r.Run.State != ledger.Incomplete {
				t.Errorf("%+v", r.Run)
			}
		}, ""},
		"left out": {func(t *testing.T, dir string) {
			o := options(dir)
			o.Select = func(extract string) bool { return extract == "x0" }
			if _, err := Run(t.Context(), newMeter(1, 50).job("a", 1, ledger.Ceiling{}, 120, 30), o); err != nil {
				t.Error(err)
			}
		}, ""},
		"imported": {func(t *testing.T, dir string) {
			s := &shelf{meter: newMeter(1, 50), files: map[string][]string{"2026-11-20 a": {"120 120", "7 7"}, "2026-11-21 b": {"7 7"}}}
			if _, err := s.load(dir, "2026-11-20 a", "2026-11-21 b"); err != nil {
				t.Error(err)
			}
		}, ""},
		"its process died": {func(t *testing.T, dir string) {
			r := mustRun(t, newMeter(1, 50).job("a", 1, execution(70), 120, 30), dir)
			w := sinks.Warehouse{Root: dir}
			l, err := ledger.Open(t.Context(), w.Ledger())
			if err == nil {
				_, err = l.Begin(t.Context(), "a", "2026-11-23", "", r.Run.ID, time.Now())
			}
			if err == nil {
				err = comesOn(t, w, r.Tasks)
			}
			if err = errors.Join(err, recovery.SettleDead(t.Context(), l, books.InFiles(w), time.Now()), l.Close()); err != nil {
				t.Error(err)
			}
		}, pipeline.EndInterrupted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			test.leave(t, dir)
			met := test.ending == ""
			for _, b := range lose(t, dir) {
				tasks, _, err := recovery.Recall(t.Context(), books.InFiles(sinks.Warehouse{Root: dir}), b.Run, b.Tasks)
				if err != nil {
					t.Error(err)
				}
				for _, task := range tasks {
					met = met || task.Ending == test.ending
				}
			}
			if !met {
				t.Errorf("no task ended with %q", test.ending)
			}
		})
	}
}
