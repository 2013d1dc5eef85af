// Package mozv2 buys reports from Moz's Links API V2 and reads them: one [pipeline.Source] per endpoint.
//
// It owns the requests (credentials, paging, batches), their prices, the meaning of Moz's refusals, and which member of a
// reply becomes which column. An endpoint is one declaration, a report; sending, checking and decoding are the same for
// all. What both of Moz's surfaces know of an endpoint, its parameters before all, is in the package moz.
// Facts and decoding need neither network nor credentials: see [Offline].
//
// Source of the facts, where no other is named: Moz's help pages "Links API V2, Making Calls". Parts of them were out
// of reach; what was filled in from Moz's JSON-RPC schemas or from other clients is marked so where it stands.
package mozv2

import (
	"errors"
	"fmt"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/wire"
)

// DefaultBaseURL is Moz's own. Plain HTTP is refused there (Moz, Links API V2 overview, since 2024-08-08).
const DefaultBaseURL = "https://lsapi.seomoz.com/v2"

const (
	surface = "v2"
	// pageSize is the largest `limit` Moz accepts; the default would be 25. Source: Moz, anchor_text.
	pageSize = 50
)

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
type Client struct{ wire *wire.Client }

// New returns a client, or says what is wrong with the configuration, without repeating a credential. It makes no
// request.
func New(cfg Config) (*Client, error) {
	auth, err := cfg.auth()
	if err != nil {
		return nil, err
	}
	if cfg.BaseURL == "" {
		cfg.BaseURL = DefaultBaseURL
	}
	w, err := wire.New(wire.Options{HTTP: cfg.HTTP, Base: cfg.BaseURL, Auth: auth, Classify: classify})
	if err != nil {
		return nil, fmt.Errorf("moz: %w", err)
	}
	return &Client{wire: w}, nil
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

// Sources returns a source for every endpoint, in the order of Endpoints.
func (c *Client) Sources() []pipeline.Source { return sources(c.wire) }

// Close gives up idle connections.
func (c *Client) Close() { c.wire.Close() }

// Offline returns sources that know the facts and decode pages, but refuse to fetch: for replays and validation, which
// need no credentials.
func Offline() []pipeline.Source { return sources(nil) }

func sources(w *wire.Client) []pipeline.Source {
	var all []pipeline.Source
	for _, r := range reports() {
		all = append(all, &source{report: r, wire: w})
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
