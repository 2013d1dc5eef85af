package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
)

// askUsage asks the vendors' own meters, settles by what they say what is held for requests without an answer, and holds the
// month's ceiling against it: what others have consumed with the same key is gone as well, and no more is to be had than the
// vendor has left. Of a vendor that does not answer, what it said before counts.
func (r *runner) askUsage(ctx context.Context, vendors []string) (answered []string, err error) {
	for _, vendor := range vendors {
		if err := r.expire(ctx, vendor); err != nil {
			return answered, err
		}
		if r.Accounts[vendor].Usage == nil {
			continue
		}
		u, err := r.settleBy(ctx, vendor)
		if err != nil {
			return answered, err
		}
		if u != nil {
			answered = append(answered, vendor)
		}
		if err := r.count(ctx, vendor, u); err != nil {
			return answered, err
		}
	}
	return answered, nil
}

// askAgain asks the vendors once more when the run has bought.
func (r *runner) askAgain(ctx context.Context, vendors []string) error {
	for _, vendor := range vendors {
		if _, err := r.settleBy(ctx, vendor); err != nil {
			return err
		}
	}
	return nil
}

// settleBy asks a vendor's meter, and once more where requests that got no answer will be counted in a moment: it waits for
// that, since what they hold may be what the run wants to spend. Of a vendor that does not answer it returns nil.
func (r *runner) settleBy(ctx context.Context, vendor string) (u *ledger.Usage, err error) {
	u, lag, err := r.meter(ctx, vendor)
	var soon time.Duration
	if err == nil {
		soon, err = r.untilCounted(ctx, vendor, lag)
	}
	if err == nil && soon > 0 && sleep(ctx, soon) == nil {
		u, _, err = r.meter(ctx, vendor)
	}
	if errors.As(err, new(*pipeline.Error)) {
		return nil, nil // the run's own requests will tell whether anything is wrong with the vendor
	}
	return u, err
}

// meter asks a vendor's meter and enters what it says. An *pipeline.Error means that it did not answer.
func (r *runner) meter(ctx context.Context, vendor string) (u *ledger.Usage, lag time.Duration, err error) {
	now := r.Now().UTC()
	report, err := r.Accounts[vendor].Usage.Usage(ctx, r.monthStart(vendor), now)
	if err != nil {
		return nil, 0, err
	}
	said, settled, err := r.ledger.Count(ctx, ledger.Usage{RunID: r.run.ID, Vendor: vendor, Month: r.month(vendor), At: now,
		From: r.monthStart(vendor), VendorUnits: report.Units, Remaining: report.Remaining}, report.Lag)
	r.settled = append(r.settled, settled...)
	return &said, report.Lag, err
}

// tellHeld completes the result with what is held and what was settled.
func (r *runner) tellHeld(ctx context.Context, result *Result) error {
	result.Settled = r.settled
	for _, vendor := range slices.Sorted(maps.Keys(r.Accounts)) {
		held, err := r.ledger.Holds(ctx, vendor, r.month(vendor))
		if err != nil {
			return err
		}
		result.Holds = append(result.Holds, holdsOf(held)...)
	}
	return nil
}

// tellCharged completes the result with what became of the run's requests without an answer.
func (r *runner) tellCharged(ctx context.Context, result *Result) error {
	spends, err := r.ledger.Spends(ctx, r.run.ID)
	for _, s := range spends {
		result.Charged += s.Charged
		result.HeldUnits += s.Held()
	}
	return err
}

// expire releases what is held of months that are over.
func (r *runner) expire(ctx context.Context, vendor string) error {
	settled, err := r.ledger.Expire(ctx, vendor, r.month(vendor), r.Now().UTC())
	r.settled = append(r.settled, settled...)
	return err
}

// untilCounted is how long it takes until a count holds all requests without an answer; 0 if it does, or only later than the
// run can wait for.
func (r *runner) untilCounted(ctx context.Context, vendor string, lag time.Duration) (time.Duration, error) {
	holds, err := r.ledger.Holds(ctx, vendor, r.month(vendor))
	if err != nil || len(holds) == 0 {
		return 0, err
	}
	var last time.Time
	for _, h := range holds {
		if h.Since.After(last) {
			last = h.Since
		}
	}
	wait := last.Add(lag + ledger.Grace).Sub(r.Now())
	if wait > ledger.Grace {
		return 0, nil
	}
	return wait, nil
}

// sleep returns early, with an error, when ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// counted is what a vendor's own count of a month says.
type counted struct {
	others pipeline.Units // used by others
	// quota is what the warehouse's runs may have cost in the month when the vendor's own quota is used up. Nil: not stated.
	quota *pipeline.Units
}

// count holds the month's ceiling against what the vendor has said of the month so far. last is what it says now, nil if it
// does not answer.
func (r *runner) count(ctx context.Context, vendor string, last *ledger.Usage) error {
	said, err := r.ledger.MonthUsages(ctx, vendor, r.month(vendor))
	if err != nil || len(said) == 0 {
		return err
	}
	c := counted{others: ledger.Others(said)}
	if last != nil && last.Remaining != nil {
		// Held units are either in the vendor's count, or will never be: what it has left is left beside them.
		most := last.LedgerUnits + last.HeldUnits + max(0, *last.Remaining)
		c.quota = &most
	}
	r.counts[vendor] = c
	account := r.Accounts[vendor]
	account.Ceiling.Month = least(c.left(r.monthly[vendor]), c.quota)
	r.Accounts[vendor] = account
	return nil
}

// left is what others leave of the month's ceiling, nil if there is none.
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

// reconciliations compares the first and the last usage of each vendor that was entered for the run.
func reconciliations(ctx context.Context, l *ledger.Ledger, runID string) ([]Reconciliation, error) {
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
		parts = append(parts, fmt.Sprintf("%d of the %d units held for requests without an answer were charged", c.ChargedUnits, c.HeldUnits))
	}
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
