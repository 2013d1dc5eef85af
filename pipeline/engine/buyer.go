package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"backhaul/pipeline"
	"backhaul/pipeline/failpoint"
	"backhaul/pipeline/limit"
)

// buyer reads the list of one task to its end.
type buyer struct {
	*lane
	Work
	index    int            // of the work in its lane
	Place    pipeline.Place // reached by now
	past     *repeats       // what the chain has brought; nil until it is gone on with
	unread   int            // replies at the place that could not be read
	tries    int            // requests for the page at the place, in a row
	restarts int            // by this execution; Place.Chain counts those of earlier ones too
	even     int            // rows in a whole page: PageSize, or less where the endpoint wants pages alike
	size     int            // rows in a whole page, where the cursor wants another size than even; 0 if not
	whole    bool           // ask for whole pages only
	over     pipeline.Units // charged beyond what the requests could cost by the vendor's price
	answers  int            // of the lane, when the page was first asked for
	heard    int            // of the lane's answers, when a request last found none
	unheard  int            // requests without an answer since
	asks     *outage        // in which it is this task's turn to ask; nil if it is not
	tail     float64
	ending   pipeline.Ending // "" while there is more to buy
	err      error
}

func newBuyer(l *lane, i int) *buyer {
	b := &buyer{lane: l, Work: l.Work[i], index: i, Place: *l.Work[i].From}
	if b.Place.Unreadable < pipeline.MostUnreadable { // else it is to be bought again
		b.unread = b.Place.Unreadable
	}
	last := 0
	if b.Place.Next != "" {
		last = b.Place.LastRows
	}
	b.even = b.evenSize(last)
	return b
}

// evenSize is how many rows a whole page has behind one of last rows; 0 for a list that begins.
func (b *buyer) evenSize(last int) int {
	if len(b.Task.Inputs) > 0 {
		return b.PageSize
	}
	return b.Source.Endpoint().PageOf(b.Task.MaxRows, b.PageSize, last)
}

// buy reads on from the task's place until the list ends or something ends it.
func (b *buyer) buy(ctx context.Context) Outcome {
	for b.ending == "" {
		b.step(ctx)
	}
	o := Outcome{Task: b.Task, Ending: b.ending, Place: b.From, Over: b.over, Err: b.err}
	if before := *b.From; b.Place != before {
		place := b.Place // so that the rest of the buyer is let go of
		o.Place, o.Bought = &place, place.Since(before)
	}
	return o
}

// step buys one page, and notes whether that ended the task.
func (b *buyer) step(ctx context.Context) {
	if b.ending = b.ended(); b.ending != "" {
		return
	}
	if ctx.Err() != nil {
		b.ending, b.err = b.stoppedBy(ctx)
		return
	}
	if err := b.page(ctx); err != nil {
		b.ending, b.err = b.classify(ctx, err)
		return
	}
	b.ending = b.ended()
}

// ended says whether everything the task asks for is held.
func (b *buyer) ended() pipeline.Ending {
	switch {
	case b.Task.MaxRows > 0 && b.Place.ChainRows >= b.Task.MaxRows:
		return pipeline.EndMaxRows
	case b.Place.End:
		return pipeline.EndOfList
	}
	return ""
}

// page buys the next page and makes it durable.
func (b *buyer) page(ctx context.Context) error {
	if b.past == nil && b.Place.Pages > 0 && !b.finite() {
		if err := b.remember(ctx); err != nil {
			return err
		}
		if err := b.checkRepeats(ctx); err != nil {
			return err // a process died before it could say so
		}
	}
	page, err := b.fetch(ctx)
	if err != nil {
		return err
	}
	if err := b.keep(ctx, page); err != nil {
		return err
	}
	return b.checkRepeats(ctx)
}

