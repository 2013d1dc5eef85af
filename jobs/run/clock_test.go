package run

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
)

// TestAClockThatGoesBackDuringARunOverrunsNothing sets the clock back, at any moment of a run, by an hour to forty days: into
// another month, too. Then the clock is set right, and the run is gone on with.
func TestAClockThatGoesBackDuringARunOverrunsNothing(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 5))
		dir, m := t.TempDir(), newMeter(1, 10)
		m.fault = func() (pipeline.Kind, bool, bool) {
			return pipeline.Transient, r.IntN(2) == 0, r.IntN(8) == 0
		}
		const most = 150
		job := m.job("job", 1, month(most), 100, 70, 50)
		right := time.Date(2026, 12, 1, 0, 30, 0, 0, time.UTC)
		back, at := time.Hour+time.Duration(r.Int64N(int64(40*24*time.Hour))), int64(1+r.IntN(40))
		var looks atomic.Int64
		o := options(dir)
		o.Now = func() time.Time {
			now := right.Add(time.Duration(looks.Add(1)) * time.Second)
			if looks.Load() > at {
				now = now.Add(-back)
			}
			return now
		}
		first, err := Run(context.Background(), job, o)
		if err != nil {
			t.Fatal(err)
		}
		if granted, spent := accounted(t, dir); m.billed > granted || granted > most || spent > m.billed {
			t.Errorf("seed %d: %d billed, %d spent and %d granted of %d", seed, m.billed, spent, granted, most)
		}
		billed := m.billed
		o = options(dir)
		o.Now = func() time.Time { return right.Add(time.Hour) }
		again, err := Run(context.Background(), job, o)
		if err != nil {
			t.Fatal(err)
		}
		if m.billed > most || first.Run.ID != again.Run.ID {
			t.Errorf("seed %d: %d billed of %d before the clock was set right, %d after", seed, billed, most, m.billed)
		}
	}
}

func TestAClockThatHasGoneBackBetweenRunsIsToldBeforeAnythingIsBought(t *testing.T) {
	for back, want := range map[time.Duration]error{-time.Hour: nil, clockSlack / 2: nil, 2 * clockSlack: ErrClock, 40 * 24 * time.Hour: ErrClock} {
		dir, m := t.TempDir(), newMeter(1, 10)
		now := time.Date(2026, 12, 1, 0, 30, 0, 0, time.UTC)
		o := options(dir)
		o.Now = func() time.Time { return now }
		if _, err := Run(context.Background(), m.job("job", 1, ledger.Ceiling{}, 30), o); err != nil {
			t.Fatal(err)
		}
		billed := m.billed
		now = now.Add(-back)
		o.NewID += "-again"
		_, err := Run(context.Background(), m.job("other", 1, ledger.Ceiling{}, 40), o)
		if !errors.Is(err, want) || (m.billed > billed) != (want == nil) {
			t.Errorf("back by %v: %v, and %d billed, %d before", back, err, m.billed, billed)
		}
	}
}
