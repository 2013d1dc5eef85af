package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"backhaul/pipeline/store"
)

// Latest returns the latest time the ledger knows, the zero time if it knows none: a clock behind it has jumped back.
func (l *Ledger) Latest(ctx context.Context) (time.Time, error) {
	var created, started, ended int64
	err := l.db.Read().QueryRowContext(ctx, `SELECT coalesce(max(created_at), 0), coalesce(max(started_at), 0), coalesce(max(ended_at), 0) FROM runs`).
		Scan(&created, &started, &ended)
	if err != nil {
		return time.Time{}, l.db.Wrap(err)
	}
	return store.At(max(created, started, ended)), nil
}

// Rewind brings times later than now back to now, and what was granted in later months to now's month: what a clock that
// was ahead has left behind.
func (l *Ledger) Rewind(ctx context.Context, now time.Time) error {
	month := now.UTC().Format("2006-01")
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		if err := store.NotAfter(tx, now, "runs.created_at", "runs.started_at", "runs.ended_at", "tasks.ended_at", "grants.spent_at", "grants.held_at"); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO grants (run_id, vendor, month, granted, spent, settled, charged, cleared, spent_at, held_at)
			SELECT run_id, vendor, ?1, sum(granted), sum(spent), count(*) FILTER (WHERE NOT settled) = 0, sum(charged), sum(cleared), max(spent_at), max(held_at)
			FROM grants WHERE month > ?1 GROUP BY run_id, vendor
			ON CONFLICT (run_id, vendor, month) DO UPDATE SET granted = grants.granted + excluded.granted, spent = grants.spent + excluded.spent,
				settled = grants.settled AND excluded.settled, charged = grants.charged + excluded.charged, cleared = grants.cleared + excluded.cleared,
				spent_at = CASE WHEN grants.spent_at > excluded.spent_at THEN grants.spent_at ELSE excluded.spent_at END,
				held_at = CASE WHEN grants.held_at > excluded.held_at THEN grants.held_at ELSE excluded.held_at END`, month)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`DELETE FROM grants WHERE month > ?`, month)
		return err
	})
	if err != nil {
		return fmt.Errorf("bring times back to %s: %w", now.UTC().Format(time.RFC3339), err)
	}
	return nil
}

// Restore enters a run as it is given. A run that is there keeps its tasks and grants; another one of the same job and date is
// removed with all it has.
func (l *Ledger) Restore(ctx context.Context, r Run) error {
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		for _, table := range ofRuns {
			if _, err := tx.Exec(`DELETE FROM `+table+` WHERE run_id IN (SELECT run_id FROM runs WHERE job = ? AND run_date = ? AND run_id <> ?)`,
				r.Job, r.RunDate, r.ID); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`INSERT INTO runs (`+runColumns+`) VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (run_id) DO UPDATE SET
			state = excluded.state, message = excluded.message, ended_at = excluded.ended_at`, r.ID, r.Job, r.RunDate, r.SpecHash, r.State,
			r.Message, store.Micros(r.Created), store.Micros(r.Started), store.Micros(r.Ended))
		return err
	})
	if err != nil {
		return fmt.Errorf("restore run %s: %w", r.ID, err)
	}
	return nil
}

// ofRuns are the tables of what the ledger has of runs, in an order in which rows can be removed.
var ofRuns = []string{"settlements", "usages", "rejections", "budgets", "tasks", "unbegun", "grants", "runs"}

// Withdraw removes a run that came to nothing, with all the ledger has of it.
func (l *Ledger) Withdraw(ctx context.Context, runID string) error {
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		for _, table := range ofRuns {
			if _, err := tx.Exec(`DELETE FROM `+table+` WHERE run_id = ?`, runID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("withdraw run %s: %w", runID, err)
	}
	return nil
}
