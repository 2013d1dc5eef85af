package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// listServer speaks just enough Moz V2 to measure a client by: the target's name says how many anchors it has
// (t7-1200.example has 1,200), and everything asked of it is counted.
type listServer struct {
	*httptest.Server
	listSettings
	going chan struct{} // closed by goOn
	met   chan struct{} // closed when as many requests as are to meet are there

	mu       sync.Mutex
	requests map[string]int // by target and token
	limits   map[int]int    // by limit asked for
	rows     int64
	busy     int
	peak     int
}

// listSettings are handed over before the server starts: a request from another process puts nothing that is set later in
// any order with what its handler reads.
type listSettings struct {
	latency time.Duration
	// answer, when set, may answer a request itself and return true.
	answer func(w http.ResponseWriter, target, token string) bool
	forget bool // count no single request
	// pause, when set, lets nobody have an answer after so many rows until goOn: a run that is met there is half way, however
	// fast the machine.
	pause int64
	// meet, when set, lets nobody have an answer before so many requests were under way at once, or it takes longer than any
	// machine does.
	meet int
}

func newListServer(t testing.TB, settings listSettings) *listServer {
	s := &listServer{listSettings: settings, going: make(chan struct{}), met: make(chan struct{}), requests: map[string]int{}, limits: map[int]int{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// listTarget names a target with so many rows.
func listTarget(i, rows int) string { return fmt.Sprintf("t%d-%d.example", i, rows) }

func listLength(target string) int {
	_, rows, _ := strings.Cut(strings.TrimSuffix(target, ".example"), "-")
	n, _ := strconv.Atoi(rows)
	return n
}

func (s *listServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/usage_data" {
		s.mu.Lock()
		defer s.mu.Unlock()
		fmt.Fprintf(w, `{"rows_consumed":%d}`, s.rows)
		return
	}
	var ask struct {
		Target    string `json:"target"`
		Limit     int    `json:"limit"`
		NextToken string `json:"next_token"`
	}
	if err := json.NewDecoder(r.Body).Decode(&ask); err != nil || r.Header.Get("x-moz-token") != "secret-token" {
		http.Error(w, `{"message":"bad request or token"}`, http.StatusUnauthorized)
		return
	}
	s.count(ask.Target, ask.NextToken, ask.Limit)
	defer func() { s.mu.Lock(); s.busy--; s.mu.Unlock() }()
	time.Sleep(s.latency)
	if s.meet > 0 {
		select {
		case <-s.met:
		case <-time.After(time.Minute):
		}
	}
	if s.pause > 0 && s.bought() >= s.pause {
		select {
		case <-s.going:
		case <-r.Context().Done():
			return
		}
	}
	if s.answer != nil && s.answer(w, ask.Target, ask.NextToken) {
		return
	}
	from, _ := strconv.Atoi(ask.NextToken)
	total := listLength(ask.Target)
	to := min(total, from+ask.Limit)
	s.mu.Lock()
	s.rows += int64(to - from)
	s.mu.Unlock()
	writeList(w, from, to, total)
}

func (s *listServer) count(target, token string, limit int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.forget {
		s.requests[target+" "+token]++
	}
	s.limits[limit]++
	s.busy++
	if s.busy > s.peak {
		if s.peak = s.busy; s.peak == s.meet {
			close(s.met)
		}
	}
}

func writeList(w http.ResponseWriter, from, to, total int) {
	b := []byte(`{"results":[`)
	for i := from; i < to; i++ {
		if i > from {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"anchor_text":"anchor %d", "external_root_domains":%d, "external_pages":%d}`, i, total-i, 2*(total-i))
	}
	token := ""
	if to < total {
		token = strconv.Itoa(to)
	}
	b = fmt.Appendf(b, `], "next_token":%q}`, token)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b)
}

// goOn ends the pause.
func (s *listServer) goOn() { close(s.going) }

// bought returns how many rows were delivered.
func (s *listServer) bought() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rows
}

// boughtTwice returns how many requests were made more than once.
func (s *listServer) boughtTwice() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, times := range s.requests {
		n += times - 1
	}
	return n
}
