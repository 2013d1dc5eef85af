// Package telemetry tells receivers of OpenTelemetry, while a run goes on, what it does: as a trace and as metrics, by OTLP over
// HTTP. And it writes, when a run has ended, how it went to a file that a Prometheus exporter collects.
//
// It sees what every observer sees, the engine's events and the run's steps, and knows nothing else of either; nothing waits for it.
// The standard's own variables (OTEL_*) say who is told. The libraries read them from the process; only whether anybody is to be told
// at all is decided here, since the standard would have a program speak to localhost unless it is told not to.
//
// # What is told
//
// A trace is an execution of a run: its steps, within those that buy its extracts, within these their lists, and within these the
// requests. Every span says which vendor, surface and endpoint; a list and a request which target. No header, no URL and no parameter
// is told, and messages of vendors come as they are kept, with secrets masked.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// scope is what the spans and metrics are named after.
const scope = "backhaul"

// Settings say who speaks, and where it is said who is told.
type Settings struct {
	// Variable returns a variable's value, "" if it is not set.
	Variable func(name string) string
	// Version is the program's.
	Version string
}

// Telemetry is told to receivers until it is closed. It is safe for concurrent use.
type Telemetry struct {
	tracer   trace.Tracer
	meter    metric.Meter
	variable func(string) string
	closers  []func(context.Context) error
	on       bool

	mu     sync.Mutex
	doubts []string         // what is wrong with the variables
	failed map[signal]error // the first error of each
}

// signal is a kind of telemetry that has variables of its own.
type signal struct{ name, plural string }

var (
	traces  = signal{"TRACES", "traces"}
	metrics = signal{"METRICS", "metrics"}
)

// Open begins to tell whom the variables name. Nothing that is wrong with those is an error: see Close.
func Open(ctx context.Context, s Settings) *Telemetry {
	t := &Telemetry{tracer: tracenoop.NewTracerProvider().Tracer(scope), meter: metricnoop.NewMeterProvider().Meter(scope),
		variable: s.Variable, failed: map[signal]error{}}
	t.open(ctx, traces, s.Version, t.openTraces)
	t.open(ctx, metrics, s.Version, t.openMetrics)
	return t
}

// open begins to tell a signal, if it is to be told.
func (t *Telemetry) open(ctx context.Context, sig signal, version string, way func(context.Context, *resource.Resource) error) {
	if !t.wants(sig) {
		return
	}
	quiet()
	if err := way(ctx, identity(ctx, version)); err != nil {
		t.doubt("%s are not told: %v", sig.plural, err)
		return
	}
	t.on = true
}

// quiet keeps the libraries from writing to the process's standard error by themselves. What fails is told by Close.
var quiet = sync.OnceFunc(func() {
	otel.SetLogger(logr.Discard())
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {}))
})

// identity is who speaks. What the environment says of it goes first.
func identity(ctx context.Context, version string) *resource.Resource {
	r, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", scope), attribute.String("service.version", version)), resource.WithFromEnv())
	if err != nil && r == nil {
		return resource.Empty()
	}
	return r
}

// On reports whether anybody is told.
func (t *Telemetry) On() bool { return t.on }

// wants reports whether a signal is to be told, as the standard's variables say; not by default, as the standard has it, but where a
// receiver or a way is named.
func (t *Telemetry) wants(s signal) bool {
	if strings.EqualFold(t.variable("OTEL_SDK_DISABLED"), "true") {
		return false
	}
	endpoint, name := t.either("ENDPOINT", s)
	switch way := t.variable("OTEL_" + s.name + "_EXPORTER"); way {
	case "otlp":
	case "":
		if endpoint == "" {
			return false
		}
	case "none":
		return false
	default:
		t.doubt("%s are not told: OTEL_%s_EXPORTER is %q, and this program knows otlp and none", s.plural, s.name, way)
		return false
	}
	if protocol, name := t.either("PROTOCOL", s); protocol != "" && protocol != "http/protobuf" && protocol != "http/json" {
		t.doubt("%s are not told: %s is %q, and this program speaks http/protobuf and http/json", s.plural, name, protocol)
		return false
	}
	if u, err := url.Parse(endpoint); endpoint != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		t.doubt("%s are not told: %s is not the URL of a receiver, such as http://localhost:4318 is one", s.plural, name)
		return false
	}
	return true
}

