package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gofrs/flock"

	"backhaul/jobs/report"
	"backhaul/jobs/run"
	"backhaul/jobs/telemetry"
	"backhaul/pipeline/engine"
)

// watchers are told how an execution of a run goes, beside who sits before it: receivers of telemetry and lineage, and the file of
// metrics. Nothing that goes wrong with one concerns the run.
type watchers struct {
	app       *app
	telemetry *telemetry.Telemetry
	told      *telemetry.Run
	lineage   *lineageOf
	metrics   string // the file; "" for none
	job       string
	began     time.Time
}

// watch begins to tell of an execution of a job for a date.
func (a *app) watch(ctx context.Context, job *loadedJob, date time.Time, f runFlags) *watchers {
	w := &watchers{app: a, telemetry: telemetry.Open(ctx, telemetry.Settings{Variable: a.variable, Version: version}), metrics: f.metrics, job: job.Job, began: a.now()}
	w.told = w.telemetry.Begin(job.Job, date.Format(time.DateOnly), w.began)
	w.lineage = a.startLineage(ctx, job, date, w.began)
	return w
}

// observe returns an observer that tells them of every event and then somebody else; that one alone where nobody is told.
func (w *watchers) observe(then func(engine.Event)) func(engine.Event) {
	return before(w.telemetry.On(), w.told.Observe, then)
}

// step does so of every step.
func (w *watchers) step(then func(run.Step)) func(run.Step) {
	return before(w.telemetry.On(), w.told.Step, then)
}

// before calls one and then the other, if it is to be called at all.
func before[T any](wanted bool, first, then func(T)) func(T) {
	if !wanted {
		return then
	}
	return func(v T) {
		first(v)
		then(v)
	}
}

// end tells them how the execution ended.
func (w *watchers) end(ctx context.Context, s report.Summary, err error) {
	status, message := exitComplete, ""
	if exit := ending(ctx, err); exit != nil {
		if status = exit.status; exit.err != nil {
			message = advise(exit.err)
		}
	}
	now := w.app.now()
	if w.metrics != "" && isEvent(err) {
		if err := w.writeMetrics(ctx, telemetry.Execution{Job: w.job, Summary: s, ExitStatus: status, Began: w.began, Ended: now}); err != nil {
			fmt.Fprintf(w.app.stderr, "warning: --metrics-file: %v\n", err)
		}
	}
	w.lineage.finish(ctx, s, err, status, message, now)
	w.told.End(s, status, message, now)
	for _, text := range w.telemetry.Close(ctx) {
		fmt.Fprintln(w.app.stderr, "warning: telemetry:", text)
	}
}

// writeMetrics writes the file of metrics, while no other run does.
func (w *watchers) writeMetrics(ctx context.Context, x telemetry.Execution) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), metricsTime)
	defer cancel()
	lock := flock.New(w.metrics + ".lock")
	if _, err := lock.TryLockContext(ctx, 50*time.Millisecond); err != nil {
		return err
	}
	defer func() { _ = lock.Unlock() }()
	return telemetry.WriteFile(w.metrics, x)
}

// metricsTime bounds how long a run waits for another that writes the same file.
const metricsTime = 10 * time.Second
