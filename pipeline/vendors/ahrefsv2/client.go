package ahrefsv2

import (
	"cmp"
	"errors"
	"fmt"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors"
	"backhaul/pipeline/vendors/internal/wire"
)

// DefaultBaseURL was Ahrefs' own; it no longer answers. Source: Ahrefs API v2 documentation.
const DefaultBaseURL = "https://apiv2.ahrefs.com"

const (
	vendor  = "ahrefs"
	surface = "v2"
)

// Surface is what the program is told of Ahrefs' API v2, which Ahrefs shut down on 2025-11-01.
func Surface() vendors.Surface {
	return vendors.Surface{
		Vendor: vendor, Name: surface, Title: "Ahrefs", Successor: "v3",
		Limits:      pipeline.Limits{PerSecond: 1, Connections: 4},
		URL:         "BACKHAUL_AHREFS_V2_URL",
		DefaultURL:  DefaultBaseURL,
		Credentials: vendors.Credentials{{"AHREFS_V2_TOKEN"}},
		Counts:      "rows of the plan in the month under way",
		Archives:    true,
		NameOf:      EndpointOf,
		Offline:     Offline,
		Open: func(s vendors.Settings) (vendors.Client, error) {
			return New(Config{BaseURL: s.BaseURL, Token: s.Credentials["AHREFS_V2_TOKEN"], HTTP: HTTP{Conns: s.Connections}})
		},
	}
}

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
	if cfg.HTTP.MaxBody <= 0 {
		cfg.HTTP.MaxBody = mostBytes
	}
	w, err := wire.New(wire.Options{HTTP: cfg.HTTP, Base: cmp.Or(cfg.BaseURL, DefaultBaseURL), Auth: wire.QueryAuth("token", cfg.Token), Classify: classifyStatus})
	if err != nil {
		return nil, fmt.Errorf("ahrefs v2: %w", err)
	}
	return &Client{wire: w}, nil
}

// Sources returns a source for every endpoint, in the order people should read them.
func (c *Client) Sources() []pipeline.Source {
	var all []pipeline.Source
	for _, r := range reports() {
		all = append(all, &source{report: r, wire: c.wire})
	}
	return all
}

// Close gives up idle connections.
func (c *Client) Close() { c.wire.Close() }

// Offline returns sources that know the facts, read and decode pages, but refuse to fetch: for replays, archives and
// validation, which need no credentials.
func Offline() []pipeline.Source {
	return (&Client{wire: wire.Offline(wire.Options{HTTP: HTTP{MaxBody: mostBytes}, Classify: classifyStatus})}).Sources()
}
