package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/ahrefsv2"
	"backhaul/pipeline/vendors/ahrefsv3"
	"backhaul/pipeline/vendors/mozrpc"
	"backhaul/pipeline/vendors/mozv2"
)

// surface is one API of a vendor, as this program is wired to it.
type surface struct {
	vendor, name string
	endpoints    []*pipeline.Endpoint
	// urls and credentials are the names of the environment variables it reads.
	url         string
	credentials string
	// open returns the surface's sources and the client that serves them over so many connections. Without credentials
	// the sources only decode, and there is no client.
	open func(credentials bool, connections int) ([]pipeline.Source, any, error)
}

// surfaces are those of each vendor, its default first.
var surfaces = []surface{
	{
		vendor: "moz", name: "v2", endpoints: mozv2.Endpoints(),
		url: "BACKHAUL_MOZ_V2_URL", credentials: "MOZ_TOKEN, or MOZ_ACCESS_ID and MOZ_SECRET_KEY",
		open: openMozV2,
	},
	{
		vendor: "moz", name: "rpc", endpoints: mozrpc.Endpoints(),
		url: "BACKHAUL_MOZ_RPC_URL", credentials: "MOZ_TOKEN",
		open: openMozRPC,
	},
	{
		vendor: "ahrefs", name: "v3", endpoints: ahrefsv3.Endpoints(),
		url: "BACKHAUL_AHREFS_V3_URL", credentials: "AHREFS_API_KEY",
		open: openAhrefsV3,
	},
	{
		vendor: "ahrefs", name: "v2", endpoints: ahrefsv2.Endpoints(),
		url: "BACKHAUL_AHREFS_V2_URL", credentials: "AHREFS_V2_TOKEN",
		open: openAhrefsV2,
	},
}

func openAhrefsV3(credentials bool, connections int) ([]pipeline.Source, any, error) {
	if !credentials {
		return ahrefsv3.Offline(), nil, nil
	}
	v, err := envs("AHREFS_API_KEY", "BACKHAUL_AHREFS_V3_URL")
	if err != nil {
		return nil, nil, err
	}
	if v["AHREFS_API_KEY"] == "" {
		return nil, nil, fmt.Errorf("no Ahrefs credentials: set AHREFS_API_KEY")
	}
	client, err := ahrefsv3.New(ahrefsv3.Config{BaseURL: v["BACKHAUL_AHREFS_V3_URL"], Key: v["AHREFS_API_KEY"], HTTP: ahrefsv3.HTTP{Conns: connections}})
	if err != nil {
		return nil, nil, fmt.Errorf("BACKHAUL_AHREFS_V3_URL: %w", err)
	}
	return client.Sources(), client, nil
}

func openMozV2(credentials bool, connections int) ([]pipeline.Source, any, error) {
	if !credentials {
		return mozv2.Offline(), nil, nil
	}
	v, err := envs("MOZ_TOKEN", "MOZ_ACCESS_ID", "MOZ_SECRET_KEY", "BACKHAUL_MOZ_V2_URL")
	if err != nil {
		return nil, nil, err
	}
	if v["MOZ_TOKEN"] == "" && (v["MOZ_ACCESS_ID"] == "" || v["MOZ_SECRET_KEY"] == "") {
		return nil, nil, fmt.Errorf("no Moz credentials: set MOZ_TOKEN, or MOZ_ACCESS_ID and MOZ_SECRET_KEY")
	}
	base := v["BACKHAUL_MOZ_V2_URL"]
	if base == "" {
		base = "https://lsapi.seomoz.com/v2"
	}
	client, err := mozv2.New(mozv2.Config{BaseURL: base, Token: v["MOZ_TOKEN"], AccessID: v["MOZ_ACCESS_ID"], SecretKey: v["MOZ_SECRET_KEY"],
		HTTP: mozv2.HTTP{Conns: connections}})
	if err != nil {
		return nil, nil, fmt.Errorf("BACKHAUL_MOZ_V2_URL: %w", err)
	}
	return client.Sources(), client, nil
}

func openMozRPC(credentials bool, connections int) ([]pipeline.Source, any, error) {
	if !credentials {
		return mozrpc.Offline(), nil, nil
	}
	v, err := envs("MOZ_TOKEN", "BACKHAUL_MOZ_RPC_URL")
	if err != nil {
		return nil, nil, err
	}
	if v["MOZ_TOKEN"] == "" {
		return nil, nil, fmt.Errorf("no Moz credentials for surface rpc: set MOZ_TOKEN")
	}
	client, err := mozrpc.New(mozrpc.Config{BaseURL: v["BACKHAUL_MOZ_RPC_URL"], Token: v["MOZ_TOKEN"], HTTP: mozrpc.HTTP{Conns: connections}})
	if err != nil {
		return nil, nil, fmt.Errorf("BACKHAUL_MOZ_RPC_URL: %w", err)
	}
	return client.Sources(), client, nil
}

