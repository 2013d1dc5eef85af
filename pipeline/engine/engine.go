// Package engine owns all goroutines of a run while it buys: which task is next, how often a request is tried, what an
// error stops, and how a run ends early without losing a paid page.
//
// Every vendor account is a [Lane] with as many workers as it has connections. A worker takes one task and reads its
// list to the end, page after page, before it takes the next: only so many lists are under way that the vendor's
// cursors are spent while they are fresh, and a run that dies leaves few lists half read. Tasks whose list is expected
// to be longest come first, so that no long list ends alone. What is to be bought only when an extract is over joins the
// lanes while the others are read on; see [Config].More.
//
// A page is handed to the [Journal] before anything else happens to it. When the context ends no new request is made;
// those under way are waited for and their pages kept.
//
// # Failures
//
// A request that fails is tried again as [Retry] allows, and every one is recorded. One that may have been billed keeps
// its worst price set aside in the [limit.Gate], so that a storm of retries ends at the budget and not beyond it. A task
// that runs out of patience fails alone, its place kept; the vendor is given up when ten tasks in a row failed without an
// answer to anybody, or at the first that could not even connect while nobody was answered. With [Retry].For it is not given
// up then but asked again, by one task at a time while the others wait, until it answers or that time is over.
//
// A reply that cannot be read may have been billed, and the same question mostly has the same answer: it is asked once more,
// and then the task fails. Only where one such reply at the vendor was followed by a page are they taken to pass with time.
//
// # Lists that repeat themselves
//
// Cursors prove nothing: a vendor may hand out new ones for the same rows for ever. So the rows of a list that is gone on
// with are told apart, as the source decodes and the table identifies them, and a list that brings what it has brought
// before is stopped, kept at its place, and remembered as such in the journal; see [pipeline.Repeating]. The memory of a list
// takes 64 KiB at first and 8 MiB at most, and only lists under way have one.
//
// # Lists that are started over
//
// When a cursor dies, the pages read so far are kept and the list is read again from its start, as another chain, to the
// end or until the chain by itself has max_rows rows: what the chains have in common is known only to those who can
// read rows, so it is bought again, and found and counted as waste when the run is loaded. [Retry] bounds how often that
// happens, in one execution and in all of them together; only restarts that bought a page outlive an execution.
//
// What comes of it, provided the last chain reached the end: every row the vendor delivered in the last chain is there,
// each as often as in it, in its order and with its values; and rows that only earlier chains brought, because the list
// has lost them since, stand behind. What a cursor cannot show is not noticed: a list that moves while one chain pages
// through it, without a 410, may deliver a row at a page's edge twice, or never.
//
// The package knows neither wire nor file formats.
package engine

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/limit"
)

// Journal is where pages become durable.
type Journal interface {
	// Append returns when the page is durable.
	Append(ctx context.Context, taskID string, p pipeline.Page) error
	// AddAttempt returns when the record of a request without a page is durable.
	AddAttempt(ctx context.Context, taskID string, a pipeline.Attempt) error
	// Pages yields the pages of a task that are durable, in the order they were bought. The first error ends the sequence.
	Pages(ctx context.Context, taskID string) iter.Seq2[pipeline.Page, error]
}

// Work is one task to buy, from the place it has reached. There may be a million, of which few are under way: so it has what it needs
// not know of by reference, and nobody changes that while the run is at work.
type Work struct {
	Task   *pipeline.Task
	Source pipeline.Source
	// From is the place it has reached. Default: nowhere.
	From *pipeline.Place
	// PageSize is how many rows to ask for at a time.
	PageSize int
	// Unknown: nobody knows how long the list is. See Lane.Probe.
	Unknown bool
	// Purse holds what the task's extract may spend, beside what the lane's gate allows. Default: as much as the gate.
	Purse *limit.Gate
}

// Lane is one vendor account and the work to do there, in the order it is to be begun.
type Lane struct {
	Vendor      string
	Gate        *limit.Gate
	Connections int
	Work        []Work
	// Probe: buy the first page of every list of unknown length before any is read on, to begin with those that are likely
	// to be long. It leaves many lists half read for a while, so it is for accounts where nothing but the connections holds
	// the run up: no budget that may end in between, no rate that would let the cursors grow old.
	Probe bool
	// TokenLife is how long a cursor of this vendor lives. With it, lists under way are continued first, the one whose
	// cursor is soonest to die before the others of its priority; a cursor known to be dead is not asked for; and no
	// more lists are under way than can have a page each within half that time. Default 0: unknown.
	TokenLife time.Duration
	// Recovers: what this vendor answered was unreadable once and then not, so that is a matter of time: such replies are
	// asked for as often as others that fail. Default: they are not, until one is seen to be followed by a page.
	Recovers bool
}

