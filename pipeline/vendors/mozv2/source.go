package mozv2

import (
	"context"
	"errors"
	"fmt"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/moz"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/pipeline/vendors/internal/wire"
	"backhaul/schemas"
)

// source is one endpoint, bought through one client.
type source struct {
	*report
	wire    *wire.Client
	endings *moz.Endings // what the client's replies taught
}

var _ pipeline.Source = (*source)(nil)

func (s *source) Endpoint() *pipeline.Endpoint { return s.endpoint }

// Fetch asks for one page: POST base/endpoint with a JSON body. A reply that is whole, strict JSON and an answer to what
// was asked is a page. How it ends a list is learned: see [moz.Endings].
func (s *source) Fetch(ctx context.Context, t pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	if fail := s.wire.Ready(); fail != nil {
		return pipeline.Page{}, fail
	}
	q, err := s.ask(t, ask)
	if err != nil {
		return pipeline.Page{}, s.rejected(err)
	}
	resp, fail := s.wire.Do(ctx, "POST", s.endpoint.Name, q.body)
	return s.read(q, resp, fail, s.endings)
}

// Read takes the size of the page that was asked for from its request.
func (s *source) Read(t pipeline.Task, ask pipeline.Ask, p pipeline.Page) (pipeline.Page, error) {
	q, err := s.ask(t, pipeline.Ask{Cursor: p.Cursor, Limit: askedFor(p, ask.Limit)})
	if err != nil {
		return pipeline.Page{}, s.rejected(err)
	}
	q.body = p.Request
	resp := wire.Kept(p)
	return s.read(q, resp, s.wire.Judge(resp), new(moz.Endings))
}

func (s *source) rejected(err error) *pipeline.Error {
	return &pipeline.Error{Kind: pipeline.Rejected, Message: s.wire.Text(err.Error())}
}

// read makes a page of the reply to a question; fail is what is wrong with it before its JSON is read.
func (s *source) read(q question, resp wire.Response, fail *pipeline.Error, endings *moz.Endings) (pipeline.Page, error) {
	page := pipeline.Page{Cursor: q.at, Next: q.next, End: q.end, Request: q.body, Status: resp.Status, Body: resp.Body, FetchedAt: resp.At}
	if fail == nil {
		fail = s.tell(&page, q, resp, endings)
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

// tell fills in what the reply says about itself, and what it costs.
func (s *source) tell(page *pipeline.Page, q question, resp wire.Response, endings *moz.Endings) *pipeline.Error {
	reply, err := s.check(*page)
	if fail := s.fault(reply, resp, q.at); fail != nil {
		return fail
	}
	switch {
	case errors.As(err, new(misfit)):
		return s.wire.Malformed(resp.Status, err.Error())
	case err != nil:
		return s.wire.Unreadable(resp, err, errors.Is(err, rows.ErrCut))
	}
	if s.layout.Token != "" {
		end, err := endings.Ends(moz.Continuation{Request: q.body, Inner: q.at != "", Asked: q.limit, Rows: reply.Count, Token: reply.Token, Marked: reply.Marked})
		if err != nil {
			return s.wire.Malformed(resp.Status, s.layout.Token+": "+err.Error())
		}
		page.Next, page.End = pipeline.Cursor(reply.Token), end
		if q.at == "" && !end {
			page.Tail = tail(reply)
		}
	}
	page.Rows = reply.Count
	page.Units = q.price.Actual(pipeline.Reply{Inputs: q.inputs, Rows: reply.Count})
	return nil
}

// fault finds an error in a reply with status 200.
func (s *source) fault(reply rows.Reply, resp wire.Response, at pipeline.Cursor) *pipeline.Error {
	f := s.wire.Fault(reply.Members())
	if f != nil && f.Kind == pipeline.Stale && at == "" {
		f.Kind = pipeline.Rejected // there was no token that could have expired
	}
	return s.wire.Refusal(resp.Status, f, s.content(reply))
}

func (s *source) Decode(p pipeline.Page, b *schemas.Builder) error {
	reply, err := s.check(p)
	if err != nil {
		return fmt.Errorf("read a page of %s: %w", s.endpoint, err)
	}
	if err := s.fill(p, reply, b); err != nil {
		return fmt.Errorf("read a page of %s: %w", s.endpoint, err)
	}
	return nil
}
