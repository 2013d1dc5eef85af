package ahrefsv3

import "backhaul/pipeline"

// Kind is what a report answers with, which is what bounds its rows.
type Kind uint8

// The kinds of reports.
const (
	List   Kind = iota // rows, as many as limit asks for
	Series             // a row for each date of a period
	Single             // one object
	Batch              // a row for each of the targets sent
)

// Type is the type of a field, as Ahrefs declares it.
type Type uint8

// The types of fields.
const (
	String   Type = iota
	URL           // string, format url
	Date          // string, format date
	DateTime      // string, format date-time
	Integer
	Float
	Boolean
	Strings  // array of strings
	URLs     // array of strings, format url
	Integers // array of integers
	Pairs    // array of arrays: today one [country, traffic]
)

// Field is a column of a report, or something its links can be filtered by.
type Field struct {
	Name     string
	Type     Type
	Nullable bool
	// Units is what naming the field adds to the price of each row, once per request: in `select`, `where` or `order_by`.
	Units pipeline.Units
	// Values are the words the field can have. Default: any.
	Values  []string
	Meaning string
}

// Report is what is known offline about one report.
type Report struct {
	Name     string // all_backlinks, as in ahrefs.all_backlinks
	Path     string // below /v3/: site-explorer/all-backlinks
	Envelope string // the member of the reply that holds the rows, or the object
	Kind     Kind
	Meaning  string
	// Free reports cost nothing.
	Free bool
	// Fields are what a reply can hold. A List and a Batch reply with the fields of `select`, others with all.
	Fields []Field
	// Filters are the fields only `where` takes, besides Fields. Only a List has `where`.
	Filters []Field
	// Unordered are the Fields that `order_by` does not take.
	Unordered []string
	// Key are the fields that tell the rows of a List apart; Unique, that no two rows share them, which the documents imply
	// of a report that groups links by one field. They are always selected.
	Key    []string
	Unique bool
	// Ranks are whole numbers that say how much a row matters, the first first. Since says when it was first seen.
	Ranks []string
	Since string
	// History: the list can have lost links, by the parameter history.
	History bool
	// Grouped links can be asked for one by one: by the parameter aggregation.
	Grouped bool
}

var reports = []*Report{
	anchors, allBacklinks, brokenBacklinks, refdomains, linkeddomains, linkedAnchorsExternal, pagesByBacklinks,
	domainRating, backlinksStats, outlinksStats, refdomainsHistory, domainRatingHistory, batchAnalysis, limitsAndUsage,
}

// Field returns what a reply can hold under that name, or nil.
func (r *Report) Field(name string) *Field { return find(r.Fields, name) }

// Filter returns what `where` takes under that name, or nil.
func (r *Report) Filter(name string) *Field {
	if r.Kind != List {
		return nil
	}
	if f := find(r.Fields, name); f != nil {
		return f
	}
	return find(r.Filters, name)
}

// Selects says whether the request names the fields it wants.
func (r *Report) Selects() bool { return r.Kind == List || r.Kind == Batch }

func find(fields []Field, name string) *Field {
	for i := range fields {
		if fields[i].Name == name {
			return &fields[i]
		}
	}
	return nil
}
