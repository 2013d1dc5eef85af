package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/failpoint"
)

// PlaceholderParams are those of a task that stands for the tasks of an extract that are not known, because it never came to
// make them. They are no JSON object, so that no task of a spec has them.
const PlaceholderParams = "waiting"

// IsPlaceholder tells such a task. It has no pages, and is the ledger's alone.
func IsPlaceholder(t pipeline.Task) bool { return t.Params == PlaceholderParams }

// Intend enters what a run is to do. Tasks already known keep how they went; tasks of the run that are no longer
// intended, because the spec changed, are removed, but for those of the extracts in open, whose tasks are not known yet.
func (l *Ledger) Intend(ctx context.Context, runID string, tasks []pipeline.Task, open ...string) error {
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`CREATE TEMP TABLE IF NOT EXISTS intended (task_id TEXT PRIMARY KEY); DELETE FROM intended;
			CREATE TEMP TABLE IF NOT EXISTS open_extracts (extract TEXT PRIMARY KEY); DELETE FROM open_extracts`); err != nil {
			return err
		}
		for _, extract := range open {
			if _, err := tx.Exec(`INSERT OR IGNORE INTO open_extracts VALUES (?)`, extract); err != nil {
				return err
			}
		}
		add, err := tx.Prepare(`INSERT INTO tasks
			(run_id, task_id, request, extract, endpoint, surface, target, target_as_given, scope, params, batch, priority, max_rows)
			VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)
			ON CONFLICT (run_id, task_id) DO UPDATE SET priority = excluded.priority, max_rows = excluded.max_rows`)
		if err != nil {
			return err
		}
		defer add.Close()
		mark, err := tx.Prepare(`INSERT OR IGNORE INTO intended VALUES (?)`)
		if err != nil {
			return err
		}
		defer mark.Close()
		for _, t := range tasks {
			if _, err := add.Exec(runID, t.ID, t.Request(), t.Extract, t.Endpoint, t.Surface, t.Target, t.TargetAsGiven, t.Scope,
				t.Params, pipeline.EncodeInputs(t.Inputs), t.Priority, t.MaxRows); err != nil {
				return err
			}
			if _, err := mark.Exec(t.ID); err != nil {
				return err
			}
		}
		_, err = tx.Exec(`DELETE FROM tasks WHERE run_id = ? AND task_id NOT IN (SELECT task_id FROM intended)
			AND extract NOT IN (SELECT extract FROM open_extracts)`, runID)
		return err
	})
	if err != nil {
		return fmt.Errorf("enter the tasks of run %s: %w", runID, err)
	}
	failpoint.Hit("ledger.intend.after")
	return nil
}

