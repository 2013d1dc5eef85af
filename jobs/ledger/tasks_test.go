package ledger

import (
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
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
		if err := l.Sync(ctx, id, Index{Tasks: []Task{{Task: question, Ending: ending, Rows: rows, ReusedFrom: reused, Ended: ended}}}); err != nil {
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
	for _, all := range [][]pipeline.Rejection{
		{{TaskID: "a", Table: "moz.links", Field: "nofollow", Rows: 3, Reason: "want true or false"}, {TaskID: "a", Table: "moz.links", Field: "page", Rows: 1}},
		{{TaskID: "a", Table: "moz.links", Field: "nofollow", Rows: 2, Reason: "want true or false"}},
		nil,
	} {
		if err := l.Sync(ctx, "r1", Index{Tasks: []Task{{Task: pipeline.Task{ID: "a", Extract: "x"}, Pages: 1}}, Rejections: all}); err != nil {
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

// whole is a task with something in every column.
func whole(id string) Task {
	return Task{Task: pipeline.Task{ID: id, Extract: "x", Endpoint: "moz/links", Surface: "v2", Target: id + ".example", TargetAsGiven: "https://" + id + ".example/",
		Scope: "page", Params: `{"scope":"page"}`, Inputs: []pipeline.Input{{Target: "s.example"}}, Priority: 2, MaxRows: 100}, Ending: pipeline.EndBudget,
		Pages: 1, Rows: 2, Units: 3, Waste: 4, MaybeUnits: 5, Attempts: 6, Error: "no", Ended: now, ReusedFrom: "r0", SavedUnits: 7, IndexID: "i",
		Expected: pipeline.Expectation{Units: 8, Next: 9}}
}

func TestTheIndexOfARunIsRewrittenWholeAndThatOfOthersIsNot(t *testing.T) {
	ctx, l := t.Context(), openAt(t, filepath.Join(t.TempDir(), "ledger.sqlite"))
	begin(t, l, "nightly", "2026-11-23", "r1")
	begin(t, l, "nightly", "2026-11-24", "r2")
	misfit := pipeline.Rejection{TaskID: "z", Table: "moz.links", Field: "page", Rows: 3, Reason: "no"}
	other := Index{Tasks: []Task{whole("a"), whole("b")}, Rejections: []pipeline.Rejection{misfit}, Absent: map[string]time.Time{"moz.links": now}}
	if err := l.Sync(ctx, "r2", other); err != nil {
		t.Fatal(err)
	}
	changed, more := whole("b"), misfit
	changed.Ending, changed.Rows, changed.Error, changed.Priority, changed.TargetAsGiven = pipeline.EndOfList, 90, "", 0, "b"
	more.TaskID, more.Rows = "y", 4
	for _, want := range []Index{other, other, {Tasks: []Task{changed, whole("c")}, Rejections: []pipeline.Rejection{more, misfit},
		Absent: map[string]time.Time{"moz.links": now.Add(time.Hour), "moz.anchor_text": now}}, {Absent: map[string]time.Time{}}} {
		if err := l.Sync(ctx, "r1", want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, must(l.Index(ctx, "r1"))(t)); diff != "" {
			t.Error(diff)
		}
	}
	if diff := cmp.Diff(other, must(l.Index(ctx, "r2"))(t)); diff != "" {
		t.Errorf("of the other run: %s", diff)
	}
}

func TestOfTasksThatHaveNotBegunOnlyTheirNumberIsKept(t *testing.T) {
	ctx, l := t.Context(), openAt(t, filepath.Join(t.TempDir(), "ledger.sqlite"))
	begin(t, l, "nightly", "2026-11-23", "r1")
	waits := func(id, extract string) Task {
		return Task{Task: pipeline.Task{ID: id, Extract: extract}, Ending: pipeline.EndNotReached, Error: "interrupted", Ended: now, Expected: pipeline.Expectation{Units: 50}}
	}
	err := l.db.Write(ctx, func(tx *sql.Tx) error { return syncTasks(ctx, tx, "r1", []Task{waits("a", "x"), waits("b", "x")}) }) // as an earlier version did
	if x := must(l.Index(ctx, "r1"))(t); err != nil || len(x.Tasks) != 2 || x.Kept().Unbegun["x"] != 2 {
		t.Fatalf("%+v, %v", x, err)
	}
	done, failed, unchanged := waits("c", "x"), waits("d", "y"), waits("e", "y")
	done.Ending, done.Pages, done.Rows, done.Units = pipeline.EndOfList, 1, 30, 30
	failed.Ending, failed.Attempts = pipeline.EndFault, 6
	unchanged.Ending, unchanged.SavedUnits = pipeline.EndUnchanged, 9
	x := Index{Tasks: []Task{done, waits("a", "x"), failed, unchanged, waits("b", "x"), waits("f", "z")}}
	for range 2 { // what is kept is entered as it is
		if err := l.Sync(ctx, "r1", x); err != nil {
			t.Fatal(err)
		}
		x = must(l.Index(ctx, "r1"))(t)
		want := Index{Tasks: []Task{done, failed, unchanged}, Unbegun: map[string]int{"x": 2, "z": 1}, Absent: map[string]time.Time{}}
		got := must(l.Index(ctx, "r1"))(t)
		slices.SortFunc(got.Tasks, func(a, b Task) int { return strings.Compare(a.ID, b.ID) })
		if diff := cmp.Diff(want, got); diff != "" || got.Intended() != 6 {
			t.Error(diff)
		}
		if totals := must(l.Totals(ctx))(t)["r1"]; totals.Tasks != 6 || totals.Complete != 2 || totals.Rows != 30 {
			t.Errorf("%+v", totals)
		}
		if c, n, known, err := l.LastTime(ctx, "r2", "nightly", "x"); known || err != nil {
			t.Errorf("what one of three lists has cost, %+v of %d, is taken for what all cost: %v", c, n, err)
		}
	}
	if err := l.Sync(ctx, "r1", Index{Tasks: []Task{done}}); err != nil {
		t.Fatal(err)
	}
	if c, n, known, err := l.LastTime(ctx, "r2", "nightly", "x"); !known || n != 1 || c.Units != 30 || err != nil {
		t.Errorf("%+v of %d, %v, %v", c, n, known, err)
	}
}
