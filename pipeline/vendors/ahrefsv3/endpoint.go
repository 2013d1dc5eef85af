package ahrefsv3

import (
	"fmt"
	"strings"
	"sync"

	"backhaul/pipeline"
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
		e.ScopeParam, e.DefaultScope = "mode", defaultMode
	}
	switch {
	case r.Kind == List:
		e.PageSize, e.MaxLimit, e.Once = pageSize, maxLimit, false
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

// Endpoints returns the facts about every endpoint. They are shared and must not be changed.
func Endpoints() []*pipeline.Endpoint {
	var all []*pipeline.Endpoint
	for _, l := range listings() {
		all = append(all, l.endpoint)
	}
	return all
}

// Tariff says in one line what a task's request is charged, for people: "anchors: 15 units a row (links_to_target 1, …), at
// least 50 a request".
func Tariff(t pipeline.Task) (string, error) {
	_, name, _ := strings.Cut(t.Endpoint, "/")
	r := Lookup(name)
	if r == nil {
		return "", fmt.Errorf("ahrefs has no report %q on surface v3", name)
	}
	rule, err := r.PriceOf(t, pipeline.Ask{})
	switch {
	case err != nil:
		return "", err
	case rule.Free:
		return r.Name + ": free", nil
	}
	return fmt.Sprintf("%s: %d units a row%s, at least %d a request", r.Name, rule.PerRow, r.dear(t), rule.Least), nil
}

// dear names the fields that cost more than a unit, where the request chooses its fields.
func (r *Report) dear(t pipeline.Task) string {
	if r.Kind != List {
		return ""
	}
	q, err := r.ask(t)
	if err != nil {
		return ""
	}
	var out []string
	for _, name := range q.sel {
		if f := r.Field(name); f.Units > 1 {
			out = append(out, fmt.Sprintf("%s %d", f.Name, f.Units))
		}
	}
	if len(out) == 0 {
		return ""
	}
	return " (of them " + strings.Join(out, ", ") + ")"
}
