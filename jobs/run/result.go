package run

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"backhaul/jobs/account"
	"backhaul/jobs/buy"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
	"backhaul/pipeline/words"
)

// Result is how a run went.
type Result struct {
	Run ledger.Run
	// Plan is what was to be bought when the run began.
	Plan *plan.Plan
	// Missing is what is still to be bought now that it has ended.
	Missing *plan.Plan
	Tasks   []ledger.Task
	// Whole are those of the tasks whose list can be compared with other nights': bought to its end, and not over a moving window.
	Whole []*ledger.Task
	// Bought counts what this execution bought; the tasks count what the run holds in all.
	Bought pipeline.Cost
	// Saved is what this execution did not have to spend, because an earlier answer would do.
	Saved pipeline.Units
	// Files are the tables published.
	Files []File
	// Notes say what was left out: rows of queries that became no task, rows that the spec asks for no more.
	Notes []string
	// Redeemed is how many replies that could not be read when they came have become pages.
	Redeemed int
	// Rejections are the rows that do not fit their table, by table and field: until they are mended, whichever execution bought
	// them.
	Rejections []pipeline.Rejection
	// Drift is how the replies differ from what their tables expect, if this execution loaded them.
	Drift []account.Drift
	// Findings are what the job expects against what was found, if this execution loaded anything.
	Findings []account.Finding
	// Reconciled compares the vendors' own accounts with the ledger.
	Reconciled []account.Reconciliation
	// Settled are the ends of what was held for requests without an answer, of whatever run, in this execution.
	Settled []ledger.Settlement
	// Holds is what is held still at the run's vendors, of whatever run.
	Holds []plan.Hold
	// Remaining is what the budgets of months leave at the run's vendors now.
	Remaining []plan.Remaining
	// Charged is what the run's requests without an answer are known to have cost, HeldUnits what they may have cost beyond that.
	Charged, HeldUnits pipeline.Units
	// Over is what vendors charged in this execution beyond what their own prices allow, by vendor: no budget can prevent that.
	Over map[string]pipeline.Units
	// Delays are what vendors have cost this execution in time.
	Delays map[string]buy.Delay
	// Stop says why vendors were given up: an *engine.StopError for each, joined; nil if none was.
	Stop error
	// Interrupted: the context ended before the run did.
	Interrupted bool
	// Failed: an error of the program's side ended the run before its account could be drawn up. The ledger has it as incomplete.
	Failed bool
	// Declined: it was not confirmed, and nothing was done.
	Declined  bool
	untouched bool // the run was complete: nothing was done
	selected  func(extract string) bool
	meanwhile error // of [Options.Meanwhile]
}

func (r *Result) overcharged(vendor string, units pipeline.Units) {
	if r.Over == nil {
		r.Over = map[string]pipeline.Units{}
	}
	r.Over[vendor] += units
}

// delayed adds what a vendor has cost in time, in an execution that bought there.
func (r *Result) delayed(d buy.Delay) {
	if r.Delays == nil {
		r.Delays = map[string]buy.Delay{}
	}
	before := r.Delays[d.Vendor]
	d.Refused, d.Silent = d.Refused+before.Refused, d.Silent+before.Silent
	r.Delays[d.Vendor] = d
}

// OverText says what vendors charged beyond their prices, "" if nothing.
func (r *Result) OverText() string {
	var texts []string
	for _, vendor := range slices.Sorted(maps.Keys(r.Over)) {
		texts = append(texts, fmt.Sprintf("%s charged %s more than its requests could cost by its own price, which no budget can prevent", vendor, words.Plural(r.Over[vendor], "unit")))
	}
	return strings.Join(texts, "; ")
}

// File is one published table of a run.
type File struct {
	Table string `json:"table"`
	Path  string `json:"path"`
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
}

// Incomplete returns the tasks that do not hold all they ask for.
func (r *Result) Incomplete() []*ledger.Task {
	var open []*ledger.Task
	for i := range r.Tasks {
		if t := &r.Tasks[i]; !t.Ending.Complete() {
			open = append(open, t)
		}
	}
	return open
}

// Left returns those of the incomplete tasks that this execution was to complete, Unselected those that it was not.
func (r *Result) Left() []*ledger.Task { return r.open(true) }

// Unselected: see Left.
func (r *Result) Unselected() []*ledger.Task { return r.open(false) }

func (r *Result) open(selected bool) []*ledger.Task {
	return slices.DeleteFunc(r.Incomplete(), func(t *ledger.Task) bool {
		return (r.selected == nil || r.selected(t.Extract)) != selected
	})
}

// Held reports whether a breach keeps tables from being published.
func (r *Result) Held() bool {
	return slices.ContainsFunc(r.Findings, func(f account.Finding) bool { return f.Held })
}

// Rejected is how many rows do not fit their table.
func (r *Result) Rejected() (rows int64) {
	for _, one := range r.Rejections {
		rows += one.Rows
	}
	return rows
}

// Stops returns why vendors were given up, one for each.
func (r *Result) Stops() []*engine.StopError { return buy.Stops(r.Stop) }

// missing tells what a task is expected to need still; false if that is nothing, or unknown.
func (r *Result) missing() func(taskID string) (units pipeline.Units, known bool) {
	need := map[string]pipeline.Units{}
	if r.Missing != nil {
		for _, work := range r.Missing.Work {
			for _, it := range work {
				if it.Missing.Known {
					need[it.Task.ID] = it.Missing.Units
				}
			}
		}
	}
	return func(taskID string) (pipeline.Units, bool) {
		units, known := need[taskID]
		return units, known
	}
}
