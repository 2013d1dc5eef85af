package telemetry

import (
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/jobs/report"
	"backhaul/jobs/run"
	"backhaul/jobs/telemetry/telemetrytest"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
)

var update = flag.Bool("update", false, "write the golden files anew")

// telling sends to a receiver what happens in a run of one list: a page, a request without an answer, another page, and a list that
// fails.
func telling(t *testing.T, variables map[string]string) (texts []string) {
	t.Helper()
	for name, value := range variables {
		t.Setenv(name, value) // the libraries read the process's own
	}
	tele := Open(t.Context(), Settings{Variable: os.Getenv, Version: "1.2.3"})
	begin := time.Now()
	r := tele.Begin("nightly", "2026-11-23", begin)
	r.Step(run.Step{Name: run.Planning})
	r.Step(run.Step{Name: run.Buying})
	list := pipeline.Task{ID: "1", Extract: "anchors", Endpoint: "moz/anchor_text", Surface: "v2", Target: "a.example", Scope: "root_domain"}
	other := list
	other.ID, other.Target = "2", "b.example"
	request := func(of pipeline.Task, q engine.Request) {
		q.Came, q.Sent, q.Reserved = begin, begin.Add(time.Second), 50
		sent := q
		sent.Units, sent.Held, sent.Rows, sent.Status, sent.Err = 0, 0, 0, 0, nil
		r.Observe(engine.Event{Task: of, Request: &sent})
		q.Ended = q.Sent.Add(200 * time.Millisecond)
		r.Observe(engine.Event{Task: of, Request: &q})
	}
	page := func(rows int) {
		r.Observe(engine.Event{Task: list, Page: &pipeline.Page{Rows: rows, Units: pipeline.Units(rows), Body: []byte("secret rows")}})
	}
	lost := &pipeline.Error{Kind: pipeline.Transient, Status: 502, MaybeCharged: true, Message: "bad gateway"}
	refused := &pipeline.Error{Kind: pipeline.Rejected, Status: 404, Message: "no such target"}
	request(list, engine.Request{Try: 1, Rows: 50, Units: 50, Status: 200})
	page(50)
	request(list, engine.Request{Seq: 1, Try: 1, Held: 50, Status: 502, Err: lost})
	r.Observe(engine.Event{Task: list, Retry: lost, Wait: time.Second})
	request(list, engine.Request{Seq: 1, Try: 2, Rows: 20, Units: 20, Status: 200})
	page(20)
	r.Observe(engine.Event{Task: list, Outage: &engine.Outage{Vendor: "moz", Wait: time.Second}})
	r.Observe(engine.Event{Task: list, Outcome: &engine.Outcome{Task: &list, Ending: pipeline.EndOfList}})
	request(other, engine.Request{Try: 1, Status: 404, Err: refused})
	r.Observe(engine.Event{Task: other, Outcome: &engine.Outcome{Task: &other, Ending: pipeline.EndFault, Err: refused}})
	r.Step(run.Step{Name: run.Loading})
	r.Step(run.Step{Name: run.Loading, Table: "moz.anchor_text", Done: 1, Of: 2})
	r.End(report.Summary{RunID: "01JRUN", Bought: pipeline.Cost{Rows: 70, Units: 70}, Incomplete: []report.Task{{}}}, 3, "finished, but 1 of 2 tasks did not complete", time.Now())
	done := tele.Begin("nightly", "2026-11-23", begin) // the same again
	done.End(report.Summary{RunID: "01JRUN"}, 0, "", time.Now())
	return tele.Close(t.Context())
}

func receiver(t *testing.T) *telemetrytest.Receiver {
	t.Helper()
	r := telemetrytest.Start()
	t.Cleanup(r.Close)
	return r
}

