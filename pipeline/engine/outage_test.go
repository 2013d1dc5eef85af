package engine

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/limit"
)

// silences are the ways in which a vendor does not answer.
var silences = map[string]*pipeline.Error{
	"no connection": {Kind: pipeline.Transient, Unreachable: true},
	"no reply":      {Kind: pipeline.Transient, MaybeCharged: true},
	"only errors":   {Kind: pipeline.Transient, Status: 503, MaybeCharged: true},
}

// away returns a vendor that does not answer between two times, and a count of the requests it got then.
func away(e *pipeline.Error, from, until time.Duration) (*vendor, *atomic.Int64) {
	v, asked, begin := &vendor{latency: 100 * time.Millisecond}, &atomic.Int64{}, time.Now()
	v.fault = func(int, pipeline.Task, pipeline.Ask) (*pipeline.Page, error) {
		if at := time.Since(begin); at < from || at >= until {
			return nil, nil
		}
		asked.Add(1)
		return nil, e
	}
	return v, asked
}

func TestAVendorThatComesBackInTimeCostsNoList(t *testing.T) {
	for name, e := range silences {
		for _, from := range []time.Duration{0, 3 * time.Second} {
			synctest.Test(t, func(t *testing.T) {
				v, asked := away(e, from, 20*time.Minute)
				c := config(&memory{}, 4, works(v, slices.Repeat([]int{500}, 40)...), limit.Config{})
				c.Retry.For = 30 * time.Minute
				outcomes, err := Run(context.Background(), c)
				if err != nil || slices.ContainsFunc(outcomes, func(o Outcome) bool { return !o.Ending.Complete() }) {
					t.Fatalf("%s from %v on: %v, %v", name, from, endings(outcomes), err)
				}
				// Four connections use up attempts, then one asks about once in forty seconds.
				if n := asked.Load(); n < 30 || n > 80 {
					t.Errorf("%s from %v on: %d requests in 20 minutes", name, from, n)
				}
			})
		}
	}
}

func TestAVendorThatStaysAwayIsGivenUpWhenItsTimeIsOver(t *testing.T) {
	for name, e := range silences {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, asked := away(e, 10*time.Second, 1000*time.Hour)
				c := config(&memory{}, 4, works(v, slices.Repeat([]int{20_000}, 40)...), limit.Config{})
				c.Retry.For = 30 * time.Minute
				begin := time.Now()
				outcomes, err := Run(context.Background(), c)
				var stop *StopError
				if !errors.As(err, &stop) || stop.Ending != pipeline.EndUnreachable {
					t.Fatalf("%v, %v", endings(outcomes), err)
				}
				if took := time.Since(begin); took < 30*time.Minute || took > 31*time.Minute {
					t.Errorf("given up after %v", took)
				}
				if n := asked.Load(); n > 110 {
					t.Errorf("%d requests in 30 minutes", n)
				}
			})
		})
	}
}

func TestOneRequestAtATimeAsksWhetherAVendorIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{latency: 5 * time.Second}
		v.fault = func(int, pipeline.Task, pipeline.Ask) (*pipeline.Page, error) {
			return nil, &pipeline.Error{Kind: pipeline.Transient, MaybeCharged: true}
		}
		c := config(&memory{}, 8, works(v, slices.Repeat([]int{500}, 40)...), limit.Config{})
		c.Retry.For = time.Hour
		var told []*Outage
		c.Observe = func(ev Event) {
			if ev.Outage != nil {
				told = append(told, ev.Outage) // by who holds the turn
			}
		}
		if _, err := Run(context.Background(), c); err == nil {
			t.Fatal("no error")
		}
		for i, o := range told {
			if o.Until.Sub(o.Since) != time.Hour || o.Wait <= 0 || o.Wait > time.Minute || o.Err == nil {
				t.Errorf("pause %d: %+v", i, o)
			}
		}
		if len(told) < 50 || len(told) > 150 {
			t.Errorf("told %d times in an hour", len(told))
		}
	})
}

func TestAnInterruptionEndsTheWaitAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, _ := away(silences["no connection"], 0, 1000*time.Hour)
		c := config(&memory{}, 4, works(v, slices.Repeat([]int{500}, 8)...), limit.Config{})
		c.Retry.For = 24 * time.Hour
		ctx, cancel := context.WithCancel(context.Background())
		var at time.Time
		c.Observe = func(ev Event) {
			if o := ev.Outage; o != nil && time.Since(o.Since) > 10*time.Minute && at.IsZero() {
				at = time.Now()
				cancel()
			}
		}
		outcomes, err := Run(ctx, c)
		if err != nil || at.IsZero() || time.Since(at) > 0 {
			t.Errorf("%v after the interruption: %v, %v", time.Since(at), endings(outcomes), err)
		}
	})
}

func TestAListThatOnlyFailsDoesNotHoldUpTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{latency: 100 * time.Millisecond}
		v.fault = func(_ int, task pipeline.Task, _ pipeline.Ask) (*pipeline.Page, error) {
			if task.Target == "170" {
				return nil, &pipeline.Error{Kind: pipeline.Transient, Status: 500}
			}
			return nil, nil
		}
		c := config(&memory{}, 1, works(v, 60, 170, 80), limit.Config{})
		c.Retry.For = time.Hour
		outcomes, err := Run(context.Background(), c)
		want := []pipeline.Ending{pipeline.EndOfList, pipeline.EndFault, pipeline.EndOfList}
		if err != nil || !slices.Equal(endings(outcomes), want) {
			t.Errorf("%v, %v", endings(outcomes), err)
		}
	})
}
