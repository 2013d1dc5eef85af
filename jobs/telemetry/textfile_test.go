package telemetry

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/jobs/plan"
	"backhaul/jobs/report"
	"backhaul/pipeline"
)

func execution(job string, ended time.Time) Execution {
	return Execution{Job: job, Began: ended.Add(-90 * time.Second), Ended: ended, Summary: report.Summary{RunID: "01J", Tasks: 3, Incomplete: []report.Task{{}}, Rejected: 2, HeldUnits: 50,
		Missing: &pipeline.Cost{Units: 70}, Vendors: []report.VendorCost{{Vendor: "moz", Cost: pipeline.Cost{Rows: 120, Units: 130}}},
		Remaining: []plan.Remaining{{Vendor: "moz", Ceiling: plan.OfMonth, Units: 900}}}}
}

// values are the lines of a file of metrics that are not comments.
func values(t *testing.T, path string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

func TestTheFileSaysHowTheLatestExecutionOfEveryJobWent(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "backhaul.prom")
	night := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	bad := execution("nightly", night.Add(24*time.Hour))
	bad.ExitStatus, bad.Summary = 5, report.Summary{}
	for _, x := range []Execution{execution("nightly", night), execution("links", night), bad} {
		if err := WriteFile(path, x); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		`backhaul_budget_remaining_units{backhaul_ceiling="month",backhaul_job="links",backhaul_vendor="moz"} 900`,
		`backhaul_last_run_duration_seconds{backhaul_job="links"} 90`,
		`backhaul_last_run_duration_seconds{backhaul_job="nightly"} 90`,
		`backhaul_last_run_end_timestamp_seconds{backhaul_job="links"} 1.7954028e+09`,
		`backhaul_last_run_end_timestamp_seconds{backhaul_job="nightly"} 1.7954892e+09`,
		`backhaul_last_run_exit_status{backhaul_job="links"} 0`,
		`backhaul_last_run_exit_status{backhaul_job="nightly"} 5`,
		`backhaul_last_run_held_units{backhaul_job="links"} 50`,
		`backhaul_last_run_incomplete_lists{backhaul_job="links"} 1`,
		`backhaul_last_run_lists{backhaul_job="links"} 3`,
		`backhaul_last_run_missing_units{backhaul_job="links"} 70`,
		`backhaul_last_run_rejected_rows{backhaul_job="links"} 2`,
		`backhaul_last_run_rows{backhaul_job="links",backhaul_vendor="moz"} 120`,
		`backhaul_last_run_units{backhaul_job="links",backhaul_vendor="moz"} 130`,
		`backhaul_last_success_timestamp_seconds{backhaul_job="links"} 1.7954028e+09`,
		`backhaul_last_success_timestamp_seconds{backhaul_job="nightly"} 1.7954028e+09`,
	}
	if diff := cmp.Diff(want, values(t, path)); diff != "" {
		t.Error(diff)
	}
	if err := WriteFile(path, execution("nightly", night.Add(48*time.Hour))); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(values(t, path), "\n"); !strings.Contains(got, `backhaul_last_success_timestamp_seconds{backhaul_job="nightly"} 1.7955756e+09`) || strings.Count(got, lastSuccess) != 2 {
		t.Error(got)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("%v beside it, %v", left, err)
	}
}

// TestTheMetricsOfTheFileAreThoseThatDashboardsRead: jobs/deploy/check reads the list.
func TestTheMetricsOfTheFileAreThoseThatDashboardsRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "backhaul.prom")
	if err := WriteFile(path, execution("nightly", time.Now())); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, line := range values(t, path) {
		name, of, _ := strings.Cut(line, "{")
		of, _, _ = strings.Cut(of, "}")
		lines = append(lines, name+" "+regexp.MustCompile(`="[^"]*"`).ReplaceAllString(of, ""))
	}
	if len(lines) != len(FileMetrics()) {
		t.Errorf("%d metrics in the file, %d in the help", len(lines), len(FileMetrics()))
	}
	golden(t, "testdata/textfile.txt", strings.Join(lines, "\n")+"\n")
}

func TestAFileThatIsNoMetricsIsNotWrittenOver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(path, []byte("buy milk, and bread\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, execution("nightly", time.Now())); err == nil || !strings.Contains(err.Error(), "delete it, or name another file") {
		t.Error(err)
	}
	if got := values(t, path); !cmp.Equal(got, []string{"buy milk, and bread"}) {
		t.Error(got)
	}
}
