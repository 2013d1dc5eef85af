//go:build fleet

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"go.temporal.io/sdk/client"

	"backhaul/jobs/books"
	"backhaul/jobs/fleet"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/jobs/report"
	"backhaul/jobs/run"
	"backhaul/pipeline/grid"
	"backhaul/pipeline/limit"
	"backhaul/pipeline/words"
	"backhaul/sinks"
)

// temporal connects to Temporal. The books have to be in a database, which hosts share.
func (a *app) temporal(ctx context.Context) (client.Client, sinks.Warehouse, error) {
	w, err := a.warehouse(ctx)
	if err != nil {
		return nil, w, err
	}
	if a.shared == nil {
		return nil, w, usage("Temporal's workers share the books of a database: set %s; see `backhaul help temporal`", database)
	}
	c, err := fleet.Dial(ctx, a.temporalVariable)
	if err != nil {
		return nil, w, usage("%v", err)
	}
	return c, w, nil
}

// temporalVariable is a variable of Temporal's own, of which the key may be in a file or be what a command prints.
func (a *app) temporalVariable(name string) string {
	if name != temporalKey {
		return a.variable(name)
	}
	value, err := a.env(name)
	if err != nil {
		fmt.Fprintln(a.stderr, "warning:", err)
	}
	return value
}

