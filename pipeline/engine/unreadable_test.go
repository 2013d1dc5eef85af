package engine

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"

	"backhaul/pipeline"
	"backhaul/pipeline/limit"
)

// garbled answers with what cannot be read where bad says so.
func garbled(v *vendor, bad func(n int, t pipeline.Task, ask pipeline.Ask) bool) {
	v.fault = func(n int, t pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
		if bad(n, t, ask) {
			return &pipeline.Page{Status: 200, Body: []byte("<html>"), Request: []byte("ask")},
				&pipeline.Error{Kind: pipeline.Malformed, Status: 200, MaybeCharged: true, Message: "no JSON"}
		}
		return nil, nil
	}
}

func TestAReplyThatCannotBeReadIsAskedForTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		garbled(v, func(_ int, task pipeline.Task, ask pipeline.Ask) bool {
			return task.Target == "170" && ask.Cursor == "50"
		})
		outcomes, err := Run(context.Background(), config(m, 1, works(v, 170, 80), limit.Config{}))
		if err != nil {
			t.Fatal(err)
		}
		o := outcomes[0]
		if o.Ending != pipeline.EndFault || pipeline.KindOf(o.Err) != pipeline.Malformed || o.Place.Pages != 1 || o.Place.MaybeUnits != 100 || o.Place.Unreadable != 2 {
			t.Errorf("%+v", o)
		}
		if v.requests != 1+2+2 || outcomes[1].Ending != pipeline.EndOfList {
			t.Errorf("%d requests; %v", v.requests, endings(outcomes))
		}
		for _, a := range m.attempts {
			if string(a.Body) != "<html>" || string(a.Request) != "ask" || a.Ask != (pipeline.Ask{Cursor: "50", Limit: 50}) || a.Seq != 1 {
				t.Errorf("kept %+v", a)
			}
		}
	})
}

func TestASecondExecutionAsksForTheSameReplyOnlyOnceMore(t *testing.T) {
	for _, test := range []struct{ before, requests int }{{1, 1}, {2, 2}} { // two before: it was told to buy again
		synctest.Test(t, func(t *testing.T) {
			v, m := &vendor{}, &memory{}
			garbled(v, func(int, pipeline.Task, pipeline.Ask) bool { return true })
			w := works(v, 80)
			w[0].From = &pipeline.Place{Unreadable: test.before}
			outcomes, err := Run(context.Background(), config(m, 1, w, limit.Config{}))
			if err != nil || outcomes[0].Ending != pipeline.EndFault || v.requests != test.requests {
				t.Errorf("%d requests after %d before; %v %v", v.requests, test.before, endings(outcomes), err)
			}
		})
	}
}

func TestWhereOnePassedRepliesThatCannotBeReadAreAskedForLikeOthersThatFail(t *testing.T) {
	for name, recovers := range map[string]bool{"an earlier execution saw it": true, "this one sees it": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, m := &vendor{}, &memory{}
				asked := map[string]int{}
				garbled(v, func(_ int, task pipeline.Task, ask pipeline.Ask) bool {
					asked[task.Target+string(ask.Cursor)]++
					n := asked[task.Target+string(ask.Cursor)]
					return task.Target == "60" && n == 1 && !recovers || task.Target == "170" && n <= 5
				})
				c := config(m, 1, works(v, 60, 170), limit.Config{})
				c.Lanes[0].Recovers = recovers
				outcomes, err := Run(context.Background(), c)
				if err != nil || outcomes[0].Ending != pipeline.EndOfList || outcomes[1].Ending != pipeline.EndOfList {
					t.Errorf("%v, %v", endings(outcomes), err)
				}
				if p := outcomes[1].Place; p.Recovered != 20 || p.Unreadable != 0 {
					t.Errorf("%+v", p)
				}
			})
		})
	}
}

func TestAStormOfRepliesThatCannotBeReadEndsWithAllRows(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 5))
			var mu sync.Mutex
			v, m := &vendor{}, &memory{}
			garbled(v, func(int, pipeline.Task, pipeline.Ask) bool {
				mu.Lock()
				defer mu.Unlock()
				return r.IntN(5) == 0
			})
			w := works(v, 500, 500, 500, 500, 500, 500, 500, 500)
			recovers := false
			for range 4 {
				c := config(m, 4, w, limit.Config{})
				c.Lanes[0].Recovers = recovers
				outcomes, err := Run(context.Background(), c)
				if err != nil {
					t.Fatal(err)
				}
				for i, o := range outcomes {
					w[i].From = o.Place
					recovers = recovers || o.Place.Recovered > 0
				}
			}
			for _, work := range w {
				if !work.From.End || work.From.Rows != 500 {
					t.Errorf("seed %d: %+v", seed, work.From)
				}
			}
		})
	}
}
