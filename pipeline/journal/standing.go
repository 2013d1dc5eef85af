package journal

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/store"
)

// Standing is what a journal keeps of a task that its pages do not tell: how it ended the last time its run saw to it. The zero
// value: it has not ended yet.
type Standing struct {
	Ending pipeline.Ending
	// Error says why it holds less than it asks for, "" if it does not.
	Error string
	Ended time.Time
	// SavedUnits is what the answer had cost that stands in for it, or whose pages it took over.
	SavedUnits pipeline.Units
	// IndexID is the vendor's index the answer comes from, where it was asked for.
	IndexID string
}

// Stand records how tasks stand with the pages they have by now, by their ids, and returns when that is durable, in one step.
func (j *Journal) Stand(ctx context.Context, all map[string]Standing) error {
	return j.update(ctx, "record how tasks stand",
		`UPDATE tasks SET stood = pages, ending = ?, error = ?, ended_at = ?, saved_units = ?, index_id = ?, again = 0 WHERE no BETWEEN ? AND ?`, func(exec func(args ...any) error) error {
			return alike(j, all, func(s Standing, first, last int64) error {
				return exec(s.Ending, s.Error, store.Micros(s.Ended), s.SavedUnits, s.IndexID, first, last)
			})
		})
}

// alike hands over what is to be written of tasks with the numbers of the first and the last of those that follow one another and
// have it alike: of the hundred thousand lists of a run most stand as their neighbours do, and a statement for each takes seconds.
func alike[V comparable](j *Journal, all map[string]V, write func(value V, first, last int64) error) error {
	type numbered struct {
		no    int64
		value V
	}
	tasks := make([]numbered, 0, len(all))
	for id, value := range all {
		no, err := j.numberOf(id)
		if err != nil {
			return err
		}
		tasks = append(tasks, numbered{no, value})
	}
	slices.SortFunc(tasks, func(a, b numbered) int { return cmp.Compare(a.no, b.no) })
	goesOn := func(i int) bool { return tasks[i].no == tasks[i-1].no+1 && tasks[i].value == tasks[i-1].value }
	for first, last := range stretches(len(tasks), goesOn) {
		if err := write(tasks[first].value, tasks[first].no, tasks[last].no); err != nil {
			return err
		}
	}
	return nil
}

// CameAgain records how many rows of tasks were found, when they were loaded, to have come again in chains that began anew, and returns
// when that is durable, in one step.
func (j *Journal) CameAgain(ctx context.Context, rows map[string]int64) error {
	return j.update(ctx, "record which rows came again", `UPDATE tasks SET again = ?1 WHERE id = ?2 AND again <> ?1`, func(exec func(args ...any) error) error {
		for id, n := range rows {
			if err := exec(n, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// Expect records what tasks are expected to cost, by their ids, and returns when that is durable, in one step.
func (j *Journal) Expect(ctx context.Context, all map[string]pipeline.Expectation) error {
	return j.update(ctx, "record what tasks are expected to cost",
		`UPDATE tasks SET expected_units = ?1, expected_next = ?2 WHERE (expected_units, expected_next) <> (?1, ?2) AND no BETWEEN ?3 AND ?4`, func(exec func(args ...any) error) error {
			return alike(j, all, func(e pipeline.Expectation, first, last int64) error { return exec(e.Units, e.Next, first, last) })
		})
}

// update carries out a statement as often as each says, in one step.
func (j *Journal) update(ctx context.Context, what, statement string, each func(exec func(args ...any) error) error) error {
	err := j.db.Write(ctx, func(tx *sql.Tx) error {
		set, err := tx.Prepare(statement)
		if err != nil {
			return err
		}
		defer set.Close()
		return each(func(args ...any) error {
			_, err := set.Exec(args...)
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Entry is a task that a run intends, and what is kept of it beside its pages.
type Entry struct {
	pipeline.Task
	Standing
	// Stood is how many pages it had when its standing was recorded: it has come on since if it has others.
	Stood int
	// Again is how many of its rows have come again; see CameAgain.
	Again    int64
	Expected pipeline.Expectation
}

// Entries hands each task that the run intends, and how it stands, in the order they were added, placeholders included.
func (j *Journal) Entries(ctx context.Context, each func(Entry)) error {
	return j.db.Each(ctx, `SELECT `+taskColumns+`, stood, ending, error, ended_at, saved_units, index_id, again, expected_units, expected_next
		FROM tasks t WHERE intended ORDER BY no`, func(rows *sql.Rows) (err error) {
		var e Entry
		var ended int64
		e.Task, err = scanTask(rows, &e.Stood, &e.Ending, &e.Error, &ended, &e.SavedUnits, &e.IndexID, &e.Again, &e.Expected.Units, &e.Expected.Next)
		if e.Ended = store.At(ended); err == nil {
			each(e)
		}
		return err
	})
}

// Course is where a run itself stands. The zero value: an earlier version of the program has written the journal, and did not say.
type Course struct {
	// SpecHash identifies the spec that was last run, State is one of package ledger.
	SpecHash, State string
	// Message says why it stopped, "" if there is nothing to say.
	Message string
	// Started is when the run first began, Ended when its latest execution was over: zero while it is not.
	Started, Ended time.Time
}

// SetCourse records where the run stands, and returns when that is durable.
func (j *Journal) SetCourse(ctx context.Context, c Course) error {
	return j.update(ctx, "record where the run stands",
		`UPDATE header SET spec_hash = ?, state = ?, message = ?, started_at = ?, ended_at = ?`, func(exec func(args ...any) error) error {
			return exec(c.SpecHash, c.State, c.Message, store.Micros(c.Started), store.Micros(c.Ended))
		})
}

// Course returns where the run stands.
func (j *Journal) Course(ctx context.Context) (c Course, err error) {
	var started, ended int64
	err = j.db.Read().QueryRowContext(ctx, `SELECT spec_hash, state, message, started_at, ended_at FROM header`).
		Scan(&c.SpecHash, &c.State, &c.Message, &started, &ended)
	c.Started, c.Ended = store.At(started), store.At(ended)
	return c, j.db.Wrap(err)
}

// Rewind brings the times at which tasks and run ended back to now where they are later: what a clock that was ahead has left.
func (j *Journal) Rewind(ctx context.Context, now time.Time) error {
	err := j.db.Write(ctx, func(tx *sql.Tx) error {
		return store.NotAfter(tx, now, "tasks.ended_at", "header.started_at", "header.ended_at")
	})
	if err != nil {
		return fmt.Errorf("bring times back to %s: %w", now.UTC().Format(time.RFC3339), err)
	}
	return nil
}
