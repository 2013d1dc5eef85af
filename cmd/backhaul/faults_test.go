package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"backhaul/jobs"
	"backhaul/jobs/chain"
	"backhaul/jobs/ledger"
	"backhaul/jobs/run"
	"backhaul/pipeline"
	"backhaul/pipeline/emulator"
	"backhaul/pipeline/engine"
	"backhaul/pipeline/vendors/mozv2"
	"backhaul/schemas"
	"backhaul/sinks"
)

// faultyJob buys three tables; max_rows is not a multiple of the page size, so that last pages are short.
const faultyJob = `job: faulty
vendors: {moz: {requests_per_second: 50, connections: 4%s}}
%s
targets:
  all: [trailhead-co.example, pinecone-packs.example, tiny-tarps.example, quietpeak.example]
extracts:
  - {name: anchors, endpoint: moz/anchor_text, targets: [all], params: {scope: root_domain}}
  - {name: domains, endpoint: moz/linking_root_domains, targets: [all], params: {target_scope: root_domain}}
  - {name: links, endpoint: moz/links, targets: [all], params: {target_scope: root_domain, filter: external+not_deleted}, max_rows: 330}
`

// faultyTables are the tables it fills.
var faultyTables = []string{"anchor_text", "linking_root_domains", "links"}

// pipeNet joins clients and servers of one process without the machine's network, so that time in a synctest bubble is
// exact. It implements net.Listener.
type pipeNet struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipeNet() *pipeNet {
	return &pipeNet{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (p *pipeNet) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipeNet) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipeNet) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipeNet) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// noLake is a lake that keeps nothing: what writes real ones has goroutines that must not cross the border of a bubble.
// A replay makes the lake afterwards, from the journal.
type noLake struct{}

func (noLake) Create(*schemas.Table) (sinks.Writer, error)         { return &noFile{}, nil }
func (noLake) Changes(context.Context, string, time.Time) error    { return nil }
func (noLake) WholeLists(context.Context, string, time.Time) error { return nil }
func (noLake) Has(*schemas.Table, string, time.Time) bool          { return false }
func (noLake) Catalog(context.Context) error                       { return nil }

func (noLake) Publish(context.Context, *schemas.Table, string, time.Time, string) (string, error) {
	return "", nil
}

func (noLake) Ask(context.Context, string, []chain.Relation) ([]string, [][]*string, error) {
	return nil, nil, errors.New("there is nothing to ask")
}

type noFile struct{ rows int64 }

func (f *noFile) Write(b arrow.RecordBatch) error { f.rows += b.NumRows(); return nil }
func (f *noFile) Close() (sinks.Staged, error)    { return sinks.Staged{Rows: f.rows}, nil }
func (f *noFile) Abort() error                    { return nil }

// world is an emulated vendor and a warehouse in a bubble of their own time. Everything but the network and the lake is
// what the program uses.
type world struct {
	t         *testing.T
	emulator  *emulator.Server
	client    *mozv2.Client
	job       *loadedJob
	warehouse string
	retry     engine.Retry
	results   []*run.Result
}

// inWorld runs do in a bubble. handler may stand between the client and the emulator; nil for none.
func inWorld(t *testing.T, spec *jobs.Spec, o emulator.Options, handler func(*emulator.Server) http.Handler, do func(w *world)) *world {
	t.Helper()
	w := &world{job: &loadedJob{spec}, warehouse: filepath.Join(t.TempDir(), "w")}
	synctest.Test(t, func(t *testing.T) {
		w.t = t
		w.emulator = emulator.New(o)
		var h http.Handler = w.emulator
		if handler != nil {
			h = handler(w.emulator)
		}
		wires := newPipeNet()
		server := &http.Server{Handler: h}
		served := make(chan error, 1)
		go func() { served <- server.Serve(wires) }()
		client, err := mozv2.New(mozv2.Config{BaseURL: "http://127.0.0.1/v2", Token: emulator.DefaultToken, HTTP: mozv2.HTTP{Dial: wires.dial}})
		if err != nil {
			t.Fatal(err)
		}
		w.client = client
		defer func() {
			client.Close()
			_ = server.Close()
			<-served
		}()
		do(w)
	})
	if !t.Failed() {
		w.load(t, spec.Job)
	}
	return w
}

// filesAlone is a lake of files, without a catalog or what is derived: all that the tests look at.
type filesAlone struct{ *localLake }

