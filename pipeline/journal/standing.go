package journal

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"iter"
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
func (j *Journal) Stand(ctx context.Context, all iter.Seq2[string, Standing]) error {
	const what = "record how tasks stand"
	alike, err := alikeOf(ctx, j, all)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return j.update(ctx, what,
		`UPDATE tasks SET stood = pages, ending = ?1, error = ?2, ended_at = ?3, saved_units = ?4, index_id = ?5, again = 0
			WHERE (stood, ending, error, ended_at, saved_units, index_id, again) <> (pages, ?1, ?2, ?3, ?4, ?5, 0) AND no BETWEEN ?6 AND ?7`, func(exec func(args ...any) error) error {
			for _, a := range alike {
				if err := exec(a.is.Ending, a.is.Error, store.Micros(a.is.Ended), a.is.SavedUnits, a.is.IndexID, a.first, a.last); err != nil {
					return err
				}
			}
			return nil
		})
}

// alike are tasks whose numbers follow one another, and of which the same is to be written: of the hundred thousand lists of a run most
// stand as their neighbours do, and a statement for each takes seconds.
type alike[V comparable] struct {
	first, last int64
	is          V
}

// alikeOf puts tasks together that are alike, by their ids. They may come in any order; in that of their numbers it takes no room.
func alikeOf[V comparable](ctx context.Context, j *Journal, all iter.Seq2[string, V]) ([]alike[V], error) {
	var together []alike[V]
	for id, is := range all {
		no, err := j.numberOf(ctx, id)
		if err != nil {
			return nil, err
		}
		together = joined(together, alike[V]{no, no, is})
	}
	slices.SortStableFunc(together, func(a, b alike[V]) int { return cmp.Compare(a.first, b.first) })
	sorted := together[:0]
	for _, a := range together {
		sorted = joined(sorted, a)
	}
	return sorted, nil
}

// joined adds tasks to the last of others if they go on from them.
func joined[V comparable](all []alike[V], a alike[V]) []alike[V] {
	if n := len(all); n > 0 && all[n-1].last+1 == a.first && all[n-1].is == a.is {
		all[n-1].last = a.last
		return all
	}
	return append(all, a)
}

// CameAgain records how many rows of tasks were found, when they were loaded, to have come again in chains that started over, and returns
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
func (j *Journal) Expect(ctx context.Context, all iter.Seq2[string, pipeline.Expectation]) error {
	const what = "record what tasks are expected to cost"
	alike, err := alikeOf(ctx, j, all)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return j.update(ctx, what,
		`UPDATE tasks SET expected_units = ?1, expected_next = ?2 WHERE (expected_units, expected_next) <> (?1, ?2) AND no BETWEEN ?3 AND ?4`, func(exec func(args ...any) error) error {
			for _, a := range alike {
				if err := exec(a.is.Units, a.is.Next, a.first, a.last); err != nil {
					return err
				}
			}
			return nil
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

// Intended returns how many tasks the run intends, placeholders included.
func (j *Journal) Intended(ctx context.Context) (n int, err error) {
	err = j.db.Read().QueryRowContext(ctx, `SELECT count(*) FROM tasks WHERE intended`).Scan(&n)
	return n, j.db.Wrap(err)
}

// Entries hands each task that the run intends, and how it stands, in the order they were added, placeholders included. What a task has
// alike with the one before it, as most have most, they share.
func (j *Journal) Entries(ctx context.Context, each func(Entry)) error {
	var before Entry
	return j.db.Each(ctx, `SELECT `+taskColumns+`, stood, ending, error, ended_at, saved_units, index_id, again, expected_units, expected_next
		FROM tasks t WHERE intended ORDER BY no`, func(rows *sql.Rows) (err error) {
		var e Entry
		var ended int64
		e.Task, err = scanTask(rows, &e.Stood, &e.Ending, &e.Error, &ended, &e.SavedUnits, &e.IndexID, &e.Again, &e.Expected.Units, &e.Expected.Next)
		if e.Ended = store.At(ended); err == nil {
			e.share(&before)
			before = e
			each(e)
		}
		return err
	})
}

// share lets go of texts that another entry has as well.
func (e *Entry) share(before *Entry) {
	for _, text := range [][2]*string{{&e.Extract, &before.Extract}, {&e.Endpoint, &before.Endpoint}, {&e.Surface, &before.Surface}, {&e.Scope, &before.Scope},
		{&e.Params, &before.Params}, {&e.TargetAsGiven, &e.Target}, {(*string)(&e.Ending), (*string)(&before.Ending)}, {&e.Error, &before.Error}, {&e.IndexID, &before.IndexID}} {
		if *text[0] == *text[1] {
			*text[0] = *text[1]
		}
	}
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
