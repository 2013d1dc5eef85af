package price

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"backhaul/jobs/budget"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
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
		l, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.sqlite"))
		if err != nil {
			t.Fatal(err)
		}
		p := New(Config{Books: budget.Books{Ledger: l, RunID: "r2"}, Now: func() time.Time { return now }, HasPages: func(context.Context, ledger.Answer) bool { return test.journal }})
		p.indexes = test.indexes
		it := test.item
		it.Task, it.Endpoint = pipeline.Task{ID: "a", Extract: "x", Endpoint: "moz/anchor_text", Surface: "v2", Target: "a.example"}, &pipeline.Endpoint{Vendor: "moz", Name: "anchor_text"}
		_, err = l.Begin(t.Context(), "weekly", "2026-11-22", "hash", "r1", now)
		err = errors.Join(err, l.Sync(t.Context(), "r1", ledger.Index{Tasks: []ledger.Task{{Task: it.Task, Ending: pipeline.EndOfList, Rows: 90, Units: 90, IndexID: test.index, Ended: now.Add(-24 * time.Hour)}}}))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := p.findAnswer(t.Context(), &it, nil); err != nil || it.Saves != test.want {
			t.Errorf("%s: saves %d, %v, want %d", name, it.Saves, err, test.want)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}
