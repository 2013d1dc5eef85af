package jobs

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Expectation is what an extract, or a table, is to bring each night. A bound that is nil does not bind.
type Expectation struct {
	// Place is where the spec defines it.
	Place
	// Extract or Table, like moz.links or marts.campaign, is what it is about; the other is "".
	Extract, Table string
	// Where is the condition, in SQL, of the rows of a mart that are counted. Default all.
	Where string
	// MaxChange is in percent of the rows of the last whole night, MaxDrift in fields, the others in rows and units.
	MinRows, MaxRows, MaxChange, MaxRejected, MaxDrift, MaxUnits *int64
	// Freshness is how old the last whole night of a list may be. Default 0: any age.
	Freshness time.Duration
	// Hold keeps its tables from being published while it is breached. Default false: that is only told.
	Hold bool
}

// martPrefix is the schema of the marts, mart what their names are like.
const martPrefix = "marts."

var mart = regexp.MustCompile(`^marts\.\w+$`)

// IsMart reports whether it is about a mart, which is worked out once the night is published.
func (e *Expectation) IsMart() bool { return strings.HasPrefix(e.Table, martPrefix) }

// Query is what counts the rows of a mart; "" for what is not a mart.
func (e *Expectation) Query() string {
	if !e.IsMart() {
		return ""
	}
	query := "SELECT count(*) FROM " + e.Table
	if e.Where != "" {
		query += " WHERE (" + e.Where + "\n)"
	}
	return query
}

// What is done on a breach.
const (
	warnOnBreach = "warn"
	holdOnBreach = "hold"
)

// checkKeys are the keys of an expectation that set a bound.
var checkKeys = []string{"rows", "change", "rejected_rows", "drift", "units", "freshness"}

func (l *loader) expectations(n *node) (all []Expectation) {
	for _, item := range l.entries(n, "expect", "extract: NAME") {
		all = append(all, l.expectation(item))
	}
	return all
}

func (l *loader) expectation(n *node) Expectation {
	f := l.section(n, "an entry of expect", expectKeys)
	e := Expectation{Place: n.Place}
	l.expectedOf(&e, n, f)
	e.MinRows, e.MaxRows = l.limit(f, "rows", "min"), l.limit(f, "rows", "max")
	e.MaxChange, e.MaxRejected, e.MaxDrift, e.MaxUnits = l.limit(f, "change", "max_percent"), l.limit(f, "rejected_rows", "max"), l.limit(f, "drift", "max"), l.limit(f, "units", "max")
	for _, key := range []string{"rows", "change", "rejected_rows", "drift", "units"} {
		l.section(f[key].value, key, boundKeys[key])
		if v := f[key].value; v != nil && v.kind == mapping && len(v.fields) == 0 {
			l.errorf(v.Place, "%s sets no bound: it takes %s", key, join(namesOf(boundKeys[key])))
		}
	}
	if e.MinRows != nil && e.MaxRows != nil && *e.MinRows > *e.MaxRows {
		l.errorf(f["rows"].Place, "rows has a min above its max")
	}
	e.Freshness = l.period(f["freshness"].value, "freshness")
	if v := f["on_breach"].value; v != nil {
		word, _ := l.word(v, "on_breach", []string{warnOnBreach, holdOnBreach})
		e.Hold = word == holdOnBreach
	}
	l.expectedOfMart(&e, f)
	if n.kind == mapping && !slices.ContainsFunc(checkKeys, n.has) {
		l.errorf(n.Place, "an entry of expect expects nothing: add one of %s", join(checkKeys))
	}
	return e
}

// expectedOf reads what an expectation is about: an extract of the job, a table that one of them fills, or a mart.
func (l *loader) expectedOf(e *Expectation, n *node, f fields) {
	extract, table := f["extract"], f["table"]
	if v := table.value; v != nil && v.kind == text && mart.MatchString(v.text) {
		e.Table = v.text
	}
	var names, tables []string
	for _, x := range l.spec.Extracts {
		names = append(names, x.Name)
		if x.Endpoint != nil && x.Endpoint.Table != nil {
			tables = append(tables, x.Endpoint.Table.FullName())
		}
	}
	switch {
	case extract.value != nil && table.value != nil:
		l.errorf(table.Place, "an entry of expect has extract and table: make it two entries")
	case extract.value != nil:
		e.Extract, _ = l.word(extract.value, "extract", names)
	case e.IsMart():
	case table.value != nil:
		e.Table, _ = l.word(table.value, "table", slices.Compact(slices.Sorted(slices.Values(tables))))
	case n.kind == mapping && !n.has("extract") && !n.has("table"):
		l.errorf(n.Place, "an entry of expect does not say what it is about: add extract: NAME, or table: VENDOR.NAME")
	}
}

// expectedOfMart reads what only marts have, and refuses what they do not.
func (l *loader) expectedOfMart(e *Expectation, f fields) {
	where := f["where"].value
	if where != nil {
		e.Where, _ = l.str(where, "where")
	}
	switch {
	case !e.IsMart() && where != nil:
		l.errorf(where.Place, "where counts rows of a mart: it goes with table: %sNAME", martPrefix)
	case e.IsMart() && e.Hold:
		l.errorf(f["on_breach"].Place, "a mart is worked out from what is published, and holds nothing back: its on_breach is %s", warnOnBreach)
	}
	for _, check := range checkKeys {
		if v := f[check]; e.IsMart() && check != "rows" && v.value != nil {
			l.errorf(v.Place, "%s is not known of a mart: it is expected to have rows", check)
		}
	}
}

// limit returns one bound of a check, nil if there is none.
func (l *loader) limit(f fields, check, key string) *int64 {
	n := f[check].value
	if n == nil || n.kind != mapping {
		return nil
	}
	for _, bound := range n.fields {
		if bound.key == key && bound.value.kind != null {
			if v, ok := l.integer(bound.value, key+" of "+check, 0, math.MaxInt64); ok {
				return &v
			}
		}
	}
	return nil
}
