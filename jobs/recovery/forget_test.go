package recovery

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/schemas"
	"backhaul/sinks"
)

var now = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

// warehouse is an empty one whose ledger knows a run of the job nightly for each date, by the date.
func warehouse(t *testing.T, dates ...string) (sinks.Warehouse, *ledger.Ledger) {
	t.Helper()
	w := sinks.Warehouse{Root: t.TempDir()}
	l, err := ledger.Open(t.Context(), filepath.Join(w.Root, "ledger.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	for _, date := range dates {
		if _, err := l.Begin(t.Context(), "nightly", date, "hash", date, now); err != nil {
			t.Fatal(err)
		}
	}
	return w, l
}

// absent tells which tables the ledger knows a run's rows to be out of.
func absent(t *testing.T, l *ledger.Ledger, runID string) map[string]bool {
	t.Helper()
	tables, err := l.AbsentTables(t.Context(), runID)
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

func TestForgetTakesAllRowsButThoseOfTheAccountAndTheTasksFirst(t *testing.T) {
	w, l := warehouse(t, "2026-11-20")
	run, err := l.Get(t.Context(), "2026-11-20")
	if err != nil {
		t.Fatal(err)
	}
	var removed []string
	tables, err := Forget(t.Context(), books.InFiles(w), l, run, now, func(_ context.Context, table *schemas.Table, job string, date time.Time) (bool, error) {
		if job != "nightly" || date.Format(time.DateOnly) != "2026-11-20" {
			t.Errorf("rows of %s for %s are removed", job, date)
		}
		if !absent(t, l, run.ID)[table.FullName()] {
			t.Errorf("rows of %s are removed before that is entered", table.FullName())
		}
		removed = append(removed, table.FullName())
		return table.FullName() == "moz.links", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"moz.links"}, tables); diff != "" {
		t.Error(diff)
	}
	if len(removed) == 0 || removed[0] != "ops.tasks" {
		t.Errorf("the first to go is not ops.tasks: %v", removed)
	}
	var stays []string
	for _, table := range schemas.All() {
		if !slices.Contains(removed, table.FullName()) {
			stays = append(stays, table.FullName())
		}
	}
	slices.Sort(stays)
	if diff := cmp.Diff([]string{schemas.WholeSpans().FullName(), "ops.reconciliation", "ops.runs", "ops.spend"}, stays); diff != "" {
		t.Error(diff)
	}
}

func TestARunAtWorkIsNotForgotten(t *testing.T) {
	w, l := warehouse(t, "2026-11-20")
	run, err := l.Get(t.Context(), "2026-11-20")
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := books.InFiles(w).Of(run.Job, run.RunDate).Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	_, err = Forget(t.Context(), books.InFiles(w), l, run, now, func(context.Context, *schemas.Table, string, time.Time) (bool, error) {
		t.Error("rows are removed")
		return false, nil
	})
	if !errors.Is(err, books.ErrBusy) || len(absent(t, l, run.ID)) != 0 {
		t.Errorf("%v", err)
	}
}

// months are those of a table, which go one by one.
type months struct {
	all     []string
	expire  func(month string)
	expired []string
}

func (m *months) Months(*schemas.Table) (all []time.Time, err error) {
	for _, text := range m.all {
		month, err := time.Parse("2006-01", text)
		if err != nil {
			return nil, err
		}
		all = append(all, month)
	}
	return all, nil
}

func (m *months) Expire(_ context.Context, _ *schemas.Table, month time.Time, dry bool) (int64, error) {
	text := month.Format("2006-01")
	m.expire(text)
	if !dry {
		m.expired = append(m.expired, text)
	}
	return 7, nil
}

func TestAMonthExpiresOnceItIsOverByItsAgeAndEnteredFirst(t *testing.T) {
	table := schemas.Lookup("moz.links")
	for _, dry := range []bool{true, false} {
		w, l := warehouse(t, "2026-08-03", "2026-09-30", "2026-10-01")
		m := &months{all: []string{"2026-08", "2026-09", "2026-10"}}
		m.expire = func(month string) {
			for _, date := range []string{"2026-08-03", "2026-09-30"} {
				if entered := absent(t, l, date)[table.FullName()]; date[:7] == month && entered == dry {
					t.Errorf("dry: %v, %s of %s goes, entered: %v", dry, table.FullName(), date, entered)
				}
			}
		}
		// At this moment September is over to the day; October is not.
		all, err := Expire(t.Context(), books.InFiles(w), l, m, table, time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), now, dry)
		if err != nil {
			t.Fatal(err)
		}
		want := []Expired{{Table: "moz.links", Month: "2026-08", Bytes: 7}, {Table: "moz.links", Month: "2026-09", Bytes: 7}}
		if diff := cmp.Diff(want, all); diff != "" {
			t.Errorf("dry: %v: %s", dry, diff)
		}
		if dry != (m.expired == nil) || len(absent(t, l, "2026-10-01")) != 0 {
			t.Errorf("dry: %v, expired %v", dry, m.expired)
		}
	}
}

func TestAMonthThatARunAtWorkPublishesToStays(t *testing.T) {
	w, l := warehouse(t, "2026-08-03", "2026-09-30")
	unlock, err := books.InFiles(w).Of("nightly", "2026-08-03").Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	m := &months{all: []string{"2026-08", "2026-09"}, expire: func(string) {}}
	all, err := Expire(t.Context(), books.InFiles(w), l, m, schemas.Lookup("moz.links"), now, now, false)
	if err != nil || len(all) != 2 || all[0].Kept == "" || all[1].Kept != "" {
		t.Errorf("%+v, %v", all, err)
	}
	if diff := cmp.Diff([]string{"2026-09"}, m.expired); diff != "" || len(absent(t, l, "2026-08-03")) != 0 {
		t.Error(diff)
	}
}

func TestTheSignatureOnALockLeavesTheSignOfLife(t *testing.T) {
	book := books.InFiles(sinks.Warehouse{Root: t.TempDir()}).Of("nightly", "2026-11-23")
	unlock, err := book.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	touch(t, NewPulse(book, func() time.Time { return now }))
	later := time.Now().AddDate(1, 0, 0) // than this test, which writes the file
	before := LastSign(t.Context(), book, later)
	if before.After(now.Add(time.Minute)) {
		t.Fatalf("the last sign is of %v", before)
	}
	erase := book.Sign(now)
	if book.Holder(t.Context()).PID == 0 {
		t.Error("nobody has signed")
	}
	erase()
	if after := LastSign(t.Context(), book, later); !after.Equal(before) || book.Holder(t.Context()) != (books.Holder{}) {
		t.Errorf("the last sign was of %v and is of %v; signed by %+v", before, after, book.Holder(t.Context()))
	}
}

func TestARunIsLockedByOne(t *testing.T) {
	book := books.InFiles(sinks.Warehouse{Root: t.TempDir()}).Of("nightly", "2026-11-23")
	unlock, err := LockSigned(t.Context(), book, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := book.Lock(t.Context()); !errors.Is(err, books.ErrBusy) {
		t.Errorf("locked by two: %v", err)
	}
	if busy, err := book.Busy(t.Context()); !busy || err != nil {
		t.Errorf("busy: %v, %v", busy, err)
	}
	unlock()
	if busy, err := book.Busy(t.Context()); busy || err != nil {
		t.Errorf("let go of, and busy: %v, %v", busy, err)
	}
}
