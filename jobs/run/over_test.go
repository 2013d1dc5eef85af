package run

import (
	"errors"
	"testing"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/schemas"
)

// A list without a page of an extract that is bought says that there is nothing; one of an extract that was left out says nothing.
func TestListsThatWereLeftOutAndHaveNothingAreNotLoaded(t *testing.T) {
	t.Parallel()
	o := options(t.TempDir())
	o.Select = func(extract string) bool { return extract == "bought" }
	r := newRunner(newMeter(1, 50).job("nightly", 1, ledger.Ceiling{}, 90), o.withDefaults(), nil, opened{})
	r.places = map[string]pipeline.Place{"held": {Pages: 1}}
	tasks := []pipeline.Task{{ID: "empty", Extract: "bought"}, {ID: "left", Extract: "out"}, {ID: "held", Extract: "out"}, {ID: "waits", Extract: "bought", Params: pipeline.PlaceholderParams}}
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

func TestWhatIsHeldOfMonthsThatAreOverIsReleasedByTheNextRun(t *testing.T) {
	t.Parallel()
	dir, m := t.TempDir(), newMeter(1, 50)
	l, err := ledger.Open(t.Context(), options(dir).Warehouse.Ledger())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = l.Begin(t.Context(), "weekly", "2020-01-03", "hash", "old", time.Date(2020, 1, 3, 0, 0, 0, 0, time.UTC))
	if err = errors.Join(err, l.Settle(t.Context(), "old", "moz", "2020-01", pipeline.Bill{Spent: 10, Maybe: 40}),
		l.End(t.Context(), "old", ledger.Incomplete, "", time.Now())); err != nil {
		t.Fatal(err)
	}
	result := mustRun(t, m.job("nightly", 1, ledger.Ceiling{}, 50), dir)
	holds, err := l.Holds(t.Context(), "", "")
	if err != nil || len(holds) != 0 || len(result.Settled) != 1 || result.Settled[0].Released() != 40 || result.Settled[0].Why != ledger.ByMonth {
		t.Errorf("%+v, %+v, %v", holds, result.Settled, err)
	}
}

func TestABreachThatHoldsKeepsItsTableBackUntilItIsAccepted(t *testing.T) {
	t.Parallel()
	few := int64(1000)
	for _, test := range []struct{ hold, accept, published bool }{{true, false, false}, {true, true, true}, {false, false, true}} {
		dir := t.TempDir()
		job, o := newMeter(1, 50).job("nightly", 1, ledger.Ceiling{}, 120), options(dir)
		job.Expectations = []Expectation{{Extract: "x0", MinRows: &few, Hold: test.hold}}
		o.Accept = test.accept
		result, err := Run(t.Context(), job, o)
		if err != nil {
			t.Fatal(err)
		}
		published := nowhere{dir}.Has(schemas.Lookup("moz.anchor_text"), "nightly", job.RunDate)
		if len(result.Findings) != 1 || !result.Findings[0].Breached || result.Findings[0].Held == test.published || published != test.published {
			t.Errorf("%+v: published: %v, %+v", test, published, result.Findings)
		}
	}
}
