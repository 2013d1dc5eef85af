package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
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

	"github.com/oklog/ulid/v2"

	"backhaul/jobs/doctor"
	"backhaul/jobs/ledger"
	"backhaul/jobs/run"
	"backhaul/pipeline/emulator"
	"backhaul/pipeline/engine"
	"backhaul/pipeline/powerloss"
	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/duckdb"
	"backhaul/sinks/lake"
)

// seedsVariable is how often the power fails: the promise is kept with 10,000.
const seedsVariable = "BACKHAUL_POWER_LOSSES"

// firstLossVariable is the first seed, where several processes share them out. Default 0.
const firstLossVariable = "BACKHAUL_FIRST_POWER_LOSS"

// usualLosses are tried in every test. One in so many of them, and of more, is tried as whole.
const usualLosses, wholeOfUsual, wholeOfMore = 36, 9, 50

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

// key identifies what was asked for which night.
func (d delivery) key() string { return d.night + d.path + d.body }

// lossLab is one recorded job of several processes.
type lossLab struct {
	root, job   string // root is where the warehouse was, and is after each loss
	undisturbed string
	calm        map[string]rowsum // what tables of it have, by table and night
	trace       powerloss.Trace
	nights      []string // of each process
	statuses    []int
	mu          sync.Mutex
	server      *emulator.Server
	night       string // that a process is at
	deliveries  []delivery
	loaded      *loadedJob
	shown       map[string]bool // catalogs that showed the tables whole, by checksum
	tried       map[string]bool // states that were recovered from
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
	l := &lossLab{root: filepath.Join(t.TempDir(), "w"), job: writeFile(t, t.TempDir(), "losses.yaml", lossJob), server: emulator.New(emulator.Options{}),
		shown: map[string]bool{}, tried: map[string]bool{}}
	s := httptest.NewServer(l)
	t.Cleanup(s.Close)
	setenv(t, "MOZ_TOKEN", emulator.DefaultToken)
	setenv(t, "BACKHAUL_MOZ_V2_URL", s.URL+"/v2")
	if err := os.Mkdir(l.root, 0o755); err != nil {
		t.Fatal(err)
	}
	var err error
	if l.loaded, err = l.program(t, io.Discard).loadJob(t.Context(), l.job); err != nil {
		t.Fatal(err)
	}
	return l
}

// recordLosses runs the job under strace, night after night, until each is complete.
func recordLosses(t *testing.T) *lossLab {
	t.Helper()
	return completeLosses(t, func(l *lossLab, binary, night string) int { return l.recordOne(t, binary, night, "") })
}

// runLosses runs it undisturbed, without a record.
func runLosses(t *testing.T) *lossLab {
	t.Helper()
	return completeLosses(t, func(l *lossLab, binary, night string) int { return l.runOne(t, binary, night, nil) })
}

func completeLosses(t *testing.T, run func(l *lossLab, binary, night string) (status int)) *lossLab {
	t.Helper()
	l := newLossLab(t)
	binary := program(t)
	for _, night := range lossNights {
		for status := exitBudget; status == exitBudget; {
			status = run(l, binary, night)
		}
	}
	if !slices.Equal(l.statuses, []int{exitBudget, exitComplete, exitBudget, exitComplete}) {
		t.Fatalf("the nights ended with %v after %d units, want each stopped once by its budget", l.statuses, l.server.Meter().Rows)
	}
	l.undisturbed = filepath.Join(t.TempDir(), "undisturbed")
	copyTree(t, l.undisturbed, l.root)
	l.calm = sumsOf(t, l.undisturbed, lossTables)
	return l
}

// recordOne adds a process to the record, in which some syncs may fail: then it may end as it likes.
func (l *lossLab) recordOne(t *testing.T, binary, night, fails string) (status int) {
	t.Helper()
	to := filepath.Join(t.TempDir(), "trace")
	status = l.runOne(t, binary, night, powerloss.Strace(to, fails))
	if status != exitComplete && status != exitBudget && fails == "" {
		t.Fatalf("exit %d", status)
	}
	if err := l.trace.AddFile(to, l.root); err != nil {
		t.Fatal(err)
	}
	return status
}

// runOne runs the job once, behind the words of a program that watches it, if any.
func (l *lossLab) runOne(t *testing.T, binary, night string, under []string) (status int) {
	t.Helper()
	l.night = night
	line := append(slices.Clone(under), binary, "run", l.job, "--warehouse", l.root, "--date", night)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = append(processEnviron(t), "TMPDIR="+t.TempDir())
	said, err := cmd.CombinedOutput()
	status = cmd.ProcessState.ExitCode()
	t.Logf("exit %d, %v\n%s", status, err, said)
	l.nights, l.statuses = append(l.nights, night), append(l.statuses, status)
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
			kept[d.key()] = true
		}
	}
	return kept
}

// loss is one failure of the power.
type loss struct {
	*lossLab
	moment int
	seed   uint64
	// whole: the commands are the program's from their first word on, and DuckDB reads the tables through the catalog. Else a state
	// that was tried is not tried again, a run begins behind the reading of the job, DuckDB is in it for the job's own query alone
	// (see plainLake), and tables are held against the undisturbed ones by what their files hold, as long as DuckDB has read a
	// catalog of these very bytes. That takes a tenth of the time.
	whole bool
}

