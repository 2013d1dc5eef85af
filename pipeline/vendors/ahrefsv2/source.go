package ahrefsv2

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

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

// Fetch asks for one page: GET base/?from=…. A refusal comes with status 200 too, and is told by its header X-Status or by
// its body.
func (s *source) Fetch(ctx context.Context, t pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	if s.wire == nil {
		return pipeline.Page{}, &pipeline.Error{Kind: pipeline.Denied, Message: "no credentials: this source only reads what was bought"}
	}
	query, limit, offset, err := s.query(t, ask)
	if err != nil {
		return pipeline.Page{}, &pipeline.Error{Kind: pipeline.Rejected, Message: s.wire.Text(err.Error())}
	}
	resp, fail := s.wire.Do(ctx, "GET", "?"+query, nil)
	page := pipeline.Page{Cursor: ask.Cursor, Request: []byte(query), Status: resp.Status, Body: resp.Body, FetchedAt: resp.At}
	switch {
	case fail != nil && fail.Kind == pipeline.Malformed:
		return page, fail
	case fail != nil:
		return pipeline.Page{}, fail
	}
	if page, err = s.read(page, resp); err != nil {
		return page, err
	}
	price, err := s.price(t, ask)
	if err != nil { // it was read before
		return page, &pipeline.Error{Kind: pipeline.Malformed, Status: page.Status, MaybeCharged: true, Message: s.wire.Text(err.Error())}
	}
	page.Units = price.Actual(pipeline.Reply{Rows: page.Rows})
	page.End = s.one || ended(resp, offset, page.Rows, limit)
	if !page.End {
		page.Next = pipeline.Cursor(strconv.FormatInt(offset+int64(page.Rows), 10))
	}
	return page, nil
}

// read tells a page from a refusal and counts its rows.
func (s *source) read(page pipeline.Page, resp wire.Response) (pipeline.Page, error) {
	reply, err := s.scan(page.Body)
	text, refused := refusal(page.Body)
	refused = refused && (err != nil || reply.Count == 0) || strings.EqualFold(resp.Header.Get("X-Status"), "error")
	switch {
	case refused:
		said := s.wire.Say(page.Body)
		if text == "" {
			text = said
		}
		return pipeline.Page{}, &pipeline.Error{Kind: classify(text), Status: page.Status, Message: said}
	case errors.Is(err, rows.ErrCut):
		// Its length matched what was announced, so it was cut before it was measured. Asked again it may be whole.
		return pipeline.Page{}, &pipeline.Error{Kind: pipeline.Transient, Status: page.Status, MaybeCharged: true, Message: s.wire.Text(err.Error())}
	case err != nil:
		return page, &pipeline.Error{Kind: pipeline.Malformed, Status: page.Status, MaybeCharged: true,
			Message: s.wire.Text(err.Error() + "; the reply says: " + s.wire.Say(page.Body))}
	}
	page.Rows = reply.Count
	return page, nil
}

// refusal finds the text of a refusal in a body.
func refusal(body []byte) (text string, refused bool) {
	var reply struct {
		Error string `json:"error"`
	}
	err := json.Unmarshal(body, &reply)
	return reply.Error, err == nil && reply.Error != ""
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
		if text, refused := refusal(body); refused {
			err = fmt.Errorf("%w; it is a refusal: %s", err, text)
		}
		return fmt.Errorf("read a page of %s: %w", s.endpoint, err)
	}
	return s.shape.Load(reply, b)
}

// Recognises reports whether a reply whose request is not known can be of this endpoint: it has the member with the rows,
// where that is documented, and its rows do not have members that only v3 calls so.
func (s *source) Recognises(body []byte) bool {
	if s.tables[0].Envelope == "" {
		return false
	}
	body, err := s.json(body)
	if err != nil {
		return false
	}
	reply, err := s.scan(body)
	if err != nil {
		return false
	}
	for _, row := range reply.Rows() {
		first, err := rows.Scan(row, rows.Layout{One: true})
		return err == nil && !slices.ContainsFunc(s.aliases, func(a alias) bool {
			_, both := s.types[a.column]
			return !both && first.Member(a.column) != nil
		})
	}
	return true
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

// scan checks a reply and finds its rows.
func (r *report) scan(body []byte) (rows.Reply, error) {
	envelope := r.tables[0].Envelope
	if envelope == "" {
		var err error
		if envelope, err = r.find(body); err != nil {
			return rows.Reply{}, err
		}
	}
	return rows.Scan(body, rows.Layout{List: envelope, One: r.one})
}

// find returns the member that holds the rows of a table whose replies nobody recorded: the only list there is, or the
// only object.
func (r *report) find(body []byte) (string, error) {
	if _, err := rows.Scan(body, rows.Layout{One: true}); err != nil {
		return "", err
	}
	var members map[string]jsontext.Value
	if err := json.Unmarshal(body, &members); err != nil {
		return "", fmt.Errorf("not strict JSON: %w", err)
	}
	want := jsontext.Kind('[')
	if r.one {
		want = '{'
	}
	var found []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if members[name].Kind() == want && name != "stats" {
			found = append(found, name)
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("want one member with the rows, got %d: %s", len(found), join(found))
	}
	return found[0], nil
}
