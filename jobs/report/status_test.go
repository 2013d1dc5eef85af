package report

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
	"backhaul/pipeline"
	"backhaul/sinks"
)

// oneRun is a warehouse with one run under way, of a complete task and of two that hold less than they ask for.
func oneRun(t *testing.T) (sinks.Warehouse, *ledger.Ledger, ledger.Run) {
	t.Helper()
	ctx, w := context.Background(), sinks.Warehouse{Root: t.TempDir()}
	l, err := ledger.Open(ctx, w.Ledger())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	r, err := l.Begin(ctx, "nightly", "2026-11-23", "hash", "r1", time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	done, half, never := task("done", pipeline.EndOfList, 40), task("half", pipeline.EndInterrupted, 50), task("never", pipeline.EndNotReached, 0)
	all := []ledger.Task{done, half, never}
	for i := range all {
		all[i].ID = all[i].Target
	}
	if err := l.Sync(ctx, r.ID, ledger.Index{Tasks: all}); err != nil {
		t.Fatal(err)
	}
	return w, l, r
}

// expect enters what the run's tasks are expected to cost.
func expect(t *testing.T, l *ledger.Ledger, runID string, all map[string]pipeline.Expectation) {
	t.Helper()
	tasks, err := l.Tasks(t.Context(), runID)
	for i := range tasks {
		tasks[i].Expected = all[tasks[i].ID]
	}
	if err := errors.Join(err, l.Sync(t.Context(), runID, ledger.Index{Tasks: tasks})); err != nil {
		t.Fatal(err)
	}
}

func mustStatus(t *testing.T, w sinks.Warehouse, l *ledger.Ledger) Status {
	t.Helper()
	r, err := l.Get(context.Background(), "r1")
	if err != nil {
		t.Fatal(err)
	}
	s, err := StatusOf(context.Background(), l, r, func(tasks []ledger.Task) ([]ledger.Task, bool, error) {
		return recovery.Recall(context.Background(), books.InFiles(w), r, tasks)
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFinishingCostsWhatTheRunsPlanExpectsLessWhatItHolds(t *testing.T) {
	ctx := context.Background()
	w, l, r := oneRun(t)
	expect(t, l, r.ID, map[string]pipeline.Expectation{"done": {Units: 40}, "half": {Units: 100}, "never": {Units: 50, Next: 50}})
	if err := l.End(ctx, r.ID, ledger.Incomplete, "", time.Now()); err != nil {
		t.Fatal(err)
	}
	s := mustStatus(t, w, l)
	if s.ToFinish != 100 || s.FinishUnknown != 1 || s.IncompleteCount != 2 || s.Unpublished != 0 {
		t.Errorf("%+v", s)
	}
	if !strings.Contains(s.Text(), "2 tasks are missing something; finishing is expected to cost at least 100 units more") {
		t.Error(s.Text())
	}
}

func TestAListOfUnknownLengthThatGrewBeyondItsFirstPageTakesOneMore(t *testing.T) {
	w, l, r := oneRun(t)
	expect(t, l, r.ID, map[string]pipeline.Expectation{"half": {Units: 25, Next: 25}, "never": {Units: 25, Next: 25}})
	if s := mustStatus(t, w, l); s.ToFinish != 50 {
		t.Errorf("finishing costs %d units, want a page of 25 for each of 2 lists", s.ToFinish)
	}
}

func TestARunThatWasStoppedBeforeItsPlanIsOfUnknownCost(t *testing.T) {
	w, l, r := oneRun(t)
	if err := l.End(context.Background(), r.ID, ledger.Incomplete, "interrupted", time.Now()); err != nil {
		t.Fatal(err)
	}
	s := mustStatus(t, w, l)
	if s.FinishUnknown != s.IncompleteCount || !strings.Contains(s.Text(), "at least ") || !strings.Contains(s.Text(), "with 2 lists of unknown length") {
		t.Errorf("%+v\n%s", s, s.Text())
	}
}

func TestAProcessThatShowsNoSignOfLifeIsTold(t *testing.T) {
	s := Status{State: string(ledger.Running), Process: &Process{PID: 7, Host: "h", Silent: 40}}
	if text := s.Text(); !strings.Contains(text, "and has shown no sign of life for 40.0s: it was stopped, or hangs") {
		t.Error(text)
	}
	if s.Process.Silent = 0; strings.Contains(s.Text(), "life") {
		t.Error(s.Text())
	}
}

func TestARunWithoutAProcessIsInterruptedAndNothingOfItFinished(t *testing.T) {
	w, l, r := oneRun(t)
	s := mustStatus(t, w, l)
	if s.State != interrupted || s.IncompleteCount != 3 || s.Unpublished != 1 || !strings.Contains(s.Text(), "its process died") {
		t.Errorf("%+v\n%s", s, s.Text())
	}
	if _, err := os.Stat(filepath.Dir(w.JournalOf(r.Job, r.RunDate))); !os.IsNotExist(err) {
		t.Errorf("looking made a folder: %v", err)
	}
	unlock, err := books.InFiles(w).Of(r.Job, r.RunDate).Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if s := mustStatus(t, w, l); s.State != string(ledger.Running) || s.IncompleteCount != 2 || s.Message != "" {
		t.Errorf("with a process at work: %+v", s)
	}
}

func TestExtractsAreSummedUpAsFarAsTheyHaveCome(t *testing.T) {
	w, l, r := oneRun(t)
	if x := mustStatus(t, w, l).Extracts; len(x) != 1 || x[0] != (ExtractStatus{Extract: "anchors", Endpoint: "moz/anchor_text", Lists: 3, Complete: 1, Requests: 3, Rows: 90, Units: 90}) {
		t.Errorf("%+v", x)
	}
	further := func(tasks []ledger.Task) ([]ledger.Task, bool, error) {
		tasks[1].Ending, tasks[1].Pages, tasks[1].Attempts, tasks[1].Rows, tasks[1].Units = "", 4, 2, 200, 210
		return tasks, false, nil
	}
	s, err := StatusOf(t.Context(), l, r, further)
	if err != nil || s.Rows != 240 || s.Spent != 250 || s.Tasks[1].Ending != underWay {
		t.Errorf("%+v, %v", s, err)
	}
	if x := s.Extracts[0]; x != (ExtractStatus{Extract: "anchors", Endpoint: "moz/anchor_text", Lists: 3, Complete: 1, UnderWay: 1, Requests: 8, Retries: 1, Rows: 240, Units: 250}) {
		t.Errorf("%+v", x)
	}
	unread := func(tasks []ledger.Task) ([]ledger.Task, bool, error) {
		return tasks, false, errors.New("a flipped bit")
	}
	if s, err := StatusOf(t.Context(), l, r, unread); err != nil || !strings.Contains(s.Text(), "how far it has come is not known: a flipped bit") {
		t.Errorf("%s, %v", s.Text(), err)
	}
}

func TestARunThatLacksNothingButItsTablesIsNotFinished(t *testing.T) {
	ctx := context.Background()
	w, l, r := oneRun(t)
	all := []ledger.Task{task("done", pipeline.EndOfList, 40), task("half", pipeline.EndOfList, 90), task("never", pipeline.EndOfList, 9)}
	for i := range all {
		all[i].ID = all[i].Target
	}
	if err := l.Sync(ctx, r.ID, ledger.Index{Tasks: all}); err != nil {
		t.Fatal(err)
	}
	if err := l.End(ctx, r.ID, ledger.Incomplete, "stopped by an error", time.Now()); err != nil {
		t.Fatal(err)
	}
	s := mustStatus(t, w, l)
	if s.Unpublished != 3 || s.IncompleteCount != 3 || !strings.Contains(s.Text(), "3 tasks are bought and not known to be published") {
		t.Errorf("%+v\n%s", s, s.Text())
	}
}
