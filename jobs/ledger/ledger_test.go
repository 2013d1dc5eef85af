package ledger

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/pipeline/sqlite"
)

var now = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

// open opens the ledger of a path that is of this test alone, wherever the tests have it.
var open = Open

func openAt(t *testing.T, path string) *Ledger {
	t.Helper()
	l, err := open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func begin(t *testing.T, l *Ledger, job, date, id string) Run {
	t.Helper()
	r, err := l.Begin(context.Background(), job, date, "hash", id, now)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheSameJobAndDateIsTheSameRun(t *testing.T) {
	ctx, l := context.Background(), openAt(t, filepath.Join(t.TempDir(), "ledger.sqlite"))
	first := begin(t, l, "nightly", "2026-11-23", "r1")
	if err := l.End(ctx, "r1", Incomplete, "budget", now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	again := begin(t, l, "nightly", "2026-11-23", "r2")
	if again.ID != first.ID || again.State != Running || !again.Ended.IsZero() {
		t.Errorf("%+v", again)
	}
	if next := begin(t, l, "nightly", "2026-11-24", "r3"); next.ID != "r3" {
		t.Errorf("another date is another run: %+v", next)
	}
	if _, err := l.Get(ctx, "r2"); !errors.Is(err, ErrNoRun) {
		t.Errorf("r2: %v", err)
	}
}

func TestCompleteAnswersAreRememberedByTheirRequest(t *testing.T) {
	ctx, l := context.Background(), openAt(t, filepath.Join(t.TempDir(), "ledger.sqlite"))
	begin(t, l, "nightly", "2026-11-23", "r1")
	a, b := pipeline.Task{ID: "a", Extract: "x", Target: "a"}, pipeline.Task{ID: "b", Extract: "x", Target: "b"}
	done := Task{Task: a, Ending: pipeline.EndOfList, Pages: 2, Rows: 70, Units: 70, Ended: now}
	if err := l.Sync(ctx, "r1", Index{Tasks: []Task{done, {Task: b, Ending: pipeline.EndFault}}}); err != nil {
		t.Fatal(err)
	}
	h, err := l.Histories(ctx)
	if err != nil || len(h) != 1 || h[a.Request()].Rows != 70 {
		t.Errorf("histories %+v, %v", h, err)
	}
}

func units(n pipeline.Units) *pipeline.Units { return &n }

func TestGrantsOfAllProcessesStayUnderTheMonth(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.sqlite")
	var wg sync.WaitGroup
	var mu sync.Mutex
	var total pipeline.Units
	for _, id := range []string{"r1", "r2", "r3"} {
		l := openAt(t, path) // a connection of its own, as another process has
		begin(t, l, "job-"+id, "2026-11-23", id)
		wg.Go(func() {
			for {
				got, _, err := l.Grant(context.Background(), id, "moz", "2026-11", 70, 1, Ceiling{WarehouseMonth: units(1000)})
				if err != nil {
					t.Error(err)
					return
				}
				if got == 0 {
					return
				}
				mu.Lock()
				total += got
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if total != 1000 {
		t.Errorf("granted %d of 1000", total)
	}
}

func TestAJobsMonthIsItsOwnAndTheWarehousesIsEverybodys(t *testing.T) {
	ctx, l := context.Background(), openAt(t, filepath.Join(t.TempDir(), "ledger.sqlite"))
	begin(t, l, "nightly", "2026-11-23", "n1")
	begin(t, l, "nightly", "2026-11-24", "n2")
	begin(t, l, "campaign", "2026-11-24", "c1")
	ceiling := Ceiling{Month: units(500), WarehouseMonth: units(800)}
	for _, g := range []struct {
		run             string
		want, got, left pipeline.Units
	}{{"n1", 400, 400, 400}, {"n2", 400, 100, 100}, {"n2", 1, 0, 0}, {"c1", 400, 300, 300}, {"c1", 1, 0, 0}} {
		if got, left, err := l.Grant(ctx, g.run, "moz", "2026-11", g.want, 1, ceiling); got != g.got || left != g.left || err != nil {
			t.Errorf("%+v: granted %d of %d, %v", g, got, left, err)
		}
	}
	if got, _, _ := l.Grant(ctx, "n2", "moz", "2026-12", 400, 1, ceiling); got != 400 {
		t.Errorf("%d in the next month", got)
	}
	if diff := cmp.Diff([]JobUnits{{"nightly", 500}, {"campaign", 300}}, must(l.ByJob(ctx, "moz", "2026-11"))(t)); diff != "" {
		t.Error(diff)
	}
	if g, err := l.Granted(ctx, "of no run yet", "campaign", "moz", "2026-11"); err != nil || g != (Granted{Month: 300, WarehouseMonth: 800}) {
		t.Errorf("%+v, %v", g, err)
	}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestSettlingGivesBackWhatWasNotSpent(t *testing.T) {
	ctx, l := context.Background(), openAt(t, filepath.Join(t.TempDir(), "ledger.sqlite"))
	begin(t, l, "nightly", "2026-11-23", "r1")
	ceiling := Ceiling{Run: units(500), WarehouseMonth: units(800)}
	if got, left, err := l.Grant(ctx, "r1", "moz", "2026-11", 600, 400, ceiling); got != 500 || left != 500 || err != nil {
		t.Fatalf("granted %d of %d, %v", got, left, err)
	}
	if got, left, _ := l.Grant(ctx, "r1", "moz", "2026-11", 1, 1, ceiling); got != 0 || left != 0 {
		t.Errorf("granted %d, %d left over the run's budget", got, left)
	}
	if err := l.Settle(ctx, "r1", "moz", "2026-11", pipeline.Bill{Spent: 120, Maybe: 30}); err != nil {
		t.Fatal(err)
	}
	want := []Spend{{RunID: "r1", Vendor: "moz", Month: "2026-11", Granted: 150, Spent: 120, Settled: true}}
	got, err := l.Spends(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// A run that goes on in the next month leaves the first one's account as it was.
	if got, _, err := l.Grant(ctx, "r1", "moz", "2026-12", 100, 100, ceiling); got != 100 || err != nil {
		t.Fatalf("granted %d, %v", got, err)
	}
	if err := l.Settle(ctx, "r1", "moz", "2026-12", pipeline.Bill{Spent: 200, Maybe: 30}); err != nil {
		t.Fatal(err)
	}
	g, err := l.Granted(ctx, "r1", "", "moz", "2026-12")
	if err != nil || g.WarehouseMonth != 80 {
		t.Errorf("%d units in December, want 80; %v", g.WarehouseMonth, err)
	}
}

func TestLastTimeCountsTheInputsOfBatches(t *testing.T) {
	ctx, l := context.Background(), openAt(t, filepath.Join(t.TempDir(), "ledger.sqlite"))
	begin(t, l, "nightly", "2026-11-22", "r1")
	batch := []pipeline.Input{{Target: "a"}, {Target: "b"}, {Target: "c"}}
	tasks := []Task{{Task: pipeline.Task{ID: "batch", Extract: "m", Inputs: batch}}, {Task: pipeline.Task{ID: "one", Extract: "m", Target: "d"}}}
	for i := range tasks {
		tasks[i].Ending, tasks[i].Rows, tasks[i].Units, tasks[i].Pages = pipeline.EndOfList, 3, 3, 1
	}
	if err := l.Sync(ctx, "r1", Index{Tasks: tasks}); err != nil {
		t.Fatal(err)
	}
	cost, targets, known, err := l.LastTime(ctx, "r2", "nightly", "m")
	if err != nil || !known || targets != 4 || cost.Rows != 6 {
		t.Errorf("%d targets, %+v, known: %v, %v", targets, cost, known, err)
	}
}

func TestALedgerOfAnEarlierFormatLearnsWhatIsExpected(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "ledger.sqlite")
	older := Layout
	older.Upgrades = Layout.Upgrades[:1]
	older.Schema = strings.NewReplacer("\texpected_units INTEGER NOT NULL DEFAULT 0, expected_next INTEGER NOT NULL DEFAULT 0,\n", "", ",\n	held_units INTEGER NOT NULL DEFAULT 0, period_start INTEGER NOT NULL DEFAULT 0", "", ", remaining INTEGER", "",
		"\tcharged INTEGER NOT NULL DEFAULT 0, cleared INTEGER NOT NULL DEFAULT 0,\n", "", "\tspent_at INTEGER NOT NULL DEFAULT 0, held_at INTEGER NOT NULL DEFAULT 0,\n", "").Replace(schema)
	db, err := sqlite.Open(ctx, path, older)
	if err != nil {
		t.Fatal(err)
	}
	earlier := &Ledger{db: db}
	begin(t, earlier, "nightly", "2026-11-23", "r1")
	if err := earlier.Close(); err != nil {
		t.Fatal(err)
	}
	l := must(Open(ctx, path))(t)
	defer l.Close()
	if err := l.Sync(ctx, "r1", Index{Tasks: []Task{{Task: pipeline.Task{ID: "a", Extract: "x"}, Pages: 1, Expected: pipeline.Expectation{Units: 7, Next: 2}}}}); err != nil {
		t.Fatal(err)
	}
	left := pipeline.Units(3)
	if _, _, err := l.Count(ctx, Usage{RunID: "r1", Vendor: "moz", Month: "2026-11", At: now, Remaining: &left}, 0); err != nil {
		t.Fatal(err)
	}
	said, err := l.MonthUsages(ctx, "moz", "2026-11")
	if err != nil || len(said) != 1 || said[0].Remaining == nil || *said[0].Remaining != left {
		t.Errorf("%+v, %v", said, err)
	}
	if tasks, err := l.Tasks(ctx, "r1"); err != nil || len(tasks) != 1 || tasks[0].Expected != (pipeline.Expectation{Units: 7, Next: 2}) {
		t.Errorf("%+v, %v", tasks, err)
	}
}
