//go:build fleet

package fleet

import (
	"context"
	"runtime"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Conduct carries a run out on this host, or its replay, and returns when none of it is under way. Where again is why it could not be done
// now, as with a run that another process has, it is tried again.
type Conduct func(ctx context.Context, o Order, tell func(Progress)) (report Report, again error)

// Worker is what a process takes from Temporal.
type Worker struct {
	Client client.Client
	Queue  string
	// Conduct carries runs out, and Replay replays them. Nil: this host buys lists alone.
	Conduct, Replay Conduct
	Buyers          *Buyers
	// Accounts are the names of those whose lists are bought here.
	Accounts []string
	// Lists is how many lists are bought here at once, of each account. Default 100.
	Lists int
}

// StopTime is how long a worker that is told to stop waits for what it has under way.
const StopTime = 3 * time.Minute

// Run takes work until ctx ends, and returns when none is under way here.
func (w Worker) Run(ctx context.Context) error {
	var all []worker.Worker
	defer func() { stop(all) }()
	if w.Conduct != nil {
		all = append(all, w.conductor(), w.replayer())
	}
	for _, account := range w.Accounts {
		one := worker.New(w.Client, QueueOf(w.Queue, account), w.options(max(1, w.Lists)))
		one.RegisterActivityWithOptions(w.Buyers.Buy, activity.RegisterOptions{Name: listActivity})
		all = append(all, one)
	}
	for i, one := range all {
		if err := one.Start(); err != nil {
			all = all[:i]
			return err
		}
	}
	<-ctx.Done()
	return nil
}

// stop tells all of them to stop, and waits.
func stop(all []worker.Worker) {
	done := make(chan struct{})
	for _, one := range all {
		go func() {
			one.Stop()
			done <- struct{}{}
		}()
	}
	for range all {
		<-done
	}
}

func (w Worker) options(activities int) worker.Options {
	return worker.Options{
		MaxConcurrentActivityExecutionSize: activities, WorkerStopTimeout: StopTime,
		// As small as the heartbeats are frequent: a killed worker is noticed, and a cancelled list told, as soon as that.
		MaxHeartbeatThrottleInterval: 500 * time.Millisecond, DefaultHeartbeatThrottleInterval: 500 * time.Millisecond,
	}
}

// mostRuns is how many runs a host conducts at once.
const mostRuns = 16

func (w Worker) conductor() worker.Worker {
	one := worker.New(w.Client, w.Queue, w.options(mostRuns))
	one.RegisterWorkflowWithOptions(run, workflow.RegisterOptions{Name: runWorkflow})
	one.RegisterWorkflowWithOptions(replay, workflow.RegisterOptions{Name: replayWorkflow})
	one.RegisterWorkflowWithOptions(night, workflow.RegisterOptions{Name: nightWorkflow})
	one.RegisterWorkflowWithOptions(lists, workflow.RegisterOptions{Name: laneWorkflow})
	one.RegisterActivityWithOptions(w.conducting(w.Conduct), activity.RegisterOptions{Name: conductActivity})
	return one
}

// replayer takes replays, for which no vendor is waited: half as many at once as the host has cores, and two at least, of which one loads while the
// other waits for the disk or the database. They have a queue of their own, so that runs never wait for them.
func (w Worker) replayer() worker.Worker {
	o := w.options(max(2, runtime.GOMAXPROCS(0)/2))
	o.DisableWorkflowWorker = true
	one := worker.New(w.Client, replaysOf(w.Queue), o)
	one.RegisterActivityWithOptions(w.conducting(w.Replay), activity.RegisterOptions{Name: replayActivity})
	return one
}
