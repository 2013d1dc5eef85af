package limit

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
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
			const span, all = time.Hour, time.Hour + 10*time.Minute
			served, away := press(t, g, 8, span, 50*time.Millisecond, a.allows)
			if most := allowed * span.Seconds(); float64(served) < 0.7*most {
				t.Errorf("allowed %g: %d served of the %.0f the vendor allows", allowed, served, most)
			}
			if total := served + away; float64(away) > 0.16*float64(total) {
				t.Errorf("allowed %g: %d of %d turned away", allowed, away, total)
			}
			if lost, want := g.Lost().Seconds()/all.Seconds(), 1-allowed/20; math.Abs(lost-want) > 0.1 {
				t.Errorf("allowed %g: requests were held up for %.2f of the time, want %.2f", allowed, lost, want)
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

// window is a vendor that allows so many requests in a time: in fixed windows, or, where it slides, in any such time. One that
// counts all holds those against a client that it turns away, too.
type window struct {
	most              int
	length            time.Duration
	slides, countsAll bool

	begin time.Time
	at    []time.Time
}

func (w *window) allows() bool {
	now := time.Now()
	if w.begin.IsZero() || !w.slides && now.Sub(w.begin) >= w.length {
		w.begin, w.at = now, nil
	}
	for w.slides && len(w.at) > 0 && now.Sub(w.at[0]) >= w.length {
		w.at = w.at[1:]
	}
	allowed := len(w.at) < w.most
	if allowed || w.countsAll {
		w.at = append(w.at, now)
	}
	return allowed
}

// by chance turns requests away that allows would serve.
func byChance(share float64, allows func() bool) func() bool {
	r := rand.New(rand.NewPCG(1, 2))
	return func() bool { return r.Float64() >= share && (allows == nil || allows()) }
}

// TestARunGetsWhatItsVendorAllows simulates an hour or more at vendors that count in different ways, none of which is told.
func TestARunGetsWhatItsVendorAllows(t *testing.T) {
	for name, c := range map[string]struct {
		ceiling, allowed float64 // requests per second
		allows           func() bool
		served           float64 // at least this share of what is allowed
		away             float64 // at most this share of all
	}{
		"a bucket":                     {2, 1, (&account{perSecond: 1}).allows, 0.9, 0.1},
		"a bucket, nearly the ceiling": {2, 1.5, (&account{perSecond: 1.5}).allows, 0.9, 0.1},
		"a minute":                     {2, 1, (&window{most: 60, length: time.Minute}).allows, 0.9, 0.05},
		"ten seconds":                  {2, 1, (&window{most: 10, length: 10 * time.Second}).allows, 0.9, 0.1},
		"one second":                   {2, 1, (&window{most: 1, length: time.Second}).allows, 0.9, 0.1},
		"five minutes":                 {2, 50.0 / 300, (&window{most: 50, length: 5 * time.Minute}).allows, 0.9, 0.1},
		"any minute":                   {2, 1, (&window{most: 60, length: time.Minute, slides: true}).allows, 0.9, 0.05},
		"any ten seconds":              {2, 1, (&window{most: 10, length: 10 * time.Second, slides: true}).allows, 0.9, 0.05},
		"any minute, counting all":     {2, 1, (&window{most: 60, length: time.Minute, slides: true, countsAll: true}).allows, 0.85, 0.05},
		"any ten, far below the ceiling, counting all": {20, 1, (&window{most: 10, length: 10 * time.Second, slides: true, countsAll: true}).allows, 0.8, 0.1},
		"chance, one in ten":                           {2, 1.8, byChance(0.1, nil), 0.95, 0.12},
		"chance, one in ten, fast":                     {20, 18, byChance(0.1, nil), 0.95, 0.12},
		"chance, one in five":                          {2, 1.6, byChance(0.2, nil), 0.9, 0.23},
		"chance, two in five, fast":                    {20, 12, byChance(0.4, nil), 0.8, 0.43},
		"chance and a bucket":                          {2, 1, byChance(0.1, (&account{perSecond: 1}).allows), 0.85, 0.2},
		"the ceiling":                                  {2, 2, func() bool { return true }, 0.99, 0},
	} {
		if testing.Short() && !strings.HasSuffix(name, "a bucket") {
			continue // for the race detector all vendors are alike
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := New(Config{PerSecond: c.ceiling, Connections: 8})
				const span = 2 * time.Hour
				served, away := press(t, g, 8, span, 300*time.Millisecond, c.allows)
				share, lost := float64(served)/(c.allowed*span.Seconds()), float64(away)/float64(served+away)
				if share < c.served || lost > c.away {
					t.Errorf("served %d, %.2f of what is allowed, and %d turned away, %.2f of all", served, share, away, lost)
				}
			})
		})
	}
}

