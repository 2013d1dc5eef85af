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
	return Task{Inputs: inputs}
}

func TestSlicesOfABatchMeetWithoutGapOrOverlap(t *testing.T) {
	for _, n := range []int{1, 49, 50, 51, 120} {
		task, got := batchOf(n), 0
		for ask := (Ask{}); ; {
			ask.Limit = []int{0, 7, 50, 1}[got%4] // a budget may cut any request short
			part, next, end, err := task.Slice(ask, 50)
			if n, after, last, stepErr := task.Step(ask, 50); n != len(part) || after != next || last != end || (stepErr == nil) != (err == nil) {
				t.Fatalf("%d inputs at %q: a step of %d to %q, a slice of %d to %q", n, ask.Cursor, n, after, len(part), next)
			}
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

func TestInputsWithoutAnAnswerAreAskedAgainUntilNoneIsLeft(t *testing.T) {
	task, asked := batchOf(120), map[string]int{}
	for ask := (Ask{}); ; {
		part, err := task.Part(ask, 50)
		if err != nil || len(part.Inputs) == 0 || len(part.Inputs) > 50 {
			t.Fatalf("at %q: %d inputs, %v", ask.Cursor, len(part.Inputs), err)
		}
		var unanswered []int
		for i, in := range part.Inputs {
			// Every seventh has no answer at first, every twenty-first none at the second time either.
			n, _ := strconv.Atoi(in.Target)
			if asked[in.Target]++; n%7 == 0 && asked[in.Target] == 1 || n%21 == 0 && asked[in.Target] == 2 {
				unanswered = append(unanswered, i)
			}
		}
		next, end := part.Next(unanswered...)
		if end {
			break
		}
		ask.Cursor = next
	}
	for n := range 120 {
		want := 1
		if n%7 == 0 {
			want++
		}
		if n%21 == 0 {
			want++
		}
		if got := asked[strconv.Itoa(n)]; got != want {
			t.Errorf("input %d was asked about %d times, want %d", n, got, want)
		}
	}
}

func TestACursorOutsideTheBatchIsRefused(t *testing.T) {
	for _, cursor := range []Cursor{"-1", "4", "x", "99999999999999999999", "3 again 3", "2 again 2", "3 again x", "3 again 1 1", "3 again -1"} {
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
	batched.Inputs = batchOf(2).Inputs
	if TaskID(batched) == TaskID(task) || batched.Request() == task.Request() {
		t.Error("the batch is no part of what is asked")
	}
}

func TestABatchIsKnownByTheJSONOfItsInputs(t *testing.T) {
	for _, text := range []string{"", "a.example/b?c=d~", "a\"b", `a\b`, "a<b", "a>b", "a&b", "ü", "\x7f", "\n", "\xff"} {
		for _, in := range []Input{{Target: text}, {Source: text}, {Target: text, Source: "b"}} {
			if got, want := string(appendQuestion(nil, in)), string(encodeInput(in)); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
	}
}

func TestAPartIsNoLargerThanWhatIsAskedFor(t *testing.T) {
	task := Task{Inputs: make([]Input, 7)}
	for _, test := range []struct{ limit, size, want int }{{3, 5, 3}, {5, 3, 3}, {0, 4, 4}, {9, 9, 7}} {
		ask := Ask{Limit: test.limit}
		p, err := task.Part(ask, test.size)
		n, _, _, stepErr := task.Step(ask, test.size)
		if err != nil || stepErr != nil || len(p.Inputs) != test.want || n != test.want {
			t.Errorf("at most %d of %d: %d inputs, priced as %d, want %d; %v, %v", test.limit, test.size, len(p.Inputs), n, test.want, err, stepErr)
		}
	}
}
