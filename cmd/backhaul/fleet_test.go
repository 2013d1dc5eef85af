//go:build cluster

package main

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/jobs/ledger"
	"backhaul/pipeline/emulator"
	"backhaul/pipeline/postgres/postgrestest"
)

const (
	fleetConnections = 16
	fleetPerSecond   = 40
	fleetDate        = "2026-11-23"
)

var fleetTables = map[string]string{"moz.anchor_text": "run_id, fetched_at", "moz.linking_root_domains": "run_id, fetched_at"}

func fleetJob(name string, perSecond int, targets ...string) string {
	return fmt.Sprintf(`job: %s
vendors: {moz: {requests_per_second: %d, connections: %d}}
budget: {moz: {warehouse_month: 5000}}
targets: {all: [%s]}
extracts:
  - {name: anchors, endpoint: moz/anchor_text, targets: [all], params: {scope: root_domain, limit: 4}}
  - {name: domains, endpoint: moz/linking_root_domains, targets: [all], params: {target_scope: root_domain, limit: 4}, max_rows: 120}
`, name, perSecond, fleetConnections, strings.Join(targets, ", "))
}

// vendorAccount is a vendor's, with a meter of when it was asked.
type vendorAccount struct {
	server *emulator.Server
	http   *httptest.Server
	mu     sync.Mutex
	asked  []time.Time
}

func openAccount(t *testing.T, answerIn time.Duration) *vendorAccount {
	a := &vendorAccount{server: emulator.New(emulator.Options{})}
	a.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.asked = append(a.asked, time.Now())
		a.mu.Unlock()
		reply := httptest.NewRecorder()
		a.server.ServeHTTP(reply, r)
		time.Sleep(answerIn)
		maps.Copy(w.Header(), reply.Header())
		w.WriteHeader(reply.Code)
		_, _ = w.Write(reply.Body.Bytes())
	}))
	t.Cleanup(a.http.Close)
	setenv(t, "BACKHAUL_MOZ_V2_URL", a.http.URL+"/v2")
	setenv(t, "MOZ_TOKEN", emulator.DefaultToken)
	return a
}

func (a *vendorAccount) requests() []time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]time.Time{}, a.asked...)
}

// host is a machine with a disk of its own.
type host struct {
	job, warehouse string
	kills          int
}

func (h *host) start(t *testing.T, out *bytes.Buffer) *exec.Cmd {
	t.Helper()
	self, err := exec.LookPath("backhaul") // which TestMain has put there
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "run", h.job, "--warehouse", h.warehouse, "--date", fleetDate)
	cmd.Env = processEnviron(t)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// complete runs the job until it is complete, and kills it some times on the way. It returns what went wrong.
func (h *host) complete(t *testing.T, random *rand.Rand, mostKills int) error {
	for range 300 {
		var out bytes.Buffer
		cmd := h.start(t, &out)
		if h.kills < mostKills {
			kill := time.AfterFunc(time.Duration(500+random.IntN(2500))*time.Millisecond, func() { _ = cmd.Process.Kill() })
			defer kill.Stop()
		}
		_ = cmd.Wait()
		switch status := cmd.ProcessState.Sys().(syscall.WaitStatus); {
		case status.Signaled():
			h.kills++
		case status.ExitStatus() == exitComplete:
			return nil
		case status.ExitStatus() != exitTryLater:
			return fmt.Errorf("%s: exit %d: %s", h.job, status.ExitStatus(), &out)
		default:
			time.Sleep(200 * time.Millisecond)
		}
	}
	return fmt.Errorf("%s does not come to its end", h.job)
}

func TestTwoHostsOfADatabaseBuyExactlyWhateverIsKilled(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dir := t.TempDir()
	jobs := map[string]string{
		"east": writeFile(t, dir, "east.yaml", fleetJob("east", fleetPerSecond, "summit-supply.example", "trailhead-co.example")),
		"west": writeFile(t, dir, "west.yaml", fleetJob("west", fleetPerSecond, "pinecone-packs.example", "tiny-tarps.example", "quietpeak.example")),
	}
	undisturbed := map[string]map[string]rowsum{}
	for name, job := range jobs {
		t.Run("undisturbed "+name, func(t *testing.T) {
			openAccount(t, 0)
			w := filepath.Join(dir, "calm-"+name)
			backhaul(t, exitComplete, "run", job, "--warehouse", w, "--date", fleetDate)
			undisturbed[name] = sumsOf(t, w, fleetTables)
		})
	}
	for name, mostKills := range map[string]int{"processes and the server": 4, "the server alone": 0} {
		t.Run(name, func(t *testing.T) { killFleet(t, jobs, undisturbed, seed, mostKills) })
	}
}

