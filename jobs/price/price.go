// Package price owns what a run lacks and what that will cost now: how far its tasks have come, which of them an earlier run's answer
// will do for, which are stuck, and what the vendors' accounts leave.
//
// It asks nobody but for the vendors' indexes, and enters nothing. What it needs to know of the run comes with each call.
package price

import (
	"context"
	"slices"
	"time"

	"backhaul/jobs/budget"
	"backhaul/jobs/chain"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
)

// Config is the run to price.
type Config struct {
	Chain  *chain.Chain
	Budget *budget.Budget
	// Books are those of the run. Default: without a ledger nothing was ever granted, and no answer is known.
	Books budget.Books
	// Complete: the run was complete before this execution.
	Complete bool
	// Again prices also what is stuck, unless this execution has tried it. Default false.
	Again bool
	// HasPages reports whether the pages of an earlier answer are there.
	HasPages func(context.Context, ledger.Answer) bool
	Now      func() time.Time
}

// Pricer prices one execution of a run. It is for one goroutine.
type Pricer struct {
	cfg     Config
	answers map[string]ledger.Answer // by task: the latest earlier one
	indexes map[string]string        // by vendor: the index it answers from; nil until they are asked
}

// New returns the pricer of a run.
func New(cfg Config) *Pricer { return &Pricer{cfg: cfg} }

// Plan prices what is missing of the extracts, of all if there are none. What it finds out about the items is entered in them.
func (p *Pricer) Plan(ctx context.Context, past chain.Past, extracts []string) (*plan.Plan, error) {
	known, err := p.terms(ctx, past)
	if err != nil {
		return nil, err
	}
	items := p.cfg.Chain.Known()
	for i := range items {
		p.place(past, &items[i])
	}
	if err := p.findAnswers(ctx); err != nil {
		return nil, err
	}
	wanted := func(yield func(*plan.Item) bool) {
		for it := range plan.Each(items) {
			if (extracts == nil || slices.Contains(extracts, it.Task.Extract)) && !yield(it) {
				return
			}
		}
	}
	return plan.Make(wanted, known.histories, known.accounts, known.pending...), nil
}

// Preview prices all that is known, also what is only listed, and keeps none of it.
func (p *Pricer) Preview(ctx context.Context, past chain.Past) (*plan.Plan, error) {
	known, err := p.terms(ctx, past)
	if err != nil {
		return nil, err
	}
	items := func(yield func(*plan.Item) bool) {
		for it := range p.cfg.Chain.All() {
			if p.place(past, it); p.cfg.Books.Ledger != nil {
				if _, _, err = p.findAnswer(ctx, it, nil); err != nil {
					return
				}
			}
			if !yield(it) {
				return
			}
		}
	}
	all := plan.Price(items, known.histories, known.accounts, known.pending...)
	return all, err
}

// terms are what a plan depends on beside the items.
type terms struct {
	histories map[string]pipeline.History
	accounts  map[string]plan.Account
	pending   []plan.Pending
}

// terms returns what is known now; without a ledger, what a new one would say.
func (p *Pricer) terms(ctx context.Context, past chain.Past) (known terms, err error) {
	books := p.cfg.Books
	if books.Ledger != nil {
		if known.histories, err = books.Ledger.Histories(ctx); err != nil {
			return known, err
		}
	}
	known.accounts = map[string]plan.Account{}
	for _, vendor := range p.cfg.Budget.Vendors() {
		if books.Ledger == nil {
			known.accounts[vendor] = p.cfg.Budget.Unspent(vendor)
			continue
		}
		if known.accounts[vendor], err = p.cfg.Budget.Left(ctx, books, vendor); err != nil {
			return known, err
		}
	}
	known.pending, err = p.cfg.Chain.Pending(ctx, past, func(it *plan.Item) { p.place(past, it) }, p.indexes != nil)
	return known, err
}
