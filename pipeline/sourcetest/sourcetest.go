// Package sourcetest holds a surface's sources to what [pipeline.Source] promises, so that the promise is written down once and
// every surface is tried by it. It knows no vendor: the surface brings one that answers, its sources, and tasks with rows.
//
// What only one vendor has (its words for a refusal, its tokens, its prices, the columns of its rows) is for the surface's own
// tests.
package sourcetest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
)

// Config is a surface to try.
type Config struct {
	// New returns a client of the vendor at a server. It is called often: each fault is tried on a client that has seen none.
	New func(t testing.TB, s Server) Client
	// Offline returns sources without credentials, in the order of the client's.
	Offline func() []pipeline.Source
	// Vendor answers as the vendor does.
	Vendor http.Handler
	// Path is where on the vendor's host the surface is.
	Path string
	// Secrets are the credentials that New's client has, in every form in which they are sent.
	Secrets []string
	// Cases are tasks that the vendor answers with rows, for every endpoint at least one.
	Cases []Case
	// BillInHeaders: the vendor states in headers what it charged, so that a kept reply does not tell.
	BillInHeaders bool
	// Gone is what status 410 means at a place in a list. Default Transient: not tried, as the vendor has no places that die.
	Gone pipeline.Kind
}

// Server is where a client finds the vendor, and what it is to be told by its settings.
type Server struct {
	URL     string
	Clock   func() time.Time
	MaxBody int64 // 0: the client's own
	Dial    func(ctx context.Context, network, address string) (net.Conn, error)
}

// Client is a surface's client.
type Client struct {
	Sources []pipeline.Source
	// Calls are what else it asks the vendor, by name: its usage, its index.
	Calls map[string]func(context.Context) error
}

// Case is a task of an endpoint.
type Case struct {
	Endpoint string
	Task     pipeline.Task
	// Limit is how many rows, or inputs of a batch, to ask for at a time; small, so that there are several pages. Default: the
	// endpoint's page size.
	Limit int
	// Stages: further requests of the task fill tables beside the endpoint's own, and no rows of that.
	Stages bool
}

func (c Case) ask() pipeline.Ask { return pipeline.Ask{Limit: c.Limit} }

// Run tries the surface.
func Run(t *testing.T, cfg Config) {
	t.Helper()
	cfg.offline(t)
	for i, c := range cfg.Cases {
		name := c.Endpoint
		if i > 0 && cfg.Cases[i-1].Endpoint == name {
			name = fmt.Sprintf("%s %d", name, i)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run{cfg, c}
			pages := r.pages(t)
			if t.Failed() {
				return // what follows changes these pages
			}
			for name, try := range map[string]func(*testing.T){
				"together":   r.together,
				"cancelled":  r.cancelled,
				"broken":     func(t *testing.T) { r.broken(t, pages[0]) },
				"unreadable": func(t *testing.T) { r.unreadable(t, pages[0]) },
				"refused":    func(t *testing.T) { r.refused(t, pages) },
				"secret":     func(t *testing.T) { r.secret(t, pages) },
				"hostile":    func(t *testing.T) { r.hostile(t, pages) },
				"misfit":     func(t *testing.T) { r.misfit(t, pages[0]) },
			} {
				t.Run(name, try)
			}
		})
	}
}

// RunSecrets tries one promise alone, for a surface with further kinds of credentials: that they stand in no error.
func RunSecrets(t *testing.T, cfg Config) {
	t.Helper()
	for _, c := range cfg.Cases {
		t.Run(c.Endpoint, func(t *testing.T) {
			r := run{cfg, c}
			r.secret(t, r.pages(t))
		})
	}
}

// offline: facts need neither network nor credentials, and are the same ones; without credentials nothing is bought.
func (cfg Config) offline(t *testing.T) {
	t.Helper()
	var online, offline, tried []string
	for _, s := range cfg.New(t, Server{URL: "https://vendor.invalid"}).Sources {
		online = append(online, fmt.Sprintf("%s %p", s.Endpoint(), s.Endpoint()))
	}
	cases := map[string]bool{}
	for _, c := range cfg.Cases {
		cases[c.Endpoint] = true
	}
	for _, s := range cfg.Offline() {
		e := s.Endpoint()
		offline = append(offline, fmt.Sprintf("%s %p", e, e))
		if e.Table == nil || e.Source == "" || e.PageSize < 1 {
			t.Errorf("%s does not say all of itself", e)
		}
		if !cases[e.Name] {
			tried = append(tried, e.Name)
		}
		for _, c := range cfg.Cases {
			if _, err := s.Fetch(t.Context(), c.Task, c.ask()); c.Endpoint == e.Name && pipeline.KindOf(err) != pipeline.Denied {
				t.Errorf("%s is bought without credentials: %v", e, err)
			}
		}
	}
	if diff := cmp.Diff(online, offline); diff != "" {
		t.Errorf("offline it is another surface: %s", diff)
	}
	if len(tried) > 0 {
		t.Errorf("no case of %v", tried)
	}
}
