package run

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
	"backhaul/pipeline"
	"backhaul/schemas"
	"backhaul/sinks"
)

// odd is a vendor that answers its nth request, from 0, as it is told, with a cursor it has never given before.
type odd struct {
	*meter
	asked int
	// first is the first row of the page, as in an honest list: 50 times n. Negative for a reply that cannot be read.
	first func(n int) int
	// reads: a later version of the program that understands those too.
	reads bool
}

const oddSize = 50

func newOdd(first func(n int) int) *odd { return &odd{meter: newMeter(1, oddSize), first: first} }

func (o *odd) Fetch(_ context.Context, _ pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	first := o.first(o.asked)
	p := pipeline.Page{Cursor: ask.Cursor, Request: fmt.Append(nil, ask.Cursor), Status: 200, FetchedAt: time.Now().UTC(), Body: []byte(strconv.Itoa(first))}
	o.asked++
	o.billed += oddSize
	if first < 0 && !o.reads {
		return p, &pipeline.Error{Kind: pipeline.Malformed, Status: 200, MaybeCharged: true, Message: "minus what?"}
	}
	return o.understood(p), nil
}

// understood is the page with what is read off it.
func (o *odd) understood(p pipeline.Page) pipeline.Page {
	p.Rows, p.Units, p.Next = oddSize, oddSize, p.Cursor+"x"
	return p
}

func (o *odd) Read(_ pipeline.Task, ask pipeline.Ask, p pipeline.Page) (pipeline.Page, error) {
	if !o.reads || string(p.Request) != string(ask.Cursor) || ask.Limit != oddSize {
		return p, errors.New("minus what?")
	}
	return o.understood(p), nil
}

func (o *odd) Decode(p pipeline.Page, b *schemas.Builder) error {
	first, err := strconv.Atoi(string(p.Body))
	for i := range p.Rows {
		b.Row().SetString(0, strconv.Itoa(max(first, -first)+i))
		b.Append()
	}
	return err
}

func (o *odd) oddJob(maxRows int64) Job {
	j := o.job("odd", 1, ledger.Ceiling{}, 999)
	j.Sources = func(pipeline.Task) (pipeline.Source, error) { return o, nil }
	j.Items[0].Task.MaxRows = maxRows
	return j
}

