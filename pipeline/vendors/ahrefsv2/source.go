package ahrefsv2

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
	*report
	wire *wire.Client
}

var _ pipeline.Source = (*source)(nil)

func (s *source) Endpoint() *pipeline.Endpoint { return s.endpoint }

// question is one request, with what reading its reply takes.
type question struct {
	query  string
	at     pipeline.Cursor
	limit  int
	offset int64
	price  pipeline.Price
}

// Fetch asks for one page: GET base/?from=…. A refusal comes with status 200 too, and is told by its header X-Status or by
// its body.
func (s *source) Fetch(ctx context.Context, t pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	if fail := s.wire.Ready(); fail != nil {
		return pipeline.Page{}, fail
	}
	q, err := s.asks(t, ask)
	if err != nil {
		return pipeline.Page{}, s.rejected(err)
	}
	resp, fail := s.wire.Do(ctx, "GET", "?"+q.query, nil)
	return s.page(q, []byte(q.query), resp, fail)
}

// Read takes from the page's request how many rows were asked for.
func (s *source) Read(t pipeline.Task, ask pipeline.Ask, p pipeline.Page) (pipeline.Page, error) {
	sent, err := url.ParseQuery(string(p.Request))
	if err != nil {
		return pipeline.Page{}, s.rejected(fmt.Errorf("read the request: %w", err))
	}
	if n, err := strconv.Atoi(sent.Get("limit")); err == nil && n > 0 {
		ask.Limit = n
	}
	q, err := s.asks(t, pipeline.Ask{Cursor: p.Cursor, Limit: ask.Limit})
	if err != nil {
		return pipeline.Page{}, s.rejected(err)
	}
	resp := wire.Kept(p)
	return s.page(q, p.Request, resp, s.wire.Judge(resp))
}

func (s *source) rejected(err error) *pipeline.Error {
	return &pipeline.Error{Kind: pipeline.Rejected, Message: s.wire.Text(err.Error())}
}

// asks makes the request for the page of a task that is asked for.
func (s *source) asks(t pipeline.Task, ask pipeline.Ask) (question, error) {
	q := question{at: ask.Cursor}
	var err error
	if q.query, q.limit, q.offset, err = s.query(t, ask); err != nil {
		return q, err
	}
	q.price, err = s.price(t, ask)
	return q, err
}

