//go:build fleet

package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"backhaul/jobs/books"
	"backhaul/jobs/budget"
	"backhaul/jobs/buy"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
)

// Engine has the lists of a run bought by whoever can. It is that of one process that has the run locked, for as long as it has. It
// implements [buy.Engine].
type Engine struct {
	Client client.Client
	// Queue is where workflows and conductors are, Account the name of a vendor's account, by vendor and surface, "" if it has none.
	Queue   string
	Account func(vendor, surface string) string
	Books   *books.Database
	Order   Order
	// Report is told how far the buying has come. Default: nobody.
	Report func(Progress)
	// Warn is told what is likely to be wrong. Default: nobody.
	Warn func(text string)
	// Most is how many lists a workflow has at most. Default 1,000.
	Most int

	round int
}

// Buy implements [buy.Engine].
func (e *Engine) Buy(ctx context.Context, o buy.Order) (buy.Bought, error) {
	return buy.InRounds(ctx, o, e.buy)
}

// buy buys one round.
func (e *Engine) buy(ctx context.Context, o buy.Order) (buy.Bought, error) {
	token, err := e.Books.Token(e.Order.Run())
	if err != nil {
		return buy.Bought{}, err
	}
	e.round++
	vendors := slices.Sorted(maps.Keys(o.Work))
	sold := make([]Sold, len(vendors))
	errs := make([]error, len(vendors))
	tally := &tally{report: e.Report, of: vendors, by: map[string]Progress{}}
	buying, stop := context.WithCancel(ctx)
	defer stop()
	var all sync.WaitGroup
	for i, vendor := range vendors {
		all.Go(func() {
			sold[i], errs[i] = e.lane(buying, e.terms(o, vendor, token), o.Work[vendor], tally)
			if errs[i] != nil || sold[i].Fault != "" {
				stop() // nothing more can be bought safely
			}
		})
	}
	all.Wait()
	places, err := o.Close(context.WithoutCancel(ctx), e.round)
	if err = errors.Join(append(errs, err)...); err != nil {
		return buy.Bought{}, err
	}
	bought := buy.Bought{Unspent: map[string]pipeline.Units{}}
	for i, vendor := range vendors {
		e.add(ctx, &bought, vendor, sold[i], o.Work[vendor], places)
	}
	bought.Err = errors.Join(bought.Fault, bought.Err)
	return bought, nil
}

// terms are those of a vendor.
func (e *Engine) terms(o buy.Order, vendor string, token int64) Terms {
	a, first := o.Budget.Account(vendor), o.Work[vendor][0].Task
	return Terms{
		Run: e.Order.Run(), RunID: o.Books.RunID, Token: token, Round: e.round, Vendor: vendor, Surface: first.Surface,
		Queue: QueueOf(e.Queue, e.Account(vendor, first.Surface)), Connections: connections(a), PerSecond: a.PerSecond,
		Begun: o.Budget.MonthStart(vendor), MonthStartsOn: a.MonthStartsOn, TokenLife: a.TokenLife,
		RunUnits: a.Ceiling.Run, MonthUnits: a.Ceiling.Month, WarehouseUnits: a.Ceiling.WarehouseMonth,
		RetryFor: o.Retry.For, Recovers: o.Recovers(vendor), Of: len(o.Work[vendor]), Heartbeat: e.Order.Heartbeat,
	}
}

// connections is how many lists are under way at once: one a connection, but no more than have a turn at the account's rate within half
// the life of a cursor.
func connections(a budget.Account) int {
	n := max(1, a.Connections)
	if a.TokenLife > 0 && a.PerSecond > 0 {
		n = min(n, max(1, int(a.PerSecond*a.TokenLife.Seconds()/2)))
	}
	return n
}

// lane has the work of a vendor bought, so many lists at a time that no history grows.
func (e *Engine) lane(ctx context.Context, t Terms, work []plan.Work, tally *tally) (all Sold, err error) {
	e.look(ctx, t)
	purses := map[string]pipeline.Units{}
	most := e.Most
	if most <= 0 {
		most = 1000
	}
	for part := range slices.Chunk(work, most) {
		if ctx.Err() != nil || all.Stop != nil || all.Fault != "" {
			break
		}
		sold, err := e.part(ctx, Lane{t, listsOf(part, purses)}, tally)
		if err != nil {
			return all, err
		}
		tally.keep(t.Vendor)
		all.Outcomes = append(all.Outcomes, sold.Outcomes...)
		maps.Copy(purses, sold.Purses)
		all.Stop, all.Fault, all.Taken = sold.Stop, sold.Fault, sold.Taken
	}
	return all, nil
}

// listsOf are the lists of a part of the work. purses are what is left to extracts with a ceiling of their own.
func listsOf(work []plan.Work, purses map[string]pipeline.Units) []List {
	lists := make([]List, len(work))
	for i, it := range work {
		lists[i] = List{Task: it.Task.ID, PageSize: buy.PageSize(it), Units: spent(it.Place)}
		if it.MaxUnits == nil {
			continue
		}
		left, begun := purses[it.Task.Extract]
		if !begun {
			left = *it.MaxUnits
			purses[it.Task.Extract] = left
		}
		lists[i].Extract, lists[i].Purse = it.Task.Extract, &left
	}
	return lists
}

// poll is how often a lane is asked how far it has come.
const poll = 2 * time.Second