// killFleet has each of the jobs bought by a host of its own, whose processes are killed, as the server is.
func killFleet(t *testing.T, jobs map[string]string, undisturbed map[string]map[string]rowsum, seed uint64, mostKills int) {
	server := postgrestest.Start(t)
	setenv(t, database, server.Address("postgres"))
	setenv(t, leaseVariable, "1500ms")
	vendor := openAccount(t, 30*time.Millisecond)

	hosts, errs := map[string]*host{}, make(chan error, len(jobs)+1)
	var working sync.WaitGroup
	for name, job := range jobs {
		h := &host{job: job, warehouse: filepath.Join(t.TempDir(), name)}
		hosts[name] = h
		random := rand.New(rand.NewPCG(seed, uint64(len(hosts))))
		working.Go(func() { errs <- h.complete(t, random, mostKills) })
	}
	var done atomic.Bool
	outages := 0
	var killing sync.WaitGroup
	killing.Go(func() {
		random := rand.New(rand.NewPCG(seed, 99))
		for outages < 3 {
			time.Sleep(time.Duration(2000+random.IntN(2000)) * time.Millisecond)
			if done.Load() {
				break
			}
			_ = server.Kill()
			time.Sleep(300 * time.Millisecond)
			if err := server.Run(); err != nil {
				errs <- err
				return
			}
			outages++
		}
		errs <- nil
	})
	working.Wait()
	done.Store(true)
	killing.Wait()
	for range len(jobs) + 1 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	kills := 0
	for name, h := range hosts { // a server alone costs no page: what had been paid for was kept
		kills += h.kills
		if diff := cmp.Diff(undisturbed[name], sumsOf(t, h.warehouse, fleetTables), cmp.AllowUnexported(rowsum{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	m := vendor.server.Meter()
	t.Logf("%d processes and %d servers killed; %d pages, %d of them again, %d wasted", kills, outages, m.Pages, m.DuplicatePages, m.WastePages)
	if over := m.DuplicatePages + m.WastePages; over > fleetConnections*kills {
		t.Errorf("%d kills at %d connections, and %d pages were bought again", kills, fleetConnections, over)
	}
	checkMoney(t, spendsIn(t, server.Address("postgres")), m)
	checkRate(t, vendor.requests())
}

// checkMoney holds the ledger against the vendor's meter and the budget.
func checkMoney(t *testing.T, spends []ledger.Spend, m emulator.Meter) {
	t.Helper()
	var spent, granted int64
	for _, s := range spends {
		spent, granted = spent+int64(s.Spent), granted+int64(s.Granted)
		if !s.Settled {
			t.Errorf("not settled: %+v", s)
		}
	}
	if spent != m.Rows-m.DuplicateRows-m.WasteRows || m.Rows > granted || granted > 5000 {
		t.Errorf("%d spent, %d granted; the vendor billed %d, %d of it twice", spent, granted, m.Rows, m.DuplicateRows+m.WasteRows)
	}
}

// checkRate holds the requests of all hosts against the account's rate, over any five seconds.
func checkRate(t *testing.T, asked []time.Time) {
	t.Helper()
	const span = 5 * time.Second
	most, first := 0, 0
	for i, at := range asked {
		for at.Sub(asked[first]) >= span {
			first++
		}
		most = max(most, i-first+1)
	}
	if allowed := fleetPerSecond * span.Seconds() * 1.02; float64(most) > allowed+1 {
		t.Errorf("%d requests in %v, where %v are allowed", most, span, allowed)
	}
}

func TestAHostOfADatabaseThatStoodStillWritesNothing(t *testing.T) {
	dir := t.TempDir()
	job := writeFile(t, dir, "slow.yaml", fleetJob("slow", 8, "summit-supply.example", "trailhead-co.example"))
	server := postgrestest.Start(t)
	setenv(t, database, server.Address("postgres"))
	setenv(t, leaseVariable, "1s")
	vendor := openAccount(t, 0)
	slow, quick := &host{job: job, warehouse: filepath.Join(dir, "slow")}, &host{job: job, warehouse: filepath.Join(dir, "quick")}
	var said bytes.Buffer
	stopped := slow.start(t, &said)
	for len(vendor.requests()) < 5 {
		time.Sleep(20 * time.Millisecond)
	}
	if err := stopped.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	if err := quick.complete(t, nil, 0); err != nil {
		t.Fatal(err)
	}
	before, requests := spendsIn(t, server.Address("postgres")), len(vendor.requests())
	if err := stopped.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	_ = stopped.Wait()
	if status := stopped.ProcessState.ExitCode(); status != exitTryLater || !strings.Contains(said.String(), "another process has taken the run over") {
		t.Errorf("exit %d: %s", status, &said)
	}
	if more := len(vendor.requests()) - requests; more != 0 {
		t.Errorf("it made %d requests more", more)
	}
	if diff := cmp.Diff(before, spendsIn(t, server.Address("postgres"))); diff != "" {
		t.Error(diff)
	}
	if m := vendor.server.Meter(); m.DuplicatePages+m.WastePages > fleetConnections {
		t.Errorf("%d pages were bought again", m.DuplicatePages+m.WastePages)
	}
	backhaul(t, exitComplete, "doctor", "--warehouse", quick.warehouse)
}
