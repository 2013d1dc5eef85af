// Package wire makes one HTTP exchange with a vendor: credentials, time and size limits, and the translation of
// everything that can go wrong into a [pipeline.Error] whose kind says what to do.
//
// It owns the connections, knows the credentials and keeps them out of every text it returns. It knows no vendor's
// JSON beyond where error messages usually stand, it neither waits nor retries, and it never sends a request twice:
// a request that may have reached the vendor and brought no whole reply is reported as maybe charged.
package wire

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"backhaul/pipeline"
)

// MaxBody is the largest reply accepted, in bytes after decompression. The largest pages that are asked for are Ahrefs' lists of
// 10,000 rows, a whole one of which has about 3 kB: 30 MB, and four times that leaves no doubt. A reply is held whole, so at the
// worst as many of them are in memory as there are connections: 1 GiB with the default of 8.
const MaxBody = 128 << 20

// HTTP are the settings of the connections. The zero value works.
type HTTP struct {
	// Conns bounds the connections to the vendor, idle ones included. Default 8.
	Conns int
	// DialTimeout bounds name lookup and connect, and on top of it the TLS handshake. Default 10 s.
	DialTimeout time.Duration
	// HeaderTimeout bounds the wait for the reply's first bytes. Default 0: Timeout alone.
	HeaderTimeout time.Duration
	// Timeout bounds the whole exchange. Default [pipeline.ReplyWait].
	Timeout time.Duration
	// Dial replaces the network. Default: the machine's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// MaxBody is the largest reply accepted, in bytes after decompression. Default MaxBody.
	MaxBody int64
	// Clock tells when a reply arrived and how far away a Retry-After date is. Default time.Now.
	Clock func() time.Time
}

func (h HTTP) withDefaults() HTTP {
	if h.Conns <= 0 {
		h.Conns = 8
	}
	if h.DialTimeout <= 0 {
		h.DialTimeout = 10 * time.Second
	}
	if h.Timeout <= 0 {
		h.Timeout = pipeline.ReplyWait
	}
	if h.Dial == nil {
		h.Dial = (&net.Dialer{Timeout: h.DialTimeout, KeepAlive: 30 * time.Second}).DialContext
	}
	if h.MaxBody <= 0 {
		h.MaxBody = MaxBody
	}
	if h.Clock == nil {
		h.Clock = time.Now
	}
	return h
}

// Options say which vendor is spoken to and how.
type Options struct {
	HTTP
	// Base is the URL that paths are appended to: see Base.
	Base string
	// Auth are the credentials. Default: none are sent.
	Auth Auth
	// Classify may refine the kind of a refusal by its status and text; ok false leaves the general rule in force.
	// Default: none.
	Classify func(status int, text string) (kind pipeline.Kind, ok bool)
}

// Client speaks to one vendor. It is safe for concurrent use.
type Client struct {
	opt       Options
	base      string
	host      string
	mask      mask
	transport *http.Transport // nil: offline
	maxBody   int64
}

// Offline returns a client that makes no requests and knows no credentials, to read replies that were kept. Of the options it
// takes HTTP and Classify.
func Offline(opt Options) *Client {
	opt = Options{HTTP: opt.HTTP.withDefaults(), Classify: opt.Classify}
	return &Client{opt: opt, mask: opt.Auth.mask(), maxBody: opt.MaxBody}
}

// Ready says why no request can be made, or returns nil.
func (c *Client) Ready() *pipeline.Error {
	if c.transport == nil {
		return &pipeline.Error{Kind: pipeline.Denied, Message: "no credentials: this source only reads what was bought"}
	}
	return nil
}

// New returns a client. It refuses a base URL that would carry credentials in the clear, and credentials that do not
// fit into a header.
func New(opt Options) (*Client, error) {
	base, err := Base(opt.Base)
	if err != nil {
		return nil, err
	}
	if err := opt.Auth.check(); err != nil {
		return nil, err
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("base URL: %w", err)
	}
	opt.HTTP = opt.HTTP.withDefaults()
	return &Client{opt: opt, base: base, host: u.Host, mask: opt.Auth.mask(), transport: transport(opt.HTTP), maxBody: opt.MaxBody}, nil
}

