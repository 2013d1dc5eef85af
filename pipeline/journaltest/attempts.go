package journaltest

import (
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/journal"
)

// unreadable is a reply that could not be read, an hour later for each page before it.
func unreadable(seq int, body string) pipeline.Attempt {
	return pipeline.Attempt{Seq: seq, At: header.Created.Add(time.Duration(seq) * time.Hour), Kind: pipeline.Malformed, Status: 200, MaybeUnits: 50,
		Message: "no JSON", Body: []byte(body), Request: []byte("ask"), Chain: 1, Ask: pipeline.Ask{Cursor: "token-1", Limit: 50}}
}

// repeats is the finding that a list repeats itself.
func repeats(seq int) pipeline.Attempt {
	return pipeline.Attempt{Seq: seq, At: header.Created, Kind: pipeline.Repeating, Message: "100 of 100"}
}

// attempt records attempts of task a.
func (r *try) attempt(all ...pipeline.Attempt) {
	r.t.Helper()
	for _, a := range all {
		r.must(r.j.AddAttempt(r.ctx(), "a", a))
	}
}

func (r *try) replies() []journal.Reply {
	r.t.Helper()
	all, err := r.j.Replies(r.ctx())
	r.must(err)
	return all
}

func (r *try) attempts() {
	r.append(pagesOf(1), "a", "b")
	late := pipeline.Attempt{Seq: 1, At: header.Created.Add(time.Hour), Kind: pipeline.Throttled, Status: 429, Message: "slow down"}
	r.attempt(late, repeats(1))
	r.must(r.j.AddAttempt(r.ctx(), "b", pipeline.Attempt{At: header.Created, Kind: pipeline.Transient, MaybeUnits: 50, Message: "cut"}))
	r.attempt(unreadable(1, "<html>"))
	r.harm(func() {})
	got, err := collect(r.j.Attempts(r.ctx()))
	r.must(err)
	for i := range got {
		if i > 0 && got[i].No <= got[i-1].No {
			r.t.Errorf("numbers %d, %d", got[i-1].No, got[i].No)
		}
		got[i].No = 0
	}
	r.same("attempts", []journal.PastAttempt{
		{TaskID: "a", Seq: 1, At: late.At, Kind: pipeline.Throttled.String(), Status: 429, Message: "slow down"},
		{TaskID: "b", At: header.Created, Kind: pipeline.Transient.String(), MaybeUnits: 50, Message: "cut"},
		{TaskID: "a", Seq: 1, At: late.At, Kind: pipeline.Malformed.String(), Status: 200, MaybeUnits: 50, Message: "no JSON", Size: 6},
	}, got)
}

func (r *try) repeating() {
	r.append(pagesOf(2), "a")
	if p := r.at("a"); p.Repeats() {
		r.t.Errorf("%+v", p)
	}
	r.attempt(repeats(2))
	if p := r.at("a"); !p.Repeats() || p.Attempts != 0 {
		r.t.Errorf("%+v: a finding is no request", p)
	}
	found, err := collect(r.j.Attempts(r.ctx()))
	r.must(err)
	r.same("attempts", 0, len(found))
	r.must(r.j.Append(r.ctx(), "a", page(2, 2)))
	if p := r.at("a"); p.Repeats() || p.RepeatsAt != 2 {
		r.t.Errorf("%+v", p)
	}
}

func (r *try) repeated() {
	again := func(change func(*pipeline.Page)) []pipeline.Page {
		p := page(2, 2)
		change(&p)
		return []pipeline.Page{p}
	}
	for id, c := range map[string]struct {
		attempt *pipeline.Attempt
		pages   []pipeline.Page
		want    bool
	}{
		"a plain list":            {nil, nil, false},
		"a page that repeats":     {nil, again(func(p *pipeline.Page) { p.Repeated = true }), true},
		"a cursor asked again":    {nil, again(func(p *pipeline.Page) { p.Cursor = page(1, 2).Cursor }), true},
		"an empty page at it":     {nil, again(func(p *pipeline.Page) { p.Cursor, p.Rows = page(1, 2).Cursor, 0 }), false},
		"the start asked anew":    {nil, again(func(p *pipeline.Page) { p.Cursor, p.Chain = "", 1 }), false},
		"a finding, bought on":    {new(repeats(2)), again(func(*pipeline.Page) {}), true},
		"a reply that was no use": {new(unreadable(2, "<html>")), nil, false},
	} {
		r.append(pagesOf(2), id)
		if c.attempt != nil {
			r.must(r.j.AddAttempt(r.ctx(), id, *c.attempt))
		}
		for _, p := range c.pages {
			r.must(r.j.Append(r.ctx(), id, p))
		}
		if got, err := r.j.Repeated(r.ctx(), id); err != nil || got != c.want {
			r.t.Errorf("%s: %v, %v", id, got, err)
		}
	}
}

func (r *try) unreadable() {
	r.append(pagesOf(2), "a")
	for _, body := range []string{"<html>", "{", "<html>"} {
		r.attempt(unreadable(2, body))
	}
	r.attempt(unreadable(1, "<html>")) // the same bytes at another place
	all := r.replies()
	var same, sizes []int
	for _, reply := range all {
		for i := range all {
			if all[i].No == reply.SameAs {
				same = append(same, i)
			}
		}
		sizes = append(sizes, int(reply.Size))
		body, err := r.j.Body(r.ctx(), reply)
		if err != nil || int64(len(body)) != reply.Size || reply.Open != (reply.Seq == 2) || reply.Read {
			r.t.Errorf("%+v: %q, %v", reply, body, err)
		}
	}
	r.same("which is the same as which, and sizes", [][]int{{0, 1, 0, 3}, {6, 1, 6, 6}}, [][]int{same, sizes})
	if p := r.at("a"); p.Unreadable != 3 || p.Recovered != 1 || p.MaybeUnits != 200 {
		r.t.Errorf("%+v", p)
	}
}

func (r *try) redeemed() {
	r.append(pagesOf(2), "a")
	r.attempt(unreadable(2, "{"), unreadable(2, "{}"))
	reply := r.replies()[1]
	got, ask, err := r.j.Received(r.ctx(), reply)
	r.must(err)
	r.same("what was received", pipeline.Page{Seq: 2, Chain: 1, Cursor: "token-1", Request: []byte("ask"), Status: 200, Body: []byte("{}"),
		FetchedAt: unreadable(2, "").At}, got)
	r.same("what was asked", pipeline.Ask{Cursor: "token-1", Limit: 50}, ask)

	got.Rows, got.Next = 3, "token-2"
	r.must(r.j.Redeem(r.ctx(), reply, got))
	r.has("a", append(pagesOf(2), got))
	p := r.at("a")
	if p.Pages != 3 || p.Next != "token-2" || p.Units != 6 || p.MaybeUnits != 100 || p.Unreadable != 0 {
		r.t.Errorf("%+v", p)
	}
	if p.Recovered != 0 {
		r.t.Error("that the program was updated says nothing of the vendor")
	}
	for _, reply := range r.replies() {
		if !reply.Read || reply.Open {
			r.t.Errorf("%+v", reply)
		}
	}
	if err := r.j.Redeem(r.ctx(), reply, got); err == nil {
		r.t.Error("the page was entered twice")
	}
	r.has("a", append(pagesOf(2), got))
}
