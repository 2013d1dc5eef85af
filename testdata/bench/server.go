package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	token   = "secret-token"
	perPage = 50
)

// server speaks just enough Moz V2 to buy lists of anchors: the target's name says how long its list is (t7-1200.example has 1,200).
// Emulating a vendor truly costs more than the client that is measured, so this one does not.
type server struct {
	latency atomic.Int64 // before each page
	rows    atomic.Int64 // delivered
	latest  atomic.Int64 // when a page was, in ns

	mu    sync.Mutex
	first chan struct{} // closed by the first request for a page since it was set
}

func newServer() *server { return &server{first: make(chan struct{})} }

// begin sets how fast the next work is served, and returns what is closed when it asks for its first page.
func (s *server) begin(latency time.Duration) (first <-chan struct{}) {
	s.latency.Store(int64(latency))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.first = make(chan struct{})
	return s.first
}

// last is when the latest page was delivered.
func (s *server) last() time.Time { return time.Unix(0, s.latest.Load()) }

func (s *server) asked() {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.first:
	default:
		close(s.first)
	}
}

// target names a target with so many rows.
func target(i, rows int) string { return fmt.Sprintf("t%d-%d.example", i, rows) }

func length(target string) int {
	target = strings.TrimSuffix(target, ".example")
	n, _ := strconv.Atoi(target[strings.LastIndexByte(target, '-')+1:])
	return n
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/usage_data" {
		fmt.Fprintf(w, `{"rows_consumed":%d}`, s.rows.Load())
		return
	}
	var ask struct {
		Target    string `json:"target"`
		Limit     int    `json:"limit"`
		NextToken string `json:"next_token"`
	}
	if err := json.NewDecoder(r.Body).Decode(&ask); err != nil || r.Header.Get("x-moz-token") != token || r.URL.Path != "/anchor_text" {
		http.Error(w, `{"message":"bad request or token"}`, http.StatusBadRequest)
		return
	}
	s.asked()
	time.Sleep(time.Duration(s.latency.Load()))
	from, _ := strconv.Atoi(strings.TrimPrefix(ask.NextToken, "p"))
	total := length(ask.Target)
	to := min(total, from+ask.Limit)
	s.rows.Add(int64(to - from))
	s.latest.Store(time.Now().UnixNano())
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(list(from, to, total)) // a client that left has what it wanted
}

// list is the reply with the rows from and to of so many.
func list(from, to, total int) []byte {
	b := append(make([]byte, 0, 8192), `{"results":[`...)
	for i := from; i < to; i++ {
		if i > from {
			b = append(b, ", "...)
		}
		b = strconv.AppendInt(append(b, `{"anchor_text":"anchor `...), int64(i), 10)
		b = strconv.AppendInt(append(b, `", "external_root_domains":`...), int64(total-i), 10)
		b = strconv.AppendInt(append(b, `, "external_pages":`...), int64(2*(total-i)), 10)
		b = append(b, '}')
	}
	return fmt.Appendf(b, `], "next_token":%q}`, place(to, total))
}

// place is the token of what follows so many rows: no number, since some clients would send it as one.
func place(rows, total int) string {
	if rows == 0 || rows >= total {
		return ""
	}
	return "p" + strconv.Itoa(rows)
}
