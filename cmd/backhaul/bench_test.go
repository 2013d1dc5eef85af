package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// writeJob writes a job that buys the anchors of the targets, and returns its path.
func writeJob(t testing.TB, dir, vendor string, targets []string) string {
	t.Helper()
	csv := "target\n" + strings.Join(targets, "\n") + "\n"
	spec := fmt.Sprintf("job: measured\nvendors:\n  moz: %s\ntargets:\n  all: {file: targets.csv}\n"+
		"extracts:\n  - name: anchors\n    endpoint: moz/anchor_text\n    targets: [all]\n    params: {scope: root_domain}\n", vendor)
	writeFile(t, dir, "targets.csv", csv)
	return writeFile(t, dir, "measured.yaml", spec)
}

// writeFile writes a file of a test and returns its path.
func writeFile(t testing.TB, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// nightsVariable makes the year of BenchmarkNights shorter.
const nightsVariable = "BACKHAUL_NIGHTS"

// BenchmarkNights runs a job for a year of nights, each in a process of its own, and then nine more of it in turn with nine that follow
// its tenth night, in a copy of the warehouse as it was then: what one costs after a year is told as a multiple of what one costs after
// ten nights, whatever the machine does meanwhile. CPU time and the most memory are medians. Months that are past are merged on the
// way. Status is that of the job.
func BenchmarkNights(b *testing.B) {
	nights := 365
	if text := os.Getenv(nightsVariable); text != "" {
		nights, _ = strconv.Atoi(text)
	}
	s := newListServer(b, listSettings{forget: true})
	name, dir := program(b), b.TempDir()
	targets := make([]string, 20)
	for i := range targets {
		targets[i] = listTarget(i, 500)
	}
	job, long, short := writeJob(b, dir, "{requests_per_second: 1000000, connections: 8}", targets), filepath.Join(dir, "long"), filepath.Join(dir, "short")
	spent := func(warehouse string, args ...string) footprint {
		cmd := exec.Command(name, append(args, "--warehouse", warehouse)...)
		cmd.Env = append(processEnviron(b), "MOZ_TOKEN=secret-token", "BACKHAUL_MOZ_V2_URL="+s.URL)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		return footprint{cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), memory: cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss}
	}
	night := func(warehouse string, n int) footprint {
		return spent(warehouse, "run", job, "--yes", "--date", time.Date(2025, 11, 3+n, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
	}
	const few = 10
	for n := range nights {
		if night(long, n); n == few-1 {
			if err := os.CopyFS(short, os.DirFS(long)); err != nil {
				b.Fatal(err)
			}
		}
	}
	var late, early, status []footprint
	for n := range 9 {
		late, early, status = append(late, night(long, nights+n)), append(early, night(short, few+n)), append(status, spent(long, "status"))
	}
	b.ReportMetric(float64(medians(late).cpu)/float64(medians(early).cpu), "cpu-of-tenth")
	b.ReportMetric(float64(medians(late).memory)/float64(medians(early).memory), "memory-of-tenth")
	b.ReportMetric(medians(late).cpu.Seconds()*1000, "ms-cpu")
	b.ReportMetric(float64(medians(late).memory)/1024, "MiB-peak")
	b.ReportMetric(medians(status).cpu.Seconds()*1000, "ms-cpu-status")
}

// footprint is what a process took: KiB of memory at most.
type footprint struct {
	cpu    time.Duration
	memory int64
}

func medians(all []footprint) (m footprint) {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b footprint) int { return cmp.Compare(a.cpu, b.cpu) })
	m.cpu = all[len(all)/2].cpu
	slices.SortFunc(all, func(a, b footprint) int { return cmp.Compare(a.memory, b.memory) })
	m.memory = all[len(all)/2].memory
	return m
}
