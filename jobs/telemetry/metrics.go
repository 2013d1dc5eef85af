package telemetry

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"backhaul/pipeline"
	"backhaul/pipeline/engine"
)

// Export tells metrics, and remembers what did not arrive.
func (p points) Export(ctx context.Context, all *metricdata.ResourceMetrics) error {
	return p.to.note(metrics, p.Exporter.Export(ctx, all))
}

// The attributes of spans and metrics. They are the program's own, so they bear its name; no metric says what a list is about, of
// which there may be a million.
const (
	keyJob        = attribute.Key("backhaul.job")
	keyRunDate    = attribute.Key("backhaul.run_date")
	keyRun        = attribute.Key("backhaul.run_id")
	keyVendor     = attribute.Key("backhaul.vendor")
	keySurface    = attribute.Key("backhaul.surface")
	keyEndpoint   = attribute.Key("backhaul.endpoint")
	keyExtract    = attribute.Key("backhaul.extract")
	keyTarget     = attribute.Key("backhaul.target")
	keyScope      = attribute.Key("backhaul.scope")
	keyResult     = attribute.Key("backhaul.result")
	keyEnding     = attribute.Key("backhaul.ending")
	keyExitStatus = attribute.Key("backhaul.exit_status")
	keyUnits      = attribute.Key("backhaul.units")
	keyHeld       = attribute.Key("backhaul.held_units")
	keyReserved   = attribute.Key("backhaul.reserved_units")
	keyRows       = attribute.Key("backhaul.rows")
	keyRequests   = attribute.Key("backhaul.requests")
	keyAttempt    = attribute.Key("backhaul.attempt")
	keyPage       = attribute.Key("backhaul.page")
	keyWait       = attribute.Key("backhaul.wait_seconds")
	keyIncomplete = attribute.Key("backhaul.incomplete_lists")
	keyRejected   = attribute.Key("backhaul.rejected_rows")
	keyStatus     = attribute.Key("http.response.status_code")
)

// instruments are what the metrics are made with.
type instruments struct {
	requests, retries, rows, spent, lists, runs metric.Int64Counter
	reserved, held                              metric.Int64UpDownCounter
	duration, waited, ran                       metric.Float64Histogram
	succeeded                                   metric.Float64Gauge
}

// seconds are bounds of what takes from milliseconds to a minute, and hours those of what takes from seconds to a night.
var (
	seconds = []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}
	hours   = []float64{1, 10, 60, 300, 900, 1800, 3600, 7200, 14400, 28800}
)

// Metric is one that is told, for people.
type Metric struct{ Name, Meaning string }

// The metrics. Their names, units and kinds are a promise to dashboards: see testdata/metrics.txt.
var (
	requests  = Metric{"backhaul.requests", "requests that are over, by result: page, or the kind of failure"}
	retries   = Metric{"backhaul.retries", "requests that failed and are made again"}
	rows      = Metric{"backhaul.rows", "rows of the pages that became durable"}
	spent     = Metric{"backhaul.units.spent", "units that those cost"}
	reserved  = Metric{"backhaul.units.reserved", "units that requests under way may cost"}
	held      = Metric{"backhaul.units.held", "units that requests without an answer may have cost"}
	lists     = Metric{"backhaul.lists", "lists that ended, by how"}
	runs      = Metric{"backhaul.runs", "executions of runs, by exit status"}
	duration  = Metric{"backhaul.request.duration", "how long requests took, from when they were sent"}
	waited    = Metric{"backhaul.gate.wait", "how long requests waited for the rate, a connection and units"}
	ran       = Metric{"backhaul.run.duration", "how long executions of runs took"}
	succeeded = Metric{"backhaul.run.last_success", "when an execution was last complete, in seconds since 1970"}
)

// Metrics are those that are told by OpenTelemetry.
func Metrics() []Metric {
	return []Metric{requests, retries, duration, waited, rows, spent, reserved, held, lists, runs, ran, succeeded}
}

// newInstruments makes the metrics.
func newInstruments(m metric.Meter) (instruments, error) {
	var errs []error
	counter := func(of Metric, unit string) metric.Int64Counter {
		c, err := m.Int64Counter(of.Name, metric.WithUnit(unit), metric.WithDescription(of.Meaning))
		errs = append(errs, err)
		return c
	}
	level := func(of Metric, unit string) metric.Int64UpDownCounter {
		c, err := m.Int64UpDownCounter(of.Name, metric.WithUnit(unit), metric.WithDescription(of.Meaning))
		errs = append(errs, err)
		return c
	}
	histogram := func(of Metric, bounds []float64) metric.Float64Histogram {
		h, err := m.Float64Histogram(of.Name, metric.WithUnit("s"), metric.WithDescription(of.Meaning), metric.WithExplicitBucketBoundaries(bounds...))
		errs = append(errs, err)
		return h
	}
	last, err := m.Float64Gauge(succeeded.Name, metric.WithUnit("s"), metric.WithDescription(succeeded.Meaning))
	i := instruments{
		requests: counter(requests, "{request}"), retries: counter(retries, "{request}"), rows: counter(rows, "{row}"), spent: counter(spent, "{unit}"),
		lists: counter(lists, "{list}"), runs: counter(runs, "{run}"), reserved: level(reserved, "{unit}"), held: level(held, "{unit}"),
		duration: histogram(duration, seconds), waited: histogram(waited, seconds), ran: histogram(ran, hours), succeeded: last,
	}
	return i, errors.Join(append(errs, err)...)
}

// of are the attributes of a task's metrics.
func (r *Run) of(t pipeline.Task, more ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributes(append([]attribute.KeyValue{r.job, keyVendor.String(t.Vendor()), keySurface.String(t.Surface), keyEndpoint.String(t.Endpoint)}, more...)...)
}

// result is what a request came to.
func result(q *engine.Request) string {
	if q.Err == nil {
		return "page"
	}
	return q.Err.Kind.String()
}

// measure counts an event of the engine.
func (r *Run) measure(ctx context.Context, ev engine.Event) {
	switch q := ev.Request; {
	case q != nil && q.Ended.IsZero():
		r.counts.reserved.Add(ctx, int64(q.Reserved), r.of(ev.Task))
		r.counts.waited.Record(ctx, q.Sent.Sub(q.Came).Seconds(), r.of(ev.Task))
	case q != nil:
		r.counts.reserved.Add(ctx, -int64(q.Reserved), r.of(ev.Task))
		r.counts.requests.Add(ctx, 1, r.of(ev.Task, keyResult.String(result(q))))
		r.counts.duration.Record(ctx, q.Ended.Sub(q.Sent).Seconds(), r.of(ev.Task))
		if q.Held > 0 {
			r.counts.held.Add(ctx, int64(q.Held), r.of(ev.Task))
		}
	case ev.Page != nil:
		r.counts.rows.Add(ctx, int64(ev.Page.Rows), r.of(ev.Task))
		r.counts.spent.Add(ctx, int64(ev.Page.Units), r.of(ev.Task))
	case ev.Retry != nil:
		r.counts.retries.Add(ctx, 1, r.of(ev.Task, keyResult.String(pipeline.KindOf(ev.Retry).String())))
	case ev.Outcome != nil:
		r.counts.lists.Add(ctx, 1, r.of(ev.Task, keyEnding.String(string(ev.Outcome.Ending))))
	}
}
