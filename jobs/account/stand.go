package account

import (
	"context"
	"errors"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
)

// Sync brings the ledger's index of a run to what its journal tells, which places are of.
func Sync(ctx context.Context, l *ledger.Ledger, j *journal.Journal, runID string, places map[string]pipeline.Place) (err error) {
	var x ledger.Index
	if x.Tasks, err = Tasks(ctx, j, places); err != nil {
		return err
	}
	if x.Rejections, err = j.Rejections(ctx); err != nil {
		return err
	}
	if x.Absent, err = j.Withdrawn(ctx); err != nil {
		return err
	}
	return l.Sync(ctx, runID, x)
}

// Tasks returns the tasks that a run intends as its journal tells of them, for the ledger.
func Tasks(ctx context.Context, j *journal.Journal, places map[string]pipeline.Place) ([]ledger.Task, error) {
	entries, err := j.Entries(ctx)
	if err != nil {
		return nil, err
	}
	tasks := make([]ledger.Task, len(entries))
	for i, e := range entries {
		t := &tasks[i]
		*t = ledger.Task{Task: e.Task, Ending: e.Ending, Error: e.Error, Ended: e.Ended, SavedUnits: e.SavedUnits, IndexID: e.IndexID, Expected: e.Expected}
		count(t, places[t.ID])
		t.Rows, t.Waste = t.Rows-e.Again, t.Waste+e.Again
	}
	return tasks, nil
}

// Standing is what of a task at a place its journal keeps beside its pages.
func Standing(t ledger.Task, place pipeline.Place) journal.Standing {
	return journal.Standing{Ending: t.Ending, Error: t.Error, Ended: t.Ended, SavedUnits: t.SavedUnits, IndexID: t.IndexID, Again: t.Waste - place.Waste}
}

// Record enters how tasks of a run stand, in its journal and then in the ledger.
func Record(ctx context.Context, l *ledger.Ledger, j *journal.Journal, runID string, places map[string]pipeline.Place, all map[string]journal.Standing) error {
	if err := j.Stand(ctx, all); err != nil {
		return err
	}
	return Sync(ctx, l, j, runID, places)
}

// Course is where a run stands, for its journal.
func Course(r ledger.Run) journal.Course {
	return journal.Course{SpecHash: r.SpecHash, State: string(r.State), Message: r.Message, Started: r.Started, Ended: r.Ended}
}

// End enters that a run is over and where it stands, in its journal and then in the ledger.
func End(ctx context.Context, l *ledger.Ledger, j *journal.Journal, runID string, state ledger.State, message string, now time.Time) error {
	course, err := j.Course(ctx)
	if err != nil {
		return err
	}
	course.State, course.Message, course.Ended = string(state), message, now
	if err := j.SetCourse(ctx, course); err != nil {
		return err
	}
	return l.End(ctx, runID, state, 0, message, now)
}

// StandAll fills in what the journal says of the tasks and returns those it tells of: one that needed no answer is not in it.
func StandAll(tasks []ledger.Task, places map[string]pipeline.Place) (told []*ledger.Task) {
	for i := range tasks {
		if t := &tasks[i]; t.Ending != pipeline.EndUnchanged {
			Stand(t, places[t.ID])
			told = append(told, t)
		}
	}
	return told
}

// Stand fills in what the journal says of a task. One that it has whole has no error any more: an execution that died afterwards
// did not get to taking away that of an earlier one.
func Stand(t *ledger.Task, place pipeline.Place) {
	switch {
	case place.Pages > 0 && place.End:
		t.Ending, t.Error = pipeline.EndOfList, ""
	case t.MaxRows > 0 && place.ChainRows >= t.MaxRows:
		t.Ending, t.Error = pipeline.EndMaxRows, ""
	case stick(t, place):
	case place.Pages > 0:
		t.Ending = pipeline.EndInterrupted
	default:
		t.Ending = pipeline.EndNotReached
	}
	count(t, place)
}

// count fills in what a task has at a place.
func count(t *ledger.Task, place pipeline.Place) {
	t.Pages, t.Rows, t.Units, t.Waste = place.Pages, place.Rows, place.Units, place.Waste
	t.MaybeUnits, t.Attempts, t.ReusedFrom = place.MaybeUnits, place.Attempts, place.ReusedFrom
}

// What to do about a task that is stuck: what it asks for has been paid for, and has brought nothing.
const (
	repeatsAdvice    = "it is bought on only by `backhaul run --again`, or on another date"
	unreadableAdvice = "`backhaul status --replies` shows what came; `backhaul replay` reads it once the program has been updated, `backhaul run --again` buys it again"
)

// Unreadable tells that a page has had pipeline.MostUnreadable replies that cannot be read: it is not asked for again.
func Unreadable(p pipeline.Place) bool { return p.Unreadable >= pipeline.MostUnreadable }

// Why is the text of the error that ended a task, with what to do about it where it is stuck.
func Why(err error) string {
	if err == nil {
		return ""
	}
	var e *pipeline.Error
	if errors.As(err, &e) {
		switch e.Kind {
		case pipeline.Repeating:
			return err.Error() + "; " + repeatsAdvice
		case pipeline.Malformed:
			return err.Error() + "; " + unreadableAdvice
		}
	}
	return err.Error()
}

// stick enters that a task is stuck at its place, and why if that is not known any more; false if it is not.
func stick(t *ledger.Task, place pipeline.Place) bool {
	advice := ""
	switch {
	case place.Repeats():
		t.Ending, advice = pipeline.EndRepeats, "the list repeats itself; "+repeatsAdvice
	case Unreadable(place):
		t.Ending, advice = pipeline.EndFault, "the reply cannot be read; "+unreadableAdvice
	default:
		return false
	}
	if t.Error == "" {
		t.Error = advice
	}
	return true
}
