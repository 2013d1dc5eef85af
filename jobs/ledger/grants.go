package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/failpoint"
	"backhaul/pipeline/store"
)

// Ceiling is a budget in the vendor's own units. A nil bound does not bind.
type Ceiling struct {
	Run            *pipeline.Units // what one run may spend in all
	Month          *pipeline.Units // what all runs of its job may spend together in a month
	WarehouseMonth *pipeline.Units // what the runs of all jobs may spend together in a month
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
		used, err := granted(tx, runID, "", vendor, month)
		if err != nil {
			return err
		}
		left = max(0, c.Left(want, used))
		if got = left; got < least {
			got = 0
			return nil
		}
		_, err = tx.Exec(`INSERT INTO grants (run_id, vendor, month, granted, spent, settled, in_flight) VALUES (?,?,?,?,0,false,?)
			ON CONFLICT (run_id, vendor, month) DO UPDATE SET granted = grants.granted + excluded.granted, settled = false, in_flight = excluded.in_flight`,
			runID, vendor, month, got, c.InFlight)
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("reserve %d units at %s: %w", want, vendor, err)
	}
	failpoint.Hit("ledger.grant.after")
	return got, left, nil
}

// GiveBack lowers what run may spend at vendor in month by units that it was granted and will not spend, while it goes on.
func (l *Ledger) GiveBack(ctx context.Context, runID, vendor, month string, units pipeline.Units) error {
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE grants SET granted = granted - ? WHERE run_id = ? AND vendor = ? AND month = ? AND NOT settled`, units, runID, vendor, month)
		return err
	})
	if err != nil {
		return fmt.Errorf("give back %d units at %s: %w", units, vendor, err)
	}
	return nil
}

// Bounds reports whether there is any.
func (c Ceiling) Bounds() bool { return c.Run != nil || c.Month != nil || c.WarehouseMonth != nil }

// Granted is what has been granted at a vendor.
type Granted struct {
	Run            pipeline.Units // to one run, in all
	Month          pipeline.Units // to all runs of its job in a month
	WarehouseMonth pipeline.Units // to the runs of all jobs in a month
}

// Left is the least of what the ceiling leaves and most. It is negative where more was granted than the ceiling allows by now.
func (c Ceiling) Left(most pipeline.Units, g Granted) pipeline.Units {
	for _, bound := range []struct {
		most    *pipeline.Units
		granted pipeline.Units
	}{{c.Run, g.Run}, {c.Month, g.Month}, {c.WarehouseMonth, g.WarehouseMonth}} {
		if bound.most != nil {
			most = min(most, *bound.most-bound.granted)
		}
	}
	return most
}

// granted reads what is granted to a run, to a job, or the one of the run if none is named, and to all.
func granted(tx *sql.Tx, runID, job, vendor, month string) (g Granted, err error) {
	// Of the job's own runs there are few, of all of a month many: those are added up and not looked at further.
	err = tx.QueryRow(`SELECT
			(SELECT coalesce(sum(granted), 0) FROM grants WHERE vendor = ?3 AND run_id = ?1),
			(SELECT coalesce(sum(granted), 0) FROM grants WHERE vendor = ?3 AND month = ?4 AND run_id IN (SELECT run_id FROM runs
				WHERE job = CASE ?2 WHEN '' THEN (SELECT job FROM runs WHERE run_id = ?1) ELSE ?2 END)),
			(SELECT coalesce(sum(granted), 0) FROM grants WHERE vendor = ?3 AND month = ?4)`, runID, job, vendor, month).
		Scan(&g.Run, &g.Month, &g.WarehouseMonth)
	return g, err
}

// Settle shrinks the grant of a run at a vendor to what its journal says: what was spent, what the vendor is known to have
// charged for requests without an answer, and what it may have charged beyond that, which is held. What was granted in
// earlier months stays there; the rest belongs to month. The same journal again changes nothing.
func (l *Ledger) Settle(ctx context.Context, runID, vendor, month string, b pipeline.Bill) error {
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		var spent, maybe, charged, cleared pipeline.Units
		// Of the earlier months' units without an answer, some are cleared and the others held still.
		if err := tx.QueryRow(`SELECT coalesce(sum(spent), 0), coalesce(sum(granted - spent - charged + cleared), 0) FROM grants
			WHERE run_id = ? AND vendor = ? AND month <> ?`, runID, vendor, month).Scan(&spent, &maybe); err != nil {
			return err
		}
		if err := tx.QueryRow(`SELECT coalesce(sum(charged), 0), coalesce(sum(cleared), 0) FROM grants
			WHERE run_id = ? AND vendor = ? AND month = ?`, runID, vendor, month).Scan(&charged, &cleared); err != nil {
			return err
		}
		spent = max(0, b.Spent-spent)
		held := max(0, b.Maybe-maybe-cleared)
		_, err := tx.Exec(`INSERT INTO grants (run_id, vendor, month, granted, spent, settled, spent_at, held_at) VALUES (?,?,?,?,?,true,?,?)
			ON CONFLICT (run_id, vendor, month) DO UPDATE SET granted = excluded.granted, spent = excluded.spent, settled = true,
				spent_at = excluded.spent_at, held_at = excluded.held_at`,
			runID, vendor, month, spent+charged+held, spent, store.Micros(b.SpentAt), store.Micros(b.HeldAt))
		return err
	})
	if err != nil {
		return fmt.Errorf("settle run %s at %s: %w", runID, vendor, err)
	}
	failpoint.Hit("ledger.settle.after")
	return nil
}

// Abandon holds all that a run was granted and is not known to have spent: nobody can tell any more, because its journal is
// gone. at is when its process was found to be dead.
func (l *Ledger) Abandon(ctx context.Context, runID string, at time.Time) error {
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE grants SET settled = true, held_at = ? WHERE run_id = ? AND NOT settled`, at.UnixMicro(), runID)
		return err
	})
	if err != nil {
		return fmt.Errorf("hold what run %s was granted: %w", runID, err)
	}
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
	// Granted is the upper bound: spent, charged, and either held or reserved.
	Granted pipeline.Units
	// Spent is what pages cost, Charged what the vendor's count says requests without an answer did, and Cleared how much of
	// what those may have cost is settled so.
	Spent, Charged, Cleared pipeline.Units
	// Settled: no process is at work on it.
	Settled bool
	// SpentAt is when the last page arrived, HeldAt until when a request without an answer may have been under way.
	SpentAt, HeldAt time.Time
	// InFlight is the most that the requests under way at one moment can cost together.
	InFlight pipeline.Units
}

