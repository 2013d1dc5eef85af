package recovery

import (
	"context"
	"time"

	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/pipeline"
)

// Held is what is held for requests of one run that got no answer, and what the vendor's own count says of it.
type Held struct {
	RunID   string         `json:"run_id"`
	Job     string         `json:"job"`
	RunDate string         `json:"run_date"`
	Vendor  string         `json:"vendor"`
	Month   string         `json:"month"`
	Held    pipeline.Units `json:"held"`
	Since   time.Time      `json:"since,omitzero"`
	// Charged is what of Held the vendor's count says was charged, Releasable what can be spent again. Null while the count does
	// not tell.
	Charged    *pipeline.Units `json:"charged"`
	Releasable *pipeline.Units `json:"releasable"`
	// VendorUnits is what the vendor counts in the month, beside what the ledger knows and what others have used at the least.
	// Null if it was not asked or does not answer.
	VendorUnits *pipeline.Units `json:"vendor_units"`
	LedgerUnits pipeline.Units  `json:"ledger_units"`
	OthersUnits pipeline.Units  `json:"others_units"`
	// Why says why so much can be released, or why not.
	Why string `json:"why"`
}

// Meter is a vendor's own count. A nil Usage is a vendor that does not tell, or cannot be asked; Why says which.
type Meter struct {
	Usage pipeline.Usage
	Why   string
}

// Meters returns the meter of a vendor by the surface that was bought from.
type Meters func(vendor, surface string) Meter

// Reconcile tells what is held, and what the vendors' own counts say of it. It enters nothing but what runs have spent whose
// process died.
func Reconcile(ctx context.Context, l *ledger.Ledger, b books.Books, meters Meters, now time.Time) ([]Held, error) {
	if err := SettleDead(ctx, l, b, now); err != nil {
		return nil, err
	}
	holds, err := l.Holds(ctx, "", "")
	if err != nil {
		return nil, err
	}
	counts := map[string]*count{}
	all := []Held{}
	for _, h := range holds {
		c := counts[h.Vendor]
		if c == nil {
			if c, err = askCount(ctx, l, h, meters, now); err != nil {
				return nil, err
			}
			counts[h.Vendor] = c
		}
		all = append(all, c.tell(h))
	}
	return all, nil
}

// Release gives back what is held for a run: what the vendor's count says was charged stays charged, the rest is free again.
func Release(ctx context.Context, l *ledger.Ledger, b books.Books, runID string, meters Meters, now time.Time) ([]ledger.Settlement, error) {
	if err := SettleDead(ctx, l, b, now); err != nil {
		return nil, err
	}
	holds, err := l.Holds(ctx, "", "")
	if err != nil {
		return nil, err
	}
	var settled []ledger.Settlement
	asked := map[string]bool{}
	for _, h := range holds {
		if h.Run.ID != runID || asked[h.Vendor] {
			continue
		}
		asked[h.Vendor] = true
		c, err := askCount(ctx, l, h, meters, now)
		if err != nil {
			return settled, err
		}
		if c.usage == nil {
			continue
		}
		_, byCount, err := l.Count(ctx, *c.usage, c.lag)
		settled = append(settled, byCount...)
		if err != nil {
			return settled, err
		}
	}
	byHand, err := l.Release(ctx, runID, now)
	if len(settled) > 0 && err != nil {
		err = nil // the count has settled it all
	}
	return append(settled, byHand...), err
}

// count is what a vendor says of its current month.
type count struct {
	usage   *ledger.Usage // nil: it does not tell
	lag     time.Duration
	others  pipeline.Units
	settled []ledger.Settlement
	why     string
}

// askCount asks a vendor's meter on behalf of a run, and foresees what its count settles.
func askCount(ctx context.Context, l *ledger.Ledger, h ledger.Hold, meters Meters, now time.Time) (*count, error) {
	surface, err := surfaceOf(ctx, l, h)
	if err != nil {
		return nil, err
	}
	m := meters(h.Vendor, surface)
	c := &count{why: m.Why}
	if m.Usage == nil {
		return c, nil
	}
	from, err := l.MonthStart(ctx, h.Vendor, now)
	if err != nil {
		return nil, err
	}
	report, err := m.Usage.Usage(ctx, from, now)
	if err != nil {
		c.why = "the vendor's count cannot be had: " + err.Error()
		return c, nil
	}
	if !report.IsOfMonth(from, now) {
		c.why = "the vendor's count is of another month: its clock and this machine's differ"
		return c, nil
	}
	u := ledger.Usage{RunID: h.Run.ID, Vendor: h.Vendor, Month: from.Format("2006-01"), At: now, From: from, VendorUnits: report.Units, Remaining: report.Remaining}
	if u, c.settled, c.why, err = l.Foresee(ctx, u, report.Lag); err != nil {
		return nil, err
	}
	c.usage, c.lag = &u, report.Lag
	said, err := l.MonthUsages(ctx, h.Vendor, u.Month)
	c.others = ledger.Others(append(said, u))
	return c, err
}

// surfaceOf returns the surface that a run bought from at a vendor.
func surfaceOf(ctx context.Context, l *ledger.Ledger, h ledger.Hold) (string, error) {
	tasks, err := l.Tasks(ctx, h.Run.ID)
	for _, t := range tasks {
		if t.Task.Vendor() == h.Vendor {
			return t.Surface, nil
		}
	}
	return "", err
}

// tell says what the count says of one hold.
func (c *count) tell(h ledger.Hold) Held {
	held := Held{RunID: h.Run.ID, Job: h.Run.Job, RunDate: h.Run.RunDate, Vendor: h.Vendor, Month: h.Month, Held: h.Units, Since: h.Since, Why: c.why}
	if c.usage != nil && h.Month < c.usage.Month {
		none := pipeline.Units(0)
		held.Charged, held.Releasable, held.Why = &none, &h.Units, ledger.ByMonth
		return held
	}
	if c.usage == nil {
		return held
	}
	held.VendorUnits, held.LedgerUnits, held.OthersUnits = &c.usage.VendorUnits, c.usage.LedgerUnits, c.others
	for _, s := range c.settled {
		if s.RunID == h.Run.ID && s.Month == h.Month {
			released := s.Released()
			held.Charged, held.Releasable, held.Why = &s.Charged, &released, s.Why
		}
	}
	return held
}
