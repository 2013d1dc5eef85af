package simulation

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/jobs/run"
	"backhaul/pipeline"
	"backhaul/pipeline/emulator"
	"backhaul/pipeline/sqlite"
	"backhaul/sinks"
)

// monthsEnd is when the month turns in which a scenario begins: bubbles begin on the first of 2000.
var monthsEnd = time.Date(2000, 2, 1, 0, 0, 0, 0, time.UTC)

func dateOf(day int) time.Time { return time.Date(2000, 1, 20+day, 0, 0, 0, 0, time.UTC) }

// world is one execution of a scenario.
type world struct {
	scenario
	dir    string
	begun  time.Time
	server *emulator.Server
	pipes  *pipes
	shelf  *shelf
	books  *ledger.Ledger // to look into
	// grants and releases ask the same of the file itself, and are asked at every step.
	grants, releases *sql.Stmt
	lifted           atomic.Bool              // the ceilings are
	received         map[string]*atomic.Int64 // units of the pages that processes were given, by vendor
	over             atomic.Bool              // something is wrong: everybody dies

	mu        sync.Mutex
	trace     []event
	wrong     error
	all       []*process
	refusals  map[string]int // replies after which a list may start over, by run and task
	processes sync.WaitGroup
}

// event is a step of a process.
type event struct {
	at   time.Duration
	text string
}

// inOrder spells a trace. What was done in one moment has no order.
func inOrder(trace []event) []string {
	slices.SortStableFunc(trace, func(a, b event) int {
		if a.at != b.at {
			return cmp.Compare(a.at, b.at)
		}
		return cmp.Compare(a.text, b.text)
	})
	lines := make([]string, len(trace))
	for i, e := range trace {
		lines[i] = fmt.Sprint(e.at, " ", e.text)
	}
	return lines
}

// story is what came of a scenario: what was done, and what is wrong with it.
type story struct {
	trace []string
	wrong error
}

// simulate carries out a scenario.
func simulate(t *testing.T, s scenario) story { return simulateThen(t, s, nil) }

// simulateThen lets somebody look at the warehouse that is left, outside of its time.
func simulateThen(t *testing.T, s scenario, look func(*world)) (told story) {
	dir, err := os.MkdirTemp(scratch(), "simulation")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	defer func() {
		if r := recover(); r != nil {
			told.wrong = fmt.Errorf("%v", r)
		}
	}()
	var w *world
	synctest.Test(t, func(t *testing.T) {
		w = &world{scenario: s, dir: dir, shelf: newShelf(), refusals: map[string]int{}, received: map[string]*atomic.Int64{"moz": {}, "ahrefs": {}}, pipes: &pipes{dialed: make(chan net.Conn), closed: make(chan struct{})}}
		w.live()
		told = story{inOrder(w.trace), w.wrong}
	})
	if look != nil {
		look(w)
	}
	return told
}

// scratch is where files can be synced at no cost, if there is such a place.
func scratch() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() && os.Getenv("TMPDIR") == "" {
		return "/dev/shm"
	}
	return ""
}

// live lets the processes run, then whoever it takes to complete all runs, and looks at what there is.
func (w *world) live() {
	time.Sleep(time.Until(monthsEnd.Add(-w.Lead)))
	w.begun = time.Now()
	defer w.build()()
	for i, f := range w.Processes {
		p := w.process(fmt.Sprint("p", i), f)
		w.processes.Go(func() {
			time.Sleep(f.At + time.Duration(i)*time.Microsecond) // never in one moment
			w.execute(p)
		})
	}
	w.processes.Wait()
	w.lifted.Store(true)
	w.finish(w.open())
	w.check(w.checkEnd())
	if w.Seed%3 == 0 { // it takes as long as another night
		w.await()
	}
}

// await lets months pass, and another run after each, until nothing is held any more.
func (w *world) await() {
	for month := 1; !w.over.Load(); month++ {
		holds, err := w.books.Holds(context.Background(), "", "")
		w.check(err)
		if len(holds) == 0 {
			return
		}
		if month > 4 {
			w.check(fmt.Errorf("money: %+v is held still, %d months later", holds[0], month-1))
		}
		time.Sleep(40 * 24 * time.Hour)
		w.finish([]fate{{Job: 0, Day: 100 * month, Connections: 1}, {Job: 1, Day: 100 * month, Connections: 1}})
	}
}

// build makes the vendor and an empty warehouse.
func (w *world) build() (end func()) {
	faults := emulator.Faults{Rate: w.Rate, Seed: w.Seed, Tries: 2, Stall: w.Stall}
	for _, k := range w.Kinds {
		faults.Kinds = append(faults.Kinds, emulator.Kind(k))
	}
	w.server = emulator.New(still(emulator.Options{Faults: faults, Quota: w.Quota, RequestsPerSecond: w.scenario.PerSecond}))
	serving := &http.Server{Handler: http.HandlerFunc(w.answer), ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = serving.Serve(w.pipes) }()
	here := sinks.Warehouse{Root: filepath.Join(w.dir, "warehouse")}
	if err := os.Mkdir(here.Root, 0o755); err != nil {
		panic(err)
	}
	if !w.Fresh {
		if err := os.WriteFile(here.Ledger(), template(), 0o600); err != nil {
			panic(err)
		}
	}
	books, err := ledger.Open(context.Background(), here.Ledger())
	if err != nil {
		panic(err)
	}
	w.books = books
	file, err := sql.Open("sqlite", here.Ledger())
	if err != nil {
		panic(err)
	}
	w.grants = prepared(file, `SELECT run_id, vendor, month, granted, spent, charged FROM grants`)
	w.releases = prepared(file, `SELECT coalesce(sum(held - charged), 0) FROM settlements WHERE vendor = ? AND why = ?`)
	return func() {
		_ = file.Close()
		_ = books.Close()
		_ = serving.Close()
	}
}

