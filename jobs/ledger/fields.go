package ledger

import (
	"context"
	"database/sql"
	"fmt"
)

// Met enters that answers to a question had the fields on a run date, and returns those that earlier answers had and these have
// not. asked identifies the question, whatever its target.
func (l *Ledger) Met(ctx context.Context, asked, table, runDate string, fields map[string]bool) (vanished []string, err error) {
	err = l.db.Write(ctx, func(tx *sql.Tx) error {
		var err error
		if vanished, err = missed(ctx, tx, asked, table, runDate, fields); err != nil {
			return err
		}
		for field := range fields {
			if _, err := tx.Exec(`INSERT INTO fields (asked, table_name, field, first_seen) VALUES (?,?,?,?)
				ON CONFLICT (asked, table_name, field) DO UPDATE SET first_seen = excluded.first_seen WHERE excluded.first_seen < fields.first_seen`, asked, table, field, runDate); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("enter the fields of %s: %w", table, err)
	}
	return vanished, nil
}

// missed returns the fields that answers of earlier dates had, and that are not among these.
func missed(ctx context.Context, tx *sql.Tx, asked, table, runDate string, fields map[string]bool) (names []string, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT field FROM fields WHERE asked = ? AND table_name = ? AND first_seen < ? ORDER BY field`, asked, table, runDate)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var field string
		if err := rows.Scan(&field); err != nil {
			return nil, err
		}
		if !fields[field] {
			names = append(names, field)
		}
	}
	return names, rows.Err()
}
