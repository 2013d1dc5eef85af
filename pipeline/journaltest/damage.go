package journaltest

import (
	"testing"

	"backhaul/pipeline/journal"
)

func (r *try) others() {
	for what, change := range map[string]func(*journal.Header){
		"job":  func(h *journal.Header) { h.Job = "weekly" },
		"date": func(h *journal.Header) { h.RunDate = "2026-11-24" },
	} {
		other := header
		change(&other)
		_, err := r.cfg.Open(r.ctx(), r.place, other)
		r.damage("opened for another "+what, err)
	}
	resumed := header
	resumed.RunID, resumed.Created = "run-2", header.Created.AddDate(0, 0, 1)
	j, err := r.cfg.Open(r.ctx(), r.place, resumed)
	r.must(err)
	r.same("header", header, j.Header())
	r.must(j.Close())
}

func (r *try) ownerless() {
	anybody := journal.Header{Job: header.Job, RunDate: header.RunDate}
	nowhere := r.cfg.Place(r.t)
	_, err := r.cfg.Open(r.ctx(), nowhere, anybody)
	r.damage("where no journal is", err)
	j, err := r.cfg.Open(r.ctx(), nowhere, header)
	r.must(err) // so none was made
	r.same("header", header, j.Header())
	r.must(j.Close())

	r.append(pagesOf(1), "a")
	r.harm(func() {
		r.cfg.Harm.Owner(r.t, r.place)
		_, err := r.cfg.Open(r.ctx(), r.place, anybody)
		r.damage("without an owner", err)
	})
}

func (r *try) damaged() {
	want := pagesOf(4)
	harm := r.cfg.Harm
	for what, c := range map[string]struct {
		do  func(t *testing.T, place, taskID string, seq int)
		seq int
	}{
		"body": {harm.Body, 1}, "units": {harm.Units, 1}, "next": {harm.Next, 1}, "lost": {harm.Page, 1},
		"first body": {harm.Body, 0}, "last lost": {harm.Page, 3}, "last next": {harm.Next, 3}, "first lost": {harm.Page, 0},
	} {
		r.anew()
		r.append(want, "a", "whole")
		r.must(r.j.Append(r.ctx(), "whole", want[0]))
		r.harm(func() { c.do(r.t, r.place, "a", c.seq) })
		got, err := collect(r.j.Pages(r.ctx(), "a"))
		r.damage(what+": pages", err)
		r.same(what+": the pages before", want[:c.seq], append(want[:0:0], got...))
		r.damage(what+": check", r.j.Check(r.ctx()))
		r.has("whole", want[:1])
	}
}

func (r *try) misplaced() {
	harm := r.cfg.Harm
	for what, do := range map[string]func(t *testing.T, place, taskID string, seq int){
		"body": harm.Body, "units": harm.Units, "next": harm.Next, "lost": harm.Page,
	} {
		r.anew()
		r.append(pagesOf(3), "a")
		r.harm(func() { do(r.t, r.place, "a", 2) })
		_, err := r.j.Places(r.ctx())
		r.damage("last page, "+what, err)
	}
}

func (r *try) spoiltReply() {
	r.append(nil, "a")
	r.attempt(unreadable(0, "a reply that cannot be read"), unreadable(0, "a reply that cannot be raed"))
	r.harm(func() { r.cfg.Harm.Reply(r.t, r.place) })
	reply := r.replies()[0]
	_, err := r.j.Body(r.ctx(), reply)
	r.damage("body", err)
	_, _, err = r.j.Received(r.ctx(), reply)
	r.damage("what was received", err)
}
