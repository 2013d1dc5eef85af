package limit

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"backhaul/pipeline"
)

func TestNoMoreRequestsAtOnceThanConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Config{Connections: 3})
		var mu sync.Mutex
		busy, peak := 0, 0
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				pass, err := g.Admit(context.Background(), 1, 1)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				busy++
				peak = max(peak, busy)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				busy--
				mu.Unlock()
				pass.Settle(1)
			})
		}
		wg.Wait()
		if peak != 3 {
			t.Errorf("%d at once, want 3", peak)
		}
	})
}

func TestAPauseHoldsEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Config{Connections: 2})
		begin := time.Now()
		g.Pause(begin.Add(time.Minute))
		g.Pause(begin.Add(time.Second)) // a shorter one does not end it
		for range 2 {
			pass, err := g.Admit(context.Background(), 1, 1)
			if err != nil {
				t.Fatal(err)
			}
			pass.Settle(1)
		}
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("paused for %v", took)
		}
	})
}

func TestAnEndedContextGivesEverythingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		purse := &purse{left: 100}
		g := New(Config{Grant: purse.grant})
		g.Pause(time.Now().Add(time.Hour))
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := g.Admit(ctx, 100, 100); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("admitted with %v", err)
		}
		time.Sleep(2 * time.Hour)
		pass, err := g.Admit(context.Background(), 100, 100)
		if err != nil || pass.Units != 100 {
			t.Fatalf("%+v, %v", pass, err)
		}
	})
}

// purse grants what is left in it.
type purse struct {
	mu   sync.Mutex
	left pipeline.Units
}

func (p *purse) grant(_ context.Context, want, least pipeline.Units) (got, left pipeline.Units, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if got = min(want, p.left); got < least {
		return 0, p.left, nil
	}
	p.left -= got
	return got, p.left, nil
}

func TestAMaybeChargedRequestStaysSetAside(t *testing.T) {
	p := &purse{left: 100}
	g := New(Config{Grant: p.grant})
	pass, err := g.Admit(context.Background(), 60, 60)
	if err != nil {
		t.Fatal(err)
	}
	pass.Unsettled()
	var budget *BudgetError
	if _, err := g.Admit(context.Background(), 60, 41); !errors.As(err, &budget) || budget.Left != 40 {
		t.Fatalf("%v: want a budget error with 40 left", err)
	}
	if pass, err = g.Admit(context.Background(), 60, 1); err != nil || pass.Units != 40 {
		t.Fatalf("%+v, %v: want the 40 that are left", pass, err)
	}
}

func TestSpentAndSetAsideNeverExceedTheBudget(t *testing.T) {
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			budget := pipeline.Units(r.IntN(2000))
			p := &purse{left: budget}
			// Two gates share the purse, as two processes share the ledger.
			gates := []*Gate{
				New(Config{Connections: 1 + r.IntN(8), Block: pipeline.Units(r.IntN(300)), Grant: p.grant}),
				New(Config{Connections: 1 + r.IntN(8), Block: pipeline.Units(r.IntN(300)), Grant: p.grant}),
			}
			var mu sync.Mutex
			var cost pipeline.Units
			var wg sync.WaitGroup
			for i := range 60 {
				want, part, sleep, lost := 1+r.IntN(60), r.Float64(), r.IntN(50), r.IntN(10) == 0
				wg.Go(func() {
					pass, err := gates[i%2].Admit(context.Background(), pipeline.Units(want), 1)
					if err != nil {
						if !errors.As(err, new(*BudgetError)) {
							t.Error(err)
						}
						return
					}
					time.Sleep(time.Duration(sleep) * time.Millisecond)
					actual := pipeline.Units(part * float64(pass.Units))
					mu.Lock()
					defer mu.Unlock()
					if lost {
						cost += pass.Units
						pass.Unsettled()
					} else {
						cost += actual
						pass.Settle(actual)
					}
				})
			}
			wg.Wait()
			if cost > budget {
				t.Errorf("seed %d: spent %d of %d", seed, cost, budget)
			}
			for _, g := range gates {
				if g.reserved != 0 {
					t.Errorf("seed %d: %d units left reserved", seed, g.reserved)
				}
			}
		})
	}
}

