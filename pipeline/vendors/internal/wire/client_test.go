package wire

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"backhaul/pipeline"
)

const secret = "s3cr3t/+Token=="

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// newClient speaks to a server of the test.
func newClient(t *testing.T, base string, change func(*Options)) *Client {
	t.Helper()
	opt := Options{Base: base, Auth: HeaderAuth("x-moz-token", secret), HTTP: HTTP{Clock: func() time.Time { return noon }}}
	if change != nil {
		change(&opt)
	}
	c, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// serve starts a server and a client of it.
func serve(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return newClient(t, srv.URL, nil)
}

func answer(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func TestRequestArrivesAsGiven(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != "POST" || r.URL.RequestURI() != "/v2/links?a=1" || string(body) != `{"x":1}` || r.ContentLength != 7 {
			t.Errorf("got %s %s %s", r.Method, r.URL.RequestURI(), body)
		}
		if r.Header.Get("x-moz-token") != secret || r.Header.Get("Content-Type") != "application/json" || r.Proto != "HTTP/1.1" {
			t.Errorf("got %s %v", r.Proto, r.Header)
		}
		io.WriteString(w, "{}")
	})
	c.base += "/v2"
	resp, fail := c.Do(t.Context(), "POST", "links?a=1", []byte(`{"x":1}`))
	if fail != nil || resp.Status != 200 || string(resp.Body) != "{}" || !resp.At.Equal(noon) {
		t.Fatal(resp, fail)
	}
}

func TestWhatARefusalSaysIsHandedOver(t *testing.T) {
	for _, status := range []int{302, 400, 404, 429, 500} {
		c := serve(t, answer(status, `{"error":{"code":-32655}}`, "X-Reason", "none"))
		reply, err := c.Do(t.Context(), "POST", "x", []byte("{}"))
		if err == nil || reply.Status != status || string(reply.Body) != `{"error":{"code":-32655}}` || reply.Header.Get("X-Reason") != "none" || !reply.At.Equal(noon) {
			t.Errorf("%d: %+v, %v", status, reply, err)
		}
	}
}

func TestRequestWithoutBodyIsAPlainGet(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 || len(r.TransferEncoding) != 0 || r.Header.Get("Content-Type") != "" {
			t.Errorf("length %d, encoding %v, %v", r.ContentLength, r.TransferEncoding, r.Header)
		}
		io.WriteString(w, "{}")
	})
	if _, fail := c.Do(t.Context(), "GET", "", nil); fail != nil {
		t.Fatal(fail)
	}
}

func TestBasicAuth(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); !ok || user != "mozscape-1" || password != "k:ey" {
			w.WriteHeader(401)
		}
		io.WriteString(w, "{}")
	}))
	defer srv.Close()
	c := newClient(t, srv.URL, func(o *Options) { o.Auth = BasicAuth("mozscape-1", "k:ey") })
	if _, fail := c.Do(t.Context(), "POST", "", []byte("{}")); fail != nil {
		t.Fatal(fail)
	}
}

func TestGzipRepliesAreAskedForAndUnpacked(t *testing.T) {
	want := strings.Repeat(`{"results":[]} `, 100)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("Accept-Encoding %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(zipped(want))
	})
	resp, fail := c.Do(t.Context(), "POST", "", []byte("{}"))
	if fail != nil || string(resp.Body) != want {
		t.Fatal(len(resp.Body), fail)
	}
}

func zipped(s string) []byte {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	io.WriteString(z, s)
	z.Close()
	return buf.Bytes()
}

func TestConnectionsAreReused(t *testing.T) {
	var dials atomic.Int32
	srv := httptest.NewServer(answer(200, "{}"))
	defer srv.Close()
	c := newClient(t, srv.URL, func(o *Options) {
		o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			dials.Add(1)
			return new(net.Dialer).DialContext(ctx, network, address)
		}
	})
	for range 5 {
		if _, fail := c.Do(t.Context(), "POST", "", []byte("{}")); fail != nil {
			t.Fatal(fail)
		}
	}
	if dials.Load() != 1 {
		t.Errorf("5 requests in a row took %d connections", dials.Load())
	}
}

