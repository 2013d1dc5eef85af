package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline/emulator"
	"backhaul/pipeline/powerloss"
	"backhaul/sinks"
)

// seedsVariable is how often the power fails: the promise is kept with 10,000.
const seedsVariable = "BACKHAUL_POWER_LOSSES"

const (
	lossConnections = 2
	lossRun         = 300  // units of one execution: a night takes two
	lossMonth       = 9000 // units of all that these tests can cost
)

var lossJob = fmt.Sprintf(`job: losses
vendors: {moz: {requests_per_second: 10000, connections: %d}}
budget: {moz: {run: %d, month: %d}}
targets: {all: [trailhead-co.example, tiny-tarps.example, pinecone-packs.example]}
extracts:
  - {name: anchors, endpoint: moz/anchor_text, targets: [all], params: {scope: root_domain}}
  - {name: domains, endpoint: moz/linking_root_domains, targets: [all], params: {target_scope: root_domain}, max_rows: 100}
  - {name: next, endpoint: moz/url_metrics, after: [domains], targets: {sql: "select distinct root_domain as target from domains order by 1 limit 40"}}
`, lossConnections, lossRun, lossMonth)

// lossNights are the run dates, in one month: the second comes into a table that is there.
var lossNights = []string{"2026-11-22", "2026-11-23"}

// lossTables are the tables of lossJob, each with the columns that no two runs have in common. A budget that ends in the middle of a
// list buys what is left as a smaller page, whose cursor the vendor may refuse to go on from with whole ones: how many pages, and how
// many rows of them twice, differs without any loss, as does where the budget ends. Units are held against the vendor's meter instead.
var lossTables = map[string]string{
	"moz.anchor_text":          "run_id, fetched_at, page_seq",
	"moz.linking_root_domains": "run_id, fetched_at, page_seq",
	"moz.url_metrics":          "run_id, fetched_at, page_seq",
	"ops.tasks":                "run_id, ended_at, attempts, maybe_units, pages, units, waste_rows",
}

// delivery is a request that the vendor has had, and what it answered.
type delivery struct {
	at          time.Time
	night       string // for which it was asked
	path, body  string
	next, reply string
	rows        int64 // billed
}

// lossLab is one recorded job of several processes.
type lossLab struct {
	root, job   string // root is where the warehouse was, and is after each loss
	undisturbed string
	repeated    int // pages that the nights have in common
	trace       powerloss.Trace
	nights      []string // of each process
	statuses    []int
	mu          sync.Mutex
	server      *emulator.Server
	night       string // that a process is at
	deliveries  []delivery
}

var nextToken = regexp.MustCompile(`"next_token":"([^"]+)"`)

// ServeHTTP answers one request at a time, so that each is known by what it cost.
func (l *lossLab) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := time.Now()
	body, _ := io.ReadAll(r.Body)
	d := l.ask(r.Method, r.URL.Path, string(body))
	d.at, d.night = at, l.night
	l.deliveries = append(l.deliveries, d)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(d.reply))
}

func (l *lossLab) ask(method, path, body string) delivery {
	before := l.server.Meter().Rows
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("X-Moz-Token", emulator.DefaultToken)
	r.Header.Set("Content-Type", "application/json")
	reply := httptest.NewRecorder()
	l.server.ServeHTTP(reply, r)
	d := delivery{path: path, body: body, reply: reply.Body.String(), rows: l.server.Meter().Rows - before}
	if m := nextToken.FindStringSubmatch(strings.ReplaceAll(d.reply, " ", "")); m != nil {
		d.next = m[1]
	}
	return d
}

// newLossLab has an emulator and an empty folder for the warehouse.
func newLossLab(t *testing.T) *lossLab {
	t.Helper()
	l := &lossLab{root: filepath.Join(t.TempDir(), "w"), job: writeFile(t, t.TempDir(), "losses.yaml", lossJob), server: emulator.New(emulator.Options{})}
	s := httptest.NewServer(l)
	t.Cleanup(s.Close)
	setenv(t, "MOZ_TOKEN", emulator.DefaultToken)
	setenv(t, "BACKHAUL_MOZ_V2_URL", s.URL+"/v2")
	if err := os.Mkdir(l.root, 0o755); err != nil {
		t.Fatal(err)
	}
	return l
}

