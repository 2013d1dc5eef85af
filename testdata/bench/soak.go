package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// kind is a way of buying: runs of one kind ought to cost alike.
type kind struct {
	name, vendor string
	latency      time.Duration
}

var kinds = []kind{
	{"8 connections, answered at once", "{requests_per_second: 1000000, connections: 8}", 0},
	{"64 connections, answered in 2 ms", "{requests_per_second: 1000000, connections: 64}", 2 * time.Millisecond},
	{"8 connections, 300 requests/s", "{requests_per_second: 300, connections: 8}", time.Millisecond},
}

const (
	soakTargets, soakRows = 50, 1000
	soakPages             = soakTargets * soakRows / perPage
	// soakNights is after how many nights a new warehouse is begun: they grow.
	soakNights = 30
)

// cost is that of a run.
type cost struct {
	micros  float64 // of CPU a page, of the whole process
	profile string
}

// soak buys the same lists in each way, over and over for so long, prints how the CPU a page is distributed, and keeps the profile of the
// costliest run: one run among many that costs a multiple of its like is a fault that no median shows.
func (b *bench) soak(length time.Duration, out io.Writer) error {
	costs, worst := make([][]cost, len(kinds)), make([]cost, len(kinds))
	for begin, n := time.Now(), 0; time.Since(begin) < length && b.ctx.Err() == nil; n++ {
		for i, k := range kinds {
			one, err := b.soakOnce(k, n, filepath.Join(b.dir, fmt.Sprintf("soak-%d", i)))
			if b.ctx.Err() != nil {
				break
			}
			if err == nil {
				err = keepWorst(&worst[i], one, filepath.Join("bin", fmt.Sprintf("soak-%d.pprof", i+1)))
			}
			if err != nil {
				return err
			}
			costs[i] = append(costs[i], one)
		}
	}
	fmt.Fprintf(out, "CPU a page in us, of whole processes that buy %d pages and load them\n", soakPages)
	fmt.Fprintf(out, "%-34s %6s %7s %7s %7s %7s %7s %10s  %s\n", "", "runs", "least", "median", "90 %", "99 %", "most", "to median", "its profile")
	for i, k := range kinds {
		fmt.Fprintln(out, distribution(k.name, costs[i], worst[i]))
	}
	return nil
}

// soakOnce is the nth night of a kind, in a warehouse that others of it may have left there.
func (b *bench) soakOnce(k kind, n int, dir string) (cost, error) {
	first := n%soakNights == 0
	if first {
		if err := os.RemoveAll(dir); err != nil {
			return cost{}, err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return cost{}, err
	}
	spec, _, err := job(dir, k.vendor, targets(soakTargets, soakRows))
	if err != nil {
		return cost{}, err
	}
	b.server.begin(k.latency)
	date := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n%soakNights).Format(time.DateOnly)
	profile := filepath.Join(dir, "cpu.pprof")
	run := func(date string) (spent, error) {
		return b.backhaul(0, "run", spec, "--yes", "--date", date, "--warehouse", filepath.Join(dir, "w"), "--no-compact", "--cpuprofile", profile)
	}
	if first { // the first night of a warehouse makes the catalog too, and is not like the others
		if _, err := run("2025-12-31"); err != nil {
			return cost{}, err
		}
	}
	took, err := run(date)
	return cost{micros: float64(took.cpu.Microseconds()) / soakPages, profile: profile}, err
}

// keepWorst keeps the profile of a run that costs more than any before.
func keepWorst(worst *cost, one cost, path string) error {
	if one.micros <= worst.micros {
		return nil
	}
	text, err := os.ReadFile(one.profile)
	*worst = cost{one.micros, path}
	return errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, text, 0o644))
}

// distribution is a row of the table.
func distribution(name string, costs []cost, worst cost) string {
	if len(costs) == 0 {
		return fmt.Sprintf("%-34s %6d", name, 0)
	}
	all := make([]float64, len(costs))
	for i, n := range costs {
		all[i] = n.micros
	}
	slices.Sort(all)
	at := func(percent int) float64 { return all[(len(all)-1)*percent/100] }
	return fmt.Sprintf("%-34s %6d %7.0f %7.0f %7.0f %7.0f %7.0f %10.2f  %s", name, len(all), at(0), at(50), at(90), at(99), at(100), at(100)/at(50), worst.profile)
}
