//go:build cluster && fleet && linux

package fleet_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"backhaul/jobs/books"
	"backhaul/jobs/buy/buytest"
	"backhaul/jobs/fleet"
	"backhaul/jobs/fleet/fleettest"
	"backhaul/pipeline/postgres"
	"backhaul/pipeline/postgres/postgrestest"
)

func TestTheEngineOfManyProcessesKeepsItsPromises(t *testing.T) {
	database, temporal := postgrestest.Start(t), fleettest.Start(t).Dial(t)
	n := 0
	buytest.Run(t, func(t *testing.T, from buytest.Sources) buytest.Shop {
		n++
		address, queue := database.Database(t, fmt.Sprint("warehouse_", n)), fmt.Sprint("queue_", n)
		own := booksAt(t, address)
		for i := range 2 {
			work(t, fleet.Worker{
				Client: temporal, Queue: queue, Accounts: []string{"moz of the suite"}, Lists: 2,
				// Nobody asks it to conduct: it runs the workflows.
				Conduct: map[int]fleet.Conduct{0: func(context.Context, fleet.Order, func(fleet.Progress)) (fleet.Report, error) {
					return fleet.Report{}, nil
				}}[i],
				Buyers: &fleet.Buyers{Books: booksAt(t, address), Sources: from, Now: time.Now, Kept: keptIn(t.TempDir())},
			})
		}
		return buytest.Shop{Books: own, Engine: &fleet.Engine{
			Client: temporal, Queue: queue, Books: own, Most: 7, // so that a round takes two workflows
			Account: func(string, string) string { return "moz of the suite" },
			Order:   fleet.Order{Job: buytest.Key.Job, RunDate: buytest.Key.RunDate, Heartbeat: 5 * time.Second},
		}}
	})
	small(t, temporal)
}

// small holds how much the histories of workflows take against how many lists they had.
func small(t *testing.T, c client.Client) {
	t.Helper()
	seen, err := c.DescribeWorkflowExecution(t.Context(), "queue_1/suite/2026-11-23/moz", "")
	if err != nil {
		t.Fatal(err)
	}
	if size := seen.WorkflowExecutionInfo.HistorySizeBytes; size > 7*3000+4000 {
		t.Errorf("the history of seven lists takes %d bytes", size)
	}
}

func keptIn(dir string) func(books.Key) string { return func(books.Key) string { return dir } }

func booksAt(t *testing.T, address string) *books.Database {
	t.Helper()
	server, err := postgres.New(address)
	if err != nil {
		t.Fatal(err)
	}
	b := books.InDatabase(server)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// work has a worker take work until the test is over.
func work(t *testing.T, w fleet.Worker) {
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var working sync.WaitGroup
	working.Go(func() {
		if err := w.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		working.Wait()
	})
}
