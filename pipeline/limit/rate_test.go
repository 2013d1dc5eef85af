package limit

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// account is a vendor that allows so many requests a second, a little unevenly, and turns the others away.
type account struct {
	perSecond float64

	mu     sync.Mutex
	tokens float64
	last   time.Time
}

func (a *account) allows() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if a.last.IsZero() {
		a.last, a.tokens = now, 1
	}
	a.tokens = min(1.25, a.tokens+now.Sub(a.last).Seconds()*a.perSecond)
	a.last = now
	if a.tokens < 1-1e-9 {
		return false
	}
	a.tokens--
	return true
}

// press sends requests through the gate for a time and returns how many were served and how many turned away.
func press(t *testing.T, g *Gate, workers int, d, latency time.Duration, allows func() bool) (served, away int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				pass, err := g.Admit(ctx, 1, 1)
				if err != nil {
					return
				}
				time.Sleep(latency)
				mu.Lock()
				if allows() {
					served++
					pass.Settle(1)
				} else {
					away++
					pass.TurnedAway()
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return served, away
}

func TestARateTheVendorDoesNotAllowIsFoundOut(t *testing.T) {
	for _, allowed := range []float64{0.1, 1, 7.5, 20} {
		synctest.Test(t, func(t *testing.T) {
			g := New(Config{PerSecond: 20, Connections: 8})
			a := &account{perSecond: allowed}
			press(t, g, 8, 10*time.Minute, 50*time.Millisecond, a.allows) // to find the rate
			const span = time.Hour
			served, away := press(t, g, 8, span, 50*time.Millisecond, a.allows)
			if most := allowed * span.Seconds(); float64(served) < 0.7*most {
				t.Errorf("allowed %g: %d served of the %.0f the vendor allows", allowed, served, most)
			}
			if total := served + away; float64(away) > 0.16*float64(total) {
				t.Errorf("allowed %g: %d of %d turned away", allowed, away, total)
			}
			if allowed == 20 && (away > 0 || g.PerSecond() != 20) {
				t.Errorf("%d turned away and %g a second where the ceiling is what the vendor allows", away, g.PerSecond())
			}
		})
	}
}

func TestAFewThrottlesByAccidentDoNotSlowARunDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		g := New(Config{PerSecond: 10, Connections: 4})
		served, away := press(t, g, 4, 10*time.Minute, 100*time.Millisecond, func() bool { return r.IntN(40) > 0 })
		if total := served + away; total < 5400 || total > 6001 {
			t.Errorf("%d requests in 10 minutes at 10 a second, %d turned away", total, away)
		}
	})
}

func TestTheRateIsLoweredOnceForRequestsUnderWayTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Config{PerSecond: 100, Connections: 8})
		var passes []*Pass
		for range 8 {
			pass, err := g.Admit(context.Background(), 1, 1)
			if err != nil {
				t.Fatal(err)
			}
			passes = append(passes, pass)
		}
		time.Sleep(time.Second)
		for _, p := range passes {
			p.TurnedAway()
		}
		if got := g.PerSecond(); got < 69.9 || got > 70.1 {
			t.Errorf("%g a second after one volley, want 70", got)
		}
	})
}

func TestTheRateHasAFloorAndReturnsToItsCeiling(t *testing.T) {
	for _, ceiling := range []float64{100, 2, 0.01} {
		synctest.Test(t, func(t *testing.T) {
			g := New(Config{PerSecond: ceiling})
			var floored time.Time
			floor := min(ceiling, 1.0/60)
			for i := 0; i < 100 || g.PerSecond() < ceiling; i++ {
				pass, err := g.Admit(context.Background(), 1, 1)
				if err != nil {
					t.Fatal(err)
				}
				if i == 50 {
					floored = time.Now()
				}
				time.Sleep(time.Millisecond)
				if i < 50 {
					pass.TurnedAway()
				} else {
					pass.Settle(1)
				}
				if i == 49 && (g.PerSecond() < floor*0.999 || g.PerSecond() > floor*1.001) {
					t.Errorf("fell from %g to %g, want %g", ceiling, g.PerSecond(), floor)
				}
			}
			if took := time.Since(floored); ceiling >= 1 && took > 15*time.Minute {
				t.Errorf("back at %g a second after %v", ceiling, took)
			}
		})
	}
}

func TestAPauseHoldsThoseWhoWaitForTheirTurnToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Config{PerSecond: 1, Connections: 5})
		begin := time.Now()
		var mu sync.Mutex
		var at []time.Duration
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				pass, err := g.Admit(context.Background(), 1, 1)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				at = append(at, time.Since(begin))
				mu.Unlock()
				pass.Settle(1)
			})
		}
		time.Sleep(1500 * time.Millisecond) // two have passed; three have turns at 2, 3 and 4 seconds
		g.Pause(begin.Add(time.Minute))
		wg.Wait()
		for i, d := range at {
			if i >= 2 && (d < time.Minute || i > 2 && d-at[i-1] < 999*time.Millisecond) {
				t.Errorf("requests at %v: none may pass before the pause is over, then one a second", at)
				break
			}
		}
	})
}
