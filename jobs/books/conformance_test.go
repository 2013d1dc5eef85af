package books

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/sinks"
)

func TestBooksInFilesKeepTheirPromises(t *testing.T) {
	t.Parallel()
	keepPromises(t, func(t *testing.T) (one, another Books) {
		w := sinks.Warehouse{Root: t.TempDir()}
		return InFiles(w), InFiles(w)
	})
}

var now = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

var header = journal.Header{RunID: "r1", Job: "nightly", RunDate: "2026-11-23", Created: now}

// keepPromises holds books to what their users rely on. warehouse makes those of a new warehouse, as two processes have them.
func keepPromises(t *testing.T, warehouse func(t *testing.T) (one, another Books)) {
	for name, claim := range map[string]func(t *testing.T, one, another Books){
		"a run is locked by one": func(t *testing.T, one, another Books) {
			mine, theirs := one.Of("nightly", "2026-11-23"), another.Of("nightly", "2026-11-23")
			if busy, err := theirs.Busy(t.Context()); busy || err != nil {
				t.Errorf("nobody has it, and it is busy: %v, %v", busy, err)
			}
			unlock := must(mine.Lock(t.Context()))(t)
			if err := mine.Sure(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := theirs.Lock(t.Context()); !errors.Is(err, ErrBusy) {
				t.Errorf("locked by two: %v", err)
			}
			if busy, err := theirs.Busy(t.Context()); !busy || err != nil {
				t.Errorf("busy: %v, %v", busy, err)
			}
			must(another.Of("nightly", "2026-11-24").Lock(t.Context()))(t)()
			got := make(chan error, 1)
			go func() {
				unlock, err := theirs.Wait(t.Context())
				if err == nil {
					unlock()
				}
				got <- err
			}()
			unlock()
			if err := <-got; err != nil {
				t.Errorf("waited for: %v", err)
			}
			must(theirs.Lock(t.Context()))(t)()
		},
		"who works on a run is told until he has left": func(t *testing.T, one, another Books) {
			mine, theirs := one.Of("nightly", "2026-11-23"), another.Of("nightly", "2026-11-23")
			if h := theirs.Holder(t.Context()); h != (Holder{}) {
				t.Errorf("%+v", h)
			}
			unlock := must(mine.Lock(t.Context()))(t)
			erase := mine.Sign(now)
			h := theirs.Holder(t.Context())
			if h.PID == 0 || h.Host == "" || !h.Since.Equal(now) {
				t.Errorf("%+v", h)
			}
			var busy *BusyError
			if _, err := theirs.Lock(t.Context()); !errors.As(err, &busy) || busy.Holder != h {
				t.Errorf("%v", err)
			}
			erase()
			if h := theirs.Holder(t.Context()); h != (Holder{}) {
				t.Errorf("who has left is told: %+v", h)
			}
			unlock()
		},
		"the last sign of life stays": func(t *testing.T, one, another Books) {
			mine, theirs := one.Of("nightly", "2026-11-23"), another.Of("nightly", "2026-11-23")
			if last := theirs.LastBeat(t.Context()); !last.IsZero() {
				t.Errorf("nobody lived: %v", last)
			}
			unlock := must(mine.Lock(t.Context()))(t)
			mine.Beat(now)
			mine.Sign(now.Add(time.Hour))()
			unlock()
			must(theirs.Lock(t.Context()))(t)()
			if last := theirs.LastBeat(t.Context()); !last.Equal(now) {
				t.Errorf("%v", last)
			}
		},
		"a journal comes and goes": func(t *testing.T, one, another Books) {
			mine, theirs := one.Of("nightly", "2026-11-23"), another.Of("nightly", "2026-11-23")
			gone := func(want bool) {
				t.Helper()
				if gone, err := theirs.Gone(t.Context()); gone != want || err != nil {
					t.Errorf("gone: %v, %v", gone, err)
				}
			}
			gone(true)
			defer must(mine.Lock(t.Context()))(t)()
			j := must(mine.Open(t.Context(), header))(t)
			if err := errors.Join(j.AddTasks(t.Context(), []pipeline.Task{{ID: "a", Extract: "x", Target: "t"}}), j.Append(t.Context(), "a", pipeline.Page{Units: 7}), j.Close()); err != nil {
				t.Fatal(err)
			}
			gone(false)
			if size := theirs.Size(t.Context()); size <= 0 {
				t.Errorf("it takes %d bytes", size)
			}
			read := must(theirs.Open(t.Context(), journal.Header{Job: "nightly", RunDate: "2026-11-23"}))(t)
			if places := must(read.Places(t.Context()))(t); places["a"].Units != 7 || read.Header().RunID != "r1" {
				t.Errorf("%+v", places)
			}
			if err := read.Close(); err != nil {
				t.Error(err)
			}
			if keys := must(another.Runs(t.Context()))(t); !cmp.Equal(keys, []Key{{"nightly", "2026-11-23"}}) {
				t.Errorf("%+v", keys)
			}
			if text := must(theirs.Remains(t.Context()))(t); text != nil {
				t.Errorf("what remains is %q", text)
			}
			for _, text := range []string{"first", "{}\n"} {
				if err := mine.KeepRemains(t.Context(), []byte(text)); err != nil {
					t.Fatal(err)
				}
			}
			if err := mine.Remove(t.Context()); err != nil {
				t.Fatal(err)
			}
			gone(true)
			if text := must(theirs.Remains(t.Context()))(t); string(text) != "{}\n" {
				t.Errorf("what remains is %q", text)
			}
			if keys := must(another.Runs(t.Context()))(t); len(keys) != 1 {
				t.Errorf("%+v", keys)
			}
			if err := mine.Remove(t.Context()); err != nil {
				t.Errorf("removed again: %v", err)
			}
		},
		"a journal is replaced wholly or not at all": func(t *testing.T, one, another Books) {
			mine, theirs := one.Of("nightly", "2026-11-23"), another.Of("nightly", "2026-11-23")
			defer must(mine.Lock(t.Context()))(t)()
			add := func(id string) func(*journal.Journal) error {
				return func(j *journal.Journal) error { return j.AddTasks(t.Context(), []pipeline.Task{{ID: id}}) }
			}
			if aside := must(mine.Replace(t.Context(), now, header, add("first")))(t); aside != "" {
				t.Errorf("there was none, and it is %s", aside)
			}
			fails := errors.New("fails")
			if _, err := mine.Replace(t.Context(), now, header, func(*journal.Journal) error { return fails }); !errors.Is(err, fails) {
				t.Error(err)
			}
			if aside := must(mine.Replace(t.Context(), now, header, add("second")))(t); aside == "" {
				t.Error("the one before is nowhere")
			}
			j := must(theirs.Open(t.Context(), journal.Header{Job: "nightly", RunDate: "2026-11-23"}))(t)
			defer j.Close()
			if tasks := must(j.Tasks(t.Context()))(t); len(tasks) != 1 || tasks[0].ID != "second" {
				t.Errorf("%+v", tasks)
			}
		},
		"a ledger is made, and put aside": func(t *testing.T, one, another Books) {
			if gone, err := another.LedgerGone(t.Context()); !gone || err != nil {
				t.Errorf("%v, %v", gone, err)
			}
			if aside := must(one.PutLedgerAside(t.Context(), now))(t); aside != "" {
				t.Errorf("there was none, and it is %s", aside)
			}
			for _, at := range []time.Time{now, now.Add(time.Second)} {
				l := must(one.OpenLedger(t.Context()))(t)
				if runs := must(l.Runs(t.Context()))(t); len(runs) != 0 {
					t.Errorf("%+v", runs)
				}
				if _, err := l.Begin(t.Context(), "nightly", "2026-11-23", "hash", "r1", at); err != nil {
					t.Error(err)
				}
				if err := l.Close(); err != nil {
					t.Error(err)
				}
				if gone, err := another.LedgerGone(t.Context()); gone || err != nil {
					t.Errorf("%v, %v", gone, err)
				}
				if aside := must(one.PutLedgerAside(t.Context(), at))(t); aside == "" {
					t.Error("the one before is nowhere")
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			one, another := warehouse(t)
			claim(t, one, another)
		})
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
