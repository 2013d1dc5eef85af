package journaltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/journal"
)

// page returns one of a list, with so many rows, which goes on.
func page(seq, rows int) pipeline.Page {
	p := pipeline.Page{
		Seq: seq, Request: []byte(`{"target":"a.example"}`), Status: 200, Rows: rows, Units: pipeline.Units(rows),
		FetchedAt: time.Date(2026, 11, 23, 2, 0, seq, 123000, time.UTC),
		Body:      bytes.Repeat(fmt.Appendf(nil, `{"anchor_text":"page %d"},`, seq), rows),
		Next:      pipeline.Cursor(fmt.Sprint("token-", seq)),
	}
	if seq > 0 {
		p.Cursor = pipeline.Cursor(fmt.Sprint("token-", seq-1))
	}
	return p
}

// pagesOf returns the first pages of a list.
func pagesOf(n int) []pipeline.Page {
	pages := make([]pipeline.Page, n)
	for seq := range pages {
		pages[seq] = page(seq, 3)
	}
	return pages
}

// each yields the pages, and the error behind them, if there is one.
func each(pages []pipeline.Page, err error) iter.Seq2[pipeline.Page, error] {
	return func(yield func(pipeline.Page, error) bool) {
		for _, p := range pages {
			if !yield(p, nil) {
				return
			}
		}
		if err != nil {
			yield(pipeline.Page{}, err)
		}
	}
}

// append adds tasks and gives the first of them pages.
func (r *try) append(pages []pipeline.Page, ids ...string) {
	r.t.Helper()
	r.must(r.j.AddTasks(r.ctx(), tasks(ids...)))
	for _, p := range pages {
		r.must(r.j.Append(r.ctx(), ids[0], p))
	}
}

// has fails where a task has other pages.
func (r *try) has(id string, want []pipeline.Page) {
	r.t.Helper()
	got, err := collect(r.j.Pages(r.ctx(), id))
	r.must(err)
	r.same("pages of "+id, want, got)
}

func (r *try) reopened() {
	want := pagesOf(5)
	want[4].End, want[4].Next = true, ""
	r.append(want, "z", "a")
	r.must(r.j.AddAttempt(r.ctx(), "z", pipeline.Attempt{Seq: 5, At: header.Created, Kind: pipeline.Transient, MaybeUnits: 50, Message: "cut"}))
	r.harm(func() {})
	r.has("z", want)
	r.has("a", nil)
	places, err := r.j.Places(r.ctx())
	r.must(err)
	r.same("places", map[string]pipeline.Place{
		"z": {Pages: 5, Rows: 15, ChainRows: 15, Units: 15, MaybeUnits: 50, Attempts: 1, End: true, Fetched: want[4].FetchedAt, LastRows: 3},
	}, places)
	all, err := r.j.Tasks(r.ctx())
	r.must(err)
	r.same("tasks", tasks("z", "a"), all)
	r.same("header", header, r.j.Header())
	r.must(r.j.Check(r.ctx()))
}

func (r *try) killed() {
	want := pagesOf(3)
	r.append(want, "a")
	r.must(r.j.AddAttempt(r.ctx(), "a", unreadable(3, "<html>")))
	left, err := r.cfg.Open(r.ctx(), r.cfg.Killed(r.t, r.place), header)
	r.must(err)
	got, err := collect(left.Pages(r.ctx(), "a"))
	r.must(err)
	r.same("pages", want, got)
	places, err := left.Places(r.ctx())
	r.must(err)
	r.same("place", pipeline.Place{Pages: 3, Rows: 9, ChainRows: 9, Units: 9, Next: "token-2", Fetched: want[2].FetchedAt, LastRows: 3,
		Attempts: 1, Unreadable: 1, MaybeUnits: 50}, places["a"])
	r.must(left.Close())
}

func (r *try) together() {
	const lists, pages = 16, 20
	var ids []string
	for i := range lists {
		ids = append(ids, fmt.Sprint("t", i))
	}
	r.append(nil, ids...)
	var work sync.WaitGroup
	for _, id := range ids {
		work.Go(func() {
			for seq := range pages {
				if err := r.j.Append(r.ctx(), id, page(seq, 3)); err != nil {
					r.t.Error(err)
				}
				if err := r.j.Append(r.ctx(), id, page(seq, 3)); err == nil {
					r.t.Errorf("page %d of %s was taken twice", seq, id)
				}
			}
		})
	}
	work.Wait()
	r.harm(func() {})
	for _, id := range ids {
		r.has(id, pagesOf(pages))
	}
	r.must(r.j.Check(r.ctx()))
}

func (r *try) growing() {
	r.append(nil, "a")
	want := pagesOf(200)
	ctx, done := context.WithCancel(r.ctx())
	var writer sync.WaitGroup
	writer.Go(func() {
		defer done()
		for _, p := range want {
			if err := r.j.Append(r.ctx(), "a", p); err != nil {
				r.t.Error(err)
			}
		}
	})
	for read := 0; ctx.Err() == nil && !r.t.Failed(); {
		got, err := collect(r.j.Pages(r.ctx(), "a"))
		if err != nil || len(got) < read {
			r.t.Errorf("%d pages after %d, %v", len(got), read, err)
		}
		read = len(got)
		r.same("pages so far", want[:read], append([]pipeline.Page{}, got...))
	}
	writer.Wait()
	r.has("a", want)
}

