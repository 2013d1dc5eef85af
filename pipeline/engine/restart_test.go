package engine

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/pipeline/limit"
)

// halfRead puts a task at a place where earlier executions left it: pages whole pages read, the last one age ago.
func halfRead(w *Work, m *memory, pages, chain int, age time.Duration) {
	if m.pages == nil {
		m.pages = map[string][]pipeline.Page{}
	}
	m.pages[w.Task.ID] = make([]pipeline.Page, pages)
	w.From = &pipeline.Place{
		Pages: pages, Chain: chain, Rows: int64(pages * 50), ChainRows: int64(pages * 50), LastRows: 50,
		Next: pipeline.Cursor(fmt.Sprint(pages * 50)), Fetched: time.Now().Add(-age),
	}
}

// dead answers 410 to everything but first pages.
func dead(_ int, _ pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
	if ask.Cursor != "" {
		return nil, &pipeline.Error{Kind: pipeline.Stale, Status: 410}
	}
	return nil, nil
}

func TestRestartsAreBoundedAcrossExecutions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		w := works(&vendor{fault: dead}, 500)
		halfRead(&w[0], m, 2, 0, 0)
		executions, bought := 0, 0
		for ; executions < 50; executions++ {
			v := &vendor{fault: dead}
			w[0].Source = v
			before := w[0].From.Pages
			outcomes, err := Run(context.Background(), config(m, 1, w, limit.Config{}))
			if err != nil || outcomes[0].Ending != pipeline.EndStale {
				t.Fatalf("%+v, %v", outcomes[0], err)
			}
			w[0].From = outcomes[0].Place
			if w[0].From.Pages == before {
				break
			}
			bought += w[0].From.Pages - before
			if bought > 10 {
				t.Fatalf("%d pages bought of a list whose cursors always die", bought)
			}
		}
		if bought != 10 || executions != 4 {
			t.Errorf("%d pages in %d executions, want one page for each of 10 restarts, three to an execution", bought, executions)
		}
		if p := w[0].From; p.Next == "" || p.Chain != 10 {
			t.Errorf("the place was not kept: %+v", p)
		}
	})
}

func TestADeadCursorIsNotAskedForWhereItsLifeIsKnown(t *testing.T) {
	for _, test := range []struct {
		life, age time.Duration
		requests  int // for a list of 200 rows, 100 of them held
	}{
		{0, time.Hour, 2},           // unknown: it may live
		{time.Minute, time.Hour, 4}, // dead: start over
		{2 * time.Hour, time.Hour, 2},
		{time.Minute, -time.Hour, 2}, // a clock that was set back must not kill it
	} {
		synctest.Test(t, func(t *testing.T) {
			m, v := &memory{}, &vendor{}
			asked := map[pipeline.Cursor]int{}
			v.fault = func(_ int, _ pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
				asked[ask.Cursor]++
				return nil, nil
			}
			w := works(v, 200)
			halfRead(&w[0], m, 2, 0, test.age)
			c := config(m, 1, w, limit.Config{})
			c.Lanes[0].TokenLife = test.life
			outcomes, err := Run(context.Background(), c)
			if err != nil || outcomes[0].Ending != pipeline.EndOfList || v.requests != test.requests {
				t.Errorf("life %v, age %v: %d requests %v, want %d; %+v %v", test.life, test.age, v.requests, asked, test.requests, outcomes[0], err)
			}
		})
	}
}

func TestListsUnderWayAreContinuedSoonestToDieFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, v := &memory{}, &vendor{}
		w := works(v, 60, 210, 220, 230, 240)
		w[0].Task.Priority = 1                   // not begun, but dearer to the user
		halfRead(&w[1], m, 4, 0, 2*time.Hour)    // dead
		halfRead(&w[2], m, 4, 0, 10*time.Minute) // lives longest
		halfRead(&w[3], m, 4, 0, 50*time.Minute) // dies first
		halfRead(&w[4], m, 4, 0, 30*time.Minute) // in between
		var order []string
		c := config(m, 1, w, limit.Config{})
		c.Lanes[0].TokenLife = time.Hour
		c.Observe = func(e Event) {
			if e.Outcome != nil {
				order = append(order, e.Task.Target)
			}
		}
		outcomes, err := Run(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"60", "230", "240", "220", "210"}, order); diff != "" {
			t.Error(diff)
		}
		for i, o := range outcomes {
			if o.Task.ID != w[i].Task.ID {
				t.Errorf("outcome %d is of %s, not in the order of the work", i, o.Task.ID)
			}
		}
	})
}

func TestAPauseOfOurOwnDoesNotOutliveTheCursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		faults := map[pipeline.Cursor]int{}
		v.fault = func(_ int, _ pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
			if faults[ask.Cursor]++; ask.Cursor != "" && faults[ask.Cursor] <= 5 {
				return nil, &pipeline.Error{Kind: pipeline.Transient, Status: 500}
			}
			return nil, nil
		}
		c := config(m, 1, works(v, 500), limit.Config{})
		c.Lanes[0].TokenLife = 5 * time.Second
		c.Retry.Base = time.Hour
		c.Retry.Most = time.Hour
		outcomes, err := Run(context.Background(), c)
		if err != nil || outcomes[0].Ending != pipeline.EndOfList || outcomes[0].Place.Chain != 0 {
			t.Errorf("%+v, %v", outcomes[0], err)
		}
	})
}

