package ledger

import (
	"context"
	"database/sql"
	"fmt"
)

// Rejection is rows of a task, or of a run, that did not fit a table for one of their fields.
type Rejection struct {
	TaskID string `json:"-"`
	Table  string `json:"table"` // moz.anchor_text
	// Field is the field's name in the reply, "" where it is no field alone.
	Field string `json:"field"`
	Rows  int64  `json:"rows"`
	// Reason is why the first of them does not fit.
	Reason string `json:"reason"`
}

// Reject enters which rows of a run did not fit their tables when it was last loaded, in place of what was entered before.
func (l *Ledger) Reject(ctx context.Context, runID string, all []Rejection) error {
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM rejections WHERE run_id = ?`, runID); err != nil {
			return err
		}
		for _, r := range all {
			if _, err := tx.Exec(`INSERT INTO rejections (run_id, task_id, table_name, field, rows, reason) VALUES (?,?,?,?,?,?)`,
				runID, r.TaskID, r.Table, r.Field, r.Rows, r.Reason); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("enter the rejected rows of run %s: %w", runID, err)
	}
	return nil
}

// Rejections returns the rejected rows of the tasks that a run intends, by table and field.
func (l *Ledger) Rejections(ctx context.Context, runID string) ([]Rejection, error) {
	rows, err := l.db.Read().QueryContext(ctx, `SELECT r.table_name, r.field, sum(r.rows), min(r.reason)
		FROM rejections r JOIN tasks t ON t.run_id = r.run_id AND t.task_id = r.task_id
		WHERE r.run_id = ? GROUP BY r.table_name, r.field ORDER BY r.table_name, r.field`, runID)
	if err != nil {
		return nil, l.db.Wrap(err)
	}
	defer rows.Close()
	var all []Rejection
	for rows.Next() {
		var r Rejection
		if err := rows.Scan(&r.Table, &r.Field, &r.Rows, &r.Reason); err != nil {
			return nil, l.db.Wrap(err)
		}
		all = append(all, r)
	}
	return all, l.db.Wrap(rows.Err())
}
