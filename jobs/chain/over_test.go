package chain

import (
	"testing"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
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
			c := New(Config{})
			c.known["x"], c.tried["x"] = true, tried
			tasks := []ledger.Task{{Task: pipeline.Task{Extract: "x"}, Ending: pipeline.EndOfList}, {Task: pipeline.Task{Extract: "x"}, Ending: test.ending}}
			if got := c.over(tasks, "x"); got != want {
				t.Errorf("%q, tried: %v: over: %v", test.ending, tried, got)
			}
			if c.over(tasks, "x", "unknown") {
				t.Error("an extract whose tasks are not known is over")
			}
		}
	}
}