func (filesAlone) Changes(context.Context, string, time.Time) error { return nil }
func (filesAlone) Catalog(context.Context) error                    { return nil }

// load makes the lake from the journal.
func (w *world) load(t *testing.T, job string) {
	t.Helper()
	a := &app{environment: inTest(t, io.Discard, io.Discard), warehouseDir: w.warehouse}
	err := a.withRun(t.Context(), job+"/2026-11-23", func(l *ledger.Ledger, r ledger.Run, lake *localLake) error {
		_, err := run.Replay(t.Context(), l, r, decoders(builtIn).source, run.Options{Warehouse: lake.Warehouse, Lake: filesAlone{lake}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// run executes the job once.
func (w *world) run() *run.Result {
	w.t.Helper()
	ready, err := w.job.resolve(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), buying(w.client))
	if err != nil {
		w.t.Fatal(err)
	}
	result, err := run.Run(context.Background(), *ready, run.Options{
		Warehouse: sinks.Warehouse{Root: w.warehouse}, Lake: noLake{}, NewID: fmt.Sprint("run-", len(w.results)), Retry: w.retry,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.results = append(w.results, result)
	return result
}

// complete executes the job until nothing is missing, as a scheduler would, at most so many times.
func (w *world) complete(most int) *run.Result {
	w.t.Helper()
	for range most {
		if r := w.run(); len(r.Incomplete()) == 0 {
			return r
		}
		time.Sleep(time.Minute)
	}
	last := w.results[len(w.results)-1]
	for _, task := range last.Incomplete() {
		w.t.Errorf("%s of %s: %s: %s", task.Extract, task.Target, task.Ending, task.Error)
	}
	w.t.Fatalf("not complete after %d executions: %v", most, last.Stop)
	return nil
}

// account sums up what a run says of itself.
type account struct{ rows, waste, units, maybe int64 }

func accountOf(r *run.Result) (a account) {
	for _, t := range r.Tasks {
		a.rows += t.Rows
		a.waste += t.Waste
		a.units += int64(t.Units)
		a.maybe += int64(t.MaybeUnits)
	}
	return a
}

// checkAgainstMeter holds what a complete run says of itself against what the vendor billed, row by row: what it holds and
// what it bought again was delivered; what was billed and never delivered is covered by the attempts that may have been.
func checkAgainstMeter(t *testing.T, r *run.Result, m emulator.Meter) {
	t.Helper()
	a := accountOf(r)
	if a.rows+a.waste != m.Rows-m.WasteRows || a.units != a.rows+a.waste {
		t.Errorf("the run holds %d rows and wasted %d for %d units; the vendor delivered %d", a.rows, a.waste, a.units, m.Rows-m.WasteRows)
	}
	if a.waste != m.DuplicateRows {
		t.Errorf("the run says it bought %d rows again, the vendor says %d", a.waste, m.DuplicateRows)
	}
	if m.WasteRows > a.maybe {
		t.Errorf("%d rows were billed and not delivered, but at most %d are accounted for", m.WasteRows, a.maybe)
	}
}

// rowsOf is a query for a table's rows of a warehouse, without what differs from one reading to the next. Ranks are kept.
func rowsOf(warehouse, table string) string {
	return fmt.Sprintf("select * exclude (run_id, fetched_at, page_seq) from read_parquet('%s/lake/moz/%s/**/*.parquet', hive_partitioning = false)", warehouse, table)
}

// checkSameRows fails the test unless both warehouses hold exactly the same rows, ranks included.
func checkSameRows(t *testing.T, want, got string) {
	t.Helper()
	for _, table := range faultyTables {
		type count struct{ All, Lost, Made int64 }
		n := askOutside[count](t, "", fmt.Sprintf(`with a as (%s), b as (%s)
			select (select count(*) from a) as All, (select count(*) from (from a except all from b)) as Lost, (select count(*) from (from b except all from a)) as Made`,
			rowsOf(want, table), rowsOf(got, table)))[0]
		if n.All == 0 || n.Lost != 0 || n.Made != 0 {
			t.Errorf("%s: of %d rows %d are missing, and %d are there that should not be", table, n.All, n.Lost, n.Made)
		}
	}
}

// loadFaulty returns the job's spec, its vendor and other settings completed.
func loadFaulty(t *testing.T, vendor, more string) *jobs.Spec {
	t.Helper()
	path := writeFile(t, t.TempDir(), "faulty.yaml", fmt.Sprintf(faultyJob, vendor, more))
	spec, problems := jobs.Load(path, builtIn, jobs.Access{})
	if spec == nil {
		t.Fatal(problems)
	}
	return spec
}

// undisturbed returns a warehouse, with its catalog, that a vendor without faults filled.
func undisturbed(t *testing.T, day int) string {
	t.Helper()
	e, err := startEmulator(emulatorFlags{listen: "127.0.0.1:0", day: day})
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	for name, value := range e.environment() {
		setenv(t, name, value)
	}
	dir := t.TempDir()
	job := writeFile(t, dir, "faulty.yaml", strings.ReplaceAll(fmt.Sprintf(faultyJob, "", ""), "requests_per_second: 50", "requests_per_second: 5000"))
	w := filepath.Join(dir, "w")
	backhaul(t, 0, "run", job, "--warehouse", w, "--date", "2026-11-23")
	return w
}

// The promise: with 30 % of all replies faulty, in every way a reply can be, the run completes with exactly the rows it
// would have without, and the waste it reports is the waste the vendor counts. All that is real but the network and the
// time: the client's minute of patience, stalls of 30 seconds, pauses of the vendor.
func TestThirtyPercentFaultyRepliesLeaveTheExactRows(t *testing.T) {
	t.Parallel()
	clean := undisturbed(t, 0)
	kinds := map[emulator.Kind]int{}
	var restarted, again int64
	for seed := range uint64(9) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			faults := emulator.Faults{Rate: 0.3, Seed: seed, Tries: 8}
			if seed%3 == 0 {
				// Beyond the client's patience: it is the one to leave, before the first byte or in the middle.
				faults.Stall, faults.Slow = 5*time.Minute, 90*time.Second
			}
			w := inWorld(t, loadFaulty(t, "", ""), emulator.Options{Faults: faults}, nil, func(w *world) {
				checkAgainstMeter(t, w.complete(4), w.emulator.Meter())
			})
			checkSameRows(t, clean, w.warehouse)
			m := w.emulator.Meter()
			for kind, n := range m.Faults {
				kinds[kind] += n
			}
			restarted += m.DuplicateRows
			again += int64(len(w.results) - 1)
		})
	}
	for _, kind := range []emulator.Kind{
		emulator.Kind429, emulator.Kind429Bare, emulator.Kind500, emulator.Kind503, emulator.KindHTML200, emulator.KindHTML502, emulator.KindCut,
		emulator.KindCloseBefore, emulator.KindCloseAfter, emulator.KindStall, emulator.KindSlow, emulator.KindBadLength, emulator.KindGone,
	} {
		if kinds[kind] == 0 {
			t.Errorf("fault %s never happened", kind)
		}
	}
	if restarted == 0 {
		t.Error("no list was ever begun anew")
	}
	t.Logf("faults %v; %d rows bought again by restarted lists; %d executions more than one", kinds, restarted, again)
}

// The same through the whole program, its catalog and real time.
func TestAFaultyVendorThroughTheWholeProgram(t *testing.T) {
	t.Parallel()
	clean := undisturbed(t, 0)
	e, err := startEmulator(emulatorFlags{listen: "127.0.0.1:0", faults: "rate=0.3,seed=3,tries=1,stall=100ms,slow=100ms"})
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	for name, value := range e.environment() {
		setenv(t, name, value)
	}
	dir := t.TempDir()
	job := writeFile(t, dir, "faulty.yaml", strings.ReplaceAll(fmt.Sprintf(faultyJob, "", ""), "requests_per_second: 50", "requests_per_second: 5000"))
	w := filepath.Join(dir, "w")
	var status int
	for range 3 {
		var out, errs bytes.Buffer
		if status = Main(context.Background(), inTest(t, &out, &errs, "run", job, "--warehouse", w, "--date", "2026-11-23")); status == 0 {
			break
		}
		t.Logf("exit %d\n%s", status, out.String())
	}
	if status != 0 {
		t.Fatalf("exit %d in the end", status)
	}
	checkSameRows(t, clean, w)
	type own struct{ Rows, Waste, Maybe int64 }
	m := e.server.Meter()
	for _, view := range []string{"ops.tasks", "ops.runs"} {
		a := ask[own](t, w, `select (select sum(rows)::bigint from ops.pages) as Rows, sum(waste_rows)::bigint as Waste, sum(maybe_units)::bigint as Maybe from `+view)[0]
		if a.Rows != m.Rows-m.WasteRows || a.Waste != m.DuplicateRows || m.WasteRows > a.Maybe {
			t.Errorf("%s says %+v, the vendor billed %d rows, of which %d were not delivered and %d delivered again", view, a, m.Rows, m.WasteRows, m.DuplicateRows)
		}
	}
	type undelivered struct{ Most, Attempts int64 }
	u := ask[undelivered](t, w, `select sum(maybe_units)::bigint as Most, count(*) as Attempts from ops.attempts`)[0]
	if u.Most < m.WasteRows || u.Attempts == 0 {
		t.Errorf("%+v in ops.attempts for %d rows billed and not delivered", u, m.WasteRows)
	}
	if _, err := os.Stat(filepath.Join(w, "catalog.duckdb")); err != nil {
		t.Error(err)
	}
}

// A request that may have been billed and brought nothing counts against the budget until the vendor's count tells: whatever
// the vendor loses on the way, and however often it is asked again, it never bills more than the month's budget.
func TestNoFaultOverrunsTheBudget(t *testing.T) {
	t.Parallel()
	seeds := uint64(6)
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			const budget = 900
			spec := loadFaulty(t, "", fmt.Sprintf("budget: {moz: {month: %d}}", budget))
			faults := emulator.Faults{Rate: 0.6, Seed: seed, Kinds: []emulator.Kind{
				emulator.KindCloseAfter, emulator.KindCut, emulator.KindStall, emulator.KindBadLength, emulator.KindGone, emulator.Kind500}}
			w := inWorld(t, spec, emulator.Options{Faults: faults}, nil, func(w *world) {
				for range 4 {
					w.run()
					if billed := w.emulator.Meter().Rows; billed > budget {
						t.Fatalf("%d rows billed with a budget of %d", billed, budget)
					}
					time.Sleep(time.Hour)
				}
			})
			m := w.emulator.Meter()
			a := accountOf(w.results[len(w.results)-1])
			if spent, held := heldAccount(t, w.warehouse); spent+held > budget || spent+held <= budget-50 || spent > pipeline.Units(m.Rows) {
				t.Errorf("%d units known to be spent and %d held, of a budget of %d: it should be used up to less than a page, and %d were billed",
					spent, held, budget, m.Rows)
			}
			if m.WasteRows == 0 || m.WasteRows > a.maybe || a.rows+a.waste != m.Rows-m.WasteRows {
				t.Errorf("%+v for %d rows billed, %d of them not delivered", a, m.Rows, m.WasteRows)
			}
		})
	}
}

