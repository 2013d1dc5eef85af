package journal

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"time"

	"backhaul/pipeline"
)

// Fact is what is known about a page without its body, whose place Size takes.
type Fact struct {
	pipeline.Page
	Size int64 // bytes of the body
}

// Facts yields what is known about a task's pages, without reading their bodies. The first error ends the sequence.
func (j *Journal) Facts(ctx context.Context, taskID string) iter.Seq2[Fact, error] {
	return func(yield func(Fact, error) bool) {
		no, err := j.numberOf(taskID)
		if err == nil {
			err = j.db.Each(ctx, `SELECT seq, chain, repeated, ended, request, status, fetched_at, rows, overlap, units, listed, cache, size
				FROM pages WHERE task = ? ORDER BY seq`, func(rows *sql.Rows) error {
				var f Fact
				var fetched int64
				if err := rows.Scan(&f.Seq, &f.Chain, &f.Repeated, &f.End, &f.Request, &f.Status, &fetched, &f.Rows, &f.Overlap, &f.Units, &f.Listed, &f.Cache, &f.Size); err != nil {
					return err
				}
				f.FetchedAt = time.UnixMicro(fetched).UTC()
				if !yield(f, nil) {
					return errStop
				}
				return nil
			}, no)
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(Fact{}, err)
		}
	}
}
