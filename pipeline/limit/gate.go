// Package limit owns what a vendor account allows: how many requests a second, how many at once, and how many units
// in all. Every request passes a [Gate] first, so the three bounds are kept in one place.
//
// Units are reserved in two steps. Durable grants come from outside in blocks (see [Grant]); requests share them out
// in memory. Spent, reserved and possibly charged units together never exceed what was granted.
//
// The rate of [Config] is a ceiling. What a vendor really allows is often unknown, so a request that it turns away
// lowers the rate by three tenths, once for all requests that were under way together. Every request that is answered
// raises it by a thirty-second, and it doubles in five minutes without one that is turned away, up to the ceiling. At a
// vendor that allows less, the rate so comes to swing closely below what is allowed, with about one request in ten
// turned away, which costs nothing. Requests turned away by accident, up to one in forty, cost less than a tenth of the
// speed. The rate never falls below one request a minute, from where it is back at 2 a second in 10 minutes. A gate without a ceiling has no rate to lower and keeps pauses only.
//
// The package knows neither requests nor HTTP.
package limit

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"backhaul/pipeline"
)

// Grant asks for leave to spend want units more, or fewer but not less than least. It returns what was granted,
// durably, and when that is 0 what is left to be had.
type Grant func(ctx context.Context, want, least pipeline.Units) (got, left pipeline.Units, err error)

// Config says what an account allows. The zero value allows everything, one request at a time.
type Config struct {
	// PerSecond is the rate of requests. Default 0: unlimited.
	PerSecond float64
	// Connections bounds the requests under way at once. Default 1.
	Connections int
	// Grant is asked for units, by one request at a time. Default: they are unlimited.
	Grant Grant
	// Block is how many units are asked for at a time, so that not every request costs a write.
	// Default 0: as many as the request at hand needs.
	Block pipeline.Units
}

// Gate admits requests to one vendor account. It is safe for concurrent use.
type Gate struct {
	config Config
	slots  chan struct{}
	line   chan struct{} // held by who is next to pass; those behind are served in their order
	asking chan struct{} // held by who asks for a grant

	mu       sync.Mutex
	rate     float64       // requests per second, in force
	last     time.Time     // when a request last passed
	paused   time.Time     // no request before
	lowered  time.Time     // when the rate was last lowered
	steered  time.Time     // when it was last lowered or raised
	changed  chan struct{} // closed and replaced when reserved units are settled
	granted  pipeline.Units
	spent    pipeline.Units
	reserved pipeline.Units
	maybe    pipeline.Units
}

// New returns a gate.
func New(c Config) *Gate {
	return &Gate{
		config: c, rate: c.PerSecond,
		slots: make(chan struct{}, max(1, c.Connections)), line: make(chan struct{}, 1), asking: make(chan struct{}, 1), changed: make(chan struct{}),
	}
}

// BudgetError means that the units left do not suffice for the request.
type BudgetError struct {
	Want pipeline.Units // the least the request could have done with
	Left pipeline.Units
}

func (e *BudgetError) Error() string {
	return fmt.Sprintf("budget: %d units left, the next request may cost %d", e.Left, e.Want)
}

// Pass is the leave to make one request. Exactly one of its methods must be called when the request is over.
type Pass struct {
	// Units is what the request may cost at most.
	Units    pipeline.Units
	gate     *Gate
	admitted time.Time
}

