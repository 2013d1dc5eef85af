//go:build fleet

package fleet

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"backhaul/jobs/books"
	"backhaul/jobs/budget"
	"backhaul/jobs/buy"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/jobs/recovery"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
	"backhaul/pipeline/limit"
	"backhaul/pipeline/postgres"
)

// Buyers buy lists for runs that are conducted wherever.
type Buyers struct {
	Books *books.Database
	// Sources delivers the source of a task, and Pacer the turns of requests to an account's queue; nil if it has none.
	Sources func(pipeline.Task) (pipeline.Source, error)
	Pacer   func(ctx context.Context, queue string) (limit.Pacer, error)
	// Kept is where this host keeps replies of a run that cannot be entered.
	Kept func(books.Key) string
	// Observe is told of every event, by many goroutines at once. Default none.
	Observe func(engine.Event)
	Now     func() time.Time

	mu   sync.Mutex
	open map[desk]*opened
}

// desk is where the lists of a run are bought, for its conductor by the token.
type desk struct {
	run   books.Key
	token int64
}

// opened are the books of a desk, while lists are bought there.
type opened struct {
	once  sync.Once
	lists *books.Lists
	err   error
	users int
}

// enter opens the books of a run, once for all lists that are bought there at a time.
func (b *Buyers) enter(ctx context.Context, d desk) (lists *books.Lists, leave func(), err error) {
	b.mu.Lock()
	if b.open == nil {
		b.open = map[desk]*opened{}
	}
	o := b.open[d]
	if o == nil {
		o = &opened{}
		b.open[d] = o
	}
	o.users++
	b.mu.Unlock()
	o.once.Do(func() { o.lists, o.err = b.Books.Lists(ctx, d.run, d.token) })
	return o.lists, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if o.users--; o.users == 0 {
			delete(b.open, d)
			if o.err == nil {
				_ = o.lists.Close()
			}
		}
	}, o.err
}

// Buy is the activity that buys one list, from its place in the journal to its end.
func (b *Buyers) Buy(ctx context.Context, o ListOrder) (Outcome, error) {
	defer heartbeats(ctx, heartbeatOf(o.Heartbeat), func() any { return nil })()
	writing := context.WithoutCancel(ctx)
	lists, leave, err := b.enter(writing, desk{o.Run, o.Token})
	defer leave()
	if err != nil {
		return Outcome{}, travelling(err)
	}
	claim, err := lists.Claim(writing, o.List.Task, postgres.Turn{Round: o.Round, Again: o.List.Again, Attempt: int(activity.GetInfo(ctx).Attempt)}, b.Kept(o.Run), b.Now)
	if err != nil {
		return Outcome{}, travelling(err)
	}
	buying, stop := untilStopped(ctx)
	defer stop()
	bought, err := b.buy(buying, o, claim)
	if err != nil {
		return Outcome{}, travelling(err)
	}
	if bought.Fault != nil { // what was under way is held by whoever comes next
		return Outcome{}, travelling(bought.Fault)
	}
	if err := b.letGo(writing, o, claim, bought); err != nil {
		return Outcome{}, travelling(err)
	}
	if cut := bought.Outcomes[0].Ending; errors.Is(context.Cause(buying), errWorkerStops) && (cut == pipeline.EndInterrupted || cut == pipeline.EndNotReached) {
		return Outcome{}, temporal.NewApplicationError(errWorkerStops.Error(), "HandedOn")
	}
	return outcomeOf(o, claim, bought), nil
}

// letGo gives back what the list was granted and did not need, and lets go of it.
func (b *Buyers) letGo(ctx context.Context, o ListOrder, claim *books.List, bought buy.Bought) error {
	if units := bought.Unspent[o.Vendor]; units > 0 {
		if err := claim.Ledger.GiveBack(ctx, claim.RunID, o.Vendor, b.budget(o).Month(o.Vendor), units); err != nil {
			return err
		}
	}
	return claim.Expose(ctx, 0)
}