func TestAQuotaThatIsUsedUpIsAskedForOnceAMinuteAndUsedAtOnceWhenItIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Config{PerSecond: 2, Connections: 8})
		left, renewed := 1000, time.Now().Add(24*time.Hour)
		allows := func() bool {
			left--
			return left >= 0 || !time.Now().Before(renewed)
		}
		served, _ := press(t, g, 8, time.Hour, 300*time.Millisecond, allows)
		if served != 1000 {
			t.Errorf("%d served of 1000", served)
		}
		for _, span := range []time.Duration{10 * time.Minute, 22*time.Hour + 50*time.Minute} {
			served, away := press(t, g, 8, span, 300*time.Millisecond, allows)
			if least, most := int(span.Minutes()*0.9), int(span.Minutes()*1.1); served > 0 || away < least || away > most {
				t.Errorf("%d served and %d turned away in %v, while nothing was left", served, away, span)
			}
		}
		if served, _ := press(t, g, 8, 20*time.Minute, 300*time.Millisecond, allows); served < 1200 {
			t.Errorf("%d served in the 20 minutes after the renewal, of 2400", served)
		}
	})
}

func TestAVendorThatTurnsEveryRequestAwayIsAskedEverMoreSeldom(t *testing.T) {
	for _, ceiling := range []float64{0, 0.01, 2, 20, 100_000} {
		synctest.Test(t, func(t *testing.T) {
			g := New(Config{PerSecond: ceiling, Connections: 8})
			var at []time.Time
			served, away := press(t, g, 8, 10*time.Minute, 50*time.Millisecond, func() bool {
				at = append(at, time.Now())
				return false
			})
			most := 18
			if ceiling == 0 || ceiling > 100 {
				most += 8 * shutAfter // volleys of all connections, before the vendor is seen to be closed
			}
			if served > 0 || away > most {
				t.Errorf("ceiling %g: %d tries in ten minutes", ceiling, away)
			}
			if n := len(at); ceiling > 0.01 && at[n-1].Sub(at[n-2]) < 59*time.Second {
				t.Errorf("ceiling %g: the last tries %v apart", ceiling, at[n-1].Sub(at[n-2]))
			}
		})
	}
}

func TestRequestsUnderWayTogetherTellOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Config{PerSecond: 100, Connections: 8})
		for _, want := range []int{1, 2} {
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
			if g.refusals != want {
				t.Errorf("%d refusals after %d volleys", g.refusals, want)
			}
		}
	})
}

func TestAnAnswerLetsThoseFollowWhoWaitForAClosedVendor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Config{PerSecond: 2, Connections: 8})
		open := time.Now().Add(10 * time.Minute)
		var first, tenth time.Duration
		n := 0
		press(t, g, 8, 15*time.Minute, 100*time.Millisecond, func() bool {
			if time.Now().Before(open) {
				return false
			}
			if n++; n == 1 {
				first = time.Since(open)
			} else if n == 10 {
				tenth = time.Since(open)
			}
			return true
		})
		if first > time.Minute || tenth == 0 || tenth-first > time.Minute {
			t.Errorf("the first was answered %v after the vendor opened, the tenth %v", first, tenth)
		}
	})
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
