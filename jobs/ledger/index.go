package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"strings"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/failpoint"
	"backhaul/pipeline/store"
)

// Index is what the journal of a run tells, where it can be found without opening journals.
type Index struct {
	// Tasks are those that the run intends, by extract and target. What is Rejected of them follows from Rejections.
	Tasks []Task
	// Unbegun is how many others it intends, by extract: of those that have not begun the ledger keeps no more than that.
	Unbegun map[string]int `json:",omitempty"`
	// Rejections are the rows that did not fit when the run was last published, by task.
	Rejections []pipeline.Rejection
	// Absent tells since when the run's rows are out of tables on purpose.
	Absent map[string]time.Time
}

// taskIdentity are the columns that a task's id stands for, beside run_id and task_id, and taskState those that change.
const (
	taskIdentity = `request, extract, endpoint, surface, target, scope, params`
	taskState    = `target_as_given, batch, priority, max_rows, ending, pages, rows, units, waste, maybe_units, attempts,
	error, ended_at, reused_from, saved_units, index_id, expected_units, expected_next`
)

// To replace a row costs three times as much as to change it, and SQLite keeps every page as it was meanwhile.
var (
	addTask    = fmt.Sprintf(`INSERT INTO tasks (run_id, task_id, %s, %s) VALUES (?, ?, %s, %s)`, taskIdentity, taskState, places(taskIdentity), places(taskState))
	changeTask = fmt.Sprintf(`UPDATE tasks SET (%s) = (%s) WHERE run_id = ? AND task_id = ?`, taskState, places(taskState))
)

// places are as many of values as there are columns.
func places(columns string) string { return "?" + strings.Repeat(", ?", strings.Count(columns, ",")) }

func (t Task) state() []any {
	return []any{t.TargetAsGiven, pipeline.EncodeInputs(t.Inputs), t.Priority, t.MaxRows, t.Ending, t.Pages, t.Rows, t.Units, t.Waste, t.MaybeUnits, t.Attempts,
		t.Error, store.Micros(t.Ended), t.ReusedFrom, t.SavedUnits, t.IndexID, t.Expected.Units, t.Expected.Next}
}

// Begun reports whether there is anything to tell of a task but that it is intended: a page, a request that yielded none, or that it
// needs none. Of a million lists few are under way when a run is stopped.
func (t Task) Begun() bool { return t.Pages > 0 || t.Attempts > 0 || t.Ending.Complete() }

// Kept returns what the ledger keeps of the index.
func (x Index) Kept() Index {
	var begun []Task
	var unbegun map[string]int
	count := func(extract string, tasks int) {
		if unbegun == nil {
			unbegun = map[string]int{}
		}
		unbegun[extract] += tasks
	}
	for extract, tasks := range x.Unbegun {
		count(extract, tasks)
	}
	for _, t := range x.Tasks {
		if t.Begun() {
			begun = append(begun, t)
		} else {
			count(t.Extract, 1)
		}
	}
	x.Tasks, x.Unbegun = begun, unbegun
	return x
}

// Intended returns how many tasks the run intends.
func (x Index) Intended() int {
	n := len(x.Tasks)
	for _, tasks := range x.Unbegun {
		n += tasks
	}
	return n
}

