package telemetry

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"backhaul/jobs/report"
)

// The labels of the file, which are the attributes of the metrics as Prometheus spells them: a job of its own is not what it calls one.
const (
	labelJob     = "backhaul_job"
	labelVendor  = "backhaul_vendor"
	labelCeiling = "backhaul_ceiling"
)

// Execution is one execution of a run, for the file of metrics.
type Execution struct {
	Job string
	// Summary is how it went; zero where it did not get as far as its plan.
	Summary      report.Summary
	ExitStatus   int
	Began, Ended time.Time
}

// gauges are the file's: of which labels, and what each means.
var gauges = map[string]struct {
	labels []string
	help   string
}{
	"backhaul_last_run_end_timestamp_seconds": {[]string{labelJob}, "When the job's latest execution ended."},
	"backhaul_last_run_duration_seconds":      {[]string{labelJob}, "How long it took."},
	"backhaul_last_run_exit_status":           {[]string{labelJob}, "Its exit status: 0 complete, 3 some lists incomplete, 4 budget, 75 vendor away."},
	"backhaul_last_run_lists":                 {[]string{labelJob}, "Lists that its run asks for."},
	"backhaul_last_run_incomplete_lists":      {[]string{labelJob}, "Those of them that are not complete."},
	"backhaul_last_run_rows":                  {[]string{labelJob, labelVendor}, "Rows that its run holds, earlier executions included."},
	"backhaul_last_run_units":                 {[]string{labelJob, labelVendor}, "Units that those cost."},
	"backhaul_last_run_held_units":            {[]string{labelJob}, "Units that its requests without an answer may have cost."},
	"backhaul_last_run_rejected_rows":         {[]string{labelJob}, "Rows that do not fit their tables."},
	"backhaul_last_run_missing_units":         {[]string{labelJob}, "Units that the next execution of the run is expected to need to complete it, at least."},
	"backhaul_budget_remaining_units":         {[]string{labelJob, labelVendor, labelCeiling}, "Units that a budget of the month left when it ended."},
	lastSuccess:                               {[]string{labelJob}, "When an execution of the job was last complete."},
}

const lastSuccess = "backhaul_last_success_timestamp_seconds"

// FileMetrics are those of the file.
func FileMetrics() (all []Metric) {
	for _, name := range slices.Sorted(maps.Keys(gauges)) {
		all = append(all, Metric{name, gauges[name].help})
	}
	return all
}

// WriteFile writes how a job's latest execution went to a file in Prometheus' text format, in one step, for the textfile collector of
// node_exporter. What it says of other jobs stays, and when the job was last complete.
func WriteFile(path string, x Execution) error {
	before, err := readFile(path)
	if err != nil {
		return fmt.Errorf("write metrics to %s: %w; delete it, or name another file", path, err)
	}
	own := prometheus.NewRegistry()
	x.measure(own)
	kept := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return x.keep(before), nil })
	if err := prometheus.WriteToTextfile(path, prometheus.Gatherers{own, kept}); err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}

func readFile(path string) (map[string]*dto.MetricFamily, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	return parser.TextToMetricFamilies(f)
}

// measure enters what the execution was.
func (x Execution) measure(into *prometheus.Registry) {
	vecs := map[string]*prometheus.GaugeVec{}
	for name, g := range gauges {
		vecs[name] = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: g.help}, g.labels)
		into.MustRegister(vecs[name]) // their names differ
	}
	set := func(name string, value float64, labels ...string) {
		vecs[name].WithLabelValues(append([]string{x.Job}, labels...)...).Set(value)
	}
	ended := float64(x.Ended.UnixMilli()) / 1000
	set("backhaul_last_run_end_timestamp_seconds", ended)
	set("backhaul_last_run_duration_seconds", x.Ended.Sub(x.Began).Seconds())
	set("backhaul_last_run_exit_status", float64(x.ExitStatus))
	if x.ExitStatus == 0 {
		set(lastSuccess, ended)
	}
	s := x.Summary
	if s.RunID == "" {
		return // nothing is known of it
	}
	set("backhaul_last_run_lists", float64(s.Tasks))
	set("backhaul_last_run_incomplete_lists", float64(len(s.Incomplete)))
	set("backhaul_last_run_rejected_rows", float64(s.Rejected))
	set("backhaul_last_run_held_units", float64(s.HeldUnits))
	if s.Missing != nil {
		set("backhaul_last_run_missing_units", float64(s.Missing.Units))
	}
	for _, v := range s.Vendors {
		set("backhaul_last_run_rows", float64(v.Rows), v.Vendor)
		set("backhaul_last_run_units", float64(v.Units), v.Vendor)
	}
	for _, r := range s.Remaining {
		set("backhaul_budget_remaining_units", float64(r.Units), r.Vendor, string(r.Ceiling))
	}
}

// keep returns what stays of an earlier file: other jobs, and when this one was last complete, if it is not now.
func (x Execution) keep(before map[string]*dto.MetricFamily) (kept []*dto.MetricFamily) {
	for name, family := range before {
		if _, ours := gauges[name]; !ours {
			continue
		}
		family.Metric = slices.DeleteFunc(family.Metric, func(m *dto.Metric) bool {
			own := slices.ContainsFunc(m.Label, func(l *dto.LabelPair) bool { return l.GetName() == labelJob && l.GetValue() == x.Job })
			return own && (name != lastSuccess || x.ExitStatus == 0)
		})
		if len(family.Metric) > 0 {
			kept = append(kept, family)
		}
	}
	return kept
}
