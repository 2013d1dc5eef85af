package mozv2

import (
	"sync"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/moz"
	"backhaul/pipeline/vendors/internal/rows"
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
func list(name string, rules ...rows.Rule) *report {
	e := moz.Endpoint(name)
	e.Surface = surface
	e.PageSize, e.UnitsPerRow = pageSize, 1
	e.Source = "Moz Links API V2, " + e.Name
	return &report{endpoint: &e, layout: rows.Layout{List: "results", Token: "next_token"}, shape: rows.MustCompile(e.Table, rules...)}
}
