package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/pipeline/limit"
	"backhaul/schemas"
)

// memory is a Journal in memory that can be made to fail. Like others it writes nothing when its context has ended.
type memory struct {
	mu         sync.Mutex
	pages      map[string][]pipeline.Page
	attempts   []pipeline.Attempt
	failAt     int // fails the nth append, from 1; 0 never
	noAttempts bool
	appends    int
}

func (m *memory) Append(ctx context.Context, taskID string, p pipeline.Page) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if m.appends++; m.appends == m.failAt {
		return errors.New("no space left on device")
	}
	if m.pages == nil {
		m.pages = map[string][]pipeline.Page{}
	}
	if p.Seq != len(m.pages[taskID]) {
		return fmt.Errorf("page %d after %d pages", p.Seq, len(m.pages[taskID]))
	}
	m.pages[taskID] = append(m.pages[taskID], p)
	return nil
}

func (m *memory) Pages(_ context.Context, taskID string) iter.Seq2[pipeline.Page, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	pages := m.pages[taskID]
	return func(yield func(pipeline.Page, error) bool) {
		for _, p := range pages {
			if !yield(p, nil) {
				return
			}
		}
	}
}

func (m *memory) AddAttempt(ctx context.Context, _ string, a pipeline.Attempt) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if m.noAttempts {
		return errors.New("no space left on device")
	}
	m.attempts = append(m.attempts, a)
	return nil
}

// vendor is a Source whose lists are as long as their target's name says. Cursors are row offsets.
type vendor struct {
	latency time.Duration
	// fault is asked before every request is answered; n counts requests from 1.
	fault func(n int, t pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error)

	tail func(total, to int) float64 // what a page tells of the list's length. Default nothing

	mu       sync.Mutex
	requests int
	busy     int
	peak     int
}

var facts = &pipeline.Endpoint{Vendor: "moz", Surface: "v2", Name: "anchor_text", PageSize: 50, UnitsPerRow: 1, Table: schemas.Lookup("moz.anchor_text")}

func (v *vendor) Endpoint() *pipeline.Endpoint { return facts }

// Decode makes up the rows of a page: those its body names, as "0-49 200", else those at its cursor.
func (v *vendor) Decode(p pipeline.Page, b *schemas.Builder) error {
	add := func(text string) { b.Row().SetString(0, text); b.Append() }
	if p.Body == nil {
		for i := range p.Rows {
			from, err := strconv.Atoi(string(p.Cursor))
			if err != nil && p.Cursor != "" {
				add(fmt.Sprint(p.Cursor, i))
				continue
			}
			add(strconv.Itoa(from + i))
		}
		return nil
	}
	for _, word := range strings.Fields(string(p.Body)) {
		first, last, ok := strings.Cut(word, "-")
		from, _ := strconv.Atoi(first)
		to, _ := strconv.Atoi(last)
		if !ok {
			to = from
		}
		for i := from; i <= to; i++ {
			add(strconv.Itoa(i))
		}
	}
	return nil
}

func (v *vendor) Fetch(ctx context.Context, t pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	v.mu.Lock()
	v.requests++
	n := v.requests
	v.busy++
	v.peak = max(v.peak, v.busy)
	v.mu.Unlock()
	defer func() { v.mu.Lock(); v.busy--; v.mu.Unlock() }()
	select {
	case <-time.After(v.latency):
	case <-ctx.Done():
		return pipeline.Page{}, context.Cause(ctx)
	}
	if v.fault != nil {
		if page, err := v.fault(n, t, ask); page != nil || err != nil {
			return *cmpOr(page, &pipeline.Page{}), err
		}
	}
	total, _ := strconv.Atoi(t.Target)
	from, _ := strconv.Atoi(string(ask.Cursor))
	rows := min(ask.Limit, total-from)
	tail := 0.0
	if v.tail != nil {
		tail = v.tail(total, from+rows)
	}
	return pipeline.Page{Tail: tail, Rows: rows, Units: pipeline.Units(rows), Status: 200, FetchedAt: time.Now(),
		Next: pipeline.Cursor(strconv.Itoa(from + rows)), End: from+rows >= total}, nil
}

