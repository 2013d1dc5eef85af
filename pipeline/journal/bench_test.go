//go:build unix

package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"backhaul/pipeline"
)

// BenchmarkIntend is what entering the tasks of a large run takes, by task: of one that begins, and of one that goes on.
func BenchmarkIntend(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			tasks := make([]pipeline.Task, n)
			for i := range tasks {
				target := fmt.Sprintf("t%d.example", i)
				tasks[i] = pipeline.Task{Extract: "anchors", Endpoint: "moz/anchor_text", Surface: "v2", Target: target, TargetAsGiven: target, Scope: "root_domain", Params: `{"scope":"root_domain"}`}
				tasks[i].ID = pipeline.TaskID(tasks[i])
			}
			for b.Loop() {
				dir, err := os.MkdirTemp("", "")
				if err != nil {
					b.Fatal(err)
				}
				for _, name := range []string{"new", "again"} {
					before := used()
					j, err := Open(b.Context(), filepath.Join(dir, "j.sqlite"), Header{RunID: "r", Job: "j", RunDate: "2026-11-23"})
					if err == nil {
						err = j.Intend(b.Context(), tasks)
					}
					if err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(float64((used()-before).Microseconds())/float64(n), name+"-cpu-µs/task")
					if err := j.Close(); err != nil {
						b.Fatal(err)
					}
				}
				if err := os.RemoveAll(dir); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// used is what this process has used of the processor.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
