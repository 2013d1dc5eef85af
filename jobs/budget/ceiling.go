package budget

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
	"backhaul/pipeline/limit"
	"backhaul/pipeline/words"
)

// CeilingError means that a ceiling leaves too little for the next request, and says which: whoever reads it can tell what to
// raise.
type CeilingError struct {
	Ceiling plan.Ceiling
	// Left is what the ceiling leaves, Want the least the next request could have done with.
	Left, Want pipeline.Units
	// Others is what others have used of the account this month, by the vendor's word.
	Others pipeline.Units
	// Used is what each job has used of it.
	Used []plan.JobUnits
	// Held is what requests without an answer may have used of it.
	Held []plan.Hold
}

func (e *CeilingError) Error() string {
	var what string
	switch e.Ceiling {
	case plan.OfQuota:
		what = "the vendor's own quota for the month"
	case plan.OfWarehouse:
		what = "budget: the month's budget of all jobs (warehouse_month)"
	case plan.OfMonth:
		what = "budget: the job's own budget for the month"
	case plan.OfFlag:
		what = "budget: --max-units"
	default:
		what = "budget: the job's budget for one run"
	}
	text := fmt.Sprintf("%s has %s left, the next request may cost %s", what, words.Plural(e.Left, "unit"), words.Count(e.Want))
	if used := UsedText(e.Used, e.Others); used != "" && e.Ceiling == plan.OfWarehouse {
		text += "; " + used
	}
	if len(e.Held) > 0 && (e.Ceiling == plan.OfMonth || e.Ceiling == plan.OfWarehouse || e.Ceiling == plan.OfQuota) {
		text += "; " + HeldText(e.Held)
	}
	return text
}

// UsedText says who has used how many of the month's units, "" if nobody has any.
func UsedText(jobs []plan.JobUnits, others pipeline.Units) string {
	var all []string
	for _, j := range jobs {
		all = append(all, fmt.Sprintf("%s used %s", j.Job, words.Count(j.Units)))
	}
	if others > 0 {
		all = append(all, fmt.Sprintf("others with this key used %s", words.Count(others)))
	}
	return strings.Join(all, ", ")
}

// HeldText says what is held, and by which runs.
func HeldText(holds []plan.Hold) string {
	if len(holds) == 1 {
		return fmt.Sprintf("%s held for requests without an answer of run %s (%s for %s)", words.Are(holds[0].Units, "unit"), holds[0].RunID, holds[0].Job, holds[0].RunDate)
	}
	var runs []string
	for _, h := range holds {
		runs = append(runs, fmt.Sprintf("%s by run %s (%s for %s)", words.Count(h.Units), h.RunID, h.Job, h.RunDate))
	}
	return fmt.Sprintf("%s held for requests without an answer: %s", words.Are(plan.HeldUnits(holds), "unit"), strings.Join(runs, ", "))
}

// NameCeilings makes the stops for want of units say which ceiling it was that a vendor was given up for. What the vendor's
// own quota stopped ends as such.
func (b *Budget) NameCeilings(ctx context.Context, books Books, stops []*engine.StopError) error {
	for _, s := range stops {
		var budget *limit.BudgetError
		if s.Ending != pipeline.EndBudget || !errors.As(s.Err, &budget) {
			continue
		}
		account, err := b.Left(ctx, books, s.Vendor)
		if err != nil {
			return err
		}
		e := &CeilingError{Ceiling: account.Ceiling, Left: budget.Left, Want: budget.Want, Others: account.Others, Used: account.Used, Held: account.Held}
		if e.Ceiling == plan.OfMonth {
			e.Held = slices.DeleteFunc(e.Held, func(h plan.Hold) bool { return h.Job != books.Job })
		}
		s.Err = e
		if account.Ceiling == plan.OfQuota {
			s.Ending = pipeline.EndQuota
		}
	}
	return nil
}

// ByCeiling is how a task ended for want of units at a vendor that was given up for it: for the same reason. An extract's own
// ceiling is another matter, and told apart by having given up nobody.
func ByCeiling(o engine.Outcome, own bool, stops []*engine.StopError) engine.Outcome {
	if o.Ending != pipeline.EndBudget || own {
		return o
	}
	for _, s := range stops {
		if errors.As(s.Err, new(*CeilingError)) && s.Vendor == o.Task.Vendor() {
			o.Ending, o.Err = s.Ending, s
		}
	}
	return o
}
