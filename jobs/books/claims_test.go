//go:build cluster && linux

package books

import (
	"context"
	"errors"
	"testing"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/postgres"
	"backhaul/pipeline/postgres/postgrestest"
)

var claimed = Key{"nightly", "2026-11-23"}

// begun are the books of a run with two lists, as its process has them, and as two others that buy for it.
func begun(t *testing.T) (unlock func(), own *Database, one, another *Lists) {
	t.Helper()
	ctx := t.Context()
	own, theirs := hosts(t, postgrestest.Start(t).Address("postgres"))
	book := own.Of(claimed.Job, claimed.RunDate)
	unlock = must(book.Lock(ctx))(t)
	l := must(own.OpenLedger(ctx))(t)
	if _, err := l.Begin(ctx, "nightly", claimed.RunDate, "hash", "r1", now); err != nil {
		t.Fatal(err)
	}
	j := must(book.Open(ctx, header))(t)
	if err := j.AddTasks(ctx, []pipeline.Task{{ID: "a"}, {ID: "b"}}); err != nil {
		t.Fatal(err)
	}
	return unlock, own, listsOf(t, own, own), listsOf(t, own, theirs)
}

func listsOf(t *testing.T, own, d *Database) *Lists {
	t.Helper()
	lists := must(d.Lists(t.Context(), claimed, must(own.Token(claimed))(t)))(t)
	t.Cleanup(func() { _ = lists.Close() })
	return lists
}

func claim(l *Lists, list string, round, attempt int) (*List, error) {
	return l.Claim(context.Background(), list, postgres.Turn{Round: round, Again: attempt / 10, Attempt: attempt%10 + 1}, "", func() time.Time { return now })
}

// writes are all that who has a list may do.
func writes(c *List, seq int) map[string]func() error {
	ctx := context.Background()
	return map[string]func() error{
		"an attempt": func() error { return c.Journal.AddAttempt(ctx, "a", pipeline.Attempt{Seq: seq, At: now}) },
		"a grant, and what is left of it": func() error {
			_, _, err := c.Ledger.Grant(ctx, "r1", "moz", "2026-11", 10, 1, ledger.Ceiling{})
			return errors.Join(err, c.Ledger.GiveBack(ctx, "r1", "moz", "2026-11", 3))
		},
		"a request": func() error { return c.Sure(ctx) },
		"its price": func() error { return c.Expose(ctx, 7) },
		"a page":    func() error { return c.Journal.Append(ctx, "a", pipeline.Page{Seq: seq, Units: 1}) },
	}
}

func TestWhoLostAListWritesNothingAndWhatHeMayHavePaidIsHeld(t *testing.T) {
	_, own, one, another := begun(t)
	first := must(claim(one, "a", 1, 1))(t)
	for what, write := range writes(first, 0) {
		if err := write(); err != nil {
			t.Errorf("%s of who has the list: %v", what, err)
		}
	}
	second := must(claim(another, "a", 1, 10))(t)
	if second.Place.Pages != 1 || second.Place.MaybeUnits != 7 || second.Place.Attempts != 2 {
		t.Errorf("it is gone on with at %+v", second.Place)
	}
	for what, write := range writes(first, 1) {
		if err := write(); !errors.Is(err, ErrTaken) {
			t.Errorf("%s of a list that another has: %v", what, err)
		}
	}
	if _, err := claim(one, "a", 1, 1); !errors.Is(err, ErrTaken) {
		t.Errorf("an earlier attempt took it back: %v", err)
	}
	for what, write := range writes(second, 1) {
		if err := write(); err != nil {
			t.Errorf("%s of who has it now: %v", what, err)
		}
	}
	if err := second.Expose(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if third := must(claim(one, "a", 2, 1))(t); third.Place.Pages != 2 || third.Place.MaybeUnits != 7 {
		t.Errorf("what was let go of: %+v", third.Place)
	}
	spends := must(must(own.OpenLedger(t.Context()))(t).Spends(t.Context(), "r1"))(t)
	if len(spends) != 1 || spends[0].Granted != 2*(10-3) {
		t.Errorf("%+v", spends)
	}
}

func TestARoundThatIsOverIsBoughtOnByNobody(t *testing.T) {
	_, own, one, another := begun(t)
	book := own.Of(claimed.Job, claimed.RunDate)
	open := must(claim(one, "a", 1, 1))(t)
	if err := open.Expose(t.Context(), 9); err != nil {
		t.Fatal(err)
	}
	for range 2 { // until it is forgotten
		if lost := must(book.Claimed(t.Context(), 1))(t); len(lost) != 1 || lost["a"] != 9 {
			t.Errorf("lost are %v", lost)
		}
	}
	if err := book.ForgetClaims(t.Context()); err != nil {
		t.Fatal(err)
	}
	for what, write := range writes(open, 0) {
		if err := write(); !errors.Is(err, ErrTaken) {
			t.Errorf("%s of a round that is over: %v", what, err)
		}
	}
	for _, list := range []string{"a", "b"} { // b by one who comes late
		if _, err := claim(another, list, 1, 99); !errors.Is(err, ErrTaken) {
			t.Errorf("%s: %v", list, err)
		}
	}
	if next := must(claim(another, "a", 2, 1))(t); next.Place.MaybeUnits != 0 {
		t.Errorf("%+v", next.Place)
	}
	if lost := must(book.Claimed(t.Context(), 2))(t); len(lost) != 0 {
		t.Errorf("lost are %v", lost)
	}
}

func TestWhoBuysForAProcessThatLostTheRunWritesNothing(t *testing.T) {
	unlock, own, one, another := begun(t)
	open := must(claim(one, "a", 1, 1))(t)
	if err := open.Expose(t.Context(), 9); err != nil {
		t.Fatal(err)
	}
	unlock()
	defer must(own.Of(claimed.Job, claimed.RunDate).Lock(t.Context()))(t)()
	for what, write := range writes(open, 0) {
		if err := write(); !errors.Is(err, ErrTaken) {
			t.Errorf("%s for a process that lost the run: %v", what, err)
		}
	}
	if _, err := claim(another, "b", 1, 1); !errors.Is(err, ErrTaken) {
		t.Error(err)
	}
	if lost := must(own.Of(claimed.Job, claimed.RunDate).Claimed(t.Context(), 0))(t); lost["a"] != 9 {
		t.Errorf("lost are %v", lost)
	}
}
