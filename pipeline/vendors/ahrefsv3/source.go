package ahrefsv3

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/pipeline/vendors/internal/wire"
	"backhaul/schemas"
)

// source is one endpoint, bought through one client.
type source struct {
	*listing
	client *Client
}

var _ pipeline.Source = (*source)(nil)

func (s *source) Endpoint() *pipeline.Endpoint { return s.endpoint }

// asked is one request, with what reading its reply takes.
type asked struct {
	method, path string
	body         []byte
	at           pipeline.Cursor
	price        pipeline.Price
	inputs       int // of a batch
	limit        int // of a list
	// turn fills in where the task goes on behind the reply. An error is what is wrong with the reply.
	turn func(page *pipeline.Page, reply rows.Reply) error
}

// sent is the request as a page keeps it.
func (a asked) sent() []byte {
	if a.body != nil {
		return a.body
	}
	return []byte(a.path)
}

// Fetch asks for one page: GET with a query, or POST for a batch.
func (s *source) Fetch(ctx context.Context, t pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	if fail := s.client.wire.Ready(); fail != nil {
		return pipeline.Page{}, fail
	}
	a, err := s.asks(t, ask, int(s.client.most.Load()))
	if err != nil {
		return pipeline.Page{}, s.rejected(err)
	}
	resp, fail := s.client.wire.Do(ctx, a.method, a.path, a.body)
	page, fail := s.read(a, a.sent(), resp, fail)
	if fail != nil {
		s.lower(fail, a.limit)
		return page, fail
	}
	return page, nil
}

// Read takes from the page's request how many rows, or targets, were asked for.
func (s *source) Read(t pipeline.Task, ask pipeline.Ask, p pipeline.Page) (pipeline.Page, error) {
	limit, err := s.limitOf(p, ask.Limit)
	if err != nil {
		return pipeline.Page{}, s.rejected(err)
	}
	a, err := s.asks(t, pipeline.Ask{Cursor: p.Cursor, Limit: limit}, limit)
	if err != nil {
		return pipeline.Page{}, s.rejected(err)
	}
	resp := wire.Kept(p)
	page, fail := s.read(a, p.Request, resp, s.client.wire.Judge(resp))
	if fail != nil {
		return page, fail
	}
	return page, nil
}

// limitOf reads from a page's request how many rows, or targets, it asked for; otherwise if it does not say.
func (s *source) limitOf(p pipeline.Page, otherwise int) (int, error) {
	if s.Kind == Batch {
		sent, err := targetsOf(p.Request)
		return len(sent), err
	}
	_, query, _ := strings.Cut(string(p.Request), "?")
	sent, err := url.ParseQuery(query)
	if err != nil {
		return 0, fmt.Errorf("read the request: %w", err)
	}
	if n, err := strconv.Atoi(sent.Get("limit")); err == nil && n > 0 {
		return n, nil
	}
	return otherwise, nil
}

// rejected is a request that cannot be made; of another order's cursor, a list that must start over.
func (s *source) rejected(err error) *pipeline.Error {
	if errors.Is(err, errForeign) {
		return &pipeline.Error{Kind: pipeline.Stale, Message: err.Error()}
	}
	return &pipeline.Error{Kind: pipeline.Rejected, Message: s.client.wire.Text(fmt.Sprintf("%s: %v", s.endpoint, err))}
}

// asks makes the request for the page of a task that is asked for. most is the largest limit Ahrefs is known to take, 0 if none
// is known.
func (s *source) asks(t pipeline.Task, ask pipeline.Ask, most int) (asked, error) {
	switch s.Kind {
	case List:
		return s.list(t, ask, most)
	case Batch:
		return s.batch(t, ask)
	}
	return s.single(t, ask)
}

func (s *source) list(t pipeline.Task, ask pipeline.Ask, most int) (asked, error) {
	q, err := s.ask(t)
	if err != nil {
		return asked{}, err
	}
	p, err := q.place(ask.Cursor)
	if err != nil {
		return asked{}, err
	}
	x := q.at(p, ask.Limit, most)
	a := asked{method: "GET", at: ask.Cursor, limit: x.limit, turn: func(page *pipeline.Page, reply rows.Reply) error {
		next, err := q.turnTo(p, x, reply)
		if err != nil {
			return err
		}
		page.Overlap, page.End = next.overlap, next.end
		if !next.end {
			page.Next = next.next.cursor()
			page.Tail = tail(q, ask.Cursor, reply)
		}
		return nil
	}}
	if a.path, err = q.query(x); err != nil {
		return asked{}, err
	}
	a.price, err = s.Price(Request{Target: t.Target, Select: x.sel, Where: q.where, OrderBy: x.order.terms()})
	return a, err
}

