package telemetry

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"backhaul/jobs/report"
	"backhaul/jobs/run"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
)

// Run is one execution of a run, as it is told. Observe may be called by many goroutines at once, the other methods by one.
type Run struct {
	counts instruments
	tracer trace.Tracer
	job    attribute.KeyValue
	span   trace.Span
	began  time.Time

	mu       sync.Mutex
	step     *step // nil before the first
	extracts map[string]*extract
	lists    map[string]*list // those under way, by their tasks' ids
}

// step is one of the run's that goes on.
type step struct {
	name run.StepName
	span trace.Span
}

// extract is one that is being bought, list one of its lists.
type extract struct {
	span trace.Span
	last time.Time // when something last happened to it
}

type list struct {
	span           trace.Span
	requests, rows int64
	units          pipeline.Units
}

// Begin tells that an execution begins. Where TRACEPARENT says of which trace it is a part, it is a part of that.
func (t *Telemetry) Begin(job, runDate string, now time.Time) *Run {
	r := &Run{tracer: t.tracer, job: keyJob.String(job), began: now, extracts: map[string]*extract{}, lists: map[string]*list{}}
	var err error
	if r.counts, err = newInstruments(t.meter); err != nil {
		_ = t.note(metrics, err)
	}
	outside := propagation.TraceContext{}.Extract(context.Background(),
		propagation.MapCarrier{"traceparent": t.variable("TRACEPARENT"), "tracestate": t.variable("TRACESTATE")})
	_, r.span = t.tracer.Start(outside, "run "+job, trace.WithTimestamp(now), trace.WithAttributes(r.job, keyRunDate.String(runDate)))
	return r
}

// within begins a span that is a part of another.
func (r *Run) within(whole trace.Span, name string, at time.Time, o ...trace.SpanStartOption) trace.Span {
	_, s := r.tracer.Start(trace.ContextWithSpan(context.Background(), whole), name, append(o, trace.WithTimestamp(at))...)
	return s
}

// Step tells that the run does something else, or goes on with it.
func (r *Run) Step(s run.Step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.step != nil && r.step.name == s.Name {
		return
	}
	now := time.Now()
	r.endStep(now)
	r.step = &step{name: s.Name, span: r.within(r.span, string(s.Name), now)}
}

// endStep ends the step under way, and the extracts that were bought in it. The caller holds r.mu.
func (r *Run) endStep(now time.Time) {
	for id, l := range r.lists {
		l.end(now, "")
		delete(r.lists, id)
	}
	for name, x := range r.extracts {
		x.span.End(trace.WithTimestamp(x.last))
		delete(r.extracts, name)
	}
	if r.step != nil {
		r.step.span.End(trace.WithTimestamp(now))
	}
}

// Observe tells an event of the engine.
func (r *Run) Observe(ev engine.Event) {
	r.measure(context.Background(), ev)
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	switch q := ev.Request; {
	case q != nil && q.Ended.IsZero():
		r.listOf(ev.Task, q.Came)
	case q != nil:
		r.request(ev.Task, q)
	case ev.Page != nil:
		l := r.listOf(ev.Task, now)
		l.rows += int64(ev.Page.Rows)
		l.units += ev.Page.Units
	case ev.Retry != nil:
		r.listOf(ev.Task, now).span.AddEvent("tried again", trace.WithTimestamp(now), trace.WithAttributes(keyWait.Float64(ev.Wait.Seconds())))
	case ev.Outage != nil && r.step != nil:
		r.step.span.AddEvent("vendor does not answer", trace.WithTimestamp(now),
			trace.WithAttributes(keyVendor.String(ev.Outage.Vendor), keyWait.Float64(ev.Outage.Wait.Seconds())))
	case ev.Outcome != nil:
		if l := r.lists[ev.Task.ID]; l != nil {
			l.fail(ev.Outcome)
			l.end(now, ev.Outcome.Ending)
			delete(r.lists, ev.Task.ID)
		}
	}
	if x := r.extracts[ev.Task.Extract]; x != nil {
		x.last = now
	}
}

