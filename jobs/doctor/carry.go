package doctor

import (
	"context"
	"errors"

	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
)

// carried is a run whose journal was retired, as a damaged ledger still tells it: no journal can.
type carried struct {
	run     ledger.Run
	index   ledger.Index
	spends  []ledger.Spend
	retired ledger.Retirement
}

// carry reads what it can of the retired runs of a ledger that may be damaged.
func carry(ctx context.Context, path string) (all []carried) {
	if recovery.Gone(path) {
		return nil // opening would make one
	}
	l, err := ledger.Open(ctx, path)
	if err != nil {
		return nil
	}
	defer func() { _ = l.Close() }()
	runs, err := l.Runs(ctx)
	if err != nil {
		return nil
	}
	for _, r := range runs {
		retired, err := l.Retired(ctx, r.ID)
		if err != nil || retired == nil {
			continue
		}
		c := carried{run: r, retired: *retired}
		var failed error
		c.index, err = l.Index(ctx, r.ID)
		failed = errors.Join(failed, err)
		c.spends, err = l.Spends(ctx, r.ID)
		if errors.Join(failed, err) == nil {
			all = append(all, c)
		}
	}
	return all
}

// enter puts the run into a ledger.
func (c carried) enter(ctx context.Context, l *ledger.Ledger) error {
	if err := l.Restore(ctx, c.run); err != nil {
		return err
	}
	if err := l.Sync(ctx, c.run.ID, c.index); err != nil {
		return err
	}
	bills := map[string]ledger.Bill{}
	for _, g := range c.spends { // by month: Settle takes what earlier months have off
		b := bills[g.Vendor]
		b.Spent += g.Spent + g.Charged
		b.Maybe += g.Granted - g.Spent - g.Charged
		b.SpentAt, b.HeldAt = g.SpentAt, g.HeldAt
		bills[g.Vendor] = b
		if err := l.Settle(ctx, c.run.ID, g.Vendor, g.Month, b); err != nil {
			return err
		}
	}
	return l.Retire(ctx, c.run.ID, c.retired)
}
