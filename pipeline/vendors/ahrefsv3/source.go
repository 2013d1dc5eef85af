package ahrefsv3

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/pipeline/vendors/internal/wire"
	"backhaul/schemas"
)

// source is one endpoint, bought through one client.
type source struct {
	*listing
	client *Client // nil: offline
}

var _ pipeline.Source = (*source)(nil)

func (s *source) Endpoint() *pipeline.Endpoint { return s.endpoint }

// Fetch asks for one page: GET with a query, or POST for a batch.
func (s *source) Fetch(ctx context.Context, t pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	if s.client == nil {
		return pipeline.Page{}, &pipeline.Error{Kind: pipeline.Denied, Message: "no credentials: this source only reads what was bought"}
	}
	switch s.Kind {
	case List:
		return s.list(ctx, t, ask)
	case Batch:
		return s.batch(ctx, t, ask)
	}
	return s.single(ctx, t, ask)
}

func (s *source) rejected(err error) *pipeline.Error {
	return &pipeline.Error{Kind: pipeline.Rejected, Message: s.client.wire.Text(fmt.Sprintf("%s: %v", s.endpoint, err))}
}

func (s *source) list(ctx context.Context, t pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	q, err := s.ask(t)
	if err != nil {
		return pipeline.Page{}, s.rejected(err)
	}
	p, err := q.place(ask.Cursor)
	if errors.Is(err, errForeign) {
		return pipeline.Page{}, &pipeline.Error{Kind: pipeline.Stale, Message: err.Error()}
	}
	if err != nil {
		return pipeline.Page{}, s.rejected(err)
	}
	x := q.at(p, ask.Limit, int(s.client.most.Load()))
	path, err := q.query(x)
	if err != nil {
		return pipeline.Page{}, s.rejected(err)
	}
	page, reply, err := s.exchange(ctx, "GET", path, nil, ask.Cursor)
	if err != nil {
		return page, s.lowered(err, x.limit)
	}
	rule, err := s.Price(Request{Target: t.Target, Select: x.sel, Where: q.where, OrderBy: x.order.terms()})
	if err != nil {
		return pipeline.Page{}, s.rejected(err)
	}
	if err := s.bill(&page, reply, rule, 0); err != nil {
		return page, err
	}
	next, err := q.turnTo(p, x, reply.Reply)
	if err != nil {
		return page, s.malformed(page, err.Error())
	}
	page.Overlap, page.End = next.overlap, next.end
	if !next.end {
		page.Next = next.next.cursor()
		page.Tail = tail(q, ask.Cursor, reply.Reply)
	}
	return page, nil
}

// lowered makes the error of a limit that was refused one that passes, if a smaller one can be asked for.
func (s *source) lowered(err error, limit int) error {
	var e *pipeline.Error
	if !errors.As(err, &e) {
		return err
	}
	if n := lower(e, limit); n > 0 {
		s.client.most.Store(int64(n))
		e.Kind = pipeline.Transient
		e.Message = s.client.wire.Text(fmt.Sprintf("%d rows are too many to ask for, %d are asked for from now on: %s", limit, n, e.Message))
	}
	return err
}

// answer is a reply with what its headers say.
type answer struct {
	rows.Reply
	wire.Response
}

// exchange makes the request. The error is that of Fetch, and the page what goes with it.
func (s *source) exchange(ctx context.Context, method, path string, body []byte, at pipeline.Cursor) (pipeline.Page, answer, error) {
	w := s.client.wire
	sent := body
	if body == nil {
		sent = []byte(path)
	}
	resp, fail := w.Do(ctx, method, path, body)
	page := pipeline.Page{Cursor: at, Request: sent, Status: resp.Status, Body: resp.Body, FetchedAt: resp.At}
	switch {
	case fail == nil:
	case fail.Kind == pipeline.Malformed:
		return page, answer{}, fail
	default:
		return pipeline.Page{}, answer{}, fail
	}
	reply, err := rows.Scan(page.Body, s.layout)
	switch {
	case errors.Is(err, rows.ErrCut):
		// Its length matched what was announced, so it was cut before it was measured. Asked again it may be whole.
		return pipeline.Page{}, answer{}, &pipeline.Error{Kind: pipeline.Transient, Status: page.Status, MaybeCharged: true, Message: w.Text(err.Error())}
	case err != nil:
		text := err.Error()
		if said := w.Say(page.Body); said != "" {
			text += "; the reply says: " + said
		}
		return page, answer{}, s.malformed(page, text)
	}
	page.Rows = reply.Count
	return page, answer{reply, resp}, nil
}