// Sync makes the index of a run what its journal tells, as far as the ledger keeps it, in one step. Nothing else enters anything there
// but [Ledger.Absent], so that the index can be lost.
func (l *Ledger) Sync(ctx context.Context, runID string, x Index) error {
	failpoint.Hit("ledger.sync.before")
	x = x.Kept()
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		if err := syncTasks(ctx, tx, runID, x.Tasks); err != nil {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM unbegun WHERE run_id = ?`, runID); err != nil {
			return err
		}
		for extract, tasks := range x.Unbegun {
			if _, err := tx.Exec(`INSERT INTO unbegun (run_id, extract, tasks) VALUES (?,?,?)`, runID, extract, tasks); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(`DELETE FROM rejections WHERE run_id = ?`, runID); err != nil {
			return err
		}
		for _, r := range x.Rejections {
			if _, err := tx.Exec(`INSERT INTO rejections (run_id, task_id, table_name, field, rows, reason) VALUES (?,?,?,?,?,?)`,
				runID, r.TaskID, r.Table, r.Field, r.Rows, r.Reason); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(`DELETE FROM absent WHERE run_id = ?`, runID); err != nil {
			return err
		}
		for table, since := range x.Absent {
			if _, err := tx.Exec(`INSERT INTO absent (run_id, table_name, at) VALUES (?,?,?)`, runID, table, store.Micros(since)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("enter what the journal of run %s tells: %w", runID, err)
	}
	failpoint.Hit("ledger.sync.after")
	return nil
}

// syncTasks writes what differs: most of a large run stays as it is from one time to the next.
func syncTasks(ctx context.Context, tx *sql.Tx, runID string, tasks []Task) error {
	had, err := tasksOf(ctx, tx, runID)
	if err != nil {
		return err
	}
	gone := make(map[string]*Task, len(had))
	for i := range had {
		gone[had[i].ID] = &had[i]
	}
	add, err := tx.Prepare(addTask)
	if err != nil {
		return err
	}
	defer add.Close()
	change, err := tx.Prepare(changeTask)
	if err != nil {
		return err
	}
	defer change.Close()
	for _, t := range tasks {
		old := gone[t.ID]
		delete(gone, t.ID)
		if old == nil {
			_, err = add.Exec(append([]any{runID, t.ID, t.Request(), t.Extract, t.Endpoint, t.Surface, t.Target, t.Scope, t.Params}, t.state()...)...)
		} else if old.Rejected = t.Rejected; !reflect.DeepEqual(t, *old) {
			_, err = change.Exec(append(t.state(), runID, t.ID)...)
		}
		if err != nil {
			return err
		}
	}
	for id := range gone {
		if _, err := tx.Exec(`DELETE FROM tasks WHERE run_id = ? AND task_id = ?`, runID, id); err != nil {
			return err
		}
	}
	return nil
}

// Index returns what the ledger has of a run that its journal tells as well.
func (l *Ledger) Index(ctx context.Context, runID string) (x Index, err error) {
	if x.Tasks, err = l.Tasks(ctx, runID); err != nil {
		return x, err
	}
	if x.Unbegun, err = l.unbegun(ctx, runID); err != nil {
		return x, err
	}
	err = l.each(ctx, `SELECT task_id, table_name, field, rows, reason FROM rejections WHERE run_id = ? ORDER BY 1, 2, 3`, func(rows *sql.Rows) error {
		var r pipeline.Rejection
		err := rows.Scan(&r.TaskID, &r.Table, &r.Field, &r.Rows, &r.Reason)
		x.Rejections = append(x.Rejections, r)
		return err
	}, runID)
	if err != nil {
		return x, err
	}
	x.Absent = map[string]time.Time{}
	err = l.each(ctx, `SELECT table_name, at FROM absent WHERE run_id = ?`, func(rows *sql.Rows) error {
		var table string
		var since int64
		err := rows.Scan(&table, &since)
		x.Absent[table] = store.At(since)
		return err
	}, runID)
	return x, err
}

// unbegun is how many of the tasks of a run have not begun, by extract; nil for none.
func (l *Ledger) unbegun(ctx context.Context, runID string) (tasks map[string]int, err error) {
	err = l.each(ctx, `SELECT extract, tasks FROM unbegun WHERE run_id = ?`, func(rows *sql.Rows) error {
		var extract string
		var n int
		err := rows.Scan(&extract, &n)
		if tasks == nil {
			tasks = map[string]int{}
		}
		tasks[extract] = n
		return err
	}, runID)
	return tasks, err
}

// each reads what a query answers, row by row.
func (l *Ledger) each(ctx context.Context, query string, row func(*sql.Rows) error, args ...any) error {
	return l.db.Wrap(l.db.Each(ctx, query, row, args...))
}