func openAhrefsV2(credentials bool, connections int) ([]pipeline.Source, any, error) {
	if !credentials {
		return ahrefsv2.Offline(), nil, nil
	}
	v, err := envs("AHREFS_V2_TOKEN", "BACKHAUL_AHREFS_V2_URL")
	if err != nil {
		return nil, nil, err
	}
	if v["AHREFS_V2_TOKEN"] == "" {
		return nil, nil, fmt.Errorf("no credentials for surface v2 of Ahrefs: set AHREFS_V2_TOKEN")
	}
	base := v["BACKHAUL_AHREFS_V2_URL"]
	if base == "" {
		base = ahrefsv2.DefaultBaseURL
	}
	client, err := ahrefsv2.New(ahrefsv2.Config{BaseURL: base, Token: v["AHREFS_V2_TOKEN"], HTTP: ahrefsv2.HTTP{Conns: connections}})
	if err != nil {
		return nil, nil, fmt.Errorf("BACKHAUL_AHREFS_V2_URL: %w", err)
	}
	return client.Sources(), client, nil
}

// registry tells jobs what is known offline about the vendors' reports.
type registry struct{}

// Lookup implements jobs.Endpoints.
func (registry) Lookup(vendor, surface, name string) *pipeline.Endpoint {
	for _, s := range surfaces {
		for _, e := range s.endpoints {
			if s.vendor == vendor && s.name == surface && e.Name == name {
				return e
			}
		}
	}
	return nil
}

// Names implements jobs.Endpoints.
func (registry) Names(vendor, surface string) []string {
	var names []string
	for _, s := range surfaces {
		if s.vendor == vendor && s.name == surface {
			for _, e := range s.endpoints {
				names = append(names, e.Name)
			}
		}
	}
	return names
}

// vendors opens surfaces when they are first asked for.
type vendors struct {
	credentials bool
	connections map[string]int // by vendor; a vendor's client chooses for those not in it
	mu          sync.Mutex
	open        map[string]*openSurface // by vendor/surface
}

// openSurface is a surface in use.
type openSurface struct {
	sources map[string]pipeline.Source // by endpoint
	client  any
}

// openVendors returns the sources that buy; decoders those that only read pages bought earlier.
func openVendors(connections map[string]int) *vendors {
	return &vendors{credentials: true, connections: connections}
}

func decoders() *vendors { return &vendors{} }

// source returns the source of a task. It implements run.Job.Sources.
func (v *vendors) source(t pipeline.Task) (pipeline.Source, error) {
	vendor, name, _ := strings.Cut(t.Endpoint, "/")
	open, err := v.surface(vendor, t.Surface)
	if err != nil {
		return nil, err
	}
	source := open.sources[name]
	if source == nil {
		return nil, fmt.Errorf("this program does not know %s on surface %s", t.Endpoint, t.Surface)
	}
	return source, nil
}

func (v *vendors) surface(vendor, name string) (*openSurface, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := vendor + "/" + name
	if open, ok := v.open[key]; ok {
		return open, nil
	}
	for _, s := range surfaces {
		if s.vendor != vendor || s.name != name {
			continue
		}
		sources, client, err := s.open(v.credentials, v.connections[vendor])
		if err != nil {
			return nil, err
		}
		open := &openSurface{sources: map[string]pipeline.Source{}, client: client}
		for _, source := range sources {
			open.sources[source.Endpoint().Name] = source
		}
		if v.open == nil {
			v.open = map[string]*openSurface{}
		}
		v.open[key] = open
		return open, nil
	}
	return nil, fmt.Errorf("this program does not speak surface %s of %s", name, vendor)
}

// credentialNames and urlNames are what a user can set for a vendor.
func credentialNames(vendor string) string {
	return names(vendor, func(s surface) string { return s.credentials })
}
func urlNames(vendor string) string { return names(vendor, func(s surface) string { return s.url }) }

func names(vendor string, of func(surface) string) string {
	var all []string
	for _, s := range surfaces {
		// What another surface wants as well, alone or with more to choose from, is named once.
		named := func(other string) bool { return strings.HasPrefix(other, of(s)) }
		if s.vendor == vendor && !slices.ContainsFunc(all, named) {
			all = append(all, of(s))
		}
	}
	return strings.Join(all, "; ")
}
