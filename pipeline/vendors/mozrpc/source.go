package mozrpc

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/moz"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/pipeline/vendors/internal/wire"
	"backhaul/schemas"
)

// source is one endpoint, bought through one client.
type source struct {
	*report
	client *Client
}

var _ pipeline.Source = (*source)(nil)

func (s *source) Endpoint() *pipeline.Endpoint { return s.endpoint }

// Fetch makes the one call that is due at the place asked for. Where Moz has no record the page is an empty one, free of
// charge.
func (s *source) Fetch(ctx context.Context, t pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	if fail := s.client.wire.Ready(); fail != nil {
		return pipeline.Page{}, fail
	}
	q, err := s.question(t, ask)
	if err != nil {
		return pipeline.Page{}, s.rejected(err)
	}
	a, fail := s.client.ask(ctx, q.call)
	return s.page(q, a, fail, ask.Cursor, s.client.endings)
}

// Read takes what was asked for from the page's request.
func (s *source) Read(t pipeline.Task, ask pipeline.Ask, p pipeline.Page) (pipeline.Page, error) {
	sent, err := readRequest(p.Request)
	if err != nil {
		return pipeline.Page{}, s.rejected(err)
	}
	q, err := s.question(t, pipeline.Ask{Cursor: p.Cursor, Limit: sent.Params.Data.size(ask.Limit)})
	if err != nil {
		return pipeline.Page{}, s.rejected(err)
	}
	resp := wire.Kept(p)
	a, fail := s.client.read(q.call, sent.ID, resp, s.client.wire.Judge(resp))
	a.request = p.Request
	return s.page(q, a, fail, p.Cursor, new(moz.Endings))
}

func (s *source) rejected(err error) *pipeline.Error {
	return &pipeline.Error{Kind: pipeline.Rejected, Message: s.client.wire.Text(err.Error())}
}

// page makes a page of an answer; fail is what is wrong with it by itself.
func (s *source) page(q question, a answer, fail *pipeline.Error, at pipeline.Cursor, endings *moz.Endings) (pipeline.Page, error) {
	page := pipeline.Page{Cursor: at, Request: a.request, Status: a.resp.Status, Body: a.resp.Body, FetchedAt: a.resp.At}
	if fail == nil {
		fail = s.settle(&page, q, a, endings)
	}
	switch {
	case fail == nil:
		return page, nil
	case fail.Kind == pipeline.Malformed:
		return page, fail
	default:
		return pipeline.Page{}, fail
	}
}

// settle fills in what the reply says about itself.
func (s *source) settle(page *pipeline.Page, q question, a answer, endings *moz.Endings) *pipeline.Error {
	r := record{method: q.method, asked: q.data, at: page.Cursor, Reply: a.Reply, none: a.none}
	page.Rows = r.rows()
	if !r.none {
		page.Units = q.charge.Actual(pipeline.Reply{Rows: page.Rows})
	}
	next, err := q.goesOn(r, endings)
	if none := (failedAtAll{}); errors.As(err, &none) {
		return &pipeline.Error{Kind: pipeline.Transient, Status: page.Status, Message: s.client.wire.Text(none.Error())}
	}
	if err != nil {
		return s.client.unreadable(a.resp, err)
	}
	page.Next, page.End = next.at, next.end
	if page.Cursor == "" && !page.End {
		page.Tail = tail(r)
	}
	return nil
}

// goesOn says where the task goes on behind the record: a list by its token, all else by the question.
func (q question) goesOn(r record, endings *moz.Endings) (place, error) {
	switch {
	case q.next != nil:
		return q.next(r)
	case r.none || q.method.layout.Token == "":
		return place{end: true}, nil
	}
	request, err := json.Marshal(q.data, json.Deterministic(true))
	if err != nil {
		return place{}, err
	}
	end, err := endings.Ends(moz.Continuation{Request: append(request, q.method.Name...), Inner: q.paged,
		Asked: q.data.size(pageSize), Rows: r.Count, Token: r.Token, Marked: r.Marked})
	if err != nil {
		err = fmt.Errorf("%s: %w", q.method.layout.Token, err)
	}
	return place{at: pipeline.Cursor(r.Token), end: end}, err
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
	sent, err := readRequest(p.Request)
	if err != nil {
		return record{}, err
	}
	r := record{method: methods()[sent.Method], asked: sent.Params.Data, at: p.Cursor, again: !p.End && asksAgain(p.Next)}
	if r.method == nil {
		return r, fmt.Errorf("it answers method %q, which is not known", sent.Method)
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
