package mozv2

import (
	"context"
	"errors"
	"fmt"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/pipeline/vendors/internal/wire"
	"backhaul/schemas"
)

// source is one endpoint, bought through one client.
type source struct {
	*report
	wire *wire.Client // nil: offline
}

var _ pipeline.Source = (*source)(nil)

func (s *source) Endpoint() *pipeline.Endpoint { return s.endpoint }

// Fetch asks for one page: POST base/endpoint with a JSON body. A reply that is whole, strict JSON and an answer to what
// was asked is a page. It ends a list if its next_token is absent, null or "": Moz documents "if non-empty" and leaves
// open which of them comes. Source: Moz, anchor_text, next_token.
func (s *source) Fetch(ctx context.Context, t pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	if s.wire == nil {
		return pipeline.Page{}, &pipeline.Error{Kind: pipeline.Denied, Message: "no credentials: this source only reads what was bought"}
	}
	question, err := s.ask(t, ask)
	if err != nil {
		return pipeline.Page{}, &pipeline.Error{Kind: pipeline.Rejected, Message: s.wire.Text(err.Error())}
	}
	price, err := s.price(t, ask)
	if err != nil {
		return pipeline.Page{}, &pipeline.Error{Kind: pipeline.Rejected, Message: s.wire.Text(err.Error())}
	}
	resp, fail := s.wire.Do(ctx, "POST", s.endpoint.Name, question.body)
	page := pipeline.Page{Cursor: ask.Cursor, Next: question.next, End: question.end, Request: question.body, Status: resp.Status, Body: resp.Body, FetchedAt: resp.At}
	switch {
	case fail == nil:
		return s.tell(page, question, price)
	case fail.Kind == pipeline.Malformed:
		return page, fail
	default:
		return pipeline.Page{}, fail
	}
}

// tell fills in what the reply says about itself, and what it costs.
func (s *source) tell(page pipeline.Page, q question, price pipeline.Price) (pipeline.Page, error) {
	reply, err := s.read(page)
	switch {
	case errors.Is(err, rows.ErrCut):
		// Its length matched what was announced, so it was cut before it was measured. Asked again it may be whole.
		return pipeline.Page{}, &pipeline.Error{Kind: pipeline.Transient, Status: page.Status, MaybeCharged: true, Message: s.wire.Text(err.Error())}
	case err != nil:
		text := err.Error()
		if said := s.wire.Say(page.Body); said != "" && !errors.As(err, new(misfit)) {
			text += "; the reply says: " + said
		}
		return page, &pipeline.Error{Kind: pipeline.Malformed, Status: page.Status, MaybeCharged: true, Message: s.wire.Text(text)}
	}
	page.Rows = reply.Count
	page.Units = price.Actual(pipeline.Reply{Inputs: q.inputs, Rows: reply.Count})
	if s.layout.Token != "" {
		page.Next, page.End = pipeline.Cursor(reply.Token), reply.Token == ""
		if page.Cursor == "" && !page.End {
			page.Tail = tail(reply)
		}
	}
	return page, nil
}

func (s *source) Decode(p pipeline.Page, b *schemas.Builder) error {
	reply, err := s.read(p)
	if err != nil {
		return fmt.Errorf("read a page of %s: %w", s.endpoint, err)
	}
	if err := s.fill(p, reply, b); err != nil {
		return fmt.Errorf("read a page of %s: %w", s.endpoint, err)
	}
	return nil
}
