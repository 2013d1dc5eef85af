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
	b.WriteString(lineageText)
	return b.String()
}

// lineageText is of OpenLineage.
const lineageText = `
OpenLineage: what a run reads and which tables it writes, with their columns and rows, as the events START and COMPLETE, FAIL or
ABORT (stopped by a budget, by the vendor or by somebody: it can be gone on with). The variables are those of the standard's clients:

  OPENLINEAGE_URL                          such as http://localhost:5000
  OPENLINEAGE_ENDPOINT                     default api/v1/lineage
  OPENLINEAGE_API_KEY                      or OPENLINEAGE_API_KEY_FILE, OPENLINEAGE_API_KEY_COMMAND
  OPENLINEAGE_NAMESPACE                    of the jobs; default default
  OPENLINEAGE_DISABLED                     true: nothing is told
  OPENLINEAGE__TRANSPORT__TYPE             http, the default, or file
  OPENLINEAGE__TRANSPORT__LOG_FILE_PATH    of the file: a file for each event, named after it
  OPENLINEAGE__TRANSPORT__APPEND           true: one file, an event a line
`