// recordLosses runs the job under strace, night after night, until each is complete.
func recordLosses(t *testing.T) *lossLab {
	t.Helper()
	l := newLossLab(t)
	binary := program(t)
	for _, night := range lossNights {
		for status := exitBudget; status == exitBudget; {
			status = l.recordOne(t, binary, night, "")
		}
	}
	if !slices.Equal(l.statuses, []int{exitBudget, exitComplete, exitBudget, exitComplete}) {
		t.Fatalf("the nights ended with %v after %d units, want each stopped once by its budget", l.statuses, l.server.Meter().Rows)
	}
	l.repeated = l.server.Meter().DuplicatePages
	l.undisturbed = filepath.Join(t.TempDir(), "undisturbed")
	copyTree(t, l.undisturbed, l.root)
	return l
}

func (l *lossLab) recordOne(t *testing.T, binary, night, fails string) (status int) {
	t.Helper()
	l.night = night
	to := filepath.Join(t.TempDir(), "trace")
	line := append(powerloss.Strace(to, fails), binary, "run", l.job, "--warehouse", l.root, "--date", night)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = append(processEnviron(t), "TMPDIR="+t.TempDir())
	said, err := cmd.CombinedOutput()
	status = cmd.ProcessState.ExitCode()
	if status != exitComplete && status != exitBudget && fails == "" {
		t.Fatalf("%v\n%s", err, said)
	}
	l.nights, l.statuses = append(l.nights, night), append(l.statuses, status)
	if err := l.trace.AddFile(to, l.root); err != nil {
		t.Fatal(err)
	}
	return status
}

// acknowledged returns the requests, made before a time, whose reply the program had to have on disk then: it has asked for what
// comes after it.
func acknowledged(had []delivery, ended int) map[string]bool {
	kept := map[string]bool{}
	chained := false
	for i := len(had) - 1; i >= 0; i-- {
		d := had[i]
		if i+1 < len(had) && had[i+1].night != d.night {
			chained = false
		}
		chained = chained || strings.HasSuffix(d.path, "url_metrics")
		followed := d.next != "" && slices.ContainsFunc(had[i+1:], func(l delivery) bool { return strings.Contains(l.body, d.next) })
		if d.rows > 0 && (i < ended || followed || chained && strings.HasSuffix(d.path, "linking_root_domains")) {
			kept[d.night+d.path+d.body] = true
		}
	}
	return kept
}

// loss is one failure of the power.
type loss struct {
	*lossLab
	moment int
	seed   uint64
}

func (l loss) String() string {
	return fmt.Sprintf("seed %d, power lost ahead of step %d of %d, %s, after %d processes", l.seed, l.moment, l.trace.Len()-1, l.trace.Step(l.moment), l.trace.Ended(l.moment))
}

// draw chooses a moment. The first ones are the ends of the processes, when everything is claimed, each in one mood of the disk after
// the other.
func (l *lossLab) draw(n int) loss {
	if all := len(l.nights); n < all*powerloss.Moods {
		return loss{l, l.trace.End(n % all), uint64((n%all + n/all) % powerloss.Moods)}
	}
	r := rand.New(rand.NewPCG(uint64(n), 13))
	return loss{l, r.IntN(l.trace.Len()), r.Uint64()}
}

