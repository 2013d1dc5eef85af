package journal

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/failpoint"
)

// numbers maps task ids to the short numbers pages refer to them by.
type numbers struct {
	mu    sync.RWMutex
	of    map[string]int64
	names map[string]string
}

func (j *Journal) number(ctx context.Context) error {
	rows, err := j.db.Read().QueryContext(ctx, `SELECT no, id, extract, target FROM tasks`)
	if err != nil {
		return j.db.Wrap(err)
	}
	defer rows.Close()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.of, j.names = map[string]int64{}, map[string]string{}
	for rows.Next() {
		var no int64
		var id, extract, target string
		if err := rows.Scan(&no, &id, &extract, &target); err != nil {
			return j.db.Wrap(err)
		}
		j.of[id], j.names[id] = no, extract+"/"+target
	}
	return j.db.Wrap(rows.Err())
}

func (j *Journal) numberOf(taskID string) (int64, error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	no, ok := j.of[taskID]
	if !ok {
		return 0, fmt.Errorf("task %s is not in the journal", taskID)
	}
	return no, nil
}

func (j *Journal) describe(taskID string) string {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if name := j.names[taskID]; name != "" {
		return name
	}
	return "task " + taskID
}

// AddTasks makes tasks known to the journal, and intended. Those already known keep their pages; their bounds and priority
// follow the latest call.
func (j *Journal) AddTasks(ctx context.Context, tasks []pipeline.Task) error {
	err := j.db.Write(ctx, func(tx *sql.Tx) error { return addTasks(tx, tasks) })
	if err != nil {
		return fmt.Errorf("add tasks to the journal: %w", err)
	}
	return j.number(ctx)
}

func addTasks(tx *sql.Tx, tasks []pipeline.Task) error {
	add, err := tx.Prepare(`INSERT INTO tasks
		(id, extract, endpoint, surface, target, target_as_given, scope, params, batch, max_rows, priority)
		VALUES (?,?,?,?,?,?,?,?,?,?,?)
		ON CONFLICT (id) DO UPDATE SET max_rows = excluded.max_rows, priority = excluded.priority, intended = true
		WHERE NOT tasks.intended OR (tasks.max_rows, tasks.priority) <> (excluded.max_rows, excluded.priority)`)
	if err != nil {
		return err
	}
	defer add.Close()
	for _, t := range tasks {
		if _, err := add.Exec(t.ID, t.Extract, t.Endpoint, t.Surface, t.Target, t.TargetAsGiven, t.Scope, t.Params,
			pipeline.EncodeInputs(t.Inputs), t.MaxRows, t.Priority); err != nil {
			return err
		}
	}
	return nil
}

// leftOut is how a task is marked that is intended no more. It stands nowhere then, so that a run that comes to ask for it again
// notices; its pages stay.
const leftOut = `intended = false, stood = 0, ending = '', error = '', ended_at = 0, saved_units = 0, index_id = '', again = 0, expected_units = 0, expected_next = 0`

// Intend is AddTasks for all that a run is to do: the other tasks of the journal are intended no more, but for those of the
// extracts in open, whose tasks are not known yet. It returns when that is durable, in one step.
func (j *Journal) Intend(ctx context.Context, tasks []pipeline.Task, open ...string) error {
	known := make(map[string]bool, len(tasks))
	for _, t := range tasks {
		known[t.ID] = true
	}
	err := j.db.Write(ctx, func(tx *sql.Tx) error {
		gone, err := intendedBut(tx, func(id, extract string) bool { return known[id] || slices.Contains(open, extract) })
		if err != nil {
			return err
		}
		for first, last := range stretches(len(gone), func(i int) bool { return gone[i] == gone[i-1]+1 }) {
			if _, err := tx.Exec(`UPDATE tasks SET `+leftOut+` WHERE no BETWEEN ? AND ?`, gone[first], gone[last]); err != nil {
				return err
			}
		}
		return addTasks(tx, tasks)
	})
	if err != nil {
		return fmt.Errorf("enter what is intended in the journal: %w", err)
	}
	failpoint.Hit("journal.tasks.after")
	return j.number(ctx)
}

