package ledger

import (
	"context"
	"database/sql"

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
	all := map[string]Totals{}
	err := l.each(ctx, `SELECT run_id, count(*), count(*) FILTER (WHERE ending IN (?, ?, ?)), sum(rows), sum(units),
		(SELECT coalesce(sum(r.rows), 0) FROM rejections r WHERE r.run_id = tasks.run_id)
		FROM tasks GROUP BY run_id`, func(rows *sql.Rows) error {
		var id string
		var t Totals
		err := rows.Scan(&id, &t.Tasks, &t.Complete, &t.Rows, &t.Units, &t.Rejected)
		all[id] = t
		return err
	}, pipeline.EndOfList, pipeline.EndMaxRows, pipeline.EndUnchanged)
	if err != nil {
		return nil, err
	}
	err = l.each(ctx, `SELECT run_id, sum(tasks) FROM unbegun GROUP BY run_id`, func(rows *sql.Rows) error {
		var id string
		var tasks int
		err := rows.Scan(&id, &tasks)
		t := all[id]
		t.Tasks += tasks
		all[id] = t
		return err
	})
	return all, err
}
