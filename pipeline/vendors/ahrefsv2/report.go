package ahrefsv2

import (
	"slices"
	"strings"
	"sync"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/ahrefs"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/schemas"
)

// report is the declaration of one endpoint: the rows of which tables of API v2 go to which table of ours.
type report struct {
	endpoint *pipeline.Endpoint
	// tables are those of v2 whose rows have the shape of endpoint.Table, by the value of the parameter choice; the first is
	// the default, and with choice "" the only one.
	choice string
	tables []variant
	// aliases are the members of v2's rows that have another name with us.
	aliases []alias
	// one: the reply is one object, not a list.
	one   bool
	shape *rows.Shape
	also  []side
	// types are those of v2's members, for replies that do not show them.
	types map[string]schemas.Type
}

// variant is a table of v2, and the word that chooses it.
type variant struct {
	value string
	*Table
}

// alias is a column as v3 and we call it, and the member of v2's rows it is read from, "" if none although one is called
// so. Source: the descriptions of both APIs side by side; no list of Ahrefs' own was found.
type alias struct{ column, member string }

// side is a table that is filled from a member of the reply beside its rows: an object that stands on every page.
type side struct {
	member string
	table  *schemas.Table
	shape  *rows.Shape
}

// reports are the endpoints, in the order they are listed.
var reports = sync.OnceValue(func() []*report {
	var all []*report
	for _, d := range declarations() {
		all = append(all, d.complete())
	}
	return all
})

// complete fills in what is the same for all.
func (r *report) complete() *report {
	e := r.endpoint
	e.Vendor, e.Surface = vendor, surface
	e.Table = schemas.Lookup(vendor + "." + e.Name)
	e.Source = "Ahrefs API v2, " + r.tables[0].Name
	e.ScopeParam, e.DefaultScope, e.Means = "mode", "subdomains", ahrefs.Means
	e.Price = r.price
	e.PageSize, e.MaxLimit = DefaultRows, mostRows
	if r.one {
		e.PageSize, e.MaxLimit, e.Once = 1, 1, true
	}
	e.Params = r.params()
	r.shape = rows.MustCompile(e.Table, r.rules()...)
	for i := range r.also {
		s := &r.also[i]
		s.shape = rows.MustCompile(s.table, r.rules()...)
		e.Also = append(e.Also, s.table)
	}
	r.types = r.memberTypes()
	return r
}

func (r *report) rules() []rows.Rule {
	var rules []rows.Rule
	for _, a := range r.aliases {
		rules = append(rules, rows.Rule{Column: a.column, Path: a.member})
	}
	return rules
}

// member returns what v2 calls a column of ours; without an alias, the same.
func (r *report) member(column string) string {
	for _, a := range r.aliases {
		if a.column == column {
			return a.member
		}
	}
	return column
}

// column returns what we call a member of v2's rows.
func (r *report) column(member string) string {
	for _, a := range r.aliases {
		if a.member == member {
			return a.column
		}
	}
	return member
}

// isOurs says whether a name that v2 has for one thing is ours for another.
func (r *report) isOurs(name string) bool {
	return slices.ContainsFunc(r.aliases, func(a alias) bool { return a.column == name })
}

// table returns the table of v2 that a value of the choosing parameter stands for, "" for the default.
func (r *report) table(value string) *Table {
	for _, v := range r.tables {
		if v.value == value || value == "" {
			return v.Table
		}
	}
	return nil
}

// selectable are the columns that `select` takes, under our names: what v2 can filter the result by, what it does not
// filter by at all, and what only later replies have. What it filters by before grouping alone is not in its replies.
// Source: inferred from the flags and the replies of anchors and refdomains.
func (r *report) selectable() []string {
	var names []string
	for _, v := range r.tables {
		for _, c := range v.Columns {
			if c.Use != Where {
				names = append(names, r.column(c.Name))
			}
		}
	}
	for _, a := range r.aliases {
		if a.member != "" && !slices.ContainsFunc(r.tables, func(v variant) bool { return v.Column(a.member) != nil }) {
			names = append(names, a.column)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// memberTypes gives every member of a row that is known a type: that of the column it goes to, else that of Ahrefs' old
// clients.
func (r *report) memberTypes() map[string]schemas.Type {
	types := map[string]schemas.Type{}
	for _, v := range r.tables {
		for _, c := range v.Columns {
			types[c.Name] = map[Type]schemas.Type{String: schemas.String, Integer: schemas.Int64, Date: schemas.String, Boolean: schemas.Bool}[c.Type]
		}
	}
	for _, t := range r.endpoint.Tables() {
		for _, c := range t.Own {
			types[r.member(c.Name)] = c.Type
		}
	}
	return types
}

// EndpointOf returns the name of the endpoint that reads a table of v2: anchors, all_backlinks for backlinks. "" if none
// does.
func EndpointOf(table string) string {
	for _, r := range reports() {
		for _, v := range r.tables {
			if v.Name == table {
				return r.endpoint.Name
			}
		}
	}
	return ""
}

func join(names []string) string { return strings.Join(names, ", ") }
