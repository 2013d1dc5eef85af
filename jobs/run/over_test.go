package run

import (
	"testing"

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
