package ahrefsv2

import (
	"errors"
	"fmt"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/wire"
)

// DefaultBaseURL was Ahrefs' own; it no longer answers. Source: Ahrefs API v2 documentation.
const DefaultBaseURL = "https://apiv2.ahrefs.com"

const (
	vendor  = "ahrefs"
	surface = "v2"
)

// HTTP are the settings of the connections; the zero value works.
type HTTP = wire.HTTP

// Config says how the API is reached.
type Config struct {
	// BaseURL must be https unless its host is this machine. Default DefaultBaseURL.
	BaseURL string
	// Token is sent in the query, as the API has it; it stands in no text of this package.
	Token string
	HTTP  HTTP
}

// Client buys from a server that speaks API v2. It is safe for concurrent use.
type Client struct{ wire *wire.Client }

// New returns a client, or says what is wrong with the configuration, without repeating the token. It makes no request.
func New(cfg Config) (*Client, error) {
	if cfg.Token == "" {
		return nil, errors.New("ahrefs v2: no token")
	}
	if cfg.BaseURL == "" {
		cfg.BaseURL = DefaultBaseURL
	}
	if cfg.HTTP.MaxBody <= 0 {
		cfg.HTTP.MaxBody = mostBytes
	}
	w, err := wire.New(wire.Options{HTTP: cfg.HTTP, Base: cfg.BaseURL, Auth: wire.QueryAuth("token", cfg.Token), Classify: classifyStatus})
	if err != nil {
		return nil, fmt.Errorf("ahrefs v2: %w", err)
	}
	return &Client{wire: w}, nil
}

// Sources returns a source for every endpoint, in the order of Endpoints.
func (c *Client) Sources() []pipeline.Source { return sources(c.wire) }

// Close gives up idle connections.
func (c *Client) Close() { c.wire.Close() }

// Offline returns sources that know the facts, read and decode pages, but refuse to fetch: for replays, archives and
// validation, which need no credentials.
func Offline() []pipeline.Source {
	return sources(wire.Offline(wire.Options{HTTP: HTTP{MaxBody: mostBytes}, Classify: classifyStatus}))
}

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
