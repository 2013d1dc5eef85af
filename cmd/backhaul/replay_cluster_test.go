//go:build cluster && fleet && linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.temporal.io/api/workflowservice/v1"
)

// replayJob has two targets, asked for by few requests.
const replayJob = `job: shared
vendors: {moz: {requests_per_second: 1000, connections: 8}}
targets: {all: [summit-supply.example, trailhead-co.example]}
extracts:
  - {name: anchors, endpoint: moz/anchor_text, targets: [all], params: {scope: root_domain}}
  - {name: domains, endpoint: moz/linking_root_domains, targets: [all], params: {target_scope: root_domain}, max_rows: 120}
`

// nights buys so many nights, of which each differs from the one before, and returns their names.
func (w *workers) nights(t *testing.T, n int) (names []string) {
	t.Helper()
	for i, date := range nightsToReplay(n) {
		w.vendor.server.SetDay(20 * i)
		backhaul(t, exitComplete, "run", w.job, "--warehouse", w.hosts[0], "--date", date)
		names = append(names, "shared/"+date)
	}
	return names
}

// replay orders the replay of runs.
func (w *workers) replay(t *testing.T, names ...string) *childProcess {
	return startChild(t, append([]string{"replay", "--engine", "temporal", "--heartbeat", shortHeartbeat, "--warehouse", w.hosts[1]}, names...)...)
}

// says waits until a process has said something so often.
func (p *childProcess) says(t *testing.T, text string, times int) {
	t.Helper()
	for begin := time.Now(); strings.Count(p.text(), text) < times; time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatalf("it does not say %q %d times", text, times)
		}
	}
}

// ends waits for the end of a process.
func (p *childProcess) ends(t *testing.T, want int) {
	t.Helper()
	tooLong := time.AfterFunc(2*time.Minute, func() { _ = p.Process.Kill() })
	defer tooLong.Stop()
	_ = p.Wait()
	if got := p.ProcessState.ExitCode(); got != want {
		t.Fatalf("exit %d, want %d", got, want)
	}
}