// after makes a change at the nth request.
func after(n int, change func()) func(*emulator.Server) http.Handler {
	return func(s *emulator.Server) http.Handler {
		var mu sync.Mutex
		asked := 0
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			if asked++; asked == n {
				change()
			}
			mu.Unlock()
			s.ServeHTTP(w, r)
		})
	}
}

// The vendor replaces its index in the middle of a run: every cursor dies, and the lists that are started over have gained, lost and
// moved rows. What is then in the table is the new list as the vendor gives it, and behind it what only the old one had.
func TestAListThatChangedBetweenItsChainsIsTheNewOneAndWhatTheOldOneHadMore(t *testing.T) {
	t.Parallel()
	const later = 45
	before, now := undisturbed(t, 0), undisturbed(t, later)
	for _, at := range []int{9, 17, 30} {
		t.Run(fmt.Sprint("at request ", at), func(t *testing.T) {
			var s *emulator.Server
			w := inWorld(t, loadFaulty(t, "", ""), emulator.Options{}, func(server *emulator.Server) http.Handler {
				s = server
				return after(at, func() { s.SetDay(later) })(server)
			}, func(w *world) {
				a, m := accountOf(w.complete(1)), w.emulator.Meter()
				if a.rows+a.waste != m.Rows || m.WasteRows != 0 {
					t.Errorf("the run holds %d rows and wasted %d; %d were billed", a.rows, a.waste, m.Rows)
				}
			})
			keys := map[string]string{"anchor_text": "anchor_text", "linking_root_domains": "root_domain", "links": "source_page, target_page, anchor_text, nofollow, redirect"}
			restarts := int64(0)
			for _, table := range faultyTables {
				type verdict struct{ Lists, Twice, Gaps, Lost, Made, Strange int64 }
				v := askOutside[verdict](t, now, fmt.Sprintf(`with got as (%s), old as (%s), new as (%s),
				  anew as (select distinct target, extract from read_parquet('%s/lake/ops/pages/**/*.parquet', hive_partitioning = false) where chain > 0),
				  length as (select target, max(rank) as n from new group by target),
				  mine as (from got semi join anew using (target, extract)),
				  top as (select mine.* from mine join length using (target) where rank <= n),
				  rest as (select mine.* exclude rank from mine left join length using (target) where rank > coalesce(n, 0))
				select (select count(distinct target) from mine) as Lists,
				  (select count(*) - count(distinct (target, %s)) from mine) as Twice,
				  (select coalesce(sum(n - m), 0)::bigint from (select max(rank) as n, count(distinct rank) as m from got group by target)) as Gaps,
				  (select count(*) from (from (from new semi join anew using (target, extract)) except all from top)) as Lost,
				  (select count(*) from (from top except all from new)) as Made,
				  (select count(*) from (from rest except all select * exclude rank from old)) as Strange`,
					rowsOf(w.warehouse, table), rowsOf(before, table), rowsOf(now, table), w.warehouse, keys[table]))[0]
				restarts += v.Lists
				if v.Twice != 0 || v.Gaps != 0 || v.Lost != 0 || v.Made != 0 || v.Strange != 0 {
					t.Errorf("%s: %+v", table, v)
				}
			}
			if restarts == 0 {
				t.Error("no list was begun anew")
			}
		})
	}
}

