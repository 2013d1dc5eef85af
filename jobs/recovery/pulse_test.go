package recovery

import (
	"testing"
	"time"

	"backhaul/jobs/books"
	"backhaul/sinks"
)

func TestTheSignOfLifeOutlivesAClockThatGoesBack(t *testing.T) {
	book := books.InFiles(sinks.Warehouse{Root: t.TempDir()}).Of("nightly", "2026-11-23")
	unlock, err := book.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	clock := noon
	p := NewPulse(book, func() time.Time { return clock })
	for range 10 {
		touch(t, p)
		clock = clock.Add(time.Minute)
	}
	clock = clock.Add(-3 * time.Hour)
	for range 20 {
		touch(t, p)
		clock = clock.Add(time.Minute)
	}
	last := noon.Add(28*time.Minute + beat) // the jump took the minute before it, too
	if got := LastSign(t.Context(), book, noon.Add(time.Hour)); got.Before(last) || got.After(last.Add(time.Minute)) {
		t.Errorf("the clock was set right: the last sign is of %v, want %v", got, last)
	}
	if got := LastSign(t.Context(), book, clock); !got.Equal(clock) {
		t.Errorf("the clock is still behind: the last sign is of %v, at %v", got, clock)
	}
}

func TestASignOfLifeIsWrittenOnceASecond(t *testing.T) {
	book := books.InFiles(sinks.Warehouse{Root: t.TempDir()}).Of("nightly", "2026-11-23")
	unlock, err := book.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	begin := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	clock := begin
	p := NewPulse(book, func() time.Time { return clock })
	for _, c := range []struct{ at, want time.Duration }{{0, 0}, {999 * time.Millisecond, 0}, {time.Second, time.Second}, {1500 * time.Millisecond, time.Second}} {
		clock = begin.Add(c.at)
		touch(t, p)
		if got := LastSign(t.Context(), book, begin.Add(time.Hour)); !got.Equal(begin.Add(c.want + beat)) {
			t.Errorf("touched after %v, the last sign is %v after the first", c.at, got.Sub(begin)-beat)
		}
	}
}

func touch(t *testing.T, p *Pulse) {
	t.Helper()
	if err := p.Touch(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestAPulseBeatsWhileItIsKept(t *testing.T) {
	t.Parallel()
	book := books.InFiles(sinks.Warehouse{Root: t.TempDir()}).Of("nightly", "2026-11-23")
	unlock, err := book.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	then := time.Now().Add(-time.Hour).Truncate(time.Second)
	NewPulse(book, func() time.Time { return then }).Keep(time.Hour)()
	if got := book.LastBeat(t.Context()); !got.Equal(then) {
		t.Errorf("the last sign is of %v, want %v", got, then)
	}
}
