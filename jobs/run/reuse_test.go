package run

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
	"backhaul/schemas"
)

func TestAnAnswerIsTakenOnlyWhereItWillDo(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		index   string            // of the answer
		indexes map[string]string // what the vendor says now; nil: it was not asked
		item    plan.Item
		journal bool
		want    plan.Saving
	}{
		"the same index":              {index: "i1", indexes: map[string]string{"moz": "i1"}, item: plan.Item{OnlyIfIndexChanged: true}, want: plan.Unchanged},
		"another index":               {index: "i1", indexes: map[string]string{"moz": "i2"}, item: plan.Item{OnlyIfIndexChanged: true}},
		"a vendor that does not say":  {index: "", indexes: map[string]string{"moz": ""}, item: plan.Item{OnlyIfIndexChanged: true}},
		"nobody asked the vendor":     {index: "i1", item: plan.Item{OnlyIfIndexChanged: true}},
		"young enough":                {journal: true, item: plan.Item{MaxAge: 24 * time.Hour}, want: plan.Reused},
		"a second too old":            {journal: true, item: plan.Item{MaxAge: 24*time.Hour - time.Second}},
		"its journal was retired":     {item: plan.Item{MaxAge: 24 * time.Hour}},
		"a list that is under way":    {journal: true, item: plan.Item{MaxAge: 24 * time.Hour, Place: pipeline.Place{Pages: 1}}},
		"nobody wants earlier answer": {journal: true, index: "i1", indexes: map[string]string{"moz": "i1"}},
	} {
		r := newRunner(newMeter(1, 50).job("nightly", 1, ledger.Ceiling{}, 90), options(t.TempDir()))
		r.Now, r.indexes, r.run.ID = func() time.Time { return now }, test.indexes, "r2"
		l, err := ledger.Open(t.Context(), r.Warehouse.Ledger())
		if err != nil {
			t.Fatal(err)
		}
		r.ledger = l
		it := test.item
		it.Task, it.Endpoint = r.Items[0].Task, r.Items[0].Endpoint
		_, err = l.Begin(t.Context(), "weekly", "2026-11-22", "hash", "r1", now)
		err = errors.Join(err, l.Intend(t.Context(), "r1", []pipeline.Task{it.Task}))
		err = errors.Join(err, l.Record(t.Context(), "r1", ledger.Task{Task: it.Task, Ending: pipeline.EndOfList, Rows: 90, Units: 90, IndexID: test.index, Ended: now.Add(-24 * time.Hour)}))
		if path := r.Warehouse.JournalOf("weekly", "2026-11-22"); test.journal {
			err = errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.findAnswer(t.Context(), &it, nil); err != nil || it.Saves != test.want {
			t.Errorf("%s: saves %d, %v, want %d", name, it.Saves, err, test.want)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A list that failed by itself, or that the budget did not reach, holds nothing back.
func TestTablesOfListsThatWereCutOffFromOutsideAreHeld(t *testing.T) {
	t.Parallel()
	quota, denied := &engine.StopError{Ending: pipeline.EndQuota}, &engine.StopError{Ending: pipeline.EndDenied}
	for _, test := range []struct {
		ending pipeline.Ending
		err    error
		held   bool
	}{
		{pipeline.EndInterrupted, nil, true}, {pipeline.EndDenied, nil, true}, {pipeline.EndUnreachable, nil, true}, {pipeline.EndNotReached, denied, true},
		{pipeline.EndNotReached, quota, false}, {pipeline.EndOfList, nil, false}, {pipeline.EndMaxRows, nil, false}, {pipeline.EndBudget, nil, false},
		{pipeline.EndFault, nil, false}, {pipeline.EndRepeats, nil, false}, {pipeline.EndStale, nil, false},
	} {
		r := newRunner(newMeter(1, 50).job("nightly", 1, ledger.Ceiling{}, 90), options(t.TempDir()))
		r.block([]engine.Outcome{{Task: r.Items[0].Task, Ending: test.ending, Err: test.err}})
		if got := r.held[schemas.Lookup("moz.anchor_text")]; got != test.held {
			t.Errorf("%s, %v: held: %v", test.ending, test.err, got)
		}
	}
}
