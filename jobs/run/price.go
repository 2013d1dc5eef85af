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
	known, err := r.terms(ctx)
	if err != nil {
		return nil, err
	}
	items := r.chain.Known()
	for i := range items {
		r.place(&items[i])
	}
	if err := r.findAnswers(ctx); err != nil {
		return nil, err
	}
	if extracts != nil {
		items = slices.DeleteFunc(slices.Clone(items), func(it plan.Item) bool { return !slices.Contains(extracts, it.Task.Extract) })
	}
	return plan.Make(items, known.histories, known.accounts, known.pending...), nil
}

// terms are what a plan depends on beside the items.
type terms struct {
	histories map[string]pipeline.History
	accounts  map[string]plan.Account
	pending   []plan.Pending
}

// terms returns what is known now; without a ledger, what a new one would say.
func (r *runner) terms(ctx context.Context) (known terms, err error) {
	if r.ledger != nil {
		if known.histories, err = r.ledger.Histories(ctx); err != nil {
			return known, err
		}
	}
	known.accounts = map[string]plan.Account{}
	for vendor := range r.Accounts {
		if known.accounts[vendor], err = r.accountOf(ctx, vendor); err != nil {
			return known, err
		}
	}
	known.pending, err = r.chain.Pending(ctx, r.past(), r.place, r.indexes != nil)
	return known, err
}

// accountOf says what the vendor's account allows the run now.
func (r *runner) accountOf(ctx context.Context, vendor string) (plan.Account, error) {
	if r.ledger == nil {
		return r.allowed(vendor, ledger.Granted{}), nil
	}
	var used ledger.Granted
	if r.Accounts[vendor].Ceiling.Bounds() {
		var err error
		if used, err = r.ledger.Granted(ctx, r.run.ID, r.Name, vendor, r.month(vendor)); err != nil {
			return plan.Account{}, err
		}
	}
	account := r.allowed(vendor, used)
	jobs, err := r.ledger.ByJob(ctx, vendor, r.month(vendor))
	if err != nil {
		return account, err
	}
	for _, j := range jobs {
		account.Used = append(account.Used, plan.JobUnits(j))
	}
	held, err := r.ledger.Holds(ctx, vendor, r.month(vendor))
	account.Held = holdsOf(held)
	return account, err
}

// holdsOf are the ledger's holds as plans tell them.
func holdsOf(held []ledger.Hold) (holds []plan.Hold) {
	for _, h := range held {
		holds = append(holds, plan.Hold{RunID: h.Run.ID, Job: h.Run.Job, RunDate: h.Run.RunDate, Units: h.Units, Since: h.Since})
	}
	return holds
}

// allowed says what the ceilings leave when so much is granted, and which leaves the least. Of several it is the one that is the
// hardest to raise.
func (r *runner) allowed(vendor string, used ledger.Granted) plan.Account {
	a, common := r.Accounts[vendor], r.monthly[vendor]
	count, asked := r.counts[vendor]
	account := plan.Account{PerSecond: a.PerSecond, Connections: a.Connections, Others: count.others, Uncounted: common != nil && !asked}
	hold := func(ceiling plan.Ceiling, most *pipeline.Units, granted pipeline.Units) {
		if most == nil {
			return
		}
		if left := max(0, *most-granted); account.Left == nil || left < *account.Left {
			account.Left, account.Ceiling = &left, ceiling
		}
	}
	hold(plan.OfQuota, count.quota, used.WarehouseMonth)
	hold(plan.OfWarehouse, count.left(common), used.WarehouseMonth)
	hold(plan.OfMonth, a.Ceiling.Month, used.Month)
	ofExecution := plan.OfRun
	if a.ByFlag {
		ofExecution = plan.OfFlag
	}
	hold(ofExecution, a.Ceiling.Run, used.Run)
	return account
}

// least returns the lower of two bounds, of which nil is none.
func least(a, b *pipeline.Units) *pipeline.Units {
	if a == nil || b != nil && *b < *a {
		return b
	}
	return a
}

// expect enters into the ledger what a plan expects of the tasks of some extracts, of all if there are none: what they have
// cost so far and what is missing.
func (r *runner) expect(ctx context.Context, p *plan.Plan, extracts []string) error {
	expected := map[string]ledger.Expectation{}
	for _, it := range r.chain.Known() {
		if extracts == nil || slices.Contains(extracts, it.Task.Extract) {
			expected[it.Task.ID] = ledger.Expectation{Units: r.places[it.Task.ID].Units}
		}
	}
	for _, work := range p.Work {
		for _, it := range work {
			e := expected[it.Task.ID]
			if e.Units += it.Missing.Units; !it.Missing.Known {
				e.Next = it.Missing.Units
			}
			expected[it.Task.ID] = e
		}
	}
	return r.ledger.Expect(ctx, r.run.ID, expected)
}
