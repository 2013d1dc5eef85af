//go:build cluster && linux

package postgres_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/pipeline/limit"
	"backhaul/pipeline/postgres"
)

// rateVariable has the test of the rate take another while than its few seconds.
const rateVariable = "BACKHAUL_RATE_TEST"

func TestTheRateOfAnAccountIsThatOfAllHosts(t *testing.T) {
	took, perSecond := 10*time.Second, 20.0
	if d, err := time.ParseDuration(os.Getenv(rateVariable)); err == nil {
		took = d
	}
	_, address := database(t)
	ctx, stop := context.WithTimeout(t.Context(), took+time.Second)
	defer stop()
	var mu sync.Mutex
	var sent []time.Time
	var all sync.WaitGroup
	for range 3 { // hosts
		server, err := postgres.New(address)
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		fleet, err := server.Fleet(ctx)
		if err != nil {
			t.Fatal(err)
		}
		gate := limit.New(limit.Config{PerSecond: perSecond, Connections: 16, Pacer: fleet.Slots("moz of tests")})
		for range 16 {
			all.Go(func() {
				for {
					pass, err := gate.Admit(ctx, 0, 0)
					if err != nil {
						return
					}
					mu.Lock()
					sent = append(sent, time.Now())
					mu.Unlock()
					time.Sleep(20 * time.Millisecond) // the vendor's answer
					pass.Settle(0)
				}
			})
		}
	}
	all.Wait()
	first, n := sent[0], 0
	for _, at := range sent {
		if at.Sub(first) < took {
			n++
		}
	}
	want := perSecond * took.Seconds()
	t.Logf("%d requests in %v, at %v a second %v", n, took, perSecond, want)
	least := 0.98
	if took < time.Minute {
		least = 0.9 // a busy machine is late, and what is lost of so short a while is a larger part of it
	}
	if float64(n) > want*1.02 || float64(n) < want*least {
		t.Errorf("%d requests in %v, where %v a second are %v", n, took, perSecond, want)
	}
	// A request that this machine has delayed is followed by others that it has not: a short while may have a few more.
	for i := 4 * int(perSecond); i < len(sent); i++ {
		if took := sent[i].Sub(sent[i-4*int(perSecond)]); took < 3600*time.Millisecond {
			t.Errorf("%v requests in %v", 4*perSecond, took)
			break
		}
	}
}

// BenchmarkAppend is what a page takes, 16 connections at once, in a database and in a file: cpu-µs are this process's own.
func BenchmarkAppend(b *testing.B) {
	header := journal.Header{RunID: "r", Job: "nightly", RunDate: "2026-11-23", Created: time.Now()}
	b.Run("file", func(b *testing.B) {
		j, err := journal.Open(b.Context(), filepath.Join(b.TempDir(), "j.sqlite"), header)
		if err != nil {
			b.Fatal(err)
		}
		appendPages(b, j)
	})
	b.Run("database", func(b *testing.B) {
		s, err := postgres.New(server.Database(b, fmt.Sprint("bench_", names.Add(1))))
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		fleet, lease := leased(b, s)
		db, err := fleet.OpenJournal(b.Context(), run, journal.Layout, lease.Guard)
		if err != nil {
			b.Fatal(err)
		}
		j, err := journal.In(b.Context(), db, header)
		if err != nil {
			b.Fatal(err)
		}
		appendPages(b, j)
	})
}

func appendPages(b *testing.B, j *journal.Journal) {
	const tasks = 16
	for i := range tasks {
		if err := j.AddTasks(b.Context(), []pipeline.Task{{ID: fmt.Sprint(i), Extract: "x"}}); err != nil {
			b.Fatal(err)
		}
	}
	var body []byte
	for i := range 50 {
		body = fmt.Appendf(body, `{"anchor_text":"anchor %d of many","external_root_domains":%d,"external_pages":%d},`, i*7919, i*i, i*i*31)
	}
	b.ResetTimer()
	before := cpu()
	var all sync.WaitGroup
	for i := range tasks {
		all.Go(func() {
			for seq := 0; seq*tasks+i < b.N; seq++ {
				if err := j.Append(b.Context(), fmt.Sprint(i), pipeline.Page{Seq: seq, Units: 50, Rows: 50, FetchedAt: time.Now(), Body: body, Request: []byte("{}")}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pages/s")
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/page")
	if err := j.Close(); err != nil {
		b.Error(err)
	}
}

// cpu is what this process has used.
func cpu() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
