package recovery

import (
	"context"
	"sync"
	"time"

	"backhaul/jobs/books"
)

// beat is how old a process's last sign of life may be while it makes requests.
const beat = time.Second

// Pulse is the sign of life of a process that has locked a run, brought up to date when it is about to make a
// request. From it whoever finds the process dead knows until when its requests may have been under way. It never goes back,
// though the clock may: once that is set right again, requests would look older than they are, and what they may have cost
// would be taken for counted by the vendor too early.
type Pulse struct {
	book Alive
	now  func() time.Time

	mu    sync.Mutex
	clock time.Time     // when it was last looked at
	back  time.Duration // by how much it has gone back
	last  time.Time     // the sign
}

// Alive is what a process has to itself, a run or a list, as [books.Possession] has it.
type Alive interface {
	Sure(ctx context.Context) error
	Beat(sign time.Time)
}

// NewPulse returns that of the process that has locked a run, or claimed a list of one.
func NewPulse(book Alive, now func() time.Time) *Pulse {
	return &Pulse{book: book, now: now}
}

// Touch brings the sign up to date where it is old. Where it cannot be written, the pages that arrive are the signs. An error means that
// the run may not be this process's any more: no request must be made.
func (p *Pulse) Touch(ctx context.Context) error {
	if err := p.book.Sure(ctx); err != nil {
		return err
	}
	p.touch()
	return nil
}

func (p *Pulse) touch() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now().Round(0) // the clock itself, and not what has passed since
	if now.Before(p.clock) {
		p.back += p.clock.Sub(now)
	}
	p.clock = now
	if sign := now.Add(p.back); sign.Sub(p.last) >= beat {
		p.last = sign
		p.book.Beat(sign)
	}
}

// Keep brings the sign up to date every so often until stop is called, so that who looks can tell a process that works from one that
// was stopped. 0: not at all.
func (p *Pulse) Keep(every time.Duration) (stop func()) {
	if every == 0 {
		return func() {}
	}
	return Repeat(every, p.touch)
}

// Repeat does something now and every so often, in a goroutine of its own, until stop is called, which waits for it.
func Repeat(every time.Duration, do func()) (stop func()) {
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			do()
			select {
			case <-tick.C:
			case <-over:
				return
			}
		}
	}()
	return func() {
		close(over)
		<-done
	}
}

// LastSign is until when a dead process may have made requests, now at the latest.
func LastSign(ctx context.Context, book books.Possession, now time.Time) time.Time {
	last := book.LastBeat(ctx)
	if sign := last.Add(beat); !last.IsZero() && sign.Before(now) {
		return sign.UTC()
	}
	return now
}
