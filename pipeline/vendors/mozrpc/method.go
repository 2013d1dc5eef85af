package mozrpc

import (
	"sync"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/schemas"
)

// pageSize is the largest `offset.limit`; for the methods that end in multiple it is the batch that clients send, since
// Moz's schemas state no bound.
const pageSize = 50

// method is one method of the API: what a call is charged, where its result has the rows, and what becomes of them.
type method struct {
	// Name is as Moz's documents spell it, with hyphens: data.site.linking-domain.list.
	Name   string
	charge charge
	layout rows.Layout
	// needs is a member, by its path, without which a reply is not the method's. Default none: the layout says enough.
	needs string
	// load appends what a record has for one table, by the table's name.
	load map[string]loader
	// count is how many rows a record holds. Default: the elements of the list.
	count func(r record) int
}

// loader appends a record's rows of one table.
type loader func(r record, b *schemas.Builder) error

// The methods that ask about a single site where another asks about a batch (data.site.metrics.fetch,
// data.site.link.status.fetch) are not used: they cost the same, and answer a site without a record with 404, which
// counts towards Moz's penalty.
var methods = sync.OnceValue(func() map[string]*method {
	all := map[string]*method{}
	for _, m := range []*method{
		list("data.site.anchor-text.list", "anchor_text", "anchor_texts", rows.Rule{Column: "anchor_text", Path: "text"}),
		list("data.site.link.list", "links", "links", linkRules...),
		list("data.site.link.filter.anchor.text", "links", "links", linkRules...),
		list("data.site.link.filter.domain", "links", "links", linkRules...),
		list("data.site.linking-domain.list", "linking_root_domains", "linking_domains", linkingRules()...),
		list("data.site.linking-domain.filter.recently-gained", "linking_root_domains", "gained_linking_domains", linkingRules()...),
		list("data.site.linking-domain.filter.recently-lost", "linking_root_domains", "lost_linking_domains", linkingRules()...),
		list("data.site.top-page.list", "top_pages", "top_pages"),
		intersects(),
		statuses(),
		redirect(),
		metrics(),
		histories(),
		distributions(),
		global("data.global.top-page.list", "global_top_pages", "top_pages"),
		global("data.global.top-domain.list", "global_top_root_domains", "top_domains", topDomainRules()...),
		index(),
		quota(),
	} {
		all[m.Name] = m
	}
	return all
})

// list is a method that tells a list page by page, with one row of a table in each element.
func list(name, table, member string, rules ...rows.Rule) *method {
	return &method{
		Name: name, charge: perResult,
		layout: rows.Layout{List: "result." + member, Token: "result.offset.token"},
		load:   into(table, rules...),
	}
}

// one is a method whose result is a single object. needs is a member of it, which may be null.
func one(name string, charge charge, path, needs string) *method {
	m := &method{Name: name, charge: charge, layout: rows.Layout{List: path, One: true}}
	if needs != "" {
		m.needs = path + "." + needs
	}
	return m
}

// into loads every element of the list as a row of a table.
func into(table string, rules ...rows.Rule) map[string]loader {
	shape := rows.MustCompile(lookup(table), rules...)
	return map[string]loader{table: func(r record, b *schemas.Builder) error { return shape.Load(r.Reply, b) }}
}

func lookup(table string) *schemas.Table { return schemas.Lookup("moz." + table) }

// leftOver are the rules that no column takes these metrics of an object at a path, for tables that have only some.
func leftOver(path string, taken ...string) []rows.Rule {
	left := map[string]bool{}
	for _, name := range taken {
		left[name] = true
	}
	var rules []rows.Rule
	for _, name := range schemas.MozMetricNames() {
		if !left[name] {
			rules = append(rules, rows.Rule{Path: path + name})
		}
	}
	return rules
}

// charge makes the price of one call from the parameters that decide it.
type charge func(params) pipeline.Price

// perResult: 1 for each result returned. Sites of a batch that Moz has no record of come back as errors, which are not results.
func perResult(params) pipeline.Price { return pipeline.Price{PerRow: 1, MaxRows: pageSize} }

// perCall: 1 a call; nothing for the error 404, no record.
func perCall(params) pipeline.Price { return pipeline.Price{PerRequest: 1, MaxRows: 1} }

// free costs nothing.
func free(params) pipeline.Price { return pipeline.Price{Free: true, MaxRows: pageSize} }

// perItem: a result costs as much as there are items in both lists (V2: 5).
func perItem(p params) pipeline.Price {
	return pipeline.Price{PerRow: pipeline.Units(len(p.Positive) + len(p.Negative)), MaxRows: pageSize}
}

// perSeries: 1 for each series returned, of one site. The rows of a reply are its series.
func perSeries(p params) pipeline.Price { return pipeline.Price{PerRow: 1, MaxRows: p.series()} }

// price returns the rule by which one call is charged.
func (m *method) price(p params) pipeline.Price {
	price := m.charge(p)
	price.Source = "Moz JSON-RPC, " + m.Name + ", quota"
	return price
}
