package run

import (
	"context"
	"os"
	"sync/atomic"
	"time"

	"backhaul/pipeline"
)

// beat is how old a process's last sign of life may be while it makes requests.
const beat = time.Second

// pulse is a process's sign of life: the time of the file that it has locked, brought up to date when it is about to make a
// request. From it whoever finds the process dead knows until when its requests may have been under way.
type pulse struct {
	path string
	now  func() time.Time
	last atomic.Int64 // microseconds
}

// touch brings the sign up to date where it is old. Where it cannot be written, the pages that arrive are the signs.
func (p *pulse) touch() {
	now := p.now()
	last := p.last.Load()
	if now.UnixMicro()-last < beat.Microseconds() || !p.last.CompareAndSwap(last, now.UnixMicro()) {
		return
	}
	_ = os.Chtimes(p.path, now, now)
}

// lastSign is until when a dead process may have made requests, now at the latest.
func lastSign(journalPath string, now time.Time) time.Time {
	info, err := os.Stat(journalPath + lockSuffix)
	if err != nil {
		return now
	}
	if sign := info.ModTime().Add(beat); sign.Before(now) {
		return sign.UTC()
	}
	return now
}

// beating is a source whose requests are signs of life.
type beating struct {
	pipeline.Source
	pulse *pulse
}

func (b beating) Fetch(ctx context.Context, t pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	b.pulse.touch()
	return b.Source.Fetch(ctx, t, ask)
}
