package account

import (
	"context"
	"fmt"
	"strings"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/words"
)

// Reconciliation compares what the vendor says was consumed during one execution with what the run spent.
type Reconciliation struct {
	Vendor string `json:"vendor"`
	// VendorUnits is how far the vendor's meter moved from the first to the last time it was asked.
	VendorUnits pipeline.Units `json:"vendor_units"`
	// LedgerUnits is what the ledger's runs spent meanwhile, MaybeUnits what they may have spent beyond that.
	LedgerUnits pipeline.Units `json:"ledger_units"`
	MaybeUnits  pipeline.Units `json:"maybe_units"`
	// HeldUnits is what of requests without an answer was settled by the vendor's count, and ChargedUnits what of it was charged,
	// which is part of what the ledger knows since.
	HeldUnits    pipeline.Units `json:"settled_units"`
	ChargedUnits pipeline.Units `json:"charged_units"`
	// OthersUnits is what others have used of the account in the month, at the least.
	OthersUnits pipeline.Units `json:"others_units"`
	// Difference is VendorUnits less LedgerUnits; Explanation what accounts for it.
	Difference  pipeline.Units `json:"difference"`
	Explanation string         `json:"explanation"`
	First, Last ledger.Usage   `json:"-"`
}

// Reconciliations compares the first and the last usage of each vendor that was entered for the run.
func Reconciliations(ctx context.Context, l *ledger.Ledger, runID string) ([]Reconciliation, error) {
	usages, err := l.Usages(ctx, runID)
	if err != nil {
		return nil, err
	}
	settled, err := l.Settlements(ctx, "")
	if err != nil {
		return nil, err
	}
	return reconcile(usages, settled), nil
}

func reconcile(usages []ledger.Usage, settled []ledger.Settlement) []Reconciliation {
	byVendor := map[string]*Reconciliation{}
	var order []string
	for _, u := range usages {
		key := u.Vendor + " " + u.Month // a month's meter begins at zero
		c, ok := byVendor[key]
		if !ok {
			byVendor[key] = &Reconciliation{Vendor: u.Vendor, First: u, Last: u}
			order = append(order, key)
			continue
		}
		c.Last = u
	}
	var all []Reconciliation
	for _, key := range order {
		c := byVendor[key]
		if c.First.At.Equal(c.Last.At) {
			continue
		}
		c.VendorUnits = c.Last.VendorUnits - c.First.VendorUnits
		c.LedgerUnits = c.Last.LedgerUnits - c.First.LedgerUnits
		c.MaybeUnits = max(0, c.Last.MaybeUnits-c.First.MaybeUnits)
		c.OthersUnits = ledger.Others(usagesOf(usages, key))
		c.settle(settled)
		c.Difference = c.VendorUnits - c.LedgerUnits
		c.Explanation = explain(*c)
		all = append(all, *c)
	}
	return all
}

func usagesOf(usages []ledger.Usage, key string) (of []ledger.Usage) {
	for _, u := range usages {
		if u.Vendor+" "+u.Month == key {
			of = append(of, u)
		}
	}
	return of
}

// settle adds up what the vendor's count settled from the first to the last time it was asked.
func (c *Reconciliation) settle(settled []ledger.Settlement) {
	for _, s := range settled {
		if s.Why == ledger.ByCount && s.Vendor == c.Vendor && s.Month == c.First.Month && !s.At.Before(c.First.At) && !s.At.After(c.Last.At) {
			c.HeldUnits += s.Held
			c.ChargedUnits += s.Charged
		}
	}
}

func explain(c Reconciliation) string {
	var parts []string
	if c.HeldUnits > 0 {
		parts = append(parts, fmt.Sprintf("%s of the %s held for requests without an answer were charged", words.Count(c.ChargedUnits), words.Plural(c.HeldUnits, "unit")))
	}
	switch {
	case c.Difference == 0:
		parts = append(parts, "the vendor and the ledger agree")
	case c.Difference < 0 && -c.Difference <= c.ChargedUnits:
		parts = append(parts, fmt.Sprintf("the vendor and the ledger agree: %s of them were charged before the vendor was first asked", words.Count(-c.Difference)))
	case c.Difference < 0:
		parts = append(parts, fmt.Sprintf("the vendor's meter is %s behind: it may be late, by an hour at Moz", words.Plural(-c.Difference, "unit")))
	case c.Difference <= c.MaybeUnits:
		parts = append(parts, fmt.Sprintf("%s of at most %s of requests without an answer were charged", words.Count(c.Difference), words.Plural(c.MaybeUnits, "unit")))
	default:
		if c.MaybeUnits > 0 {
			parts = append(parts, fmt.Sprintf("at most %s of requests without an answer", words.Plural(c.MaybeUnits, "unit")))
		}
		parts = append(parts, fmt.Sprintf("at least %s by other users of the key, or counted late from before", words.Plural(c.Difference-c.MaybeUnits, "unit")))
	}
	return strings.Join(parts, "; ")
}
