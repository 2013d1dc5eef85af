// Package limit owns what a vendor account allows: how many requests a second, how many at once, and how many units
// in all. Every request passes a [Gate] first, so the three bounds are kept in one place.
//
// Units are reserved in two steps. Durable grants come from outside in blocks (see [Grant]); requests share them out
// in memory. Spent, reserved and possibly charged units together never exceed what was granted.
//
// The rate of [Config] is a ceiling. What a vendor really allows is often unknown, and so is how it counts: by a bucket that
// fills, or in windows that turn or slide. So the rate is learned from the answers ([estimate]): requests turned away lower it
// where that is what has fewer of them turned away, and not where as many are at any rate. At a vendor that allows less than
// the ceiling, the rate comes to lie closely about what is allowed, with less than one request in ten turned away, which costs
// nothing. What was learned fades within minutes.
//
// A vendor that turns away three requests in a row is taken to be closed until its window turns: one request at a time asks
// whether it still is, at intervals that double up to a minute, and the first that is answered lets the others follow at once.
// How long it was closed is held against the rate. A gate without a ceiling has no rate to lower and keeps these intervals and
// pauses only.
//
// The package knows neither requests nor HTTP.
package limit

import (
	"context"
	"fmt"
	"sync"
	"time"

	"backhaul/pipeline"
)

// Grant asks for leave to spend want units more, or fewer but not less than least. It returns what was granted,
// durably, and when that is 0 what is left to be had.
type Grant func(ctx context.Context, want, least pipeline.Units) (got, left pipeline.Units, err error)

// Pacer gives out the moments at which requests may be sent, to all who share an account. It is safe for concurrent use.
type Pacer interface {
	// Slot takes the next moment, which lies gap behind the one before at least, whoever had that, and returns how long it is until then.
	// A moment that is not used is lost.
	Slot(ctx context.Context, gap time.Duration) (wait time.Duration, err error)
}

// Config says what an account allows. The zero value allows everything, one request at a time.
type Config struct {
	// PerSecond is the rate of requests. Default 0: unlimited.
	PerSecond float64
	// Connections bounds the requests under way at once. Default 1.
	Connections int
	// Pacer gives out the requests' turns at the rate in force, where others make requests to the account as well. Default nil: they
	// are all of this gate.
	Pacer Pacer
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
	known    *estimate     // of the rate the vendor allows; nil while it turns nobody away
	calm     int           // requests answered since one was turned away
	last     time.Time     // when a request last passed
	paused   time.Time     // no request before
	refused  time.Time     // when a request was last turned away
	refusals int           // requests turned away in a row, of which each was sent after the one before was turned away
	closed   time.Time     // since when the vendor is closed
	lost     time.Duration // for which requests waited because others had been turned away
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
	came     time.Time // to be the next to pass
	admitted time.Time
	pace     float64 // requests per second, as it follows the one before
	probe    bool    // the vendor was closed
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
	p := &Pass{Units: units, gate: g}
	if err := g.pace(ctx, p); err != nil {
		g.release(units, 0, 0)
		return nil, err
	}
	return p, nil
}

// Settle ends the request: the vendor answered, for actual units.
func (p *Pass) Settle(actual pipeline.Units) {
	p.gate.served(p)
	p.gate.release(p.Units, actual, 0)
}

// Unsettled ends the request without knowing whether it was charged: its units stay set aside.
func (p *Pass) Unsettled() { p.gate.release(p.Units, 0, p.Units) }