// try lets the power fail, then the job run again until all its nights are complete, and judges from outside.
func (l loss) try(t *testing.T, recorded []delivery) {
	t.Helper()
	removeAll(t, l.root)
	if err := l.trace.Crash(l.root, l.root, l.moment, l.seed); err != nil {
		t.Fatal(err)
	}
	had := l.relive(recorded)
	ended := l.trace.Ended(l.moment)
	l.checkClaimed(t, ended)
	before := len(l.deliveries)
	for _, night := range lossNights {
		l.finish(t, night, ended)
	}
	l.checkPages(t, l.deliveries[before:], acknowledged(had, l.endedRequests(had, ended)))
	l.checkTables(t, "")
	l.checkMoney(t)
	if status, text := l.run(t, "doctor", "--warehouse", l.root); status != exitComplete {
		t.Errorf("doctor: exit %d\n%s", status, text)
	}
}

// relive gives a new vendor the requests that were made before the power failed.
func (l loss) relive(recorded []delivery) (had []delivery) {
	l.server, l.deliveries = emulator.New(emulator.Options{}), nil
	for _, d := range recorded {
		if d.at.Before(l.trace.At(l.moment)) {
			l.ask(http.MethodPost, d.path, d.body)
			had = append(had, d)
		}
	}
	return had
}

// endedRequests counts the requests of processes that have ended and told of no failure.
func (l loss) endedRequests(had []delivery, ended int) int {
	if ended == 0 || l.statuses[ended-1] != exitComplete && l.statuses[ended-1] != exitBudget {
		return 0
	}
	end := l.trace.At(l.trace.End(ended - 1))
	return len(had) - len(slices.DeleteFunc(slices.Clone(had), func(d delivery) bool { return d.at.Before(end) }))
}

func (l loss) run(t *testing.T, args ...string) (status int, said string) {
	t.Helper()
	var out bytes.Buffer
	status = Main(context.Background(), inTest(t, &out, &out, args...))
	return status, out.String()
}

// finish runs a night until it is complete, each execution within its budget.
func (l loss) finish(t *testing.T, night string, ended int) {
	t.Helper()
	l.night = night
	for range 4 {
		before := l.server.Meter().Rows
		status, said := l.run(t, "run", l.job, "--warehouse", l.root, "--date", night)
		if cost := l.server.Meter().Rows - before; cost > lossRun || cost > 0 && l.complete(night, ended) {
			t.Errorf("%s cost %d units", night, cost)
		}
		if status == exitComplete {
			return
		}
		if status != exitBudget {
			t.Errorf("%s: exit %d\n%s", night, status, said)
			return
		}
	}
	t.Errorf("%s does not come to its end", night)
}

// complete reports whether the program had said that a night is.
func (l loss) complete(night string, ended int) bool {
	for i := range ended {
		if l.nights[i] == night && l.statuses[i] == exitComplete {
			return true
		}
	}
	return false
}

// checkClaimed holds the warehouse, as it is after the loss, against what the program had said before: a night that is complete
// can be read.
func (l loss) checkClaimed(t *testing.T, ended int) {
	t.Helper()
	for _, night := range lossNights {
		if !l.complete(night, ended) {
			continue
		}
		l.checkTables(t, night)
		if text, err := os.ReadFile(filepath.Join(l.root, "README.md")); err != nil || !strings.Contains(string(text), "catalog.duckdb") {
			t.Errorf("README.md: %v, %d bytes", err, len(text))
		}
	}
}

// checkTables holds the tables as the catalog shows them against the undisturbed ones, of one night or of all.
func (l loss) checkTables(t *testing.T, night string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(l.root, "catalog.duckdb")); err != nil {
		t.Error(err)
		return
	}
	where := ""
	if night != "" {
		where = " where run_date = '" + night + "'"
	}
	var selects []string
	for table, except := range lossTables {
		of := func(relation string) string { return "(select * from " + relation + where + ")" }
		selects = append(selects, fmt.Sprintf("select '%s' as Name, %s as N", table, differences(of(table), of(files(l.undisturbed, table)), except)))
	}
	type verdict struct {
		Name string
		N    int64
	}
	for _, v := range askOutside[verdict](t, l.root, "from ("+strings.Join(selects, " union all ")+") where N <> 0") {
		minus := func(a, b string) any {
			except := lossTables[v.Name]
			return askOutside[map[string]any](t, l.root, fmt.Sprintf("from (select * exclude (%[3]s) from %[1]s%[4]s except all select * exclude (%[3]s) from %[2]s%[4]s) limit 2",
				a, b, except, where))
		}
		calm := files(l.undisturbed, v.Name)
		t.Errorf("%s %s differs in %d rows:\n%v\nwant\n%v", v.Name, night, v.N, minus(v.Name, calm), minus(calm, v.Name))
	}
}

