package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/sinks"
)

// replayTables are what replays have to make good: what was bought, and what is worked out from several nights.
var replayTables = map[string]string{"moz.anchor_text": "", "moz.linking_root_domains": "", "ops.tasks": "", "marts.whole_spans": "", "marts.anchor_changes": "", "marts.domain_changes": ""}

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
	return names, differing(t, s.warehouse, n)
}

// differing returns what a warehouse's tables have of so many nights, of which each has to differ from the one before.
func differing(t *testing.T, warehouse string, n int) map[string]rowsum {
	t.Helper()
	rows := sumsOf(t, warehouse, replayTables)
	if changes := len(rows) - len(withoutTable(rows, "marts.anchor_changes")); changes != n-1 {
		t.Fatalf("the nights do not differ: %v", rows)
	}
	return rows
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
	}{"changes": {dayNo(date), one.Changes}, "lists": {yearNo(date), one.WholeLists}} {
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

func TestOfSeveralRunsThatAreReplayedEachIsToldAndTheWorstIsTheExitStatus(t *testing.T) {
	t.Parallel()
	s := open(t, purchase{surface: "v2", connections: 4})
	names, want := s.toReplay(t, 3)
	removeAll(t, filepath.Join(s.warehouse, "lake"))
	backhaul(t, exitComplete, "replay", names[0], names[2], names[1], names[0], "--warehouse", s.warehouse)
	replayedAs(t, s.warehouse, want)

	journal := sinks.Warehouse{Root: s.warehouse}.JournalOf("alike", nightsToReplay(3)[1])
	for name, of := range map[string]struct {
		args   []string
		status int
		say    string
	}{
		"unknown": {[]string{names[0], "alike/2026-01-01", names[2]}, exitFailed, "alike/2026-01-01 (1 of 3): run alike/2026-01-01: no such run (see `backhaul status` for the runs there are)"},
		"damaged": {[]string{names[0], names[1], "nothing", names[2]}, exitDamaged, "not replayed whole: nothing, " + names[1]},
	} {
		if name == "damaged" {
			if err := os.Rename(journal, journal+".elsewhere"); err != nil {
				t.Fatal(err)
			}
		}
		removeAll(t, filepath.Join(s.warehouse, "lake", "moz"))
		var out, errs bytes.Buffer
		status := Main(t.Context(), inTest(t, &out, &errs, append([]string{"replay", "--json", "--warehouse", s.warehouse}, of.args...)...))
		if text := strings.ReplaceAll(errs.String(), "\n", " "); status != of.status || !strings.Contains(text, of.say) {
			t.Errorf("%s: exit %d: %s", name, status, &errs)
		}
		var all []struct {
			Run    string
			Status int
			Files  []struct{ Table string }
		}
		if err := json.Unmarshal(out.Bytes(), &all); err != nil || len(all) != len(of.args) {
			t.Fatalf("%s: %v: %s", name, err, &out)
		}
		for _, one := range all {
			if whole := one.Run == names[0] || one.Run == names[2]; whole != (one.Status == exitComplete) || whole != (len(one.Files) > 0) {
				t.Errorf("%s: %+v", name, one)
			}
		}
		if name == "damaged" {
			if err := os.Rename(journal+".elsewhere", journal); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestEveryRunOfAJobIsReplayedButThoseThatWereTakenOutOnPurpose(t *testing.T) {
	t.Parallel()
	s := open(t, purchase{surface: "v2", connections: 4})
	names, _ := s.toReplay(t, 3)
	backhaul(t, exitComplete, "forget", names[1], "--warehouse", s.warehouse)
	want := sumsOf(t, s.warehouse, replayTables)
	removeAll(t, filepath.Join(s.warehouse, "lake", "moz"))
	var out bytes.Buffer
	status := Main(t.Context(), inTest(t, &out, &out, "replay", "--job", "alike", "--warehouse", s.warehouse))
	said := out.String()
	for i, name := range []string{names[0], names[2]} {
		if !strings.Contains(said, fmt.Sprintf("%s (%d of 2): replayed", name, i+1)) {
			t.Error(name)
		}
	}
	if status != exitComplete || !strings.Contains(said, "left out: 1 run that forget or gc has taken out of tables") {
		t.Errorf("exit %d: %s", status, said)
	}
	replayedAs(t, s.warehouse, want)
	for _, args := range [][]string{{}, {"--date", "2026-10-29"}, {names[0], "--job", "alike"}} {
		backhaul(t, exitUsage, append([]string{"replay", "--warehouse", s.warehouse}, args...)...)
	}
	backhaul(t, exitUsage, "replay", names[0], "--engine", "steam", "--warehouse", s.warehouse)
	backhaul(t, exitFailed, "replay", "--job", "none", "--warehouse", s.warehouse)
}