// keep makes the page durable and moves the place on.
func (b *buyer) keep(ctx context.Context, page pipeline.Page) error {
	page.Seq, page.Chain, page.Cursor = b.Place.Pages, b.Place.Chain, b.Place.Next
	var seen look
	var unread error
	if b.past != nil {
		var keys []uint64
		keys, unread = b.keysOf(page)
		seen = b.past.look(page, keys)
		page.Repeated = seen.repeated()
	}
	failpoint.Hit("engine.reply.after")
	if err := b.Journal.Append(context.WithoutCancel(ctx), b.Task.ID, page); err != nil {
		err = &JournalError{Err: err}
		b.stopRun(err)
		return err
	}
	place := &b.Place
	place.Pages++
	place.ReusedFrom = "" // from here on it buys its own
	place.Recovered, place.Unreadable, b.unread = place.Recovered+place.Unreadable, 0, 0
	place.Units += page.Units
	place.Next, place.End = page.Next, page.End
	place.Fetched, place.LastRows = page.FetchedAt, page.Rows
	fresh := page.Rows - page.Overlap
	if page.Repeated {
		place.Waste += int64(page.Rows)
	} else {
		place.Rows += int64(fresh)
		place.ChainRows += int64(fresh)
		place.Waste += int64(page.Overlap)
	}
	if page.Tail > 0 {
		b.tail = page.Tail
	}
	if b.past != nil {
		b.past.note(seen)
	}
	b.Observe(Event{Task: *b.Task, Page: &page})
	return unread
}

// fetch asks for the page at the task's place until it arrives, an error is final, or patience ends.
func (b *buyer) fetch(ctx context.Context) (pipeline.Page, error) {
	pause := backoff.ExponentialBackOff{
		InitialInterval: b.Retry.Base / 2, MaxInterval: b.Retry.Most / 2, Multiplier: 2,
	}
	pause.Reset()
	b.tries, b.answers = 0, b.answersSoFar()
	defer b.leave()
	for failed, throttled := 0, 0; ; {
		if err := b.outlast(ctx); err != nil {
			return pipeline.Page{}, err
		}
		if left, known := b.lifeLeft(); known && left <= 0 && b.mayRestart() {
			b.restart()
		}
		page, asked, err := b.once(ctx, b.limit())
		if err == nil {
			b.turned(false)
			b.answered()
			b.learn()
			return page, nil
		}
		var e *pipeline.Error
		if !errors.As(err, &e) {
			return page, err // the budget, the journal, or an interruption
		}
		shut := b.turned(e.Kind == pipeline.Throttled)
		switch e.Kind {
		case pipeline.Transient:
			failed++
			if b.unanswered(e, failed) {
				failed = 0
				pause.Reset()
				continue
			}
		case pipeline.Throttled:
			throttled++
		case pipeline.Malformed:
			b.answered()
			failed++
			if b.unread >= pipeline.MostUnreadable && !b.recovering() {
				return page, e
			}
		default:
			b.answered()
			if b.tryAnotherWay(e, asked) {
				continue
			}
			return page, b.final(e)
		}
		switch {
		case e.Kind == pipeline.Throttled && e.After > b.Retry.Patience:
			return page, exhausted(e, "the vendor asks to wait for %s", e.After)
		case shut > b.Retry.Patience:
			return page, exhausted(e, "the vendor has turned every request away for %s", shut.Round(time.Second))
		case failed >= b.Retry.Attempts || throttled >= b.Retry.Throttles:
			return page, fmt.Errorf("gave up after %d attempts: %w", failed+throttled, e)
		}
		// Full jitter: from zero to twice the interval.
		if err := b.wait(ctx, e, b.Retry.about(pause.NextBackOff(), 1)); err != nil {
			return page, err
		}
	}
}

// exhausted takes a vendor that asks for too long a wait for one whose quota is used up.
func exhausted(e *pipeline.Error, format string, wait time.Duration) *pipeline.Error {
	return &pipeline.Error{Kind: pipeline.Exhausted, Status: e.Status, Err: e, Message: fmt.Sprintf(format+": %s", wait, e.Message)}
}

// final adds to an error what led up to it.
func (b *buyer) final(e *pipeline.Error) error {
	if e.Kind == pipeline.Stale && b.Place.Chain > 0 {
		return fmt.Errorf("the list was started over %d times, and its cursor expired again: %w", b.Place.Chain, e)
	}
	return e
}

// lifeLeft is how long the cursor of the next page still lives, as far as that is known.
func (b *buyer) lifeLeft() (left time.Duration, known bool) {
	if b.TokenLife <= 0 || b.Place.Next == "" || len(b.Task.Inputs) > 0 || b.Place.Fetched.IsZero() {
		return 0, false // a place in a batch is not a cursor of the vendor's
	}
	return b.TokenLife - time.Since(b.Place.Fetched), true
}

