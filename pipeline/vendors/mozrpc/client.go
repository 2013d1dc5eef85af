// Package mozrpc buys Moz's reports from its JSON-RPC API, the successor of the Links API V2, and reads them: one
// [pipeline.Source] per endpoint, under V2's names for endpoints, parameters and tables, so that a job moves here by one
// line.
//
// It owns what differs from V2: which method does the work of which endpoint, requests and paging, the meaning of Moz's
// errors, which member of a result becomes which column, and prices. What V2 answers at once and this API in several
// calls (the metrics of url_metrics, their histories, their distributions) is one task here as well: its cursor says
// which call is next, see stage. Facts and decoding need neither network nor credentials: see [Offline].
//
// What this API does not have is refused before it is sent: histories of top_pages, the period of usage_data, some
// combinations of parameters; see rules. What else its rows differ in from V2's, by Moz's documents:
//
//   - index_metadata has no spam_score_update_days, global_top_root_domains no to_target_* (zeros on V2);
//   - the period of usage_data begins with the billing period, not with the month, and extra has the quota;
//   - a site that Moz has no record of has no row in url_metrics (nor in link_status); one that Moz refuses has a rejected
//     row with Moz's error; one that Moz fails at, which costs nothing, is asked about again until it has an answer;
//   - a source of link_intersect costs as many rows as there are targets (V2: 5), one of link_status 1 (V2: 2), the lists of
//     the whole web nothing.
//
// Source of the facts, where no other is named: the schemas of Moz's documentation application and its guides.
package mozrpc

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/pipeline/vendors/internal/wire"
)

// DefaultBaseURL is Moz's own: all methods have the same address.
const DefaultBaseURL = "https://api.moz.com/jsonrpc"

const surface = "rpc"

// HTTP are the settings of the connections; the zero value works.
type HTTP = wire.HTTP

// Config says how Moz is reached.
type Config struct {
	// BaseURL must be https unless its host is this machine. Default DefaultBaseURL.
	BaseURL string
	// Token is sent as x-moz-token. The access id and secret key of V2 open no door here.
	Token string
	HTTP  HTTP
}

// Client buys from Moz. It is safe for concurrent use.
type Client struct {
	wire  *wire.Client
	brake *brake
	clock func() time.Time
}

// New returns a client, or says what is wrong with the configuration, without repeating a credential. It makes no
// request.
func New(cfg Config) (*Client, error) {
	if cfg.Token == "" {
		return nil, errors.New("moz: no credentials: the JSON-RPC API wants a token; access id and secret key are those of V2")
	}
	if cfg.BaseURL == "" {
		cfg.BaseURL = DefaultBaseURL
	}
	if cfg.HTTP.Conns <= 0 {
		cfg.HTTP.Conns = defaultConns
	}
	if cfg.HTTP.Clock == nil {
		cfg.HTTP.Clock = time.Now
	}
	w, err := wire.New(wire.Options{HTTP: cfg.HTTP, Base: cfg.BaseURL, Auth: wire.HeaderAuth("x-moz-token", cfg.Token)})
	if err != nil {
		return nil, fmt.Errorf("moz: %w", err)
	}
	return &Client{wire: w, brake: newBrake(cfg.HTTP.Conns), clock: cfg.HTTP.Clock}, nil
}

// defaultConns is how many connections are opened where none are given.
const defaultConns = 8

// Sources returns a source for every endpoint, in the order of Endpoints.
func (c *Client) Sources() []pipeline.Source { return sources(c) }

// Close gives up idle connections.
func (c *Client) Close() { c.wire.Close() }

// Offline returns sources that know the facts and decode pages, but refuse to fetch: for replays and validation, which
// need no credentials.
func Offline() []pipeline.Source { return sources(nil) }

func sources(c *Client) []pipeline.Source {
	var all []pipeline.Source
	for _, r := range reports() {
		all = append(all, &source{report: r, client: c})
	}
	return all
}

// Endpoints returns the facts about every endpoint. They are shared and must not be changed.
func Endpoints() []*pipeline.Endpoint {
	var all []*pipeline.Endpoint
	for _, r := range reports() {
		all = append(all, r.endpoint)
	}
	return all
}

// call is one request to be made.
type call struct {
	method *method
	data   data
	// paged: the data holds a token.
	paged bool
}

// answer is one reply that was paid for, or would have been: with a result, or saying that there is no record.
type answer struct {
	request []byte
	resp    wire.Response
	rows.Reply
	// none: Moz has no record of what was asked, and charges nothing for saying so.
	none bool
}

