package ledger

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
)

func TestARetirementIsRemembered(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "ledger.sqlite")
	l := openAt(t, path)
	begin(t, l, "nightly", "2026-11-23", "r1")
	if r, err := l.Retired(ctx, "r1"); r != nil || err != nil {
		t.Fatal(r, err)
	}
	want := Retirement{At: now, Tables: []RetiredTable{{"moz.links", 7, 1<<63 + 5}, {"ops.runs", 1, 3}}}
	for range 2 { // again is not an error
		if err := l.Retire(ctx, "r1", want); err != nil {
			t.Fatal(err)
		}
	}
	got, err := openAt(t, path).Retired(ctx, "r1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRewindBringsTheFutureBackAndKeepsThePast(t *testing.T) {
	ctx, l := context.Background(), openAt(t, filepath.Join(t.TempDir(), "ledger.sqlite"))
	begin(t, l, "nightly", "2026-11-23", "r1")
	task := pipeline.Task{ID: "a", Extract: "x"}
	for month, units := range map[string]pipeline.Units{"2026-10": 5, "2026-11": 10, "2026-12": 100, "2027-01": 1000} {
		if _, _, err := l.Grant(ctx, "r1", "moz", month, units, units, Ceiling{}); err != nil {
			t.Fatal(err)
		}
	}
	ahead := now.Add(60 * 24 * time.Hour)
	if err := l.Sync(ctx, "r1", Index{Tasks: []Task{{Task: task, Ending: pipeline.EndOfList, Ended: ahead}}}); err != nil {
		t.Fatal(err)
	}
	if err := l.End(ctx, "r1", Complete, "", ahead); err != nil {
		t.Fatal(err)
	}
	if latest, err := l.Latest(ctx); err != nil || !latest.Equal(ahead) {
		t.Fatal(latest, err)
	}
	if err := l.Rewind(ctx, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	latest, err := l.Latest(ctx)
	if err != nil || !latest.Equal(now.Add(time.Hour)) {
		t.Errorf("%s, %v", latest, err)
	}
	if run, err := l.Get(ctx, "r1"); err != nil || !run.Created.Equal(now) {
		t.Errorf("the past was changed: %+v, %v", run, err)
	}
	spends, err := l.Spends(ctx, "r1")
	if err != nil || len(spends) != 2 || spends[0].Granted != 5 || spends[1].Granted != 1110 || spends[1].Month != "2026-11" {
		t.Errorf("%+v, %v", spends, err)
	}
	if tasks, err := l.Tasks(ctx, "r1"); err != nil || !tasks[0].Ended.Equal(now.Add(time.Hour)) {
		t.Errorf("%+v, %v", tasks, err)
	}
}

func TestRestoreTakesThePlaceOfAnotherRunOfTheNight(t *testing.T) {
	ctx, l := context.Background(), openAt(t, filepath.Join(t.TempDir(), "ledger.sqlite"))
	begin(t, l, "nightly", "2026-11-23", "wrong")
	begin(t, l, "nightly", "2026-11-24", "other")
	if err := l.Sync(ctx, "wrong", Index{Tasks: []Task{{Task: pipeline.Task{ID: "a", Extract: "x"}, Pages: 1}, {Task: pipeline.Task{ID: "c", Extract: "x"}}}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Grant(ctx, "wrong", "moz", "2026-11", 5, 5, Ceiling{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Count(ctx, Usage{RunID: "wrong", Vendor: "moz", Month: "2026-11", At: now}, 0); err != nil {
		t.Fatal(err)
	}
	run := Run{ID: "right", Job: "nightly", RunDate: "2026-11-23", State: Incomplete, Created: now, Started: now, Ended: now}
	for range 2 { // a run that is there keeps its tasks
		if err := l.Restore(ctx, run); err != nil {
			t.Fatal(err)
		}
		if err := l.Sync(ctx, "right", Index{Tasks: []Task{{Task: pipeline.Task{ID: "b", Extract: "x"}, Pages: 1}}}); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := l.Runs(ctx)
	if err != nil || len(runs) != 2 {
		t.Errorf("%+v, %v", runs, err)
	}
	if got, err := l.Find(ctx, "nightly", "2026-11-23"); err != nil || got.ID != "right" {
		t.Errorf("%+v, %v", got, err)
	}
	if tasks, err := l.Tasks(ctx, "right"); err != nil || len(tasks) != 1 {
		t.Errorf("%+v, %v", tasks, err)
	}
	if spends, err := l.Spends(ctx, "wrong"); err != nil || len(spends) != 0 {
		t.Errorf("%+v, %v", spends, err)
	}
}