func TestNoMoreListsAreUnderWayThanTheirCursorsCanWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{latency: 100 * time.Millisecond}, &memory{}
		last := map[string]time.Time{}
		v.fault = func(_ int, task pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
			v.mu.Lock()
			defer v.mu.Unlock()
			if at := last[task.ID]; ask.Cursor != "" && time.Since(at) > 10*time.Second {
				return nil, &pipeline.Error{Kind: pipeline.Stale, Status: 410}
			}
			last[task.ID] = time.Now()
			return nil, nil
		}
		// Eight lists at one request in two seconds would get a page every 16 seconds each, and their cursors die after 10.
		c := config(m, 8, works(v, 200, 200, 200, 200, 200, 200, 200, 200), limit.Config{PerSecond: 0.5})
		c.Lanes[0].TokenLife = 10 * time.Second
		outcomes, err := Run(context.Background(), c)
		if err != nil || v.requests != 32 {
			t.Errorf("%d requests, want 32; %v", v.requests, err)
		}
		for _, o := range outcomes {
			if o.Ending != pipeline.EndOfList || o.Place.Chain != 0 {
				t.Errorf("%+v", o)
			}
		}
	})
}

// bound is a vendor whose cursors only go with the page size they came with, as the emulator's do.
func bound(v *vendor) {
	sizes := map[string]int{}
	v.fault = func(_ int, task pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
		key := task.ID
		if ask.Cursor == "" {
			sizes[key] = ask.Limit
		} else if sizes[key] != ask.Limit {
			return nil, &pipeline.Error{Kind: pipeline.Rejected, Status: 400, Message: "the token does not fit"}
		}
		return nil, nil
	}
}

func TestAListBegunWithAShortPageGoesOn(t *testing.T) {
	for _, test := range []struct {
		name       string
		first      int // size of the pages so far
		pages      int
		rows       int64 // in all, of a list of 300
		mostWaste  int64
		mostChains int
	}{
		{"a first page cut short by the budget is bought again", 10, 1, 310, 10, 1},
		{"a long prefix is not", 25, 4, 300, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, m := &vendor{}, &memory{}
				bound(v)
				w := works(v, 300)
				w[0].PageSize = test.first
				ctx, cancel := context.WithCancel(context.Background())
				c := config(m, 1, w, limit.Config{})
				c.Observe = func(e Event) {
					if e.Page != nil && e.Page.Seq == test.pages-1 {
						cancel()
					}
				}
				outcomes, err := Run(ctx, c)
				if err != nil || outcomes[0].Ending != pipeline.EndInterrupted {
					t.Fatalf("%+v, %v", outcomes[0], err)
				}
				w[0].PageSize, w[0].From = 50, outcomes[0].Place
				outcomes, err = Run(context.Background(), config(m, 1, w, limit.Config{}))
				p := outcomes[0].Place
				if err != nil || outcomes[0].Ending != pipeline.EndOfList || p.Rows != test.rows || p.Chain > test.mostChains {
					t.Errorf("%s, %+v, %v", outcomes[0].Ending, p, err)
				}
			})
		})
	}
}

func TestAVendorThatRefusesAWholePageForGoodFailsItsTaskAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		v.fault = func(_ int, _ pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
			if ask.Cursor == "200" { // a limit to the depth of a list, say
				return nil, &pipeline.Error{Kind: pipeline.Rejected, Status: 400, Message: "no further"}
			}
			return nil, nil
		}
		outcomes, err := Run(context.Background(), config(m, 1, works(v, 500), limit.Config{}))
		if err != nil || outcomes[0].Ending != pipeline.EndFault || v.requests != 5 || outcomes[0].Place.Chain != 0 {
			t.Errorf("%+v after %d requests, %v", outcomes[0], v.requests, err)
		}
	})
}

func TestMaxRowsWithARestartBuysNoRowTooMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		v.fault = func(n int, _ pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
			if n == 3 || n == 4 {
				return nil, &pipeline.Error{Kind: pipeline.Stale, Status: 410}
			}
			return nil, nil
		}
		w := works(v, 500)
		w[0].Task.MaxRows = 130
		outcomes, err := Run(context.Background(), config(m, 1, w, limit.Config{}))
		// Two pages, a cursor that died (and was asked once more, for a whole page), and 130 rows from the start.
		if p := outcomes[0].Place; err != nil || outcomes[0].Ending != pipeline.EndMaxRows || p.Units != 230 || p.ChainRows != 130 || p.Chain != 1 {
			t.Errorf("%+v, %v", outcomes[0], err)
		}
	})
}

func TestAWaitBeyondAllPatienceStopsTheVendor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		v.fault = func(n int, _ pipeline.Task, _ pipeline.Ask) (*pipeline.Page, error) {
			if n > 2 {
				return nil, &pipeline.Error{Kind: pipeline.Throttled, Status: 429, After: 6 * time.Hour, Message: "see you tomorrow"}
			}
			return nil, nil
		}
		begin := time.Now()
		outcomes, err := Run(context.Background(), config(m, 1, works(v, 500, 500), limit.Config{}))
		var stop *StopError
		if !errors.As(err, &stop) || stop.Ending != pipeline.EndQuota || time.Since(begin) > time.Minute {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		if diff := cmp.Diff([]pipeline.Ending{pipeline.EndQuota, pipeline.EndNotReached}, endings(outcomes)); diff != "" {
			t.Error(diff)
		}
	})
}