func TestARunIsATraceOfItsStepsExtractsListsAndRequests(t *testing.T) {
	r := receiver(t)
	texts := telling(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": r.URL, "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test"})
	if len(texts) > 0 || len(r.Odd()) > 0 {
		t.Fatal(texts, r.Odd())
	}
	const asked = "backhaul.endpoint=moz/anchor_text backhaul.extract=anchors"
	const list = "run nightly > buy > extract anchors > list moz/anchor_text"
	of := func(units, rows, page, attempt, held, result, status string) string {
		if held != "" {
			held = "backhaul.held_units=" + held + " "
		}
		target := "a.example"
		if status == "404" {
			target = "b.example"
		}
		return list + " > request moz/anchor_text {backhaul.attempt=" + attempt + " " + asked + " " + held + "backhaul.page=" + page + " backhaul.reserved_units=50 backhaul.result=" + result + " backhaul.rows=" + rows +
			" backhaul.surface=v2 backhaul.target=" + target + " backhaul.units=" + units + " backhaul.vendor=moz backhaul.wait_seconds=1 http.response.status_code=" + status + "}"
	}
	want := []string{
		"run nightly > buy > extract anchors {" + asked + " backhaul.surface=v2 backhaul.vendor=moz}",
		of("20", "20", "1", "2", "", "page", "200"),
		of("0", "0", "1", "1", "50", "transient", "502") + " failed: transient: HTTP 502: bad gateway",
		of("0", "0", "0", "1", "0", "rejected", "404") + " failed: rejected: HTTP 404: no such target",
		of("50", "50", "0", "1", "", "page", "200"),
		list + " {backhaul.ending=end of list " + asked + " backhaul.requests=3 backhaul.rows=70 backhaul.scope=root_domain backhaul.surface=v2 backhaul.target=a.example backhaul.units=70 backhaul.vendor=moz} event: tried again",
		list + " {backhaul.ending=fault " + asked + " backhaul.requests=1 backhaul.rows=0 backhaul.scope=root_domain backhaul.surface=v2 backhaul.target=b.example backhaul.units=0 backhaul.vendor=moz} failed: rejected: HTTP 404: no such target",
		"run nightly > buy {} event: vendor does not answer",
		"run nightly > load {}",
		"run nightly > plan {}",
		"run nightly {backhaul.exit_status=0 backhaul.incomplete_lists=0 backhaul.job=nightly backhaul.rejected_rows=0 backhaul.rows=0 backhaul.run_date=2026-11-23 backhaul.run_id=01JRUN backhaul.units=0}",
		"run nightly {backhaul.exit_status=3 backhaul.incomplete_lists=1 backhaul.job=nightly backhaul.rejected_rows=0 backhaul.rows=70 backhaul.run_date=2026-11-23 backhaul.run_id=01JRUN backhaul.units=70} failed: finished, but 1 of 2 tasks did not complete",
	}
	if diff := cmp.Diff(sorted(want), r.Spans()); diff != "" {
		t.Error(diff)
	}
	for _, want := range []string{"service.name=backhaul", "service.version=1.2.3", "deployment.environment.name=test"} {
		if !strings.Contains(r.Resource(), want) {
			t.Errorf("%s lacks %s", r.Resource(), want)
		}
	}
	if strings.Contains(string(r.Bodies()), "secret") {
		t.Error("the rows themselves were told")
	}
}

func TestMetricsCountWhatARunDoes(t *testing.T) {
	r := receiver(t)
	if texts := telling(t, map[string]string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": r.URL + "/v1/metrics"}); len(texts) > 0 || len(r.Odd()) > 0 {
		t.Fatal(texts, r.Odd())
	}
	const of = "backhaul.endpoint=moz/anchor_text backhaul.job=nightly"
	const moz = "backhaul.surface=v2 backhaul.vendor=moz"
	want := []string{
		"backhaul.gate.wait {" + of + " " + moz + "} 4",
		"backhaul.lists {backhaul.ending=end of list " + of + " " + moz + "} 1",
		"backhaul.lists {backhaul.ending=fault " + of + " " + moz + "} 1",
		"backhaul.request.duration {" + of + " " + moz + "} 4",
		"backhaul.requests {" + of + " backhaul.result=page " + moz + "} 2",
		"backhaul.requests {" + of + " backhaul.result=rejected " + moz + "} 1",
		"backhaul.requests {" + of + " backhaul.result=transient " + moz + "} 1",
		"backhaul.retries {" + of + " backhaul.result=transient " + moz + "} 1",
		"backhaul.rows {" + of + " " + moz + "} 70",
		"backhaul.run.duration {backhaul.exit_status=0 backhaul.job=nightly} 1",
		"backhaul.run.duration {backhaul.exit_status=3 backhaul.job=nightly} 1",
		"backhaul.run.last_success {backhaul.job=nightly} N",
		"backhaul.runs {backhaul.exit_status=0 backhaul.job=nightly} 1",
		"backhaul.runs {backhaul.exit_status=3 backhaul.job=nightly} 1",
		"backhaul.units.held {" + of + " " + moz + "} 50",
		"backhaul.units.reserved {" + of + " " + moz + "} 0",
		"backhaul.units.spent {" + of + " " + moz + "} 70",
	}
	got := r.Metrics()
	for i := range got {
		got[i] = regexp.MustCompile(`^(backhaul.run.last_success .*) 1\.\d+e\+09$`).ReplaceAllString(got[i], "$1 N")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(r.Spans()) > 0 {
		t.Errorf("nobody asked for traces: %v", r.Spans())
	}
	names := strings.Join(r.Instruments(), "\n") + "\n"
	golden(t, "testdata/metrics.txt", names)
}

// golden compares a text with a file, or writes it.
func golden(t *testing.T, path, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(kept), text); diff != "" {
		t.Errorf("dashboards read other names: -update writes %s, and jobs/deploy is to follow\n%s", path, diff)
	}
}

func TestNobodyIsToldUnlessAVariableNamesHim(t *testing.T) {
	r := receiver(t)
	for name, test := range map[string]struct {
		variables map[string]string
		says      string
	}{
		"nothing set":        {nil, ""},
		"switched off":       {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": r.URL, "OTEL_SDK_DISABLED": "true"}, ""},
		"no exporter":        {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": r.URL, "OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}, ""},
		"another exporter":   {map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}, `traces are not told: OTEL_TRACES_EXPORTER is "zipkin", and this program knows otlp and none`},
		"another protocol":   {map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": r.URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, `traces are not told: OTEL_EXPORTER_OTLP_PROTOCOL is "grpc", and this program speaks http/protobuf and http/json`},
		"no URL":             {map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "key:c4n4ry"}, "traces are not told: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is not the URL of a receiver, such as http://localhost:4318 is one"},
		"only other signals": {map[string]string{"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": r.URL}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for name, value := range test.variables {
				t.Setenv(name, value)
			}
			if tele := Open(t.Context(), Settings{Variable: os.Getenv}); tele.On() {
				t.Error("somebody is told")
			}
			if texts := strings.Join(telling(t, nil), "\n"); texts != test.says || len(r.Bodies()) > 0 {
				t.Errorf("%q, want %q; %d bytes were sent", texts, test.says, len(r.Bodies()))
			}
		})
	}
}

