package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"backhaul/pipeline/store"
)

// Retirement is the end of a run's journal: the pages are gone on purpose, and the lake's files are all there is.
type Retirement struct {
	At time.Time
	// Tables is what the run's files in the lake held then.
	Tables []RetiredTable
}

// RetiredTable is one table of a run whose journal was retired.
type RetiredTable struct {
	Table    string // moz.anchor_text
	Rows     int64
	Checksum uint64 // see sinks.Staged
}

// Retire enters that the journal of a run is no longer needed, and returns when that is durable: only then may it be
// removed.
func (l *Ledger) Retire(ctx context.Context, runID string, r Retirement) error {
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO retired (run_id, at) VALUES (?,?) ON CONFLICT (run_id) DO UPDATE SET at = excluded.at`, runID, r.At.UnixMicro()); err != nil {
			return err
		}
		for _, t := range r.Tables {
			if _, err := tx.Exec(`INSERT INTO retired_tables (run_id, table_name, rows, checksum) VALUES (?,?,?,?)
				ON CONFLICT (run_id, table_name) DO UPDATE SET rows = excluded.rows, checksum = excluded.checksum`, runID, t.Table, t.Rows, int64(t.Checksum)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("retire the journal of run %s: %w", runID, err)
	}
	return nil
}

// Retired returns how the journal of a run was retired, or nil if it was not.
func (l *Ledger) Retired(ctx context.Context, runID string) (*Retirement, error) {
	var micros int64
	err := l.db.Read().QueryRowContext(ctx, `SELECT at FROM retired WHERE run_id = ?`, runID).Scan(&micros)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, l.db.Wrap(err)
	}
	r := &Retirement{At: store.At(micros)}
	err = l.each(ctx, `SELECT table_name, rows, checksum FROM retired_tables WHERE run_id = ? ORDER BY table_name`, func(rows *sql.Rows) error {
		var t RetiredTable
		var sum int64
		err := rows.Scan(&t.Table, &t.Rows, &sum)
		t.Checksum = uint64(sum)
		r.Tables = append(r.Tables, t)
		return err
	}, runID)
	return r, err
}
