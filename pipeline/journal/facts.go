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
			err = j.each(ctx, `SELECT seq, chain, repeated, ended, request, status, fetched_at, rows, overlap, units, listed, cache, size
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

// PastAttempt is a recorded attempt, without its body.
type PastAttempt struct {
	No         int64
	TaskID     string
	Seq        int
	At         time.Time
	Kind       string
	Status     int
	MaybeUnits pipeline.Units
	Message    string
}

// Attempts yields every request that yielded no page, in the order they failed. The first error ends the sequence.
func (j *Journal) Attempts(ctx context.Context) iter.Seq2[PastAttempt, error] {
	return func(yield func(PastAttempt, error) bool) {
		err := j.each(ctx, `SELECT a.no, t.id, a.seq, a.at, a.kind, a.status, a.maybe_units, a.message
			FROM attempts a JOIN tasks t ON t.no = a.task ORDER BY a.no`, func(rows *sql.Rows) error {
			var a PastAttempt
			var at int64
			if err := rows.Scan(&a.No, &a.TaskID, &a.Seq, &at, &a.Kind, &a.Status, &a.MaybeUnits, &a.Message); err != nil {
				return err
			}
			a.At = time.UnixMicro(at).UTC()
			if !yield(a, nil) {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(PastAttempt{}, err)
		}
	}
}
