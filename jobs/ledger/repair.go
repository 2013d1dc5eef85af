package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"backhaul/pipeline/sqlite"
)

// Latest returns the latest time the ledger knows, the zero time if it knows none: a clock behind it has jumped back.
func (l *Ledger) Latest(ctx context.Context) (time.Time, error) {
	var latest int64
	err := l.db.Read().QueryRowContext(ctx, `SELECT coalesce(max(max(created_at, started_at, ended_at)), 0) FROM runs`).Scan(&latest)
	if err != nil {
		return time.Time{}, l.db.Wrap(err)
	}
	return sqlite.At(latest), nil
}

// Rewind brings times later than now back to now, and what was granted in later months to now's month: what a clock that
// was ahead has left behind.
func (l *Ledger) Rewind(ctx context.Context, now time.Time) error {
	micros, month := now.UnixMicro(), now.UTC().Format("2006-01")
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		for _, q := range []string{
			`UPDATE runs SET created_at = min(created_at, ?1), started_at = min(started_at, ?1), ended_at = min(ended_at, ?1)`,
			`UPDATE tasks SET ended_at = min(ended_at, ?1)`,
			`UPDATE grants SET spent_at = min(spent_at, ?1), held_at = min(held_at, ?1)`,
			`INSERT INTO grants (run_id, vendor, month, granted, spent, settled, charged, cleared, spent_at, held_at)
				SELECT run_id, vendor, ?2, sum(granted), sum(spent), min(settled), sum(charged), sum(cleared), max(spent_at), max(held_at)
				FROM grants WHERE month > ?2 GROUP BY run_id, vendor
				ON CONFLICT DO UPDATE SET granted = granted + excluded.granted, spent = spent + excluded.spent, settled = min(settled, excluded.settled),
					charged = charged + excluded.charged, cleared = cleared + excluded.cleared,
					spent_at = max(spent_at, excluded.spent_at), held_at = max(held_at, excluded.held_at)`,
			`DELETE FROM grants WHERE month > ?2`,
		} {
			if _, err := tx.Exec(q, micros, month); err != nil {
				return err
			}
		}
		return nil
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
		for _, table := range []string{"settlements", "usages", "rejections", "budgets", "tasks", "grants", "runs"} {
			if _, err := tx.Exec(`DELETE FROM `+table+` WHERE run_id IN (SELECT run_id FROM runs WHERE job = ? AND run_date = ? AND run_id <> ?)`,
				r.Job, r.RunDate, r.ID); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`INSERT INTO runs (`+runColumns+`) VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (run_id) DO UPDATE SET
			state = excluded.state, message = excluded.message, ended_at = excluded.ended_at`, r.ID, r.Job, r.RunDate, r.SpecHash, r.State,
			r.Message, sqlite.Micros(r.Created), sqlite.Micros(r.Started), sqlite.Micros(r.Ended))
		return err
	})
	if err != nil {
		return fmt.Errorf("restore run %s: %w", r.ID, err)
	}
	return nil
}

// Withdraw removes a run that came to nothing, with all the ledger has of it.
func (l *Ledger) Withdraw(ctx context.Context, runID string) error {
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"settlements", "usages", "rejections", "budgets", "tasks", "grants", "runs"} {
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
