// Package limit owns what a vendor account allows: how many requests a second, how many at once, and how many units
// in all. Every request passes a [Gate] first, so the three bounds are kept in one place.
//
// Units are reserved in two steps. Durable grants come from outside in blocks (see [Grant]); requests share them out
// in memory. Spent, reserved and possibly charged units together never exceed what was granted.
//
// The package knows neither requests nor HTTP.
package limit

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

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
	// Grant is asked for units. Default: they are unlimited.
	Grant Grant
	// Block is how many units are asked for at a time, so that not every request costs a write.
	// Default 0: as many as the request at hand needs.
	Block pipeline.Units
}

// Gate admits requests to one vendor account. It is safe for concurrent use.
type Gate struct {
	config Config
	rate   *rate.Limiter
	slots  chan struct{}

	mu       sync.Mutex
	paused   time.Time     // no request before
	changed  chan struct{} // closed and replaced when reserved units are settled
	granted  pipeline.Units
	spent    pipeline.Units
	reserved pipeline.Units
	maybe    pipeline.Units
}

// New returns a gate.
func New(c Config) *Gate {
	g := &Gate{config: c, slots: make(chan struct{}, max(1, c.Connections)), changed: make(chan struct{})}
	limit := rate.Inf
	if c.PerSecond > 0 {
		limit = rate.Limit(c.PerSecond)
	}
	// No burst: vendors count in windows of their own, and an even pace fits every one of them.
	g.rate = rate.NewLimiter(limit, 1)
	return g
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
	Units pipeline.Units
	gate  *Gate
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
	pass := &Pass{Units: units, gate: g}
	if err := g.pace(ctx); err != nil {
		pass.Settle(0)
		return nil, err
	}
	return pass, nil
}

// Settle ends the request: it cost actual units.
func (p *Pass) Settle(actual pipeline.Units) { p.gate.release(p.Units, actual, 0) }

// Unsettled ends the request without knowing whether it was charged: its units stay set aside.
func (p *Pass) Unsettled() { p.gate.release(p.Units, 0, p.Units) }

// Pause lets no further request pass before t.
func (g *Gate) Pause(t time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.After(g.paused) {
		g.paused = t
	}
}

// pace waits for the end of a pause, then for the rate.
func (g *Gate) pace(ctx context.Context) error {
	for {
		g.mu.Lock()
		wait := time.Until(g.paused)
		g.mu.Unlock()
		if wait <= 0 {
			break
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
	return g.rate.Wait(ctx)
}

func (g *Gate) reserve(ctx context.Context, want, least pipeline.Units) (pipeline.Units, error) {
	for {
		units, wait, err := g.tryReserve(ctx, want, least)
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

// tryReserve reserves units, or says what to wait for.
func (g *Gate) tryReserve(ctx context.Context, want, least pipeline.Units) (units pipeline.Units, wait <-chan struct{}, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.config.Grant == nil {
		g.granted += want
	}
	free := g.granted - g.spent - g.reserved - g.maybe
	if free < want {
		got, left, err := g.config.Grant(ctx, max(want-free, g.config.Block), want-free)
		if err != nil {
			return 0, nil, err
		}
		if got == 0 && g.reserved > 0 {
			return 0, g.changed, nil
		}
		if got == 0 && free+left < least {
			return 0, nil, &BudgetError{Want: least, Left: free + left}
		}
		if got == 0 && left > 0 {
			if got, _, err = g.config.Grant(ctx, left, left); err != nil {
				return 0, nil, err
			}
		}
		g.granted += got
		free += got
	}
	if free < least {
		// Another process was faster; what it left is looked at anew.
		return g.tryAgain()
	}
	units = min(want, free)
	g.reserved += units
	return units, nil, nil
}

// tryAgain is what to wait for when there is nothing to wait for.
func (g *Gate) tryAgain() (pipeline.Units, <-chan struct{}, error) {
	now := make(chan struct{})
	close(now)
	return 0, now, nil
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
