package document

import (
	"context"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/jobs/report"
	"backhaul/pipeline"
)

// DefaultRows is how many rows tables have if nothing else is asked for.
const DefaultRows = 25

// Subject is what a report is about, as the ledger has it.
type Subject struct {
	// Run is how the run stands, with its tasks.
	Run report.Status
	// Budgets are what the run was allowed to spend, by vendor; a vendor that is not there has none that is known.
	Budgets map[string]ledger.Budget
	// Own and All are what the run, and all runs of the warehouse, have used of each vendor in the months the run spent in: what
	// was spent, and what is held or reserved. Job is what all runs of its job have.
	Own, Job, All map[string]Use
	// Now is when the report is made.
	Now time.Time
	// Rows is how many rows a table has at most. Default DefaultRows.
	Rows int
}

// Use is units of a vendor's.
type Use struct{ Spent, Held, Reserved pipeline.Units }

func (u *Use) add(s ledger.Spend) {
	u.Spent += s.Spent + s.Charged
	u.Held += s.Held()
	u.Reserved += s.Reserved()
}

// Gather reads from the ledger what there is to say of a run beside its status.
func Gather(ctx context.Context, l *ledger.Ledger, run report.Status, now time.Time) (Subject, error) {
	s := Subject{Run: run, Budgets: map[string]ledger.Budget{}, Own: map[string]Use{}, Job: map[string]Use{}, All: map[string]Use{}, Now: now.UTC()}
	budgets, err := l.Budgets(ctx, run.RunID)
	if err != nil {
		return s, err
	}
	for _, b := range budgets {
		s.Budgets[b.Vendor] = b
	}
	runs, err := l.Runs(ctx)
	if err != nil {
		return s, err
	}
	ofJob := map[string]bool{}
	for _, r := range runs {
		ofJob[r.ID] = r.Job == run.Job
	}
	spends, err := l.Spends(ctx, "")
	if err != nil {
		return s, err
	}
	s.use(spends, ofJob)
	return s, nil
}

// use adds up what was used of the months that the run's budgets are of.
func (s *Subject) use(spends []ledger.Spend, ofJob map[string]bool) {
	add := func(uses map[string]Use, spend ledger.Spend) {
		u := uses[spend.Vendor]
		u.add(spend)
		uses[spend.Vendor] = u
	}
	for _, spend := range spends {
		if spend.RunID == s.Run.RunID {
			add(s.Own, spend)
		}
		if spend.Month != s.monthStart(spend.Vendor).Format("2006-01") {
			continue
		}
		if add(s.All, spend); ofJob[spend.RunID] {
			add(s.Job, spend)
		}
	}
}

// monthStart is the first day of the account's month in which the run was at work last: by its budget, else the calendar's.
func (s *Subject) monthStart(vendor string) time.Time {
	if b, ok := s.Budgets[vendor]; ok {
		return b.MonthStart
	}
	at := s.Run.Started.UTC()
	return time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// rows is how many rows a table has at most.
func (s *Subject) rows() int {
	if s.Rows <= 0 {
		return DefaultRows
	}
	return s.Rows
}
