package simulation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"backhaul/jobs/books"
	"backhaul/jobs/budget"
	"backhaul/jobs/chain"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/jobs/run"
	"backhaul/pipeline"
	"backhaul/pipeline/emulator"
	"backhaul/pipeline/emulator/ahrefs"
	"backhaul/pipeline/engine"
	"backhaul/pipeline/limit"
	"backhaul/pipeline/vendors"
	"backhaul/pipeline/vendors/ahrefsv3"
	"backhaul/pipeline/vendors/mozrpc"
	"backhaul/pipeline/vendors/mozv2"
	"backhaul/sinks"
)

var (
	// errDead is what everything comes to that a killed process still tries.
	errDead = errors.New("the process was killed")
	// errDisk is a write that the disk refuses.
	errDisk = fmt.Errorf("the disk: %w", syscall.EIO)
)

// process is one execution of a run.
type process struct {
	*world
	fate
	name string // in the trace
	root string // of the warehouse, a name of this process's own, by which its writes are told
	life context.Context
	die  context.CancelFunc
	stop context.CancelFunc // tells it to stop

	ahead atomic.Int64 // its clock, of the true time
	draws atomic.Int64 // of the engine

	mu        sync.Mutex
	steps     int
	dead      bool
	refused   bool                      // the disk did
	breaths   map[string]int            // by task
	delivered map[string]bool           // pages, by pageKey; true once durable
	bought    map[string]pipeline.Units // by vendor
	calm      bool                      // nothing is to happen to it, and it has all the money it wants
}

func (p *process) warehouse() sinks.Warehouse { return sinks.Warehouse{Root: p.root} }

func (p *process) now() time.Time { return time.Now().Add(time.Duration(p.ahead.Load())) }

func (p *process) killed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

// isWrite reports whether the disk can refuse a step: it is one of a SQLite file.
func isWrite(step string) bool { return strings.HasPrefix(step, "sqlite ") }

// step notes what the process is about to do, and lets happen what the scenario has for this moment.
func (p *process) step(name, about string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead || p.over.Load() {
		p.kill()
		return errDead
	}
	p.note(p.name, name, about)
	p.steps++
	switch p.steps {
	case p.Kill:
		p.kill()
		return errDead
	case p.Jump:
		p.ahead.Store(int64(p.By))
	}
	if p.Interrupt > 0 && p.steps >= p.Interrupt && (p.Loose || !isWrite(name)) { // a query under way may end this way or that
		p.stop()
	}
	return p.refusal(name)
}

// refusal is what the disk says to a step. The caller holds p.mu.
func (p *process) refusal(name string) error {
	if p.Disk == 0 || p.steps < p.Disk || p.refused || !isWrite(name) {
		return nil
	}
	p.refused = true
	return errDisk
}

// kill takes the world from the process. The caller holds p.mu.
func (p *process) kill() {
	p.dead = true
	p.die()
}

// before is sqlite.Before for the files of this process.
func (p *process) before(step, path string) error {
	err := p.step("sqlite "+step, strings.TrimPrefix(path, p.root+"/"))
	if step == "sync" && path == p.warehouse().Ledger() {
		p.checkMoney()
	}
	return err
}

// act takes a step that takes its time.
func (p *process) act(name, about string) error {
	p.breathe(name)
	return p.step(name, about)
}

// breathe lets a little time pass, of odd nanoseconds, so that no two goroutines go on in one moment.
func (p *process) breathe(why string) { p.pass(why, 0, time.Millisecond) }

func (p *process) pass(why string, least, most time.Duration) {
	p.mu.Lock()
	p.breaths[why]++
	n := p.breaths[why]
	p.mu.Unlock()
	_ = limit.Sleep(p.life, least+time.Duration(p.roll(p.name, why, n)%uint64(most)), nil) // the next step finds it dead
}

