package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/store"
)

// Settlement is the end of units that were held for requests of a run that got no answer.
type Settlement struct {
	RunID, Vendor, Month string
	At                   time.Time
	// Held is what had been set aside, Charged what of it the vendor's count says was charged; the rest is free again.
	Held, Charged pipeline.Units
	Why           string
}

// Released is what may be spent again.
func (s Settlement) Released() pipeline.Units { return s.Held - s.Charged }

// Why units are settled.
const (
	ByCount = "the vendor's count"
	ByMonth = "their month is over"
	ByHand  = "released by hand"
)

// Grace is how long after a process died its last requests may still come to be charged, beside the lag of the vendor's count.
const Grace = 3 * time.Second

// Count enters what the vendor said, and settles by it what is held for requests without an answer in the month. The ledger's
// own figures are filled in, as they stand after that. lag is how late the vendor's count may be.
//
// Nothing is settled by a count that may not hold all the ledger knows of: while a process is at work on the account, within
// the lag of a page or of the request in question, where the count fell (it started over), or where it is below what the ledger
// knows to have been spent.
//
// What the count has beyond the ledger, and beyond what others were known to have used before, is taken to be the held
// requests' as far as those can have cost so much, the oldest first; only the rest is others' use. So where others use the
// key as well, too much may be taken to be ours, never too little, and no unit counts twice: known, held and others' units
// together never come to less than the vendor's count.
func (l *Ledger) Count(ctx context.Context, u Usage, lag time.Duration) (_ Usage, settled []Settlement, err error) {
	err = l.db.Write(ctx, func(tx *sql.Tx) error {
		if settled, _, err = l.due(ctx, tx, &u, lag); err != nil {
			return err
		}
		for _, s := range settled {
			if err := s.enter(tx); err != nil {
				return err
			}
		}
		if err := u.account(ctx, tx); err != nil {
			return err
		}
		return u.enter(tx)
	})
	if err != nil {
		return u, nil, fmt.Errorf("enter what %s counts: %w", u.Vendor, err)
	}
	return u, settled, nil
}

// Foresee tells what Count would settle, and enters nothing. why says what keeps units held, "" if nothing does.
func (l *Ledger) Foresee(ctx context.Context, u Usage, lag time.Duration) (_ Usage, settled []Settlement, why string, err error) {
	settled, why, err = l.due(ctx, l.db.Read(), &u, lag)
	if err != nil {
		err = fmt.Errorf("read what is held at %s: %w", u.Vendor, l.db.Wrap(err))
	}
	return u, settled, why, err
}

