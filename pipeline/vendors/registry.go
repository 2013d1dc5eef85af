// Package vendors is the registry: what each surface, an API of a vendor, says of itself, as data. What differs from one to
// another is asked here, never decided by a name, so that a vendor is added by one package and one line.
//
// A surface's package returns it, beside its code, and the program lists those it speaks. So surfaces import this package,
// and it none of them. It says which variables of the environment are to be read, and reads none.
package vendors

import (
	"slices"
	"strings"

	"backhaul/pipeline"
)

// Surface is one API of a vendor.
type Surface struct {
	Vendor, Name string // moz, v2: the words of jobs and tables
	Title        string // Moz: the vendor's own spelling
	// Limits are those that the vendor documents. A job may say otherwise.
	Limits pipeline.Limits
	// URL is the variable that says where it is reached. Where it is not set, that is DefaultURL, the vendor's own.
	URL, DefaultURL string
	Credentials     Credentials
	// Counts is what the client's [pipeline.Usage] tells the sum of, in words. Default "": it has none.
	Counts string
	// Successor is the name of the vendor's surface that replaces it. Default "": none does.
	Successor string
	// Archives: archived replies can be imported, as they or their requests tell what they answer. Default false.
	Archives bool
	// NameOf returns the endpoint for another name that archives have for it, "" if there is none. Default: none has one.
	NameOf func(name string) string
	// Open returns a client, or says what is wrong with the settings, without repeating a credential. It makes no request.
	Open func(Settings) (Client, error)
	// Offline returns a source for each endpoint, in the order people should read them, that knows its facts and prices and
	// reads pages bought earlier, without credentials.
	Offline func() []pipeline.Source
}

// Endpoints returns the facts about every endpoint. They are shared and must not be changed.
func (s Surface) Endpoints() (all []*pipeline.Endpoint) {
	for _, source := range s.Offline() {
		all = append(all, source.Endpoint())
	}
	return all
}

// Credentials are the ways to say who buys, the preferred one first: each the variables that go together.
type Credentials [][]string

// String names the variables: "A, or B and C".
func (c Credentials) String() string {
	var ways []string
	for _, way := range c {
		ways = append(ways, strings.Join(way, " and "))
	}
	return strings.Join(ways, ", or ")
}

// Settings is how a client is to reach its surface.
type Settings struct {
	BaseURL string // "": the vendor's own
	// Credentials are those of one way, by variable.
	Credentials map[string]string
	// Connections bounds those to the vendor. Default: the client chooses.
	Connections int
}

// Client buys from a surface. It may tell more of the account: see [pipeline.Usage] and [pipeline.Index]. Safe for
// concurrent use.
type Client interface {
	// Sources returns a source for each of the surface's endpoints.
	Sources() []pipeline.Source
	// Close gives up idle connections.
	Close()
}

// Registry lists surfaces, of each vendor its default first.
type Registry []Surface

// Surface returns a vendor's surface of that name.
func (r Registry) Surface(vendor, name string) (s Surface, ok bool) {
	for _, s := range r {
		if s.Vendor == vendor && s.Name == name {
			return s, true
		}
	}
	return Surface{}, false
}

// Default reports whether a surface is its vendor's default.
func (r Registry) Default(s Surface) bool { return r.Surfaces(s.Vendor)[0] == s.Name }

// Vendors returns the names of the vendors.
func (r Registry) Vendors() (names []string) {
	for _, s := range r {
		if !slices.Contains(names, s.Vendor) {
			names = append(names, s.Vendor)
		}
	}
	return names
}

// Surfaces returns the names of a vendor's surfaces, its default first.
func (r Registry) Surfaces(vendor string) (names []string) {
	for _, s := range r {
		if s.Vendor == vendor {
			names = append(names, s.Name)
		}
	}
	return names
}

// Limits returns those of a surface.
func (r Registry) Limits(vendor, surface string) pipeline.Limits {
	s, _ := r.Surface(vendor, surface)
	return s.Limits
}

// Endpoints returns those of a surface.
func (r Registry) Endpoints(vendor, surface string) []*pipeline.Endpoint {
	if s, ok := r.Surface(vendor, surface); ok {
		return s.Endpoints()
	}
	return nil
}