// roll draws for one thing, by name.
func (w *world) roll(of ...any) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, append(of, w.Seed)...)
	z := h.Sum64()
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// run is the process's life.
func (p *process) run() (*run.Result, error) {
	ctx, stop := context.WithCancel(p.life)
	defer stop()
	p.stop = stop
	moz, end, err := p.moz()
	if err != nil {
		return nil, err
	}
	defer end()
	v3, err := ahrefsv3.New(ahrefsv3.Config{BaseURL: "http://localhost/v3", Key: ahrefs.DefaultKey,
		HTTP: ahrefsv3.HTTP{Conns: p.Connections, Dial: p.dial, Clock: p.now}})
	if err != nil {
		return nil, err
	}
	defer v3.Close()
	o := run.Options{
		Warehouse: p.warehouse(), Lake: lake{p}, NewID: jobName(p.Job) + "." + p.name, Now: p.now, Again: p.calm,
		Retry:   engine.Retry{For: p.RetryFor, Random: func() float64 { return float64(p.roll(p.name, "random", p.draws.Add(1))>>11) / (1 << 53) }},
		Observe: p.observe,
		Confirm: func(*plan.Plan) error { return p.act("confirm", "") },
	}
	if p.Waits {
		o.Waits = func(books.Holder) {}
	}
	return run.Run(ctx, p.job(map[string]client{"moz": moz, "ahrefs": v3}), o)
}

// moz is the client of the surface that Moz is asked by.
func (p *process) moz() (c client, end func(), err error) {
	if p.RPC {
		rpc, err := mozrpc.New(mozrpc.Config{BaseURL: "http://localhost/jsonrpc", Token: emulator.DefaultToken,
			HTTP: mozrpc.HTTP{Conns: p.Connections, Dial: p.dial, Clock: p.now}})
		return rpc, func() { rpc.Close() }, err
	}
	v2, err := mozv2.New(mozv2.Config{BaseURL: "http://localhost/v2", Token: emulator.DefaultToken,
		HTTP: mozv2.HTTP{Conns: p.Connections, Dial: p.dial, Clock: p.now}})
	return v2, func() { v2.Close() }, err
}

func jobName(job int) string { return string(rune('a' + job)) }

// client is that of a vendor.
type client interface {
	vendors.Client
	pipeline.Usage
}

// job is what the process is to buy.
func (p *process) job(clients map[string]client) run.Job {
	sources := map[string]pipeline.Source{}
	for _, c := range clients {
		for _, s := range c.Sources() {
			sources[s.Endpoint().String()] = s
		}
	}
	j := run.Job{Name: jobName(p.Job), RunDate: dateOf(p.Day), SpecHash: "spec", Accounts: map[string]budget.Account{},
		Sources: func(t pipeline.Task) (pipeline.Source, error) { return p.source(sources[t.Endpoint]), nil }}
	lists := p.listsOf(p.Job)
	for _, i := range lists {
		l := p.Lists[i]
		item := plan.Item{Task: p.task(i), Endpoint: sources[l.Endpoint].Endpoint(), PageSize: l.Size}
		if l.After && i != lists[0] {
			j.Steps = append(j.Steps, waiting(item, extractName(lists[0])))
		} else {
			j.Items = append(j.Items, item)
		}
		vendor := vendorOf(l.Endpoint)
		account := budget.Account{PerSecond: p.PerSecond, Connections: p.Connections, Usage: usage{p, vendor, clients[vendor]}}
		if !p.calm {
			unit := questions[l.Endpoint].unit
			account.Ceiling = ledger.Ceiling{Run: ceiling(unit * p.world.Run), Month: ceiling(unit * p.Month), WarehouseMonth: ceiling(unit * p.Warehouse)}
		}
		j.Accounts[vendor] = account
	}
	return j
}

// waiting is an extract that asks what it asks once another is done.
func waiting(item plan.Item, other string) chain.Step {
	return chain.Step{Extract: item.Task.Extract, Endpoint: item.Endpoint, After: []string{other}, Before: []string{other}, Query: other, Digest: other,
		Make: func([]string, [][]*string, []pipeline.Task) ([]pipeline.Task, []string, error) {
			return []pipeline.Task{item.Task}, nil, nil
		},
		Item: func(pipeline.Task) plan.Item { return item }}
}

func ceiling(n int64) *pipeline.Units {
	if n == 0 {
		return nil
	}
	units := pipeline.Units(n)
	return &units
}

// task is that of a list.
func (s scenario) task(i int) pipeline.Task {
	l := s.Lists[i]
	q := questions[l.Endpoint]
	if s.RPC && vendorOf(l.Endpoint) == "moz" {
		q.surface = "rpc"
	}
	t := pipeline.Task{Extract: extractName(i), Endpoint: l.Endpoint, Surface: q.surface, Target: l.Target, TargetAsGiven: l.Target, Scope: q.scope,
		Params: q.params, MaxRows: l.MaxRows, Priority: l.Priority}
	t.ID = pipeline.TaskID(t)
	return t
}

