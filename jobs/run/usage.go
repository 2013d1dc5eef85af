package run

import (
	"context"
	"fmt"
	"strings"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
)

// askUsage asks the vendors' own meters, enters what they say, and holds the month's ceiling against it: what others have
// consumed with the same key is gone as well, and no more is to be had than the vendor has left. A vendor that does not answer changes nothing.
func (r *runner) askUsage(ctx context.Context, vendors []string) (answered []string, err error) {
	for _, vendor := range vendors {
		account := r.Accounts[vendor]
		if account.Usage == nil {
			continue
		}
		now := r.Now().UTC()
		report, err := account.Usage.Usage(ctx, r.monthStart(vendor), now)
		if err != nil {
			continue // the run's own requests will tell whether anything is wrong with the vendor
		}
		u, err := r.ledger.AddUsage(ctx, ledger.Usage{RunID: r.run.ID, Vendor: vendor, Month: r.month(vendor), At: now, VendorUnits: report.Units, Remaining: report.Remaining})
		if err != nil {
			return answered, err
		}
		answered = append(answered, vendor)
		r.count(vendor, u)
	}
	return answered, nil
}

// counted is what a vendor's own count of a month says.
type counted struct {
	others pipeline.Units // used by others
	// quota is what the warehouse's runs may have spent in the month when the vendor's own quota is used up. Nil: not stated.
	quota *pipeline.Units
}

// count holds the month's ceiling against what the vendor said, the latest last. What others have used only grows during
// a month, so that a count that lags behind does not make it less.
func (r *runner) count(vendor string, said ...ledger.Usage) {
	if len(said) == 0 {
		return
	}
	c := r.counts[vendor]
	for _, u := range said {
		c.others = max(c.others, u.VendorUnits-u.LedgerUnits)
	}
	if last := said[len(said)-1]; last.Remaining != nil {
		most := last.LedgerUnits + max(0, *last.Remaining)
		c.quota = &most
	}
	r.counts[vendor] = c
	account := r.Accounts[vendor]
	account.Ceiling.Month = least(c.left(r.monthly[vendor]), c.quota)
	r.Accounts[vendor] = account
}

// left is what others leave of the month's ceiling, nil if there is none. Units that may have been charged count twice then,
// in the ledger and in the vendor's figure: it is the ceiling that must not be overrun.
func (c counted) left(allowed *pipeline.Units) *pipeline.Units {
	if allowed == nil {
		return nil
	}
	most := max(0, *allowed-c.others)
	return &most
}

// Reconciliation compares what the vendor says was consumed during one execution with what the run spent.
type Reconciliation struct {
	Vendor string `json:"vendor"`
	// VendorUnits is how far the vendor's meter moved from the first to the last time it was asked.
	VendorUnits pipeline.Units `json:"vendor_units"`
	// LedgerUnits is what the ledger's runs spent meanwhile, MaybeUnits what they may have spent beyond that.
	LedgerUnits pipeline.Units `json:"ledger_units"`
	MaybeUnits  pipeline.Units `json:"maybe_units"`
	// Difference is VendorUnits less LedgerUnits; Explanation what accounts for it.
	Difference  pipeline.Units `json:"difference"`
	Explanation string         `json:"explanation"`
	First, Last ledger.Usage   `json:"-"`
}

// reconcile compares the first and the last usage of each vendor that was entered for the run.
func reconcile(usages []ledger.Usage) []Reconciliation {
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
		c.Difference = c.VendorUnits - c.LedgerUnits
		c.Explanation = explain(*c)
		all = append(all, *c)
	}
	return all
}

func explain(c Reconciliation) string {
	var parts []string
	switch {
	case c.Difference == 0:
		parts = append(parts, "the vendor and the ledger agree")
	case c.Difference < 0:
		parts = append(parts, fmt.Sprintf("the vendor's meter is %d behind: it may lag, by an hour at Moz", -c.Difference))
	case c.Difference <= c.MaybeUnits:
		parts = append(parts, fmt.Sprintf("%d of at most %d units of requests without an answer were charged", c.Difference, c.MaybeUnits))
	default:
		if c.MaybeUnits > 0 {
			parts = append(parts, fmt.Sprintf("at most %d units of requests without an answer", c.MaybeUnits))
		}
		parts = append(parts, fmt.Sprintf("at least %d units by other users of the key, or counted late from before", c.Difference-c.MaybeUnits))
	}
	return strings.Join(parts, "; ")
}
