package engine

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/limit"
)

// of makes works the lists of one extract.
func of(extract string, w []Work) []Work {
	for i := range w {
		w[i].Task.Extract = extract
		w[i].Task.ID = extract + w[i].Task.ID
	}
	return w
}

// While the last list of one extract is read, what waited for another is bought on the connection that is free.
func TestWhatWaitsForAnExtractIsBoughtAsSoonAsThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{latency: time.Second}
		c := config(&memory{}, 2, append(of("long", works(v, 50*20)), of("short", works(v, 50*2, 50*3))...), limit.Config{})
		var told []string
		c.More = func(_ context.Context, over Over) []Lane {
			told = append(told, fmt.Sprint(over.Extract, len(over.Outcomes)))
			if over.Extract != "short" {
				return nil
			}
			for _, o := range over.Outcomes {
				if o.Ending != pipeline.EndOfList {
					t.Errorf("%s: %s", o.Task.ID, o.Ending)
				}
			}
			time.Sleep(2 * time.Second) // it may take its time
			return []Lane{{Vendor: "moz", Work: of("then", works(v, 50*4, 50*5))}}
		}
		begin := time.Now()
		outcomes, err := Run(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != 20*time.Second {
			t.Errorf("it took %s, the longest list 20 s", took)
		}
		if want := []string{"short2", "then2", "long1"}; !slices.Equal(told, want) {
			t.Errorf("told of %v, want %v", told, want)
		}
		if len(outcomes) != 5 || v.requests != 20+5+9 || v.peak != 2 {
			t.Errorf("%d outcomes, %d requests, %d at once", len(outcomes), v.requests, v.peak)
		}
	})
}

// The run waits for what may come, and opens lanes for vendors that had none.
func TestARunIsNotOverBeforeItIsKnownThatThereIsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, other := &vendor{latency: time.Second}, &vendor{latency: time.Second}
		c := config(&memory{}, 4, of("a", works(v, 50)), limit.Config{})
		c.More = func(_ context.Context, over Over) []Lane {
			time.Sleep(time.Minute)
			switch over.Extract {
			case "a":
				return []Lane{{Vendor: "ahrefs", Gate: limit.New(limit.Config{Connections: 3}), Connections: 3, Work: of("b", works(other, 50, 50, 50))}}
			case "b":
				return []Lane{{Vendor: "moz", Work: of("c", works(v, 50, 50, 50, 50))}}
			}
			return nil
		}
		outcomes, err := Run(context.Background(), c)
		if err != nil || len(outcomes) != 8 || other.peak != 3 || v.peak != 4 {
			t.Errorf("%d outcomes, %d and %d at once, %v", len(outcomes), other.peak, v.peak, err)
		}
	})
}

func TestNothingMoreIsAskedForOnceARunIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{latency: time.Second}
		ctx, interrupt := context.WithCancel(context.Background())
		c := config(&memory{}, 1, append(of("a", works(v, 50)), of("b", works(v, 500))...), limit.Config{})
		asked := 0
		c.More = func(ctx context.Context, _ Over) []Lane {
			asked++
			interrupt()
			<-ctx.Done()
			return []Lane{{Vendor: "moz", Work: of("c", works(v, 50))}}
		}
		outcomes, err := Run(ctx, c)
		if want := []pipeline.Ending{pipeline.EndOfList, pipeline.EndNotReached, pipeline.EndNotReached}; err != nil || asked != 1 ||
			len(outcomes) != 3 || outcomes[0].Ending != want[0] || outcomes[2].Ending != want[2] || outcomes[1].Ending.Complete() {
			t.Errorf("%v, asked %d times, %v", endings(outcomes), asked, err)
		}
	})
}

func TestMoreKnowsWhichVendorsWereGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{}
		v.fault = func(int, pipeline.Task, pipeline.Ask) (*pipeline.Page, error) {
			return nil, &pipeline.Error{Kind: pipeline.Denied, Status: 401}
		}
		c := config(&memory{}, 2, of("a", works(v, 50, 50)), limit.Config{})
		c.More = func(_ context.Context, over Over) []Lane {
			if over.Extract == "a" && (len(over.Stops) != 1 || over.Stops[0].Ending != pipeline.EndDenied) {
				t.Errorf("%v", over.Stops)
			}
			if over.Extract == "a" {
				return []Lane{{Vendor: "moz", Work: of("b", works(v, 50))}}
			}
			return nil
		}
		outcomes, err := Run(context.Background(), c)
		if err == nil || len(outcomes) != 3 || outcomes[2].Ending != pipeline.EndNotReached || v.requests > 2 {
			t.Errorf("%v, %d requests, %v", endings(outcomes), v.requests, err)
		}
	})
}

// A fault of the program ends the run with that, and leaves nobody waiting.
func TestAPanicIsPassedOnWhenNobodyIsAtWorkAnyMore(t *testing.T) {
	for name, more := range map[string]bool{"a source's": false, "what asks for more": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := &vendor{latency: time.Second}
				v.fault = func(n int, _ pipeline.Task, _ pipeline.Ask) (*pipeline.Page, error) {
					if n == 3 && !more {
						panic("out of order")
					}
					return nil, nil
				}
				c := config(&memory{}, 3, append(of("a", works(v, 50)), of("b", works(v, 500, 500, 500))...), limit.Config{})
				var asked atomic.Bool
				c.More = func(context.Context, Over) []Lane {
					if asked.Swap(true); more {
						panic("out of order")
					}
					return nil
				}
				defer func() {
					if r := recover(); r == nil {
						t.Error("it went on")
					}
				}()
				_, _ = Run(context.Background(), c)
			})
		})
	}
}

// What comes later is bought before what is less urgent, and behind what is as urgent.
func TestWhatIsAddedTakesItsPlaceByPriority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{latency: time.Second}
		w := append(of("a", works(v, 50)), of("b", works(v, 100, 100, 100))...)
		w[2].Task.Priority, w[1].Task.Priority, w[0].Task.Priority = 1, 1, 2
		c := config(&memory{}, 1, w, limit.Config{})
		c.More = func(_ context.Context, over Over) []Lane {
			if over.Extract != "a" {
				return nil
			}
			more := of("c", works(v, 50))
			more[0].Task.Priority = 1
			return []Lane{{Vendor: "moz", Work: more}}
		}
		var order []string
		c.Observe = func(ev Event) {
			if ev.Outcome != nil {
				order = append(order, ev.Task.ID)
			}
		}
		if _, err := Run(context.Background(), c); err != nil {
			t.Fatal(err)
		}
		if want := []string{"at0", "bt0", "bt1", "ct0", "bt2"}; !slices.Equal(order, want) {
			t.Errorf("%v, want %v", order, want)
		}
	})
}