func (v *vendor) Read(_ pipeline.Task, _ pipeline.Ask, p pipeline.Page) (pipeline.Page, error) {
	return p, nil
}

func cmpOr(p, q *pipeline.Page) *pipeline.Page {
	if p != nil {
		return p
	}
	return q
}

func works(v *vendor, rows ...int) []Work {
	var w []Work
	for i, n := range rows {
		w = append(w, Work{Source: v, PageSize: 50, Task: &pipeline.Task{ID: fmt.Sprintf("t%d", i), Target: strconv.Itoa(n)}})
	}
	return w
}

func config(m *memory, connections int, w []Work, limits limit.Config) Config {
	limits.Connections = connections
	return Config{Journal: m, Lanes: []Lane{{Vendor: "moz", Gate: limit.New(limits), Connections: connections, Work: w}}}
}

func endings(outcomes []Outcome) []pipeline.Ending {
	var e []pipeline.Ending
	for _, o := range outcomes {
		e = append(e, o.Ending)
	}
	return e
}

func TestEveryListIsReadToItsEndAndNoPageIsBoughtTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{latency: 50 * time.Millisecond}, &memory{}
		outcomes, err := Run(context.Background(), config(m, 4, works(v, 0, 1, 50, 51, 500, 120), limit.Config{}))
		if err != nil {
			t.Fatal(err)
		}
		wantPages := []int{1, 1, 1, 2, 10, 3}
		for i, o := range outcomes {
			rows, _ := strconv.Atoi(o.Task.Target)
			if o.Ending != pipeline.EndOfList || o.Place.Rows != int64(rows) || o.Place.Pages != wantPages[i] {
				t.Errorf("%d rows: %s with %d rows in %d pages", rows, o.Ending, o.Place.Rows, o.Place.Pages)
			}
		}
		if v.requests != 18 || v.peak > 4 {
			t.Errorf("%d requests, %d at once", v.requests, v.peak)
		}
	})
}

func TestMaxRowsBuysNoRowMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		w := works(v, 500)
		w[0].Task.MaxRows = 120
		outcomes, err := Run(context.Background(), config(m, 1, w, limit.Config{}))
		if err != nil || outcomes[0].Ending != pipeline.EndMaxRows || outcomes[0].Place.Rows != 120 || v.requests != 3 {
			t.Errorf("%+v after %d requests, %v", outcomes[0], v.requests, err)
		}
	})
}

func TestAVendorThatRefusesASmallerPageIsAskedForAWholeOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		v.fault = func(_ int, _ pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
			if ask.Limit != 50 {
				return nil, &pipeline.Error{Kind: pipeline.Rejected, Status: 400, Message: "token does not fit the request"}
			}
			return nil, nil
		}
		w := works(v, 500)
		w[0].Task.MaxRows = 120
		outcomes, err := Run(context.Background(), config(m, 1, w, limit.Config{}))
		if err != nil || outcomes[0].Ending != pipeline.EndMaxRows || outcomes[0].Place.Rows != 150 {
			t.Errorf("%+v, %v", outcomes[0], err)
		}
	})
}

func TestAWaitTheVendorAsksForIsKeptToTheSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		v.fault = func(n int, _ pipeline.Task, _ pipeline.Ask) (*pipeline.Page, error) {
			if n == 2 {
				return nil, &pipeline.Error{Kind: pipeline.Throttled, Status: 429, After: 30 * time.Second}
			}
			return nil, nil
		}
		begin := time.Now()
		outcomes, err := Run(context.Background(), config(m, 1, works(v, 100), limit.Config{}))
		if err != nil || outcomes[0].Place.Rows != 100 {
			t.Errorf("%+v, %v", outcomes, err)
		}
		if took := time.Since(begin); took != 30*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestOneFailingTargetFailsAlone(t *testing.T) {
	for _, kind := range []pipeline.Kind{pipeline.Transient, pipeline.Throttled, pipeline.Rejected, pipeline.Malformed} {
		t.Run(kind.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, m := &vendor{}, &memory{}
				v.fault = func(_ int, task pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
					if task.Target == "170" && ask.Cursor == "100" {
						return nil, &pipeline.Error{Kind: kind, Status: 500}
					}
					return nil, nil
				}
				outcomes, err := Run(context.Background(), config(m, 2, works(v, 60, 170, 80), limit.Config{}))
				if err != nil {
					t.Fatal(err)
				}
				want := []pipeline.Ending{pipeline.EndOfList, pipeline.EndFault, pipeline.EndOfList}
				if diff := cmp.Diff(want, endings(outcomes)); diff != "" {
					t.Error(diff)
				}
				if p := outcomes[1].Place; p.Pages != 2 || p.Next != "100" {
					t.Errorf("the place was not kept: %+v", p)
				}
			})
		})
	}
}

