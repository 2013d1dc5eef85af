package pipeline

import (
	"strconv"
	"testing"
)

func batchOf(n int) Task {
	inputs := make([]Input, n)
	for i := range inputs {
		inputs[i] = Input{Target: strconv.Itoa(i)}
	}
	return Task{Batch: EncodeBatch(inputs)}
}

func TestSlicesOfABatchMeetWithoutGapOrOverlap(t *testing.T) {
	for _, n := range []int{1, 49, 50, 51, 120} {
		task, got := batchOf(n), 0
		for ask := (Ask{}); ; {
			ask.Limit = []int{0, 7, 50, 1}[got%4] // a budget may cut any request short
			part, next, end, err := task.Slice(ask, 50)
			if err != nil || len(part) == 0 || len(part) > 50 || ask.Limit > 0 && len(part) > ask.Limit {
				t.Fatalf("%d inputs at %q: %d of them, %v", n, ask.Cursor, len(part), err)
			}
			for _, in := range part {
				if in.Target != strconv.Itoa(got) {
					t.Fatalf("%d inputs: %s where %d is next", n, in.Target, got)
				}
				got++
			}
			if end != (got == n) {
				t.Fatalf("%d inputs: end is %v after %d", n, end, got)
			}
			if end {
				break
			}
			ask.Cursor = next
		}
	}
}

func TestACursorOutsideTheBatchIsRefused(t *testing.T) {
	for _, cursor := range []Cursor{"-1", "4", "x", "99999999999999999999"} {
		if _, _, _, err := batchOf(3).Slice(Ask{Cursor: cursor}, 50); err == nil {
			t.Errorf("cursor %q was taken", cursor)
		}
	}
}

func TestIDsOfTasksWithoutABatchAreAsEver(t *testing.T) {
	task := Task{Extract: "anchors", Endpoint: "moz/anchor_text", Surface: "v2", Target: "a.example", Scope: "page", Params: `{"scope":"page"}`}
	if got, want := TaskID(task), "9b4c3cacff8d6bf3"; got != want {
		t.Errorf("%s, want %s: journals of earlier versions would be bought again", got, want)
	}
	batched := task
	batched.Batch = batchOf(2).Batch
	if TaskID(batched) == TaskID(task) || batched.Request() == task.Request() {
		t.Error("the batch is no part of what is asked")
	}
}
