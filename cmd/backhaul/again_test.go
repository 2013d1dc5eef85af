package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"backhaul/jobs"
	"backhaul/jobs/run"
	"backhaul/pipeline/emulator"
	"backhaul/pipeline/engine"
	"backhaul/pipeline/vendors/mozrpc"
	"backhaul/sinks"
)

const batchJob = `job: batches
vendors: {moz: {surface: rpc}}
targets: {all: [trailhead-co.example, pinecone-packs.example, tiny-tarps.example, quietpeak.example, rivalgear.example, summit-supply.example]}
extracts:
  - {name: metrics, endpoint: moz/url_metrics, targets: [all], params: {distributions: true}}
`

// The promise of the exit status: while a target of a batch is without an answer the run is incomplete and says which, and
// running it again buys that target alone, until all are there and every answer was paid for once.
func TestARunIsIncompleteUntilEveryTargetOfABatchHasItsAnswer(t *testing.T) {
	t.Parallel()
	spec, problems := jobs.Load(writeFile(t, t.TempDir(), "batches.yaml", batchJob), builtIn, jobs.Access{})
	if spec == nil {
		t.Fatal(problems)
	}
	resumed := 0
	for seed := range uint64(8) {
		warehouse := filepath.Join(t.TempDir(), "w")
		synctest.Test(t, func(t *testing.T) {
			server := emulator.New(emulator.Options{Faults: emulator.Faults{Item: 0.6, Seed: seed}})
			client, done := overPipes(t, server)
			defer done()
			v := buying(client)
			for n := range 30 {
				ready, err := (&loadedJob{spec}).resolve(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), v)
				if err != nil {
					t.Fatal(err)
				}
				r, err := run.Run(context.Background(), *ready, run.Options{Warehouse: sinks.Warehouse{Root: warehouse}, Lake: noLake{},
					NewID: fmt.Sprint("run-", n), Retry: engine.Retry{Attempts: 1}})
				if err != nil {
					t.Fatal(err)
				}
				a := accountOf(r)
				if a.units != server.Meter().Rows || a.waste+a.maybe != 0 {
					t.Fatalf("seed %d: the run says it bought %+v, the vendor %d rows", seed, a, server.Meter().Rows)
				}
				if left := r.Incomplete(); len(left) > 0 {
					if a.units == 12 || !strings.Contains(left[0].Error, "Moz fails at ") {
						t.Fatalf("seed %d: incomplete with %d units: %s", seed, a.units, left[0].Error)
					}
					if a.units > 0 {
						resumed++
					}
					continue
				}
				if a.units != 12 || r.Rejected() != 0 {
					t.Errorf("seed %d: complete with %d units and %d rejected rows, want the metrics and distributions of 6 targets", seed, a.units, r.Rejected())
				}
				return
			}
			t.Errorf("seed %d: never complete", seed)
		})
		backhaul(t, 0, "replay", "--job", "batches", "--date", "2026-11-23", "--warehouse", warehouse)
		type count struct{ Metrics, Distributed int64 }
		n := ask[count](t, warehouse, `select (select count(distinct target) from moz.url_metrics) as Metrics,
			(select count(distinct target) from moz.url_metrics_distribution) as Distributed`)[0]
		if n != (count{6, 6}) {
			t.Errorf("seed %d: of 6 targets %+v are there", seed, n)
		}
	}
	if resumed == 0 {
		t.Error("no run had to go on with part of a batch: the test proves little")
	}
}

// overPipes is a client of the vendor that needs no network.
func overPipes(t *testing.T, h http.Handler) (client *mozrpc.Client, done func()) {
	t.Helper()
	wires := newPipeNet()
	server := &http.Server{Handler: h}
	served := make(chan error, 1)
	go func() { served <- server.Serve(wires) }()
	client, err := mozrpc.New(mozrpc.Config{BaseURL: "http://127.0.0.1/jsonrpc", Token: emulator.DefaultToken, HTTP: mozrpc.HTTP{Dial: wires.dial}})
	if err != nil {
		t.Fatal(err)
	}
	return client, func() {
		client.Close()
		_ = server.Close()
		<-served
	}
}
