package recovery

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTheSignOfLifeOutlivesAClockThatGoesBack(t *testing.T) {
	journal := filepath.Join(t.TempDir(), "2026-11-23.sqlite")
	unlock, err := LockAt(journal)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	clock := noon
	p := NewPulse(journal, func() time.Time { return clock })
	for range 10 {
		p.Touch()
		clock = clock.Add(time.Minute)
	}
	clock = clock.Add(-3 * time.Hour)
	for range 20 {
		p.Touch()
		clock = clock.Add(time.Minute)
	}
	last := noon.Add(28*time.Minute + beat) // the jump took the minute before it, too
	if got := LastSign(journal, noon.Add(time.Hour)); got.Before(last) || got.After(last.Add(time.Minute)) {
		t.Errorf("the clock was set right: the last sign is of %v, want %v", got, last)
	}
	if got := LastSign(journal, clock); !got.Equal(clock) {
		t.Errorf("the clock is still behind: the last sign is of %v, at %v", got, clock)
	}
}

func TestASignOfLifeIsWrittenOnceASecond(t *testing.T) {
	journal := filepath.Join(t.TempDir(), "2026-11-23.sqlite")
	unlock, err := LockAt(journal)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	begin := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	clock := begin
	p := NewPulse(journal, func() time.Time { return clock })
	for _, c := range []struct{ at, want time.Duration }{{0, 0}, {999 * time.Millisecond, 0}, {time.Second, time.Second}, {1500 * time.Millisecond, time.Second}} {
		clock = begin.Add(c.at)
		p.Touch()
		if got := LastSign(journal, begin.Add(time.Hour)); !got.Equal(begin.Add(c.want + beat)) {
			t.Errorf("touched after %v, the last sign is %v after the first", c.at, got.Sub(begin)-beat)
		}
	}
}

func TestWhoLooksTellsAStoppedProcessFromOneThatWorks(t *testing.T) {
	t.Parallel()
	journal, now := filepath.Join(t.TempDir(), "2026-11-23.sqlite"), time.Now()
	unlock, err := LockSigned(journal, now.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	signed := func(ago time.Duration) Holder {
		t.Helper()
		if err := os.Chtimes(journal+lockSuffix, now.Add(-ago), now.Add(-ago)); err != nil {
			t.Fatal(err)
		}
		return HolderOf(journal)
	}
	if h := signed(2 * time.Hour); h.Silent != 0 {
		t.Errorf("a sign of who had the run before: silent for %v", h.Silent)
	}
	if h := signed(time.Minute); h.Silent < time.Minute || !strings.Contains(h.String(), "UTC, without a sign of life for 1m") {
		t.Errorf("silent for %v: %s", h.Silent, h)
	}
	NewPulse(journal, time.Now).Keep(time.Hour)()
	if h := HolderOf(journal); h.Silent != 0 || strings.Contains(h.String(), "life") {
		t.Errorf("it beats, and is silent for %v: %s", h.Silent, h)
	}
	if h := signed(time.Minute); h.Silent == 0 {
		t.Error("it does not beat any more, and is not silent")
	}
}