func TestBodyLimit(t *testing.T) {
	for name, c := range map[string]*Client{
		"plain": serve(t, answer(200, strings.Repeat("1", 1001))),
		"gzip":  serve(t, answer(200, string(zipped(strings.Repeat("1", 1001))), "Content-Encoding", "gzip")),
	} {
		c.maxBody = 1000
		resp, fail := c.Do(t.Context(), "POST", "", []byte("{}"))
		if fail == nil || fail.Kind != pipeline.Malformed || !fail.MaybeCharged || len(resp.Body) != 1000 {
			t.Errorf("%s: %v, %d bytes", name, fail, len(resp.Body))
		}
		if again := c.Judge(Response{Status: 200, Body: resp.Body}); again != nil {
			t.Errorf("%s: what was kept of it is judged: %v", name, again)
		}
		if again := c.Unreadable(resp, io.ErrUnexpectedEOF, true); again.Kind != pipeline.Malformed || again.Message != fail.Message {
			t.Errorf("%s: what was kept of it breaks off: %v", name, again)
		}
		c.maxBody = 1001
		if resp, fail := c.Do(t.Context(), "POST", "", []byte("{}")); fail != nil || len(resp.Body) != 1001 {
			t.Errorf("%s: a body of exactly the limit: %v", name, fail)
		}
	}
}

func TestMaxBodyIs128MiB(t *testing.T) {
	c := newClient(t, "http://localhost", nil)
	if c.maxBody != 128<<20 || Offline(Options{}).maxBody != 128<<20 {
		t.Fatal(c.maxBody)
	}
}

func TestHTMLInsteadOfJSON(t *testing.T) {
	for _, tc := range []struct {
		contentType, body string
		html              bool
	}{
		{"text/html; charset=utf-8", "<!doctype html><p>Sorry", true},
		{"application/json", "\ufeff \n<html>", true},
		{"TEXT/HTML", "Service down", true},
		{"text/html", `{"results":[]}`, false},
		{"text/plain", "Service down", false},
	} {
		c := serve(t, answer(200, tc.body, "Content-Type", tc.contentType))
		resp, fail := c.Do(t.Context(), "POST", "", []byte("{}"))
		if got := fail != nil; got != tc.html || string(resp.Body) != tc.body {
			t.Errorf("%q as %s: %v, kept %q", tc.body, tc.contentType, fail, resp.Body)
		}
		if fail != nil && (fail.Kind != pipeline.Malformed || !fail.MaybeCharged || !strings.Contains(fail.Message, "an HTML page instead of JSON")) {
			t.Errorf("%q: %+v", tc.body, fail)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var followed atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Store(true) }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, to := range []string{other.URL + "/here?token=" + secret, "/elsewhere", ""} {
			c := serve(t, answer(status, "", "Location", to))
			_, fail := c.Do(t.Context(), "POST", "", []byte("{}"))
			if fail == nil || fail.Kind != pipeline.Rejected || fail.Status != status || !strings.Contains(fail.Message, "redirect") || strings.Contains(fail.Message, "token=") {
				t.Errorf("%d to %s: %v", status, to, fail)
			}
		}
	}
	if followed.Load() {
		t.Error("the credentials went to another host")
	}
}

func TestCallerCanGiveUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	c := serve(t, func(http.ResponseWriter, *http.Request) { cancel(); <-release })
	defer close(release)
	_, fail := c.Do(ctx, "POST", "", []byte("{}"))
	if !errors.Is(fail, context.Canceled) || fail.Kind != pipeline.Transient || !fail.MaybeCharged || fail.Unreachable {
		t.Fatalf("%+v", fail)
	}
	_, fail = c.Do(ctx, "POST", "", []byte("{}"))
	if !errors.Is(fail, context.Canceled) || fail.MaybeCharged || fail.Unreachable {
		t.Fatalf("cancelled before it began: %+v", fail)
	}
}

func TestNewRefusesCredentialsThatBreakAHeader(t *testing.T) {
	_, err := New(Options{Base: "https://moz.example", Auth: HeaderAuth("x-moz-token", "abc\n"+secret)})
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Fatal(err)
	}
}
