package mozrpc

import (
	"fmt"
	"strings"
	"sync"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/moz"
)

// report is the declaration of one endpoint.
type report struct {
	endpoint *pipeline.Endpoint
	// ask says what the request at a place of a task asks. It is pure. An error means that there is no such request.
	ask func(t pipeline.Task, p params, ask pipeline.Ask) (question, error)
}

// question is one request, what it can cost, and what comes after it.
type question struct {
	call
	// charge is how Moz charges the call; most bounds it where that is known more closely.
	charge, most pipeline.Price
	// next says where the task goes on behind the record. An error means that the record does not fit the question. Default: a
	// list goes on by its token, see goesOn; all else ends.
	next func(r record) (place, error)
}

// place is where a task goes on, or that it does not.
type place struct {
	at  pipeline.Cursor
	end bool
}

// asks are the endpoints' ways to ask, by name, and what Moz documents them under.
var asks = map[string]struct {
	ask    func(pipeline.Task, params, pipeline.Ask) (question, error)
	source string
}{
	"anchor_text":             {askAnchorText, "data.site.anchor-text.list"},
	"links":                   {askLinks, "data.site.link.list, data.site.link.filter.*"},
	"linking_root_domains":    {askLinkingRootDomains, "data.site.linking-domain.*"},
	"link_intersect":          {askLinkIntersect, "data.site.link.intersect.fetch"},
	"link_status":             {askLinkStatus, "data.site.link.status.fetch.multiple"},
	"final_redirect":          {askFinalRedirect, "data.site.redirect.fetch"},
	"url_metrics":             {askURLMetrics, "data.site.metrics.*"},
	"top_pages":               {askTopPages, "data.site.top-page.list"},
	"global_top_pages":        {askGlobal("data.global.top-page.list"), "data.global.top-page.list"},
	"global_top_root_domains": {askGlobal("data.global.top-domain.list"), "data.global.top-domain.list"},
	"index_metadata":          {askOnce("metadata.index.fetch", data{}), "metadata.index.fetch"},
	"usage_data":              {askOnce("quota.lookup", data{Path: rowsQuota}), "quota.lookup"},
}

var reports = sync.OnceValue(func() []*report {
	var all []*report
	for _, name := range moz.Names() {
		e := moz.Endpoint(name)
		r := &report{endpoint: &e, ask: asks[name].ask}
		e.Surface, e.PageSize, e.UnitsPerRow = surface, pageSize, 1
		e.Source = "Moz JSON-RPC, " + asks[name].source
		e.Price = r.price
		switch {
		case name == "top_pages":
			e.Also = nil // histories are V2's
		case name == "url_metrics":
			e.Estimate = estimateURLMetrics
		case strings.HasPrefix(name, "global_"):
			e.Estimate = estimateGlobal
		case e.Once:
			e.PageSize = 1
		case !e.Asks.Batched():
			e.SteadySize = true // whether offset.limit may change between pages is not documented
		}
		restrict(&e)
		all = append(all, r)
	}
	return all
})

// question asks at a place, or says why that cannot be.
func (r *report) question(t pipeline.Task, ask pipeline.Ask) (question, error) {
	p, err := parse(t.Params)
	if err == nil {
		err = p.check(r.endpoint.Name)
	}
	if err != nil {
		return question{}, fmt.Errorf("%s: %w", r.endpoint, err)
	}
	q, err := r.ask(t, p, ask)
	if err != nil {
		return q, fmt.Errorf("%s: %w", r.endpoint, err)
	}
	q.charge = q.method.price(p)
	if q.most == (pipeline.Price{}) {
		q.most = q.charge
	}
	q.most.Source = q.charge.Source
	return q, nil
}

// price is what the request at a place can cost. Each call is charged by its own method.
func (r *report) price(t pipeline.Task, ask pipeline.Ask) (pipeline.Price, error) {
	if r.endpoint.Asks.Batched() && t.Inputs == nil && ask.Cursor == "" {
		return r.each(t)
	}
	q, err := r.question(t, ask)
	return q.most, err
}

// each is what one input of a batch costs, in all the calls that answer it, where the batch is not known yet.
func (r *report) each(t pipeline.Task) (pipeline.Price, error) {
	p, err := parse(t.Params)
	if err == nil {
		err = p.check(r.endpoint.Name)
	}
	if err != nil {
		return pipeline.Price{}, fmt.Errorf("%s: %w", r.endpoint, err)
	}
	one := pipeline.Price{PerRow: 1, MaxRows: pageSize, Source: r.endpoint.Source}
	if r.endpoint.Name == "url_metrics" {
		_, one.PerRow = stage{Phase: phaseMetrics}.cost(p, 1)
	}
	return one, nil
}

// askAbout makes a question of a method by its name.
func askAbout(method string, d data) question {
	return question{call: call{method: methods()[method], data: d, paged: d.Offset != nil && d.Offset.Token != nil}}
}

// askOnce asks the same whatever the task.
func askOnce(method string, d data) func(pipeline.Task, params, pipeline.Ask) (question, error) {
	return func(pipeline.Task, params, pipeline.Ask) (question, error) { return askAbout(method, d), nil }
}
