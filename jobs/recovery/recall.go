package recovery

import (
	"context"

	"backhaul/jobs/account"
	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
)

// Recall returns the tasks of a run that is not complete as its journal has them, in the place of those that the ledger has: that knows
// only which have begun, and of a run at work those of an execution before. It reports whether the run's process died: the ledger has it
// as running, and no process is at work on it. The ledger stays as it is. With an error the journal does not tell.
func Recall(ctx context.Context, b books.Books, r ledger.Run, tasks []ledger.Task) (now []ledger.Task, died bool, err error) {
	if r.State == ledger.Complete {
		return tasks, false, nil
	}
	book, busy := b.Of(r.Job, r.RunDate), false
	if r.State == ledger.Running {
		if busy, err = book.Busy(ctx); err != nil {
			return tasks, false, err
		}
		died = !busy
	}
	gone, err := book.Gone(ctx)
	if err != nil || gone {
		return tasks, died, err
	}
	j, err := book.Open(ctx, journal.Header{Job: r.Job, RunDate: r.RunDate})
	if err != nil {
		return tasks, died, err
	}
	defer func() { _ = j.Close() }()
	if now, err = recalled(ctx, j, tasks, busy); err != nil {
		return tasks, died, err
	}
	return now, died, nil
}

// recalled returns a run's tasks as its journal has them; of one that an earlier version has written, which does not tell what it
// intends, those that the ledger has.
func recalled(ctx context.Context, j *journal.Journal, tasks []ledger.Task, busy bool) ([]ledger.Task, error) {
	places, err := j.Places(ctx)
	if err != nil {
		return nil, err
	}
	course, err := j.Course(ctx)
	if err != nil {
		return nil, err
	}
	if course.State != "" {
		if !busy {
			x, err := account.Told(ctx, j, places)
			return x.Tasks, err
		}
		if tasks, err = account.Intended(ctx, j); err != nil {
			return nil, err
		}
	}
	if busy {
		follow(tasks, places)
		return tasks, nil
	}
	for i := range tasks {
		account.Stand(&tasks[i], places[tasks[i].ID])
	}
	return tasks, nil
}

// follow brings tasks to where the journal of a run at work has them. What ended one that has not come further is as it was
// entered; one that has is under way, which is not an ending.
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