// A grant may take as long as a disk does. Requests that have units, and those that end, do not wait for it.
func TestNobodyWaitsForAGrantThatHeDoesNotNeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := true
		g := New(Config{Connections: 3, Grant: func(_ context.Context, want, _ pipeline.Units) (pipeline.Units, pipeline.Units, error) {
			if !first {
				time.Sleep(time.Minute)
			}
			first = false
			return want + 1, 0, nil
		}})
		begin := time.Now()
		pass, err := g.Admit(t.Context(), 4, 4) // 5 are granted
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			slow, err := g.Admit(t.Context(), 100, 100)
			if err != nil {
				t.Error(err)
				return
			}
			if took := time.Since(begin); took != time.Minute {
				t.Errorf("the one that needs a grant had it after %v", took)
			}
			slow.Settle(100)
		})
		synctest.Wait()
		other, err := g.Admit(t.Context(), 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		pass.Settle(4)
		other.Settle(1)
		if took := time.Since(begin); took != 0 {
			t.Errorf("those that need no grant waited %v", took)
		}
		wg.Wait()
	})
}

func TestARequestIsNotAdmittedWithLessThanItCanCost(t *testing.T) {
	ctx := context.Background()
	type answer struct{ got, left pipeline.Units }
	// Ten are granted. Later six seem to be left, and another process takes them before they are asked for.
	answers := []answer{{10, 6}, {0, 6}, {0, 0}, {0, 0}}
	g := New(Config{Grant: func(context.Context, pipeline.Units, pipeline.Units) (got, left pipeline.Units, err error) {
		a := answers[0]
		answers = answers[1:]
		return a.got, a.left, nil
	}})
	p, err := g.Admit(ctx, 10, 10)
	if err != nil {
		t.Fatal(err)
	}
	p.Settle(7)
	var budget *BudgetError
	if p, err := g.Admit(ctx, 10, 8); !errors.As(err, &budget) || budget.Left != 3 {
		t.Fatalf("admitted %+v, %v", p, err)
	}
	if p, err = g.Admit(ctx, 3, 3); err != nil { // whom the budget refused has left its connection
		t.Fatal(err)
	}
	p.Settle(3)
}

func TestWhatWasNotAskedForDuringARestIsNotMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Config{PerSecond: 1, Connections: 5})
		admit := func() {
			p, err := g.Admit(context.Background(), 1, 1)
			if err != nil {
				t.Fatal(err)
			}
			p.Settle(1)
		}
		admit()
		time.Sleep(time.Minute)
		begin := time.Now()
		for range 5 {
			admit()
		}
		if took := time.Since(begin); took != 4*time.Second {
			t.Errorf("five requests at one a second took %v", took)
		}
	})
}

func TestUnitsThatOthersHoldAreWaitedForBeforeARequestGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := true
		g := New(Config{Connections: 2, Grant: func(context.Context, pipeline.Units, pipeline.Units) (got, left pipeline.Units, err error) {
			if first {
				first = false
				return 10, 0, nil
			}
			return 0, 0, nil
		}})
		held, err := g.Admit(context.Background(), 10, 10)
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Minute, func() { held.Settle(4) })
		p, err := g.Admit(context.Background(), 10, 5)
		if err != nil || p.Units != 6 {
			t.Fatalf("%+v, %v: six of ten came back", p, err)
		}
		p.Settle(6)
	})
}

func TestWhomTheBudgetRefusedKeepsNoConnection(t *testing.T) {
	g := New(Config{Grant: func(_ context.Context, want, _ pipeline.Units) (got, left pipeline.Units, err error) {
		if want > 3 {
			return 0, 3, nil
		}
		return want, 0, nil
	}})
	if _, err := g.Admit(t.Context(), 10, 10); !errors.As(err, new(*BudgetError)) {
		t.Fatal(err)
	}
	if len(g.slots) != 0 {
		t.Fatal("its connection is taken")
	}
	p, err := g.Admit(t.Context(), 3, 3)
	if err != nil {
		t.Fatal(err)
	}
	p.Settle(3)
}

func TestWhoComesAfterTheEndAsksForNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	asked := 0
	g := New(Config{Grant: func(context.Context, pipeline.Units, pipeline.Units) (pipeline.Units, pipeline.Units, error) {
		asked++
		return 0, 0, nil
	}})
	for range 50 {
		if _, err := g.Admit(ctx, 1, 1); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if asked > 0 {
		t.Errorf("units were asked for %d times", asked)
	}
}