// either is a variable of a signal, else that of all.
func (t *Telemetry) either(what string, s signal) (value, name string) {
	name = "OTEL_EXPORTER_OTLP_" + s.name + "_" + what
	if value = t.variable(name); value == "" {
		name = "OTEL_EXPORTER_OTLP_" + what
		value = t.variable(name)
	}
	return value, name
}

func (t *Telemetry) doubt(format string, args ...any) {
	t.doubts = append(t.doubts, fmt.Sprintf(format, args...))
}

func (t *Telemetry) openTraces(ctx context.Context, who *resource.Resource) error {
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return err
	}
	p := sdktrace.NewTracerProvider(sdktrace.WithResource(who), sdktrace.WithBatcher(spans{exporter, t}))
	t.tracer = p.Tracer(scope)
	t.closers = append(t.closers, p.Shutdown)
	return nil
}

func (t *Telemetry) openMetrics(ctx context.Context, who *resource.Resource) error {
	exporter, err := otlpmetrichttp.New(ctx)
	if err != nil {
		return err
	}
	p := sdkmetric.NewMeterProvider(sdkmetric.WithResource(who), sdkmetric.WithReader(sdkmetric.NewPeriodicReader(points{exporter, t})))
	t.meter = p.Meter(scope)
	t.closers = append(t.closers, p.Shutdown)
	return nil
}

// spans is an exporter that remembers what did not arrive, and points one of metrics.
type spans struct {
	sdktrace.SpanExporter
	to *Telemetry
}

func (s spans) ExportSpans(ctx context.Context, all []sdktrace.ReadOnlySpan) error {
	return s.to.note(traces, s.SpanExporter.ExportSpans(ctx, all))
}

type points struct {
	sdkmetric.Exporter
	to *Telemetry
}

// note remembers the first error of a signal.
func (t *Telemetry) note(s signal, err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil && t.failed[s] == nil {
		t.failed[s] = err
	}
	return err
}

// patience is how long the receivers are waited for at the end, beside what a run takes.
const patience = 5 * time.Second

// Close tells what is left to be told, which takes five seconds at most, and returns what could not be told and why, for people. That
// concerns no run.
func (t *Telemetry) Close(ctx context.Context) (texts []string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	var errs []error
	for _, shut := range t.closers {
		errs = append(errs, shut(ctx))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range []signal{metrics, traces} {
		if err := t.failed[s]; err != nil {
			endpoint, _ := t.either("ENDPOINT", s)
			texts = append(texts, fmt.Sprintf("not all %s were told to %s: %s", s.plural, hostOf(endpoint), t.masked(err)))
		}
	}
	if err := errors.Join(errs...); err != nil && len(texts) == 0 {
		texts = append(texts, "not all was told: "+t.masked(err))
	}
	return append(t.doubts, texts...)
}

// hostOf is where a receiver is, without what else its URL may hold.
func hostOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return "localhost"
	}
	return u.Host
}

// shortest is how long a word is at least that can be a secret: "Basic" is not one, and shorter ones stand in other words.
const shortest = 7

// masked is the text of an error without the credentials of receivers, which one may have repeated.
func (t *Telemetry) masked(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	for _, name := range []string{"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_METRICS_HEADERS"} {
		for header := range strings.SplitSeq(t.variable(name), ",") {
			_, value, _ := strings.Cut(header, "=")
			plain, err := url.PathUnescape(strings.TrimSpace(value))
			if err != nil {
				plain = value
			}
			for _, secret := range append(strings.Fields(plain), strings.TrimSpace(value)) {
				if len(secret) >= shortest {
					text = strings.ReplaceAll(text, secret, "[redacted]")
				}
			}
		}
	}
	return text
}
