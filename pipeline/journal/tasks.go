package journal

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/failpoint"
)

// ErrUnknown is the error, somewhere in its chain, of a task that the journal does not have.
var ErrUnknown = errors.New("is not in the journal")

// numbers maps task ids to the short numbers pages refer to them by, as far as anybody needed them.
type numbers struct {
	mu sync.RWMutex
	of map[string]int64
}

// numberOf returns a task's number. Those of all tasks are read where it is not known: another process may have entered it.
func (j *Journal) numberOf(ctx context.Context, taskID string) (int64, error) {
	if no, ok := j.known(taskID); ok {
		return no, nil
	}
	if err := j.number(ctx); err != nil {
		return 0, err
	}
	if no, ok := j.known(taskID); ok {
		return no, nil
	}
	return 0, fmt.Errorf("task %s %w", taskID, ErrUnknown)
}

func (j *Journal) known(taskID string) (no int64, ok bool) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	no, ok = j.of[taskID]
	return no, ok
}

func (j *Journal) number(ctx context.Context) error {
	of := map[string]int64{}
	// With a column that is in no index the tables themselves are read, where damage to an id shows.
	err := j.db.Each(ctx, `SELECT no, id, extract FROM tasks`, func(rows *sql.Rows) error {
		var no int64
		var id, extract string
		err := rows.Scan(&no, &id, &extract)
		of[id] = no
		return err
	})
	if err == nil {
		j.learn(of)
	}
	return err
}

// learn takes over the numbers of tasks that are durable.
func (j *Journal) learn(of map[string]int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.of) == 0 {
		j.of = of // there may be a million
		return
	}
	maps.Copy(j.of, of)
}

// describe names a task in an error.
func (j *Journal) describe(taskID string) string {
	var extract, target string
	if err := j.db.Read().QueryRow(`SELECT extract, target FROM tasks WHERE id = ?`, taskID).Scan(&extract, &target); err != nil {
		return "task " + taskID
	}
	return extract + "/" + target
}

// AddTasks makes tasks known to the journal, and intended. Those already known keep their pages; their bounds and priority
// follow the latest call.
func (j *Journal) AddTasks(ctx context.Context, tasks []pipeline.Task) error {
	var of map[string]int64
	err := j.db.Write(ctx, func(tx *sql.Tx) (err error) {
		of, err = enterTasks(tx, tasks, func(string) bool { return true })
		return err
	})
	if err != nil {
		return fmt.Errorf("add tasks to the journal: %w", err)
	}
	j.learn(of)
	return nil
}

// leftOut is how a task is marked that is intended no more. It stands nowhere then, so that a run that comes to ask for it again
// notices; its pages stay.
const leftOut = `intended = false, stood = 0, ending = '', error = '', ended_at = 0, saved_units = 0, index_id = '', again = 0, expected_units = 0, expected_next = 0`

// Intend is AddTasks for all that a run is to do: the other tasks of the journal are intended no more, but for those of the
// extracts in open, whose tasks are not known yet. It returns when that is durable, in one step.
func (j *Journal) Intend(ctx context.Context, tasks []pipeline.Task, open ...string) error {
	var of map[string]int64
	err := j.db.Write(ctx, func(tx *sql.Tx) (err error) {
		of, err = enterTasks(tx, tasks, func(extract string) bool { return slices.Contains(open, extract) })
		return err
	})
	if err != nil {
		return fmt.Errorf("enter what is intended in the journal: %w", err)
	}
	failpoint.Hit("journal.tasks.after")
	j.learn(of)
	return nil
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

// List returns one task, and how far it has come. One that the journal does not have is ErrUnknown.
func (j *Journal) List(ctx context.Context, taskID string) (t pipeline.Task, p pipeline.Place, err error) {
	no, err := j.numberOf(ctx, taskID)
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

// Places returns how far the tasks have come that have a page or a request without one, by task id. The others have not begun, and
// there may be a million: their place is the zero one.
func (j *Journal) Places(ctx context.Context) (map[string]pipeline.Place, error) {
	places, err := j.pagesOf(ctx, `WHERE t.pages > 0 OR t.no IN (SELECT task FROM pages)`)
	if err != nil {
		return nil, err
	}
	return places, j.countAttempts(ctx, places, "")
}

// places are those of the tasks that a clause of SQL leaves of the table t.
func (j *Journal) places(ctx context.Context, clause string, args ...any) (map[string]pipeline.Place, error) {
	places, err := j.pagesOf(ctx, clause, args...)
	if err != nil {
		return nil, err
	}
	return places, j.countAttempts(ctx, places, clause, args...)
}

// pagesOf are these places as far as pages tell of them.
func (j *Journal) pagesOf(ctx context.Context, clause string, args ...any) (map[string]pipeline.Place, error) {
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
	return places, err
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
	no, err := j.numberOf(ctx, taskID)
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
