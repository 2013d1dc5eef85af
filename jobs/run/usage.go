package run

import (
	"context"
	"errors"
	"maps"
	"slices"
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
		u, err := r.settleBy(ctx, vendor, r.monthly[vendor] != nil || r.Accounts[vendor].Ceiling.Month != nil)
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
		if _, err := r.settleBy(ctx, vendor, true); err != nil {
			return err
		}
	}
	return nil
}

// settleBy asks a vendor's meter, and where it is to wait, once more if requests that got no answer will be counted in a
// moment: what they hold may be what the run wants to spend. Of a vendor that does not answer it returns nil.
func (r *runner) settleBy(ctx context.Context, vendor string, wait bool) (u *ledger.Usage, err error) {
	u, lag, err := r.meter(ctx, vendor)
	var soon time.Duration
	if err == nil && wait {
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
	account.Ceiling.WarehouseMonth = least(c.left(r.monthly[vendor]), c.quota)
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