// intendedBut returns the numbers of the tasks that are intended, in their order, but for those that stay.
func intendedBut(tx *sql.Tx, stays func(id, extract string) bool) (gone []int64, err error) {
	rows, err := tx.Query(`SELECT no, id, extract FROM tasks WHERE intended ORDER BY no`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var no int64
		var id, extract string
		if err := rows.Scan(&no, &id, &extract); err != nil {
			return nil, err
		}
		if !stays(id, extract) {
			gone = append(gone, no)
		}
	}
	return gone, rows.Err()
}

// stretches yields the first and the last index of each stretch of n things in which every one goes on from the one before it: a statement
// for each of the hundred thousand tasks of a run takes seconds.
func stretches(n int, goesOn func(i int) bool) iter.Seq2[int, int] {
	return func(yield func(first, last int) bool) {
		for first := 0; first < n; {
			last := first
			for last+1 < n && goesOn(last+1) {
				last++
			}
			if !yield(first, last) {
				return
			}
			first = last + 1
		}
	}
}

// Tasks returns every task that can have pages, in the order they were added: placeholders are not among them.
func (j *Journal) Tasks(ctx context.Context) ([]pipeline.Task, error) {
	return j.tasks(ctx, `WHERE t.params <> ?`, pipeline.PlaceholderParams)
}

// LeftOut returns the tasks that can have pages and that the run intends no more, in the order they were added.
func (j *Journal) LeftOut(ctx context.Context) ([]pipeline.Task, error) {
	return j.tasks(ctx, `WHERE NOT t.intended AND t.params <> ?`, pipeline.PlaceholderParams)
}

// tasks returns those a clause of SQL leaves of the table t.
func (j *Journal) tasks(ctx context.Context, clause string, args ...any) ([]pipeline.Task, error) {
	var tasks []pipeline.Task
	err := j.db.Each(ctx, `SELECT `+taskColumns+` FROM tasks t `+clause+` ORDER BY t.no`, func(rows *sql.Rows) error {
		t, err := scanTask(rows)
		tasks = append(tasks, t)
		return err
	}, args...)
	return tasks, err
}

const taskColumns = `t.id, t.extract, t.endpoint, t.surface, t.target, t.target_as_given, t.scope, t.params, t.batch, t.max_rows, t.priority`

// scanTask reads taskColumns, and what else the query asks for, from a row.
func scanTask(rows *sql.Rows, more ...any) (t pipeline.Task, err error) {
	var batch string
	if err = rows.Scan(append([]any{&t.ID, &t.Extract, &t.Endpoint, &t.Surface, &t.Target, &t.TargetAsGiven, &t.Scope, &t.Params,
		&batch, &t.MaxRows, &t.Priority}, more...)...); err == nil {
		t.Inputs, err = pipeline.DecodeInputs(batch)
	}
	return t, err
}

// List returns one task, and how far it has come. It may have been entered since the journal was opened.
func (j *Journal) List(ctx context.Context, taskID string) (t pipeline.Task, p pipeline.Place, err error) {
	if _, err := j.numberOf(taskID); err != nil {
		if err := j.number(ctx); err != nil {
			return t, p, err
		}
	}
	no, err := j.numberOf(taskID)
	if err != nil {
		return t, p, err
	}
	tasks, err := j.tasks(ctx, `WHERE t.no = ?`, no)
	if err != nil {
		return t, p, err
	}
	places, err := j.places(ctx, `WHERE t.no = ?`, no)
	return tasks[0], places[taskID], err
}

// Places returns how far every task has come, by task id. Tasks without a page are present with zero.
func (j *Journal) Places(ctx context.Context) (map[string]pipeline.Place, error) {
	return j.places(ctx, "")
}