// Rows that move over a page's edge without a 410 come twice or never, and no cursor tells. What can be promised is that a
// restart makes nothing worse.
func TestARestartAddsNothingToAListThatMovesWhileItIsRead(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		moving := emulator.Faults{Seed: seed, Shift: 0.5}
		calm := inWorld(t, loadFaulty(t, "", ""), emulator.Options{Faults: moving}, nil, func(w *world) { w.complete(1) })
		moving.Rate, moving.Tries, moving.Kinds = 0.2, 4, []emulator.Kind{emulator.KindGone}
		rough := inWorld(t, loadFaulty(t, "", ""), emulator.Options{Faults: moving}, nil, func(w *world) {
			checkAgainstMeter(t, w.complete(4), w.emulator.Meter())
		})
		if rough.emulator.Meter().DuplicateRows == 0 {
			t.Error("no list was begun anew")
		}
		checkSameRows(t, calm.warehouse, rough.warehouse)
		type count struct{ N int64 }
		if n := ask[count](t, calm.warehouse, "select count(*) - count(distinct (target, anchor_text)) as N from moz.anchor_text")[0].N; n == 0 {
			t.Error("no row came twice: the lists did not move")
		}
	}
}

// A cursor that dies between two executions costs its list, not its rows; where its life is known, not even a request.
func TestAnExecutionWhoseStoredCursorsDiedBeginsThoseListsAnew(t *testing.T) {
	t.Parallel()
	clean := undisturbed(t, 0)
	for _, test := range []struct {
		name, vendor string
		wait         time.Duration
		gone         bool // the vendor is asked in vain
		waste        bool
	}{
		{"alive", "", 10 * time.Minute, false, false},
		{"dead, life unknown", "", 2 * time.Hour, true, true},
		{"dead, life known", ", token_life: 1h", 2 * time.Hour, false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var mu sync.Mutex
			denied := false
			w := inWorld(t, loadFaulty(t, test.vendor, ""), emulator.Options{TokenLife: time.Hour}, func(s *emulator.Server) http.Handler {
				asked := 0
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					mu.Lock()
					if asked++; asked == 12 {
						denied = true
					}
					no := denied
					mu.Unlock()
					if no {
						http.Error(rw, `{"message":"no"}`, http.StatusUnauthorized)
						return
					}
					s.ServeHTTP(rw, r)
				})
			}, func(w *world) {
				if r := w.run(); len(r.Incomplete()) == 0 {
					t.Fatal("complete before it was stopped")
				}
				mu.Lock()
				denied = false
				mu.Unlock()
				time.Sleep(test.wait)
				checkAgainstMeter(t, w.complete(1), w.emulator.Meter())
			})
			checkSameRows(t, clean, w.warehouse)
			m := w.emulator.Meter()
			refused := 0
			for _, statuses := range m.Requests {
				refused += statuses[http.StatusGone]
			}
			if refused > 0 != test.gone || m.DuplicateRows > 0 != test.waste {
				t.Errorf("%d requests in vain, %d rows bought again", refused, m.DuplicateRows)
			}
		})
	}
}
