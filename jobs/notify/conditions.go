package notify

import (
	"slices"

	"backhaul/jobs"
	"backhaul/jobs/report"
)

// The exit statuses of runs, as users rely on them.
const (
	statusComplete    = 0
	statusIncomplete  = 3
	statusBudget      = 4
	statusTryLater    = 75
	statusInterrupted = 130
)

// stateOf is the event that a run's exit status stands for.
func stateOf(s report.Summary) string {
	switch s.ExitStatus {
	case statusComplete:
		return jobs.EventComplete
	case statusIncomplete:
		return jobs.EventIncomplete
	case statusBudget, statusTryLater, statusInterrupted:
		return jobs.EventStopped
	}
	return jobs.EventFailed
}

// Conditions are what a run has shown: how it ended, and what was expected and is not so. breaches name the expectations.
func Conditions(s report.Summary, breaches []string) []Condition {
	all := []Condition{{Event: stateOf(s)}}
	if len(breaches) > 0 {
		all = append(all, Condition{Event: jobs.EventBreach, About: slices.Sorted(slices.Values(breaches))})
	}
	return all
}
