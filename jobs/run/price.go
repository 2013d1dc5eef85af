package run

import (
	"context"
	"slices"

	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
)

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
		if r.ledger == nil {
			known.accounts[vendor] = r.budget.Unspent(vendor)
			continue
		}
		if known.accounts[vendor], err = r.budget.Left(ctx, r.books(), vendor); err != nil {
			return known, err
		}
	}
	known.pending, err = r.chain.Pending(ctx, r.past(), r.place, r.indexes != nil)
	return known, err
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