// Admit waits until the account allows one more request and reserves want units for it, or fewer, but not less than
// least, when the budget leaves no more. Units that other requests hold may come back, so it waits for those before
// it gives up with a *BudgetError. It returns early, with its error, when ctx ends.
func (g *Gate) Admit(ctx context.Context, want, least pipeline.Units) (*Pass, error) {
	select {
	case g.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	units, err := g.reserve(ctx, want, least)
	if err != nil {
		<-g.slots
		return nil, err
	}
	if err := g.pace(ctx); err != nil {
		g.release(units, 0, 0)
		return nil, err
	}
	return &Pass{Units: units, gate: g, admitted: time.Now()}, nil
}

// Settle ends the request: the vendor answered, for actual units.
func (p *Pass) Settle(actual pipeline.Units) {
	p.gate.faster()
	p.gate.release(p.Units, actual, 0)
}

// Unsettled ends the request without knowing whether it was charged: its units stay set aside.
func (p *Pass) Unsettled() { p.gate.release(p.Units, 0, p.Units) }

// TurnedAway ends the request: the vendor asks for fewer of them and charged nothing.
func (p *Pass) TurnedAway() {
	p.gate.slower(p.admitted)
	p.gate.release(p.Units, 0, 0)
}

// Pause lets no further request pass before t.
func (g *Gate) Pause(t time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.After(g.paused) {
		g.paused = t
	}
}

// pace waits for the end of a pause and for the rate: requests pass at an even pace, without bursts, since vendors count
// in windows of their own and an even pace fits every one of them.
func (g *Gate) pace(ctx context.Context) error {
	select {
	case g.line <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-g.line }()
	for {
		wait := g.pass()
		if err := sleep(ctx, wait); err != nil || wait <= 0 {
			return err
		}
	}
}

// catchUp is by how much a request may pass early because the one before it was late, as timers are.
const catchUp = 5 * time.Millisecond

// pass lets a request pass, or says how long it has to wait for that.
func (g *Gate) pass() (wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	due := g.paused
	if g.rate > 0 {
		if turn := g.last.Add(time.Duration(float64(time.Second) / g.rate)); turn.After(due) {
			due = turn
		}
	}
	now := time.Now()
	late := now.Sub(due)
	switch {
	case late < 0:
		return -late
	case late < catchUp:
		g.last = due
	default:
		g.last = now
	}
	return 0
}

// sleep returns early, with the cause, when ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// The steps of the rate, and how far it may fall.
const (
	down     = 0.7
	up       = 1 + 1.0/32
	doubling = 5 * time.Minute
	slowest  = 1.0 / 60 // requests per second
)

// slower lowers the rate, unless it has been since the request was admitted: that one tells nothing of the new rate.
func (g *Gate) slower(admitted time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !admitted.After(g.lowered) {
		return
	}
	g.rate = max(g.rate*down, min(g.config.PerSecond, slowest))
	g.lowered = time.Now()
	g.steered = g.lowered
}

// faster raises the rate towards its ceiling.
func (g *Gate) faster() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.rate >= g.config.PerSecond {
		return
	}
	now := time.Now()
	rest := min(1, float64(now.Sub(g.steered))/float64(doubling))
	g.rate = min(g.rate*up*math.Exp2(rest), g.config.PerSecond)
	g.steered = now
}

// PerSecond returns the rate in force, 0 if it is unlimited.
func (g *Gate) PerSecond() float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.rate
}

// reserve reserves want units, or fewer, but not less than least, when no more are to be had.
func (g *Gate) reserve(ctx context.Context, want, least pipeline.Units) (pipeline.Units, error) {
	for {
		if g.take(want) {
			return want, nil
		}
		units, wait, err := g.raise(ctx, want, least)
		if err != nil || wait == nil {
			return units, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// take reserves units if so many are free.
func (g *Gate) take(units pipeline.Units) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.config.Grant == nil {
		g.granted += units
	}
	if g.free() < units {
		return false
	}
	g.reserved += units
	return true
}

// free is what is granted and neither spent nor set aside. The caller holds g.mu.
func (g *Gate) free() pipeline.Units { return g.granted - g.spent - g.reserved - g.maybe }

// raise has more granted, one request at a time, and reserves what there is then; or says what to wait for. g.mu is not held
// while the grant is asked for, since that may take as long as a disk does.
func (g *Gate) raise(ctx context.Context, want, least pipeline.Units) (units pipeline.Units, wait <-chan struct{}, err error) {
	select {
	case g.asking <- struct{}{}:
	case <-ctx.Done():
		return 0, nil, context.Cause(ctx)
	}
	defer func() { <-g.asking }()
	if g.take(want) { // the one before had enough granted for both
		return want, nil, nil
	}
	g.mu.Lock()
	free, settled, busy := g.free(), g.changed, g.reserved > 0
	g.mu.Unlock()
	got, left, err := g.config.Grant(ctx, max(want-free, g.config.Block), want-free)
	switch {
	case err != nil:
		return 0, nil, err
	case got == 0 && busy:
		return 0, settled, nil
	case got == 0 && free+left < least:
		return 0, nil, &BudgetError{Want: least, Left: free + left}
	case got == 0 && left > 0:
		if got, _, err = g.config.Grant(ctx, left, left); err != nil {
			return 0, nil, err
		}
	}
	units, wait = g.share(got, want, least)
	return units, wait, nil
}

// share adds what was granted and reserves what there is, up to want.
func (g *Gate) share(got, want, least pipeline.Units) (units pipeline.Units, wait <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.granted += got
	if free := g.free(); free >= least {
		units = min(want, free)
		g.reserved += units
		return units, nil
	}
	// Another process was faster; what it left is looked at anew.
	now := make(chan struct{})
	close(now)
	return 0, now
}

func (g *Gate) release(reserved, spent, maybe pipeline.Units) {
	g.mu.Lock()
	g.reserved -= reserved
	g.spent += spent
	g.maybe += maybe
	close(g.changed)
	g.changed = make(chan struct{})
	g.mu.Unlock()
	<-g.slots
}
