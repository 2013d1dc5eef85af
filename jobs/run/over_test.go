package run

import (
	"errors"
	"testing"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/schemas"
)

// What others wait for is over when nothing more will come of it, and not when it was stopped.
func TestWhatWasStoppedIsNotOver(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		ending       pipeline.Ending
		tried, fresh bool // over where its turn was in this execution, and where it was not
	}{
		{pipeline.EndOfList, true, true}, {pipeline.EndMaxRows, true, true}, {pipeline.EndUnchanged, true, true},
		{pipeline.EndFault, true, false}, {pipeline.EndStale, true, false}, {pipeline.EndRepeats, true, false},
		{"", false, false}, {pipeline.EndNotReached, false, false}, {pipeline.EndInterrupted, false, false}, {pipeline.EndBudget, false, false},
		{pipeline.EndQuota, false, false}, {pipeline.EndDenied, false, false}, {pipeline.EndUnreachable, false, false},
	} {
		for tried, want := range map[bool]bool{true: test.tried, false: test.fresh} {
			r := newRunner(newMeter(1, 50).job("nightly", 1, ledger.Ceiling{}, 90), options(t.TempDir()))
			r.known["x"], r.tried["x"] = true, tried
			tasks := []ledger.Task{{Task: pipeline.Task{Extract: "x"}, Ending: pipeline.EndOfList}, {Task: pipeline.Task{Extract: "x"}, Ending: test.ending}}
			if got := r.over(tasks, "x"); got != want {
				t.Errorf("%q, tried: %v: over: %v", test.ending, tried, got)
			}
			if r.over(tasks, "x", "unknown") {
				t.Error("an extract whose tasks are not known is over")
			}
		}
	}
}

// A list without a page of an extract that is bought says that there is nothing; one of an extract that was left out says nothing.
func TestListsThatWereLeftOutAndHaveNothingAreNotLoaded(t *testing.T) {
	t.Parallel()
	o := options(t.TempDir())
	o.Select = func(extract string) bool { return extract == "bought" }
	r := newRunner(newMeter(1, 50).job("nightly", 1, ledger.Ceiling{}, 90), o)
	r.places = map[string]pipeline.Place{"held": {Pages: 1}}
	tasks := []pipeline.Task{{ID: "empty", Extract: "bought"}, {ID: "left", Extract: "out"}, {ID: "held", Extract: "out"}, {ID: "waits", Extract: "bought", Params: ledger.PlaceholderParams}}
	var ids string
	for _, task := range r.loadable(tasks) {
		ids += task.ID + " "
	}
	if ids != "empty held " {
		t.Error(ids)
	}
}

// misfit is a vendor of whose pages the first row does not fit.
type misfit struct{ *meter }

func (o misfit) Decode(p pipeline.Page, b *schemas.Builder) error {
	if p.Rows > 0 {
		b.Reject(0, []byte(`{}`), &schemas.FieldError{Field: "external_pages", Problem: "want an integer"})
	}
	p.Rows--
	return o.meter.Decode(p, b)
}

func TestTheLedgerKnowsTheRowsThatDidNotFit(t *testing.T) {
	t.Parallel()
	dir, m := t.TempDir(), newMeter(1, 50)
	job := m.job("nightly", 1, ledger.Ceiling{}, 120)
	job.Sources = func(pipeline.Task) (pipeline.Source, error) { return misfit{m}, nil }
	result := mustRun(t, job, dir)
	l, err := ledger.Open(t.Context(), options(dir).Warehouse.Ledger())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	all, err := l.Rejections(t.Context(), result.Run.ID)
	if err != nil || len(all) != 1 || all[0].Rows != 3 || all[0].Field != "external_pages" || all[0].Table != "moz.anchor_text" {
		t.Errorf("%+v, %v: one row of each of three pages did not fit", all, err)
	}
}

func TestAListWhoseRowsDidNotFitIsNotWhole(t *testing.T) {
	t.Parallel()
	r := newRunner(newMeter(1, 50).job("nightly", 1, ledger.Ceiling{}, 90), options(t.TempDir()))
	r.related["x"] = Relation{Name: "x"}
	whole := ledger.Task{Task: pipeline.Task{Extract: "x"}, Ending: pipeline.EndOfList}
	for unfit, lacks := range map[int64]bool{0: false, 1: true} {
		r.unfit["x"] = unfit
		if why, err := r.short(t.Context(), "x", []ledger.Task{whole}); err != nil || (why != "") != lacks {
			t.Errorf("%d rows did not fit: %q, %v", unfit, why, err)
		}
	}
}

func TestWhatIsHeldOfMonthsThatAreOverIsReleasedByTheNextRun(t *testing.T) {
	t.Parallel()
	dir, m := t.TempDir(), newMeter(1, 50)
	l, err := ledger.Open(t.Context(), options(dir).Warehouse.Ledger())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = l.Begin(t.Context(), "weekly", "2020-01-03", "hash", "old", time.Date(2020, 1, 3, 0, 0, 0, 0, time.UTC))
	if err = errors.Join(err, l.Settle(t.Context(), "old", "moz", "2020-01", ledger.Bill{Spent: 10, Maybe: 40}),
		l.End(t.Context(), "old", ledger.Incomplete, 0, "", time.Now())); err != nil {
		t.Fatal(err)
	}
	result := mustRun(t, m.job("nightly", 1, ledger.Ceiling{}, 50), dir)
	holds, err := l.Holds(t.Context(), "", "")
	if err != nil || len(holds) != 0 || len(result.Settled) != 1 || result.Settled[0].Released() != 40 || result.Settled[0].Why != ledger.ByMonth {
		t.Errorf("%+v, %+v, %v", holds, result.Settled, err)
	}
}
