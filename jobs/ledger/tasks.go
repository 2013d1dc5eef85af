package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/store"
)

// Tasks returns the tasks of a run that have begun, by extract and target.
func (l *Ledger) Tasks(ctx context.Context, runID string) ([]Task, error) {
	tasks, err := tasksOf(ctx, l.db.Read(), runID)
	return tasks, l.db.Wrap(err)
}

func tasksOf(ctx context.Context, from queryer, runID string) ([]Task, error) {
	rows, err := from.QueryContext(ctx, `SELECT task_id, `+taskIdentity+`, `+taskState+`,
		(SELECT coalesce(sum(r.rows), 0) FROM rejections r WHERE r.run_id = tasks.run_id AND r.task_id = tasks.task_id)
		FROM tasks WHERE run_id = ? ORDER BY extract, target, scope, task_id`, runID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var tasks []Task
	for rows.Next() {
		var t Task
		var ended int64
		var request, batch string
		if err := rows.Scan(&t.ID, &request, &t.Extract, &t.Endpoint, &t.Surface, &t.Target, &t.Scope, &t.Params, &t.TargetAsGiven, &batch,
			&t.Priority, &t.MaxRows, &t.Ending, &t.Pages, &t.Rows, &t.Units, &t.Waste, &t.MaybeUnits, &t.Attempts,
			&t.Error, &ended, &t.ReusedFrom, &t.SavedUnits, &t.IndexID, &t.Expected.Units, &t.Expected.Next, &t.Rejected); err != nil {
			return nil, err
		}
		if t.Inputs, err = pipeline.DecodeInputs(batch); err != nil {
			return nil, fmt.Errorf("task %s: %w", t.ID, err)
		}
		t.Ended = store.At(ended)
		tasks = append(tasks, t)
	}
	return tasks, rows.Err()
}

// Histories returns, by request (see pipeline.Task.Request), the latest complete answer to it.
func (l *Ledger) Histories(ctx context.Context) (map[string]pipeline.History, error) {
	histories := map[string]pipeline.History{}
	// From one request to the next, and there to its latest answer: what it takes grows with the requests and not with the nights.
	err := l.each(ctx, `WITH RECURSIVE requests(request) AS (SELECT min(request) FROM tasks UNION ALL
			SELECT (SELECT min(request) FROM tasks WHERE request > requests.request) FROM requests WHERE request IS NOT NULL)
		SELECT requests.request, rows, pages, units, ending, ended_at FROM requests JOIN tasks ON tasks.rowid =
			(SELECT rowid FROM tasks WHERE request = requests.request AND ending IN (?, ?) ORDER BY ended_at DESC LIMIT 1)`, func(rows *sql.Rows) error {
		var request string
		var h pipeline.History
		var ending pipeline.Ending
		var ended int64
		err := rows.Scan(&request, &h.Rows, &h.Pages, &h.Units, &ending, &ended)
		h.More, h.Ended = ending == pipeline.EndMaxRows, store.At(ended)
		histories[request] = h
		return err
	}, pipeline.EndOfList, pipeline.EndMaxRows)
	return histories, err
}

// Answer is an earlier task that holds all a request asked for.
type Answer struct {
	RunID, Job, RunDate, TaskID string
	Rows                        int64
	Units                       pipeline.Units
	IndexID                     string
	Ended                       time.Time
}

// LastAnswer returns the latest answer to a request by any run but runID that holds maxRows rows (0: the whole list), or
// reports false. Answers that were taken over themselves count from when they were bought, through the run that did.
func (l *Ledger) LastAnswer(ctx context.Context, runID string, t pipeline.Task) (a Answer, ok bool, err error) {
	err = l.each(ctx, `SELECT t.run_id, r.job, r.run_date, t.task_id, t.rows, t.units, t.index_id, t.ended_at
		FROM tasks t JOIN runs r ON r.run_id = t.run_id
		WHERE t.request = ? AND t.run_id <> ? AND t.reused_from = '' AND (t.ending = ? OR t.ending = ? AND t.rows >= ?5 AND ?5 > 0)
		ORDER BY t.ended_at DESC LIMIT 1`, func(rows *sql.Rows) error {
		var ended int64
		err := rows.Scan(&a.RunID, &a.Job, &a.RunDate, &a.TaskID, &a.Rows, &a.Units, &a.IndexID, &ended)
		a.Ended, ok = store.At(ended), err == nil
		return err
	}, t.Request(), runID, pipeline.EndOfList, pipeline.EndMaxRows, t.MaxRows)
	return a, ok, err
}

// LastTime returns what an extract bought in the latest other run of its job that had tasks of it and completed them all,
// and for how many targets or sources, which of a batch are its inputs. known is false where there is none.
func (l *Ledger) LastTime(ctx context.Context, runID, job, extract string) (c pipeline.Cost, targets int, known bool, err error) {
	var last string
	row := l.db.Read().QueryRowContext(ctx, `SELECT r.run_id, count(*) FILTER (WHERE t.batch = ''), sum(t.pages), sum(t.rows), sum(t.units + t.saved_units)
		FROM tasks t JOIN runs r ON r.run_id = t.run_id
		WHERE r.job = ?1 AND t.extract = ?2 AND r.run_id <> ?3 AND r.run_id NOT IN (SELECT run_id FROM unbegun WHERE extract = ?2)
		GROUP BY r.run_id HAVING count(*) FILTER (WHERE t.ending NOT IN (?4, ?5)) = 0 ORDER BY r.run_date DESC LIMIT 1`,
		job, extract, runID, pipeline.EndOfList, pipeline.EndMaxRows)
	err = row.Scan(&last, &targets, &c.Pages, &c.Rows, &c.Units)
	if errors.Is(err, sql.ErrNoRows) {
		return c, 0, false, nil
	}
	if err != nil {
		return c, 0, false, l.db.Wrap(err)
	}
	err = l.each(ctx, `SELECT batch FROM tasks WHERE run_id = ? AND extract = ? AND batch <> ''`, func(rows *sql.Rows) error {
		var batch string
		if err := rows.Scan(&batch); err != nil {
			return err
		}
		inputs, err := pipeline.DecodeInputs(batch)
		targets += len(inputs)
		return err
	}, last, extract)
	return c, targets, err == nil, err
}
