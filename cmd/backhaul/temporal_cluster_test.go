//go:build cluster && fleet && linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/client"

	"backhaul/pipeline/postgres/postgrestest"
)

// temporalServer is one of Temporal's own, over a SQLite file.
type temporalServer struct {
	file, address string
	cmd           *exec.Cmd
	stdin         io.Closer
}

// startTemporal starts the server that `make cluster-temporal` has built.
func startTemporal(t *testing.T) *temporalServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &temporalServer{file: filepath.Join(t.TempDir(), "temporal.sqlite"), address: l.Addr().String()}
	_ = l.Close()
	s.run(t)
	t.Cleanup(func() { s.kill() })
	setenv(t, "TEMPORAL_ADDRESS", s.address)
	return s
}

func (s *temporalServer) run(t *testing.T) {
	t.Helper()
	binary := os.Getenv("TEMPORAL_SERVER")
	if binary == "" {
		t.Fatal("TEMPORAL_SERVER does not name a server: run `make cluster-temporal`")
	}
	_, port, _ := net.SplitHostPort(s.address)
	s.cmd = exec.Command(binary, "-db", s.file, "-port", port)
	var said bytes.Buffer
	s.cmd.Stderr = &said
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdin, err := s.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if s.stdin = stdin; s.cmd.Start() != nil {
		t.Fatal("start ", binary)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || strings.TrimSpace(line) != s.address {
		_ = s.cmd.Wait()
		t.Fatalf("Temporal said %q, %v: %s", line, err, &said)
	}
}

func (s *temporalServer) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

func (s *temporalServer) dial(t *testing.T) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: s.address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// process is one of the program's, and what it said.
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
	temporal *temporalServer
	vendor   *vendorAccount
	job      string
	hosts    []string // their warehouses
}

const shortHeartbeat = "3s"

func startWorkers(t *testing.T, job string, answerIn time.Duration) *workers {
	t.Helper()
	w := &workers{database: postgrestest.Start(t), temporal: startTemporal(t), vendor: openAccount(t, answerIn)}
	setenv(t, database, w.database.Address("postgres"))
	setenv(t, leaseVariable, "2s")
	dir := t.TempDir()
	w.job = writeFile(t, dir, "job.yaml", job)
	w.hosts = []string{filepath.Join(dir, "lake"), filepath.Join(dir, "another")}
	return w
}

// conductor starts a worker that has the job, buyer one that buys alone.
func (w *workers) conductor(t *testing.T) *childProcess {
	return startChild(t, "worker", w.job, "--warehouse", w.hosts[0])
}

func (w *workers) buyer(t *testing.T) *childProcess {
	return startChild(t, "worker", "--warehouse", w.hosts[1])
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

// complete waits for an order's end.
func complete(t *testing.T, order *childProcess) {
	t.Helper()
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
	complete(t, order)
	w.check(t, want, 0)
	again := w.order(t) // which is complete, and costs nothing
	complete(t, again)
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
