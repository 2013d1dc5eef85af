package account

import (
	"errors"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
)

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