func (o *odd) run(t *testing.T, dir string, maxRows int64, again bool) *Result {
	t.Helper()
	opt := options(dir)
	opt.Again = again
	result, err := Run(context.Background(), o.oddJob(maxRows), opt)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// check holds what a run says of its only task against what is wanted.
func check(t *testing.T, what string, r *Result, ending pipeline.Ending, rows, waste, published int64) {
	t.Helper()
	task := r.Tasks[0]
	if task.Ending != ending || task.Rows != rows || task.Waste != waste || r.Files[0].Rows != published {
		t.Errorf("%s: %s with %d rows, %d wasted, %d published; want %s, %d, %d, %d: %s", what, task.Ending, task.Rows, task.Waste, r.Files[0].Rows,
			ending, rows, waste, published, task.Error)
	}
}

func TestAListThatRepeatsItselfIsPublishedOnceAndNotBoughtAgain(t *testing.T) {
	for period := 1; period <= 3; period++ {
		o, dir := newOdd(func(n int) int { return oddSize * (n % period) }), t.TempDir()
		rows := int64(period * oddSize)
		r := o.run(t, dir, 0, false)
		check(t, fmt.Sprint("period ", period), r, pipeline.EndRepeats, rows, 100, rows)
		if o.asked != period+2 || r.Run.State != ledger.Incomplete || !strings.Contains(r.Tasks[0].Error, "--again") {
			t.Errorf("period %d: %d requests, %s, %q", period, o.asked, r.Run.State, r.Tasks[0].Error)
		}
		for range 3 {
			r = o.run(t, dir, 0, false)
			check(t, "again the same date", r, pipeline.EndRepeats, rows, 100, rows)
		}
		if o.asked != period+2 || r.Plan.Stuck() != 1 || r.Missing.Stuck() != 1 || r.Missing.Needed().Units != 0 {
			t.Errorf("period %d: %d requests after reruns; %+v", period, o.asked, r.Missing)
		}
		r = o.run(t, dir, 0, true)
		check(t, "when told to", r, pipeline.EndRepeats, rows, 200, rows)
		if o.asked != period+4 || r.Plan.Stuck() != 0 || r.Missing.Stuck() != 1 {
			t.Errorf("period %d: %d requests when told to", period, o.asked)
		}
	}
}

func TestAListThatWasMendedGoesOnWhereItWasStopped(t *testing.T) {
	mended, dir := false, t.TempDir()
	o := newOdd(func(n int) int {
		if mended {
			return oddSize * (n - 2)
		}
		return 0
	})
	o.run(t, dir, 200, false)
	mended = true
	check(t, "mended", o.run(t, dir, 200, true), pipeline.EndMaxRows, 200, 100, 200)
	if o.asked != 6 {
		t.Errorf("%d requests", o.asked)
	}
}

// A page of which one row is new is bought for what it brings, and the others are not in the table twice.
func TestOfPagesThatMostlyRepeatOnlyTheNewRowsArePublished(t *testing.T) {
	o := newOdd(func(n int) int { return n })
	r := o.run(t, t.TempDir(), 0, false)
	check(t, "one new row a page", r, pipeline.EndRepeats, 53, 147, 53)
}

func TestAReplyThatCannotBeReadIsNotBoughtAgainUnasked(t *testing.T) {
	o, dir := newOdd(func(n int) int {
		if n == 0 {
			return 0
		}
		return -50
	}), t.TempDir()
	r := o.run(t, dir, 200, false)
	check(t, "first", r, pipeline.EndFault, 50, 0, 50)
	for _, word := range []string{"status --replies", "replay", "run --again"} {
		if !strings.Contains(r.Tasks[0].Error, word) {
			t.Errorf("%q does not name %s", r.Tasks[0].Error, word)
		}
	}
	for range 3 {
		r = o.run(t, dir, 200, false)
	}
	if o.asked != 3 || r.Tasks[0].MaybeUnits != 100 || r.Missing.Stuck() != 1 {
		t.Errorf("%d requests, %+v", o.asked, r.Tasks[0])
	}
	if o.run(t, dir, 200, true); o.asked != 5 {
		t.Errorf("%d requests when told to", o.asked)
	}
	replies, err := recovery.Replies(context.Background(), books.InFiles(sinks.Warehouse{Root: dir}), r.Run)
	if err != nil || len(replies) != 4 || replies[3].SameAs != replies[0].No || replies[0].Task.Target != "999" {
		t.Errorf("%+v, %v", replies, err)
	}
}

func TestAReplyThatCanBeReadByNowIsAPageAfterAReplay(t *testing.T) {
	ctx := context.Background()
	for _, maxRows := range []int64{100, 200} { // the page is the last one, or not
		o, dir := newOdd(func(n int) int { return []int{0, -50, -50, 100, 150}[n] }), t.TempDir()
		r := o.run(t, dir, maxRows, false)
		l, err := recovery.OpenLedger(ctx, books.InFiles(sinks.Warehouse{Root: dir}))
		if err != nil {
			t.Fatal(err)
		}
		replay := func() *Result {
			t.Helper()
			r, err := Replay(ctx, l, r.Run, func(pipeline.Task) (pipeline.Source, error) { return o, nil }, options(dir))
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		if r = replay(); r.Redeemed != 0 {
			t.Errorf("%d read by the same program", r.Redeemed)
		}
		o.reads = true
		r = replay()
		ending, state := pipeline.EndInterrupted, ledger.Incomplete
		if maxRows == 100 {
			ending, state = pipeline.EndMaxRows, ledger.Complete
		}
		check(t, "replayed", r, ending, 100, 0, 100)
		if r.Redeemed != 1 || r.Tasks[0].Units != 50 || r.Tasks[0].MaybeUnits != 100 || o.asked != 3 || r.Tasks[0].Error != "" {
			t.Errorf("%d redeemed, %+v, %d requests", r.Redeemed, r.Tasks[0], o.asked)
		}
		if now, err := l.Get(ctx, r.Run.ID); err != nil || now.State != state {
			t.Errorf("%s, want %s, %v", now.State, state, err)
		}
		if r = replay(); r.Redeemed != 0 {
			t.Error("read twice")
		}
		_ = l.Close()
		check(t, "gone on", o.run(t, dir, 200, false), pipeline.EndMaxRows, 200, 0, 200)
		if o.asked != 5 {
			t.Errorf("%d requests", o.asked)
		}
	}
}

// Where a vendor's unreadable replies pass with time, a place is tried more often than elsewhere, and not for ever.
func TestAReplyThatIsNeverReadIsGivenUpAlsoWhereOthersRecover(t *testing.T) {
	o, dir := newOdd(func(n int) int {
		switch n {
		case 0: // unreadable at first, and then a page: the vendor recovers
			return -1
		case 1:
			return 0
		}
		return -50
	}), t.TempDir()
	for range 5 {
		o.run(t, dir, 200, false)
	}
	if o.asked > 2+2*6 { // as many as price gives up after
		t.Errorf("%d requests for a reply that is never read", o.asked)
	}
	before := o.asked
	if r := o.run(t, dir, 200, false); o.asked != before || r.Missing.Stuck() != 1 {
		t.Errorf("%d requests more", o.asked-before)
	}
}