// Retry bounds how often one page is asked for.
type Retry struct {
	// Attempts is how many requests may fail in a row for one page. Default 6.
	Attempts int
	// Throttles is how many requests may be turned away in a row for one page because the vendor asks to wait,
	// which costs nothing. Default 15, which takes ten minutes at a vendor that turns all away.
	Throttles int
	// Base and Most bound the pause before the next attempt, which is drawn at random between zero and a bound
	// that doubles from Base to Most. Default 1s and 1m.
	Base, Most time.Duration
	// Patience is the longest wait a vendor may ask for. One that asks for more, or turns every request away for longer, is
	// given up for this run, as if its quota were used up. Default 15m.
	Patience time.Duration
	// Restarts is how often a list whose cursor died is read again from its start. Default 3.
	Restarts int
	// RestartsInAll bounds that for all executions of a run together, so that a list that never lives long enough to be
	// read is not paid for night after night. Default 10.
	RestartsInAll int
	// For is how long a vendor that answers nobody is asked again, by one task at a time, counted from the first request
	// without an answer, before it is given up. Default 0: given up when the tasks run out of attempts.
	For time.Duration
	// Random draws a number from 0 to 1 for each pause, by many goroutines at once. Default rand.Float64.
	Random func() float64
}

func (r Retry) withDefaults() Retry {
	if r.Attempts == 0 {
		r.Attempts = 6
	}
	if r.Throttles == 0 {
		r.Throttles = 15
	}
	if r.Base == 0 {
		r.Base = time.Second
	}
	if r.Most == 0 {
		r.Most = time.Minute
	}
	if r.Patience == 0 {
		r.Patience = 15 * time.Minute
	}
	if r.Restarts == 0 {
		r.Restarts = 3
	}
	if r.RestartsInAll == 0 {
		r.RestartsInAll = 10
	}
	if r.Random == nil {
		r.Random = rand.Float64
	}
	return r
}

// about draws a pause from those that differ from d by no more than a share of it.
func (r Retry) about(d time.Duration, share float64) time.Duration {
	return time.Duration(float64(d) * (1 + share*(2*r.Random()-1)))
}

// Outcome is how a task went, its earlier pages included.
type Outcome struct {
	Task   *pipeline.Task
	Ending pipeline.Ending
	Place  *pipeline.Place
	// Bought is what this execution bought of it, rows that came again included.
	Bought pipeline.Cost
	// Over is what the vendor charged in this execution beyond what the requests could cost by its own price. No budget can
	// prevent that.
	Over pipeline.Units
	// Err says why the task did not complete; nil if it did.
	Err error
}

// Event tells an observer that something happened to a task.
type Event struct {
	Task pipeline.Task
	// Request is set when a request is sent, and again when it is over.
	Request *Request
	// Page is set when a page became durable.
	Page *pipeline.Page
	// Retry is set when a request failed and will be tried again, after Wait.
	Retry error
	Wait  time.Duration
	// Outage is set when the vendor answers nobody, whenever the pause begins before it is asked again.
	Outage *Outage
	// Outcome is set when the task ended.
	Outcome *Outcome
}

// Config is what a run buys and how.
type Config struct {
	Lanes   []Lane
	Journal Journal
	Retry   Retry
	// More is told of every extract of which all tasks are over, by one goroutine, and returns what there is to buy besides: the
	// work of a vendor that has a lane goes there, whatever else is said of the lane. Until it has answered the run is not over. It is
	// asked no more once the context has ended. Default: there is no more.
	More func(ctx context.Context, over Over) []Lane
	// Observe is told of every event, by many goroutines at once. Default none.
	Observe func(Event)
}

// Over is an extract of which all tasks are over.
type Over struct {
	Extract  string
	Outcomes []Outcome
	// Stops say which vendors were given up so far.
	Stops []*StopError
}

// Run buys everything and returns when no goroutine is left: the outcome of every task, lane by lane, in the order of
// the work. When ctx ends it stops asking; pages under way are kept. An error means that pages could not be made
// durable, or that a lane had to stop; see [StopError].
func Run(ctx context.Context, c Config) ([]Outcome, error) {
	if c.Observe == nil {
		c.Observe = func(Event) {}
	}
	c.Retry = c.Retry.withDefaults()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := newRun(c, cancel)
	r.add(ctx, c.Lanes)
	if c.More != nil {
		r.group.Go(func() { r.askForMore(ctx) })
	}
	r.group.Wait()
	for _, l := range r.lanes {
		l.halt(nil)
	}
	var outcomes []Outcome
	for _, l := range r.lanes {
		outcomes = joined(outcomes, l.outcomes)
	}
	errs := []error{r.fault}
	for _, stop := range r.stops() {
		errs = append(errs, stop)
	}
	return outcomes, errors.Join(errs...)
}

// JournalError means that a paid page or the record of an attempt could not be made durable.
type JournalError struct{ Err error }

func (e *JournalError) Error() string { return e.Err.Error() }
func (e *JournalError) Unwrap() error { return e.Err }

// StopError means that a vendor was given up for this run.
type StopError struct {
	Vendor string
	Ending pipeline.Ending // of the tasks that were under way or not yet begun
	Err    error
}

func (e *StopError) Error() string { return e.Vendor + ": " + e.Err.Error() }
func (e *StopError) Unwrap() error { return e.Err }