func TestTemporalsWorkersReplayManyNightsAtOnce(t *testing.T) {
	w := startWorkers(t, replayJob, 0)
	names := w.nights(t, 9)
	want, bought := differing(t, w.hosts[0], len(names)), len(w.vendor.requests())
	begin := func() *childProcess { return w.conductor(t) } // which has the same lake
	one, other := begin(), begin()
	last := fmt.Sprintf("(%d of %[1]d): ", len(names))

	t.Run("twice, whoever is killed", func(t *testing.T) {
		removeAll(t, filepath.Join(w.hosts[0], "lake"))
		order := w.replay(t, names...)
		order.says(t, "): replayed", 1)
		again := w.replay(t, names...)
		order.says(t, "): replayed", 2)
		_ = one.Process.Kill()
		_ = one.Wait()
		one = begin()
		for _, o := range []*childProcess{order, again} {
			o.ends(t, exitComplete)
			if strings.Count(o.text(), "): replayed") != len(names) || !strings.Contains(o.text(), last) {
				t.Error(o.text())
			}
		}
		if !strings.Contains(again.text(), "its replay was under way already") {
			t.Error(again.text())
		}
		replayedAs(t, w.hosts[0], want)
		w.smallHistories(t, names)
	})
	t.Run("where one cannot be", func(t *testing.T) {
		job, date, _ := strings.Cut(names[4], "/")
		book := booksIn(t, w.database.Address("postgres")).Of(job, date)
		unlock, err := book.Lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := book.Remove(t.Context()); err != nil {
			t.Fatal(err)
		}
		unlock()
		removeAll(t, filepath.Join(w.hosts[0], "lake", "moz", "anchor_text", "month=2026-10"))
		order := w.replay(t, append([]string{"shared/2020-01-01"}, names...)...)
		order.ends(t, exitDamaged)
		said := order.text()
		for _, text := range []string{"shared/2020-01-01 (1 of 10): run shared/2020-01-01: no such run", "the journal is missing", "not replayed whole: shared/2020-01-01, " + names[4]} {
			if !strings.Contains(said, text) {
				t.Errorf("it does not say %q: %s", text, said)
			}
		}
		if n := strings.Count(said, "): replayed"); n != len(names)-1 {
			t.Errorf("%d were replayed: %s", n, said)
		}
		replayedAs(t, w.hosts[0], want) // as its own tables were left alone
	})
	t.Run("cancelled", func(t *testing.T) {
		for _, name := range names[:2] { // another process is at work on them, without end
			job, date, _ := strings.Cut(name, "/")
			unlock, err := booksIn(t, w.database.Address("postgres")).Of(job, date).Lock(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer unlock()
		}
		order := w.replay(t, names[0], names[2], names[1])
		order.says(t, "): replayed", 1)
		if err := order.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		order.ends(t, exitInterrupted)
		if said := order.text(); !strings.Contains(said, "(3 of 3): ") || strings.Count(said, "): replayed") != 1 {
			t.Error(said)
		}
		w.replays(t, `WorkflowType = "BackhaulReplay" AND ExecutionStatus = "Canceled"`, 2)
	})
	t.Run("by a worker that is told to stop", func(t *testing.T) {
		order := w.replay(t, names[:4]...)
		for _, p := range []*childProcess{one, other} {
			if err := p.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			p.ends(t, exitComplete)
		}
		begin()
		order.ends(t, exitComplete)
		replayedAs(t, w.hosts[0], want)
	})
	if more := len(w.vendor.requests()) - bought; more != 0 {
		t.Errorf("the vendor was asked %d times", more)
	}
}

// replays returns the workflows that a query finds, by their ids, with how many events they have had, once they are so many.
func (w *workers) replays(t *testing.T, query string, want int) map[string]int64 {
	t.Helper()
	c := w.temporal.Dial(t)
	for begin := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		seen, err := c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: query})
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]int64{}
		for _, x := range seen.Executions {
			all[x.Execution.WorkflowId] = max(all[x.Execution.WorkflowId], x.HistoryLength)
		}
		switch {
		case len(all) == want:
			return all
		case time.Since(begin) > 20*time.Second:
			t.Fatalf("%d workflows, want %d: %v", len(all), want, all)
		}
	}
}

// smallHistories holds how many events the replays have had.
func (w *workers) smallHistories(t *testing.T, names []string) {
	t.Helper()
	all := w.replays(t, `WorkflowType = "BackhaulReplay" AND ExecutionStatus = "Completed" AND BackhaulJob = "shared"`, len(names))
	for _, name := range names {
		if n := all["backhaul/"+name+"/replay"]; n == 0 || n > 20 {
			t.Errorf("%s: %d events", name, n)
		}
	}
}

// TestTemporalsWorkersReplayNightsIntoAStore has hosts with nothing but copies publish into the same tables' months at once.
func TestTemporalsWorkersReplayNightsIntoAStore(t *testing.T) {
	startGateway(t)
	w := startWorkers(t, replayJob, 0)
	w.hosts = []string{storeURL, storeURL}
	copied := clientHost(t)
	names := w.nights(t, 4)
	want := sumsOf(t, copied(), replayTables)
	for _, name := range names {
		backhaul(t, exitComplete, "forget", name, "--warehouse", storeURL)
	}
	if left := len(sumsOf(t, copied(), map[string]string{"moz.anchor_text": ""})); left != 0 {
		t.Fatalf("%d nights are left", left)
	}
	clientHost(t)
	order := w.replay(t, names...)
	order.says(t, "warning: no worker of the warehouse is there on queue backhaul", 1)
	for range 2 {
		clientHost(t)
		w.conductor(t)
	}
	order.ends(t, exitComplete)
	copied = clientHost(t)
	backhaul(t, exitComplete, "query", "select count(*) from moz.anchor_text", "--warehouse", storeURL)
	replayedAs(t, copied(), want)
}