// Held is what requests without an answer may have cost, and nobody knows yet.
func (s Spend) Held() pipeline.Units {
	if !s.Settled {
		return 0
	}
	return s.Granted - s.Spent - s.Charged
}

// Reserved is what a process at work has set aside, some of which it may have spent by now.
func (s Spend) Reserved() pipeline.Units {
	if s.Settled {
		return 0
	}
	return s.Granted - s.Spent - s.Charged
}

// Spends returns the grants of a run, or of all runs when runID is "".
func (l *Ledger) Spends(ctx context.Context, runID string) ([]Spend, error) {
	var spends []Spend
	err := l.each(ctx, `SELECT run_id, vendor, month, granted, spent, charged, cleared, settled, spent_at, held_at, in_flight
		FROM grants WHERE ?1 = '' OR run_id = ?1 ORDER BY month, vendor, run_id`, func(rows *sql.Rows) error {
		var s Spend
		var spentAt, heldAt int64
		err := rows.Scan(&s.RunID, &s.Vendor, &s.Month, &s.Granted, &s.Spent, &s.Charged, &s.Cleared, &s.Settled, &spentAt, &heldAt, &s.InFlight)
		s.SpentAt, s.HeldAt = store.At(spentAt), store.At(heldAt)
		spends = append(spends, s)
		return err
	}, runID)
	return spends, err
}

// Granted returns what is granted at a vendor to a run, and in a month to a job and to all.
func (l *Ledger) Granted(ctx context.Context, runID, job, vendor, month string) (g Granted, err error) {
	err = l.db.Write(ctx, func(tx *sql.Tx) error {
		g, err = granted(tx, runID, job, vendor, month)
		return err
	})
	return g, err
}

// JobUnits is what one job may have spent.
type JobUnits struct {
	Job   string
	Units pipeline.Units
}

// ByJob returns what each job may have spent at a vendor in a month, the most first.
func (l *Ledger) ByJob(ctx context.Context, vendor, month string) (all []JobUnits, err error) {
	err = l.each(ctx, `SELECT job, sum(granted) AS units FROM grants JOIN runs USING (run_id)
		WHERE vendor = ? AND month = ? GROUP BY job HAVING sum(granted) > 0 ORDER BY units DESC, job`, func(rows *sql.Rows) error {
		var j JobUnits
		err := rows.Scan(&j.Job, &j.Units)
		all = append(all, j)
		return err
	}, vendor, month)
	return all, err
}
