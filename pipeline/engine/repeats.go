package engine

import (
	"context"
	"fmt"
	"time"

	"backhaul/pipeline"
	"backhaul/schemas"
)

// When a list is stopped. A page counts as much as of its rows the chain had already, less a quarter of those it had not, and
// never makes the score less than nothing. So the same page again and again stops a list after two pages, one that brings a
// single new row each time after three, and a list that moves while it is paged, up to one row in five delivered twice, goes
// on. Rows a source reports as overlap are neither: they are what going on without a cursor costs.
const (
	mostScore = 2.0
	newWeighs = 0.25
	// mostEmpty is how many pages in a row may bring no row at all and not be the last.
	mostEmpty = 5
)

// repeats tells whether the list of one chain repeats itself, whatever its cursors say.
type repeats struct {
	rows  rowSet
	score float64
	again int // rows that had come before, of
	of    int // rows, since the score was nothing
	empty int // pages without a row, in a row
}

// look is what is to be known of a page before its rows are remembered.
type look struct {
	keys  []uint64
	fresh int // rows without those that were to come again
	had   int // of the keys
}

// look says what of a page the chain had already.
func (r *repeats) look(p pipeline.Page, keys []uint64) look {
	l := look{keys: keys, fresh: p.Rows - p.Overlap}
	for _, key := range keys {
		if r.rows.has(key) {
			l.had++
		}
	}
	return l
}

// repeated: every row of the page had come before.
func (l look) repeated() bool { return l.had > 0 && l.had == l.fresh }

// note takes up a page that has been looked at.
func (r *repeats) note(l look) {
	for _, key := range l.keys {
		r.rows.add(key)
	}
	switch {
	case l.fresh == 0:
		r.empty++
	case l.had < l.fresh:
		r.empty = 0
	}
	if n := len(l.keys); n > 0 {
		r.score += (float64(l.had) - newWeighs*float64(n-l.had)) / float64(n)
		r.again, r.of = r.again+l.had, r.of+n
	}
	if r.score <= 0 {
		r.score, r.again, r.of = 0, 0, 0
	}
}

// lift forgives what has been found so far, and forgets no row.
func (r *repeats) lift() { r.score, r.again, r.of, r.empty = 0, 0, 0, 0 }

// found says in words that the list repeats itself; "" if it does not.
func (r *repeats) found() string {
	switch {
	case r.score >= mostScore:
		return fmt.Sprintf("%d of the last %d rows had come before in this list", r.again, r.of)
	case r.empty >= mostEmpty:
		return fmt.Sprintf("%d replies in a row brought nothing", r.empty)
	}
	return ""
}

// keysOf identifies the rows of a page that were not to come again, by what decodes it.
func (b *buyer) keysOf(p pipeline.Page) ([]uint64, error) {
	keys := schemas.NewKeys(b.Source.Endpoint().Table)
	keys.Begin(schemas.Origin{Target: b.Task.Target, Scope: b.Task.Scope, FetchedAt: p.FetchedAt, Rank: 1})
	if err := b.Source.Decode(p, keys); err != nil {
		return nil, fmt.Errorf("decode page %d: %w", p.Seq, err)
	}
	return keys.Keys(), nil
}

// finite: a batch has an end, whatever its inputs bring, and of two with the same answer each is to be there.
func (b *buyer) finite() bool { return len(b.Task.Inputs) > 0 }

// remember rebuilds what the chain has brought from the journal, when a list is gone on with: one that ends with its first
// page needs no memory, nor do lists that were begun and wait for their turn. A list that was found to repeat itself and is
// asked for all the same has been told to.
func (b *buyer) remember(ctx context.Context) error {
	b.past = &repeats{}
	for p, err := range b.Journal.Pages(ctx, b.Task.ID) {
		if err != nil {
			return err
		}
		if p.Chain != b.Place.Chain {
			continue
		}
		if p.Seq == b.Place.RepeatsAt {
			b.past.lift()
		}
		keys, err := b.keysOf(p)
		if err != nil {
			return err
		}
		b.past.note(b.past.look(p, keys))
	}
	if b.Place.Repeats() {
		b.past.lift()
	}
	return nil
}

// checkRepeats stops the task if its list repeats itself, and makes that durable, so that no later execution goes on with it
// unless it is told to.
func (b *buyer) checkRepeats(ctx context.Context) error {
	if b.past == nil || b.ended() != "" {
		return nil
	}
	found := b.past.found()
	if found == "" {
		return nil
	}
	e := &pipeline.Error{Kind: pipeline.Repeating, Message: found}
	a := pipeline.Attempt{Seq: b.Place.Pages, At: time.Now().UTC(), Kind: e.Kind, Message: found}
	if err := b.Journal.AddAttempt(context.WithoutCancel(ctx), b.Task.ID, a); err != nil {
		err = &JournalError{Err: err}
		b.stopRun(err)
		return err
	}
	b.Place.RepeatsAt = b.Place.Pages
	return e
}
