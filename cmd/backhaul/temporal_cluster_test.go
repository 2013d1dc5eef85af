//go:build cluster && fleet && linux

package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"backhaul/jobs/fleet/fleettest"
	"backhaul/pipeline/emulator"
	"backhaul/pipeline/postgres/postgrestest"
)

// childProcess is one of the program's, and what it has said so far.
type childProcess struct {
	*exec.Cmd
	mu   sync.Mutex
	said bytes.Buffer
}

func (p *childProcess) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.Write(text)
}

func (p *childProcess) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// startChild starts the program with the variables of the test.
func startChild(t *testing.T, args ...string) *childProcess {
	t.Helper()
	self, err := exec.LookPath("backhaul") // which TestMain has put there
	if err != nil {
		t.Fatal(err)
	}
	p := &childProcess{Cmd: exec.Command(self, args...)}
	p.Env, p.Stdout, p.Stderr = processEnviron(t), p, p
	p.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Process.Kill()
		_ = p.Wait()
		if t.Failed() {
			t.Logf("%v: %s", args, p.text())
		}
	})
	return p
}

// workers are a run's: a database, Temporal, a vendor, and two hosts, of which the first has the lake and the job.
type workers struct {
	database *postgrestest.Server
	temporal *fleettest.Server
	vendor   *vendorAccount
	job      string
	hosts    []string // their warehouses
	started  []*childProcess
}

const shortHeartbeat = "3s"

func startWorkers(t *testing.T, job string, answerIn time.Duration) *workers {
	t.Helper()
	w := &workers{database: postgrestest.Start(t), temporal: fleettest.Start(t), vendor: openAccount(t, answerIn)}
	setenv(t, database, w.database.Address("postgres"))
	setenv(t, leaseVariable, "2s")
	setenv(t, "TEMPORAL_ADDRESS", w.temporal.Address)
	dir := t.TempDir()
	w.job = writeFile(t, dir, "job.yaml", job)
	w.hosts = []string{filepath.Join(dir, "lake"), filepath.Join(dir, "another")}
	return w
}

// conductor starts a worker that has the job, buyer one that buys alone.
func (w *workers) conductor(t *testing.T) *childProcess {
	return w.ready(t, startChild(t, "worker", w.job, "--lists", "2", "--warehouse", w.hosts[0]))
}

func (w *workers) buyer(t *testing.T) *childProcess {
	return w.ready(t, startChild(t, "worker", "--lists", "2", "--warehouse", w.hosts[1]))
}

// ready waits until a worker says that it is.
func (w *workers) ready(t *testing.T, p *childProcess) *childProcess {
	t.Helper()
	w.started = append(w.started, p)
	for begin := time.Now(); !strings.Contains(p.text(), "Ctrl-C stops it"); time.Sleep(10 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatal(p.text())
		}
	}
	return p
}

// order orders the run and waits for it.
func (w *workers) order(t *testing.T) *childProcess {
	return startChild(t, "run", w.job, "--engine", "temporal", "--date", fleetDate, "--heartbeat", shortHeartbeat, "--warehouse", w.hosts[1])
}

