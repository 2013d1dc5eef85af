package journal

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"

	"backhaul/pipeline"
)

// Reply is a response that could not be read, and was kept.
type Reply struct {
	PastAttempt
	// SameAs is the first attempt at the place that brought the same bytes; its own number where it was the first.
	SameAs int64
	// Read: it has become a page since.
	Read bool
	// Open: nothing has been read at its place yet.
	Open bool
}

// Replies returns the responses that could not be read, in the order they came.
func (j *Journal) Replies(ctx context.Context) ([]Reply, error) {
	var all []Reply
	err := j.db.Each(ctx, `SELECT `+attemptColumns+`,
			coalesce((SELECT min(b.no) FROM attempts b WHERE b.task = a.task AND b.seq = a.seq AND b.checksum = a.checksum), a.no),
			a.read, a.seq = t.pages
		FROM attempts a JOIN tasks t ON t.no = a.task
		WHERE a.kind = 'malformed' AND (a.size > 0 OR a.body IS NOT NULL) ORDER BY a.no`, func(rows *sql.Rows) error {
		var r Reply
		err := r.scan(rows, &r.SameAs, &r.Read, &r.Open)
		all = append(all, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the replies that could not be read: %w", err)
	}
	return all, nil
}

// Body returns the bytes of a reply.
func (j *Journal) Body(ctx context.Context, r Reply) ([]byte, error) {
	p, _, err := j.Received(ctx, r)
	return p.Body, err
}

// Received returns a reply as what came in answer to which question: a page as far as that is known of one that could not be
// read. Of a reply kept by an earlier version of the program the question is not known, and neither is Page.Request.
func (j *Journal) Received(ctx context.Context, r Reply) (p pipeline.Page, ask pipeline.Ask, err error) {
	var sum, packed []byte
	err = j.db.Read().QueryRowContext(ctx, `SELECT a.seq, a.chain, a.cursor, a.asked, a.request, a.status, a.checksum, b.body
		FROM attempts a JOIN attempts b ON b.no = ? WHERE a.no = ?`, r.SameAs, r.No).
		Scan(&p.Seq, &p.Chain, &ask.Cursor, &ask.Limit, &p.Request, &p.Status, &sum, &packed)
	if err != nil {
		return p, ask, fmt.Errorf("read reply %d: %w", r.No, j.db.Wrap(err))
	}
	body, err := j.dec.DecodeAll(packed, nil)
	if err != nil || sum != nil && !bytes.Equal(sum, bodySum(body)) {
		return p, ask, fmt.Errorf("read reply %d from %s: %w: its checksum does not fit", r.No, j.db.Name(), ErrDamaged)
	}
	p.Cursor, p.Body, p.FetchedAt = ask.Cursor, body, r.At
	return p, ask, nil
}

// Redeem makes of a reply that has been read after all the next page of its task, and returns when that is durable. What it
// cost stands with the attempt, so the page's units must be 0.
func (j *Journal) Redeem(ctx context.Context, r Reply, p pipeline.Page) error {
	no, err := j.numberOf(ctx, r.TaskID)
	if err != nil {
		return err
	}
	packed := j.pack(no, p)
	err = j.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`UPDATE attempts SET read = true WHERE task = ? AND seq = ? AND kind = 'malformed'`, no, r.Seq); err != nil {
			return err
		}
		return j.addPage(tx, packed)
	})
	if err != nil {
		return fmt.Errorf("enter page %d of %s: %w", p.Seq, j.describe(r.TaskID), err)
	}
	return nil
}
