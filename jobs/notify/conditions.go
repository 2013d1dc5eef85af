package notify

import (
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

// Conditions are what a run has shown: how it ended, and what was expected and is not so. expects: the job does expect something; if
// the run came to check nothing of it, whether that is so is not known.
func Conditions(s report.Summary, expects bool) []Condition {
	all := []Condition{{Event: stateOf(s)}}
	var about []string
	for _, f := range s.Breaches() {
		about = append(about, f.About())
	}
	if unknown := expects && len(s.Expectations) == 0; about != nil || unknown {
		all = append(all, Condition{Event: jobs.EventBreach, About: about, Unknown: unknown})
	}
	return all
}
