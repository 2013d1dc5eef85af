package mozv2

import (
	"sync"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/schemas"
)

// report is the declaration of one endpoint that returns a list.
type report struct {
	endpoint *pipeline.Endpoint
	layout   rows.Layout
	shape    *rows.Shape
	// empty maps parameters for which Moz does not take "" to what it takes instead. Default none.
	empty map[string]string
}

var reports = sync.OnceValue(func() []*report {
	return []*report{anchorText(), links(), linkingRootDomains()}
})

// list completes the declaration of an endpoint with paging and one unit, a row of the plan, per row returned: Moz
// names url_metrics, link_intersect and link_status as the only weighted ones. rules say where columns are read from
// that are not members of a row under their own names.
func list(e *pipeline.Endpoint, rules ...rows.Rule) *report {
	e.Vendor, e.Surface = vendor, surface
	e.Table = schemas.Lookup(vendor + "." + e.Name)
	e.PageSize, e.UnitsPerRow = pageSize, 1
	e.Source = "Moz Links API V2, " + e.Name
	return &report{endpoint: e, layout: rows.Layout{List: "results", Token: "next_token"}, shape: rows.MustCompile(e.Table, rules...)}
}

// scopes are how wide a target, or a source, is taken: the one page, the host, the registrable domain.
var scopes = []string{"page", "subdomain", "root_domain"}

func scopeParam(name string) pipeline.Param {
	return pipeline.Param{Name: name, Type: pipeline.ParamEnum, Values: scopes, Meaning: "how wide the target is taken: the page, its host, its root domain; Moz's default is page"}
}