func (s *source) malformed(page pipeline.Page, text string) *pipeline.Error {
	return &pipeline.Error{Kind: pipeline.Malformed, Status: page.Status, MaybeCharged: true, Message: s.client.wire.Text(text)}
}

// bill enters what the reply cost: what Ahrefs says in its headers, and the price where it says nothing of use. A reply
// with another number of rows than it claims is not whole.
func (s *source) bill(page *pipeline.Page, a answer, rule pipeline.Price, inputs int) error {
	page.Cache = a.Header.Get("x-api-cache")
	reply := pipeline.Reply{Inputs: inputs, Rows: page.Rows, Cached: page.Cache == "hit"}
	b, err := ReadBill(a.Header.Get)
	if err != nil {
		page.Units, page.Listed = rule.Actual(reply), rule.Total(reply)
		return nil
	}
	page.Units, page.Listed = b.Actual, b.Total
	if claimed := b.Rows; s.Kind != Series && claimed != page.Rows {
		return s.malformed(*page, fmt.Sprintf("x-api-rows is %d, but the reply has %d rows", claimed, page.Rows))
	}
	return nil
}

// tail is what a list is sorted by, as it stands at the end of the first page, where that is a number that descends.
func tail(q *question, at pipeline.Cursor, reply rows.Reply) float64 {
	if at != "" || !q.order[0].desc || q.order[0].Type != Integer {
		return 0
	}
	all, err := readRows(reply, q.order[:1], nil)
	if err != nil || len(all) == 0 {
		return 0
	}
	return all[len(all)-1].at[0].number()
}

// single asks for what one request brings whole.
func (s *source) single(ctx context.Context, t pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	rule, err := s.PriceOf(t, ask)
	if err != nil {
		return pipeline.Page{}, s.rejected(err)
	}
	given, err := s.words(t)
	if err != nil {
		return pipeline.Page{}, s.rejected(err)
	}
	v := url.Values{}
	for name, word := range given {
		v.Set(name, word)
	}
	if s.endpoint.Asks != pipeline.AboutNothing {
		if t.Target == "" {
			return pipeline.Page{}, s.rejected(errors.New("the task has no target"))
		}
		v.Set("target", t.Target)
	}
	if s.endpoint.Param("date") != nil && given["date"] == "" {
		v.Set("date", s.client.now().UTC().AddDate(0, 0, -1).Format("2006-01-02"))
	}
	v.Set("output", "json")
	page, reply, err := s.exchange(ctx, "GET", s.Path+"?"+encoded(v), nil, ask.Cursor)
	if err != nil {
		return page, err
	}
	page.End = true
	err = s.bill(&page, reply, rule, 0)
	return page, err
}

// Decode appends the rows that the chain does not hold yet.
func (s *source) Decode(p pipeline.Page, b *schemas.Builder) error {
	reply, err := rows.Scan(p.Body, s.layout)
	if err != nil {
		return fmt.Errorf("read a page of %s: %w", s.endpoint, err)
	}
	switch {
	case s.Kind == Batch:
		return s.decodeBatch(p, reply, b)
	case s.Kind != List || p.Cursor == "" || p.Cursor.Imported():
		return s.shape.Load(reply, b)
	}
	dropped, err := s.held(p, reply)
	if err != nil {
		return fmt.Errorf("read a page of %s: %w", s.endpoint, err)
	}
	return s.load(reply, b, func(i int) bool { return !dropped[i] })
}

// load appends the rows that want says are wanted. It does not look at the others, so that one that does not fit is
// rejected where it came first.
func (s *source) load(reply rows.Reply, b *schemas.Builder, want func(i int) bool) error {
	for i, raw := range reply.Rows() {
		if b.Full() {
			return nil
		}
		if !want(i) {
			continue
		}
		row := b.Row()
		if err := s.shape.Decode(raw, row); err != nil {
			b.Reject(i, raw, err.Error())
			continue
		}
		b.Append()
	}
	return nil
}

// held marks the rows of a page that the chain holds, by what its cursor says of them.
func (s *source) held(p pipeline.Page, reply rows.Reply) ([]bool, error) {
	_, query, _ := strings.Cut(string(p.Request), "?")
	sent, err := url.ParseQuery(query)
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	at, err := readPlace(p.Cursor)
	if err != nil {
		return nil, err
	}
	var selected []string
	for name := range strings.SplitSeq(sent.Get("select"), ",") {
		if !slices.Contains(at.Added, name) {
			selected = append(selected, name)
		}
	}
	all, err := readRows(reply, nil, s.identity(selected))
	if err != nil {
		return nil, err
	}
	dropped, _ := drop(all, at.known())
	if at.Step == probe || at.Step == check {
		for i := range dropped {
			dropped[i] = true
		}
	}
	return dropped, nil
}
