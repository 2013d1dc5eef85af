// Package mozv2 buys reports from Moz's Links API V2 and reads them: one [pipeline.Source] per endpoint.
//
// It owns the requests (credentials, paging, batches), their prices, the meaning of Moz's refusals, and which member of a
// reply becomes which column. An endpoint is one declaration, a report; sending, checking and decoding are the same for
// all. What both of Moz's surfaces know of an endpoint, its parameters before all, is in the package moz.
// Facts, reading and decoding need neither network nor credentials: see [Offline].
//
// A reply with status 200 may be an error: {"error":"…"}, with an empty list beside it or none. What it asks of the caller is
// told by its words, and it counts as maybe charged, since no document says that such a reply is free. An error beside rows
// makes the reply malformed, and so does the lack of what every reply has: of a list that is the token that leads on, as far
// as it has been learned how a list ends.
//
// Source of the facts, where no other is named: Moz's help pages "Links API V2, Making Calls". Parts of them were out
// of reach; what was filled in from Moz's JSON-RPC schemas or from other clients is marked so where it stands.
package mozv2

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors"
	"backhaul/pipeline/vendors/internal/moz"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/pipeline/vendors/internal/wire"
)

// DefaultBaseURL is Moz's own. Plain HTTP is refused there (Moz, Links API V2 overview, since 2024-08-08).
const DefaultBaseURL = "https://lsapi.seomoz.com/v2"

const (
	surface = "v2"
	// pageSize is the largest `limit` Moz accepts; the default would be 25. Source: Moz, anchor_text.
	pageSize = 50
)

// Surface is what the program is told of Moz's Links API V2.
func Surface() vendors.Surface {
	return vendors.Surface{
		Vendor: moz.Vendor, Name: surface, Title: "Moz", Successor: "rpc",
		Limits:      pipeline.Limits{PerSecond: 2, Connections: 8},
		URL:         "BACKHAUL_MOZ_V2_URL",
		DefaultURL:  DefaultBaseURL,
		Credentials: vendors.Credentials{{"MOZ_TOKEN"}, {"MOZ_ACCESS_ID", "MOZ_SECRET_KEY"}},
		Counts:      "rows of V1 and V2 together, weights included",
		Archives:    true,
		Offline:     Offline,
		Open: func(s vendors.Settings) (vendors.Client, error) {
			c := s.Credentials
			return New(Config{BaseURL: s.BaseURL, Token: c["MOZ_TOKEN"], AccessID: c["MOZ_ACCESS_ID"], SecretKey: c["MOZ_SECRET_KEY"], HTTP: HTTP{Conns: s.Connections}})
		},
	}
}

// HTTP are the settings of the connections; the zero value works.
type HTTP = wire.HTTP

// Config says how Moz is reached.
type Config struct {
	// BaseURL must be https unless its host is this machine. Default DefaultBaseURL.
	BaseURL string
	// Token is sent as x-moz-token. It is preferred where both kinds of credentials are given.
	Token string
	// AccessID and SecretKey are the legacy credentials, sent as HTTP Basic.
	AccessID, SecretKey string
	HTTP                HTTP
}

// Client buys from Moz. It is safe for concurrent use.
type Client struct {
	wire    *wire.Client
	endings *moz.Endings
}

// New returns a client, or says what is wrong with the configuration, without repeating a credential. It makes no
// request.
func New(cfg Config) (*Client, error) {
	auth, err := cfg.auth()
	if err != nil {
		return nil, err
	}
	w, err := wire.New(wire.Options{HTTP: cfg.HTTP, Base: cmp.Or(cfg.BaseURL, DefaultBaseURL), Auth: auth, Classify: classify})
	if err != nil {
		return nil, fmt.Errorf("moz: %w", err)
	}
	return &Client{wire: w, endings: new(moz.Endings)}, nil
}

// auth picks the credentials. Source: Moz, Links API V2 overview, authentication.
func (cfg Config) auth() (wire.Auth, error) {
	switch {
	case cfg.Token != "":
		return wire.HeaderAuth("x-moz-token", cfg.Token), nil
	case cfg.AccessID != "" && cfg.SecretKey != "":
		return wire.BasicAuth(cfg.AccessID, cfg.SecretKey), nil
	case cfg.AccessID != "" || cfg.SecretKey != "":
		return wire.Auth{}, errors.New("moz: access id and secret key belong together, and one of them is missing")
	default:
		return wire.Auth{}, errors.New("moz: no credentials: want a token, or an access id and a secret key")
	}
}

// Sources returns a source for every endpoint, in the order people should read them.
func (c *Client) Sources() []pipeline.Source {
	var all []pipeline.Source
	for _, r := range reports() {
		all = append(all, &source{report: r, wire: c.wire, endings: c.endings})
	}
	return all
}

// Close gives up idle connections.
func (c *Client) Close() { c.wire.Close() }

// Offline returns sources that know the facts, read and decode pages, but refuse to fetch: for replays and validation, which
// need no credentials.
func Offline() []pipeline.Source {
	return (&Client{wire: wire.Offline(wire.Options{Classify: classify}), endings: new(moz.Endings)}).Sources()
}

// about asks an endpoint that tells of the account or the index. A reply with an error is one, whatever stands beside it; a
// message is a remark beside the member that is asked for.
func (c *Client) about(ctx context.Context, endpoint, member string, request []byte) (wire.Response, error) {
	resp, fail := c.wire.Do(ctx, "POST", endpoint, request)
	if fail != nil {
		return resp, fail
	}
	reply, _ := rows.Scan(resp.Body, rows.Layout{One: true}) // what else is wrong with it the caller finds
	has := min(wire.ContentOf(reply.Member(member)), wire.Blank)
	if fail := c.wire.Refusal(resp.Status, c.wire.Fault(reply.Members()), has); fail != nil {
		return resp, fail
	}
	return resp, nil
}
