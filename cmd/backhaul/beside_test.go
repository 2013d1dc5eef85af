package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestCommandsBesideOthersFindNothingWrong loads nights anew and merges their month, over and over, while others look at everything,
// ask, and export.
func TestCommandsBesideOthersFindNothingWrong(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	dates := []string{wardDate, "2026-11-22", "2026-11-24"}
	for _, date := range dates[1:] {
		backhaul(t, exitComplete, "run", w.job, "--warehouse", w.warehouse, "--date", date)
	}
	must := func(want string, args ...string) {
		if status, said := w.try(args...); status == exitTryLater {
			return // the same run, or month, at once
		} else if status != exitComplete || !strings.Contains(said, want) {
			t.Errorf("backhaul %s: exit %d, without %q\n%s", strings.Join(args, " "), status, want, said)
		}
	}
	done := make(chan struct{})
	var writers, readers sync.WaitGroup
	for _, date := range dates {
		writers.Go(func() {
			for range 2 {
				must("", "replay", "measured/"+date)
			}
		})
	}
	writers.Go(func() {
		for range 3 {
			must("", "compact", "--month", "2026-11")
		}
	})
	for _, look := range []func(){
		func() { must("", "doctor") },
		func() {
			must(fmt.Sprintf("rows\n%d\n", 3*wardRows), "query", "--format", "csv", "select count(*) as rows from moz.anchor_text")
		},
		func() { must("", "export", "ops.tasks", "--format", "csv") },
		func() { must("measured", "status") },
	} {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					look()
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	must("", "doctor")
}