func extractName(list int) string { return fmt.Sprint("x", list) }

// listOf is the list of an extract, -1 if it is of no extract.
func listOf(extract string) int {
	i, err := strconv.Atoi(strings.TrimPrefix(extract, "x"))
	if err != nil {
		return -1
	}
	return i
}

// source is one of the client's as the process has it.
func (p *process) source(s pipeline.Source) pipeline.Source {
	e := *s.Endpoint()
	e.Price = func(t pipeline.Task, ask pipeline.Ask) (pipeline.Price, error) {
		p.breathe(t.Extract) // the engine asks for the price of each request before it queues up
		return s.Endpoint().PriceOf(t, ask)
	}
	return bought{s, p, &e}
}

// bought is a source whose requests take their time, and their chances.
type bought struct {
	pipeline.Source
	*process
	endpoint *pipeline.Endpoint
}

func (b bought) Endpoint() *pipeline.Endpoint { return b.endpoint }

func (b bought) Fetch(ctx context.Context, t pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	about := fmt.Sprint(t.Extract, " ", ask.Limit, " ", len(ask.Cursor))
	if err := b.step("ask", about); err != nil {
		return pipeline.Page{}, err
	}
	ctx, cancel := b.mortal(ctx)
	defer cancel()
	b.pass(t.Extract, time.Millisecond, 200*time.Millisecond)
	if b.killed() {
		return pipeline.Page{}, errDead
	}
	page, err := b.Source.Fetch(ctx, t, ask)
	if err == nil {
		page.Cursor = ask.Cursor
		b.deliver(t, page)
	}
	b.failed(t, err)
	b.checkMoney()
	b.pass(t.Extract, time.Millisecond, 200*time.Millisecond)
	if dead := b.step("answer", fmt.Sprint(about, ": ", outcome(page, err))); dead != nil {
		return pipeline.Page{}, dead
	}
	return page, err
}

func outcome(page pipeline.Page, err error) string {
	var e *pipeline.Error
	if errors.As(err, &e) {
		return fmt.Sprint(e.Kind, e.Status, e.MaybeCharged)
	}
	return fmt.Sprint(page.Rows, page.End)
}

// mortal lets a context end with the process as well.
func (p *process) mortal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(p.life, cancel)
	return ctx, func() { stop(); cancel() }
}

// pageKey tells a page from all others.
func (p *process) pageKey(taskID string, page pipeline.Page) string {
	return fmt.Sprint(p.runKey(), " ", taskID, " ", page.FetchedAt.UnixMicro(), " ", page.Cursor)
}

// runKey names the run that the process is for.
func (p *process) runKey() string { return jobName(p.Job) + " " + dateOf(p.Day).Format(time.DateOnly) }

func (p *process) deliver(t pipeline.Task, page pipeline.Page) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delivered[p.pageKey(t.ID, page)] = false
	p.received[t.Vendor()].Add(int64(page.Units))
	p.bought[t.Vendor()] += page.Units
	if most := pipeline.Units(p.world.Run * unitOf[t.Vendor()]); most > 0 && !p.calm && p.bought[t.Vendor()] > most {
		p.check(fmt.Errorf("money: %s bought for %d at %s, of %d", p.name, p.bought[t.Vendor()], t.Vendor(), most))
	}
}

// observe notes which pages are durable.
func (p *process) observe(ev engine.Event) {
	if ev.Page == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delivered[p.pageKey(ev.Task.ID, *ev.Page)] = true
}

// usage is the vendor's meter as the process asks it.
type usage struct {
	*process
	vendor string
	client pipeline.Usage
}

func (u usage) Usage(ctx context.Context, from, to time.Time) (pipeline.UsageReport, error) {
	if err := u.act("count", u.vendor); err != nil {
		return pipeline.UsageReport{}, &pipeline.Error{Kind: pipeline.Transient, Err: err}
	}
	ctx, cancel := u.mortal(ctx)
	defer cancel()
	report, err := u.client.Usage(ctx, from, to)
	return report, cmp.Or(u.act("counted", fmt.Sprint(u.vendor, report.Units)), err)
}

// listsOf are the lists of a job; of another, if it has none.
func (w *world) listsOf(job int) (all []int) {
	for i, l := range w.Lists {
		if l.Job == job {
			all = append(all, i)
		}
	}
	if all == nil {
		return w.listsOf(1 - job)
	}
	return slices.Clip(all)
}
