package engine

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/limit"
)

func TestPausesStayWithinTheirBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bounds := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second}
		longest := make([]time.Duration, len(bounds))
		for range 200 {
			v, m := &vendor{}, &memory{}
			v.fault = func(int, pipeline.Task, pipeline.Ask) (*pipeline.Page, error) {
				return nil, &pipeline.Error{Kind: pipeline.Transient, Status: 500}
			}
			c := config(m, 1, works(v, 60), limit.Config{})
			c.Retry.Base, c.Retry.Most = time.Second, 5*time.Second
			n := 0
			c.Observe = func(e Event) {
				if e.Retry != nil {
					longest[n] = max(longest[n], e.Wait)
					n++
				}
			}
			if _, err := Run(context.Background(), c); err != nil || n != len(bounds) {
				t.Fatalf("%d pauses, %v", n, err)
			}
		}
		for i, bound := range bounds {
			if longest[i] > bound || longest[i] < bound*8/10 {
				t.Errorf("the longest of 200 pauses %d was %v, want close to %v", i, longest[i], bound)
			}
		}
	})
}

func TestThirtyPercentFaultsDoNotLookLikeAVendorThatIsDown(t *testing.T) {
	for seed := range uint64(5) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 2))
			var mu sync.Mutex
			v, m := &vendor{latency: 100 * time.Millisecond}, &memory{}
			v.fault = func(int, pipeline.Task, pipeline.Ask) (*pipeline.Page, error) {
				mu.Lock()
				defer mu.Unlock()
				switch f := r.Float64(); {
				case f < 0.1:
					return nil, &pipeline.Error{Kind: pipeline.Transient, Status: 500}
				case f < 0.2:
					return nil, &pipeline.Error{Kind: pipeline.Transient, MaybeCharged: true}
				case f < 0.25:
					return nil, &pipeline.Error{Kind: pipeline.Transient, Unreachable: true}
				case f < 0.3:
					return nil, &pipeline.Error{Kind: pipeline.Throttled, Status: 429, After: time.Second}
				}
				return nil, nil
			}
			rows := make([]int, 2000)
			for i := range rows {
				rows[i] = r.IntN(120)
			}
			outcomes, err := Run(context.Background(), config(m, 8, works(v, rows...), limit.Config{PerSecond: 100}))
			if err != nil {
				t.Fatal(err)
			}
			failed := 0
			for _, o := range outcomes {
				if !o.Ending.Complete() {
					failed++
				}
			}
			if failed > 10 {
				t.Errorf("seed %d: %d of %d tasks failed", seed, failed, len(outcomes))
			}
		})
	}
}

func TestOneListThatCannotConnectDoesNotStopAVendorThatAnswersOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{latency: 100 * time.Millisecond}, &memory{}
		v.fault = func(_ int, task pipeline.Task, _ pipeline.Ask) (*pipeline.Page, error) {
			if task.Target == "170" {
				return nil, &pipeline.Error{Kind: pipeline.Transient, Unreachable: true}
			}
			return nil, nil
		}
		outcomes, err := Run(context.Background(), config(m, 2, works(v, 170, 50_000), limit.Config{}))
		if err != nil || outcomes[0].Ending != pipeline.EndFault || outcomes[1].Ending != pipeline.EndOfList {
			t.Errorf("%v, %v", endings(outcomes), err)
		}
	})
}

func TestTheLedgerOfARetryStormIsBoundedByTheBudget(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 3))
			const budget = 1000
			var mu sync.Mutex
			billed, left := pipeline.Units(0), pipeline.Units(budget)
			v, m := &vendor{latency: 50 * time.Millisecond}, &memory{}
			v.fault = func(_ int, _ pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
				mu.Lock()
				defer mu.Unlock()
				billed += pipeline.Units(ask.Limit) // the worst case: whole pages, all of them billed
				if r.IntN(10) < 7 {
					return nil, &pipeline.Error{Kind: pipeline.Transient, MaybeCharged: true}
				}
				return &pipeline.Page{Rows: ask.Limit, Units: pipeline.Units(ask.Limit), Next: ask.Cursor + "x"}, nil
			}
			grant := func(_ context.Context, want, least pipeline.Units) (got, rest pipeline.Units, err error) {
				mu.Lock()
				defer mu.Unlock()
				if got = min(want, left); got < least {
					return 0, left, nil
				}
				left -= got
				return got, left, nil
			}
			c := config(m, 5, works(v, 1, 1, 1, 1, 1, 1, 1, 1), limit.Config{Grant: grant, Block: 130})
			c.Retry.Attempts = 1000
			outcomes, err := Run(context.Background(), c)
			var stop *StopError
			if !errors.As(err, &stop) || stop.Ending != pipeline.EndBudget {
				t.Fatalf("%v", err)
			}
			var known pipeline.Units
			for _, o := range outcomes {
				known += o.Place.Units + o.Place.MaybeUnits
			}
			if billed > budget || billed != known {
				t.Errorf("seed %d: %d billed of a budget of %d, %d accounted for", seed, billed, budget, known)
			}
		})
	}
}

