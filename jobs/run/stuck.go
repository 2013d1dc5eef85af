package run

import (
	"errors"

	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
)

// What to do about a task that is stuck: what it asks for has been paid for, and has brought nothing.
const (
	repeatsAdvice    = "it is bought on only by `backhaul run --again`, or on another date"
	unreadableAdvice = "`backhaul status --replies` shows what came; `backhaul replay` reads it once the program has been updated, `backhaul run --again` buys it again"
)

// place says how far an item's task has come, and whether it is stuck there.
func (r *runner) place(it *plan.Item) {
	it.Place = r.places[it.Task.ID]
	lifted := r.Again && !r.tried[it.Task.Extract] // what this execution has bought and found no use in, it leaves as well
	it.Stuck = !lifted && (it.Place.Repeats() || unreadable(it.Place) && !r.recovers(it.Endpoint.Vendor))
}

func unreadable(p pipeline.Place) bool { return p.Unreadable >= engine.MostUnreadable }

// recovers reports whether the vendor has answered a question with something that cannot be read and then with a page: so
// that is a matter of time there.
func (r *runner) recovers(vendor string) bool {
	for _, it := range r.items {
		if it.Endpoint.Vendor == vendor && r.places[it.Task.ID].Recovered > 0 {
			return true
		}
	}
	return false
}

// why is the text of the error that ended a task, with what to do about it where it is stuck.
func why(err error) string {
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
	case unreadable(place):
		t.Ending, advice = pipeline.EndFault, "the reply cannot be read; "+unreadableAdvice
	default:
		return false
	}
	if t.Error == "" {
		t.Error = advice
	}
	return true
}
