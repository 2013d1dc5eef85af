package mozrpc

import (
	"fmt"
	"sync"
	"time"

	"backhaul/pipeline"
)

// More than 50 requests with a 4xx within five minutes slow an account down to 50 requests in five minutes, until 30
// seconds pass without one. A target that Moz has no record of is answered with 404, so that is soon reached. Source: Moz
// JSON-RPC, error handling.
const (
	window     = 5 * time.Minute
	penaltyAt  = 50
	calmAfter  = 30 * time.Second
	leastSlack = 5
)

// brake holds requests back before refusals become so many that Moz does. It knows only what this client met: whatever
// else uses the account meanwhile comes on top. Safe for concurrent use.
type brake struct {
	// most is how many refusals a window may have: so far below Moz's limit that the requests under way cannot reach it.
	most int

	mu       sync.Mutex
	refusals []time.Time // of the last window, oldest first
}

func newBrake(connections int) *brake {
	return &brake{most: max(1, penaltyAt-leastSlack-connections)}
}

// hold returns an error that says how long to wait, or nil if a request may be made now.
func (b *brake) hold(now time.Time) *pipeline.Error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget(now)
	n := len(b.refusals)
	if n < b.most {
		return nil
	}
	// As soon as fewer than most are left in the window.
	after := b.refusals[n-b.most].Add(window).Sub(now)
	return &pipeline.Error{Kind: pipeline.Throttled, After: after, Message: fmt.Sprintf(
		"held back, not sent: %d refusals within %s, and Moz slows an account down after %d", n, window, penaltyAt)}
}

// note counts a reply if it was a refusal.
func (b *brake) note(status int, now time.Time) {
	if status/100 != 4 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget(now)
	b.refusals = append(b.refusals, now)
}

// forget drops what is older than the window.
func (b *brake) forget(now time.Time) {
	old := 0
	for old < len(b.refusals) && now.Sub(b.refusals[old]) >= window {
		old++
	}
	b.refusals = b.refusals[old:]
}
