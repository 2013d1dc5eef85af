package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"backhaul/pipeline"
)

// Resolution says that an extract's tasks were made of other rows, for a run to keep to: asked again, those rows may
// have changed, and what was bought for the first answer would be bought for another.
type Resolution struct {
	// Digest identifies what the tasks were made for; a spec that asks something else has another.
	Digest string
	// Basis identifies what they were made of.
	Basis string
	// Final: all rows there can be were there.
	Final bool
	// Tasks are those that were made, in the order they were added.
	Tasks []pipeline.Task
}

// Resolve makes an extract's tasks known to the journal, and how they came about, in one step. It takes the place of an
// earlier resolution, whose tasks stay in the journal with their pages and are intended no more.
func (j *Journal) Resolve(ctx context.Context, extract string, r Resolution) error {
	var of map[string]int64
	err := j.db.Write(ctx, func(tx *sql.Tx) (err error) {
		if of, err = enterTasks(tx, r.Tasks, func(string) bool { return true }); err != nil {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM resolved_tasks WHERE extract = ?`, extract); err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO resolutions (extract, digest, basis, final) VALUES (?,?,?,?) ON CONFLICT (extract) DO UPDATE SET digest = excluded.digest, basis = excluded.basis,
			final = excluded.final`, extract, r.Digest, r.Basis, r.Final)
		if err != nil {
			return err
		}
		for _, t := range r.Tasks {
			if _, err := tx.Exec(`INSERT INTO resolved_tasks (extract, task) VALUES (?,?)`, extract, of[t.ID]); err != nil {
				return err
			}
		}
		_, err = tx.Exec(`UPDATE tasks SET `+leftOut+` WHERE intended AND extract = ?1 AND no NOT IN (SELECT task FROM resolved_tasks WHERE extract = ?1)`, extract)
		return err
	})
	if err != nil {
		return fmt.Errorf("record how the tasks of %s came about: %w", extract, err)
	}
	j.learn(of)
	return nil
}

// Resolution returns how an extract's tasks came about, and reports false where none were made yet.
func (j *Journal) Resolution(ctx context.Context, extract string) (r Resolution, ok bool, err error) {
	err = j.db.Read().QueryRowContext(ctx, `SELECT digest, basis, final FROM resolutions WHERE extract = ?`, extract).Scan(&r.Digest, &r.Basis, &r.Final)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	if err != nil {
		return r, false, j.db.Wrap(err)
	}
	r.Tasks, err = j.tasks(ctx, `JOIN resolved_tasks r ON r.task = t.no WHERE r.extract = ?`, extract)
	return r, err == nil, err
}

// Notes copies from another journal what it knows beside tasks and pages: of its indexes, and how tasks came about. The tasks
// must be known.
func (j *Journal) Notes(ctx context.Context, from *Journal) error {
	indexes, err := from.Indexes(ctx)
	if err != nil {
		return err
	}
	for _, x := range indexes {
		if err := j.AddIndex(ctx, x); err != nil {
			return err
		}
	}
	var extracts []string
	err = from.db.Each(ctx, `SELECT extract FROM resolutions ORDER BY extract`, func(rows *sql.Rows) error {
		var extract string
		err := rows.Scan(&extract)
		extracts = append(extracts, extract)
		return err
	})
	if err != nil {
		return err
	}
	for _, extract := range extracts {
		r, _, err := from.Resolution(ctx, extract)
		if err != nil {
			return err
		}
		if err := j.Resolve(ctx, extract, r); err != nil {
			return err
		}
	}
	return nil
}
