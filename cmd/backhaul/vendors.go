package main

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors"
	"backhaul/pipeline/vendors/ahrefsv2"
	"backhaul/pipeline/vendors/ahrefsv3"
	"backhaul/pipeline/vendors/mozrpc"
	"backhaul/pipeline/vendors/mozv2"
)

// builtIn are the surfaces that the program speaks, of each vendor its default first.
var builtIn = vendors.Registry{
	mozv2.Surface(),
	mozrpc.Surface(),
	ahrefsv3.Surface(),
	ahrefsv2.Surface(),
}

// open returns a client of a surface, of so many connections, as the environment has it. from names the variables of its
// credentials; without them there is no client.
func (e environment) open(s vendors.Surface, connections int) (client vendors.Client, from string, err error) {
	values, from, err := e.credentials(s.Credentials)
	if err != nil || values == nil {
		return nil, "", err
	}
	if e.seen != nil {
		e.seen(s, values)
	}
	base, err := e.env(s.URL)
	if err != nil {
		return nil, from, err
	}
	if client, err = s.Open(vendors.Settings{BaseURL: base, Credentials: values, Connections: connections}); err != nil {
		return nil, from, fmt.Errorf("%s: %w", s.URL, err)
	}
	if text, own := withoutPath(s, base); own {
		client.Close()
		return nil, from, errors.New(text)
	}
	return client, from, nil
}

// sources opens surfaces when they are first asked for.
type sources struct {
	registry vendors.Registry
	// client returns a surface's client, of so many connections. Without it what they return only reads pages bought earlier,
	// and needs no credentials.
	client      func(of vendors.Surface, connections int) (client vendors.Client, from string, err error)
	connections map[string]int // by vendor; a vendor's client chooses for those not in it
	// opened is called with a surface that buys when it is first opened. Default: nobody is.
	opened func(vendors.Surface)
	mu     sync.Mutex
	open   map[string]*openSurface // by vendor/surface
}

// openSurface is a surface in use.
type openSurface struct {
	sources map[string]pipeline.Source // by endpoint
	client  vendors.Client             // nil: offline
}

// buyersOf returns the sources that buy what a job asks for, and warns of what is odd about the URLs and credentials they use;
// decoders those that only read pages bought earlier.
func (a *app) buyersOf(job *loadedJob) *sources {
	a.warnOfURLs(job)
	return &sources{registry: a.vendors, client: a.open, opened: a.warnOfCredentials, connections: job.connections(), open: map[string]*openSurface{}}
}

func decoders(r vendors.Registry) *sources {
	return &sources{registry: r, open: map[string]*openSurface{}}
}

// source returns the source of a task. It implements run.Job.Sources.
func (s *sources) source(t pipeline.Task) (pipeline.Source, error) {
	vendor, name, _ := strings.Cut(t.Endpoint, "/")
	open, err := s.surface(vendor, t.Surface)
	if err != nil {
		return nil, err
	}
	source := open.sources[name]
	if source == nil {
		return nil, fmt.Errorf("this program does not know %s on surface %s", t.Endpoint, t.Surface)
	}
	return source, nil
}

func (s *sources) surface(vendor, name string) (*openSurface, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := vendor + "/" + name
	if open, ok := s.open[key]; ok {
		return open, nil
	}
	surface, ok := s.registry.Surface(vendor, name)
	if !ok {
		return nil, fmt.Errorf("this program does not speak surface %s of %s", name, vendor)
	}
	use := &openSurface{sources: map[string]pipeline.Source{}}
	all := surface.Offline
	if s.client != nil {
		client, err := s.connect(surface)
		if err != nil {
			return nil, err
		}
		use.client, all = client, client.Sources
	}
	for _, source := range all() {
		use.sources[source.Endpoint().Name] = source
	}
	s.open[key] = use
	return use, nil
}

func (s *sources) connect(of vendors.Surface) (vendors.Client, error) {
	client, _, err := s.client(of, s.connections[of.Vendor])
	if client != nil && s.opened != nil {
		s.opened(of)
	}
	if err != nil || client != nil {
		return client, err
	}
	which := ""
	if !s.registry.Default(of) {
		which = " for surface " + of.Name
	}
	return nil, fmt.Errorf("no %s credentials%s: set %s", of.Title, which, of.Credentials)
}

// warnOfCredentials prints what is odd about a surface's credentials, of each surface once.
func (a *app) warnOfCredentials(s vendors.Surface) {
	key := s.Vendor + "/" + s.Name
	if a.warned[key] {
		return
	}
	if a.warned == nil {
		a.warned = map[string]bool{}
	}
	a.warned[key] = true
	for _, text := range a.doubts(s.Credentials) {
		fmt.Fprintln(a.stderr, "warning:", text)
	}
}

// close gives up the connections of those that buy.
func (s *sources) close() {
	for _, open := range s.open {
		open.client.Close()
	}
}