// requests waits until the vendor was asked so often.
func (w *workers) requests(t *testing.T, n int) {
	t.Helper()
	for begin := time.Now(); len(w.vendor.requests()) < n; {
		if time.Since(begin) > time.Minute {
			t.Fatalf("the vendor was asked %d times", len(w.vendor.requests()))
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// complete waits for an order's end. One that does not come to it fails with what Temporal has under way, what the database has, and
// where each worker is.
func (w *workers) complete(t *testing.T, order *childProcess) {
	t.Helper()
	tooLong := time.AfterFunc(3*time.Minute, func() {
		t.Errorf("the database: %s", w.database.Sessions())
		for _, p := range w.started {
			_ = p.Process.Signal(syscall.SIGQUIT)
		}
		for _, id := range []string{"", "/moz"} {
			seen, err := w.temporal.Dial(t).DescribeWorkflow(t.Context(), "backhaul/shared/"+fleetDate+id, "")
			if err == nil {
				t.Errorf("it does not come to its end: %v", seen.RawResponse)
			}
		}
		_ = order.Process.Kill()
	})
	defer tooLong.Stop()
	if err := order.Wait(); err != nil {
		t.Fatalf("%v: %s", err, order.text())
	}
}

// check holds rows and money against those of one process, and how many pages were bought again.
func (w *workers) check(t *testing.T, want map[string]rowsum, mostAgain int) {
	t.Helper()
	if diff := cmp.Diff(want, sumsOf(t, w.hosts[0], fleetTables), cmp.AllowUnexported(rowsum{})); diff != "" {
		t.Error(diff)
	}
	m := w.vendor.server.Meter()
	t.Logf("%d pages, %d of them again, %d wasted", m.Pages, m.DuplicatePages, m.WastePages)
	if again := m.DuplicatePages + m.WastePages; again > mostAgain {
		t.Errorf("%d pages were bought again, where %d may have been under way", again, mostAgain)
	}
	checkMoney(t, spendsIn(t, w.database.Address("postgres")), m)
	checkRate(t, w.vendor.requests())
}

// workersJob has four lists at a time at a rate at which a run takes some seconds.
func workersJob(perSecond int) string {
	return strings.Replace(fleetJob("shared", perSecond, "summit-supply.example", "trailhead-co.example", "quietpeak.example"), fmt.Sprintf("connections: %d", fleetConnections), "connections: 4", 1)
}

// byOneProcess is what one process has of a job.
func byOneProcess(t *testing.T, job string) (sums map[string]rowsum) {
	t.Run("one process", func(t *testing.T) {
		openAccount(t, 0)
		dir := t.TempDir()
		backhaul(t, exitComplete, "run", writeFile(t, dir, "job.yaml", strings.Replace(job, fmt.Sprintf("requests_per_second: %d", fleetPerSecond), "requests_per_second: 1000", 1)), "--warehouse", dir, "--date", fleetDate)
		sums = sumsOf(t, dir, fleetTables)
	})
	return sums
}

func TestByTemporalTheRowsAndTheMoneyAreThoseOfOneProcess(t *testing.T) {
	want := byOneProcess(t, workersJob(fleetPerSecond))
	w := startWorkers(t, workersJob(fleetPerSecond), 0)
	one, another := w.conductor(t), w.buyer(t)
	order := w.order(t)
	w.complete(t, order)
	w.check(t, want, 0)
	t.Log(order.text())
	w.look(t, w.temporal.Dial(t))
	again := w.order(t) // which is complete, and costs nothing
	w.complete(t, again)
	w.check(t, want, 0)
	for _, p := range []*childProcess{one, another} {
		if err := p.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := p.Wait(); err != nil {
			t.Errorf("a worker that was told to stop: %v: %s", err, p.text())
		}
	}
}

// TestByTemporalIntoAStoreTheRowsAndTheMoneyAreThoseOfOneProcess has nothing on any host but copies: the books are in PostgreSQL, the tables
// Iceberg's in an S3, and Temporal's workers, each with a cache of its own, carry the run out.
func TestByTemporalIntoAStoreTheRowsAndTheMoneyAreThoseOfOneProcess(t *testing.T) {
	want := byOneProcess(t, workersJob(fleetPerSecond))
	startGateway(t)
	w := startWorkers(t, workersJob(fleetPerSecond), 0)
	w.hosts = []string{storeURL, storeURL}
	for _, start := range []func(*testing.T) *childProcess{w.conductor, w.buyer} {
		clientHost(t)
		start(t)
	}
	for range 2 { // again it is complete, and costs nothing
		clientHost(t)
		w.complete(t, w.order(t))
	}
	copied := clientHost(t)
	backhaul(t, exitComplete, "query", "select count(*) from moz.anchor_text", "--warehouse", storeURL)
	w.hosts[0] = copied()
	w.check(t, want, 0)
}

// look holds what Temporal has of the run: it is found by its job, no secret is in its history, and both workers bought.
func (w *workers) look(t *testing.T, c client.Client) {
	t.Helper()
	var found []*workflowpb.WorkflowExecutionInfo
	for begin := time.Now(); len(found) < 2 && time.Since(begin) < 20*time.Second; time.Sleep(100 * time.Millisecond) {
		all, err := c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
			Query: fmt.Sprintf(`BackhaulJob = "shared" AND BackhaulRunDate = "%s" AND BackhaulVendor = "moz"`, fleetDate)})
		if err != nil {
			t.Fatal(err)
		}
		found = all.Executions
	}
	if len(found) != 2 {
		t.Fatalf("%d workflows are found by their job, a run and its lists are two", len(found))
	}
	buyers := map[string]bool{}
	for _, x := range found {
		for events := c.GetWorkflowHistory(t.Context(), x.Execution.WorkflowId, x.Execution.RunId, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
			e, err := events.Next()
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{emulator.DefaultToken, postgrestest.Password} {
				if strings.Contains(e.String(), secret) {
					t.Errorf("a secret is in the history: %s", e)
				}
			}
			if started := e.GetActivityTaskStartedEventAttributes(); started != nil && x.Type.Name == "BackhaulLists" {
				buyers[started.Identity] = true
			}
		}
	}
	if len(buyers) != 2 {
		t.Errorf("it was bought by %v", buyers)
	}
}

// killedPerSecond makes a run take some ten seconds, in which something happens to it.
const killedPerSecond = 20

func TestAKilledWorkerOfTemporalsCostsNoMoreThanTheRepliesUnderWay(t *testing.T) {
	want := byOneProcess(t, workersJob(fleetPerSecond))
	for name, conducts := range map[string]bool{"that buys": false, "that conducts": true} {
		t.Run(name, func(t *testing.T) {
			w := startWorkers(t, workersJob(killedPerSecond), 30*time.Millisecond)
			conductor, buyer := w.conductor(t), w.buyer(t)
			order := w.order(t)
			w.requests(t, 60)
			victim := buyer
			if conducts {
				victim = conductor
			}
			_ = victim.Process.Kill()
			_ = victim.Wait()
			if conducts {
				w.conductor(t)
			}
			w.complete(t, order)
			w.check(t, want, 4)
		})
	}
}

func TestAWorkerOfTemporalsThatStoodStillWritesNothing(t *testing.T) {
	want := byOneProcess(t, workersJob(fleetPerSecond))
	for name, conducts := range map[string]bool{"one that buys": false, "one that conducts": true} {
		t.Run(name, func(t *testing.T) {
			w := startWorkers(t, workersJob(killedPerSecond), 30*time.Millisecond)
			still := w.conductor(t)
			if !conducts {
				still = w.buyer(t)
			}
			order := w.order(t)
			w.requests(t, 60)
			if err := still.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			if conducts {
				w.conductor(t) // which has the same lake
			}
			w.complete(t, order)
			before, requests := spendsIn(t, w.database.Address("postgres")), len(w.vendor.requests())
			for _, signal := range []syscall.Signal{syscall.SIGCONT, syscall.SIGTERM} { // it ends when it has nothing under way any more
				if err := still.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
			}
			_ = still.Wait()
			if more := len(w.vendor.requests()) - requests; more != 0 {
				t.Errorf("it made %d requests more", more)
			}
			if diff := cmp.Diff(before, spendsIn(t, w.database.Address("postgres"))); diff != "" {
				t.Error(diff)
			}
			w.check(t, want, 4)
			backhaul(t, exitComplete, "doctor", "--warehouse", w.hosts[0])
		})
	}
}

func TestARunOutlivesTemporal(t *testing.T) {
	want := byOneProcess(t, workersJob(fleetPerSecond))
	w := startWorkers(t, workersJob(killedPerSecond), 0)
	w.conductor(t)
	w.buyer(t)
	order := w.order(t)
	for _, requests := range []int{40, 120} {
		w.requests(t, requests)
		w.temporal.Kill()
		time.Sleep(500 * time.Millisecond) // in which nobody is told anything
		w.temporal.Run(t)
	}
	w.complete(t, order)
	w.check(t, want, 0)
}

func TestARunThatIsCancelledInTemporalEntersWhatIsUnderWayAndGoesOn(t *testing.T) {
	want := byOneProcess(t, workersJob(fleetPerSecond))
	w := startWorkers(t, workersJob(killedPerSecond), 30*time.Millisecond)
	w.conductor(t)
	w.buyer(t)
	order := w.order(t)
	w.requests(t, 40)
	if err := w.temporal.Dial(t).CancelWorkflow(t.Context(), "backhaul/shared/"+fleetDate, ""); err != nil {
		t.Fatal(err)
	}
	_ = order.Wait()
	if status := order.ProcessState.ExitCode(); status != exitInterrupted {
		t.Errorf("exit %d: %s", status, order.text())
	}
	seen, err := w.temporal.Dial(t).DescribeWorkflowExecution(t.Context(), "backhaul/shared/"+fleetDate, "")
	if err != nil {
		t.Fatal(err)
	}
	if status := seen.WorkflowExecutionInfo.Status; status != enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED {
		t.Errorf("Temporal has it as %v", status)
	}
	if said := backhaul(t, exitComplete, "status", "--warehouse", w.hosts[0]); !strings.Contains(said, "incomplete") {
		t.Error(said)
	}
	if m := w.vendor.server.Meter(); m.Pages >= 200 {
		t.Errorf("%d pages were bought all the same", m.Pages)
	}
	again := w.order(t)
	w.requests(t, 80)
	if err := again.Process.Signal(syscall.SIGTERM); err != nil { // of who waits
		t.Fatal(err)
	}
	_ = again.Wait()
	if status := again.ProcessState.ExitCode(); status != exitInterrupted {
		t.Errorf("exit %d: %s", status, again.text())
	}
	w.complete(t, w.order(t))
	w.check(t, want, 0)
}

func TestAScheduleOfTemporalsRunsAJobUnderItsDate(t *testing.T) {
	w := startWorkers(t, workersJob(200), 0)
	w.conductor(t)
	said := backhaul(t, exitComplete, "schedule", w.job, "--cron", "0 3 * * *")
	if !strings.Contains(said, "shared: next") || !strings.Contains(said, "03:00:00 UTC") {
		t.Error(said)
	}
	handle := w.temporal.Dial(t).ScheduleClient().GetHandle(t.Context(), "backhaul/shared")
	if err := handle.Trigger(t.Context(), client.ScheduleTriggerOptions{}); err != nil {
		t.Fatal(err)
	}
	run := "shared/" + time.Now().UTC().Format(time.DateOnly)
	for begin := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		var out bytes.Buffer
		_ = Main(t.Context(), inTest(t, &out, &out, "status", run, "--json", "--warehouse", w.hosts[0])) // there is none at first
		if strings.Contains(out.String(), `"state": "complete"`) {
			break
		}
		if time.Since(begin) > time.Minute {
			t.Fatal(out.String())
		}
	}
	for flag, want := range map[string]string{"--pause": "paused", "--resume": "next"} {
		if said := backhaul(t, exitComplete, "schedule", w.job, flag); flag == "--pause" && !strings.Contains(said, want) {
			t.Errorf("%s: %s", flag, said)
		}
	}
	backhaul(t, exitComplete, "schedule", w.job, "--cron", "30 4 * * *", "--zone", "Europe/Berlin")
	backhaul(t, exitComplete, "schedule", w.job, "--remove")
	backhaul(t, exitFailed, "schedule", w.job)
}

