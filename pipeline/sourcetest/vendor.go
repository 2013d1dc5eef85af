package sourcetest

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"backhaul/pipeline"
)

// arrival is when all replies arrive; not in UTC, as clocks are not.
var arrival = time.Date(2026, 7, 1, 1, 30, 0, 0, time.FixedZone("", 7200))

// run is one case being tried.
type run struct {
	cfg Config
	c   Case
}

// vendor is a server before the vendor, or before what stands in for it, that counts what reaches it.
type vendor struct {
	mu       sync.Mutex
	requests int
	reply    []byte
}

// serve starts a server with a handler of its own, or with the vendor's for nil, and returns the case's source of a new client.
func (r run) serve(t *testing.T, h http.Handler) (pipeline.Source, *vendor) {
	client, v := r.client(t, h, Server{})
	return r.source(t, client.Sources), v
}

func (r run) client(t *testing.T, h http.Handler, s Server) (Client, *vendor) {
	t.Helper()
	v := &vendor{}
	if h == nil {
		h = http.HandlerFunc(v.forward(r.cfg.Vendor))
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		v.mu.Lock()
		v.requests++
		v.mu.Unlock()
		h.ServeHTTP(w, req)
	}))
	t.Cleanup(web.Close)
	s.URL, s.Clock = web.URL+r.cfg.Path, func() time.Time { return arrival }
	return r.cfg.New(t, s), v
}

func (r run) source(t *testing.T, all []pipeline.Source) pipeline.Source {
	t.Helper()
	for _, s := range all {
		if s.Endpoint().Name == r.c.Endpoint {
			return s
		}
	}
	t.Fatalf("no endpoint %s", r.c.Endpoint)
	return nil
}

func (r run) offline(t *testing.T) pipeline.Source { return r.source(t, r.cfg.Offline()) }

// first asks for the task's first page.
func (r run) first(ctx context.Context, s pipeline.Source) (pipeline.Page, error) {
	return s.Fetch(ctx, r.c.Task, r.c.ask())
}

// forward asks the vendor, and notes the reply before anybody can have it.
func (v *vendor) forward(to http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		req.Header.Del("Accept-Encoding") // so that what is sent is what is read
		answer := httptest.NewRecorder()
		to.ServeHTTP(answer, req)
		v.mu.Lock()
		v.reply = answer.Body.Bytes()
		v.mu.Unlock()
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	}
}

// seen is how many requests arrived, and the vendor's last reply.
func (v *vendor) seen() (requests int, reply []byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.requests, v.reply
}

// reply answers everything alike. header are names and values.
func reply(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// breaking announces more than it sends.
func breaking(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000000")
		_, _ = w.Write([]byte(body))
	}
}

// hangingUp takes the request and closes the connection.
func hangingUp(w http.ResponseWriter, _ *http.Request) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close()
	}
}

// with returns a reply of the vendor with something put before its first member. All vendors answer with an object.
func (r run) with(t *testing.T, page pipeline.Page, member string) string {
	t.Helper()
	rest, ok := strings.CutPrefix(strings.TrimSpace(string(page.Body)), "{")
	if !ok {
		t.Fatalf("the reply is no object: %.40s", page.Body)
	}
	return "{" + member + "," + rest
}
