package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/zeebo/xxh3"

	"backhaul/pipeline"
)

// AddAttempt records a request that yielded no page, and returns when that is durable. A body that came at the same place
// before is not kept a second time.
func (j *Journal) AddAttempt(ctx context.Context, taskID string, a pipeline.Attempt) error {
	no, err := j.numberOf(ctx, taskID)
	if err != nil {
		return err
	}
	var body, sum, request []byte
	if len(a.Body) > 0 {
		body, sum, request = j.enc.EncodeAll(a.Body, nil), bodySum(a.Body), append([]byte{}, a.Request...)
	}
	err = j.db.Write(ctx, func(tx *sql.Tx) error {
		keep := body
		if keep != nil {
			var kept bool
			err := tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM attempts WHERE task = ? AND seq = ? AND checksum = ? AND body IS NOT NULL)`, no, a.Seq, sum).Scan(&kept)
			if err != nil {
				return err
			}
			if kept {
				keep = nil
			}
		}
		_, err := tx.Exec(`INSERT INTO attempts (task, seq, at, kind, status, maybe_units, message, chain, cursor, asked, request, size, checksum, body)
			VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
			no, a.Seq, a.At.UnixMicro(), a.Kind.String(), a.Status, int64(a.MaybeUnits), a.Message,
			a.Chain, string(a.Ask.Cursor), a.Ask.Limit, request, len(a.Body), sum, keep)
		return err
	})
	if err != nil {
		return fmt.Errorf("record attempt at page %d of %s: %w", a.Seq, j.describe(taskID), err)
	}
	return nil
}

func bodySum(body []byte) []byte {
	sum := xxh3.Hash128(body).Bytes()
	return sum[:]
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
	// Size is how many bytes of a response that could not be read are kept. Default 0: none.
	Size int64
}

const attemptColumns = `a.no, t.id, a.seq, a.at, a.kind, a.status, a.maybe_units, a.message, a.size`

// scan reads attemptColumns, and what else the query asks for, from a row.
func (a *PastAttempt) scan(rows *sql.Rows, more ...any) error {
	var at int64
	err := rows.Scan(append([]any{&a.No, &a.TaskID, &a.Seq, &at, &a.Kind, &a.Status, &a.MaybeUnits, &a.Message, &a.Size}, more...)...)
	a.At = time.UnixMicro(at).UTC()
	return err
}

// Attempts yields every request that yielded no page, in the order they failed. The first error ends the sequence.
func (j *Journal) Attempts(ctx context.Context) iter.Seq2[PastAttempt, error] {
	return func(yield func(PastAttempt, error) bool) {
		err := j.db.Each(ctx, `SELECT `+attemptColumns+` FROM attempts a JOIN tasks t ON t.no = a.task WHERE a.kind <> 'repeating' ORDER BY a.no`, func(rows *sql.Rows) error {
			var a PastAttempt
			if err := a.scan(rows); err != nil {
				return err
			}
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