// due works out what is settled by a count, whose account it fills in. why says what keeps units held.
func (l *Ledger) due(ctx context.Context, q queryer, u *Usage, lag time.Duration) (settled []Settlement, why string, err error) {
	if err := u.account(ctx, q); err != nil {
		return nil, "", err
	}
	said, err := l.usages(ctx, q, ofMonth, u.Vendor, u.Month)
	if err != nil {
		return nil, "", err
	}
	covered := u.At.Add(-lag)
	var busy, late int
	if err := q.QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE NOT settled), count(*) FILTER (WHERE spent_at > ?) FROM grants WHERE vendor = ? AND month = ?`,
		covered.UnixMicro(), u.Vendor, u.Month).Scan(&busy, &late); err != nil {
		return nil, "", err
	}
	unknown := u.VendorUnits - u.LedgerUnits - Others(said)
	switch {
	case busy > 0:
		return nil, "a run is at work on the account: the count does not tell whose its units are", nil
	case late > 0:
		return nil, fmt.Sprintf("replies were bought within the %s that the vendor's count may be late", lag), nil
	case restarted(said, u.VendorUnits):
		return nil, "the vendor's count of the month fell: it started over, and says nothing of before", nil
	case unknown < 0:
		return nil, "the vendor's count is below what the ledger knows to have been spent: it is late, or counts something else", nil
	}
	held, err := heldIn(ctx, q, `vendor = ? AND month = ?`, u.Vendor, u.Month)
	if err != nil {
		return nil, "", err
	}
	for _, h := range held {
		if h.HeldAt.After(covered.Add(-Grace)) {
			why = fmt.Sprintf("the vendor's count may be late: it tells from %s on", h.HeldAt.Add(lag+Grace).Format(time.RFC3339))
			continue
		}
		s := Settlement{RunID: h.RunID, Vendor: h.Vendor, Month: h.Month, At: u.At, Held: h.Held(), Charged: min(h.Held(), unknown), Why: ByCount}
		unknown -= s.Charged
		settled = append(settled, s)
	}
	return settled, why, nil
}

// restarted reports whether the vendor's count of a month is lower than it was.
func restarted(said []Usage, units pipeline.Units) bool {
	for _, before := range said {
		if units < before.VendorUnits {
			return true
		}
	}
	return false
}

// heldIn returns the grants with held units that a condition leaves, the oldest first.
func heldIn(ctx context.Context, q queryer, condition string, args ...any) (held []Spend, err error) {
	rows, err := q.QueryContext(ctx, `SELECT run_id, vendor, month, granted, spent, charged, settled, held_at FROM grants
		WHERE settled AND granted > spent + charged AND `+condition+` ORDER BY held_at, run_id`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s Spend
		var heldAt int64
		if err := rows.Scan(&s.RunID, &s.Vendor, &s.Month, &s.Granted, &s.Spent, &s.Charged, &s.Settled, &heldAt); err != nil {
			return nil, err
		}
		s.HeldAt = store.At(heldAt)
		held = append(held, s)
	}
	return held, rows.Err()
}

// enter makes a settlement: the grant no longer holds the units, and remembers that they are cleared.
func (s Settlement) enter(tx *sql.Tx) error {
	if _, err := tx.Exec(`UPDATE grants SET granted = granted - ?1 + ?2, charged = charged + ?2, cleared = cleared + ?1
		WHERE run_id = ?3 AND vendor = ?4 AND month = ?5`, s.Held, s.Charged, s.RunID, s.Vendor, s.Month); err != nil {
		return err
	}
	_, err := tx.Exec(`INSERT INTO settlements (run_id, vendor, month, at, held, charged, why) VALUES (?,?,?,?,?,?,?)`,
		s.RunID, s.Vendor, s.Month, s.At.UnixMicro(), s.Held, s.Charged, s.Why)
	return err
}

// Expire releases what is held at a vendor in months before month: no budget counts them any more, and no later count tells of
// them.
func (l *Ledger) Expire(ctx context.Context, vendor, month string, now time.Time) ([]Settlement, error) {
	settled, err := l.release(ctx, now, ByMonth, `vendor = ? AND month < ?`, vendor, month)
	if err != nil {
		return nil, fmt.Errorf("release what is held of earlier months at %s: %w", vendor, err)
	}
	return settled, nil
}

// ErrNothingHeld means that a run has no units to release.
var ErrNothingHeld = errors.New("nothing is held")

// Release releases what is held for a run, because somebody says so.
func (l *Ledger) Release(ctx context.Context, runID string, now time.Time) ([]Settlement, error) {
	settled, err := l.release(ctx, now, ByHand, `run_id = ?`, runID)
	if err == nil && len(settled) == 0 {
		err = ErrNothingHeld
	}
	if err != nil {
		return nil, fmt.Errorf("release what is held for run %s: %w", runID, err)
	}
	return settled, nil
}

func (l *Ledger) release(ctx context.Context, now time.Time, why, condition string, args ...any) (settled []Settlement, err error) {
	err = l.db.Write(ctx, func(tx *sql.Tx) error {
		held, err := heldIn(ctx, tx, condition, args...)
		if err != nil {
			return err
		}
		for _, h := range held {
			s := Settlement{RunID: h.RunID, Vendor: h.Vendor, Month: h.Month, At: now, Held: h.Held(), Why: why}
			if err := s.enter(tx); err != nil {
				return err
			}
			settled = append(settled, s)
		}
		return nil
	})
	return settled, err
}

// Settlements returns the ends of what was held, of a run, or of all runs when runID is "", in the order they came.
func (l *Ledger) Settlements(ctx context.Context, runID string) ([]Settlement, error) {
	var all []Settlement
	err := l.each(ctx, `SELECT run_id, vendor, month, at, held, charged, why FROM settlements
		WHERE ?1 = '' OR run_id = ?1 ORDER BY rowid`, func(rows *sql.Rows) error {
		var s Settlement
		var when int64
		err := rows.Scan(&s.RunID, &s.Vendor, &s.Month, &when, &s.Held, &s.Charged, &s.Why)
		s.At = store.At(when)
		all = append(all, s)
		return err
	}, runID)
	return all, err
}

// Hold is what is held for one run at a vendor in a month.
type Hold struct {
	Run    Run
	Vendor string
	Month  string
	Units  pipeline.Units
	Since  time.Time // until when a request without an answer may have been under way
}

// Holds returns what is held, the oldest first: of all vendors and months where vendor is "".
func (l *Ledger) Holds(ctx context.Context, vendor, month string) ([]Hold, error) {
	held, err := heldIn(ctx, l.db.Read(), `(?1 = '' OR vendor = ?1 AND month = ?2)`, vendor, month)
	if err != nil {
		return nil, fmt.Errorf("read what is held: %w", l.db.Wrap(err))
	}
	holds := make([]Hold, len(held))
	for i, h := range held {
		run, err := l.Get(ctx, h.RunID)
		if err != nil {
			return nil, err
		}
		holds[i] = Hold{Run: run, Vendor: h.Vendor, Month: h.Month, Units: h.Held(), Since: h.HeldAt}
	}
	return holds, nil
}
