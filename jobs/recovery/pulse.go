package recovery

import (
	"os"
	"sync"
	"time"
)

// beat is how old a process's last sign of life may be while it makes requests.
const beat = time.Second

// Pulse is a process's sign of life: the time of the file that it has locked, brought up to date when it is about to make a
// request. From it whoever finds the process dead knows until when its requests may have been under way. It never goes back,
// though the clock may: once that is set right again, requests would look older than they are, and what they may have cost
// would be taken for counted by the vendor too early.
type Pulse struct {
	path string
	now  func() time.Time

	mu    sync.Mutex
	clock time.Time     // when it was last looked at
	back  time.Duration // by how much it has gone back
	last  time.Time     // the sign
}

// NewPulse returns the sign of life of the process that has locked the run whose journal lies at a path.
func NewPulse(journalPath string, now func() time.Time) *Pulse {
	return &Pulse{path: journalPath + lockSuffix, now: now}
}

// Touch brings the sign up to date where it is old. Where it cannot be written, the pages that arrive are the signs.
func (p *Pulse) Touch() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now().Round(0) // the clock itself, and not what has passed since
	if now.Before(p.clock) {
		p.back += p.clock.Sub(now)
	}
	p.clock = now
	if sign := now.Add(p.back); sign.Sub(p.last) >= beat {
		p.last = sign
		_ = os.Chtimes(p.path, sign, sign)
	}
}

// Keep brings the sign up to date every so often until stop is called, so that who looks can tell a process that works from one that
// was stopped. 0: not at all.
func (p *Pulse) Keep(every time.Duration) (stop func()) {
	if every == 0 {
		return func() {}
	}
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			p.Touch()
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
func LastSign(journalPath string, now time.Time) time.Time {
	info, err := os.Stat(journalPath + lockSuffix)
	if err != nil {
		return now
	}
	if sign := info.ModTime().Add(beat); sign.Before(now) {
		return sign.UTC()
	}
	return now
}