// lower makes the error of a limit that was refused one that passes, if a smaller one can be asked for.
func (s *source) lower(e *pipeline.Error, limit int) {
	if n := lower(e, limit); n > 0 {
		s.client.most.Store(int64(n))
		e.Kind = pipeline.Transient
		e.Message = s.client.wire.Text(fmt.Sprintf("%d rows are too many to ask for, %d are asked for from now on: %s", limit, n, e.Message))
	}
}

// answer is a reply with what its headers say.
type answer struct {
	rows.Reply
	wire.Response
}

// read makes a page of a reply; fail is what is wrong with it before its JSON is read.
func (s *source) read(a asked, sent []byte, resp wire.Response, fail *pipeline.Error) (pipeline.Page, *pipeline.Error) {
	page := pipeline.Page{Cursor: a.at, Request: sent, Status: resp.Status, Body: resp.Body, FetchedAt: resp.At}
	if fail == nil {
		fail = s.tell(&page, a, resp)
	}
	if fail != nil && fail.Kind != pipeline.Malformed {
		return pipeline.Page{}, fail
	}
	return page, fail
}

// tell fills in what the reply says about itself, what it costs, and where the task goes on.
func (s *source) tell(page *pipeline.Page, a asked, resp wire.Response) *pipeline.Error {
	reply, err := rows.Scan(resp.Body, s.layout)
	if fail := s.client.wire.Refusal(resp.Status, s.client.fault(reply, resp.Body), s.content(reply)); fail != nil {
		return fail
	}
	if err != nil {
		return s.client.wire.Unreadable(resp, err, errors.Is(err, rows.ErrCut))
	}
	page.Rows = reply.Count
	if fail := s.bill(page, answer{reply, resp}, a.price, a.inputs); fail != nil {
		return fail
	}
	if err := a.turn(page, reply); err != nil {
		return s.malformed(*page, err.Error())
	}
	return nil
}

// content is how much of what was asked for a reply has.
func (s *source) content(reply rows.Reply) wire.Content {
	switch {
	case s.Kind == Single:
		return wire.ContentOf(reply.Member(s.Envelope))
	case reply.Count == 0:
		return wire.Nothing
	}
	return wire.Rows
}

func (s *source) malformed(page pipeline.Page, text string) *pipeline.Error {
	return s.client.wire.Malformed(page.Status, text)
}

// bill enters what the reply cost: what Ahrefs says in its headers, and the price where it says nothing of use. A reply
// with another number of rows than it claims is not whole.
func (s *source) bill(page *pipeline.Page, a answer, rule pipeline.Price, inputs int) *pipeline.Error {
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
func (s *source) single(t pipeline.Task, ask pipeline.Ask) (asked, error) {
	a := asked{method: "GET", at: ask.Cursor, turn: func(page *pipeline.Page, _ rows.Reply) error {
		page.End = true
		return nil
	}}
	var err error
	if a.price, err = s.PriceOf(t, ask); err != nil {
		return asked{}, err
	}
	given, err := s.words(t)
	if err != nil {
		return asked{}, err
	}
	v := url.Values{}
	for name, word := range given {
		v.Set(name, word)
	}
	if s.endpoint.Asks != pipeline.AboutNothing {
		if t.Target == "" {
			return asked{}, errors.New("the task has no target")
		}
		v.Set("target", t.Target)
	}
	if s.endpoint.Param("date") != nil && given["date"] == "" {
		v.Set("date", s.client.now().UTC().AddDate(0, 0, -1).Format("2006-01-02"))
	}
	v.Set("output", "json")
	a.path = s.Path + "?" + encoded(v)
	return a, nil
}

// Decode appends the rows that the chain does not hold yet.
func (s *source) Decode(p pipeline.Page, b *schemas.Builder) error {
	reply, err := rows.Scan(p.Body, s.layout)
	if err != nil {
		return fmt.Errorf("read a reply of %s: %w", s.endpoint, err)
	}
	switch {
	case s.Kind == Batch:
		return s.decodeBatch(p, reply, b)
	case s.Kind != List || p.Cursor == "" || p.Cursor.Imported():
		return s.shape.Load(reply, b)
	}
	dropped, err := s.held(p, reply)
	if err != nil {
		return fmt.Errorf("read a reply of %s: %w", s.endpoint, err)
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
			b.Reject(i, raw, err)
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
