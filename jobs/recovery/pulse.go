package recovery

import (
	"os"
	"sync/atomic"
	"time"
)

// beat is how old a process's last sign of life may be while it makes requests.
const beat = time.Second

// Pulse is a process's sign of life: the time of the file that it has locked, brought up to date when it is about to make a
// request. From it whoever finds the process dead knows until when its requests may have been under way.
type Pulse struct {
	path string
	now  func() time.Time
	last atomic.Int64 // microseconds
}

// NewPulse returns the sign of life of the process that has locked the run whose journal lies at a path.
func NewPulse(journalPath string, now func() time.Time) *Pulse {
	return &Pulse{path: journalPath + lockSuffix, now: now}
}

// Touch brings the sign up to date where it is old. Where it cannot be written, the pages that arrive are the signs.
func (p *Pulse) Touch() {
	now := p.now()
	last := p.last.Load()
	if now.UnixMicro()-last < beat.Microseconds() || !p.last.CompareAndSwap(last, now.UnixMicro()) {
		return
	}
	_ = os.Chtimes(p.path, now, now)
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