// tryAnotherWay changes what is asked for after an error that the same request would meet again, if there is a way.
func (b *buyer) tryAnotherWay(e *pipeline.Error, asked int) bool {
	if e.Kind != pipeline.Stale && e.Kind != pipeline.Rejected || b.Place.Next == "" || len(b.Task.Inputs) > 0 {
		return false // the place in a batch is our own: the vendor never saw it
	}
	if asked < b.fullSize() && !b.whole {
		// Whether a cursor outlives a change of the page size is unknown: ask as before.
		b.whole = true
		return true
	}
	if e.Kind == pipeline.Rejected {
		return b.tryAnotherSize(asked)
	}
	if b.mayRestart() {
		b.restart()
		return true
	}
	return false
}

// tryAnotherSize goes on where a cursor is refused that came with a page of another size: its page was cut short by a
// budget or by max_rows, or the job's limit has changed since. Starting over costs the rows of the chain again, the
// cursor's own size only requests.
func (b *buyer) tryAnotherSize(asked int) bool {
	if begins := b.evenSize(0); b.size == 0 && b.even != begins {
		b.even = begins // the last page was short for a reason of its own
		return b.even != asked
	}
	if b.size != 0 || b.Place.LastRows == 0 || b.Place.LastRows == asked {
		return false
	}
	if b.Place.ChainRows <= int64(b.PageSize) && b.mayRestart() {
		b.restart()
		return true
	}
	b.size = min(b.Place.LastRows, b.PageSize)
	return b.size != asked
}

// fullSize is how many rows a whole page of the list has.
func (b *buyer) fullSize() int {
	if b.size > 0 {
		return b.size
	}
	return b.even
}

// limit is how many rows the next page should hold.
func (b *buyer) limit() int {
	if b.Task.MaxRows == 0 || b.whole {
		return b.fullSize()
	}
	if b.Place.Next != "" && b.onlyWhole() {
		b.whole = true
		return b.fullSize()
	}
	return int(min(int64(b.fullSize()), b.Task.MaxRows-b.Place.ChainRows))
}

// mayRestart says whether the list may be started over once more.
func (b *buyer) mayRestart() bool {
	return b.restarts < b.Retry.Restarts && b.Place.Chain < b.Retry.RestartsInAll
}

// restart starts the list over, because its cursor died. The pages held are kept; rows they have in common with the new
// ones are dropped when the run is loaded.
func (b *buyer) restart() {
	b.restarts++
	b.Place.Chain++
	b.Place.Next, b.Place.ChainRows = "", 0
	b.size, b.even, b.whole = 0, b.evenSize(0), false
	b.past = &repeats{}
}

// once makes one request, settles its price, and records it if it failed.
func (b *buyer) once(ctx context.Context, want int) (page pipeline.Page, asked int, err error) {
	price, err := b.Source.Endpoint().PriceOf(*b.Task, pipeline.Ask{Cursor: b.Place.Next, Limit: want})
	if err != nil {
		return page, want, &pipeline.Error{Kind: pipeline.Rejected, Message: err.Error()}
	}
	least := 1
	if b.whole || b.Source.Endpoint().Once {
		least = want
	}
	came := time.Now()
	pass, err := b.admit(ctx, price.Worst(want), price.Worst(least))
	if err != nil {
		return page, want, err
	}
	over := b.tellRequest(came, pass.units())
	asked = price.Affords(pass.units(), want)
	failpoint.Hit("engine.request.before")
	// An interruption lets the request finish: its page may be paid for already.
	page, err = b.Source.Fetch(context.WithoutCancel(ctx), *b.Task, pipeline.Ask{Cursor: b.Place.Next, Limit: asked})
	if err == nil {
		b.over += max(0, page.Units-pass.units())
		pass.settle(page.Units)
		over(page, 0, nil)
		return page, asked, nil
	}
	var e *pipeline.Error
	if !errors.As(err, &e) {
		e = &pipeline.Error{Kind: pipeline.Transient, Err: err, MaybeCharged: true}
	}
	var maybe pipeline.Units
	switch {
	case e.MaybeCharged || e.Kind == pipeline.Malformed:
		// What was sent but cannot be read is billed as far as anybody can tell.
		maybe = pass.units()
		pass.unsettled()
	case e.Kind == pipeline.Throttled:
		pass.turnedAway()
	default:
		pass.settle(0)
	}
	over(page, maybe, e)
	return page, asked, b.record(ctx, e, maybe, page, asked)
}

