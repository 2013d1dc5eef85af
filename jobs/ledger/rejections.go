package ledger

import (
	"context"
	"database/sql"

	"backhaul/pipeline"
)

// Rejections returns the rejected rows of the tasks that a run intends, by table and field.
func (l *Ledger) Rejections(ctx context.Context, runID string) ([]pipeline.Rejection, error) {
	var all []pipeline.Rejection
	err := l.each(ctx, `SELECT r.table_name, r.field, sum(r.rows), min(r.reason)
		FROM rejections r JOIN tasks t ON t.run_id = r.run_id AND t.task_id = r.task_id
		WHERE r.run_id = ? GROUP BY r.table_name, r.field ORDER BY r.table_name, r.field`, func(rows *sql.Rows) error {
		var r pipeline.Rejection
		err := rows.Scan(&r.Table, &r.Field, &r.Rows, &r.Reason)
		all = append(all, r)
		return err
	}, runID)
	return all, err
}
