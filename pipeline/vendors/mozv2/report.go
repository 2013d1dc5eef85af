package mozv2

import (
	"errors"
	"fmt"
	"sync"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/moz"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/pipeline/vendors/internal/wire"
	"backhaul/schemas"
)

// report is the declaration of one endpoint. Its zero fields are right for a list about one target whose rows go to one table.
type report struct {
	endpoint *pipeline.Endpoint
	layout   rows.Layout
	// shape is how rows are read. Default: load reads them otherwise.
	shape *rows.Shape
	// about is the parameter that names the target of an endpoint about one. Default target.
	about string
	// defaults are parameters that are always sent, beside the scope, with Moz's own default. Default none.
	defaults map[string]string
	// empty maps parameters for which Moz does not take "" to what it takes instead. Default none.
	empty map[string]string
	// needs is a member without which a reply is not the endpoint's. Default none: the layout says enough.
	needs string
	// fits finds fault with a reply that does not answer its request: where it is shorter, say, than what was asked.
	// Default: there is none to find.
	fits func(p pipeline.Page, reply rows.Reply) error
	// load appends the rows of a reply that fits to the builder, which is of one of the endpoint's tables. Default: by shape.
	load func(p pipeline.Page, reply rows.Reply, b *schemas.Builder) error
}

var reports = sync.OnceValue(func() []*report {
	return []*report{
		anchorText(), links(), linkingRootDomains(), linkIntersect(), linkStatus(), finalRedirect(),
		urlMetrics(), topPages(), globalTopPages(), globalTopRootDomains(), indexMetadata(), usageData(),
	}
})

// list declares an endpoint whose replies are pages of a list. rules say where columns are read from that are not members
// of a row under their own names.
func list(name string, rules ...rows.Rule) *report {
	r := declare(name, pageSize, rows.Layout{List: "results", Token: "next_token"})
	// Moz: "send the same request again" with the token. Whether limit may change between pages is not documented.
	r.endpoint.SteadySize = true
	r.shape = rows.MustCompile(r.endpoint.Table, rules...)
	return r
}

// batch declares an endpoint that answers for each of a batch of targets or sources, in a list of that name.
func batch(name, answers string) *report {
	r := declare(name, pageSize, rows.Layout{List: answers})
	r.endpoint.Estimate = r.estimate
	return r
}

// single declares an endpoint whose reply is one object, which has the member needs if it is one at all.
func single(name, needs string, rules ...rows.Rule) *report {
	r := declare(name, 1, rows.Layout{One: true})
	r.needs = needs
	r.shape = rows.MustCompile(r.endpoint.Table, rules...)
	return r
}

func declare(name string, size int, layout rows.Layout) *report {
	e := moz.Endpoint(name)
	e.Surface = surface
	e.Source = "Moz Links API V2, " + name
	e.PageSize = size
	r := &report{endpoint: &e, layout: layout}
	e.Price = r.price
	return r
}

// content is how much of what the endpoint is asked for a reply has.
func (r *report) content(reply rows.Reply) wire.Content {
	switch {
	case r.needs != "":
		return wire.ContentOf(reply.Member(r.needs))
	case reply.Count == 0:
		return wire.Nothing
	}
	return wire.Rows
}

// check checks a reply and that it answers the page's request.
func (r *report) check(p pipeline.Page) (rows.Reply, error) {
	reply, err := rows.Scan(p.Body, r.layout)
	switch {
	case err != nil:
		return reply, err
	case r.needs != "" && reply.Member(r.needs) == nil:
		return reply, fmt.Errorf("%s: missing", r.needs)
	case r.fits != nil:
		if err := r.fits(p, reply); err != nil {
			return reply, misfit{err}
		}
	}
	return reply, nil
}

// misfit is what is wrong with a reply that is the endpoint's, but does not answer the request.
type misfit struct{ error }

// fill appends the rows of a reply to the builder.
func (r *report) fill(p pipeline.Page, reply rows.Reply, b *schemas.Builder) error {
	if r.load == nil {
		return r.shape.Load(reply, b)
	}
	for _, t := range r.endpoint.Tables() {
		if b.Table() == t {
			return r.load(p, reply, b)
		}
	}
	return errors.New("its rows cannot go to " + b.Table().FullName())
}