// buy has the engine of this process buy the one list.
func (b *Buyers) buy(ctx context.Context, o ListOrder, claim *books.List) (buy.Bought, error) {
	work, err := b.work(o, claim)
	if err != nil {
		return buy.Bought{}, err
	}
	account := b.budget(o)
	if b.Pacer != nil {
		pacer, err := b.Pacer(ctx, o.Queue)
		if err != nil {
			return buy.Bought{}, err
		}
		account = b.paced(o, pacer)
	}
	return buy.Here{}.Buy(ctx, buy.Order{
		Work: map[string][]plan.Work{o.Vendor: {work}}, Sources: b.Sources,
		Journal: books.Keeping(claim.Journal, claim.RunID, b.Kept(o.Run)), Budget: account,
		Books: budget.Books{Ledger: claim.Ledger, RunID: claim.RunID, Job: o.Run.Job}, Retry: engine.Retry{For: o.RetryFor},
		Recovers: func(string) bool { return o.Recovers }, Pulse: recovery.NewPulse(claim, b.Now), Observe: b.Observe, Now: b.Now, Expose: claim.Expose,
	})
}

// work is the list, as a plan has it.
func (b *Buyers) work(o ListOrder, claim *books.List) (plan.Work, error) {
	source, err := b.Sources(claim.Task)
	if err != nil {
		return plan.Work{}, err
	}
	item := &plan.Item{Task: claim.Task, Endpoint: source.Endpoint(), PageSize: o.List.PageSize, Place: claim.Place}
	if o.List.Purse != nil { // earlier attempts of this activity have spent of it
		left := max(0, *o.List.Purse-spent(claim.Place)+o.List.Units)
		item.MaxUnits = &left
	}
	return plan.Work{Item: item}, nil
}

func spent(p pipeline.Place) pipeline.Units { return p.Units + p.MaybeUnits }

// budget is what the conductor allows, in the months that it has begun in.
func (b *Buyers) budget(o ListOrder) *budget.Budget { return b.paced(o, nil) }

func (b *Buyers) paced(o ListOrder, pacer limit.Pacer) *budget.Budget {
	return budget.New(map[string]budget.Account{o.Vendor: {
		PerSecond: o.PerSecond, Connections: 1, Pacer: pacer, TokenLife: o.TokenLife, MonthStartsOn: o.MonthStartsOn,
		Ceiling: ledger.Ceiling{Run: o.RunUnits, Month: o.MonthUnits, WarehouseMonth: o.WarehouseUnits},
	}}, func() time.Time { return o.Begun })
}

// outcomeOf is how the list went, as it travels.
func outcomeOf(o ListOrder, claim *books.List, bought buy.Bought) Outcome {
	one := bought.Outcomes[0]
	out := Outcome{Task: o.List.Task, Ending: one.Ending, Cause: causeOf(one.Err), Over: one.Over, Spent: spent(*one.Place) - o.List.Units,
		Pages: one.Place.Pages - claim.Place.Pages, Rows: one.Place.Rows - claim.Place.Rows}
	if len(bought.Stops) > 0 {
		out.Stop = stopOf(bought.Stops[0])
	}
	for _, d := range bought.Delays {
		out.Refused, out.Silent, out.PerSecond = d.Refused, d.Silent, d.PerSecond
	}
	return out
}

// travelling is an error of an activity, by what is to be done about it: where the database does not answer it is begun again.
func travelling(err error) error {
	switch {
	case errors.Is(err, books.ErrTaken):
		return temporal.NewNonRetryableApplicationError(err.Error(), takenError, nil)
	case errors.Is(err, books.ErrAway), errors.Is(err, context.Canceled):
		return temporal.NewApplicationError(err.Error(), "Away")
	}
	return temporal.NewNonRetryableApplicationError(err.Error(), faultError, nil)
}

// messageOf is what an error of an activity said where it began.
func messageOf(err error) string {
	var e *temporal.ApplicationError
	if errors.As(err, &e) {
		return e.Message()
	}
	return err.Error()
}

func isOf(err error, kind string) bool {
	var e *temporal.ApplicationError
	return errors.As(err, &e) && e.Type() == kind
}

var errWorkerStops = errors.New("the worker stops, and hands on what it has under way")

// untilStopped is a context that ends when the activity is cancelled, or its worker told to stop.
func untilStopped(ctx context.Context) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-activity.GetWorkerStopChannel(ctx):
			cancel(errWorkerStops)
		case <-over:
		}
	}()
	return ctx, func() {
		close(over)
		<-done
		cancel(nil)
	}
}

// heartbeats tells Temporal that the activity is alive, until stop.
func heartbeats(ctx context.Context, every time.Duration, details func() any) (stop func()) {
	return recovery.Repeat(every/6, func() { activity.RecordHeartbeat(ctx, details()) })
}