func prepared(db *sql.DB, query string) *sql.Stmt {
	stmt, err := db.Prepare(query)
	if err != nil {
		panic(err)
	}
	return stmt
}

// template is a ledger in which nothing is entered yet: to make its tables takes as long as to enter a night.
var template = sync.OnceValue(func() []byte {
	dir, err := os.MkdirTemp("", "simulation")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "ledger")
	l, err := ledger.Open(context.Background(), path)
	if err = errors.Join(err, l.Close()); err != nil {
		panic(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	return text
})

// process makes one, with a name of its own for the warehouse.
func (w *world) process(name string, f fate) *process {
	p := &process{world: w, fate: f, name: name, root: filepath.Join(w.dir, name), breaths: map[string]int{}, delivered: map[string]bool{}, bought: map[string]pipeline.Units{}}
	p.life, p.die = context.WithCancel(context.Background())
	if err := os.Symlink("warehouse", p.root); err != nil {
		panic(err)
	}
	w.mu.Lock()
	w.all = append(w.all, p)
	w.mu.Unlock()
	return p
}

// writers are the processes by their names for the warehouse.
var writers sync.Map

func init() {
	sqlite.Before = func(step, path string) error {
		for dir := filepath.Dir(path); dir != "/" && dir != "."; dir = filepath.Dir(dir) {
			if p, ok := writers.Load(dir); ok {
				return p.(*process).before(step, path)
			}
		}
		return nil
	}
}

// execute lets a process live, and looks at how it ended.
func (w *world) execute(p *process) *run.Result {
	writers.Store(p.root, p)
	defer writers.Delete(p.root)
	defer p.die()
	result, err := p.run()
	w.note(p.name, "end", ending(result, err))
	if p.killed() {
		return nil
	}
	if result == nil && err == nil {
		w.check(fmt.Errorf("%s has neither a result nor an error", p.name))
		return nil
	}
	w.check(w.checkRun(p, result, err))
	return result
}

func ending(result *run.Result, err error) string {
	if err != nil || result == nil {
		return "error"
	}
	return string(result.Run.State)
}

// open are the runs that were begun, each for a process to complete.
func (w *world) open() (open []fate) {
	seen := map[string]bool{}
	for _, f := range w.Processes {
		key := jobName(f.Job) + " " + dateOf(f.Day).Format(time.DateOnly)
		done, _ := w.books.Find(context.Background(), jobName(f.Job), dateOf(f.Day).Format(time.DateOnly))
		again := w.Seed%4 == 0 // one that is complete is complete, and costs nothing
		if !seen[key] && (done.State != ledger.Complete || again) {
			seen[key] = true
			open = append(open, fate{Job: f.Job, Day: f.Day, Connections: 1 + f.Connections%2, RetryFor: 30 * time.Minute})
		}
	}
	return open
}

// finish has runs completed, by processes that nothing happens to. Where the vendor loses most cursors an execution may get no
// further than a few pages, and many are needed; in vain must be few.
func (w *world) finish(open []fate) {
	for round, vain := 0, 0; len(open) > 0 && !w.over.Load(); round++ {
		time.Sleep([]time.Duration{2 * time.Hour, 10 * 24 * time.Hour}[min(round, 1)])
		if vain > 12 || round > 100 {
			w.check(fmt.Errorf("%d runs are not complete after %d more executions, of which the last %d brought nothing", len(open), round, vain))
		}
		before := w.delivered()
		var left []fate
		for i, f := range open {
			p := w.process(fmt.Sprint("f", len(w.all), ".", i), f)
			p.calm = true
			if result := w.execute(p); result == nil || result.Run.State != ledger.Complete {
				left = append(left, f)
			}
		}
		open = left
		if vain++; w.delivered() > before {
			vain = 0
		}
	}
}

// delivered is the units of all pages that processes were given.
func (w *world) delivered() (units int64) {
	for _, of := range w.received {
		units += of.Load()
	}
	return units
}

// check takes down what is wrong, once, and lets everybody die of it.
func (w *world) check(err error) {
	if err == nil || w.over.Load() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wrong == nil {
		w.wrong = err
		w.over.Store(true)
	}
}

// note adds to the trace.
func (w *world) note(who, what, about string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trace = append(w.trace, event{time.Since(w.begun), who + " " + what + " " + about})
}

// excused reports whether an error may end a run in this scenario.
func (p *process) excused(err error) bool {
	switch {
	case errors.Is(err, books.ErrBusy), errors.Is(err, errDisk):
		return true
	case errors.Is(err, run.ErrClock):
		return strings.Contains(p.String(), `"Jump"`)
	case errors.Is(err, context.Canceled):
		return p.Interrupt > 0
	}
	return false
}

// pipes lets processes dial the vendor without leaving the bubble. It is a net.Listener.
type pipes struct {
	dialed chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.dialed:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipes) Addr() net.Addr { return &net.IPAddr{} }

// answer lets the vendors answer, or refuse the credentials.
func (w *world) answer(reply http.ResponseWriter, r *http.Request) {
	if w.Denied.open(time.Since(w.begun)) {
		http.Error(reply, `{"name":"unauthorized","message":"not now"}`, http.StatusUnauthorized)
		return
	}
	w.server.ServeHTTP(reply, r)
}

// dial reaches the vendors, unless they are away.
func (w *world) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if w.Away.open(time.Since(w.begun)) {
		return nil, syscall.ECONNREFUSED
	}
	near, far := net.Pipe()
	select {
	case w.pipes.dialed <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
