package run

import (
	"context"
	"slices"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
)

// month names the month, YYYY-MM, in which the account's period at a vendor began.
func (r *runner) month(vendor string) string { return r.monthStart(vendor).Format("2006-01") }

func (r *runner) monthStart(vendor string) time.Time {
	day := max(1, r.Accounts[vendor].MonthStartsOn)
	start := time.Date(r.begun.Year(), r.begun.Month(), day, 0, 0, 0, 0, time.UTC)
	if start.After(r.begun) {
		start = start.AddDate(0, -1, 0)
	}
	return start
}

// plan prices what is missing of the extracts, of all if there are none.
func (r *runner) plan(ctx context.Context, extracts []string) (*plan.Plan, error) {
	histories, err := r.ledger.Histories(ctx)
	if err != nil {
		return nil, err
	}
	accounts := map[string]plan.Account{}
	for vendor, a := range r.Accounts {
		leaves, err := left(ctx, r.ledger, r.run.ID, vendor, r.month(vendor), a.Ceiling)
		if err != nil {
			return nil, err
		}
		accounts[vendor] = plan.Account{PerSecond: a.PerSecond, Connections: a.Connections, Left: leaves}
	}
	for i := range r.items {
		r.items[i].Place = r.places[r.items[i].Task.ID]
	}
	if err := r.findAnswers(ctx); err != nil {
		return nil, err
	}
	items := r.items
	if extracts != nil {
		items = slices.DeleteFunc(slices.Clone(items), func(it plan.Item) bool { return !slices.Contains(extracts, it.Task.Extract) })
	}
	pending, err := r.pending(ctx)
	if err != nil {
		return nil, err
	}
	return plan.Make(items, histories, accounts, pending...), nil
}

// left returns what the ceiling leaves a run at a vendor, nil if there is none.
func left(ctx context.Context, l *ledger.Ledger, runID, vendor, month string, c ledger.Ceiling) (*pipeline.Units, error) {
	if c.Run == nil && c.Month == nil {
		return nil, nil
	}
	ofRun, ofMonth, err := l.Granted(ctx, runID, vendor, month)
	if err != nil {
		return nil, err
	}
	var ofRunLeft, ofMonthLeft *pipeline.Units
	if c.Run != nil {
		n := max(0, *c.Run-ofRun)
		ofRunLeft = &n
	}
	if c.Month != nil {
		n := max(0, *c.Month-ofMonth)
		ofMonthLeft = &n
	}
	return least(ofRunLeft, ofMonthLeft), nil
}

// least returns the lower of two bounds, of which nil is none.
func least(a, b *pipeline.Units) *pipeline.Units {
	if a == nil || b != nil && *b < *a {
		return b
	}
	return a
}
