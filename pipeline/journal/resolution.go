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
	// Digest identifies what the tasks were made of and for; a spec that asks something else has another.
	Digest string
	// Final: all rows there can be were there.
	Final bool
}

// Resolve makes an extract's tasks known to the journal, and then how they came about: a crash in between leaves tasks
// without a page, which a later resolution may drop.
func (j *Journal) Resolve(ctx context.Context, extract string, r Resolution, tasks []pipeline.Task) error {
	if err := j.AddTasks(ctx, tasks); err != nil {
		return err
	}
	err := j.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO resolutions VALUES (?,?,?) ON CONFLICT DO UPDATE SET digest = excluded.digest, final = excluded.final`,
			extract, r.Digest, r.Final)
		return err
	})
	if err != nil {
		return fmt.Errorf("record how the tasks of %s came about: %w", extract, err)
	}
	return nil
}

// Resolution returns how an extract's tasks came about, and reports false where none were made yet.
func (j *Journal) Resolution(ctx context.Context, extract string) (r Resolution, ok bool, err error) {
	err = j.db.Read().QueryRowContext(ctx, `SELECT digest, final FROM resolutions WHERE extract = ?`, extract).Scan(&r.Digest, &r.Final)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	return r, err == nil, j.db.Wrap(err)
}
