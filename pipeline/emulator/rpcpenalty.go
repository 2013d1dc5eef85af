package emulator

import (
	"net/http"
	"sync"
	"time"
)

// The penalty for clients that err (Moz's guide to error handling): more than 50 requests with a 4xx result in 5 minutes limit the
// account to 50 requests in 5 minutes, until 30 seconds pass without a 4xx.
const (
	penaltyCount  = 50
	penaltyPeriod = 5 * time.Minute
	penaltyQuiet  = 30 * time.Second
)

// penalty is the state of it. The zero value has nothing against anybody; it is safe for concurrent use.
//
// Chosen: the 50 requests count from the moment the limit begins; a request refused under it is a 4xx like any other, so a client that
// goes on asking is never let off; once let off, it starts with a clean sheet.
type penalty struct {
	mu      sync.Mutex
	errors  []time.Time // of the last 5 minutes, at most one more than allowed
	limited bool
	asked   []time.Time // under the limit, in the last 5 minutes
}

// admit tells whether a request may be answered.
func (p *penalty) admit(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.limited {
		return true
	}
	if now.Sub(p.errors[len(p.errors)-1]) >= penaltyQuiet {
		p.limited, p.errors, p.asked = false, nil, nil
		return true
	}
	p.asked = since(p.asked, now)
	if len(p.asked) >= penaltyCount {
		return false
	}
	p.asked = append(p.asked, now)
	return true
}

// note takes down the status of an answer.
func (p *penalty) note(now time.Time, status int) {
	if status < http.StatusBadRequest || status >= http.StatusInternalServerError {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.errors = append(since(p.errors, now), now)
	if len(p.errors) > penaltyCount {
		p.errors = p.errors[1:]
		p.limited = true
	}
}

// since drops what is older than the period.
func since(times []time.Time, now time.Time) []time.Time {
	for len(times) > 0 && now.Sub(times[0]) >= penaltyPeriod {
		times = times[1:]
	}
	return times
}
