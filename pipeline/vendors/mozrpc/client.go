// Package mozrpc buys Moz's reports from its JSON-RPC API, the successor of the Links API V2, and reads them: one
// [pipeline.Source] per endpoint, under V2's names for endpoints, parameters and tables, so that a job moves here by one
// line.
//
// It owns what differs from V2: which method does the work of which endpoint, requests and paging, the meaning of Moz's
// errors, which member of a result becomes which column, and prices. What V2 answers at once and this API in several
// calls (the metrics of url_metrics, their histories, their distributions) is one task here as well: its cursor says
// which call is next, see stage. Facts, reading and decoding need neither network nor credentials: see [Offline].
//
// An error comes before a result, whatever the status of HTTP is, and is not billed; beside rows it makes the reply malformed.
// How a list ends, by a token that is null or by none, is learned: see [moz.Endings].
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
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors"
	"backhaul/pipeline/vendors/internal/moz"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/pipeline/vendors/internal/wire"
)

// DefaultBaseURL is Moz's own: all methods have the same address.
const DefaultBaseURL = "https://api.moz.com/jsonrpc"

const surface = "rpc"

// Surface is what the program is told of Moz's JSON-RPC API. Its archives cannot be imported: all methods have one address,
// so a request would have to be taken apart to know what its reply answers.
func Surface() vendors.Surface {
	return vendors.Surface{
		Vendor: moz.Vendor, Name: surface, Title: "Moz",
		Limits:      pipeline.Limits{PerSecond: 2, Connections: 8},
		URL:         "BACKHAUL_MOZ_RPC_URL",
		DefaultURL:  DefaultBaseURL,
		Credentials: vendors.Credentials{{"MOZ_TOKEN"}},
		Counts:      "rows of all Moz's APIs in the billing period under way",
		Offline:     Offline,
		Open: func(s vendors.Settings) (vendors.Client, error) {
			return New(Config{BaseURL: s.BaseURL, Token: s.Credentials["MOZ_TOKEN"], HTTP: HTTP{Conns: s.Connections}})
		},
	}
}

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
	wire    *wire.Client
	brake   *brake
	endings *moz.Endings
	clock   func() time.Time
}

// New returns a client, or says what is wrong with the configuration, without repeating a credential. It makes no
// request.
func New(cfg Config) (*Client, error) {
	if cfg.Token == "" {
		return nil, errors.New("moz: no credentials: the JSON-RPC API wants a token; access id and secret key are those of V2")
	}
	if cfg.HTTP.Conns <= 0 {
		cfg.HTTP.Conns = defaultConns
	}
	if cfg.HTTP.Clock == nil {
		cfg.HTTP.Clock = time.Now
	}
	w, err := wire.New(wire.Options{HTTP: cfg.HTTP, Base: cmp.Or(cfg.BaseURL, DefaultBaseURL), Auth: wire.HeaderAuth("x-moz-token", cfg.Token)})
	if err != nil {
		return nil, fmt.Errorf("moz: %w", err)
	}
	return newClient(w, cfg.HTTP), nil
}

func newClient(w *wire.Client, settings HTTP) *Client {
	return &Client{wire: w, brake: newBrake(settings.Conns), endings: new(moz.Endings), clock: settings.Clock}
}

// defaultConns is how many connections are opened where none are given.
const defaultConns = 8

// Sources returns a source for every endpoint, in the order people should read them.
func (c *Client) Sources() []pipeline.Source {
	var all []pipeline.Source
	for _, r := range reports() {
		all = append(all, &source{report: r, client: c})
	}
	return all
}

// Close gives up idle connections.
func (c *Client) Close() { c.wire.Close() }

// Offline returns sources that know the facts, read and decode pages, but refuse to fetch: for replays and validation, which
// need no credentials.
func Offline() []pipeline.Source {
	return newClient(wire.Offline(wire.Options{}), HTTP{Clock: time.Now}).Sources()
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
	// status is that of the reply, or, of an error with status 200, the one that it states or stands for. 0: there is no reply.
	status int
}

// ask makes one call. When the error is not nil it says what to do; of the kind Malformed, the answer holds what arrived.
func (c *Client) ask(ctx context.Context, q call) (answer, *pipeline.Error) {
	e := envelope{JSONRPC: "2.0", ID: rand.Text(), Method: q.method.Name} // 26 characters
	e.Params.Data = q.data
	request, err := json.Marshal(e, json.Deterministic(true))
	if err != nil {
		return answer{}, &pipeline.Error{Kind: pipeline.Rejected, Message: c.wire.Text("make the request's JSON: " + err.Error())}
	}
	if held := c.brake.hold(c.clock()); held != nil {
		return answer{request: request}, held
	}
	resp, fail := c.wire.Do(ctx, "POST", "", request)
	a, fail := c.read(q, e.ID, resp, fail)
	a.request = request
	c.brake.note(a.status, c.clock())
	return a, fail
}

// read takes the reply to the request of that id apart; fail is what is wrong with it before its JSON is read. It is pure.
func (c *Client) read(q call, id string, resp wire.Response, fail *pipeline.Error) (answer, *pipeline.Error) {
	a := answer{resp: resp}
	if fail == nil {
		return c.told(a, q, id)
	}
	a.status = fail.Status
	if f := refusal(resp.Body); fail.Status/100 != 2 && f != nil {
		return c.faulty(a, q, f, fail)
	}
	calm(fail)
	return a, fail
}

// told finds out what a reply with status 200 says to the request of that id.
func (c *Client) told(a answer, q call, id string) (answer, *pipeline.Error) {
	reply, f, err := q.method.read(a.resp.Body)
	a.status = a.resp.Status
	switch {
	case f != nil && err == nil && reply.Count > 0:
		return a, c.wire.Malformed(a.resp.Status, "the reply has an error beside its result: "+f.String())
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

// faulty turns an error of JSON-RPC into an answer, if it says that there is no record, or completes the error to return. Moz
// bills results, and such a reply has none.
func (c *Client) faulty(a answer, q call, f *fault, fail *pipeline.Error) (answer, *pipeline.Error) {
	a.status = f.http(a.resp.Status)
	if f.none(a.status) && !q.paged {
		a.none = true
		return a, nil
	}
	fail.Kind = f.kind(a.status, fail.Kind, q.paged)
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

// unreadable explains a reply with status 200 that is neither a result nor an error.
func (c *Client) unreadable(resp wire.Response, err error) *pipeline.Error {
	return c.wire.Unreadable(resp, err, errors.Is(err, rows.ErrCut))
}

// read takes a reply apart: it has an error, which comes before a result, whatever the status of HTTP was; or a result. What
// has neither cannot be read. An error that says nothing is not an error.
func (m *method) read(body []byte) (rows.Reply, *fault, error) {
	reply, err := rows.Scan(body, m.layout)
	if err == nil && m.needs != "" && reply.Member(m.needs) == nil {
		err = fmt.Errorf("%s: missing", m.needs)
	}
	if said := reply.Member("error"); wire.Says(said) {
		return reply, readFault(said), err
	}
	return reply, nil, err
}