// transport speaks HTTP/1.1 only: HTTP/2 costs twice the processor time for one page at a time. Idle connections are
// given up before servers commonly do, as a request on a connection that closes under it counts as maybe charged.
func transport(h HTTP) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            h.Dial,
		TLSHandshakeTimeout:    h.DialTimeout,
		ResponseHeaderTimeout:  h.HeaderTimeout,
		MaxConnsPerHost:        h.Conns,
		MaxIdleConns:           h.Conns,
		MaxIdleConnsPerHost:    h.Conns,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		Protocols:              &protocols,
	}
}

// Close gives up idle connections. The client stays usable.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Response is a reply, of any status.
type Response struct {
	Status int
	// Body is decompressed, and the caller's to keep.
	Body []byte
	// At is when the body had arrived, UTC.
	At time.Time
	// Header is what else the vendor said.
	Header http.Header
	// Date is the vendor's clock when it answered, UTC; zero if it did not say.
	Date time.Time
}

// Do makes exactly one request to base/path, which may end in a query, and reads the whole reply. body is sent as JSON;
// nil sends none. What is wrong with the reply is what Judge says. Of the kind Malformed, the response holds the reply's first
// HTTP.MaxBody bytes; of a status other than 2xx, it holds what arrived of the reply, as a vendor may say there more than its
// status does.
//
// The transport below goes round net/http's Client on purpose: it follows no redirect, which would show the
// credentials to somebody else, and its errors do not spell the URL, which may hold them.
func (c *Client) Do(ctx context.Context, method, path string, body []byte) (Response, *pipeline.Error) {
	if fail := c.Ready(); fail != nil {
		return Response{}, fail
	}
	inner, cancel := context.WithTimeout(ctx, c.opt.Timeout)
	defer cancel()
	x := &exchange{client: c, outer: ctx}
	req, err := c.request(x.traced(inner), method, path, body)
	if err != nil {
		return Response{}, &pipeline.Error{Kind: pipeline.Rejected, Message: c.Text("make request: " + err.Error())}
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return Response{}, x.broken(err)
	}
	defer resp.Body.Close()
	content, err := c.read(resp)
	reply := Response{Status: resp.StatusCode, Body: content, Header: resp.Header, At: c.opt.Clock().UTC()}
	reply.Date, _ = http.ParseTime(resp.Header.Get("Date")) // always GMT
	if err != nil && resp.StatusCode/100 == 2 {
		return Response{}, x.brokenOff(resp.StatusCode, len(content), err)
	}
	fail := c.Judge(reply)
	reply.Body = content[:min(int64(len(content)), c.maxBody)]
	return reply, fail
}

func (c *Client) request(ctx context.Context, method, path string, body []byte) (*http.Request, error) {
	target := c.base
	switch {
	case strings.HasPrefix(path, "?"):
		target += "/" + path
	case path != "":
		target += "/" + strings.TrimPrefix(path, "/")
	}
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, content)
	if err != nil {
		return nil, err
	}
	if body == nil {
		// net/http sends a request without a body a second time when its connection closes under it. One whose
		// body it cannot rewind it does not, though this one is empty and nothing of it goes over the wire.
		req.Body = io.NopCloser(strings.NewReader(""))
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "backhaul")
	c.opt.Auth.apply(req)
	return req, nil
}

// read returns up to one byte more than the limit.
func (c *Client) read(resp *http.Response) ([]byte, error) {
	const mostInAdvance = 1 << 20 // a Content-Length is only a claim
	var buf bytes.Buffer
	if n := resp.ContentLength; n > 0 {
		buf.Grow(int(min(n, mostInAdvance)) + bytes.MinRead)
	}
	_, err := buf.ReadFrom(io.LimitReader(resp.Body, c.maxBody+1))
	return buf.Bytes(), err
}