func TestATransientErrorIsTriedABoundedNumberOfTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		v.fault = func(int, pipeline.Task, pipeline.Ask) (*pipeline.Page, error) {
			return nil, &pipeline.Error{Kind: pipeline.Transient, MaybeCharged: true}
		}
		outcomes, _ := Run(context.Background(), config(m, 1, works(v, 60), limit.Config{}))
		if v.requests != 6 || outcomes[0].Ending != pipeline.EndFault || len(m.attempts) != 6 {
			t.Errorf("%d requests, %d recorded, %s", v.requests, len(m.attempts), outcomes[0].Ending)
		}
		if outcomes[0].Place.MaybeUnits != 300 {
			t.Errorf("%d units may have been charged, want 300", outcomes[0].Place.MaybeUnits)
		}
	})
}

func TestAListThatLeadsNowhereIsStopped(t *testing.T) {
	cases := map[string]func(ask pipeline.Ask) *pipeline.Page{
		"the cursor repeats":  func(ask pipeline.Ask) *pipeline.Page { return &pipeline.Page{Rows: 50, Next: "same"} },
		"pages without a row": func(ask pipeline.Ask) *pipeline.Page { return &pipeline.Page{Next: ask.Cursor + "x"} },
		"two cursors in turn": func(ask pipeline.Ask) *pipeline.Page {
			if ask.Cursor == "a" {
				return &pipeline.Page{Rows: 50, Next: "b"}
			}
			return &pipeline.Page{Rows: 50, Next: "a"}
		},
	}
	for name, answer := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, m := &vendor{}, &memory{}
				v.fault = func(_ int, task pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
					if task.Target == "999" {
						return answer(ask), nil
					}
					return nil, nil
				}
				outcomes, err := Run(context.Background(), config(m, 2, works(v, 999, 70), limit.Config{}))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff([]pipeline.Ending{pipeline.EndRepeats, pipeline.EndOfList}, endings(outcomes)); diff != "" {
					t.Error(diff)
				}
				if outcomes[0].Place.Pages > 8 {
					t.Errorf("bought %d pages of a list that leads nowhere", outcomes[0].Place.Pages)
				}
			})
		})
	}
}

func TestFourEmptyPagesAreSurvived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		v.fault = func(n int, _ pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
			if n >= 2 && n <= 5 {
				return &pipeline.Page{Next: ask.Cursor}, nil
			}
			return nil, nil
		}
		outcomes, err := Run(context.Background(), config(m, 1, works(v, 120), limit.Config{}))
		if err != nil || outcomes[0].Ending != pipeline.EndOfList {
			t.Fatalf("%+v, %v", outcomes, err)
		}
		// An empty page brought nothing, so what comes at its cursor later is not a repetition.
		if p := outcomes[0].Place; p.Rows != 120 || p.Waste != 0 {
			t.Errorf("%+v", p)
		}
	})
}

// A batch is bounded by its inputs: how many in a row bring nothing tells nothing of the next.
func TestABatchIsAskedToItsEndThoughNothingComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		const inputs = 20
		v.fault = func(n int, _ pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
			return &pipeline.Page{Next: pipeline.Cursor(strconv.Itoa(n)), End: n == inputs}, nil
		}
		w := works(v, 0)
		w[0].Task.Inputs = make([]pipeline.Input, inputs)
		outcomes, err := Run(context.Background(), config(m, 1, w, limit.Config{}))
		if err != nil || outcomes[0].Ending != pipeline.EndOfList || outcomes[0].Place.Pages != inputs {
			t.Fatalf("%+v, %v", outcomes, err)
		}
	})
}

