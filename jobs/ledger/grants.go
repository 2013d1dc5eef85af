package ledger

import (
	"context"
	"database/sql"
	"fmt"

	"backhaul/pipeline"
	"backhaul/pipeline/failpoint"
)

// Ceiling is a budget in the vendor's own units. A nil bound is none.
type Ceiling struct {
	Run   *pipeline.Units // what one run may spend in all
	Month *pipeline.Units // what all runs of a month may spend together
	// InFlight is the most that the requests under way at one moment can cost together: what may have been charged
	// without a trace if the process dies. Default 0.
	InFlight pipeline.Units
}

// Grant raises what run may spend at vendor in month (YYYY-MM) by want units, or by less, but not less than least,
// where the ceiling leaves no more. It returns what was granted, 0 if not even least fits, and what the ceiling
// leaves then. The grant is durable, and counts against every other run's, when Grant returns.
func (l *Ledger) Grant(ctx context.Context, runID, vendor, month string, want, least pipeline.Units, c Ceiling) (got, left pipeline.Units, err error) {
	failpoint.Hit("ledger.grant.before")
	err = l.db.Write(ctx, func(tx *sql.Tx) error {
		ofRun, ofMonth, err := granted(tx, runID, vendor, month)
		if err != nil {
			return err
		}
		left = want
		if c.Run != nil {
			left = min(left, *c.Run-ofRun)
		}
		if c.Month != nil {
			left = min(left, *c.Month-ofMonth)
		}
		left = max(left, 0)
		if got = left; got < least {
			got = 0
			return nil
		}
		_, err = tx.Exec(`INSERT INTO grants (run_id, vendor, month, granted, spent, settled, in_flight) VALUES (?,?,?,?,0,0,?)
			ON CONFLICT DO UPDATE SET granted = granted + excluded.granted, settled = 0, in_flight = excluded.in_flight`,
			runID, vendor, month, got, c.InFlight)
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("reserve %d units at %s: %w", want, vendor, err)
	}
	failpoint.Hit("ledger.grant.after")
	return got, left, nil
}

func granted(tx *sql.Tx, runID, vendor, month string) (ofRun, ofMonth pipeline.Units, err error) {
	err = tx.QueryRow(`SELECT coalesce(sum(iif(run_id = ?, granted, 0)), 0), coalesce(sum(iif(month = ?, granted, 0)), 0)
		FROM grants WHERE vendor = ? AND (run_id = ? OR month = ?)`, runID, month, vendor, runID, month).Scan(&ofRun, &ofMonth)
	return ofRun, ofMonth, err
}

// Settle shrinks the grant of a run at a vendor to what its journal says: spent, and what attempts without an answer
// may have cost. What was granted in earlier months stays there; the rest belongs to month.
func (l *Ledger) Settle(ctx context.Context, runID, vendor, month string, spent, maybe pipeline.Units) error {
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		var earlier, earlierSpent pipeline.Units
		if err := tx.QueryRow(`SELECT coalesce(sum(granted), 0), coalesce(sum(spent), 0) FROM grants
			WHERE run_id = ? AND vendor = ? AND month <> ?`, runID, vendor, month).Scan(&earlier, &earlierSpent); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO grants (run_id, vendor, month, granted, spent, settled) VALUES (?,?,?,?,?,1)
			ON CONFLICT DO UPDATE SET granted = excluded.granted, spent = excluded.spent, settled = 1`,
			runID, vendor, month, max(0, spent+maybe-earlier), max(0, spent-earlierSpent))
		return err
	})
	if err != nil {
		return fmt.Errorf("settle run %s at %s: %w", runID, vendor, err)
	}
	failpoint.Hit("ledger.settle.after")
	return nil
}

// LastMonth returns the latest month in which a run was granted anything at a vendor, "" if there is none.
func (l *Ledger) LastMonth(ctx context.Context, runID, vendor string) (month string, err error) {
	err = l.db.Read().QueryRowContext(ctx, `SELECT coalesce(max(month), '') FROM grants WHERE run_id = ? AND vendor = ?`, runID, vendor).Scan(&month)
	return month, l.db.Wrap(err)
}

// Spend is what one run may have spent at one vendor in one month.
type Spend struct {
	RunID, Vendor, Month string
	// Granted is the upper bound: spent, possibly charged, and reserved.
	Granted pipeline.Units
	Spent   pipeline.Units
	Settled bool
	// InFlight is the most that the requests under way at one moment can cost together.
	InFlight pipeline.Units
}

// Spends returns the grants of a run, or of all runs when runID is "".
func (l *Ledger) Spends(ctx context.Context, runID string) ([]Spend, error) {
	rows, err := l.db.Read().QueryContext(ctx, `SELECT run_id, vendor, month, granted, spent, settled, in_flight FROM grants
		WHERE ? = '' OR run_id = ? ORDER BY month, vendor, run_id`, runID, runID)
	if err != nil {
		return nil, l.db.Wrap(err)
	}
	defer rows.Close()
	var spends []Spend
	for rows.Next() {
		var s Spend
		if err := rows.Scan(&s.RunID, &s.Vendor, &s.Month, &s.Granted, &s.Spent, &s.Settled, &s.InFlight); err != nil {
			return nil, l.db.Wrap(err)
		}
		spends = append(spends, s)
	}
	return spends, l.db.Wrap(rows.Err())
}

// Granted returns what is granted to a run and to all runs of a month at a vendor.
func (l *Ledger) Granted(ctx context.Context, runID, vendor, month string) (ofRun, ofMonth pipeline.Units, err error) {
	err = l.db.Write(ctx, func(tx *sql.Tx) error {
		ofRun, ofMonth, err = granted(tx, runID, vendor, month)
		return err
	})
	return ofRun, ofMonth, err
}