func (l loss) String() string {
	return fmt.Sprintf("seed %d, power lost ahead of step %d of %d, %s, after %d processes", l.seed, l.moment, l.trace.Len()-1, l.trace.Step(l.moment), l.trace.Ended(l.moment))
}

// draw chooses a moment. Every other one, while there are any, is the end of a process, when everything is claimed, in one mood of the
// disk after the other.
func (l *lossLab) draw(n int) loss {
	whole := n < usualLosses && n%wholeOfUsual == 0 || n%wholeOfMore == 0
	if all, i := len(l.nights), n/2; n%2 == 0 && i < all*powerloss.Moods {
		return loss{l, l.trace.End(i % all), uint64((i%all + i/all) % powerloss.Moods), whole}
	}
	r := rand.New(rand.NewPCG(uint64(n), 13))
	return loss{l, r.IntN(l.trace.Len()), r.Uint64(), whole}
}

// try lets the power fail, then the job run again until all its nights are complete, and judges from outside. It reports whether the
// disk held what it had not held before.
func (l loss) try(t *testing.T, recorded []delivery) (another bool) {
	t.Helper()
	removeAll(t, l.root)
	state, err := l.trace.Crash(l.root, l.root, l.moment, l.seed)
	if err != nil {
		t.Fatal(err)
	}
	ended, at := l.trace.Ended(l.moment), l.trace.At(l.moment)
	state = fmt.Sprint(state, ended, len(slices.DeleteFunc(slices.Clone(recorded), func(d delivery) bool { return !d.at.Before(at) })))
	if another = !l.tried[state]; !another && !l.whole {
		return false
	}
	l.tried[state] = true
	had := l.relive(recorded)
	l.checkClaimed(t, ended)
	before := len(l.deliveries)
	for _, night := range lossNights {
		l.finish(t, night, ended)
	}
	l.checkPages(t, l.deliveries[before:], had, acknowledged(had, l.endedRequests(had, ended)))
	l.checkTables(t, "")
	l.checkMoney(t)
	l.examine(t)
	return another
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

func (l loss) run(t *testing.T, night string) (status int, said string) {
	t.Helper()
	var out bytes.Buffer
	ctx := t.Context()
	if l.whole {
		status = Main(ctx, inTest(t, &out, &out, "run", l.job, "--warehouse", l.root, "--date", night))
		return status, out.String()
	}
	a := l.program(t, &out)
	result, err := l.carryOut(t, a, night)
	if err != nil {
		return exitStatus(ctx, err), err.Error()
	}
	return exitOf(ctx, result, nil), fmt.Sprint(a.stopText(l.loaded, result, exitOf(ctx, result, nil)))
}

// carryOut runs a night as the program does once it has read the job.
func (l loss) carryOut(t *testing.T, a *app, night string) (*run.Result, error) {
	from := a.buyersOf(l.loaded)
	defer from.close()
	date, err := time.Parse(time.DateOnly, night)
	if err != nil {
		return nil, err
	}
	job, err := l.loaded.resolve(date, from)
	if err != nil {
		return nil, err
	}
	into, err := a.openLake(sinks.Warehouse{Root: l.root})
	if err != nil {
		return nil, err
	}
	defer into.close()
	return run.Run(t.Context(), *job, run.Options{Warehouse: into.Warehouse, Lake: plainLake{into, l.undisturbed}, NewID: ulid.Make().String(), Now: a.now,
		Retry: engine.Retry{For: l.loaded.RetryFor}})
}

// plainLake is a lake in which DuckDB answers the queries of the job alone: what came and went is not worked out, and a catalog that is
// not there, or is another, is the undisturbed one.
type plainLake struct {
	*localLake
	undisturbed string
}

func (plainLake) WholeLists(context.Context, string, time.Time) error { return nil }

func (plainLake) Changes(context.Context, string, time.Time) error { return nil }

func (p plainLake) Catalog(ctx context.Context) error {
	if _, err := os.Stat(p.Warehouse.Catalog()); err == nil && duckdb.Current(p.Warehouse) == nil {
		return nil
	}
	for _, t := range schemas.All() {
		if err := p.columns(ctx, t); err != nil {
			return err
		}
	}
	for _, name := range []string{"catalog.duckdb", "README.md", "staging/catalog.json"} {
		from, to := filepath.Join(p.undisturbed, name), filepath.Join(p.Warehouse.Root, name)
		content, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		info, err := os.Stat(from)
		if err := errors.Join(err, os.RemoveAll(to), os.WriteFile(to, content, 0o600), os.Chtimes(to, info.ModTime(), info.ModTime())); err != nil {
			return err
		}
	}
	return duckdb.Current(p.Warehouse)
}

// program is the program behind its flags.
func (l *lossLab) program(t *testing.T, said io.Writer) *app {
	return &app{environment: inTest(t, said, inTurn(said)), warehouseDir: l.root}
}

// examine has the doctor look at everything. Views he asks only where everything is whole: a catalog is the same whatever the tables
// hold.
func (l loss) examine(t *testing.T) {
	t.Helper()
	var out bytes.Buffer
	if l.whole {
		if status := Main(t.Context(), inTest(t, &out, &out, "doctor", "--warehouse", l.root)); status != exitComplete {
			t.Errorf("doctor: exit %d\n%s", status, &out)
		}
		return
	}
	a, w := l.program(t, &out), sinks.Warehouse{Root: l.root}
	findings := doctor.Examine(t.Context(), doctor.Options{Warehouse: w, Lake: unasked{examined{&localLake{Lake: lake.Lake{Disk: a.disk, Warehouse: w}}}},
		Sources: decoders(a.vendors).source, Vendors: a.accounts(nil), Now: a.now})
	if anyBad(findings) {
		t.Error(a.printFindings(findings), out.String())
	}
}

// unasked is a lake whose views are not asked.
type unasked struct{ examined }

func (u unasked) CheckCatalog(context.Context) error { return duckdb.Current(u.Warehouse) }

func (unasked) Views(context.Context) ([]doctor.View, error) { return nil, nil }

// finish runs a night until it is complete, each execution within its budget.
func (l loss) finish(t *testing.T, night string, ended int) {
	t.Helper()
	l.night = night
	for range 4 {
		before := l.server.Meter().Rows
		status, said := l.run(t, night)
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

// checkTables holds the tables against the undisturbed ones, of one night or of all.
func (l loss) checkTables(t *testing.T, night string) {
	t.Helper()
	catalog, err := os.ReadFile(filepath.Join(l.root, "catalog.duckdb"))
	if err != nil {
		t.Error(err)
		return
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(catalog))
	if !l.whole && l.shown[sum] {
		now, same := sumsOf(t, l.root, lossTables), true
		for key, want := range l.calm {
			same = same && (night != "" && !strings.HasSuffix(key, night) || now[key] == want)
		}
		for key := range now {
			same = same && (night != "" && !strings.HasSuffix(key, night) || l.calm[key] != rowsum{})
		}
		if same {
			return
		}
		t.Errorf("%s: the files do not hold what the undisturbed ones hold", night)
	}
	l.askCatalog(t, night)
	l.shown[sum] = !t.Failed()
}

// askCatalog does so by what DuckDB reads through the catalog, and says what differs.
func (l loss) askCatalog(t *testing.T, night string) {
	t.Helper()
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

// checkPages holds what was asked for after the loss against what had been delivered before it: of that the program may lack no more than
// what can have been under way, and nothing that it acknowledged.
func (l loss) checkPages(t *testing.T, asked, delivered []delivery, acknowledged map[string]bool) {
	t.Helper()
	before, again := map[string]bool{}, 0
	for _, d := range delivered {
		if d.rows > 0 {
			before[d.key()] = true
		}
	}
	for _, d := range asked {
		if d.rows > 0 && before[d.key()] {
			again++
		}
		if d.rows > 0 && acknowledged[d.key()] {
			t.Errorf("a page that the program had is bought again: %s %.300s", d.path, d.body)
		}
	}
	if again > lossConnections {
		t.Errorf("%d pages were bought again at %d connections", again, lossConnections)
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
	seeds := usualLosses
	first := 0
	for variable, n := range map[string]*int{seedsVariable: &seeds, firstLossVariable: &first} {
		if text := os.Getenv(variable); text != "" {
			var err error
			if *n, err = strconv.Atoi(text); err != nil {
				t.Fatal(err)
			}
		}
	}
	recorded := l.deliveries
	t.Logf("%d steps, %d requests", l.trace.Len()-1, len(recorded))
	states := 0
	for n := first; n < first+seeds; n++ {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			at := l.draw(n)
			if at.try(t, recorded) {
				states++
			}
			if t.Failed() {
				t.Log(at)
			}
		})
	}
	t.Logf("%d states of the disk", states)
}

// TestASyncThatFailedIsNoSuccessAfterwards lets syncs fail under the real program, of whatever library, and the power at its end: a
// later sync that succeeds makes nothing last of what was written before.
func TestASyncThatFailedIsNoSuccessAfterwards(t *testing.T) {
	t.Parallel()
	needsStrace(t)
	calm := runLosses(t)
	binary := program(t)
	syncs := []string{"1", "8", "40", "25+"}
	if os.Getenv(seedsVariable) != "" {
		syncs = append(syncs, "3", "20", "70", "100")
	}
	for _, fails := range syncs {
		t.Run(fails, func(t *testing.T) {
			l := newLossLab(t)
			l.undisturbed = calm.undisturbed
			l.recordOne(t, binary, lossNights[0], fails)
			if l.trace.Failed() == 0 {
				t.Error("no sync failed")
			}
			at := loss{l, l.trace.End(0), uint64(l.trace.Len()), true}
			at.try(t, l.deliveries)
			t.Logf("%d syncs failed, exit %d; %v", l.trace.Failed(), l.statuses[0], at)
		})
	}
}
