package sourcetest

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/schemas"
)

// most is how many pages a task of a case may take.
const most = 100

// pages buys the task to its end: each page by one request and within its price, whole, and read again from what is kept of it.
func (r run) pages(t *testing.T) (pages []pipeline.Page) {
	t.Helper()
	s, v := r.serve(t, nil)
	ask, places := r.c.ask(), map[pipeline.Cursor]bool{}
	for !places[ask.Cursor] && len(pages) < most {
		places[ask.Cursor] = true
		price, err := s.Endpoint().PriceOf(r.c.Task, ask)
		if err != nil {
			t.Fatalf("price at %q: %v", ask.Cursor, err)
		}
		before, _ := v.seen()
		page, err := s.Fetch(t.Context(), r.c.Task, ask)
		if err != nil {
			t.Fatalf("page at %q: %v", ask.Cursor, err)
		}
		after, body := v.seen()
		if after != before+1 {
			t.Fatalf("page at %q: %d requests", ask.Cursor, after-before)
		}
		if worst := price.Worst(r.limit(s)); page.Units > worst {
			t.Errorf("page at %q: %d units, at most %d by its price", ask.Cursor, page.Units, worst)
		}
		r.whole(t, page, ask, body)
		r.again(t, page)
		r.decoded(t, page, len(pages) == 0)
		if pages = append(pages, page); page.End {
			r.parts(t, s.Endpoint(), pages)
			return pages
		}
		ask.Cursor = page.Next
	}
	t.Fatalf("after %d pages the list has not ended, and is at %q", len(pages), ask.Cursor)
	return nil
}

func (r run) limit(s pipeline.Source) int {
	if r.c.Limit > 0 {
		return r.c.Limit
	}
	return s.Endpoint().PageSize
}

// whole: the page is what arrived, where and when it was asked for.
func (r run) whole(t *testing.T, page pipeline.Page, ask pipeline.Ask, body []byte) {
	t.Helper()
	if !bytes.Equal(page.Body, body) || page.Status != 200 || page.Cursor != ask.Cursor || len(page.Request) == 0 {
		t.Errorf("page at %q: status %d, cursor %q, request %q, %d bytes of %d", ask.Cursor, page.Status, page.Cursor, page.Request, len(page.Body), len(body))
	}
	if !page.FetchedAt.Equal(arrival) || page.FetchedAt.Location() != time.UTC {
		t.Errorf("page at %q arrived at %v", ask.Cursor, page.FetchedAt)
	}
	if page.Rows < 0 || page.Overlap < 0 || page.Overlap > page.Rows || page.Units < 0 {
		t.Errorf("page at %q: %d rows, %d of them again, %d units", ask.Cursor, page.Rows, page.Overlap, page.Units)
	}
	r.clean(t, "request", fmt.Errorf("%s", page.Request))
}

// kept is what is kept of a page.
func kept(p pipeline.Page) pipeline.Page {
	return pipeline.Page{Cursor: p.Cursor, Request: p.Request, Status: p.Status, Body: p.Body, FetchedAt: p.FetchedAt}
}

// again: a page is read from what is kept of it as it was fetched, but for what only headers said.
func (r run) again(t *testing.T, page pipeline.Page) {
	t.Helper()
	again, err := r.offline(t).Read(r.c.Task, pipeline.Ask{Cursor: page.Cursor}, kept(page))
	if r.cfg.BillInHeaders {
		page.Units, page.Listed, page.Cache = again.Units, again.Listed, again.Cache
	}
	if err != nil || !reflect.DeepEqual(page, again) && cmp.Diff(page, again) != "" { // which takes a hundred times as long
		t.Errorf("page at %q, read again: %v %s", page.Cursor, err, cmp.Diff(page, again))
	}
}

// decoded: decoding gives the same rows each time, leaves the page as it was, and loads or rejects every row that is new.
func (r run) decoded(t *testing.T, page pipeline.Page, first bool) {
	t.Helper()
	s := r.offline(t)
	body := bytes.Clone(page.Body)
	for _, table := range s.Endpoint().Tables() {
		rows, rejected, err := decode(t, s, table, page)
		if err != nil || len(rejected) > 0 {
			t.Errorf("%s: page at %q: %v, rejected %v", table.FullName(), page.Cursor, err, rejected)
		}
		if fresh := page.Rows - page.Overlap; table == s.Endpoint().Table && len(rows) != fresh && !(r.c.Stages && !first) {
			t.Errorf("%s: page at %q: %d rows of %d", table.FullName(), page.Cursor, len(rows), fresh)
		}
		if again, _, err := decode(t, s, table, page); err != nil || !slices.Equal(rows, again) {
			t.Errorf("%s: page at %q, decoded once more: %v %s", table.FullName(), page.Cursor, err, cmp.Diff(rows, again))
		}
	}
	if !bytes.Equal(body, page.Body) {
		t.Errorf("decoding changed the page at %q", page.Cursor)
	}
}

// decode returns a page's rows as text.
func decode(t *testing.T, s pipeline.Source, table *schemas.Table, page pipeline.Page) (rows []string, rejected []schemas.Rejection, err error) {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	rows, rejected, _, err = decodeAll(mem, s, table, page)
	return rows, rejected, err
}

// decodeAll also returns how the rows differ from what their table expects.
func decodeAll(mem memory.Allocator, s pipeline.Source, table *schemas.Table, page pipeline.Page) (rows []string, rejected []schemas.Rejection, drift []schemas.Drift, err error) {
	b := schemas.NewBuilder(mem, table)
	defer b.Release()
	b.Begin(schemas.Origin{Rank: 1, Target: "a.example", TargetAsGiven: "a.example"})
	err = s.Decode(page, b)
	batch := b.Batch()
	defer batch.Release()
	for i := range int(batch.NumRows()) {
		var cells []string
		for j := range int(batch.NumCols()) {
			cells = append(cells, batch.Column(j).ValueStr(i))
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
	return rows, b.Rejected(), b.Drift(), err
}

// parts: the requests of a batch are about all its inputs, each once, in their order.
func (r run) parts(t *testing.T, e *pipeline.Endpoint, pages []pipeline.Page) {
	t.Helper()
	if !e.Asks.Batched() || r.c.Stages {
		return
	}
	var want, got []string
	for _, in := range r.c.Task.Inputs {
		want = append(want, in.Target+in.Source)
	}
	for _, page := range pages {
		for _, name := range want {
			if bytes.Contains(page.Request, []byte(`"`+name+`"`)) {
				got = append(got, name)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(pages) < 2 {
		t.Errorf("%d parts: %s", len(pages), diff)
	}
}

// together: a source may be asked by many at once.
func (r run) together(t *testing.T) {
	s, _ := r.serve(t, nil)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			page, err := r.first(t.Context(), s)
			if err != nil {
				t.Error(err)
				return
			}
			r.decoded(t, page, true)
		})
	}
	wait.Wait()
}
