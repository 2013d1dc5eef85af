package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/pipeline/limit"
)

// maxIdle is how many pages in a row may bring a list no further: pages without a row that are not the last, and
// pages whose cursor leads back. More of them are the vendor's fault, and would go on for ever.
const maxIdle = 5

// buyer reads the list of one task to its end.
type buyer struct {
	*lane
	Work
	halt     context.CancelCauseFunc // stops the lane
	seen     map[pipeline.Cursor]bool
	idle     int
	restarts int
	whole    bool // ask for whole pages only
}

// buy reads on from the task's place until the list ends or something ends it.
func (b *buyer) buy(ctx context.Context) Outcome {
	b.seen = map[pipeline.Cursor]bool{}
	var err error
	ending := b.ended()
	for ending == "" {
		if ctx.Err() != nil {
			ending, err = b.stoppedBy(ctx)
			break
		}
		if err = b.page(ctx); err != nil {
			ending, err = b.classify(ctx, err)
			break
		}
		ending = b.ended()
	}
	return Outcome{Task: b.Task, Ending: ending, Place: b.Place, Err: err}
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

// fault is the vendor's: asking again cannot help.
type fault struct{ text string }

func (f fault) Error() string { return "vendor fault: " + f.text }

// page buys the next page and makes it durable.
func (b *buyer) page(ctx context.Context) error {
	page, err := b.fetch(ctx)
	if err != nil {
		return err
	}
	if err := b.keep(ctx, page); err != nil {
		return err
	}
	if b.idle >= maxIdle && !b.Place.End {
		return fault{fmt.Sprintf("%d pages in a row brought nothing new", b.idle)}
	}
	return nil
}

// keep makes the page durable and moves the place on.
func (b *buyer) keep(ctx context.Context, page pipeline.Page) error {
	page.Seq, page.Chain, page.Cursor = b.Place.Pages, b.Place.Chain, b.Place.Next
	page.Repeated = b.seen[page.Cursor]
	b.seen[page.Cursor] = true
	if err := b.Journal.Append(context.WithoutCancel(ctx), b.Task.ID, page); err != nil {
		err = &JournalError{Err: err}
		b.stopRun(err)
		return err
	}
	place := &b.Place
	place.Pages++
	place.Units += page.Units
	place.Next, place.End = page.Next, page.End
	if page.Repeated {
		place.Waste += int64(page.Rows)
	} else {
		place.Rows += int64(page.Rows)
		place.ChainRows += int64(page.Rows)
	}
	if page.End || page.Rows > 0 && !b.seen[page.Next] {
		b.idle = 0
	} else {
		b.idle++
	}
	b.Observe(Event{Task: b.Task, Page: &page})
	return nil
}

// fetch asks for the page at the task's place until it arrives, an error is final, or patience ends.
func (b *buyer) fetch(ctx context.Context) (pipeline.Page, error) {
	pause := backoff.ExponentialBackOff{
		// Full jitter: a randomisation by the whole interval draws from zero to twice of it.
		InitialInterval: b.Retry.Base, MaxInterval: b.Retry.Most, Multiplier: 2, RandomizationFactor: 1,
	}
	pause.Reset()
	for failed, throttled := 0, 0; ; {
		page, asked, err := b.once(ctx, b.limit())
		if err == nil {
			b.answered(true)
			return page, nil
		}
		var e *pipeline.Error
		if !errors.As(err, &e) {
			return page, err // the budget, the journal, or an interruption
		}
		switch e.Kind {
		case pipeline.Transient:
			failed++
		case pipeline.Throttled:
			throttled++
		default:
			if b.tryAnotherWay(e, asked) {
				continue
			}
			return page, e
		}
		if failed >= b.Retry.Attempts || throttled >= b.Retry.Throttles {
			return page, fmt.Errorf("gave up after %d attempts: %w", failed+throttled, e)
		}
		if err := b.wait(ctx, e, pause.NextBackOff()); err != nil {
			return page, err
		}
	}
}

// tryAnotherWay changes what is asked for after an error that the same request would meet again, if there is a way.
func (b *buyer) tryAnotherWay(e *pipeline.Error, asked int) bool {
	if e.Kind != pipeline.Stale && e.Kind != pipeline.Rejected || b.Place.Next == "" {
		return false
	}
	if asked < b.PageSize && !b.whole {
		// Whether a cursor outlives a change of the page size is unknown: ask as before.
		b.whole = true
		return true
	}
	if e.Kind == pipeline.Stale && b.restarts < b.Retry.Restarts {
		b.restart()
		return true
	}
	return false
}

// limit is how many rows the next page should hold.
func (b *buyer) limit() int {
	if b.Task.MaxRows == 0 || b.whole {
		return b.PageSize
	}
	return int(min(int64(b.PageSize), b.Task.MaxRows-b.Place.ChainRows))
}

// restart begins the list anew, because its cursor died. The pages held are kept; rows they have in common with the new
// ones are dropped when the run is loaded.
func (b *buyer) restart() {
	b.restarts++
	b.Place.Chain++
	b.Place.Next, b.Place.ChainRows = "", 0
	b.idle = 0
	b.whole = false
	clear(b.seen)
}

// once makes one request, settles its price, and records it if it failed.
func (b *buyer) once(ctx context.Context, want int) (page pipeline.Page, asked int, err error) {
	facts := b.Source.Endpoint()
	least := 1
	if b.whole {
		least = want
	}
	pass, err := b.Gate.Admit(ctx, facts.WorstCase(want), facts.WorstCase(least))
	if err != nil {
		return page, want, err
	}
	asked = want
	if facts.UnitsPerRow > 0 {
		asked = min(want, int(pass.Units/facts.UnitsPerRow))
	}
	// An interruption lets the request finish: its page may be paid for already.
	page, err = b.Source.Fetch(context.WithoutCancel(ctx), b.Task, pipeline.Ask{Cursor: b.Place.Next, Limit: asked})
	if err == nil {
		pass.Settle(page.Units)
		return page, asked, nil
	}
	var e *pipeline.Error
	if !errors.As(err, &e) {
		e = &pipeline.Error{Kind: pipeline.Transient, Err: err, MaybeCharged: true}
	}
	var maybe pipeline.Units
	// What was sent but cannot be read is billed as far as anybody can tell.
	if e.MaybeCharged || e.Kind == pipeline.Malformed {
		maybe = pass.Units
		pass.Unsettled()
	} else {
		pass.Settle(0)
	}
	return page, asked, b.record(ctx, e, maybe, page.Body)
}

// record makes a failed request durable and returns its error.
func (b *buyer) record(ctx context.Context, e *pipeline.Error, maybe pipeline.Units, body []byte) error {
	b.Place.Attempts++
	b.Place.MaybeUnits += maybe
	a := journal.Attempt{Seq: b.Place.Pages, At: time.Now().UTC(), Kind: e.Kind, Status: e.Status, MaybeUnits: maybe, Message: e.Error()}
	if e.Kind == pipeline.Malformed {
		a.Body = body
	}
	if err := b.Journal.AddAttempt(context.WithoutCancel(ctx), b.Task.ID, a); err != nil {
		err = &JournalError{Err: err}
		b.stopRun(err)
		return err
	}
	return e
}

// wait pauses before the next attempt. When the vendor asks everybody to wait, everybody does.
func (b *buyer) wait(ctx context.Context, e *pipeline.Error, pause time.Duration) error {
	if e.After > 0 {
		pause = e.After
	}
	b.Observe(Event{Task: b.Task, Retry: e, Wait: pause})
	if e.Kind == pipeline.Throttled {
		b.Gate.Pause(time.Now().Add(pause))
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// classify turns the error that ended a task into its ending, and gives the vendor up where the error is not the task's.
func (b *buyer) classify(ctx context.Context, err error) (pipeline.Ending, error) {
	var e *pipeline.Error
	refused := errors.As(err, &e)
	again := refused && (e.Kind == pipeline.Transient || e.Kind == pipeline.Throttled)
	if ctx.Err() != nil && (!refused || again) {
		return b.stoppedBy(ctx)
	}
	var budget *limit.BudgetError
	if errors.As(err, &budget) {
		b.giveUp(b.halt, pipeline.EndBudget, budget)
		return pipeline.EndBudget, err
	}
	if !refused {
		return pipeline.EndFault, err
	}
	switch e.Kind {
	case pipeline.Exhausted:
		b.giveUp(b.halt, pipeline.EndQuota, e)
		return pipeline.EndQuota, err
	case pipeline.Denied:
		b.giveUp(b.halt, pipeline.EndDenied, e)
		return pipeline.EndDenied, err
	case pipeline.Stale:
		return pipeline.EndStale, err
	case pipeline.Transient, pipeline.Throttled:
		if down := b.answered(false); down || e.Unreachable {
			b.giveUp(b.halt, pipeline.EndUnreachable, err)
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
	}
	return pipeline.EndInterrupted, cause
}
