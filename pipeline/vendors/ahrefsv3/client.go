package ahrefsv3

import (
	"cmp"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors"
	"backhaul/pipeline/vendors/internal/wire"
)

// DefaultBaseURL is Ahrefs' own. Source: Ahrefs OpenAPI 3.0.0, servers.
const DefaultBaseURL = "https://api.ahrefs.com/v3"

// Surface is what the program is told of Ahrefs' API v3.
func Surface() vendors.Surface {
	return vendors.Surface{
		Vendor: vendor, Name: surface, Title: "Ahrefs",
		Limits:      pipeline.Limits{PerSecond: 1, Connections: 4},
		URL:         "BACKHAUL_AHREFS_V3_URL",
		DefaultURL:  DefaultBaseURL,
		Credentials: vendors.Credentials{{"AHREFS_API_KEY"}},
		Counts:      "API units of the workspace in the billing period under way",
		Archives:    true,
		Offline:     Offline,
		Open: func(s vendors.Settings) (vendors.Client, error) {
			return New(Config{BaseURL: s.BaseURL, Key: s.Credentials["AHREFS_API_KEY"], HTTP: HTTP{Conns: s.Connections}})
		},
	}
}

// HTTP are the settings of the connections; the zero value works.
type HTTP = wire.HTTP

// Config says how Ahrefs is reached.
type Config struct {
	// BaseURL must be https unless its host is this machine. Default DefaultBaseURL.
	BaseURL string
	// Key is sent as Authorization: Bearer.
	Key  string
	HTTP HTTP
}

// Client buys from Ahrefs. It is safe for concurrent use.
type Client struct {
	wire *wire.Client
	now  func() time.Time
	// most is the largest `limit` that may be asked for, where Ahrefs refused a larger one; 0 if it refused none. It is the
	// plan's, so all lists share it. It is found out again, at no cost, by the next client.
	most atomic.Int64
}

// New returns a client, or says what is wrong with the configuration, without repeating the key. It makes no request.
func New(cfg Config) (*Client, error) {
	if cfg.Key == "" {
		return nil, errors.New("ahrefs: no API key")
	}
	w, err := wire.New(wire.Options{HTTP: cfg.HTTP, Base: cmp.Or(cfg.BaseURL, DefaultBaseURL), Auth: wire.BearerAuth(cfg.Key), Classify: classify})
	if err != nil {
		return nil, fmt.Errorf("ahrefs: %w", err)
	}
	now := cfg.HTTP.Clock
	if now == nil {
		now = time.Now
	}
	return &Client{wire: w, now: now}, nil
}

// Sources returns a source for every endpoint, in the order people should read them.
func (c *Client) Sources() []pipeline.Source {
	var all []pipeline.Source
	for _, l := range listings() {
		all = append(all, &source{listing: l, client: c})
	}
	return all
}

// Close gives up idle connections.
func (c *Client) Close() { c.wire.Close() }

// Offline returns sources that know the facts, read and decode pages, but refuse to fetch: for replays and validation, which
// need no key.
func Offline() []pipeline.Source {
	return (&Client{wire: wire.Offline(wire.Options{Classify: classify}), now: time.Now}).Sources()
}
