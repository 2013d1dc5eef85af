package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"backhaul/pipeline"
)

// raw starts a server that reads one request per connection and then does as told with the connection.
func raw(t *testing.T, then func(net.Conn)) *Client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			drop(conn)
			then(conn)
			conn.Close()
		}
	}()
	return newClient(t, "http://"+l.Addr().String(), nil)
}

// drop reads one request whole.
func drop(conn net.Conn) {
	if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
		io.Copy(io.Discard, req.Body)
	}
}

func say(text string) func(net.Conn) { return func(c net.Conn) { io.WriteString(c, text) } }

func TestBrokenRepliesAreMaybeCharged(t *testing.T) {
	whole := zipped(strings.Repeat(`{"results":[]}`, 100))
	damaged := append([]byte(nil), whole...)
	damaged[len(damaged)-5] ^= 1 // in the checksum
	zip := func(b []byte) func(net.Conn) {
		return say("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " + strconv.Itoa(len(b)) + "\r\n\r\n" + string(b))
	}
	for name, then := range map[string]func(net.Conn){
		"closed before the reply":  func(net.Conn) {},
		"reset before the reply":   func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) },
		"cut in the status line":   say("HTTP/1.1 20"),
		"cut in the header":        say("HTTP/1.1 200 OK\r\nContent-Len"),
		"cut body":                 say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"results\":["),
		"cut chunk":                say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"re"),
		"no last chunk":            say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
		"contradicting lengths":    say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
		"not HTTP":                 say("SSH-2.0-OpenSSH\r\n"),
		"gzip cut":                 zip(whole[:len(whole)/2]),
		"gzip with a wrong sum":    zip(damaged),
		"gzip that is none":        zip([]byte(`{"results":[]}`)),
		"status and nothing after": say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"),
	} {
		_, fail := raw(t, then).Do(t.Context(), "POST", "x", []byte("{}"))
		if fail == nil || fail.Kind != pipeline.Transient || !fail.MaybeCharged || fail.Unreachable || fail.Message == "" {
			t.Errorf("%s: %+v", name, fail)
		}
	}
}

func TestUnreachableVendorChargesNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	untrusted := httptest.NewUnstartedServer(answer(200, "{}"))
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	defer untrusted.Close()
	plain := httptest.NewServer(answer(200, "{}"))
	defer plain.Close()
	nowhere := func(o *Options) {
		o.Dial = func(_ context.Context, _, address string) (net.Conn, error) {
			return nil, &net.DNSError{Err: "no such host", Name: address, IsNotFound: true}
		}
	}
	for name, c := range map[string]*Client{
		"port closed":    newClient(t, "http://"+l.Addr().String(), nil),
		"no such host":   newClient(t, "https://moz.example", nowhere),
		"untrusted key":  newClient(t, untrusted.URL, nil),
		"TLS to non-TLS": newClient(t, strings.Replace(plain.URL, "http:", "https:", 1), nil),
	} {
		_, fail := c.Do(t.Context(), "POST", "x", []byte("{}"))
		if fail == nil || fail.Kind != pipeline.Transient || fail.MaybeCharged || !fail.Unreachable || fail.Status != 0 || !strings.Contains(fail.Message, c.host) {
			t.Errorf("%s: %+v", name, fail)
		}
	}
	_, fail := newClient(t, untrusted.URL, nil).Do(t.Context(), "GET", "", nil)
	var unknown x509.UnknownAuthorityError
	if !errors.As(fail, &unknown) {
		t.Errorf("the cause is lost: %v", fail)
	}
}

// piped dials a server that lives within the test's synctest bubble.
func piped(t *testing.T, server func(net.Conn), change func(*HTTP)) *Client {
	t.Helper()
	var servers sync.WaitGroup
	c := newClient(t, "http://localhost", func(o *Options) {
		o.Clock = nil
		if change != nil {
			change(&o.HTTP)
		}
		o.Dial = func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			servers.Go(func() {
				defer far.Close()
				drop(far)
				server(far)
				io.Copy(io.Discard, far) // until the client hangs up
			})
			return near, nil
		}
	})
	t.Cleanup(servers.Wait)
	return c
}

