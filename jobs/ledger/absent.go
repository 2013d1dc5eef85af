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
	tables := map[string]bool{}
	err := l.each(ctx, `SELECT table_name FROM absent WHERE run_id = ?`, func(rows *sql.Rows) error {
		var table string
		err := rows.Scan(&table)
		tables[table] = true
		return err
	}, runID)
	return tables, err
}
