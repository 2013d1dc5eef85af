// Package ahrefsv2 buys from servers that speak Ahrefs' API v2 and reads its replies, archived ones too: one
// [pipeline.Source] per endpoint. Ahrefs shut the API down on 2025-11-01; gateways that still speak it, and archives of its
// replies, remain.
//
// It owns what is known offline of v2's tables (columns, the clauses that may use them, what a request costs in rows of the
// plan), the requests, and the meaning of refusals: they come with status 200, and as every request has a price and no document
// says that a refused one has none, they count as maybe charged. The tables that rows go to are those of v3, and jobs name columns as
// v3 does, so that a job moves to the successor by one line: which member of v2 is which column of v3 is declared per
// endpoint, and so is which table of v2 is which report of v3. Everything else is the same for all.
//
// Source of the columns: Ahrefs' PHP client and the Node client, which agree where both list a table; they describe
// about 2013 to 2022, and later replies have more columns. Source of the prices: Ahrefs, API v2 documentation.
package ahrefsv2

// Type is the type of a column.
type Type uint8

// The types of columns. Dates are written 2013-08-08T19:04:00Z in replies and "2013-08-08" in filters.
const (
	String Type = iota
	Integer
	Date
	Boolean
)

// Use says which clauses may name a column.
type Use uint8

// The clauses: where filters rows before they are grouped, having the result.
const (
	Where Use = 1 << iota
	Having
)

// Column is a column of a table.
type Column struct {
	Name string
	Type Type
	// Use is a sum of clauses. Default none.
	Use Use
}

// Table is one table, `from` in a request.
type Table struct {
	Name string
	// Envelope is the member of the reply that holds the rows, or the object. Default: not known.
	Envelope string
	// Columns are those known. Default: none are.
	Columns []Column
	cost    cost
}

// The tables of which only the names are known.
var (
	linkedDomainsByType = &Table{Name: "linked_domains_by_type", cost: ordinary}
	pagesInfo           = &Table{Name: "pages_info", cost: ordinary}
	positionsMetrics    = &Table{Name: "positions_metrics", Envelope: "metrics", cost: ordinary}
)

var tables = []*Table{
	ahrefsRank, anchors, anchorsRefdomains, backlinks, backlinksNewLost, backlinksNewLostCounters, backlinksOnePerDomain,
	brokenBacklinks, brokenLinks, domainRating, linkedAnchors, linkedDomains, linkedDomainsByType, metrics, metricsExtended,
	pages, pagesExtended, pagesInfo, positionsMetrics, refdomains, refdomainsByType, refdomainsNewLost,
	refdomainsNewLostCounters, refips, subscriptionInfo,
}

// Column returns the column of that name, or nil.
func (t *Table) Column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}