// record makes a failed request durable and returns its error.
func (b *buyer) record(ctx context.Context, e *pipeline.Error, maybe pipeline.Units, page pipeline.Page, asked int) error {
	b.Place.Attempts++
	b.Place.MaybeUnits += maybe
	a := pipeline.Attempt{Seq: b.Place.Pages, At: time.Now().UTC(), Kind: e.Kind, Status: e.Status, MaybeUnits: maybe, Message: e.Error()}
	if e.Kind == pipeline.Malformed {
		b.unread++
		b.Place.Unreadable++
		a.Chain, a.Ask = b.Place.Chain, pipeline.Ask{Cursor: b.Place.Next, Limit: asked}
		a.Body, a.Request = page.Body, page.Request
	}
	if err := b.Journal.AddAttempt(context.WithoutCancel(ctx), b.Task.ID, a); err != nil {
		err = &JournalError{Err: err}
		b.stopRun(err)
		return err
	}
	return e
}

// wait pauses before the next attempt. When the vendor asks everybody to wait, everybody does; where it does not say for how
// long, the gate knows best. A pause of our own choice is shortened where it would outlive the cursor, and the list with it.
func (b *buyer) wait(ctx context.Context, e *pipeline.Error, pause time.Duration) error {
	if e.After > 0 || e.Kind == pipeline.Throttled {
		pause = e.After
	} else if left, known := b.lifeLeft(); known && left > 0 {
		pause = min(pause, left/2)
	}
	b.Observe(Event{Task: *b.Task, Retry: e, Wait: pause})
	if e.Kind == pipeline.Throttled {
		b.Gate.Pause(time.Now().Add(pause))
	}
	return limit.Sleep(ctx, pause, nil)
}

// classify turns the error that ended a task into its ending, and gives the vendor up where the error is not the task's.
func (b *buyer) classify(ctx context.Context, err error) (pipeline.Ending, error) {
	switch {
	case errors.As(err, new(*awayError)):
		return pipeline.EndUnreachable, err
	case errors.As(err, new(*JournalError)):
		return pipeline.EndFault, err // though the run be stopped
	}
	var e *pipeline.Error
	refused := errors.As(err, &e)
	again := refused && (e.Kind == pipeline.Transient || e.Kind == pipeline.Throttled)
	if ctx.Err() != nil && (!refused || again) {
		return b.stoppedBy(ctx)
	}
	if errors.As(err, new(purseError)) {
		return pipeline.EndBudget, err // the extract's own: the others go on
	}
	var budget *limit.BudgetError
	if errors.As(err, &budget) {
		b.giveUp(pipeline.EndBudget, budget)
		return pipeline.EndBudget, err
	}
	if !refused {
		return pipeline.EndFault, err
	}
	switch e.Kind {
	case pipeline.Exhausted:
		b.giveUp(pipeline.EndQuota, e)
		return pipeline.EndQuota, err
	case pipeline.Denied:
		b.giveUp(pipeline.EndDenied, e)
		return pipeline.EndDenied, err
	case pipeline.Stale:
		return pipeline.EndStale, err
	case pipeline.Repeating:
		return pipeline.EndRepeats, err
	case pipeline.Transient, pipeline.Throttled:
		if b.failed(e.Unreachable) {
			b.giveUp(pipeline.EndUnreachable, err)
			return pipeline.EndUnreachable, err
		}
	}
	return pipeline.EndFault, err
}

// stoppedBy says what ended a task that could have gone on.
func (b *buyer) stoppedBy(ctx context.Context) (pipeline.Ending, error) {
	cause := context.Cause(ctx)
	var stop *StopError
	switch {
	case errors.As(cause, &stop) && b.Place.Pages == 0:
		return pipeline.EndNotReached, cause
	case errors.As(cause, &stop):
		return stop.Ending, cause
	case errors.As(cause, new(*JournalError)):
		return pipeline.EndFault, cause
	case b.Place.Pages == 0:
		return pipeline.EndNotReached, cause
	}
	return pipeline.EndInterrupted, cause
}
