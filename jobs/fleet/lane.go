//go:build fleet

package fleet

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"backhaul/pipeline"
)

// The names that things have in Temporal.
const (
	runWorkflow     = "BackhaulRun"
	replayWorkflow  = "BackhaulReplay"
	nightWorkflow   = "BackhaulNight"
	laneWorkflow    = "BackhaulLists"
	conductActivity = "Conduct"
	replayActivity  = "Replay"
	listActivity    = "BuyList"
	progressQuery   = "progress"
)

// Errors of activities that are not tried again; see travelling.
const (
	takenError = "Taken" // another process has the run
	faultError = "Fault" // of the program's side
)

// long is for activities whose end nobody knows: that they are alive, their heartbeats say.
const long = 30 * 24 * time.Hour

const usualHeartbeat = 30 * time.Second

func heartbeatOf(d time.Duration) time.Duration {
	if d <= 0 {
		return usualHeartbeat
	}
	return d
}

// options are those of an activity on a queue.
func options(queue string, heartbeat time.Duration) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue: queue, StartToCloseTimeout: long, HeartbeatTimeout: heartbeatOf(heartbeat), WaitForCancellation: true,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second},
	}
}

// mostUnanswered is how many lists in a row may fail for want of an answer before the vendor is taken to be down, as in the engine.
const mostUnanswered = 10

// sale is a lane at work.
type sale struct {
	Lane
	sold       Sold
	queue      []List
	busy       map[string]bool           // extracts with a ceiling of their own that have a list under way
	over       map[string]pipeline.Units // charged beyond its price, by list
	width      int                       // how many lists may be under way
	running    int
	unanswered int
	progress   Progress
}

// lists buys the lists of a lane, so many at a time as the account has connections, in their order, until they end or the vendor is given
// up. When it is cancelled none is begun any more, and those under way are waited for.
func lists(ctx workflow.Context, lane Lane) (Sold, error) {
	s := &sale{Lane: lane, queue: lane.Lists, busy: map[string]bool{}, over: map[string]pipeline.Units{}, width: max(1, lane.Connections), progress: Progress{Of: len(lane.Lists)}}
	s.sold.Purses = map[string]pipeline.Units{}
	for _, l := range lane.Lists {
		if l.Purse != nil {
			s.sold.Purses[l.Extract] = *l.Purse
		}
	}
	if err := workflow.SetQueryHandler(ctx, progressQuery, func() (Progress, error) { return s.progress, nil }); err != nil {
		return s.sold, err
	}
	buying, stop := workflow.WithCancel(workflow.WithActivityOptions(ctx, options(lane.Queue, lane.Heartbeat)))
	defer stop()
	done := workflow.NewSelector(ctx)
	for {
		for buying.Err() == nil && s.running < s.width {
			list, ok := s.next()
			if !ok {
				break
			}
			s.begin(buying, done, list, stop)
		}
		if s.running == 0 {
			return s.sold, nil
		}
		done.Select(ctx)
	}
}

// next takes the next list that may be begun from the queue: of an extract with a ceiling of its own, one at a time.
func (s *sale) next() (List, bool) {
	for i, l := range s.queue {
		if l.Purse != nil && s.busy[l.Extract] {
			continue
		}
		s.queue = append(append([]List{}, s.queue[:i]...), s.queue[i+1:]...)
		if l.Purse != nil {
			left := s.sold.Purses[l.Extract]
			l.Purse, s.busy[l.Extract] = &left, true
		}
		return l, true
	}
	return List{}, false
}

func (s *sale) begin(ctx workflow.Context, done workflow.Selector, l List, stop func()) {
	s.running++
	alone := s.width == 1
	done.AddFuture(workflow.ExecuteActivity(ctx, listActivity, ListOrder{s.Terms, l}), func(f workflow.Future) {
		s.running--
		delete(s.busy, l.Extract)
		var o Outcome
		switch err := f.Get(ctx, &o); {
		case err == nil:
			s.end(l, o, alone, stop)
		case temporal.IsCanceledError(err): // before anybody began it
		default:
			s.fault(err, stop)
		}
	})
}

// fault notes what is wrong on the program's side.
func (s *sale) fault(err error, stop func()) {
	if s.sold.Fault == "" {
		s.sold.Fault = messageOf(err)
	}
	s.sold.Taken = s.sold.Taken || isOf(err, takenError)
	stop()
}

// end notes how a list went. One that found no units left, while others may give some back, is begun again when it has the account to
// itself.
func (s *sale) end(l List, o Outcome, alone bool, stop func()) {
	if l.Purse != nil {
		s.sold.Purses[l.Extract] = max(0, *l.Purse-o.Spent)
	}
	s.progress.Pages, s.progress.Rows, s.progress.Units = s.progress.Pages+int64(o.Pages), s.progress.Rows+o.Rows, s.progress.Units+o.Spent
	s.over[l.Task] += o.Over
	if o.Stop != nil && o.Stop.Short && !alone && s.sold.Stop == nil {
		s.width = 1
		l.Units += o.Spent
		l.Again++
		s.queue = append([]List{l}, s.queue...)
		return
	}
	o.Over = s.over[l.Task]
	s.listen(&o)
	s.sold.Outcomes = append(s.sold.Outcomes, o)
	s.progress.Lists++
	if o.Stop != nil && s.sold.Stop == nil {
		s.sold.Stop = o.Stop
		stop()
	}
}

// listen counts the lists in a row that failed for want of an answer, and gives up the vendor at so many.
func (s *sale) listen(o *Outcome) {
	if o.Ending != pipeline.EndFault || o.Cause == nil || !o.Cause.OfKind || o.Cause.Kind != pipeline.Transient {
		s.unanswered = 0
		return
	}
	if s.unanswered++; s.unanswered >= mostUnanswered && o.Stop == nil {
		o.Stop = &Stop{Ending: pipeline.EndUnreachable, Cause: *o.Cause}
	}
}
