package recovery

import (
	"context"

	"backhaul/jobs/account"
	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
)

// Recall reports whether a run's process died: the ledger has the run as running, and no process is at work on it. Of a run that is
// running it returns the tasks as its journal has them, in the place of those that the ledger has from an execution before: what came
// of them is entered there when a run closes. The ledger stays as it is. An error with died means that the journal does not tell.
func Recall(ctx context.Context, b books.Books, r ledger.Run, tasks []ledger.Task) (now []ledger.Task, died bool, err error) {
	if r.State != ledger.Running {
		return tasks, false, nil
	}
	book := b.Of(r.Job, r.RunDate)
	busy, err := book.Busy(ctx)
	if err != nil {
		return tasks, false, err
	}
	gone, err := book.Gone(ctx)
	if err != nil || gone {
		return tasks, !busy, err
	}
	j, err := book.Open(ctx, journal.Header{Job: r.Job, RunDate: r.RunDate})
	if err != nil {
		return tasks, !busy, err
	}
	defer func() { _ = j.Close() }()
	places, err := j.Places(ctx)
	if err != nil {
		return tasks, !busy, err
	}
	course, err := j.Course(ctx)
	if err == nil && course.State != "" { // else an earlier version has written it, and the ledger alone tells
		if now, err = account.Intended(ctx, j); err == nil {
			tasks = now
		}
	}
	if err != nil {
		return tasks, !busy, err
	}
	if busy {
		follow(tasks, places)
		return tasks, false, nil
	}
	for i := range tasks {
		account.Stand(&tasks[i], places[tasks[i].ID])
	}
	return tasks, true, nil
}

// follow brings tasks to where the journal of a run at work has them. What ended one that has not come further is as it was
// entered; one that has is under way, which is no ending.
func follow(tasks []ledger.Task, places map[string]pipeline.Place) {
	for i := range tasks {
		t := &tasks[i]
		place, known := places[t.ID]
		if !known || t.Ending == pipeline.EndUnchanged {
			continue
		}
		before := *t
		account.Stand(t, place)
		if t.Ending.Complete() {
			continue
		}
		if t.Ending, t.Error = before.Ending, before.Error; place.Pages > before.Pages {
			t.Ending, t.Error = "", ""
		}
	}
}
