package ahrefs

import (
	"maps"
	"sync"
)

// Meter is what a server has been asked, and has answered and billed.
type Meter struct {
	Units          int64                  // billed by v3
	V2Rows         int64                  // billed by v2
	Targets        map[string]int64       // units, or rows billed by v2, by path and target: "/v3/site-explorer/anchors acme.example"
	Rows           int64                  // of all replies to good requests, from the cache too
	CacheHits      int                    // replies repeated for nothing
	Requests       map[string]map[int]int // by path ("other" for unknown ones) and status; status 0: the connection was closed without one
	Pages          int                    // replies to good requests delivered whole
	DuplicatePages int                    // of those, delivered before: same day, same request
	DuplicateUnits int64                  // billed for the duplicates, with the rows of v2; those from the cache cost nothing
	WastePages     int                    // billed, or served from the cache, but not delivered whole
	WasteUnits     int64                  // billed for those, with the rows of v2
}

type meter struct {
	mu        sync.Mutex
	now       Meter
	delivered map[string]bool
}

// Meter returns what was asked, answered and billed so far.
func (s *Server) Meter() Meter {
	m := &s.meter
	m.mu.Lock()
	defer m.mu.Unlock()
	out := m.now
	out.Targets = maps.Clone(m.now.Targets)
	out.Requests = make(map[string]map[int]int, len(m.now.Requests))
	for path, byStatus := range m.now.Requests {
		out.Requests[path] = maps.Clone(byStatus)
	}
	return out
}

// answered counts a reply's rows and what was billed for it: units, or rows of v2.
func (m *meter) answered(target string, served int, units, rows int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.Rows += int64(served)
	m.now.Units += units
	m.now.V2Rows += rows
	if m.now.Targets == nil {
		m.now.Targets = map[string]int64{}
	}
	if units+rows > 0 {
		m.now.Targets[target] += units + rows
	}
}

func (m *meter) hit(served int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.Rows += int64(served)
	m.now.CacheHits++
}

// Settle hears how a reply ended: with what status, 0 if the connection closed without one, and whether it was delivered whole.
func (s *Server) Settle(a Reply, status int, whole bool) {
	m := &s.meter
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now.Requests == nil {
		m.now.Requests, m.delivered = map[string]map[int]int{}, map[string]bool{}
	}
	if m.now.Requests[a.path] == nil {
		m.now.Requests[a.path] = map[int]int{}
	}
	m.now.Requests[a.path][status]++
	switch {
	case a.key == "":
	case !whole:
		m.now.WastePages++
		m.now.WasteUnits += a.units + a.rows
	default:
		m.now.Pages++
		if m.delivered[a.key] {
			m.now.DuplicatePages++
			m.now.DuplicateUnits += a.units + a.rows
		}
		m.delivered[a.key] = true
	}
}
