package main

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// replayTables are what replays have to make good: what was bought, and what is worked out from several nights.
var replayTables = map[string]string{"moz.anchor_text": "", "moz.linking_root_domains": "", "ops.tasks": "", "marts.whole_lists": "", "marts.anchor_changes": "", "marts.domain_changes": ""}

// nightsToReplay are dates over the turn of a month.
func nightsToReplay(n int) (dates []string) {
	first := time.Date(2026, 10, 29, 0, 0, 0, 0, time.UTC)
	for i := range n {
		dates = append(dates, first.AddDate(0, 0, i).Format(time.DateOnly))
	}
	return dates
}

// toReplay buys so many nights, of which each differs from the one before, and returns what the tables have of them.
func (s *shop) toReplay(t *testing.T, n int) (names []string, rows map[string]rowsum) {
	t.Helper()
	for i, date := range nightsToReplay(n) {
		s.server.SetDay(20 * i)
		s.buy(t, date)
		names = append(names, "alike/"+date)
	}
	rows = sumsOf(t, s.warehouse, replayTables)
	if changes := len(rows) - len(withoutTable(rows, "marts.anchor_changes")); changes != n-1 {
		t.Fatalf("the nights do not differ: %v", rows)
	}
	return names, rows
}

// replayedAs holds what a warehouse's tables have against what they should.
func replayedAs(t *testing.T, warehouse string, want map[string]rowsum) {
	t.Helper()
	if diff := cmp.Diff(want, sumsOf(t, warehouse, replayTables), cmp.AllowUnexported(rowsum{})); diff != "" {
		t.Error(diff)
	}
}

// Whoever is the last to work out what several nights tell has seen what all have published, as long as no two do it at once.
func TestWhatSeveralNightsTellIsWorkedOutByOneProcessAtATime(t *testing.T) {
	t.Parallel()
	s := open(t, purchase{surface: "v2", connections: 4})
	_, want := s.toReplay(t, 2)
	lakeOf := func() *localLake {
		l, err := (&app{environment: inTest(t, io.Discard, io.Discard), warehouseDir: s.warehouse}).existingLake(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(l.close)
		return l
	}
	one, other := lakeOf(), lakeOf()
	date := time.Date(2026, 10, 30, 0, 0, 0, 0, time.UTC)
	for what, of := range map[string]struct {
		no int
		do func(ctx context.Context, job string, date time.Time) error
	}{"changes": {dayNo(date), one.Changes}, "lists": {10, one.WholeLists}} {
		release, err := other.alone(t.Context(), what, of.no)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(t.Context(), 2*time.Second)
		if err := of.do(ctx, "alike", date); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", what, err)
		}
		stop()
		if err := errors.Join(release(), of.do(t.Context(), "alike", date)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	replayedAs(t, s.warehouse, want)
}