// Record enters how tasks went.
func (l *Ledger) Record(ctx context.Context, runID string, tasks ...Task) error {
	failpoint.Hit("ledger.record.before")
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		set, err := tx.Prepare(`UPDATE tasks SET ending = ?, pages = ?, rows = ?, units = ?, waste = ?, maybe_units = ?, attempts = ?,
			error = ?, ended_at = ?, reused_from = ?, saved_units = ?, index_id = ? WHERE run_id = ? AND task_id = ?`)
		if err != nil {
			return err
		}
		defer set.Close()
		for _, t := range tasks {
			if _, err := set.Exec(t.Ending, t.Pages, t.Rows, t.Units, t.Waste, t.MaybeUnits, t.Attempts, t.Error, micros(t.Ended),
				t.ReusedFrom, t.SavedUnits, t.IndexID, runID, t.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("record tasks of run %s: %w", runID, err)
	}
	failpoint.Hit("ledger.record.after")
	return nil
}

// Expect enters what tasks are expected to cost, by their ids, so that whoever looks at the run
// says of what is missing what its plan said.
func (l *Ledger) Expect(ctx context.Context, runID string, expected map[string]Expectation) error {
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		set, err := tx.Prepare(`UPDATE tasks SET expected_units = ?1, expected_next = ?2 WHERE run_id = ?3 AND task_id = ?4
			AND (expected_units, expected_next) <> (?1, ?2)`)
		if err != nil {
			return err
		}
		defer set.Close()
		for id, e := range expected {
			if _, err := set.Exec(e.Units, e.Next, runID, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("enter what the tasks of run %s are expected to cost: %w", runID, err)
	}
	return nil
}

// Tasks returns the tasks of a run, by extract and target.
func (l *Ledger) Tasks(ctx context.Context, runID string) ([]Task, error) {
	rows, err := l.db.Read().QueryContext(ctx, `SELECT task_id, extract, endpoint, surface, target, target_as_given, scope, params, batch, priority,
		max_rows, ending, pages, rows, units, waste, maybe_units, attempts, error, ended_at, reused_from, saved_units, index_id,
		expected_units, expected_next,
		(SELECT coalesce(sum(r.rows), 0) FROM rejections r WHERE r.run_id = tasks.run_id AND r.task_id = tasks.task_id) FROM tasks WHERE run_id = ? ORDER BY extract, target, scope, task_id`, runID)
	if err != nil {
		return nil, l.db.Wrap(err)
	}
	defer rows.Close()
	var tasks []Task
	for rows.Next() {
		var t Task
		var ended int64
		var batch string
		if err := rows.Scan(&t.ID, &t.Extract, &t.Endpoint, &t.Surface, &t.Target, &t.TargetAsGiven, &t.Scope, &t.Params, &batch, &t.Priority,
			&t.MaxRows, &t.Ending, &t.Pages, &t.Rows, &t.Units, &t.Waste, &t.MaybeUnits, &t.Attempts, &t.Error, &ended, &t.ReusedFrom, &t.SavedUnits, &t.IndexID,
			&t.Expected.Units, &t.Expected.Next, &t.Rejected); err != nil {
			return nil, l.db.Wrap(err)
		}
		if t.Inputs, err = pipeline.DecodeInputs(batch); err != nil {
			return nil, fmt.Errorf("task %s: %w", t.ID, err)
		}
		t.Ended = at(ended)
		tasks = append(tasks, t)
	}
	return tasks, l.db.Wrap(rows.Err())
}

// Histories returns, by request (see pipeline.Task.Request), the latest complete answer to it.
func (l *Ledger) Histories(ctx context.Context) (map[string]pipeline.History, error) {
	rows, err := l.db.Read().QueryContext(ctx, `SELECT request, rows, pages, units, ending, max(ended_at) FROM tasks
		WHERE ending IN (?, ?) GROUP BY request`, pipeline.EndOfList, pipeline.EndMaxRows)
	if err != nil {
		return nil, l.db.Wrap(err)
	}
	defer rows.Close()
	histories := map[string]pipeline.History{}
	for rows.Next() {
		var request string
		var h pipeline.History
		var ending pipeline.Ending
		var ended int64
		if err := rows.Scan(&request, &h.Rows, &h.Pages, &h.Units, &ending, &ended); err != nil {
			return nil, l.db.Wrap(err)
		}
		h.More, h.Ended = ending == pipeline.EndMaxRows, at(ended)
		histories[request] = h
	}
	return histories, l.db.Wrap(rows.Err())
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
	rows, err := l.db.Read().QueryContext(ctx, `SELECT t.run_id, r.job, r.run_date, t.task_id, t.rows, t.units, t.index_id, t.ended_at
		FROM tasks t JOIN runs r ON r.run_id = t.run_id
		WHERE t.request = ? AND t.run_id <> ? AND t.reused_from = '' AND (t.ending = ? OR t.ending = ? AND ? > 0 AND t.rows >= ?)
		ORDER BY t.ended_at DESC LIMIT 1`, t.Request(), runID, pipeline.EndOfList, pipeline.EndMaxRows, t.MaxRows, t.MaxRows)
	if err != nil {
		return a, false, l.db.Wrap(err)
	}
	defer rows.Close()
	for rows.Next() {
		var ended int64
		if err := rows.Scan(&a.RunID, &a.Job, &a.RunDate, &a.TaskID, &a.Rows, &a.Units, &a.IndexID, &ended); err != nil {
			return a, false, l.db.Wrap(err)
		}
		a.Ended, ok = at(ended), true
	}
	return a, ok, l.db.Wrap(rows.Err())
}

// LastTime returns what an extract bought in the latest other run of its job that had tasks of it and completed them all,
// and for how many targets or sources, which of a batch are its inputs. known is false where there is none.
func (l *Ledger) LastTime(ctx context.Context, runID, job, extract string) (c pipeline.Cost, targets int, known bool, err error) {
	row := l.db.Read().QueryRowContext(ctx, `SELECT sum(iif(t.batch = '', 1, json_array_length(iif(t.batch = '', '[]', t.batch)))), sum(t.pages), sum(t.rows), sum(t.units + t.saved_units)
		FROM tasks t JOIN runs r ON r.run_id = t.run_id
		WHERE r.job = ? AND t.extract = ? AND r.run_id <> ?
		GROUP BY r.run_id HAVING min(t.ending IN (?, ?)) = 1 ORDER BY r.run_date DESC LIMIT 1`,
		job, extract, runID, pipeline.EndOfList, pipeline.EndMaxRows)
	err = row.Scan(&targets, &c.Pages, &c.Rows, &c.Units)
	if errors.Is(err, sql.ErrNoRows) {
		return c, 0, false, nil
	}
	return c, targets, err == nil, l.db.Wrap(err)
}