// ask makes one call. When the error is not nil it says what to do; of the kind Malformed, the answer holds what arrived.
func (c *Client) ask(ctx context.Context, q call) (answer, *pipeline.Error) {
	a := answer{}
	e := envelope{JSONRPC: "2.0", ID: rand.Text(), Method: q.method.Name} // 26 characters
	e.Params.Data = q.data
	var err error
	if a.request, err = json.Marshal(e, json.Deterministic(true)); err != nil {
		return a, &pipeline.Error{Kind: pipeline.Rejected, Message: c.wire.Text("make the request's JSON: " + err.Error())}
	}
	if held := c.brake.hold(c.clock()); held != nil {
		return a, held
	}
	var fail *pipeline.Error
	if a.resp, fail = c.wire.Do(ctx, "POST", "", a.request); fail != nil {
		return c.refused(a, q, fail)
	}
	return c.told(a, q, e.ID)
}

// told finds out what a reply with status 2xx says to the request of that id.
func (c *Client) told(a answer, q call, id string) (answer, *pipeline.Error) {
	reply, f, err := q.method.read(a.resp.Body)
	switch {
	case f != nil:
		return c.faulty(a, q, f, &pipeline.Error{Status: a.resp.Status, Kind: wire.KindOf(f.http(a.resp.Status), false)})
	case err != nil:
		return a, c.unreadable(a.resp, err)
	}
	a.Reply = reply
	if of := reply.Member("id"); of != nil && of[0] == '"' && string(of) != `"`+id+`"` {
		return a, c.unreadable(a.resp, fmt.Errorf("the reply is to another request: id %s", of))
	}
	return a, nil
}

// refused explains a reply that is not 2xx, or that did not come.
func (c *Client) refused(a answer, q call, fail *pipeline.Error) (answer, *pipeline.Error) {
	if f := refusal(a.resp.Body); fail.Status/100 != 2 && f != nil {
		return c.faulty(a, q, f, fail)
	}
	c.brake.note(fail.Status, c.clock())
	calm(fail)
	return a, fail
}

// faulty turns an error of JSON-RPC into an answer, if it says that there is no record, or completes the error to return.
func (c *Client) faulty(a answer, q call, f *fault, fail *pipeline.Error) (answer, *pipeline.Error) {
	status := f.http(a.resp.Status)
	c.brake.note(status, c.clock())
	if f.none(status) && !q.paged {
		a.none = true
		return a, nil
	}
	fail.Kind = f.kind(status, fail.Kind, q.paged)
	fail.Message = c.wire.Text(q.method.Name + ": " + f.String())
	calm(fail)
	return a, fail
}

// calm asks for the pause that ends Moz's penalty, where Moz does not say itself how long to wait: it sends no
// Retry-After, and every 429 is another 4xx.
func calm(fail *pipeline.Error) {
	if fail.Kind == pipeline.Throttled && fail.After == 0 && fail.Status != 503 {
		fail.After = calmAfter
	}
}

// unreadable explains a reply with status 2xx that is neither a result nor an error.
func (c *Client) unreadable(resp wire.Response, err error) *pipeline.Error {
	kind, text := pipeline.Malformed, err.Error()
	if errors.Is(err, rows.ErrCut) {
		// Its length matched what was announced, so it was cut before it was measured. Asked again it may be whole.
		kind = pipeline.Transient
	} else if said := c.wire.Say(resp.Body); said != "" {
		text += "; the reply says: " + said
	}
	return &pipeline.Error{Kind: kind, Status: resp.Status, MaybeCharged: true, Message: c.wire.Text(text)}
}

// read takes a reply apart. An error comes before a result, whatever the status of HTTP was; a reply that has neither
// cannot be read.
func (m *method) read(body []byte) (rows.Reply, *fault, error) {
	reply, err := rows.Scan(body, m.layout)
	if err != nil {
		whole, bad := rows.Scan(body, rows.Layout{One: true})
		if bad != nil {
			return reply, nil, bad
		}
		reply = whole
	}
	if said := reply.Member("error"); said != nil {
		if f := readFault(said); f != nil {
			return reply, f, nil
		}
	}
	if err == nil && m.needs != "" && reply.Member(m.needs) == nil {
		err = fmt.Errorf("%s: missing", m.needs)
	}
	return reply, nil, err
}
