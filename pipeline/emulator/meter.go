package emulator

import (
	"maps"
	"net/http"
	"sync"
	"time"
)

// Meter is what a server has seen, answered and billed.
type Meter struct {
	Rows           int64                  // billed, by the vendor's rules; what usage_data sums up
	Requests       map[string]map[int]int // by path ("other" for unknown ones, "/jsonrpc/" and the method's name for JSON-RPC) and status; status 0: the connection was closed without one
	Pages          int                    // answers that cost rows, delivered whole: pages of lists, batches
	DuplicatePages int                    // of those, pages delivered before: same day, request and position
	DuplicateRows  int64                  // rows of the duplicate pages
	WastePages     int                    // pages billed but not delivered whole
	WasteRows      int64                  // rows of those
	Faults         map[Kind]int           // injected, by kind
	// PeakRequests were being answered at the same time. PeakConnections were open at the same time, if Server.ConnState was told.
	PeakRequests    int
	PeakConnections int
}

type meter struct {
	mu          sync.Mutex
	now         Meter
	bills       []bill // one entry a second
	delivered   map[string]bool
	requests    int
	connections int
}

type bill struct{ second, rows int64 }

func (m *meter) begin() {
	m.now.Requests, m.now.Faults = map[string]map[int]int{}, map[Kind]int{}
	m.delivered = map[string]bool{}
}

func (m *meter) snapshot() Meter {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := m.now
	out.Faults = maps.Clone(m.now.Faults)
	out.Requests = make(map[string]map[int]int, len(m.now.Requests))
	for path, byStatus := range m.now.Requests {
		out.Requests[path] = maps.Clone(byStatus)
	}
	return out
}

// enter counts a request being answered until the returned function is called.
func (m *meter) enter() func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests++
	m.now.PeakRequests = max(m.now.PeakRequests, m.requests)
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.requests--
	}
}

func (m *meter) connection(state http.ConnState) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch state {
	case http.StateNew:
		m.connections++
		m.now.PeakConnections = max(m.now.PeakConnections, m.connections)
	case http.StateClosed, http.StateHijacked:
		m.connections--
	}
}

func (m *meter) bill(at time.Time, rows int) {
	if rows == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.Rows += int64(rows)
	second := at.Unix()
	if n := len(m.bills); n > 0 && m.bills[n-1].second == second {
		m.bills[n-1].rows += int64(rows)
		return
	}
	m.bills = append(m.bills, bill{second, int64(rows)})
}

func (m *meter) total() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now.Rows
}

// between sums the rows billed from one Unix second to another, both included.
func (m *meter) between(start, end int64) (rows int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.bills {
		if b.second >= start && b.second <= end {
			rows += b.rows
		}
	}
	return rows
}

// answered counts a request by status, and a page as delivered or, if it was billed in vain, as waste.
func (m *meter) answered(path string, status int, a reply, whole bool) {
	if a.settle != nil {
		a.settle(status, whole)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now.Requests[path] == nil {
		m.now.Requests[path] = map[int]int{}
	}
	m.now.Requests[path][status]++
	switch {
	case !a.page:
	case !whole:
		m.now.WastePages++
		m.now.WasteRows += int64(a.rows)
	default:
		m.now.Pages++
		if m.delivered[a.key] {
			m.now.DuplicatePages++
			m.now.DuplicateRows += int64(a.rows)
		}
		m.delivered[a.key] = true
	}
}

func (m *meter) unanswered(path string) { m.answered(path, 0, reply{}, false) }

func (m *meter) fault(kind Kind) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.Faults[kind]++
}
