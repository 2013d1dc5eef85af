package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/limit"
)

// telling makes the vendor answer its nth request with the rows that tell names, as Decode reads them, and a cursor that it
// has never given before.
func telling(v *vendor, tell func(n int) string) {
	v.fault = func(n int, _ pipeline.Task, _ pipeline.Ask) (*pipeline.Page, error) {
		body := tell(n - 1)
		rows := 0
		for _, word := range strings.Fields(body) {
			first, last, ok := strings.Cut(word, "-")
			from, _ := strconv.Atoi(first)
			to, _ := strconv.Atoi(last)
			if rows++; ok {
				rows += to - from
			}
		}
		return &pipeline.Page{Rows: rows, Units: pipeline.Units(rows), Body: []byte(body), Status: 200, FetchedAt: time.Now(),
			Next: pipeline.Cursor(fmt.Sprint("token ", n))}, nil
	}
}

func TestRowsThatRepeatStopAListWhateverItsCursors(t *testing.T) {
	for _, test := range []struct {
		name        string
		tell        func(n int) string
		useful      int // pages that bring something
		pages       int // bought in all
		rows, waste int64
	}{
		{"one page", func(int) string { return "0-49" }, 1, 3, 50, 100},
		{"two pages in turn", func(n int) string { return []string{"0-49", "50-99"}[n%2] }, 2, 4, 100, 100},
		{"three pages in turn", func(n int) string { return []string{"0-49", "50-99", "100-149"}[n%3] }, 3, 5, 150, 100},
		{"a tail of two, then the start again", func(n int) string { return []string{"0-49", "50-51"}[n%2] }, 2, 4, 52, 52},
		{"one new row a page", func(n int) string { return fmt.Sprintf("0-48 %d", 100+n) }, 1, 4, 200, 0},
		{"the same rows in another order", func(n int) string { return []string{"0-49", "25-49 0-24"}[n%2] }, 1, 3, 50, 100},
		{"short pages", func(int) string { return "0-2" }, 1, 3, 3, 6},
		{"pages of one row", func(int) string { return "7" }, 1, 3, 1, 2},
		{"a long list that turns back", func(n int) string {
			if n < 400 {
				return fmt.Sprintf("%d-%d", 50*n, 50*n+49)
			}
			return "0-49"
		}, 400, 402, 20_000, 100},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, m := &vendor{}, &memory{}
				telling(v, test.tell)
				outcomes, err := Run(context.Background(), config(m, 1, works(v, 999), limit.Config{}))
				if err != nil {
					t.Fatal(err)
				}
				o := outcomes[0]
				if o.Ending != pipeline.EndRepeats || o.Ending.Complete() || o.Place.Pages != test.pages || o.Place.Pages-test.useful > 3 {
					t.Errorf("%s after %d pages, want %d: %v", o.Ending, o.Place.Pages, test.pages, o.Err)
				}
				if o.Place.Rows != test.rows || o.Place.Waste != test.waste || int64(o.Place.Units) != test.rows+test.waste {
					t.Errorf("%+v, want %d rows and %d wasted", o.Place, test.rows, test.waste)
				}
				if len(m.attempts) != 1 || m.attempts[0].Kind != pipeline.Repeating || m.attempts[0].Seq != test.pages || !o.Place.Repeats() {
					t.Errorf("the journal does not know: %+v", m.attempts)
				}
			})
		})
	}
}

func TestAListThatWasStoppedIsBoughtOnWhenToldToAndStopsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		mended := false
		telling(v, func(n int) string {
			if mended {
				return fmt.Sprintf("%d-%d", 50*n, 50*n+49)
			}
			return "0-49"
		})
		w := works(v, 999)
		for _, pages := range []int{3, 5, 7} {
			outcomes, err := Run(context.Background(), config(m, 1, w, limit.Config{}))
			if w[0].From = outcomes[0].Place; err != nil || w[0].From.Pages != pages || outcomes[0].Ending != pipeline.EndRepeats {
				t.Fatalf("%+v, %v; want %d pages", outcomes[0], err, pages)
			}
		}
		mended = true
		w[0].Task.MaxRows = 250
		outcomes, err := Run(context.Background(), config(m, 1, w, limit.Config{}))
		if err != nil || outcomes[0].Ending != pipeline.EndMaxRows || outcomes[0].Place.Rows != 250 || outcomes[0].Place.Repeats() {
			t.Errorf("%+v, %v", outcomes[0], err)
		}
	})
}

// A process that dies after the page and before the finding leaves a journal from which the next one finds the same.
func TestANewProcessRemembersWhatTheListHasBrought(t *testing.T) {
	for stop := 1; stop <= 3; stop++ {
		synctest.Test(t, func(t *testing.T) {
			v, m := &vendor{}, &memory{}
			telling(v, func(int) string { return "0-49" })
			w := works(v, 999)
			ctx, cancel := context.WithCancel(context.Background())
			c := config(m, 1, w, limit.Config{})
			c.Observe = func(e Event) {
				if e.Page != nil && e.Page.Seq == stop-1 {
					cancel()
				}
			}
			outcomes, err := Run(ctx, c)
			if err != nil || outcomes[0].Place.Pages != stop {
				t.Fatalf("%+v, %v", outcomes[0], err)
			}
			w[0].From = outcomes[0].Place
			w[0].From.RepeatsAt, m.attempts = 0, nil
			outcomes, err = Run(context.Background(), config(m, 1, w, limit.Config{}))
			if err != nil || outcomes[0].Ending != pipeline.EndRepeats || outcomes[0].Place.Pages != 3 || len(m.attempts) != 1 {
				t.Errorf("stopped after %d pages: %s after %d; %v", stop, outcomes[0].Ending, outcomes[0].Place.Pages, err)
			}
		})
	}
}

