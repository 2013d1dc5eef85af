package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Absent enters that the rows of a run are taken out of tables on purpose, and returns when that is durable: only then may
// they be. Its journal, where it has one, must have been told.
func (l *Ledger) Absent(ctx context.Context, runID string, tables []string, now time.Time) error {
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		for _, table := range tables {
			if _, err := tx.Exec(`INSERT INTO absent (run_id, table_name, at) VALUES (?,?,?) ON CONFLICT DO NOTHING`, runID, table, now.UnixMicro()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("take run %s out of the tables: %w", runID, err)
	}
	return nil
}

// AbsentTables returns the tables that a run's rows were taken out of on purpose.
func (l *Ledger) AbsentTables(ctx context.Context, runID string) (map[string]bool, error) {
	rows, err := l.db.Read().QueryContext(ctx, `SELECT table_name FROM absent WHERE run_id = ?`, runID)
	if err != nil {
		return nil, l.db.Wrap(err)
	}
	defer rows.Close()
	tables := map[string]bool{}
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			return nil, l.db.Wrap(err)
		}
		tables[table] = true
	}
	return tables, l.db.Wrap(rows.Err())
}
