package check

import (
	"encoding/json"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/prometheus/common/model"
	"github.com/prometheus/otlptranslator"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// told are the metrics that the program tells, as Prometheus names them, and their labels. The lists are written by the tests of
// jobs/telemetry from what a receiver was sent, and from a file that was written.
func told(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	lines := func(name string) []string {
		text, err := os.ReadFile(filepath.Join("..", "..", "telemetry", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSpace(string(text)), "\n")
	}
	for _, line := range lines("textfile.txt") {
		name, of, _ := strings.Cut(line, " ")
		all[name] = strings.Split(of, ",")
	}
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	kinds := map[string]otlptranslator.MetricType{"counter": otlptranslator.MetricTypeMonotonicCounter, "updowncounter": otlptranslator.MetricTypeNonMonotonicCounter,
		"gauge": otlptranslator.MetricTypeGauge, "histogram": otlptranslator.MetricTypeHistogram}
	for _, line := range lines("metrics.txt") {
		parts := strings.Fields(line)
		if len(parts) != 4 || kinds[parts[2]] == 0 {
			t.Fatalf("%q", line)
		}
		name, err := namer.Build(otlptranslator.Metric{Name: parts[0], Unit: parts[1], Type: kinds[parts[2]]})
		if err != nil {
			t.Fatal(err)
		}
		of := strings.Split(strings.ReplaceAll(parts[3], ".", "_"), ",")
		if parts[2] != "histogram" {
			all[name] = of
			continue
		}
		all[name+"_bucket"], all[name+"_sum"], all[name+"_count"] = append(slices.Clone(of), "le"), of, of
	}
	return all
}

// outside are labels that Prometheus adds, and those of the metrics' own.
var outside = []string{model.MetricNameLabel, "instance", "job"}

// check parses a query, and says of which metrics it asks and whether those are told, with the labels it asks for.
func check(t *testing.T, where, query string, told map[string][]string, asked map[string]bool) {
	t.Helper()
	// Grafana puts in what begins with $.
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(strings.NewReplacer("$__rate_interval", "5m", "$job", "nightly").Replace(query))
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	var known []string
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			of, is := told[v.Name]
			if !is {
				t.Errorf("%s: %s is not told", where, v.Name)
			}
			asked[v.Name], known = true, append(known, of...)
			for _, m := range v.LabelMatchers {
				if !slices.Contains(append(of, outside...), m.Name) {
					t.Errorf("%s: %s has no label %s", where, v.Name, m.Name)
				}
			}
		}
		return nil
	})
	by := func(names []string) {
		for _, name := range names {
			if !slices.Contains(append(known, outside...), name) {
				t.Errorf("%s: nothing there has a label %s", where, name)
			}
		}
	}
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.AggregateExpr:
			by(n.Grouping)
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				by(n.VectorMatching.MatchingLabels)
			}
		}
		return nil
	})
}

func TestTheAlertsAskForWhatIsTold(t *testing.T) {
	metrics := told(t)
	rules, errs := rulefmt.Parse(read(t, "prometheus-alerts.yaml"), false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	alerts := 0
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			alerts++
			check(t, r.Alert, r.Expr, metrics, map[string]bool{})
			if r.Annotations["summary"] == "" || !slices.Contains([]string{"info", "warning", "critical"}, r.Labels["severity"]) {
				t.Errorf("%s says nothing, or not how bad it is", r.Alert)
			}
		}
	}
	if alerts < 10 {
		t.Errorf("%d alerts", alerts)
	}
}

func TestTheDashboardAsksForWhatIsToldAndShowsAllOfIt(t *testing.T) {
	metrics, asked := told(t), map[string]bool{}
	cog.NewRuntime().RegisterPanelcfgVariant(timeseries.VariantConfig())
	cog.NewRuntime().RegisterPanelcfgVariant(stat.VariantConfig())
	cog.NewRuntime().RegisterDataqueryVariant(prometheus.VariantConfig())
	raw := read(t, "grafana-dashboard.json")
	var board dashboard.Dashboard
	if err := board.UnmarshalJSONStrict(raw); err != nil && err.Error() != "" { // without errors it is a list of none
		t.Fatal(err)
	}
	var panels struct {
		Panels []struct {
			Type, Title string
			Targets     []struct{ Expr, LegendFormat string }
			GridPos     struct{ X, Y, W, H int }
		}
	}
	if err := json.Unmarshal(raw, &panels); err != nil || len(panels.Panels) != len(board.Panels) {
		t.Fatal(err)
	}
	taken := map[[2]int]string{}
	for _, p := range panels.Panels {
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other, is := taken[[2]int{x, y}]; is || x >= 24 {
					t.Errorf("%s lies over %q", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if (p.Type == "row") != (len(p.Targets) == 0) {
			t.Errorf("%s asks for nothing", p.Title)
		}
		for _, q := range p.Targets {
			check(t, p.Title, q.Expr, metrics, asked)
			for _, part := range strings.Split(q.LegendFormat, "{{")[1:] {
				label, _, _ := strings.Cut(part, "}}")
				if !strings.Contains(q.Expr, label) && !slices.ContainsFunc(slices.Collect(maps.Keys(asked)), func(m string) bool {
					return strings.Contains(q.Expr, m) && slices.Contains(metrics[m], label)
				}) {
					t.Errorf("%s: nothing has the label %s", p.Title, label)
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(metrics)) {
		base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		shown := slices.ContainsFunc(slices.Collect(maps.Keys(asked)), func(m string) bool { return strings.HasPrefix(m, base) })
		if !shown && !elsewhere[name] {
			t.Errorf("%s is told and shown nowhere", name)
		}
	}
}

// elsewhere are metrics that another panel says as well.
var elsewhere = map[string]bool{
	"backhaul_last_run_end_timestamp_seconds": true, // fills the choice of jobs, and an alert asks for it
	"backhaul_run_last_success_seconds":       true, // the file's backhaul_last_success_timestamp_seconds
}

func TestTheChoiceOfJobsIsOneOfLabels(t *testing.T) {
	metrics := told(t)
	const of, label = "backhaul_last_run_end_timestamp_seconds", "backhaul_job"
	if !strings.Contains(string(read(t, "grafana-dashboard.json")), "label_values("+of+", "+label+")") || !slices.Contains(metrics[of], label) {
		t.Error("the jobs are not chosen from what is told")
	}
}