func TestThePlaceInABatchOutlivesTheVendorsCursors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{pages: map[string][]pipeline.Page{"t0": {{}}}}
		v.fault = func(_ int, _ pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
			return &pipeline.Page{Rows: 1, End: ask.Cursor == "50"}, nil
		}
		w := works(v, 0)
		w[0].Task.Inputs = make([]pipeline.Input, 60)
		w[0].From = &pipeline.Place{Pages: 1, Next: "50", Fetched: time.Now().Add(-time.Hour)}
		c := config(m, 1, w, limit.Config{})
		c.Lanes[0].TokenLife = time.Minute
		outcomes, err := Run(context.Background(), c)
		if err != nil || outcomes[0].Ending != pipeline.EndOfList || outcomes[0].Place.Chain != 0 || outcomes[0].Place.Pages != 2 {
			t.Fatalf("%+v, %v", outcomes, err)
		}
	})
}

func TestADeadCursorRestartsTheListABoundedNumberOfTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		v.fault = func(n int, _ pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
			if n == 3 {
				return nil, &pipeline.Error{Kind: pipeline.Stale, Status: 410}
			}
			return nil, nil
		}
		outcomes, err := Run(context.Background(), config(m, 1, works(v, 120), limit.Config{}))
		if err != nil || outcomes[0].Ending != pipeline.EndOfList || outcomes[0].Place.Chain != 1 || outcomes[0].Place.Pages != 5 {
			t.Errorf("%+v, %v", outcomes[0], err)
		}
		v.requests = 0
		v.fault = func(_ int, _ pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
			if ask.Cursor != "" {
				return nil, &pipeline.Error{Kind: pipeline.Stale, Status: 410}
			}
			return nil, nil
		}
		outcomes, _ = Run(context.Background(), config(&memory{}, 1, works(v, 120), limit.Config{}))
		if outcomes[0].Ending != pipeline.EndStale || outcomes[0].Place.Pages != 4 {
			t.Errorf("%+v", outcomes[0])
		}
	})
}

func TestAWrongKeyStopsTheVendorAndKeepsThePlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{latency: time.Second}, &memory{}
		v.fault = func(n int, _ pipeline.Task, _ pipeline.Ask) (*pipeline.Page, error) {
			if n > 4 {
				return nil, &pipeline.Error{Kind: pipeline.Denied, Status: 401, Message: "no"}
			}
			return nil, nil
		}
		outcomes, err := Run(context.Background(), config(m, 2, works(v, 500, 500, 500, 500), limit.Config{}))
		var stop *StopError
		if !errors.As(err, &stop) || stop.Ending != pipeline.EndDenied || v.requests > 6 {
			t.Errorf("%v after %d requests", err, v.requests)
		}
		want := []pipeline.Ending{pipeline.EndDenied, pipeline.EndDenied, pipeline.EndNotReached, pipeline.EndNotReached}
		if diff := cmp.Diff(want, endings(outcomes)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAVendorThatIsDownIsGivenUp(t *testing.T) {
	for name, e := range map[string]*pipeline.Error{
		"no connection": {Kind: pipeline.Transient, Unreachable: true},
		"only errors":   {Kind: pipeline.Transient, Status: 500},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, m := &vendor{}, &memory{}
				v.fault = func(int, pipeline.Task, pipeline.Ask) (*pipeline.Page, error) { return nil, e }
				rows := make([]int, 1000)
				_, err := Run(context.Background(), config(m, 4, works(v, rows...), limit.Config{}))
				var stop *StopError
				if !errors.As(err, &stop) || stop.Ending != pipeline.EndUnreachable || v.requests > 100 {
					t.Errorf("%v after %d requests", err, v.requests)
				}
			})
		})
	}
}

func TestAnInterruptionKeepsThePagesUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{latency: 10 * time.Second}, &memory{}
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(25*time.Second, cancel)
		outcomes, err := Run(ctx, config(m, 2, works(v, 500, 500, 500), limit.Config{}))
		if err != nil {
			t.Fatal(err)
		}
		want := []pipeline.Ending{pipeline.EndInterrupted, pipeline.EndInterrupted, pipeline.EndNotReached}
		if diff := cmp.Diff(want, endings(outcomes)); diff != "" {
			t.Error(diff)
		}
		if v.requests != 6 || m.appends != 6 {
			t.Errorf("%d requests, %d pages kept", v.requests, m.appends)
		}
	})
}

func TestAFullDiskStopsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{latency: time.Second}, &memory{failAt: 3}
		_, err := Run(context.Background(), config(m, 2, works(v, 500, 500, 500), limit.Config{}))
		if !errors.As(err, new(*JournalError)) || v.requests > 5 {
			t.Errorf("%v after %d requests", err, v.requests)
		}
	})
}

// grantOf grants what is left, and takes it away.
func grantOf(left *pipeline.Units) limit.Grant {
	return func(_ context.Context, want, least pipeline.Units) (got, rest pipeline.Units, err error) {
		if got = min(want, *left); got < least {
			return 0, *left, nil
		}
		*left -= got
		return got, *left, nil
	}
}

func TestABudgetIsNeverOverrunAndUsedToItsEnd(t *testing.T) {
	for _, connections := range []int{1, 7} {
		synctest.Test(t, func(t *testing.T) {
			v, m := &vendor{latency: time.Second}, &memory{}
			left := pipeline.Units(333)
			grant := grantOf(&left)
			outcomes, err := Run(context.Background(), config(m, connections, works(v, 120, 120, 120, 120), limit.Config{Grant: grant, Block: 100}))
			var stop *StopError
			if !errors.As(err, &stop) || stop.Ending != pipeline.EndBudget {
				t.Errorf("stopped by %v", err)
			}
			var units pipeline.Units
			for _, o := range outcomes {
				units += o.Place.Units
			}
			if units != 333 {
				t.Errorf("%d connections: bought for %d units, want 333", connections, units)
			}
		})
	}
}

func TestABudgetTooShortForAPageStopsWhereSmallerPagesAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		v.fault = func(_ int, _ pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
			if ask.Limit != 50 {
				return nil, &pipeline.Error{Kind: pipeline.Rejected, Status: 400, Message: "token does not fit the request"}
			}
			return nil, nil
		}
		left := pipeline.Units(110)
		grant := grantOf(&left)
		outcomes, err := Run(context.Background(), config(m, 1, works(v, 500), limit.Config{Grant: grant}))
		var stop *StopError
		if !errors.As(err, &stop) || stop.Ending != pipeline.EndBudget || outcomes[0].Place.Units != 100 {
			t.Errorf("%+v, %v", outcomes[0], err)
		}
	})
}

func TestTheRateIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{latency: 300 * time.Millisecond}, &memory{}
		begin := time.Now()
		rows := make([]int, 41)
		if _, err := Run(context.Background(), config(m, 8, works(v, rows...), limit.Config{PerSecond: 20})); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took < 2*time.Second || took > 2400*time.Millisecond {
			t.Errorf("41 requests at 20 a second took %v", took)
		}
	})
}

func TestThatSmallerPagesAreRefusedIsLearntOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		v := &vendor{fault: func(_ int, _ pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
			if ask.Cursor != "" && ask.Limit != 50 {
				return nil, &pipeline.Error{Kind: pipeline.Rejected, Status: 400}
			}
			return nil, nil
		}}
		w := works(v, 500, 500, 500, 500, 500, 500, 500, 500)
		for i := range w {
			w[i].Task.MaxRows = 60
		}
		outcomes, err := Run(context.Background(), config(m, 2, w, limit.Config{}))
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range outcomes {
			if o.Ending != pipeline.EndMaxRows || o.Place.Rows != 100 {
				t.Errorf("%s: %s with %d rows", o.Task.ID, o.Ending, o.Place.Rows)
			}
		}
		if len(m.attempts) > 2 {
			t.Errorf("%d requests were refused, want one for each list under way at most", len(m.attempts))
		}
	})
}