// runByTemporal has a run carried out by Temporal's workers and waits for it.
func (a *app) runByTemporal(ctx context.Context, job *loadedJob, date time.Time, f runFlags) error {
	if f.metrics != "" || f.limits != (limitFlags{time: usualTargetTime}) {
		return usage("--metrics-file, --memory-limit and --%s are the worker's: give them to `backhaul worker`", targetTime)
	}
	a.warnOfDate(date)
	c, w, err := a.temporal(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := a.confirmAhead(ctx, job, date, f, w); err != nil {
		return err
	}
	order := a.order(job, date, f)
	defer whenStopped(ctx, func() {
		fmt.Fprintln(a.stderr, "stopping: the workers finish and enter the replies under way; the run is cancelled")
	})()
	report, attached, err := fleet.Wait(ctx, c, f.engine.queue, order, (&teller{app: a}).tell)
	if err != nil {
		return err
	}
	if attached {
		fmt.Fprintln(a.stderr, "the run was under way already")
	}
	if _, err := io.WriteString(a.stdout, report.Out); err != nil {
		return err
	}
	return endOf(report)
}

// endOf is how a command ends by the report of who carried it out.
func endOf(report fleet.Report) error {
	switch {
	case report.Status == exitComplete:
		return nil
	case report.Message == "":
		return &exitError{status: report.Status}
	}
	return &exitError{status: report.Status, err: errors.New(report.Message)}
}

// replayByTemporal is a replayer of Temporal's workers.
func (a *app) replayByTemporal(ctx context.Context, f engineFlags) (by replayer, end func(), err error) {
	c, _, err := a.temporal(ctx)
	if err != nil {
		return nil, nil, err
	}
	if !fleet.HasReplayers(ctx, c, f.queue) {
		fmt.Fprintf(a.stderr, "warning: no worker of the warehouse is there on queue %s: the runs wait until `backhaul worker JOB` is started\n", f.queue)
	}
	return func(ctx context.Context, runs []ledger.Run, told func(replayEnd)) {
		defer whenStopped(ctx, func() { fmt.Fprintln(a.stderr, "stopping: the replays under way are cancelled") })()
		orders := make([]fleet.Order, len(runs))
		for i, r := range runs {
			orders[i] = fleet.Order{Job: r.Job, RunDate: r.RunDate, Client: a.clientName(), Heartbeat: f.heartbeat}
		}
		fleet.Replay(ctx, c, f.queue, orders, func(e fleet.Ended) {
			if e.Attached {
				fmt.Fprintf(a.stderr, "%s: its replay was under way already\n", e.Order.Run())
			}
			told(replayEndOf(e))
		})
	}, c.Close, nil
}

func replayEndOf(e fleet.Ended) replayEnd {
	end := replayEnd{run: e.Order.Run().String(), err: e.Err}
	if e.Err == nil {
		end.err = endOf(e.Report)
	}
	if e.Report.Out != "" {
		end.err = errors.Join(end.err, json.Unmarshal([]byte(e.Report.Out), &end.done))
	}
	return end
}

// order is what the workers are given.
func (a *app) order(job *loadedJob, date time.Time, f runFlags) fleet.Order {
	return fleet.Order{
		Job: job.Job, RunDate: date.Format(time.DateOnly), SpecHash: job.Hash, Client: a.clientName(), Vendors: job.sellers(),
		Select: f.chosen.only, Exclude: f.chosen.but, MaxUnits: f.maxUnits, Again: f.again, Accept: f.accept, NoMerge: f.noMerge, JSON: a.json,
		Heartbeat: f.engine.heartbeat,
	}
}

// clientName is whose settings are in force: the name of their file; "" without one.
func (a *app) clientName() string {
	path := a.configFile
	if path == "" {
		path = a.variable(configVariable)
	}
	if path == "" {
		return ""
	}
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}

// confirmAhead asks, on a terminal, about a price over the job's threshold: a worker has nobody to ask.
func (a *app) confirmAhead(ctx context.Context, job *loadedJob, date time.Time, f runFlags, w sinks.Warehouse) error {
	if f.yes || !a.attended || len(job.ConfirmOver) == 0 {
		return nil
	}
	outline, err := job.outline(date, nil)
	if err != nil {
		return err
	}
	p, err := run.Preview(ctx, f.chosen.of(*outline), f.chosen.items(job), a.books(w), a.now())
	if err != nil {
		return err
	}
	return a.confirm(job, outline, p, f.yes)
}

// teller says on stderr how far a run has come that workers carry out.
type teller struct {
	app  *app
	plan string
	last string
	at   time.Time
}

func (t *teller) tell(p fleet.Progress) {
	if p.Plan != t.plan {
		t.plan = p.Plan
		_, _ = io.WriteString(t.app.stderr, p.Plan)
	}
	line := progressText(p)
	if line == t.last || p.Step == "" || time.Since(t.at) < logEvery && strings.HasPrefix(t.last, p.Step) {
		return
	}
	t.last, t.at = line, time.Now()
	fmt.Fprintln(t.app.stderr, line)
}

func progressText(p fleet.Progress) string {
	if p.Step != string(run.Buying) || p.Of == 0 {
		return p.Step
	}
	return fmt.Sprintf("%s: %s of %s, %s, %s", p.Step, words.Count(p.Lists), words.Plural(p.Of, "list"), words.Plural(p.Rows, "row"), words.Plural(p.Units, "unit"))
}

// work takes work from Temporal until ctx ends.
func (a *app) work(ctx context.Context, paths []string, f workerFlags) error {
	served, err := a.served(ctx, paths)
	if err != nil {
		return err
	}
	c, w, err := a.temporal(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	from := &sources{registry: a.vendors, client: a.open, opened: a.warnOfCredentials, connections: map[string]int{}, open: map[string]*openSurface{}}
	defer from.close()
	names, err := a.openAll(from, f.lists)
	if err != nil {
		return err
	}
	if len(names) == 0 && len(served) == 0 {
		return usage("there is nothing to do here: name a job, or give the environment the credentials of a vendor")
	}
	if err := fleet.Register(ctx, c, a.namespace()); err != nil {
		fmt.Fprintf(a.stderr, "warning: runs cannot be found by job, date, vendor and client: %v\n", err)
	}
	shared := a.shared
	worker := fleet.Worker{Client: c, Queue: f.engine.queue, Accounts: slices.Collect(maps.Keys(names)), Lists: f.lists, Buyers: &fleet.Buyers{
		Books: shared, Sources: newUnderWay(mostMissed).watch(from.source), Now: a.now,
		Kept: func(run books.Key) string { return w.Kept(run.Job, run.RunDate) },
		Pacer: func(ctx context.Context, queue string) (limit.Pacer, error) {
			hosts, err := shared.Fleet(ctx)
			if err != nil {
				return nil, err
			}
			return hosts.Slots(strings.TrimPrefix(queue, fleet.QueueOf(f.engine.queue, ""))), nil
		},
	}}
	if len(served) > 0 {
		conducts := &conductor{app: a, client: c, paths: served, flags: f}
		worker.Conduct, worker.Replay = conducts.conduct, conducts.replay
	}
	fmt.Fprintf(a.stderr, "worker: %s on queue %s, %s; Ctrl-C stops it\n", accountsText(names), f.engine.queue, words.Plural(len(served), "job"))
	return worker.Run(ctx)
}

func accountsText(names map[string]string) string {
	if len(names) == 0 {
		return "no account"
	}
	return "buys from " + strings.Join(slices.Sorted(maps.Values(names)), ", ")
}

// namespace is that of Temporal.
func (a *app) namespace() string {
	if name := a.variable("TEMPORAL_NAMESPACE"); name != "" {
		return name
	}
	return client.DefaultNamespace
}

// served are the files of the jobs that are carried out here, by their names.
func (a *app) served(ctx context.Context, paths []string) (map[string]string, error) {
	served := map[string]string{}
	for _, path := range paths {
		job, err := a.loadJob(ctx, path)
		if err != nil {
			return nil, err
		}
		if other := served[job.Job]; other != "" {
			return nil, usage("%s and %s are both job %s", other, path, job.Job)
		}
		served[job.Job] = path
	}
	return served, nil
}

// openAll opens the surfaces whose credentials the environment has, for so many lists at once, and returns the names of their accounts with
// those of the vendors.
func (a *app) openAll(from *sources, most int) (names map[string]string, err error) {
	names = map[string]string{}
	for _, s := range a.vendors {
		values, _, err := a.credentials(s.Credentials)
		if err != nil {
			return nil, err
		}
		if values == nil {
			continue
		}
		from.connections[s.Vendor] = most
		if _, err := from.surface(s.Vendor, s.Name); err != nil {
			return nil, err
		}
		names[a.known[s.Vendor+"/"+s.Name]] = s.Vendor
	}
	return names, nil
}

// conductor carries out the runs of some jobs.
type conductor struct {
	app    *app
	client client.Client
	paths  map[string]string
	flags  workerFlags
}

// fresh is the program for one run alone: with books of its own, as what a process writes is held against every run that it has locked.
func (c *conductor) fresh(o fleet.Order, out io.Writer) (b *app, end func()) {
	b = &app{environment: c.app.environment, warehouseDir: c.app.warehouseDir, configFile: c.app.configFile, json: o.JSON, allowed: c.app.allowed, set: c.app.set, known: accounts{}}
	var last farewell
	b.seen, b.atEnd = b.known.add, last.add
	b.stdout, b.stderr, b.attended = out, prefixed{c.app.stderr, o.Run().String() + ": "}, false
	return b, last.do
}

// conduct implements fleet.Conduct.
func (c *conductor) conduct(ctx context.Context, o fleet.Order, tell func(fleet.Progress)) (report fleet.Report, again error) {
	report, err := c.reported(ctx, o, func(b *app) error { return c.carryOut(ctx, b, o, tell) })
	if errors.Is(err, books.ErrBusy) || errors.Is(err, books.ErrTaken) || errors.Is(err, books.ErrAway) {
		again = err
	}
	return report, again
}

// replay implements fleet.Conduct for replays. It needs no job: the journal says what is in it.
func (c *conductor) replay(ctx context.Context, o fleet.Order, _ func(fleet.Progress)) (report fleet.Report, again error) {
	report, err := c.reported(ctx, o, func(b *app) error {
		return b.withRun(ctx, o.Run().String(), func(l *ledger.Ledger, r ledger.Run, lake *localLake) error {
			done, err := b.replayRun(ctx, l, r, lake)
			return errors.Join(err, json.NewEncoder(b.stdout).Encode(done))
		})
	})
	if report.Status == exitTryLater {
		again = err
	}
	return report, again
}

// reported does something as a program of its own, and returns how that ended as it travels, and as it is.
func (c *conductor) reported(ctx context.Context, o fleet.Order, do func(*app) error) (report fleet.Report, err error) {
	var out bytes.Buffer
	b, end := c.fresh(o, &out)
	defer end()
	err = do(b)
	report.Out = out.String()
	if exit := ending(ctx, err); exit != nil {
		if report.Status = exit.status; exit.err != nil {
			report.Message = advise(exit.err)
		}
	}
	return report, err
}

func (c *conductor) carryOut(ctx context.Context, b *app, o fleet.Order, tell func(fleet.Progress)) error {
	path := c.paths[o.Job]
	if path == "" {
		return usage("the worker was not started with job %s", o.Job)
	}
	job, err := b.loadJob(ctx, path)
	switch {
	case err != nil:
		return err
	case job.Job != o.Job:
		return usage("the worker's %s is job %s by now", path, job.Job)
	case o.SpecHash != "" && o.SpecHash != job.Hash:
		return usage("the worker's %s, or a list that it names, is not what this run was ordered by: give it the same files, and run it again", path)
	}
	chosen := selection{o.Select, o.Exclude}
	if err := chosen.check(job); err != nil {
		return err
	}
	if err := b.share(); err != nil {
		return err
	}
	now := &standing{tell: tell}
	f := runFlags{date: o.RunDate, maxUnits: o.MaxUnits, yes: true, again: o.Again, accept: o.Accept, noMerge: o.NoMerge, metrics: c.flags.metrics, limits: c.flags.limits, chosen: chosen,
		conducted: &conducted{step: now.step, plan: now.planned(job.Job, o.RunDate), buyer: &fleet.Engine{
			Client: c.client, Queue: c.flags.engine.queue, Books: b.shared, Order: o, Report: now.bought,
			Account: func(vendor, surface string) string { return b.known[vendor+"/"+surface] },
			Warn:    func(text string) { fmt.Fprintln(b.stderr, "warning:", text) },
		}}}
	said, err := b.speak(logFlags{format: "text"})
	if err != nil {
		return err
	}
	return b.run(ctx, job, f, said)
}

// standing is how far a run has come that is conducted here.
type standing struct {
	tell func(fleet.Progress)
	mu   sync.Mutex
	now  fleet.Progress
}

func (s *standing) change(do func(*fleet.Progress)) {
	s.mu.Lock()
	do(&s.now)
	now := s.now
	s.mu.Unlock()
	s.tell(now)
}

func (s *standing) step(step run.Step) {
	s.change(func(p *fleet.Progress) { p.Step = string(step.Name) })
}

func (s *standing) bought(q fleet.Progress) {
	s.change(func(p *fleet.Progress) {
		q.Step, q.Plan = p.Step, p.Plan
		*p = q
	})
}

func (s *standing) planned(job, date string) func(*plan.Plan) {
	return func(p *plan.Plan) {
		var text strings.Builder
		if report.PlanText(&text, job, date, p) == nil {
			s.change(func(p *fleet.Progress) { p.Plan = text.String() })
		}
	}
}

// prefixed writes lines that say whose they are.
type prefixed struct {
	to     io.Writer
	prefix string
}

func (p prefixed) Write(text []byte) (int, error) {
	var lines bytes.Buffer
	for line := range bytes.Lines(text) {
		lines.WriteString(p.prefix)
		lines.Write(line)
	}
	if !bytes.HasSuffix(text, []byte("\n")) {
		lines.WriteByte('\n')
	}
	_, err := p.to.Write(lines.Bytes())
	return len(text), err
}

// schedule sets, shows or removes the schedule of a job.
func (a *app) schedule(ctx context.Context, path string, f scheduleFlags) error {
	job, err := a.loadJob(ctx, path)
	if err != nil {
		return err
	}
	c, _, err := a.temporal(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	queue := f.engine.queue
	switch {
	case f.removes:
		return fleet.RemoveSchedule(ctx, c, queue, job.Job)
	case f.pause, f.resume:
		err = fleet.PauseSchedule(ctx, c, queue, job.Job, f.pause)
	case f.cron != "":
		order := fleet.Order{Job: job.Job, Client: a.clientName(), Vendors: job.sellers(), Heartbeat: f.engine.heartbeat}
		err = fleet.SetSchedule(ctx, c, queue, order, fleet.Timetable{Cron: f.cron, Zone: f.zone})
	}
	if err != nil {
		return err
	}
	t, err := fleet.Schedule(ctx, c, queue, job.Job)
	if err != nil {
		return err
	}
	return a.printSchedule(job.Job, t)
}

func (a *app) printSchedule(job string, t fleet.Timetable) error {
	if a.json {
		return a.printJSON(struct {
			Job    string      `json:"job"`
			Paused bool        `json:"paused"`
			Next   []time.Time `json:"next"`
			Last   []time.Time `json:"last"`
		}{job, t.Paused, t.Next, t.Last})
	}
	to := grid.Fold(a.stdout)
	if t.Paused {
		fmt.Fprintf(to, "%s: paused\n", job)
	}
	for _, at := range t.Next[:min(3, len(t.Next))] {
		if _, err := fmt.Fprintf(to, "%s: next %s UTC\n", job, at.UTC().Format(time.DateTime)); err != nil {
			return err
		}
	}
	return nil
}
