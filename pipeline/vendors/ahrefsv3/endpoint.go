package ahrefsv3

import (
	"sync"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/ahrefs"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/schemas"
)

const (
	vendor  = "ahrefs"
	surface = "v3"
)

// listing is a report with what buying and reading it needs.
type listing struct {
	*Report
	endpoint *pipeline.Endpoint
	layout   rows.Layout
	shape    *rows.Shape
}

var listings = sync.OnceValue(func() []*listing {
	var all []*listing
	for _, r := range reports {
		all = append(all, r.listing())
	}
	return all
})

func (r *Report) listing() *listing {
	table := tableOf(r.Name)
	e := &pipeline.Endpoint{
		Vendor: vendor, Surface: surface, Name: r.Name, Table: table, Params: r.params(), Price: r.PriceOf,
		PageSize: 1, Once: true, Meaning: r.Meaning, Source: table.Source,
	}
	if r.scoped() {
		e.ScopeParam, e.DefaultScope, e.Means = "mode", defaultMode, ahrefs.Means
		e.CountOf = r.countOf
	}
	switch {
	case r.Kind == List:
		e.PageSize, e.MaxLimit, e.Once, e.Worst = pageSize, maxLimit, false, r.worst
	case r.Kind == Batch:
		e.Asks, e.PageSize, e.Once = pipeline.AboutTargets, maxTargets, false
	case r.Kind == Series:
		e.PageSize = pageSize // as many as the period has: see Price
	case r == limitsAndUsage:
		e.Asks = pipeline.AboutNothing
	}
	var rules []rows.Rule
	for _, c := range table.Own {
		switch {
		case c.Price == 0:
			rules = append(rules, rows.Rule{Column: c.Name}) // v2's
		case c.Format == schemas.FormatJSON:
			rules = append(rules, rows.Rule{Column: c.Name, Path: c.Name, Raw: true})
		}
	}
	return &listing{Report: r, endpoint: e, layout: rows.Layout{List: r.Envelope, One: r.Kind == Single}, shape: rows.MustCompile(table, rules...)}
}

// worst is the most that so many rows cost where every page is cut to the lowest cap known, each brings a row again, and
// each is probed before: unless whole groups of equal rows have to be read by a finer order, which no rule bounds.
func (r *Report) worst(t pipeline.Task, at pipeline.Cursor, rows int64) (pages int64, units pipeline.Units) {
	rule, err := r.PriceOf(t, pipeline.Ask{Cursor: at})
	if err != nil {
		return 0, 0 // it will not be sent
	}
	fresh := int64(leastCap - 1)
	pages = max(1, (max(rows, 0)+fresh-1)/fresh)
	if rule.Free {
		return pages, 0
	}
	return 2*pages - 1, rule.PerRow*pipeline.Units(rows+pages) + rule.Least*pipeline.Units(pages)
}