func TestAConfiguredRateThatIsTooHighCostsFewRequests(t *testing.T) {
	for name, after := range map[string]time.Duration{"Retry-After": time.Second, "no Retry-After": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, m := &vendor{latency: 200 * time.Millisecond}, &memory{}
				var mu sync.Mutex
				var passed time.Time
				v.fault = func(int, pipeline.Task, pipeline.Ask) (*pipeline.Page, error) {
					mu.Lock()
					defer mu.Unlock()
					if time.Since(passed) < time.Second { // the vendor allows one a second
						return nil, &pipeline.Error{Kind: pipeline.Throttled, Status: 429, After: after}
					}
					passed = time.Now()
					return nil, nil
				}
				begin := time.Now()
				outcomes, err := Run(context.Background(), config(m, 8, works(v, 5000, 5000, 5000, 5000, 5000, 5000, 5000, 5000), limit.Config{PerSecond: 10}))
				if err != nil {
					t.Fatal(err)
				}
				const pages = 800
				for _, o := range outcomes {
					if o.Ending != pipeline.EndOfList {
						t.Errorf("%+v", o)
					}
				}
				if away := len(m.attempts); away > pages/4 {
					t.Errorf("%d requests turned away for %d pages", away, pages)
				}
				if took := time.Since(begin); took > 2*pages*time.Second {
					t.Errorf("took %v, the vendor's own rate %v", took, pages*time.Second)
				}
			})
		})
	}
}

func TestAVendorThatTurnsEverythingAwayIsGivenUpAfterAllPatience(t *testing.T) {
	used := time.Hour // before the quota is used up
	if testing.Short() {
		used = 5 * time.Minute
	}
	for _, connections := range []int{1, 8} {
		for _, after := range []time.Duration{0, time.Second} {
			synctest.Test(t, func(t *testing.T) {
				v, m := &vendor{latency: 100 * time.Millisecond}, &memory{}
				begin := time.Now()
				v.fault = func(n int, _ pipeline.Task, _ pipeline.Ask) (*pipeline.Page, error) {
					if time.Since(begin) < used {
						return nil, nil
					}
					return nil, &pipeline.Error{Kind: pipeline.Throttled, Status: 429, After: after, Message: "too many requests"}
				}
				outcomes, err := Run(context.Background(), config(m, connections, works(v, slices.Repeat([]int{50_000}, 40)...), limit.Config{PerSecond: 2, Connections: connections}))
				var stop *StopError
				if !errors.As(err, &stop) || stop.Ending != pipeline.EndQuota {
					t.Fatalf("%d connections: %v, %v", connections, endings(outcomes), err)
				}
				if took := time.Since(begin) - used; took < 15*time.Minute || took > 18*time.Minute || len(m.attempts) > 40 {
					t.Errorf("%d connections: given up after %v and %d requests", connections, took, len(m.attempts))
				}
			})
		}
	}
}

func TestAVendorThatFailsAndTurnsAwayIsNotTakenForOneWithoutQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{latency: 100 * time.Millisecond}, &memory{}
		v.fault = func(n int, _ pipeline.Task, _ pipeline.Ask) (*pipeline.Page, error) {
			if n%3 == 0 {
				return nil, &pipeline.Error{Kind: pipeline.Transient, Status: 500}
			}
			return nil, &pipeline.Error{Kind: pipeline.Throttled, Status: 429}
		}
		outcomes, err := Run(context.Background(), config(m, 2, works(v, slices.Repeat([]int{100}, 40)...), limit.Config{PerSecond: 2, Connections: 2}))
		var stop *StopError
		if !errors.As(err, &stop) || stop.Ending != pipeline.EndUnreachable {
			t.Errorf("%v, %v", endings(outcomes), err)
		}
	})
}

// TestFaultsDoNotSlowARunMoreThanTheyMust buys from a vendor that fails two requests in five, one in seven of all for want of
// room. It allows what the run asks for.
func TestFaultsDoNotSlowARunMoreThanTheyMust(t *testing.T) {
	for name, after := range map[string]time.Duration{"Retry-After": time.Second, "no Retry-After": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := rand.New(rand.NewPCG(1, 4))
				var mu sync.Mutex
				v, m := &vendor{latency: 200 * time.Millisecond}, &memory{}
				v.fault = func(int, pipeline.Task, pipeline.Ask) (*pipeline.Page, error) {
					mu.Lock()
					defer mu.Unlock()
					switch f := r.Float64(); {
					case f < 0.14:
						return nil, &pipeline.Error{Kind: pipeline.Throttled, Status: 429, After: after}
					case f < 0.4:
						return nil, &pipeline.Error{Kind: pipeline.Transient, Status: 500}
					}
					return nil, nil
				}
				begin := time.Now()
				outcomes, err := Run(context.Background(), config(m, 8, works(v, slices.Repeat([]int{1000}, 24)...), limit.Config{PerSecond: 2, Connections: 8}))
				if err != nil {
					t.Fatal(err)
				}
				failed := 0
				for _, o := range outcomes {
					if !o.Ending.Complete() {
						failed++
					}
				}
				if failed > 5 { // one in three runs has a list that fails six times in a row; six of them are one run in a million
					t.Errorf("%d of %d tasks failed", failed, len(outcomes))
				}
				// 480 pages take 800 requests, 400 s at two a second, and 112 waits of a second where one is asked for.
				if took := time.Since(begin); took > 400*time.Second*3/2+112*after {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}