// checkPages holds what was asked for again against what the program had, and against what can have been under way.
func (l loss) checkPages(t *testing.T, asked []delivery, had map[string]bool) {
	t.Helper()
	for _, d := range asked {
		if d.rows > 0 && had[d.night+d.path+d.body] {
			t.Errorf("a page that the program had is bought again: %s %.300s", d.path, d.body)
		}
	}
	if m := l.server.Meter(); m.DuplicatePages+m.WastePages-l.repeated > lossConnections {
		t.Errorf("%d pages were bought again at %d connections", m.DuplicatePages+m.WastePages-l.repeated, lossConnections)
	}
}

// checkMoney holds the books against the vendor's meter.
func (l loss) checkMoney(t *testing.T) {
	t.Helper()
	books, err := ledger.Open(context.Background(), sinks.Warehouse{Root: l.root}.Ledger())
	if err != nil {
		t.Error(err)
		return
	}
	defer books.Close()
	spends, err := books.Spends(context.Background(), "")
	var granted int64
	for _, s := range spends {
		granted += int64(s.Granted)
	}
	if billed := l.server.Meter().Rows; err != nil || billed > granted || granted > lossMonth {
		t.Errorf("the vendor billed %d units, the books have %d of %d: %v", billed, granted, lossMonth, err)
	}
}

// needsStrace leaves a test out where strace is not there, or may not look into a process. .ci/run installs it.
func needsStrace(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("strace", "-f", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("strace, which records what a program does to the disk: %v %s", err, out)
	}
}

// TestLossOfPowerCostsNoMoreThanThePagesUnderWay records what the real program does to the disk in two nights, each with a
// budget's stop, an extract that waits for another and a month's exchange, and lets the power fail at any step of it, in many
// ways: see package powerloss.
func TestLossOfPowerCostsNoMoreThanThePagesUnderWay(t *testing.T) {
	t.Parallel()
	needsStrace(t)
	l := recordLosses(t)
	seeds := len(l.nights) * powerloss.Moods / 2
	if text := os.Getenv(seedsVariable); text != "" {
		var err error
		if seeds, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	recorded := l.deliveries
	t.Logf("%d steps, %d requests", l.trace.Len()-1, len(recorded))
	for n := range seeds {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			at := l.draw(n)
			at.try(t, recorded)
			if t.Failed() {
				t.Log(at)
			}
		})
	}
}

// TestASyncThatFailedIsNoSuccessAfterwards lets syncs fail under the real program, of whatever library, and the power at its end: a
// later sync that succeeds makes nothing last of what was written before.
func TestASyncThatFailedIsNoSuccessAfterwards(t *testing.T) {
	t.Parallel()
	needsStrace(t)
	calm := recordLosses(t)
	binary := program(t)
	failed := 0
	syncs := []string{"1", "8", "40", "25+"}
	if os.Getenv(seedsVariable) != "" {
		syncs = append(syncs, "3", "20", "70", "100")
	}
	for _, fails := range syncs {
		t.Run(fails, func(t *testing.T) {
			l := newLossLab(t)
			l.undisturbed, l.repeated = calm.undisturbed, calm.repeated
			l.recordOne(t, binary, lossNights[0], fails)
			failed += l.trace.Failed()
			at := loss{l, l.trace.End(0), uint64(l.trace.Len())}
			at.try(t, l.deliveries)
			t.Logf("%d syncs failed, exit %d; %v", l.trace.Failed(), l.statuses[0], at)
		})
	}
	if failed < 6 {
		t.Errorf("only %d syncs failed", failed)
	}
}
