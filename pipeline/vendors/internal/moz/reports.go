// Package moz knows what Moz's reports are, whichever of its APIs delivers them: the parameters a job may set, what may
// not be combined, which table a report fills, what one request is about.
//
// Jobs speak the names of the Links API V2 on both surfaces, so that a job moves to the JSON-RPC successor by one line.
// What differs between the surfaces is not here: requests, paging, page sizes, prices and the shape of replies.
//
// Source of the facts, where no other is named: Moz's help pages "Links API V2, Making Calls". Parts of them were out
// of reach; what was filled in from Moz's JSON-RPC schemas or from other clients is marked so where it stands.
package moz

import (
	"backhaul/pipeline"
	"backhaul/schemas"
	"backhaul/schemas/canon"
)

// Vendor is the vendor's name in jobs, tables and reports.
const Vendor = "moz"

// reports are the makers of all facts, in the order of Names.
var reports = []func() pipeline.Endpoint{
	anchorText, links, linkingRootDomains, linkIntersect, linkStatus, finalRedirect,
	urlMetrics, topPages, globalTopPages, globalTopRootDomains, indexMetadata, usageData,
}

// Endpoint returns what both surfaces have in common about a report: all but Surface, PageSize, prices and the vendor
// document. It is the caller's own, to be completed. A name that is not among Names is a mistake in the program text, and panics.
func Endpoint(name string) pipeline.Endpoint {
	for _, facts := range reports {
		if e := facts(); e.Name == name {
			e.Vendor = Vendor
			e.Table = table(name)
			return e
		}
	}
	panic("moz: no report " + name)
}

// Names returns the names of all reports.
func Names() []string {
	var names []string
	for _, facts := range reports {
		names = append(names, facts().Name)
	}
	return names
}

func table(name string) *schemas.Table { return schemas.Lookup(Vendor + "." + name) }

// Scopes are how wide a target, or a source, is taken: the one page, the host, the registrable domain.
var Scopes = []string{"page", "subdomain", "root_domain"}

// means is the part of a target that a scope looks at. Source: Moz, the scopes of its targets.
func means(target, scope string) string {
	switch scope {
	case "subdomain":
		return canon.HostOf(target)
	case "root_domain":
		return canon.RootDomainOf(target)
	}
	return target
}

func scopeParam(name string) pipeline.Param {
	return pipeline.Param{Name: name, Type: pipeline.ParamEnum, Values: Scopes, Meaning: "how wide the target is taken: the page, its host, its root domain; Moz's default is page"}
}
