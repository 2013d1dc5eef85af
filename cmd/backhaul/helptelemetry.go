package main

import (
	"fmt"
	"strings"

	"backhaul/jobs/telemetry"
)

// telemetryText is what `backhaul help telemetry` says.
func telemetryText() string {
	var b strings.Builder
	b.WriteString(`A run can be told to others while it goes on and when it has ended. None of them can fail it: what was not told is a
warning. Secrets are told to nobody; targets stand in traces, and in nothing else.

OpenTelemetry, by OTLP over HTTP, as soon as one of the standard's variables names a receiver:

  OTEL_EXPORTER_OTLP_ENDPOINT    such as http://localhost:4318; or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT and
                                 OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, each with its path
  OTEL_TRACES_EXPORTER           otlp, which is sent to localhost if no endpoint is named, or none; so for METRICS
  OTEL_EXPORTER_OTLP_PROTOCOL    http/protobuf, the default, or http/json; grpc is not spoken
  OTEL_SDK_DISABLED              true: nothing is told
  TRACEPARENT                    of which trace the run is a part
  and the others of the standard: OTEL_EXPORTER_OTLP_HEADERS, _TIMEOUT, _COMPRESSION, _CERTIFICATE; OTEL_SERVICE_NAME,
  OTEL_RESOURCE_ATTRIBUTES; OTEL_TRACES_SAMPLER; OTEL_BSP_*; OTEL_METRIC_EXPORT_INTERVAL

The trace of a run has its steps (plan, buy, load, publish, account); within buy, extracts, their lists and their requests, each with
vendor, endpoint, status, rows and units. The metrics, with backhaul.job and what else they are told apart by:

`)
	for _, m := range telemetry.Metrics() {
		fmt.Fprintf(&b, "  %-28s %s\n", m.Name, m.Meaning)
	}
	b.WriteString(`
Prometheus: ` + "`backhaul run --metrics-file F`" + ` writes how the job's latest run went, in one step, beside what F says of other jobs. Put F
where the textfile collector of node_exporter looks, with a name that ends in .prom. The labels are backhaul_job,
backhaul_vendor and backhaul_ceiling.

`)
	for _, m := range telemetry.FileMetrics() {
		fmt.Fprintf(&b, "  %s\n      %s\n", m.Name, m.Meaning)
	}
	return b.String()
}