// TurnedAway ends the request: the vendor asks for fewer of them and charged nothing.
func (p *Pass) TurnedAway() {
	p.gate.away(p)
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
func (g *Gate) pace(ctx context.Context, p *Pass) error {
	select {
	case g.line <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-g.line }()
	p.came = time.Now()
	if err := g.turn(ctx); err != nil {
		return err
	}
	for {
		wait, changed := g.pass(p)
		if err := Sleep(ctx, wait, changed); err != nil || wait <= 0 {
			return err
		}
	}
}

// turn waits for the request's turn among those of others, when a pause of this gate's own is over.
func (g *Gate) turn(ctx context.Context) error {
	if g.config.Pacer == nil {
		return nil
	}
	for {
		gap, wait, changed := g.before()
		if wait > 0 {
			if err := Sleep(ctx, wait, changed); err != nil {
				return err
			}
			continue
		}
		if gap == 0 {
			return nil
		}
		wait, err := g.config.Pacer.Slot(ctx, gap)
		if err != nil || wait == 0 {
			return err
		}
		return Sleep(ctx, wait, nil)
	}
}

// before is what a request that takes turns with others has to keep to: the gap to the one before it, and how long it has to wait
// until it may ask for its turn, and what may change that.
func (g *Gate) before() (gap, wait time.Duration, changed <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return period(g.rate), time.Until(g.due()), g.changed
}

// due is when the next request may pass, as far as this gate knows: where a pacer gives out the turns, that is when a pause of its own is
// over. The caller holds g.mu.
func (g *Gate) due() time.Time {
	if g.config.Pacer != nil && !g.shut() {
		return g.paused
	}
	return latest(g.paused, g.last.Add(g.gap()))
}

// catchUp is by how much a request may pass early because the one before it was late, as timers are.
const catchUp = 5 * time.Millisecond

// pass lets a request pass, or says how long it has to wait for that, and what may change it.
func (g *Gate) pass(p *Pass) (wait time.Duration, changed <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	due, now := g.due(), time.Now()
	late := now.Sub(due)
	if late < 0 {
		return -late, g.changed
	}
	if usual := latest(g.last.Add(period(g.config.PerSecond)), p.came); due.After(usual) {
		g.lost += due.Sub(usual)
	}
	p.admitted, p.probe = now, g.shut()
	p.pace = min(g.rate, 1/max(now.Sub(g.last), time.Microsecond).Seconds())
	if g.last = now; late < catchUp {
		g.last = due
	}
	return 0, g.changed
}

// Sleep returns early, with the cause, when ctx ends, and without when something changes. changed may be nil: nothing does.
func Sleep(ctx context.Context, d time.Duration, changed <-chan struct{}) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-changed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

const (
	// shutAfter is how many requests in a row are turned away by a vendor that is closed.
	shutAfter = 3
	// firstGap and lastGap bound how long after the one before the next request asks whether it still is.
	firstGap, lastGap = 500 * time.Millisecond, time.Minute
	// longestShut bounds how many requests a closed vendor is taken to have turned away, though they were never made.
	longestShut = 50
	// slowest is the lowest rate that is kept to, in requests per second.
	slowest = 1.0 / 60
	// up is by how much a request that is answered may raise the rate.
	up = 1 + 1.0/16
	// enough is how many requests in a row are answered before what was learned is forgotten, and usual how many are taken to
	// have been when the first is turned away.
	enough, usual = 3 * memory, 30
)

// shut reports whether the vendor is taken to be closed. The caller holds g.mu.
func (g *Gate) shut() bool { return g.refusals >= shutAfter }

// gap is how long after one request the next may pass. The caller holds g.mu.
func (g *Gate) gap() time.Duration {
	gap := period(g.rate)
	if !g.shut() {
		return gap
	}
	doubled := max(gap, firstGap) << min(g.refusals-shutAfter+1, 10)
	return max(gap, min(doubled, lastGap))
}

// period is how long after one request the next comes at a rate, 0 where that is unlimited.
func period(perSecond float64) time.Duration {
	if perSecond <= 0 {
		return 0
	}
	return time.Duration(float64(time.Second) / perSecond)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Lost returns for how long in all requests waited, each in its turn, beyond what the rate of the config takes: because others had been
// turned away.
func (g *Gate) Lost() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lost
}

// away learns from a request that was turned away, unless another has been since it was admitted: they tell the same.
func (g *Gate) away(p *Pass) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.admitted.Before(g.refused) {
		return
	}
	now := time.Now()
	g.refused, g.calm = now, 0
	g.refusals++
	if g.refusals == shutAfter {
		g.closed = now
	}
	if g.refusals > shutAfter || g.rate == 0 {
		return
	}
	if g.known == nil {
		g.known = newEstimate(g.config.PerSecond, now)
		g.known.note(now, g.rate, true, usual)
	}
	g.known.note(now, p.pace, false, 1)
	g.rate = min(g.rate, g.known.rate())
}

// served learns from a request that was answered.
func (g *Gate) served(p *Pass) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now, shut := time.Now(), g.shut()
	g.refusals = 0
	if g.known == nil {
		return
	}
	switch g.calm++; {
	case g.calm >= enough && g.rate >= g.config.PerSecond:
		g.known = nil
		return
	case shut:
		if missed := now.Sub(g.closed).Seconds()*g.rate - 1; missed > 0 {
			g.known.note(now, g.rate, false, min(missed, longestShut))
		}
	case !p.probe:
		g.known.note(now, p.pace, true, 1)
	}
	g.rate = min(g.known.rate(), g.rate*up, g.config.PerSecond)
}

// Unspent returns the units that were granted and are neither spent nor set aside.
func (g *Gate) Unspent() pipeline.Units {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.free()
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
	if ctx.Err() != nil {
		return 0, nil, context.Cause(ctx) // a select chooses either, and the request is not made
	}
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
	// Another process was faster; what it left is looked at again.
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