// What an execution that was told to buy on has found of it counts for the next one, what was found before does not.
func TestAnInterruptedSecondTryGoesOnFromItsOwnFindings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		telling(v, func(int) string { return "0-49" })
		w := works(v, 999)
		for _, pages := range []int{3, 4, 5} {
			ctx, cancel := context.WithCancel(context.Background())
			c := config(m, 1, w, limit.Config{})
			c.Observe = func(e Event) {
				if e.Page != nil && pages == 4 {
					cancel()
				}
			}
			outcomes, err := Run(ctx, c)
			if w[0].From = outcomes[0].Place; err != nil || w[0].From.Pages != pages || w[0].From.Repeats() != (pages != 4) {
				t.Fatalf("%+v, %v; want %d pages", outcomes[0], err, pages)
			}
			cancel()
		}
	})
}

func TestMaxRowsIsNotReachedByRowsThatRepeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		telling(v, func(int) string { return "0-49" })
		w := works(v, 999)
		w[0].Task.MaxRows = 100
		outcomes, err := Run(context.Background(), config(m, 1, w, limit.Config{}))
		if err != nil || outcomes[0].Ending != pipeline.EndRepeats || outcomes[0].Place.ChainRows != 50 {
			t.Errorf("%+v, %v", outcomes[0], err)
		}
	})
}

func TestAListThatMovesWhileItIsPagedIsReadToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const pages = 300
		for seed := range uint64(5) {
			r := rand.New(rand.NewPCG(seed, 7))
			v, m := &vendor{}, &memory{}
			from := 0
			telling(v, func(n int) string { // up to one row in five is one that the page before has brought
				first := max(0, from-r.IntN(11))
				from = first + 50
				return fmt.Sprintf("%d-%d", first, first+49)
			})
			told := v.fault
			v.fault = func(n int, task pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
				p, err := told(n, task, ask)
				p.End = n == pages
				return p, err
			}
			outcomes, err := Run(context.Background(), config(m, 1, works(v, 999), limit.Config{}))
			if err != nil || outcomes[0].Ending != pipeline.EndOfList || outcomes[0].Place.Pages != pages || outcomes[0].Place.Waste != 0 {
				t.Errorf("seed %d: %+v, %v", seed, outcomes[0], err)
			}
		}
	})
}

// A cursor that stays the same is the vendor's business, as long as the rows do not.
func TestACursorThatStaysTheSameStopsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		telling(v, func(n int) string { return fmt.Sprintf("%d-%d", 50*n, 50*n+49) })
		told := v.fault
		v.fault = func(n int, task pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
			p, err := told(n, task, ask)
			p.Next, p.End = "session", n == 20
			return p, err
		}
		outcomes, err := Run(context.Background(), config(m, 1, works(v, 999), limit.Config{}))
		if err != nil || outcomes[0].Ending != pipeline.EndOfList || outcomes[0].Place.Rows != 1000 {
			t.Errorf("%+v, %v", outcomes[0], err)
		}
	})
}

func TestAListBegunAnewDoesNotRepeatItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		v.fault = func(n int, _ pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
			if n == 8 || n == 15 {
				return nil, &pipeline.Error{Kind: pipeline.Stale, Status: 410}
			}
			return nil, nil
		}
		outcomes, err := Run(context.Background(), config(m, 1, works(v, 500), limit.Config{}))
		if err != nil || outcomes[0].Ending != pipeline.EndOfList || outcomes[0].Place.Chain != 2 {
			t.Errorf("%+v, %v", outcomes[0], err)
		}
	})
}

func TestAnHonestListOfAMillionRowsIsNeverStopped(t *testing.T) {
	for size, rows := range map[int]int{1: 200_000, 50: 1_000_000} {
		r := rand.New(rand.NewPCG(uint64(size), 8))
		var past repeats
		again, most := 0, 0
		for range rows / size {
			keys := make([]uint64, size)
			for i := range keys {
				keys[i] = r.Uint64()
			}
			seen := past.look(pipeline.Page{Rows: size}, keys)
			again += seen.had
			past.note(seen)
			most = max(most, past.rows.bytes)
			if past.found() != "" || size > 1 && seen.repeated() {
				t.Fatalf("pages of %d: %s", size, past.found())
			}
		}
		if again > 10 || most > mostMemory {
			t.Errorf("pages of %d: %d rows taken for others, %d bytes", size, again, most)
		}
	}
}

func TestTheMemoryOfAListIsBoundedAndForgetsTheOldestRowsFirst(t *testing.T) {
	var s rowSet
	const rows = 2_500_000
	for i := range uint64(rows) {
		s.add(i)
		if s.bytes > mostMemory {
			t.Fatalf("%d bytes after %d rows", s.bytes, i)
		}
	}
	for i := uint64(rows - 1_000_000); i < rows; i += 1000 {
		if !s.has(i) {
			t.Fatalf("row %d of %d is forgotten", i, rows)
		}
	}
	if s.has(0) {
		t.Error("the first row is still there")
	}
}

func TestWhatGoingOnWithoutACursorCostsIsNoRepetition(t *testing.T) {
	var past repeats
	for n := range uint64(1000) {
		seen := past.look(pipeline.Page{Rows: 10, Overlap: 6}, []uint64{4 * n, 4*n + 1, 4*n + 2, 4*n + 3})
		past.note(seen)
		past.note(past.look(pipeline.Page{Rows: 1, Overlap: 1}, nil))
		if past.found() != "" {
			t.Fatal(past.found())
		}
	}
}
