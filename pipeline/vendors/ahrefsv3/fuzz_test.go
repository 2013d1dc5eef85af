package ahrefsv3

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/schemas"
)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, seed)) }

// FuzzReply gives every list what might come: reading it must not panic, and what it says is held must be what decoding
// leaves out.
func FuzzReply(f *testing.F) {
	for _, body := range []string{`{"anchors":[{"anchor":"a","refdomains":2},{"anchor":"b","refdomains":1}]}`, `{"anchors":[{"anchor":null,"refdomains":1e400}]}`, `{"anchors":[{}]}`, `{"anchors":[`} {
		for _, cursor := range []string{"", `{"step":"walk","order":["refdomains:desc","anchor:asc"],"at":[{"v":2}],"held":"AAAAAAAAAAA"}`,
			`{"step":"probe","order":["refdomains:desc","anchor:asc"],"at":[{"v":2},{"v":"x"}]}`,
			`{"step":"deep","order":["refdomains:desc","anchor:asc"],"at":[{"v":2}],"finer":["refpages:asc"],"added":["refpages"]}`} {
			f.Add([]byte(body), cursor, 2)
		}
	}
	s := &source{listing: anchors.listing()} // decoding takes no client
	q, err := anchors.ask(task("anchors", `{"select":"anchor,refdomains"}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte, cursor string, limit int) {
		p, err := q.place(pipeline.Cursor(cursor))
		if err != nil {
			return
		}
		x := q.at(p, limit, 0)
		path, err := q.query(x)
		if err != nil {
			t.Fatal(err)
		}
		page := pipeline.Page{Cursor: pipeline.Cursor(cursor), Request: []byte(path), Body: body}
		next, rejected, loaded, ok := q.follow(t, s, p, x, page)
		if !ok {
			return
		}
		if rejected+loaded != next {
			t.Fatalf("%d rows are new, %d were decoded, %d rejected", next, loaded, rejected)
		}
	})
}

// follow reads a page both ways; ok is false for one that is refused.
func (q *question) follow(t *testing.T, s *source, p place, x request, page pipeline.Page) (fresh, rejected, loaded int, ok bool) {
	reply, err := rows.Scan(page.Body, s.layout)
	if err != nil {
		return 0, 0, 0, false
	}
	turn, err := q.turnTo(p, x, reply)
	if err != nil {
		return 0, 0, 0, false
	}
	if !turn.end {
		if _, err := q.place(turn.next.cursor()); err != nil {
			t.Fatalf("the next cursor is refused: %v", err)
		}
	}
	b := schemas.NewBuilder(memory.DefaultAllocator, s.endpoint.Table)
	defer b.Release()
	b.Begin(schemas.Origin{Rank: 1})
	if err := s.Decode(page, b); err != nil {
		t.Fatal(err)
	}
	return reply.Count - turn.overlap, len(b.Rejected()), b.Len(), true
}

// FuzzRead: reading what was kept never panics, and what it refuses has a text. A page is kept only if it is one, or malformed.
func FuzzRead(f *testing.F) {
	for _, body := range []string{`{"anchors":[{"anchor":"a","refdomains":2}]}`, `["Error",["x"]]`, `{"error":{"status":429},"targets":[]}`, `{"domain_rating":{}}`, `[`, `<`} {
		f.Add([]byte(body), "site-explorer/anchors?limit=2&select=anchor", `{"step":"walk","order":["refdomains:desc","anchor:asc"],"at":[{"v":2}]}`, 200)
		f.Add([]byte(body), `{"targets":[{"url":"a.example"}]}`, "", 200)
	}
	all := Offline()
	f.Fuzz(func(t *testing.T, body []byte, request, cursor string, status int) {
		for _, s := range all {
			kept := pipeline.Page{Cursor: pipeline.Cursor(cursor), Request: []byte(request), Status: status, Body: body}
			page, err := s.Read(taskOf(s.Endpoint().Name), pipeline.Ask{}, kept)
			e := new(pipeline.Error)
			if err != nil && (!errors.As(err, &e) || e.Error() == "") {
				t.Fatalf("%s: %v", s.Endpoint(), err)
			}
			if err != nil && e.Kind != pipeline.Malformed && page.Body != nil {
				t.Fatalf("%s: a page with %v", s.Endpoint(), err)
			}
		}
	})
}

// FuzzCursor: whatever is taken for a cursor leads to a request that can be priced, and is spelled the same again.
func FuzzCursor(f *testing.F) {
	f.Add(`{"step":"walk","order":["domain_rating_source:desc","alt:asc","first_seen_link:asc","url_from:asc","url_to:asc","anchor:asc"],"at":[{"v":90.5}],"held":"AAAAAAAAAAA"}`)
	f.Add(`{"step":"past","order":["domain_rating_source:desc","alt:asc","first_seen_link:asc","url_from:asc","url_to:asc","anchor:asc"],"at":[{"v":90.5}]}`)
	f.Add(`{"step":"probe","order":["domain_rating_source:desc","alt:asc","first_seen_link:asc","url_from:asc","url_to:asc","anchor:asc"],"at":[{"v":1},{"v":null,"n":true},{"v":"2020-01-01T00:00:00Z"},{"v":"a"},{"v":"b"},{"v":""}]}`)
	q, err := allBacklinks.ask(task("all_backlinks", `{"select":"url_from,alt,first_seen_link","order_by":["domain_rating_source:desc","alt:asc"]}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := q.place(pipeline.Cursor(text))
		if err != nil || text == "" {
			return
		}
		again, err := q.place(p.cursor())
		if err != nil || again.cursor() != p.cursor() {
			t.Fatalf("%s becomes %s, %v", text, p.cursor(), err)
		}
		x := q.at(p, 1000, 0)
		if _, err := q.query(x); err != nil {
			t.Fatal(err)
		}
		if price, err := q.price(x); err != nil || price.Worst(1000) < 50 {
			t.Fatal(price, err)
		}
	})
}
