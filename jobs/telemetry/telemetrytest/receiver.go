// Package telemetrytest is a receiver of OpenTelemetry for tests: it takes what is sent by OTLP over HTTP, decodes it by the standard's
// own types, and spells it as lines.
package telemetrytest

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	collectmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collecttrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Receiver keeps what it is sent. It is safe for concurrent use.
type Receiver struct {
	*httptest.Server

	mu      sync.Mutex
	bodies  [][]byte // uncompressed, as they came
	headers []http.Header
	spans   []*trace.Span
	who     []*common.KeyValue // the latest resource
	metrics map[string]*metrics.Metric
	odd     []string // what is no OTLP
}

// Start returns a receiver that listens on this machine until it is closed.
func Start() *Receiver {
	r := &Receiver{metrics: map[string]*metrics.Metric{}}
	r.Server = httptest.NewServer(r)
	return r
}

// ServeHTTP takes a request to /v1/traces or /v1/metrics.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := read(q)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.bodies, r.headers = append(r.bodies, body), append(r.headers, q.Header)
		err = r.take(q.URL.Path, body)
	}
	if err != nil {
		r.odd = append(r.odd, fmt.Sprintf("%s: %v", q.URL, err))
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func read(q *http.Request) ([]byte, error) {
	var from io.Reader = q.Body
	if q.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(q.Body)
		if err != nil {
			return nil, err
		}
		from = unzipped
	}
	return io.ReadAll(from)
}

// take decodes a body. The caller holds r.mu.
func (r *Receiver) take(path string, body []byte) error {
	switch path {
	case "/v1/traces":
		var sent collecttrace.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &sent); err != nil {
			return err
		}
		for _, of := range sent.ResourceSpans {
			r.who = of.Resource.Attributes
			for _, scope := range of.ScopeSpans {
				r.spans = append(r.spans, scope.Spans...)
			}
		}
	case "/v1/metrics":
		var sent collectmetrics.ExportMetricsServiceRequest
		if err := proto.Unmarshal(body, &sent); err != nil {
			return err
		}
		for _, of := range sent.ResourceMetrics {
			r.who = of.Resource.Attributes
			for _, scope := range of.ScopeMetrics {
				for _, m := range scope.Metrics {
					r.metrics[m.Name] = m // sums go on from when the process began
				}
			}
		}
	default:
		return fmt.Errorf("nobody sends there")
	}
	return nil
}

// Bodies is everything that was sent, uncompressed, Headers with which headers, Odd what of it was no OTLP.
func (r *Receiver) Bodies() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Concat(r.bodies...)
}

// Headers: see Bodies.
func (r *Receiver) Headers() []http.Header {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.headers)
}

// Odd: see Bodies.
func (r *Receiver) Odd() []string { r.mu.Lock(); defer r.mu.Unlock(); return slices.Clone(r.odd) }

// Resource is who speaks, as k=v.
func (r *Receiver) Resource() string { r.mu.Lock(); defer r.mu.Unlock(); return attributes(r.who) }

// Spans are the spans as lines, sorted: the names of the spans it is within and its own, joined by >, its attributes as k=v, and what
// went wrong. A span that nobody is the parent of, of those that were sent, begins with its parent's id.
func (r *Receiver) Spans() (lines []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	byID := map[string]*trace.Span{}
	for _, s := range r.spans {
		byID[string(s.SpanId)] = s
	}
	for _, s := range r.spans {
		line := s.Name
		for at := s; len(at.ParentSpanId) > 0; {
			parent := byID[string(at.ParentSpanId)]
			if parent == nil {
				line = fmt.Sprintf("%x of %x > %s", at.ParentSpanId, at.TraceId, line)
				break
			}
			line, at = parent.Name+" > "+line, parent
		}
		line += " {" + attributes(s.Attributes) + "}"
		if s.Status.GetCode() == trace.Status_STATUS_CODE_ERROR {
			line += " failed: " + s.Status.Message
		}
		for _, e := range s.Events {
			line += " event: " + e.Name
		}
		if s.EndTimeUnixNano < s.StartTimeUnixNano {
			line += " ends before it begins"
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

// Metrics are the metrics as lines, sorted, in their latest state: name, attributes, value; of a histogram how many values there were.
func (r *Receiver) Metrics() (lines []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.metrics {
		for _, p := range points(m) {
			lines = append(lines, fmt.Sprintf("%s {%s} %v", m.Name, attributes(p.attributes), p.value))
		}
	}
	slices.Sort(lines)
	return lines
}

// Instruments are what the metrics were made with, as lines, sorted: name, unit, kind, names of attributes.
func (r *Receiver) Instruments() (lines []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.metrics {
		var keys []string
		for _, p := range points(m) {
			for _, a := range p.attributes {
				keys = append(keys, a.Key)
			}
		}
		slices.Sort(keys)
		lines = append(lines, fmt.Sprintf("%s %s %s %s", m.Name, m.Unit, kind(m), strings.Join(slices.Compact(keys), ",")))
	}
	slices.Sort(lines)
	return lines
}

// point is a value of a metric.
type point struct {
	attributes []*common.KeyValue
	value      any
}

func points(m *metrics.Metric) (all []point) {
	for _, p := range append(m.GetSum().GetDataPoints(), m.GetGauge().GetDataPoints()...) {
		value := any(p.GetAsInt())
		if _, ok := p.Value.(*metrics.NumberDataPoint_AsDouble); ok {
			value = p.GetAsDouble()
		}
		all = append(all, point{p.Attributes, value})
	}
	for _, p := range m.GetHistogram().GetDataPoints() {
		all = append(all, point{p.Attributes, p.Count})
	}
	return all
}

func kind(m *metrics.Metric) string {
	switch d := m.Data.(type) {
	case *metrics.Metric_Sum:
		if d.Sum.IsMonotonic {
			return "counter"
		}
		return "updowncounter"
	case *metrics.Metric_Histogram:
		return "histogram"
	}
	return "gauge"
}

func attributes(all []*common.KeyValue) string {
	var texts []string
	for _, a := range all {
		value := fmt.Sprint(a.Value.GetStringValue())
		switch v := a.Value.Value.(type) {
		case *common.AnyValue_IntValue:
			value = fmt.Sprint(v.IntValue)
		case *common.AnyValue_DoubleValue:
			value = fmt.Sprint(v.DoubleValue)
		}
		texts = append(texts, a.Key+"="+value)
	}
	slices.Sort(texts)
	return strings.Join(texts, " ")
}
