package ledger

import (
	"context"

	"backhaul/pipeline"
)

// Totals is what the tasks of a run add up to.
type Totals struct {
	Tasks, Complete int
	Rows            int64
	Units           pipeline.Units
	Rejected        int64
}

// Totals returns those of every run that has tasks, by its id, in one look at the ledger.
func (l *Ledger) Totals(ctx context.Context) (map[string]Totals, error) {
	rows, err := l.db.Read().QueryContext(ctx, `SELECT run_id, count(*), sum(ending IN (?, ?, ?)), sum(rows), sum(units),
		(SELECT coalesce(sum(r.rows), 0) FROM rejections r WHERE r.run_id = tasks.run_id)
		FROM tasks GROUP BY run_id`, pipeline.EndOfList, pipeline.EndMaxRows, pipeline.EndUnchanged)
	if err != nil {
		return nil, l.db.Wrap(err)
	}
	defer rows.Close()
	all := map[string]Totals{}
	for rows.Next() {
		var id string
		var t Totals
		if err := rows.Scan(&id, &t.Tasks, &t.Complete, &t.Rows, &t.Units, &t.Rejected); err != nil {
			return nil, l.db.Wrap(err)
		}
		all[id] = t
	}
	return all, l.db.Wrap(rows.Err())
}
