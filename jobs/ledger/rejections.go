package ledger

import (
	"context"

	"backhaul/pipeline"
)

// Rejections returns the rejected rows of the tasks that a run intends, by table and field.
func (l *Ledger) Rejections(ctx context.Context, runID string) ([]pipeline.Rejection, error) {
	rows, err := l.db.Read().QueryContext(ctx, `SELECT r.table_name, r.field, sum(r.rows), min(r.reason)
		FROM rejections r JOIN tasks t ON t.run_id = r.run_id AND t.task_id = r.task_id
		WHERE r.run_id = ? GROUP BY r.table_name, r.field ORDER BY r.table_name, r.field`, runID)
	if err != nil {
		return nil, l.db.Wrap(err)
	}
	defer rows.Close()
	var all []pipeline.Rejection
	for rows.Next() {
		var r pipeline.Rejection
		if err := rows.Scan(&r.Table, &r.Field, &r.Rows, &r.Reason); err != nil {
			return nil, l.db.Wrap(err)
		}
		all = append(all, r)
	}
	return all, l.db.Wrap(rows.Err())
}