func TestTimeoutsAreExactAndMaybeCharged(t *testing.T) {
	silent := func(net.Conn) {}
	half := say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
	drip := func(c net.Conn) {
		for io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"); ; time.Sleep(time.Second) {
			if _, err := io.WriteString(c, " "); err != nil {
				return
			}
		}
	}
	slowly := func(before time.Duration, begin, rest string) func(net.Conn) {
		return func(c net.Conn) {
			time.Sleep(before)
			for text := begin; ; text = rest {
				if _, err := io.WriteString(c, text); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}
	}
	headers := slowly(0, "HTTP/1.1 200 OK\r\nX-Endless: ", "a")
	lines := slowly(0, "HTTP/1.1 200 OK\r\n", "X-Another: 1\r\n")
	late := slowly(50*time.Second, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n")
	five := func(h *HTTP) { h.HeaderTimeout = 5 * time.Second }
	for name, tc := range map[string]struct {
		server func(net.Conn)
		change func(*HTTP)
		want   time.Duration
	}{
		"headers byte by byte":            {headers, nil, time.Minute},
		"headers byte by byte, own limit": {headers, five, 5 * time.Second},
		"headers line by line, own limit": {lines, five, 5 * time.Second},
		"late headers, then a slow body":  {late, nil, time.Minute},
		"no header":                       {silent, nil, time.Minute},
		"no header, own limit":            {silent, func(h *HTTP) { h.HeaderTimeout = 5 * time.Second }, 5 * time.Second},
		"half a body":                     {half, func(h *HTTP) { h.HeaderTimeout = 5 * time.Second }, time.Minute},
		"byte by byte":                    {drip, nil, time.Minute},
		"whole exchange, given":           {half, func(h *HTTP) { h.Timeout = 7 * time.Second }, 7 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := piped(t, tc.server, tc.change)
			began := time.Now()
			_, fail := c.Do(t.Context(), "POST", "x", []byte("{}"))
			if took := time.Since(began); took != tc.want {
				t.Errorf("%s: gave up after %s, want %s", name, took, tc.want)
			}
			if fail == nil || fail.Kind != pipeline.Transient || !fail.MaybeCharged || fail.Unreachable {
				t.Errorf("%s: %+v", name, fail)
			}
		})
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	for conns, want := range map[int]int32{0: 8, 2: 2} {
		synctest.Test(t, func(t *testing.T) {
			var dials atomic.Int32
			c := piped(t, func(net.Conn) { dials.Add(1) }, func(h *HTTP) { h.Conns = conns })
			ctx, cancel := context.WithCancel(t.Context())
			var asking sync.WaitGroup
			for range 20 {
				asking.Go(func() { c.Do(ctx, "POST", "x", []byte("{}")) })
			}
			synctest.Wait() // now everybody waits for a reply or for a connection
			if dials.Load() != want {
				t.Errorf("20 at once on %d connections, want %d", dials.Load(), want)
			}
			cancel()
			asking.Wait()
		})
	}
}

func TestDialThatNeverEndsIsUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, "http://localhost", func(o *Options) {
			o.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
		})
		_, fail := c.Do(t.Context(), "POST", "x", []byte("{}"))
		if fail == nil || fail.MaybeCharged || !fail.Unreachable || fail.Kind != pipeline.Transient {
			t.Errorf("%+v", fail)
		}
	})
}

func TestRequestIsNeverSentTwice(t *testing.T) {
	for method, body := range map[string][]byte{"GET": nil, "POST": []byte("{}")} {
		var seen atomic.Int32
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() { // every connection answers one request and dies of the second
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				drop(conn)
				seen.Add(1)
				io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
				drop(conn)
				seen.Add(1)
				conn.Close()
			}
		}()
		c := newClient(t, "http://"+l.Addr().String(), nil)
		if _, fail := c.Do(t.Context(), method, "x", body); fail != nil {
			t.Fatal(fail)
		}
		if _, fail := c.Do(t.Context(), method, "x", body); fail == nil || !fail.MaybeCharged {
			t.Errorf("%s: the second reply cannot have come: %v", method, fail)
		}
		if seen.Load() != 2 {
			t.Errorf("%s: 2 requests asked for, %d sent", method, seen.Load())
		}
	}
}

func TestAVendorThatOffersHTTP2IsSpokenToInHTTP1(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"proto":%q,"tls":%t,"token":%t}`, r.Proto, r.TLS != nil, r.Header.Get("x-moz-token") == secret)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	c := newClient(t, srv.URL, nil)
	stranger, fail := c.Do(t.Context(), "POST", "x", []byte("{}"))
	if fail == nil || !fail.Unreachable || fail.MaybeCharged || !strings.Contains(fail.Message, "certificate") {
		t.Errorf("a certificate that nobody vouches for: %+v, %v", stranger, fail)
	}
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	c = newClient(t, srv.URL, nil)
	c.transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	for range 2 {
		resp, fail := c.Do(t.Context(), "POST", "x", []byte("{}"))
		if fail != nil || string(resp.Body) != `{"proto":"HTTP/1.1","tls":true,"token":true}` {
			t.Errorf("%s, %v", resp.Body, fail)
		}
	}
}

func TestAReplyInFramesOfHTTP2IsABrokenOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		settings := "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"
		c := piped(t, say(settings+settings), nil)
		_, fail := c.Do(t.Context(), "POST", "x", []byte("{}"))
		if fail == nil || fail.Kind != pipeline.Transient || !fail.MaybeCharged || strings.ContainsFunc(fail.Message, unicode.IsControl) {
			t.Errorf("%+v", fail)
		}
	})
}
