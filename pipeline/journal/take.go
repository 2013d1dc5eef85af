package journal

import (
	"context"
	"database/sql"
	"fmt"
	"iter"

	"backhaul/pipeline"
	"backhaul/pipeline/store"
)

// Take makes pages that another run has bought, or that come from an archive, the next pages of a task that has bought none
// itself, all of them or none, and returns when that is durable. They keep everything but their price, which has been paid:
// their units are 0 here.
func (j *Journal) Take(ctx context.Context, taskID, fromRun string, pages iter.Seq2[pipeline.Page, error]) error {
	no, err := j.numberOf(ctx, taskID)
	if err != nil {
		return err
	}
	err = j.db.Write(ctx, func(tx *sql.Tx) error {
		taken := 0
		for p, err := range pages {
			if err != nil {
				return err
			}
			p.Units = 0
			if err := j.insert(tx, j.pack(no, p)); err != nil {
				return err
			}
			taken++
		}
		_, err := tx.Exec(`UPDATE tasks SET pages = pages + ?, reused_from = ? WHERE no = ?`, taken, fromRun, no)
		return err
	})
	if err != nil {
		return fmt.Errorf("take over the pages of %s from run %s: %w", j.describe(taskID), fromRun, err)
	}
	return nil
}

func (j *Journal) insert(tx *sql.Tx, r *record) error {
	insert := r.insert()
	return j.db.Exec(tx, insert.Text, insert.Args...)
}

func (r *record) insert() store.Statement {
	return store.Statement{Text: `INSERT INTO pages (task, seq, chain, repeated, cursor, next, ended, request, status, fetched_at, rows, overlap,
		units, listed, cache, size, checksum, body) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`, Args: []any{r.task, r.seq, r.chain, r.repeated,
		r.cursor, r.next, r.ended, r.request, r.status, r.fetchedAt, r.rows, r.overlap,
		r.units, r.listed, r.cache, r.size, r.checksum, r.body}}
}