// part has one workflow buy its lists and waits for it, through outages of Temporal. When ctx ends it is cancelled, and waited for still.
func (e *Engine) part(ctx context.Context, l Lane, tally *tally) (sold Sold, err error) {
	options := client.StartWorkflowOptions{
		ID: idOf(e.Queue, l.Run) + "/" + l.Vendor, TaskQueue: e.Queue, WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING, // of a conductor that lost the run
		Memo:                     map[string]any{"lists": len(l.Lists), "round": l.Round},
	}
	own := e.Order
	own.Vendors = []string{l.Vendor}
	begun, err := startThrough(ctx, e.Client, options, attributesOf(own), laneWorkflow, l)
	if err != nil {
		return sold, err
	}
	err = await(ctx, e.Client, begun, &sold, poll, func(ctx context.Context) {
		var p Progress
		if answer, err := e.Client.QueryWorkflow(ctx, begun.GetID(), begun.GetRunID(), progressQuery); err == nil && answer.Get(&p) == nil {
			tally.tell(l.Vendor, p)
		}
	})
	return sold, err
}

// isFinal reports whether an error is the workflow's, and not that Temporal does not answer.
func isFinal(err error) bool {
	return errors.As(err, new(*temporal.WorkflowExecutionError)) || errors.As(err, new(*serviceerror.NotFound))
}

// isAway reports whether Temporal does not answer, or not now.
func isAway(err error) bool {
	return errors.As(err, new(*serviceerror.Unavailable)) || errors.As(err, new(*serviceerror.DeadlineExceeded)) || errors.As(err, new(*serviceerror.ResourceExhausted)) ||
		errors.Is(err, context.DeadlineExceeded)
}

// look warns where nobody is there to buy.
func (e *Engine) look(ctx context.Context, t Terms) {
	if e.Warn == nil {
		return
	}
	if isDeserted(ctx, e.Client, t.Queue) {
		e.Warn(fmt.Sprintf("no worker has these credentials of %s: its %d lists wait until one is started", t.Vendor, t.Of))
	}
}

// isDeserted reports whether nobody takes activities from a queue.
func isDeserted(ctx context.Context, c client.Client, queue string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	seen, err := c.DescribeTaskQueue(ctx, queue, enumspb.TASK_QUEUE_TYPE_ACTIVITY)
	return err == nil && len(seen.Pollers) == 0
}

// add adds what came of a vendor's work, in its order.
func (e *Engine) add(ctx context.Context, all *buy.Bought, vendor string, sold Sold, work []plan.Work, places map[string]pipeline.Place) {
	var stop *engine.StopError
	if sold.Stop != nil {
		stop = sold.Stop.err(vendor)
		all.Stops, all.Err = append(all.Stops, stop), errors.Join(all.Err, stop)
	}
	if sold.Fault != "" && all.Fault == nil {
		all.Fault = errors.New(sold.Fault)
		if sold.Taken {
			all.Fault = fmt.Errorf("%s: %w", sold.Fault, books.ErrTaken)
		}
	}
	by := map[string]Outcome{}
	delay := buy.Delay{Vendor: vendor}
	for _, o := range sold.Outcomes {
		by[o.Task] = o
		delay.Refused, delay.Silent, delay.PerSecond = delay.Refused+o.Refused, max(delay.Silent, o.Silent), o.PerSecond
	}
	all.Delays = append(all.Delays, delay)
	for _, it := range work {
		place := places[it.Task.ID]
		o, there := by[it.Task.ID]
		out := engine.Outcome{Task: &it.Task, Ending: o.Ending, Place: &place, Bought: place.Since(it.Place), Over: o.Over, Err: o.Cause.err()}
		if !there || o.Ending == pipeline.EndInterrupted || o.Ending == pipeline.EndNotReached {
			out.Ending, out.Err = cut(ctx, place, stop)
		}
		all.Outcomes = append(all.Outcomes, out)
	}
}

// cut is how a list ended that could have gone on, as the engine says it.
func cut(ctx context.Context, place pipeline.Place, stop *engine.StopError) (pipeline.Ending, error) {
	switch {
	case place.Pages == 0 && stop != nil:
		return pipeline.EndNotReached, stop
	case stop != nil:
		return stop.Ending, stop
	case place.Pages == 0:
		return pipeline.EndNotReached, context.Cause(ctx)
	}
	return pipeline.EndInterrupted, context.Cause(ctx)
}

// tally adds up how far the vendors' work has come.
type tally struct {
	report func(Progress)
	of     []string
	mu     sync.Mutex
	by     map[string]Progress // of the workflow under way
	before Progress            // of those that are over
}

func (t *tally) tell(vendor string, p Progress) {
	if t.report == nil {
		return
	}
	t.mu.Lock()
	t.by[vendor] = p
	all := t.before
	for _, p := range t.by {
		all.add(p)
	}
	t.mu.Unlock()
	t.report(all)
}

// keep notes that a workflow is over.
func (t *tally) keep(vendor string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.before.add(t.by[vendor])
	delete(t.by, vendor)
}

func (p *Progress) add(q Progress) {
	p.Lists, p.Of, p.Pages, p.Rows, p.Units = p.Lists+q.Lists, p.Of+q.Of, p.Pages+q.Pages, p.Rows+q.Rows, p.Units+q.Units
}
