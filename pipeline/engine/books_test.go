package engine

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/pipeline/limit"
)

func TestAPageThatCouldNotBeKeptDidNotHappen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{failAt: 2}
		outcomes, err := Run(context.Background(), config(m, 1, works(v, 500), limit.Config{}))
		if !errors.As(err, new(*JournalError)) {
			t.Fatal(err)
		}
		if p := outcomes[0].Place; p.Pages != 1 || p.Next != "50" || p.Units != 50 || p.Rows != 50 || p.End {
			t.Errorf("the place is %+v", p)
		}
	})
}

// The vendor has billed it: nobody may take what the journal has for all that was spent.
func TestAPageThatCouldNotBeKeptIsToldThoughTheRunWasStoppedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{latency: 10 * time.Second}, &memory{failAt: 2}
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(15*time.Second, cancel)
		outcomes, err := Run(ctx, config(m, 1, works(v, 500, 500), limit.Config{}))
		if !errors.As(err, new(*JournalError)) {
			t.Errorf("nobody is told: %v", err)
		}
		want := []pipeline.Ending{pipeline.EndFault, pipeline.EndNotReached}
		if diff := cmp.Diff(want, endings(outcomes)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAnAttemptThatCannotBeRecordedStopsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{noAttempts: true}
		v.fault = func(int, pipeline.Task, pipeline.Ask) (*pipeline.Page, error) {
			return nil, &pipeline.Error{Kind: pipeline.Transient, MaybeCharged: true}
		}
		_, err := Run(context.Background(), config(m, 1, works(v, 500, 500), limit.Config{}))
		if !errors.As(err, new(*JournalError)) || v.requests != 1 {
			t.Errorf("%v after %d requests", err, v.requests)
		}
	})
}

func TestAFailureAfterAnInterruptionIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{latency: 10 * time.Second}, &memory{}
		v.fault = func(int, pipeline.Task, pipeline.Ask) (*pipeline.Page, error) {
			return nil, &pipeline.Error{Kind: pipeline.Transient, MaybeCharged: true}
		}
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(5*time.Second, cancel)
		outcomes, err := Run(ctx, config(m, 1, works(v, 500), limit.Config{}))
		if err != nil || len(m.attempts) != 1 || m.attempts[0].MaybeUnits != 50 {
			t.Errorf("%v; %+v; recorded %+v", err, outcomes, m.attempts)
		}
	})
}

func TestWhatMayHaveBeenChargedIsSetAsideWhateverTheError(t *testing.T) {
	for name, fault := range map[string]error{
		"an error of no kind":             errors.New("the stream broke off"),
		"a reply that cannot be read":     &pipeline.Error{Kind: pipeline.Malformed, Status: 200},
		"a request without an answer":     &pipeline.Error{Kind: pipeline.Transient, MaybeCharged: true},
		"a refusal that may have a price": &pipeline.Error{Kind: pipeline.Rejected, MaybeCharged: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			v, m := &vendor{}, &memory{}
			v.fault = func(int, pipeline.Task, pipeline.Ask) (*pipeline.Page, error) { return nil, fault }
			c := config(m, 1, works(v, 500), limit.Config{})
			outcomes, err := Run(context.Background(), c)
			if err != nil {
				t.Fatal(err)
			}
			var recorded pipeline.Units
			for _, a := range m.attempts {
				recorded += a.MaybeUnits
			}
			if want := pipeline.Units(50 * v.requests); v.requests == 0 || recorded != want || outcomes[0].Place.MaybeUnits != want {
				t.Errorf("%s: of %d requests of 50 units %d are recorded, %d told", name, v.requests, recorded, outcomes[0].Place.MaybeUnits)
			}
		})
	}
}

func TestRowsThatOverlapFillNoList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		v.fault = func(n int, _ pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
			p := pipeline.Page{Rows: ask.Limit, Units: pipeline.Units(ask.Limit), Next: pipeline.Cursor(rune('a' + n)), FetchedAt: time.Now()}
			if n > 1 {
				p.Overlap = 10
			}
			return &p, nil
		}
		w := works(v, 500)
		w[0].Task.MaxRows = 100
		outcomes, err := Run(context.Background(), config(m, 1, w, limit.Config{}))
		// 50, then 50 of which 40 are new, then the 10 that lack and bring nothing new; so on until an overlap leaves nothing.
		p := outcomes[0].Place
		if err != nil && !errors.As(err, new(*pipeline.Error)) {
			t.Fatal(err)
		}
		if p.Pages < 3 || p.ChainRows != 90 || p.Rows != 90 || p.Waste != int64(10*(p.Pages-1)) {
			t.Errorf("%+v", p)
		}
	})
}

func TestAListOneRowShortOfMaxRowsGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		v.fault = func(n int, _ pipeline.Task, _ pipeline.Ask) (*pipeline.Page, error) {
			if n == 1 { // the vendor cuts its pages
				return &pipeline.Page{Rows: 49, Units: 49, Next: "49", FetchedAt: time.Now()}, nil
			}
			return nil, nil
		}
		w := works(v, 500)
		w[0].Task.MaxRows = 50
		outcomes, err := Run(context.Background(), config(m, 1, w, limit.Config{}))
		if err != nil || v.requests != 2 || outcomes[0].Place.Rows != 50 || outcomes[0].Ending != pipeline.EndMaxRows {
			t.Errorf("%+v after %d requests, %v", outcomes[0], v.requests, err)
		}
	})
}

func TestFiveEmptyPagesStopAListAndNotSix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		v.fault = func(n int, _ pipeline.Task, _ pipeline.Ask) (*pipeline.Page, error) {
			if n > 1 {
				return &pipeline.Page{Next: "50", FetchedAt: time.Now()}, nil
			}
			return nil, nil
		}
		outcomes, err := Run(context.Background(), config(m, 1, works(v, 500), limit.Config{}))
		if err != nil || outcomes[0].Ending != pipeline.EndRepeats || v.requests != 1+mostEmpty {
			t.Errorf("%s after %d requests, %v", outcomes[0].Ending, v.requests, err)
		}
	})
}

func TestWhatTheGateRefusesGoesBackToThePurse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		none := func(context.Context, pipeline.Units, pipeline.Units) (got, left pipeline.Units, err error) {
			return 0, 0, nil
		}
		left := pipeline.Units(100)
		all := grantOf(&left)
		v, m := &vendor{}, &memory{}
		w := works(v, 500)
		w[0].Purse = limit.New(limit.Config{Grant: all})
		outcomes, err := Run(context.Background(), config(m, 1, w, limit.Config{Grant: none}))
		if outcomes[0].Ending != pipeline.EndBudget || v.requests != 0 {
			t.Fatalf("%+v, %v", outcomes[0], err)
		}
		pass, err := w[0].Purse.Admit(context.Background(), 100, 100)
		if err != nil {
			t.Fatal(err)
		}
		pass.Settle(0)
	})
}