// page makes a page of a reply; fail is what is wrong with it before its JSON is read.
func (s *source) page(q question, sent []byte, resp wire.Response, fail *pipeline.Error) (pipeline.Page, error) {
	page := pipeline.Page{Cursor: q.at, Request: sent, Status: resp.Status, Body: resp.Body, FetchedAt: resp.At}
	if fail == nil {
		fail = s.tell(&page, q, resp)
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

// tell tells a page from a refusal, counts its rows, and fills in what it costs and where the list goes on.
func (s *source) tell(page *pipeline.Page, q question, resp wire.Response) *pipeline.Error {
	reply, err := s.scan(resp.Body)
	if fail := s.wire.Refusal(resp.Status, refusal(s.wire, reply, resp), s.content(reply, err)); fail != nil {
		return fail
	}
	if err != nil {
		return s.wire.Unreadable(resp, err, errors.Is(err, rows.ErrCut))
	}
	page.Rows = reply.Count
	page.Units = q.price.Actual(pipeline.Reply{Rows: page.Rows})
	page.End = s.one || ended(resp, q.offset, page.Rows, q.limit)
	if !page.End {
		page.Next = pipeline.Cursor(strconv.FormatInt(q.offset+int64(page.Rows), 10))
	}
	return nil
}

// content is how much of what was asked for a reply has.
func (r *report) content(reply rows.Reply, err error) wire.Content {
	if err != nil || reply.Count == 0 {
		return wire.Nothing
	}
	for _, raw := range reply.Rows() {
		if r.one {
			return wire.ContentOf(raw)
		}
		break
	}
	return wire.Rows
}

// refusal finds what a reply says went wrong, or returns nil: in its body, or, if the header says that something did, whatever
// the body is.
func refusal(w *wire.Client, reply rows.Reply, resp wire.Response) *wire.Fault {
	f := w.Fault(reply.Members())
	told := strings.EqualFold(resp.Header.Get("X-Status"), "error")
	switch {
	case f == nil && !told:
		return nil
	case f == nil:
		f = &wire.Fault{Text: w.Say(resp.Body)}
	}
	f.Note = f.Note && !told
	f.Kind = classify(f.Text)
	return f
}

// ended says whether the list ends with a page. One with fewer rows than asked for is the last; behind a full one there may
// be nothing, which only asking tells. X-Results-Count was seen to be the number of rows in the reply; should a server
// count the whole list there instead, that counts.
func ended(resp wire.Response, offset int64, got, limit int) bool {
	if got == 0 {
		return true
	}
	if total, err := strconv.ParseInt(resp.Header.Get("X-Results-Count"), 10, 64); err == nil && total > int64(got) {
		return offset+int64(got) >= total
	}
	return got < limit
}

// Decode reads replies in JSON, and in XML as archives have them.
func (s *source) Decode(p pipeline.Page, b *schemas.Builder) error {
	body, err := s.json(p.Body)
	if err != nil {
		return fmt.Errorf("read a page of %s: %w", s.endpoint, err)
	}
	for _, side := range s.also {
		if side.table == b.Table() {
			return side.load(body, p, b)
		}
	}
	reply, err := s.scan(body)
	if err != nil {
		if f := s.wire.Fault(reply.Members()); f != nil && !f.Note {
			err = fmt.Errorf("%w; it is a refusal: %s", err, f.Text)
		}
		return fmt.Errorf("read a page of %s: %w", s.endpoint, err)
	}
	return s.shape.LoadEach(reply, b, func(_ int, row *schemas.Row) (bool, error) {
		s.follow(row)
		return true, nil
	})
}

// follow fills in is_dofollow, of which v2 has the opposite alone: that the link has none of the attributes that ask not to
// follow it. Later replies have members for all three of them.
func (r *report) follow(row *schemas.Row) {
	t := r.endpoint.Table
	does, not, ugc, sponsored := t.Index("is_dofollow"), t.Index("is_nofollow"), t.Index("is_ugc"), t.Index("is_sponsored")
	if does < 0 || !row.Null(does) || not < 0 || row.Null(not) {
		return
	}
	row.SetBool(does, !row.Bool(not) && !row.Bool(ugc) && !row.Bool(sponsored))
}

// Recognises reports whether a reply whose request is not known can be of this endpoint: it has the member with the rows,
// where that is documented.
func (s *source) Recognises(body []byte) bool {
	if s.tables[0].Envelope == "" {
		return false
	}
	body, err := s.json(body)
	if err == nil {
		_, err = s.scan(body)
	}
	return err == nil
}

// load reads what stands beside the rows. It is of the whole list and repeated on every page, so the first page's counts.
func (s side) load(body []byte, p pipeline.Page, b *schemas.Builder) error {
	reply, err := rows.Scan(body, rows.Layout{One: true})
	if err != nil {
		return fmt.Errorf("read %s of a page of %s: %w", s.member, s.table.FullName(), err)
	}
	if p.Cursor != "" || reply.Member(s.member) == nil {
		return nil
	}
	if reply, err = rows.Scan(body, rows.Layout{List: s.member, One: true}); err != nil {
		return fmt.Errorf("read %s: %w", s.table.FullName(), err)
	}
	return s.shape.Load(reply, b)
}

// scan checks a reply and finds its rows. What is strict JSON has its members, whatever the error.
func (r *report) scan(body []byte) (rows.Reply, error) {
	if envelope := r.tables[0].Envelope; envelope != "" {
		return rows.Scan(body, rows.Layout{List: envelope, One: r.one})
	}
	reply, err := rows.Scan(body, rows.Layout{One: true})
	if err != nil {
		return reply, err
	}
	envelope, err := r.find(reply)
	if err != nil {
		reply.Count = 0
		return reply, err
	}
	return rows.Scan(body, rows.Layout{List: envelope, One: r.one})
}

// beside are members of a reply that are never its rows.
var beside = []string{"stats", "error", "error_message", "errors", "message"}

// find returns the member that holds the rows of a table whose replies nobody recorded: the only list there is, or the
// only object.
func (r *report) find(reply rows.Reply) (string, error) {
	opening := byte('[')
	if r.one {
		opening = '{'
	}
	var found []string
	for name, value := range reply.Members() {
		if len(value) > 0 && value[0] == opening && !slices.Contains(beside, name) {
			found = append(found, name)
		}
	}
	if len(found) != 1 {
		slices.Sort(found)
		return "", fmt.Errorf("want one member with the rows, got %d: %s", len(found), join(found))
	}
	return found[0], nil
}