func (r *try) twice() {
	r.append(pagesOf(2), "a")
	for seq := range 2 {
		other := page(seq, 7)
		if err := r.j.Append(r.ctx(), "a", other); err == nil {
			r.t.Errorf("a second page %d was taken", seq)
		}
	}
	r.has("a", pagesOf(2))
	r.same("units", pipeline.Units(6), r.at("a").Units)
}

func (r *try) ended() {
	r.append(pagesOf(1), "a")
	ctx, cancel := context.WithCancel(r.ctx())
	cancel()
	want := pagesOf(2)
	if err := r.j.Append(ctx, "a", want[1]); err != nil {
		r.must(r.j.Append(r.ctx(), "a", want[1])) // so nothing of it was kept
	}
	r.has("a", want)
	if got, err := collect(r.j.Pages(ctx, "a")); err == nil && len(got) < 2 {
		r.t.Errorf("%d of 2 pages without an error", len(got))
	}
}

func (r *try) whole() {
	random := make([]byte, 1<<20) // does not get smaller
	src := rand.NewChaCha8([32]byte{1})
	_, _ = src.Read(random)
	want := []pipeline.Page{
		{Request: []byte{}, Body: []byte{}, FetchedAt: header.Created},
		{Seq: 1, Chain: 2, Repeated: true, Cursor: "at\x00\"'", Next: "žluťoučký kůň 🐎", Request: []byte("\x00\xff"), Status: 206,
			Body: []byte("\x00\xff\xfe not text"), FetchedAt: header.Created.Add(time.Microsecond), Rows: 1 << 30, Overlap: 7, Units: 1 << 50,
			Listed: 1 << 51, Cache: "miss"},
		{Seq: 2, End: true, Request: []byte("{}"), Body: random, FetchedAt: header.Created.Add(-time.Hour), Rows: 1},
		{Seq: 3, Request: []byte{}, Body: bytes.Repeat([]byte{0}, 4<<20), FetchedAt: header.Created, Cache: "hit"},
	}
	r.append(want, "a")
	r.has("a", want)
	var facts []journal.Fact
	for _, p := range want {
		f := journal.Fact{Page: p, Size: int64(len(p.Body))}
		f.Body, f.Cursor, f.Next = nil, "", "" // which nobody asks them for
		facts = append(facts, f)
	}
	got, err := collect(r.j.Facts(r.ctx(), "a"))
	r.must(err)
	r.same("facts", facts, got)
}

func (r *try) unknown() {
	r.append(nil, "a")
	_, pagesErr := collect(r.j.Pages(r.ctx(), "b"))
	_, factsErr := collect(r.j.Facts(r.ctx(), "b"))
	_, repeatedErr := r.j.Repeated(r.ctx(), "b")
	for what, err := range map[string]error{
		"append": r.j.Append(r.ctx(), "b", page(0, 1)), "attempt": r.j.AddAttempt(r.ctx(), "b", unreadable(0, "{")),
		"take": r.j.Take(r.ctx(), "b", "run-0", each(pagesOf(1), nil)), "pages": pagesErr, "facts": factsErr, "repeated": repeatedErr,
	} {
		if err == nil || errors.Is(err, journal.ErrDamaged) {
			r.t.Errorf("%s: %v", what, err)
		}
	}
}

func (r *try) taken() {
	r.append(pagesOf(1), "bought", "a", "b", "archived")
	broken := errors.New("broken")
	if err := r.j.Take(r.ctx(), "a", "run-0", each(pagesOf(2), broken)); !errors.Is(err, broken) {
		r.t.Errorf("of pages that could not be read: %v", err)
	}
	if err := r.j.Take(r.ctx(), "bought", "run-0", each(pagesOf(2), nil)); err == nil {
		r.t.Error("a task that has bought pages was given others")
	}
	r.has("a", nil)
	r.has("bought", pagesOf(1))
	r.same("place of pages half taken", pipeline.Place{}, r.at("a"))
	r.same("who has bought", "", r.at("bought").ReusedFrom)

	theirs := pagesOf(3)
	theirs[2].End, theirs[2].Listed, theirs[2].Repeated = true, 9, true
	r.must(r.j.Take(r.ctx(), "a", "run-0", each(theirs, nil)))
	want := slices.Clone(theirs)
	for i := range want {
		want[i].Units = 0
	}
	r.has("a", want)
	r.same("place", pipeline.Place{Pages: 3, Rows: 6, Waste: 3, ChainRows: 6, ReusedFrom: "run-0", Next: "token-2", End: true,
		Fetched: theirs[2].FetchedAt, LastRows: 3}, r.at("a"))
	r.has("b", nil)

	// An archive comes file by file.
	r.must(r.j.Take(r.ctx(), "archived", "import", each(theirs[:1], nil)))
	r.must(r.j.Take(r.ctx(), "archived", "import", each(theirs[1:], nil)))
	r.has("archived", want)
	r.must(r.j.Append(r.ctx(), "archived", page(3, 1)))
	r.same("who has bought, after a page of its own", "", r.at("archived").ReusedFrom)
	r.must(r.j.Check(r.ctx()))
}