func TestAReceiverThatFailsIsNamedWithoutWhatItWasGiven(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		http.Error(w, "I do not know "+q.Header.Get("Authorization"), http.StatusForbidden)
	}))
	t.Cleanup(s.Close)
	host := strings.TrimPrefix(s.URL, "http://")
	texts := telling(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://user:c4n4ry-url@" + host + "/?key=c4n4ry-query", "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20c4n4ry-header"})
	if len(texts) != 2 {
		t.Fatal(texts)
	}
	for i, what := range []string{"metrics", "traces"} {
		if !strings.HasPrefix(texts[i], "not all "+what+" were told to "+host+": ") || !strings.Contains(texts[i], "403") || !strings.Contains(texts[i], "[redacted]") || strings.Contains(texts[i], "c4n4ry") {
			t.Errorf("%q", texts[i])
		}
	}
}

func TestARunIsAPartOfTheTraceThatItWasStartedIn(t *testing.T) {
	r := receiver(t)
	telling(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": r.URL, "TRACEPARENT": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
	const outside = "b7ad6b7169203331 of 0af7651916cd43dd8448eb211c80319c > run nightly "
	within := 0
	for _, line := range r.Spans() {
		if strings.HasPrefix(line, outside) {
			within++
		}
	}
	if within == 0 {
		t.Error(r.Spans())
	}
}

func TestTheFirstErrorOfASignalIsKept(t *testing.T) {
	tele := Open(t.Context(), Settings{Variable: func(string) string { return "" }})
	_ = tele.note(traces, errors.New("first\nand more"))
	_ = tele.note(traces, errors.New("second"))
	if got := tele.Close(t.Context()); !cmp.Equal(got, []string{"not all traces were told to localhost: first"}) {
		t.Error(got)
	}
}

func sorted(lines []string) []string {
	slices.Sort(lines)
	return lines
}
