//go:build fleet

package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
)

// replayAs has a workflow replay a run, which ends with a report.
func replayAs(t *testing.T, prepare func(*testsuite.TestWorkflowEnvironment), end func() (Report, error)) (queue string, err error) {
	t.Helper()
	env := environment()
	env.RegisterWorkflow(replay)
	env.RegisterActivityWithOptions(func(context.Context, Order) (Report, error) { return end() }, activity.RegisterOptions{Name: replayActivity})
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) { queue = info.TaskQueue })
	prepare(env)
	env.ExecuteWorkflow(replay, Order{Job: "nightly", RunDate: "2026-11-23"})
	return queue, env.GetWorkflowError()
}

func TestAReplayIsTakenFromAQueueOfItsOwnAndEndsAsItsStatusSays(t *testing.T) {
	for status, kind := range map[int]string{0: "", 3: "", 1: "Failed", 5: "Damaged"} {
		want := Report{Status: status, Message: "why", Out: "what was published"}
		tries := 0
		queue, err := replayAs(t, func(*testsuite.TestWorkflowEnvironment) {}, func() (Report, error) {
			tries++
			return want, nil
		})
		if got, reportErr := reported(want, err); reportErr != nil || got != want || kind != "" && !isOf(err, kind) || kind == "" && err != nil {
			t.Errorf("status %d: %+v, %v of %v", status, got, reportErr, err)
		}
		if tries != 1 || !strings.HasSuffix(queue, "/replays") {
			t.Errorf("status %d: tried %d times on queue %q", status, tries, queue)
		}
	}
}

func TestAReplayThatIsCancelledWhileNobodyIsAtItIsInterrupted(t *testing.T) {
	_, err := replayAs(t, func(env *testsuite.TestWorkflowEnvironment) {
		env.RegisterDelayedCallback(env.CancelWorkflow, time.Minute)
	}, func() (Report, error) {
		return Report{}, temporal.NewApplicationError("the run is in progress in another process", "TryLater")
	})
	if got, reportErr := reported(Report{}, err); reportErr != nil || got.Status != interrupted || !temporal.IsCanceledError(err) {
		t.Errorf("%+v, %v of %v", got, reportErr, err)
	}
}

// office is a Temporal whose workflows end as a test says.
type office struct {
	client.Client
	end func(id string) error // of a workflow that was not cancelled

	mu         sync.Mutex
	busy, most int
	away       int // how often it does not answer
	cancelled  map[string]chan struct{}
}

func (f *office) DescribeWorkflow(context.Context, string, string) (*client.WorkflowExecutionDescription, error) {
	return nil, serviceerror.NewNotFound("none")
}

func (f *office) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, _ any, _ ...any) (client.WorkflowRun, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away > 0 {
		f.away--
		return nil, serviceerror.NewUnavailable("away")
	}
	if f.cancelled == nil {
		f.cancelled = map[string]chan struct{}{}
	}
	f.busy++
	f.most = max(f.most, f.busy)
	f.cancelled[o.ID] = make(chan struct{})
	return begun{of: f, id: o.ID, cancelled: f.cancelled[o.ID]}, nil
}

func (f *office) CancelWorkflow(_ context.Context, id, _ string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.cancelled[id])
	return nil
}

// begun is a workflow of an office.
type begun struct {
	client.WorkflowRun
	of        *office
	id        string
	cancelled chan struct{}
}

func (b begun) GetID() string    { return b.id }
func (b begun) GetRunID() string { return "" }

func (b begun) Get(_ context.Context, _ any) error {
	time.Sleep(time.Millisecond) // in which others begin
	err := b.of.end(b.id)
	if err == nil {
		select {
		case <-b.cancelled:
			err = temporal.NewCanceledError(Report{Status: interrupted})
		default:
		}
	}
	b.of.mu.Lock()
	b.of.busy--
	b.of.mu.Unlock()
	if err != nil {
		return errors.Join(new(temporal.WorkflowExecutionError), err)
	}
	return nil
}

func nightsOf(n int) (orders []Order) {
	for i := range n {
		orders = append(orders, Order{Job: "nightly", RunDate: fmt.Sprintf("night %03d", i)})
	}
	return orders
}

func TestAYearOfNightsIsReplayedSoManyAtATime(t *testing.T) {
	f := &office{away: 1, end: func(id string) error {
		if strings.Contains(id, "night 007/") {
			return temporal.NewNonRetryableApplicationError("the journal is missing", "Damaged", nil, Report{Status: 5, Message: "the journal is missing"})
		}
		return nil
	}}
	var dates []string
	Replay(t.Context(), f, "backhaul", nightsOf(365), func(e Ended) {
		dates = append(dates, e.Order.RunDate)
		if bad := e.Order.RunDate == "night 007"; e.Err != nil || e.Attached || bad != (e.Report.Status == 5) {
			t.Errorf("%+v", e)
		}
	})
	slices.Sort(dates)
	if len(slices.Compact(dates)) != 365 || f.most > mostReplays || f.most < mostReplays/2 {
		t.Errorf("%d nights, %d at once", len(dates), f.most)
	}
}

func TestAnOrderOfReplaysThatIsCancelledBeginsNoMore(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	f := &office{}
	f.end = func(string) error {
		stop()
		for { // until it is told
			f.mu.Lock()
			told := 0
			for _, c := range f.cancelled {
				select {
				case <-c:
					told++
				default:
				}
			}
			all := told == len(f.cancelled)
			f.mu.Unlock()
			if all {
				return nil
			}
			time.Sleep(time.Millisecond)
		}
	}
	told := 0
	Replay(ctx, f, "backhaul", nightsOf(200), func(e Ended) {
		if told++; e.Err != nil || e.Report.Status != interrupted {
			t.Errorf("%+v", e)
		}
	})
	if told == 0 || told > mostReplays || told != len(f.cancelled) {
		t.Errorf("%d told of %d begun", told, len(f.cancelled))
	}
}
