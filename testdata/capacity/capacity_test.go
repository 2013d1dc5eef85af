package main

import (
	"bytes"
	"context"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/limit"
)

// alone is an account that has everything to itself, but for what a test changes.
func alone(v vendor, change func(*setting)) setting {
	s := setting{accounts: 1, of: []vendor{v}, hosts: 1, cores: 64, database: 64, ledgers: 1, perGrant: 1, mostTries: 20}
	change(&s)
	return s
}

// turns give out an account's moments as the database does, after the time that takes.
type turns struct {
	takes time.Duration
	mu    sync.Mutex
	next  time.Time
}

func (p *turns) Slot(_ context.Context, gap time.Duration) (time.Duration, error) {
	time.Sleep(p.takes)
	p.mu.Lock()
	defer p.mu.Unlock()
	at := time.Now()
	if p.next.After(at) {
		at = p.next
	}
	p.next = at.Add(gap)
	return time.Until(at), nil
}

// really has the program's own gate admit what a setting of one account asks for, under virtual time, and returns how long that takes.
func really(t *testing.T, s setting) (took time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		v, begun := s.of[0], time.Now()
		gate := limit.New(limit.Config{
			PerSecond: v.perSecond, Connections: v.connections, Block: pipeline.Units(s.perGrant), Pacer: &turns{takes: s.turn},
			Grant: func(_ context.Context, want, _ pipeline.Units) (got, left pipeline.Units, err error) {
				time.Sleep(s.grant + s.hold)
				return want, 0, nil
			},
		})
		left := make(chan struct{}, v.requests)
		for range v.requests {
			left <- struct{}{}
		}
		close(left)
		var all sync.WaitGroup
		for range v.connections {
			all.Go(func() {
				for range left {
					pass, err := gate.Admit(t.Context(), 1, 1)
					if err != nil {
						t.Error(err)
						return
					}
					time.Sleep(v.reply + s.request + s.page)
					pass.Settle(1)
				}
			})
		}
		all.Wait()
		took = time.Since(begun)
	})
	return took
}

func TestTheModelTakesAsLongAsTheGate(t *testing.T) {
	cases := map[string]setting{
		"by the rate":        alone(vendor{perSecond: 2, connections: 8, reply: time.Second, requests: 3000}, func(s *setting) { s.turn = time.Millisecond }),
		"by the connections": alone(vendor{perSecond: 100, connections: 4, reply: 2 * time.Second, requests: 3000}, func(s *setting) { s.page = 50 * time.Millisecond }),
		"by the turns":       alone(vendor{perSecond: 50, connections: 16, reply: 100 * time.Millisecond, requests: 3000}, func(s *setting) { s.turn = 60 * time.Millisecond }),
		"by the grants":      alone(vendor{perSecond: 50, connections: 16, reply: 100 * time.Millisecond, requests: 3000}, func(s *setting) { s.grant, s.hold, s.perGrant = 40*time.Millisecond, 160*time.Millisecond, 4 }),
	}
	for name, s := range cases {
		t.Run(name, func(t *testing.T) {
			model, real := simulate(s).buying, really(t, s)
			t.Logf("the model takes %v, the gate %v", model, real)
			if off := math.Abs(model.Seconds()/real.Seconds() - 1); off > 0.02 {
				t.Errorf("the model takes %v, the gate %v: %.1f %% off", model, real, 100*off)
			}
		})
	}
}

func TestWhatIsShortHoldsUpTheDay(t *testing.T) {
	small := vendor{perSecond: 10, connections: 8, reply: 500 * time.Millisecond, requests: 200, rows: 50, tables: 4}
	twenty := func(change func(*setting)) day {
		return simulate(alone(small, func(s *setting) { s.accounts, s.hosts = 20, 4; change(s) }))
	}
	free := twenty(func(*setting) {})
	if free.requests != 4000 || free.last < free.bound || free.last > free.bound+time.Second {
		t.Errorf("with nothing short %+v", free)
	}
	for name, c := range map[string]struct {
		change func(*setting)
		busy   func(day) float64
	}{
		"the database": {func(s *setting) { s.database, s.page = 2, 20*time.Millisecond }, func(d day) float64 { return d.database }},
		"the ledger":   {func(s *setting) { s.hold = 10 * time.Millisecond }, func(d day) float64 { return d.ledger }},
		"the hosts":    {func(s *setting) { s.cores, s.request = 1, 40*time.Millisecond }, func(d day) float64 { return d.hosts }},
		"the tables":   {func(s *setting) { s.publish = 5 * time.Second }, func(d day) float64 { return d.tables }},
	} {
		d := twenty(c.change)
		if d.last < free.last*5/4 || c.busy(d) < 0.7 {
			t.Errorf("short is %s: complete after %v, %v where nothing is short; %.2f busy", name, d.last, free.last, c.busy(d))
		}
	}
}

func TestEveryCommitThatIsNotGivenUpIsMadeOnce(t *testing.T) {
	d := func(hosts, tries int) (day, *fleet) {
		s := alone(vendor{connections: 1, reply: time.Second, requests: 1, tables: 3}, func(s *setting) {
			s.accounts, s.hosts, s.store, s.costs.commit, s.mostTries = 40, hosts, true, time.Second, tries
		})
		f := newFleet(s)
		return f.live(), f
	}
	for _, hosts := range []int{1, 8} {
		day, f := d(hosts, 0)
		for table := range 3 {
			if f.versions[table] != 40 {
				t.Errorf("%d hosts: table %d has %d commits", hosts, table, f.versions[table])
			}
		}
		if (hosts > 1) != (day.conflicts > 0) || day.lost != 0 {
			t.Errorf("%d hosts: %d conflicts, %d lost", hosts, day.conflicts, day.lost)
		}
	}
	if day, f := d(8, 2); day.lost == 0 || f.versions[0]+f.versions[1]+f.versions[2]+day.lost != 120 {
		t.Errorf("with two tries %d are given up, %v made", day.lost, f.versions[:3])
	}
}

func TestTheReportHasARowForEverySetting(t *testing.T) {
	var out bytes.Buffer
	report(&out, questions()[:1], true)
	for _, r := range questions()[0].settings {
		if !strings.Contains(out.String(), r.name) {
			t.Errorf("%s is not in %s", r.name, out.String())
		}
	}
}
