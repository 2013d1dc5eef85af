package engine

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"

	"backhaul/pipeline"
	"backhaul/pipeline/limit"
)

// Outage is a time in which a vendor answers nobody.
type Outage struct {
	Vendor string
	// Since is when the first request found no answer, Until when the vendor is given up.
	Since, Until time.Time
	// Wait is how long from now the vendor is asked again.
	Wait time.Duration
	// Err is what the last request came to.
	Err error
}

// Text says that the vendor is away, and when it is asked again: "in 40 s", or at what time.
func (o *Outage) Text(again string) string {
	return fmt.Sprintf("%s does not answer since %s, asking again %s, until %s UTC: %v", o.Vendor, clock(o.Since), again, clock(o.Until), o.Err)
}

func clock(t time.Time) string { return t.UTC().Format(time.TimeOnly) }

// outage is an Outage at work. One task at a time asks whether the vendor is back, so that what its requests may have cost is
// that of one request after the other.
type outage struct {
	since, until time.Time
	turn         chan struct{} // held by who asks
	over         chan struct{} // closed when the vendor answers
	pause        *backoff.ExponentialBackOff
	err          error // what the last request came to
}

func (r Retry) outage(since time.Time, err error) *outage {
	pause := &backoff.ExponentialBackOff{InitialInterval: 4 * r.Base, MaxInterval: r.Most * 2 / 3, Multiplier: 2}
	pause.Reset()
	return &outage{since: since, until: since.Add(r.For), turn: make(chan struct{}, 1), over: make(chan struct{}), pause: pause, err: err}
}

// unanswered notes a request without an answer and reports whether the vendor is taken to be away: it is already, or the task
// has run out of attempts while nobody else was answered. What may be one list's own takes a second list, unless nobody was ever
// answered.
func (b *buyer) unanswered(e *pipeline.Error, failed int) bool {
	l := b.lane
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.silent.IsZero() {
		l.silent = time.Now()
	}
	if b.heard != l.answers {
		b.heard, b.unheard = l.answers, 0
	}
	b.unheard++
	if l.away != nil {
		l.away.err = e
		return true
	}
	alone := itsOwn(e) && l.failures == 0 && l.answers > 0
	enough, half := l.Retry.Attempts, (l.Retry.Attempts+1)/2
	if e.Unreachable {
		enough = half // nothing but the vendor, or the way there, can be at fault
	}
	// Replies that were under way when it went away still arrive.
	ours := errors.Is(e, syscall.EMFILE) || errors.Is(e, syscall.ENFILE) // this machine has no file left to connect by
	if l.Retry.For <= 0 || failed < enough || b.unheard < half || alone || ours {
		return false
	}
	l.away = l.Retry.outage(l.silent, e)
	return true
}

// itsOwn reports whether an error may be one list's own: the vendor sent it, and not as what stands before a vendor does that is away.
func itsOwn(e *pipeline.Error) bool {
	const badGateway, unavailable = 502, 503
	return e.Status != 0 && e.Status != badGateway && e.Status != unavailable
}

// present ends an outage: the vendor answered, be it with a refusal. The caller holds l.mu.
func (l *lane) present() {
	l.silent = time.Time{}
	if l.away != nil {
		close(l.away.over)
		l.away = nil
	}
}

// awayNow returns the outage under way, nil if there is none.
func (l *lane) awayNow() *outage {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.away
}

// outlast waits while the vendor is away: until it has answered somebody, or until it is time for this task to ask. It gives
// the vendor up when it has been away for too long.
func (b *buyer) outlast(ctx context.Context) error {
	a := b.awayNow()
	if a == nil {
		b.asks = nil
		return nil
	}
	if b.asks != a {
		select {
		case a.turn <- struct{}{}:
			b.asks = a
		case <-a.over:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	left := time.Until(a.until)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if left <= 0 {
		err := a.givenUp()
		b.giveUp(pipeline.EndUnreachable, err)
		return err
	}
	return b.pauseIn(ctx, a, left)
}

// pauseIn waits until it is time to ask again, and says so.
func (b *buyer) pauseIn(ctx context.Context, a *outage, left time.Duration) error {
	b.mu.Lock()
	o := &Outage{Vendor: b.Vendor, Since: a.since, Until: a.until, Wait: min(b.Retry.about(a.pause.NextBackOff(), 0.5), left), Err: a.err}
	b.mu.Unlock()
	b.Observe(Event{Task: *b.Task, Outage: o})
	return limit.Sleep(ctx, o.Wait, a.over) // over: a reply that was under way
}

// leave lets another task ask.
func (b *buyer) leave() {
	if b.asks != nil {
		<-b.asks.turn
		b.asks = nil
	}
}

// awayError means that a vendor was given up because it did not answer for as long as it was to be asked.
type awayError struct {
	since, until time.Time
	err          error
}

func (a *outage) givenUp() error { return &awayError{a.since, a.until, a.err} }

func (e *awayError) Error() string {
	return fmt.Sprintf("no answer from %s to %s UTC: %v", clock(e.since), clock(e.until), e.err)
}

func (e *awayError) Unwrap() error { return e.err }
