package ledger

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
)

func TestOnlyAnAnswerThatHoldsAllAnotherRunAskedForIsOne(t *testing.T) {
	ctx, l := t.Context(), openAt(t, filepath.Join(t.TempDir(), "ledger.sqlite"))
	question := pipeline.Task{ID: "a", Extract: "x", Endpoint: "moz/anchor_text", Target: "a.example"}
	answer := func(id string, ending pipeline.Ending, rows int64, reused string, ended time.Time) {
		t.Helper()
		begin(t, l, "job-"+id, "2026-11-23", id)
		if err := l.Intend(ctx, id, []pipeline.Task{question}); err != nil {
			t.Fatal(err)
		}
		if err := l.Record(ctx, id, Task{Task: question, Ending: ending, Rows: rows, ReusedFrom: reused, Ended: ended}); err != nil {
			t.Fatal(err)
		}
	}
	of := func(runID string, maxRows int64) string {
		t.Helper()
		asked := question
		asked.MaxRows = maxRows
		a, ok, err := l.LastAnswer(ctx, runID, asked)
		if err != nil || ok != (a.RunID != "") {
			t.Fatalf("%+v, %v, %v", a, ok, err)
		}
		return a.RunID
	}
	answer("cut", pipeline.EndMaxRows, 100, "", now)
	answer("broken", pipeline.EndBudget, 500, "", now.Add(2*time.Hour))
	if got := of("other", 0); got != "" {
		t.Errorf("the whole list is taken from %s, which has 100 rows of it, or was stopped", got)
	}
	if got := of("other", 100); got != "cut" {
		t.Errorf("100 rows are taken from %q", got)
	}
	if got := of("other", 101); got != "" {
		t.Errorf("101 rows are taken from %s, which has 100", got)
	}
	answer("whole", pipeline.EndOfList, 300, "", now.Add(time.Hour))
	answer("taken", pipeline.EndOfList, 300, "whole", now.Add(3*time.Hour))
	if got := of("other", 0); got != "whole" {
		t.Errorf("the whole list is taken from %q, not from the run that bought it", got)
	}
	if got := of("whole", 0); got != "" {
		t.Errorf("a run takes over from %s, itself", got)
	}
}

func TestRejectionsAreThoseOfTheLatestLoad(t *testing.T) {
	ctx, l := t.Context(), openAt(t, filepath.Join(t.TempDir(), "ledger.sqlite"))
	begin(t, l, "nightly", "2026-11-23", "r1")
	if err := l.Intend(ctx, "r1", []pipeline.Task{{ID: "a", Extract: "x"}}); err != nil {
		t.Fatal(err)
	}
	for _, all := range [][]Rejection{
		{{TaskID: "a", Table: "moz.links", Field: "nofollow", Rows: 3, Reason: "want true or false"}, {TaskID: "a", Table: "moz.links", Field: "page", Rows: 1}},
		{{TaskID: "a", Table: "moz.links", Field: "nofollow", Rows: 2, Reason: "want true or false"}},
		nil,
	} {
		if err := l.Reject(ctx, "r1", all); err != nil {
			t.Fatal(err)
		}
		want := slices.Clone(all)
		for i := range want {
			want[i].TaskID = ""
		}
		if diff := cmp.Diff(want, must(l.Rejections(ctx, "r1"))(t)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestTasksOfAnExtractThatWaitsAreKept(t *testing.T) {
	ctx, l := t.Context(), openAt(t, filepath.Join(t.TempDir(), "ledger.sqlite"))
	begin(t, l, "nightly", "2026-11-23", "r1")
	if err := l.Intend(ctx, "r1", []pipeline.Task{{ID: "a", Extract: "x"}, {ID: "b", Extract: "waits"}, {ID: "c", Extract: "gone"}}); err != nil {
		t.Fatal(err)
	}
	if err := l.Intend(ctx, "r1", []pipeline.Task{{ID: "a", Extract: "x"}}, "waits"); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, task := range must(l.Tasks(ctx, "r1"))(t) {
		ids = append(ids, task.ID)
	}
	slices.Sort(ids)
	if diff := cmp.Diff([]string{"a", "b"}, ids); diff != "" {
		t.Error(diff)
	}
}
