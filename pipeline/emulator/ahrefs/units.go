package ahrefs

import (
	"fmt"
	"sync"
	"time"
)

// minimum is the least a priced request costs.
const minimum = 50

// cost of a request: rows times the price of one, at least the minimum, for no rows too (the latter chosen).
func cost(rows, rowUnits int) int64 { return max(minimum, int64(rows)*int64(rowUnits)) }

// account keeps the units and, apart, the rows of v2 that were billed, by month, and the rate. Safe for concurrent use.
type account struct {
	mu     sync.Mutex
	months map[int64]*spent // by the first second of a calendar month in UTC
	recent []time.Time      // requests of the last minute
}

type spent struct{ units, rows int64 }

func monthOf(t time.Time) time.Time {
	t = t.UTC()
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

func (a *account) of(t time.Time) *spent {
	if a.months == nil {
		a.months = map[int64]*spent{}
	}
	key := monthOf(t).Unix()
	if a.months[key] == nil {
		a.months[key] = &spent{}
	}
	return a.months[key]
}

func (a *account) bill(at time.Time, units, rows int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.of(at)
	s.units, s.rows = s.units+units, s.rows+rows
}

func (a *account) spent(at time.Time) spent {
	a.mu.Lock()
	defer a.mu.Unlock()
	return *a.of(at)
}

// admit counts a request of the last 60 seconds, a window that slides; one that is refused does not count (both chosen).
func (a *account) admit(at time.Time, perMinute int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.recent) > 0 && at.Sub(a.recent[0]) >= time.Minute {
		a.recent = a.recent[1:]
	}
	if perMinute > 0 && len(a.recent) >= perMinute {
		return false
	}
	if perMinute > 0 {
		a.recent = append(a.recent, at)
	}
	return true
}

// affords checks a request's expected usage against what is left of the workspace's and the key's units; the text is a recorded one. Requests
// that run at the same time can overdraw together (chosen).
func (s *Server) affords(expected int64) (why string, ok bool) {
	used := s.account.spent(s.options.Clock()).units
	left, limited := int64(0), false
	if n := s.options.UnitsLimit; n > 0 {
		left, limited = max(0, n-used-s.options.UnitsUsed), true
	}
	if n := s.options.KeyLimit; n > 0 && (!limited || n-used < left) {
		left, limited = max(0, n-used), true
	}
	if limited && expected > left {
		return fmt.Sprintf("API units limit reached. Expected usage: %d, API units left: %d.", expected, left), false
	}
	return "", true
}

// limitsAndUsage reports the units of this month. A limit that is not set is null.
func limitsAndUsage(c *call) []row {
	o := c.server.options
	now := o.Clock()
	used := c.server.account.spent(now).units
	limit := func(n int64) any {
		if n == 0 {
			return nil
		}
		return int(n)
	}
	return []row{{
		{"subscription", "Emulated, billed monthly"},
		{"usage_reset_date", monthOf(now).AddDate(0, 1, 0).Format(time.RFC3339)},
		{"units_limit_workspace", limit(o.UnitsLimit)}, {"units_usage_workspace", int(used + o.UnitsUsed)},
		{"units_limit_api_key", limit(o.KeyLimit)}, {"units_usage_api_key", int(used)},
		{"api_key_expiration_date", monthOf(now).AddDate(1, 0, 0).Format(time.RFC3339)},
	}}
}
