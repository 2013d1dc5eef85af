//go:build fleet

package fleet

import (
	"context"
	"errors"
	"sync"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
)

// conducting is the activity that carries a run out, or its replay.
func (w Worker) conducting(conduct Conduct) func(context.Context, Order) (Report, error) {
	return func(ctx context.Context, o Order) (Report, error) { return w.conduct(ctx, o, conduct) }
}

func (w Worker) conduct(ctx context.Context, o Order, conduct Conduct) (Report, error) {
	now := &latest{signal: func(p Progress) {
		info := activity.GetInfo(ctx).WorkflowExecution
		p.Plan = ""
		_ = w.Client.SignalWorkflow(context.WithoutCancel(ctx), info.ID, info.RunID, progressQuery, p) // who asks is told later
	}}
	running, stop := untilStopped(ctx)
	defer stop()
	defer heartbeats(ctx, heartbeatOf(o.Heartbeat), func() any { return now.get() })()
	report, again := conduct(running, o, now.set)
	switch {
	case again != nil && ctx.Err() == nil:
		return report, temporal.NewApplicationError(again.Error(), "TryLater")
	case errors.Is(context.Cause(running), errWorkerStops) && report.Status == interrupted:
		return report, temporal.NewApplicationError(errWorkerStops.Error(), "HandedOn")
	}
	return report, nil
}

// interrupted is the exit status of a run that was told to stop.
const interrupted = 130

// latest is how far a run has come. What it does is signalled to its workflow, the rest is in its heartbeats alone.
type latest struct {
	signal func(Progress)
	mu     sync.Mutex
	p      Progress
}

func (l *latest) get() Progress {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.p
}

func (l *latest) set(p Progress) {
	l.mu.Lock()
	other := l.p.Step != p.Step
	l.p = p
	l.mu.Unlock()
	if other {
		l.signal(p)
	}
}
