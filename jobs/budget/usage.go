package budget

import (
	"context"
	"errors"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/limit"
)

// Ask asks the vendors' own meters, settles by what they say what is held for requests without an answer, and holds the
// month's ceiling against it: what others have consumed with the same key is gone as well, and no more is to be had than the
// vendor has left. Of a vendor that does not answer, what it said before counts. It returns those that answered.
func (b *Budget) Ask(ctx context.Context, books Books) (answered []string, err error) {
	for _, vendor := range b.Vendors() {
		if err := b.expire(ctx, books, vendor); err != nil {
			return answered, err
		}
		if b.accounts[vendor].Usage == nil {
			continue
		}
		u, err := b.settleBy(ctx, books, vendor, b.monthly[vendor] != nil || b.accounts[vendor].Ceiling.Month != nil)
		if err != nil {
			return answered, err
		}
		if u != nil {
			answered = append(answered, vendor)
		}
		if err := b.count(ctx, books, vendor, u); err != nil {
			return answered, err
		}
	}
	return answered, nil
}

// AskAgain asks the vendors once more when the run has bought.
func (b *Budget) AskAgain(ctx context.Context, books Books, vendors []string) error {
	for _, vendor := range vendors {
		if _, err := b.settleBy(ctx, books, vendor, true); err != nil {
			return err
		}
	}
	return nil
}

// settleBy asks a vendor's meter, and where it is to wait, once more if requests that got no answer will be counted in a
// moment: what they hold may be what the run wants to spend. Of a vendor that does not answer it returns nil.
func (b *Budget) settleBy(ctx context.Context, books Books, vendor string, wait bool) (u *ledger.Usage, err error) {
	u, lag, err := b.meter(ctx, books, vendor)
	var soon time.Duration
	if err == nil && u != nil && wait {
		soon, err = b.untilCounted(ctx, books, vendor, lag)
	}
	if err == nil && soon > 0 && limit.Sleep(ctx, soon, nil) == nil {
		u, _, err = b.meter(ctx, books, vendor)
	}
	if errors.As(err, new(*pipeline.Error)) {
		return nil, nil // the run's own requests will tell whether anything is wrong with the vendor
	}
	return u, err
}

// meter asks a vendor's meter and enters what it says: nothing, and nil, where that is of another month than the run's, which has
// ended meanwhile. An *pipeline.Error means that it did not answer.
func (b *Budget) meter(ctx context.Context, books Books, vendor string) (u *ledger.Usage, lag time.Duration, err error) {
	now := b.now().UTC()
	report, err := b.accounts[vendor].Usage.Usage(ctx, b.MonthStart(vendor), now)
	if err != nil || !report.IsOfMonth(b.MonthStart(vendor), now) {
		return nil, 0, err
	}
	said, settled, err := books.Ledger.Count(ctx, ledger.Usage{RunID: books.RunID, Vendor: vendor, Month: b.Month(vendor), At: now,
		From: b.MonthStart(vendor), VendorUnits: report.Units, Remaining: report.Remaining}, report.Lag)
	b.settled = append(b.settled, settled...)
	return &said, report.Lag, err
}

// expire releases what is held of months that are over.
func (b *Budget) expire(ctx context.Context, books Books, vendor string) error {
	settled, err := books.Ledger.Expire(ctx, vendor, b.Month(vendor), b.now().UTC())
	b.settled = append(b.settled, settled...)
	return err
}

// untilCounted is how long it takes until a count holds all requests without an answer; 0 if it does, or only later than the
// run can wait for.
func (b *Budget) untilCounted(ctx context.Context, books Books, vendor string, lag time.Duration) (time.Duration, error) {
	holds, err := books.Ledger.Holds(ctx, vendor, b.Month(vendor))
	if err != nil || len(holds) == 0 {
		return 0, err
	}
	var last time.Time
	for _, h := range holds {
		if h.Since.After(last) {
			last = h.Since
		}
	}
	wait := last.Add(lag + ledger.Grace).Sub(b.now())
	if wait > ledger.Grace {
		return 0, nil
	}
	return wait, nil
}

// counted is what a vendor's own count of a month says.
type counted struct {
	others pipeline.Units // used by others
	// quota is what the warehouse's runs may have cost in the month when the vendor's own quota is used up. Nil: not stated.
	quota *pipeline.Units
}

// count holds the month's ceiling against what the vendor has said of the month so far. last is what it says now, nil if it
// does not answer.
func (b *Budget) count(ctx context.Context, books Books, vendor string, last *ledger.Usage) error {
	said, err := books.Ledger.MonthUsages(ctx, vendor, b.Month(vendor))
	if err != nil || len(said) == 0 {
		return err
	}
	c := counted{others: ledger.Others(said)}
	if last != nil && last.Remaining != nil {
		// Held units are either in the vendor's count, or will never be: what it has left is left beside them.
		most := last.LedgerUnits + last.HeldUnits + max(0, *last.Remaining)
		c.quota = &most
	}
	b.counts[vendor] = c
	account := b.accounts[vendor]
	account.Ceiling.WarehouseMonth = least(c.left(b.monthly[vendor]), c.quota)
	b.accounts[vendor] = account
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

// Recall holds the month's ceilings against what the vendors have said before, and asks nobody.
func (b *Budget) Recall(ctx context.Context, books Books) error {
	for vendor := range b.accounts {
		said, err := books.Ledger.MonthUsages(ctx, vendor, b.Month(vendor))
		if err != nil {
			return err
		}
		var last *ledger.Usage
		if n := len(said); n > 0 {
			last = &said[n-1]
		}
		if err := b.count(ctx, books, vendor, last); err != nil {
			return err
		}
	}
	return nil
}

// least returns the lower of two bounds, of which nil does not bind.
func least(a, b *pipeline.Units) *pipeline.Units {
	if a == nil || b != nil && *b < *a {
		return b
	}
	return a
}