// places are those of the tasks that a clause of SQL leaves of the table t.
func (j *Journal) places(ctx context.Context, clause string, args ...any) (map[string]pipeline.Place, error) {
	places := map[string]pipeline.Place{}
	err := j.db.Each(ctx, `SELECT t.id, t.pages, t.reused_from, count(p.seq), coalesce(max(p.chain), 0),
			coalesce(sum(CASE WHEN p.repeated THEN 0 ELSE p.rows - p.overlap END), 0),
			coalesce(sum(CASE WHEN p.repeated THEN p.rows ELSE p.overlap END), 0), coalesce(sum(p.units), 0)
		FROM tasks t LEFT JOIN pages p ON p.task = t.no `+clause+` GROUP BY t.no`,
		func(rows *sql.Rows) error {
			var id string
			var claimed int
			var p pipeline.Place
			if err := rows.Scan(&id, &claimed, &p.ReusedFrom, &p.Pages, &p.Chain, &p.Rows, &p.Waste, &p.Units); err != nil {
				return err
			}
			places[id] = p
			return j.countPages(id, claimed, p.Pages)
		}, args...)
	if err != nil {
		return nil, err
	}
	// The last page says where the list goes on, or that it has ended: a flipped bit there would buy the wrong pages, or none.
	err = j.db.Each(ctx, `SELECT t.id, (SELECT coalesce(sum(q.rows - q.overlap), 0) FROM pages q WHERE q.task = p.task AND q.chain = p.chain AND NOT q.repeated),
			`+recordColumns+`
		FROM tasks t JOIN pages p ON p.task = t.no AND p.seq = t.pages - 1 `+clause,
		func(rows *sql.Rows) error {
			var id string
			var chainRows int64
			last := &record{}
			if err := rows.Scan(append([]any{&id, &chainRows}, last.places()...)...); err != nil {
				return err
			}
			if !bytes.Equal(last.sum(), last.checksum) {
				return fmt.Errorf("%s: %w: reply %d of %s: its checksum does not fit", j.db.Name(), ErrDamaged, last.seq, j.describe(id))
			}
			p := places[id]
			p.Next, p.End, p.ChainRows = pipeline.Cursor(last.next), last.ended, chainRows
			p.Fetched, p.LastRows = time.UnixMicro(last.fetchedAt).UTC(), int(last.rows)
			places[id] = p
			return nil
		}, args...)
	if err != nil {
		return nil, err
	}
	return places, j.countAttempts(ctx, places, clause, args...)
}

// countAttempts fills in what the attempts say of the tasks. What a damaged journal has lost is noted like a reply that could
// not be read, but had no status.
func (j *Journal) countAttempts(ctx context.Context, places map[string]pipeline.Place, clause string, args ...any) error {
	return j.db.Each(ctx, `SELECT t.id, count(*) FILTER (WHERE a.kind <> 'repeating'), sum(a.maybe_units), coalesce(max(a.seq) FILTER (WHERE a.kind = 'repeating'), 0),
			count(*) FILTER (WHERE a.kind = 'malformed' AND a.status <> 0 AND a.seq = t.pages),
			count(*) FILTER (WHERE a.kind = 'malformed' AND a.status <> 0 AND a.seq < t.pages AND NOT a.read)
		FROM attempts a JOIN tasks t ON t.no = a.task `+clause+` GROUP BY t.no`,
		func(rows *sql.Rows) error {
			var id string
			var attempts, repeatsAt, unreadable, recovered int
			var maybe int64
			if err := rows.Scan(&id, &attempts, &maybe, &repeatsAt, &unreadable, &recovered); err != nil {
				return err
			}
			p := places[id]
			p.Attempts, p.MaybeUnits, p.RepeatsAt, p.Unreadable, p.Recovered = attempts, pipeline.Units(maybe), repeatsAt, unreadable, recovered
			places[id] = p
			return nil
		}, args...)
}

// Repeated reports whether rows of the task's list came again within a chain: of a list that was found to repeat itself, or
// one that was read again at a cursor by an execution that did not know where the one before it had been.
func (j *Journal) Repeated(ctx context.Context, taskID string) (bool, error) {
	no, err := j.numberOf(taskID)
	if err != nil {
		return false, err
	}
	var repeated bool
	err = j.db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM attempts WHERE task = ?1 AND kind = 'repeating')
		OR EXISTS (SELECT 1 FROM pages WHERE task = ?1 AND repeated)
		OR EXISTS (SELECT 1 FROM pages WHERE task = ?1 AND rows > 0 GROUP BY chain, cursor HAVING count(*) > 1)`, no).Scan(&repeated)
	return repeated, j.db.Wrap(err)
}

func (j *Journal) countPages(taskID string, claimed, found int) error {
	if claimed == found {
		return nil
	}
	return fmt.Errorf("%s: %w: %s has %d pages where %d were written", j.db.Name(), ErrDamaged, j.describe(taskID), found, claimed)
}
