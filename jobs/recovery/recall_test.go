package recovery

import (
	"testing"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
)

func TestAListOfARunAtWorkIsUnderWayOnceItHasComeFurther(t *testing.T) {
	t.Parallel()
	stopped := ledger.Task{Task: pipeline.Task{ID: "a"}, Ending: pipeline.EndBudget, Error: "0 units left", Pages: 2, Rows: 100}
	for name, test := range map[string]struct {
		place pipeline.Place
		want  pipeline.Ending
		err   string
		rows  int64
	}{
		"not taken up yet": {pipeline.Place{Pages: 2, Rows: 100, Next: "x"}, pipeline.EndBudget, "0 units left", 100},
		"gone on with":     {pipeline.Place{Pages: 3, Rows: 150, Next: "x"}, "", "", 150},
		"whole by now":     {pipeline.Place{Pages: 3, Rows: 130, End: true}, pipeline.EndOfList, "", 130},
	} {
		tasks := []ledger.Task{stopped}
		follow(tasks, map[string]pipeline.Place{"a": test.place})
		if got := tasks[0]; got.Ending != test.want || got.Error != test.err || got.Rows != test.rows || got.Pages != test.place.Pages {
			t.Errorf("%s: %+v", name, got)
		}
	}
	unchanged := []ledger.Task{{Task: pipeline.Task{ID: "a"}, Ending: pipeline.EndUnchanged}, {Task: pipeline.Task{ID: "not in the journal"}, Ending: pipeline.EndNotReached}}
	follow(unchanged, map[string]pipeline.Place{"a": {}})
	if unchanged[0].Ending != pipeline.EndUnchanged || unchanged[1].Ending != pipeline.EndNotReached {
		t.Errorf("%+v", unchanged)
	}
}
