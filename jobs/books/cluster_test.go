//go:build cluster && linux

package books

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/pipeline/postgres"
	"backhaul/pipeline/postgres/postgrestest"
)

// hosts are two that share a database.
func hosts(t *testing.T, address string) (one, another *Database) {
	t.Helper()
	all := make([]*Database, 2)
	for i := range all {
		server, err := postgres.New(address)
		if err != nil {
			t.Fatal(err)
		}
		all[i] = InDatabase(server)
		t.Cleanup(func() { _ = all[i].Close() })
	}
	return all[0], all[1]
}

func TestBooksInADatabaseKeepTheirPromises(t *testing.T) {
	server, n := postgrestest.Start(t), 0
	keepPromises(t, func(t *testing.T) (Books, Books) {
		n++
		one, another := hosts(t, server.Database(t, fmt.Sprint("warehouse_", n)))
		return one, another
	})
}

func TestOfTwoHostsOneAtATimeDoesSomethingByAName(t *testing.T) {
	one, another := hosts(t, postgrestest.Start(t).Address("postgres"))
	release := must(one.Alone(t.Context(), "changes.07"))(t)
	other := must(another.Alone(t.Context(), "changes.08"))(t)
	ctx, stop := context.WithTimeout(t.Context(), 3*turnPoll)
	defer stop()
	if _, err := another.Alone(ctx, "changes.07"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("both have it: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	again := must(another.Alone(t.Context(), "changes.07"))(t)
	if err := errors.Join(again(), other()); err != nil {
		t.Error(err)
	}
}

func TestWhoStoodStillForTooLongWritesNothing(t *testing.T) {
	defer func(d time.Duration) { postgres.LeaseTime = d }(postgres.LeaseTime)
	postgres.LeaseTime = 400 * time.Millisecond
	server := postgrestest.Start(t)
	slow, quick := hosts(t, server.Address("postgres"))
	ctx, mine, theirs := t.Context(), slow.Of("nightly", "2026-11-23"), quick.Of("nightly", "2026-11-23")
	unlock := must(mine.Lock(ctx))(t)
	l := must(slow.OpenLedger(ctx))(t)
	if _, err := l.Begin(ctx, "nightly", "2026-11-23", "hash", "r1", now); err != nil {
		t.Fatal(err)
	}
	j := must(mine.Open(ctx, header))(t)
	if err := errors.Join(j.AddTasks(ctx, []pipeline.Task{{ID: "a"}}), j.Append(ctx, "a", pipeline.Page{Units: 1})); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * postgres.LeaseTime)
	if _, err := theirs.Lock(ctx); !errors.Is(err, ErrBusy) {
		t.Fatalf("a lease that is renewed was taken: %v", err)
	}
	mine.(*inDatabase).lease().StandStill()
	again := must(theirs.Wait(ctx))(t)
	defer again()
	for what, write := range map[string]func() error{
		"a page":         func() error { return j.Append(ctx, "a", pipeline.Page{Seq: 1, Units: 1}) },
		"an attempt":     func() error { return j.AddAttempt(ctx, "a", pipeline.Attempt{Seq: 1, At: now}) },
		"a grant":        func() error { _, _, err := l.Grant(ctx, "r1", "moz", "2026-11", 10, 1, ledger.Ceiling{}); return err },
		"a settlement":   func() error { return l.Settle(ctx, "r1", "moz", "2026-11", pipeline.Bill{Spent: 1}) },
		"the end":        func() error { return l.End(ctx, "r1", ledger.Complete, "", now) },
		"the removal":    func() error { return mine.Remove(ctx) },
		"what remains":   func() error { return mine.KeepRemains(ctx, []byte("x")) },
		"a request more": func() error { return mine.Sure(ctx) },
	} {
		if err := write(); !errors.Is(err, ErrTaken) {
			t.Errorf("%s of a run that another has: %v", what, err)
		}
	}
	unlock() // of what it has no more
	read := must(theirs.Open(ctx, journal.Header{Job: "nightly", RunDate: "2026-11-23"}))(t)
	if err := read.Append(ctx, "a", pipeline.Page{Seq: 1, Units: 1}); err != nil {
		t.Errorf("who has it now: %v", err)
	}
	if places := must(read.Places(ctx))(t); places["a"].Pages != 2 || places["a"].Attempts != 0 {
		t.Errorf("%+v", places)
	}
	if spends := must(must(quick.OpenLedger(ctx))(t).Spends(ctx, ""))(t); len(spends) != 0 {
		t.Errorf("%+v", spends)
	}
}

func TestWhoHasNotLockedARunWritesNothingToItsJournal(t *testing.T) {
	one, another := hosts(t, postgrestest.Start(t).Address("postgres"))
	unlock := must(one.Of("nightly", "2026-11-23").Lock(t.Context()))(t)
	j := must(one.Of("nightly", "2026-11-23").Open(t.Context(), header))(t)
	theirs := must(another.Of("nightly", "2026-11-23").Open(t.Context(), journal.Header{Job: "nightly", RunDate: "2026-11-23"}))(t)
	add := func(j *journal.Journal) error { return j.AddTasks(t.Context(), []pipeline.Task{{ID: "a"}}) }
	if err := add(theirs); err == nil {
		t.Error("written by who has not locked it")
	}
	if err := add(j); err != nil {
		t.Error(err)
	}
	unlock()
	if err := add(j); err == nil {
		t.Error("written by who has let go of it")
	}
}
