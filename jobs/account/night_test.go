package account

import (
	"testing"
	"time"

	"backhaul/jobs/load"
	"backhaul/pipeline"
)

func TestChangeIsAgainstTheListsThatWereWholeBefore(t *testing.T) {
	t.Parallel()
	tasks := []pipeline.Task{{ID: "a", Extract: "x", Target: "a.example"}, {ID: "b", Extract: "x", Target: "b.example"}}
	for name, c := range map[string]struct {
		now  map[string]int64
		then map[string]int64
		want int64 // -1: nothing to compare with
	}{
		"none before":           {map[string]int64{"a": 5}, nil, -1},
		"the same":              {map[string]int64{"a": 60, "b": 40}, map[string]int64{"a.example": 60, "b.example": 40}, 0},
		"lost, rounded up":      {map[string]int64{"a": 2, "b": 0}, map[string]int64{"a.example": 3}, 34},
		"won":                   {map[string]int64{"a": 300}, map[string]int64{"a.example": 100}, 200},
		"a new list is no gain": {map[string]int64{"a": 100, "b": 9000}, map[string]int64{"a.example": 100}, 0},
		"all are gone":          {map[string]int64{}, map[string]int64{"a.example": 100, "b.example": 1}, 100},
	} {
		before := Whole{}
		for target, rows := range c.then {
			before[listName{"x", target, ""}] = wholeNight{rows: rows}
		}
		got := int64(-1)
		if percent := change(tasks, &load.Loaded{Rows: c.now}, before); percent != nil {
			got = *percent
		}
		if got != c.want {
			t.Errorf("%s: %d percent, want %d", name, got, c.want)
		}
	}
}

func TestAListOfSeveralRequestsIsComparedOnce(t *testing.T) {
	t.Parallel()
	tasks := []pipeline.Task{{ID: "a", Extract: "x", Target: "a.example"}, {ID: "b", Extract: "x", Target: "a.example"}}
	before := Whole{{"x", "a.example", ""}: {rows: 100}}
	if got := change(tasks, &load.Loaded{Rows: map[string]int64{"a": 60, "b": 40}}, before); got == nil || *got != 0 {
		t.Errorf("%v percent where 100 rows are 100 rows", got)
	}
}

func TestTheStalestListTellsTheAge(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	n := Night{Date: day(23), Places: map[string]pipeline.Place{"a": {End: true}}}
	tasks := []pipeline.Task{{ID: "a", Extract: "x", Target: "a.example"}, {ID: "b", Extract: "x", Target: "b.example"}}
	before := Whole{{"x", "a.example", ""}: {date: day(1)}, {"x", "b.example", ""}: {date: day(20)}}
	if got := n.age(tasks, before); got == nil || *got != 72 {
		t.Errorf("%v hours, want 72", got)
	}
	if got := n.age(tasks, nil); got != nil {
		t.Errorf("%d hours for a list that never was whole", *got)
	}
}
