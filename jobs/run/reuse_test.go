package run

import (
	"testing"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
	"backhaul/schemas"
)

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
		r := newRunner(newMeter(1, 50).job("nightly", 1, ledger.Ceiling{}, 90), options(t.TempDir()).withDefaults(), nil, opened{})
		r.block([]engine.Outcome{{Task: &r.Items[0].Task, Ending: test.ending, Err: test.err}})
		if got := r.held[schemas.Lookup("moz.anchor_text")]; got != test.held {
			t.Errorf("%s, %v: held: %v", test.ending, test.err, got)
		}
	}
}
