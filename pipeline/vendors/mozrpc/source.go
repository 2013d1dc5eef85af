package mozrpc

import (
	"context"
	"errors"
	"fmt"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/schemas"
)

// source is one endpoint, bought through one client.
type source struct {
	*report
	client *Client // nil: offline
}

var _ pipeline.Source = (*source)(nil)

func (s *source) Endpoint() *pipeline.Endpoint { return s.endpoint }

// Fetch makes the one call that is due at the place asked for. Where Moz has no record the page is an empty one, free of
// charge.
func (s *source) Fetch(ctx context.Context, t pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	if s.client == nil {
		return pipeline.Page{}, &pipeline.Error{Kind: pipeline.Denied, Message: "no credentials: this source only reads what was bought"}
	}
	q, err := s.question(t, ask)
	if err != nil {
		return pipeline.Page{}, &pipeline.Error{Kind: pipeline.Rejected, Message: s.client.wire.Text(err.Error())}
	}
	a, fail := s.client.ask(ctx, q.call)
	page := pipeline.Page{Cursor: ask.Cursor, Request: a.request, Status: a.resp.Status, Body: a.resp.Body, FetchedAt: a.resp.At}
	switch {
	case fail == nil:
	case fail.Kind == pipeline.Malformed:
		return page, fail
	default:
		return pipeline.Page{}, fail
	}
	err = q.settle(&page, a)
	if none := (failedAtAll{}); errors.As(err, &none) {
		return pipeline.Page{}, &pipeline.Error{Kind: pipeline.Transient, Status: page.Status, Message: s.client.wire.Text(none.Error())}
	}
	if err != nil {
		return page, s.client.unreadable(a.resp, err)
	}
	return page, nil
}

// settle fills in what the reply says about itself.
func (q question) settle(page *pipeline.Page, a answer) error {
	r := record{method: q.method, asked: q.data, at: page.Cursor, Reply: a.Reply, none: a.none}
	page.Rows = r.rows()
	if !r.none {
		page.Units = q.charge.Actual(pipeline.Reply{Rows: page.Rows})
	}
	next := place{end: true}
	if q.next != nil {
		var err error
		if next, err = q.next(r); err != nil {
			return err
		}
	}
	page.Next, page.End = next.at, next.end
	if page.Cursor == "" && !page.End {
		page.Tail = tail(r)
	}
	return nil
}

func (s *source) Decode(p pipeline.Page, b *schemas.Builder) error {
	r, err := recall(p)
	if err != nil {
		return fmt.Errorf("read a page of %s: %w", s.endpoint, err)
	}
	load := r.method.load[b.Table().Name]
	if load == nil || r.none {
		return s.fits(b.Table())
	}
	if err := load(r, b); err != nil {
		return fmt.Errorf("read a page of %s: %w", s.endpoint, err)
	}
	return nil
}

// fits: not every call of an endpoint brings something for each of its tables, but none for another's.
func (s *source) fits(t *schemas.Table) error {
	for _, own := range s.endpoint.Tables() {
		if own == t {
			return nil
		}
	}
	return fmt.Errorf("%s does not fill %s", s.endpoint, t.FullName())
}

// record is a reply with the request it answers.
type record struct {
	method *method
	asked  data
	at     pipeline.Cursor
	rows.Reply
	// none: Moz has no record of what was asked.
	none bool
	// again: the inputs that Moz failed at are asked about again behind the record.
	again bool
}

// recall takes a page apart that was kept.
func recall(p pipeline.Page) (record, error) {
	name, asked, err := readRequest(p.Request)
	if err != nil {
		return record{}, err
	}
	r := record{method: methods()[name], asked: asked, at: p.Cursor, again: !p.End && asksAgain(p.Next)}
	if r.method == nil {
		return r, fmt.Errorf("it answers method %q, which is not known", name)
	}
	var f *fault
	r.Reply, f, err = r.method.read(p.Body)
	switch {
	case f != nil && f.none(p.Status):
		r.none = true
		return r, nil
	case f != nil:
		return r, errors.New("it is an error: " + f.String())
	}
	return r, err
}

// rows is how many rows the record holds: what Moz counts.
func (r record) rows() int {
	switch {
	case r.none:
		return 0
	case r.method.count != nil:
		return r.method.count(r)
	default:
		return r.Count
	}
}
