package account

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
)

// Sync brings the ledger's index of a run to what its journal tells, which places are of, and returns that. It reads something for
// every task of the run: who needs to know how the tasks stand meanwhile asks the journal.
func Sync(ctx context.Context, l *ledger.Ledger, j *journal.Journal, runID string, places map[string]pipeline.Place) (ledger.Index, error) {
	x, err := Told(ctx, j, places)
	if err != nil {
		return x, err
	}
	return x, l.Sync(ctx, runID, x)
}

// Told returns what the journal of a run tells, which places are of.
func Told(ctx context.Context, j *journal.Journal, places map[string]pipeline.Place) (x ledger.Index, err error) {
	if x.Tasks, err = Tasks(ctx, j, places); err != nil {
		return x, err
	}
	if x.Rejections, err = j.Rejections(ctx); err != nil {
		return x, err
	}
	if x.Absent, err = j.Withdrawn(ctx); err != nil {
		return x, err
	}
	rejected := map[string]int64{}
	for _, r := range x.Rejections {
		rejected[r.TaskID] += r.Rows
	}
	for i := range x.Tasks {
		x.Tasks[i].Rejected = rejected[x.Tasks[i].ID]
	}
	return x, nil
}

// Tasks returns the tasks that a run intends as its journal tells of them, by extract and target, without what was rejected of them.
func Tasks(ctx context.Context, j *journal.Journal, places map[string]pipeline.Place) ([]ledger.Task, error) {
	tasks, err := Intended(ctx, j)
	for i := range tasks {
		again := tasks[i].Waste
		Stand(&tasks[i], places[tasks[i].ID])
		tasks[i].Rows, tasks[i].Waste = tasks[i].Rows-again, tasks[i].Waste+again
	}
	return tasks, err
}

// Intended returns these tasks as they stood when that was last entered: their pages are those they had then, and their waste is the
// rows that came again in chains that started over.
func Intended(ctx context.Context, j *journal.Journal) (tasks []ledger.Task, err error) {
	n, err := j.Intended(ctx)
	if err != nil {
		return nil, err
	}
	tasks = make([]ledger.Task, 0, n)
	err = j.Entries(ctx, func(e journal.Entry) {
		tasks = append(tasks, ledger.Task{Task: e.Task, Ending: e.Ending, Error: e.Error, Ended: e.Ended, Pages: e.Stood, SavedUnits: e.SavedUnits, IndexID: e.IndexID,
			Expected: e.Expected, Waste: e.Again})
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(tasks, func(a, b ledger.Task) int {
		return cmp.Or(cmp.Compare(a.Extract, b.Extract), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.ID, b.ID))
	})
	return tasks, nil
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
	return l.End(ctx, runID, state, message, now)
}

// Stand brings a task, as it stood with t.Pages pages, to where its journal has it. What was said of it then holds as long as it has not
// come on, but that it is whole: that its pages tell. One that is whole has no error any more.
func Stand(t *ledger.Task, place pipeline.Place) {
	said := place.Pages == t.Pages && !t.Ending.Complete()
	switch {
	case t.Ending == pipeline.EndUnchanged: // it needs no page
	case place.Pages > 0 && place.End:
		end(t, pipeline.EndOfList, place)
	case t.MaxRows > 0 && place.ChainRows >= t.MaxRows:
		end(t, pipeline.EndMaxRows, place)
	case said:
	case stick(t, place):
	case place.Pages > 0:
		t.Ending, t.Error, t.Ended = pipeline.EndInterrupted, "", place.Fetched
	default:
		t.Ending, t.Error = "", ""
	}
	t.Pages, t.Rows, t.Units, t.Waste = place.Pages, place.Rows, place.Units, place.Waste
	t.MaybeUnits, t.Attempts, t.ReusedFrom = place.MaybeUnits, place.Attempts, place.ReusedFrom
}

// end enters that a task is whole: since its last page, if nobody was left to say when that was seen.
func end(t *ledger.Task, ending pipeline.Ending, place pipeline.Place) {
	if t.Pages != place.Pages || t.Ending != ending {
		t.Ended = place.Fetched
	}
	t.Ending, t.Error = ending, ""
}

// What to do about a task that is stuck: what it asks for has been paid for, and has brought nothing.
const (
	repeatsAdvice    = "only `backhaul run --again`, or a run of another date, goes on with it"
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

// stick enters that a task is stuck at its place; false if it is not.
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
	t.Error, t.Ended = advice, place.Fetched
	return true
}