func TestAWorkerOfTemporalsRefusesWhatItDoesNotHave(t *testing.T) {
	w := startWorkers(t, workersJob(200), 0)
	w.conductor(t)
	for name, want := range map[string]string{
		"other": "the worker was not started with job other", "shared": "is not what this run was ordered by",
	} {
		job := writeFile(t, t.TempDir(), name+".yaml", fleetJob(name, 199, "summit-supply.example"))
		var out bytes.Buffer
		args := []string{"run", job, "--engine", "temporal", "--date", fleetDate, "--warehouse", w.hosts[1]}
		if status := Main(t.Context(), inTest(t, &out, &out, args...)); status != exitUsage || !strings.Contains(out.String(), want) {
			t.Errorf("%s: exit %d: %s", name, status, &out)
		}
	}
	if n := len(w.vendor.requests()); n != 0 {
		t.Errorf("the vendor was asked %d times", n)
	}
	setenv(t, database, "")
	backhaul(t, exitUsage, "run", w.job, "--engine", "temporal", "--warehouse", w.hosts[1]) // its books are files, which no host shares
}

func TestARunByTemporalOutlivesTheDatabase(t *testing.T) {
	want := byOneProcess(t, workersJob(fleetPerSecond))
	w := startWorkers(t, workersJob(killedPerSecond), 30*time.Millisecond)
	w.conductor(t)
	w.buyer(t)
	order := w.order(t)
	const kills = 2
	for i := range kills {
		w.requests(t, 40+60*i)
		_ = w.database.Kill()
		time.Sleep(300 * time.Millisecond) // in which nothing can be entered
		if err := w.database.Run(); err != nil {
			t.Fatal(err)
		}
	}
	w.complete(t, order)
	w.check(t, want, 4*kills) // what one host has kept another buys again
}
