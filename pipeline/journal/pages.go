package journal

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/zeebo/xxh3"

	"backhaul/pipeline"
)

// record is a page as it lies in the file.
type record struct {
	task, seq, chain int64
	repeated         bool
	cursor, next     string
	ended            bool
	request          []byte
	status           int64
	fetchedAt        int64 // microseconds since 1970
	rows, overlap    int64
	units, listed    int64
	cache            string
	size             int64 // bytes of the body before compression
	checksum, body   []byte
}

const recordColumns = `p.task, p.seq, p.chain, p.repeated, p.cursor, p.next, p.ended, p.request, p.status, p.fetched_at, p.rows, p.overlap, p.units, p.listed, p.cache,
	p.size, p.checksum, p.body`

// places are where recordColumns are scanned to.
func (r *record) places() []any {
	return []any{&r.task, &r.seq, &r.chain, &r.repeated, &r.cursor, &r.next, &r.ended, &r.request, &r.status, &r.fetchedAt, &r.rows, &r.overlap, &r.units, &r.listed, &r.cache,
		&r.size, &r.checksum, &r.body}
}

func (j *Journal) pack(task int64, p pipeline.Page) *record {
	r := &record{
		task: task, seq: int64(p.Seq), chain: int64(p.Chain), repeated: p.Repeated,
		cursor: string(p.Cursor), next: string(p.Next), ended: p.End,
		request: p.Request, status: int64(p.Status), fetchedAt: p.FetchedAt.UnixMicro(),
		rows: int64(p.Rows), overlap: int64(p.Overlap), units: int64(p.Units), listed: int64(p.Listed), cache: p.Cache,
		size: int64(len(p.Body)),
		body: j.enc.EncodeAll(p.Body, make([]byte, 0, len(p.Body)/4+64)),
	}
	if r.request == nil {
		r.request = []byte{}
	}
	r.checksum = r.sum()
	return r
}

// sum is the checksum over the body and all the facts of a page, lengths included, so that no byte can move from
// one field to the next.
func (r *record) sum() []byte {
	h := xxh3.New()
	flags := int64(0)
	if r.repeated {
		flags |= 1
	}
	if r.ended {
		flags |= 2
	}
	var b []byte
	for _, n := range []int64{r.task, r.seq, r.chain, flags, r.status, r.fetchedAt, r.rows, r.units, r.size} {
		b = binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	for _, text := range [][]byte{[]byte(r.cursor), []byte(r.next), r.request, r.body} {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(text)))
		b = append(b, text...)
	}
	if r.overlap != 0 || r.listed != 0 || r.cache != "" { // pages of format 1 have none of them, and a sum without
		b = binary.LittleEndian.AppendUint64(b, uint64(r.overlap))
		b = binary.LittleEndian.AppendUint64(b, uint64(r.listed))
		b = append(b, r.cache...)
	}
	_, _ = h.Write(b)
	sum := h.Sum128().Bytes()
	return sum[:]
}

func (j *Journal) unpack(r *record) (pipeline.Page, error) {
	if !bytes.Equal(r.sum(), r.checksum) {
		return pipeline.Page{}, fmt.Errorf("%w: its checksum does not fit", ErrDamaged)
	}
	body, err := j.dec.DecodeAll(r.body, make([]byte, 0, r.size))
	if err != nil || int64(len(body)) != r.size {
		return pipeline.Page{}, fmt.Errorf("%w: its body does not unpack", ErrDamaged)
	}
	return pipeline.Page{
		Seq: int(r.seq), Chain: int(r.chain), Repeated: r.repeated,
		Cursor: pipeline.Cursor(r.cursor), Next: pipeline.Cursor(r.next), End: r.ended,
		Request: r.request, Status: int(r.status), FetchedAt: time.UnixMicro(r.fetchedAt).UTC(),
		Rows: int(r.rows), Overlap: int(r.overlap), Units: pipeline.Units(r.units), Listed: pipeline.Units(r.listed), Cache: r.cache, Body: body,
	}, nil
}

// Pages yields a task's pages in the order they were bought. The first error ends the sequence; a damaged or missing
// page is an error with ErrDamaged, never a shorter sequence.
func (j *Journal) Pages(ctx context.Context, taskID string) iter.Seq2[pipeline.Page, error] {
	return func(yield func(pipeline.Page, error) bool) {
		want := 0
		err := j.scan(ctx, taskID, func(r *record) (bool, error) {
			if r.seq != int64(want) {
				return false, fmt.Errorf("%w: reply %d is missing", ErrDamaged, want)
			}
			page, err := j.unpack(r)
			if err != nil {
				return false, fmt.Errorf("reply %d: %w", want, err)
			}
			want++
			return yield(page, nil), nil
		})
		if err != nil {
			yield(pipeline.Page{}, fmt.Errorf("read %s from %s: %w", j.describe(taskID), j.db.Name(), err))
		}
	}
}

// errStop ends a scan early.
var errStop = errors.New("stop")

// scan calls visit with every record of a task, until it returns false, and checks that none was lost.
func (j *Journal) scan(ctx context.Context, taskID string, visit func(*record) (bool, error)) error {
	no, err := j.numberOf(ctx, taskID)
	if err != nil {
		return err
	}
	var before, after, found int
	count := func(n *int) error {
		return j.db.Wrap(j.db.Read().QueryRowContext(ctx, `SELECT pages FROM tasks WHERE no = ?`, no).Scan(n))
	}
	if err := count(&before); err != nil {
		return err
	}
	err = j.db.Each(ctx, `SELECT `+recordColumns+` FROM pages p WHERE task = ? ORDER BY seq`, func(rows *sql.Rows) error {
		r := &record{}
		if err := rows.Scan(r.places()...); err != nil {
			return err
		}
		found++
		more, err := visit(r)
		if err == nil && !more {
			err = errStop
		}
		return err
	}, no)
	switch {
	case errors.Is(err, errStop):
		return nil
	case err != nil || found == before:
		return err
	}
	if err := count(&after); err != nil || before < found && found <= after {
		return err // it has grown meanwhile
	}
	return j.countPages(taskID, after, found)
}