// listOf returns the list of a task, begun if it was not. The caller holds r.mu.
func (r *Run) listOf(t pipeline.Task, at time.Time) *list {
	if l := r.lists[t.ID]; l != nil {
		return l
	}
	whole := r.span
	if r.step != nil {
		whole = r.step.span
	}
	x := r.extracts[t.Extract]
	if x == nil {
		x = &extract{span: r.within(whole, "extract "+t.Extract, at, trace.WithAttributes(asked(t)...)), last: at}
		r.extracts[t.Extract] = x
	}
	l := &list{span: r.within(x.span, "list "+t.Endpoint, at, trace.WithAttributes(append(asked(t), keyTarget.String(t.About()), keyScope.String(t.Scope))...))}
	r.lists[t.ID] = l
	return l
}

// asked is what is asked, of whom.
func asked(t pipeline.Task) []attribute.KeyValue {
	return []attribute.KeyValue{keyVendor.String(t.Vendor()), keySurface.String(t.Surface), keyEndpoint.String(t.Endpoint), keyExtract.String(t.Extract)}
}

// request tells one that is over. The caller holds r.mu.
func (r *Run) request(t pipeline.Task, q *engine.Request) {
	l := r.listOf(t, q.Came)
	l.requests++
	s := r.within(l.span, "request "+t.Endpoint, q.Sent, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(append(asked(t),
		keyTarget.String(t.About()), keyPage.Int(q.Seq), keyAttempt.Int(q.Try), keyReserved.Int64(int64(q.Reserved)), keyUnits.Int64(int64(q.Units)),
		keyRows.Int(q.Rows), keyStatus.Int(q.Status), keyResult.String(result(q)), keyWait.Float64(q.Sent.Sub(q.Came).Seconds()))...))
	if q.Err != nil {
		s.SetAttributes(keyHeld.Int64(int64(q.Held)))
		s.SetStatus(codes.Error, q.Err.Error())
	}
	s.End(trace.WithTimestamp(q.Ended))
}

func (l *list) fail(o *engine.Outcome) {
	if !o.Ending.Complete() && o.Err != nil {
		l.span.SetStatus(codes.Error, o.Err.Error())
	}
}

// end tells how a list ended, "" where nobody said so.
func (l *list) end(at time.Time, how pipeline.Ending) {
	l.span.SetAttributes(keyRequests.Int64(l.requests), keyRows.Int64(l.rows), keyUnits.Int64(int64(l.units)), keyEnding.String(string(how)))
	l.span.End(trace.WithTimestamp(at))
}

// End tells how the execution ended: with which status, and with which message if it was not complete. The summary is zero where it
// did not get as far as its plan.
func (r *Run) End(s report.Summary, exitStatus int, message string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.endStep(now)
	r.span.SetAttributes(keyExitStatus.Int(exitStatus), keyRun.String(s.RunID), keyRows.Int64(s.Bought.Rows), keyUnits.Int64(int64(s.Bought.Units)),
		keyIncomplete.Int(len(s.Incomplete)), keyRejected.Int64(s.Rejected))
	if exitStatus != 0 {
		r.span.SetStatus(codes.Error, message)
	}
	r.span.End(trace.WithTimestamp(now))
	r.ended(exitStatus, now)
}

// ended counts the execution.
func (r *Run) ended(exitStatus int, now time.Time) {
	ctx, of := context.Background(), metric.WithAttributes(r.job)
	by := metric.WithAttributes(r.job, keyExitStatus.Int(exitStatus))
	r.counts.runs.Add(ctx, 1, by)
	r.counts.ran.Record(ctx, now.Sub(r.began).Seconds(), by)
	if exitStatus == 0 {
		r.counts.succeeded.Record(ctx, float64(now.UnixMilli())/1000, of)
	}
}
