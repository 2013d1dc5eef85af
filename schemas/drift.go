package schemas

import (
	"cmp"
	"slices"
	"strings"
)

// DriftKind says how a vendor's rows differ from what their table expects.
type DriftKind string

// The kinds of drift.
const (
	NewField DriftKind = "new"      // the table has no column for the field; its values are in column extra
	Misfit   DriftKind = "misfit"   // the value does not fit the field's column, which is null; it is in column extra
	Vanished DriftKind = "vanished" // no row has the field, which earlier answers to the same question had
)

// Drift is one field of a vendor's rows that differs from what their table expects.
type Drift struct {
	// Field is its name in the reply, those of the objects around it before it, joined by dots.
	Field string
	Kind  DriftKind
	Rows  int64
	// Example is one of its values, as JSON, cut where it is long. "" for a field that vanished.
	Example string
}

// FieldError says which field of a vendor's row does not fit its column, and why.
type FieldError struct {
	Field   string
	Problem string // "missing", "want an integer, got null"
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

// stray is one field of one row that went to extra.
type stray struct {
	field string
	kind  DriftKind
	value []byte
}

// Has says that the vendor's row has the field that the column is read from, be it null.
func (r *Row) Has(i int, field string) { r.fields[i] = field }

// Stray says that a field of the vendor's row is kept in extra, and why. The value is kept until the row is appended.
func (r *Row) Stray(field string, kind DriftKind, value []byte) {
	r.strays = append(r.strays, stray{field, kind, value})
}

// mostExample bounds the examples of drift.
const mostExample = 500

// drift adds up what rows say of their fields.
type drift struct {
	fields []string // by column: the field it is read from, "" if no row had it
	strays map[strayKey]*Drift
}

type strayKey struct {
	field string
	kind  DriftKind
}

func (d *drift) add(r *Row) {
	for i, field := range r.fields {
		if field != "" {
			d.fields[i] = field
		}
	}
	for _, s := range r.strays {
		d.stray(s)
	}
}

func (d *drift) stray(s stray) {
	key := strayKey{s.field, s.kind}
	one, known := d.strays[key]
	if !known {
		if d.strays == nil {
			d.strays = map[strayKey]*Drift{}
		}
		one = &Drift{Field: s.field, Kind: s.kind, Example: clip(string(s.value))}
		d.strays[key] = one
	}
	one.Rows++
}

// clip bounds an example, without cutting a character in two.
func clip(s string) string {
	if len(s) <= mostExample {
		return s
	}
	return strings.ToValidUTF8(s[:mostExample], "") + "…"
}

// Drift returns what the rows appended since the last call have that their table does not expect, by field, and forgets it.
func (b *Builder) Drift() []Drift {
	all := make([]Drift, 0, len(b.drift.strays))
	for _, d := range b.drift.strays {
		all = append(all, *d)
	}
	clear(b.drift.strays)
	slices.SortFunc(all, func(x, y Drift) int { return cmp.Or(cmp.Compare(x.Field, y.Field), cmp.Compare(x.Kind, y.Kind)) })
	return all
}

// Fields returns the fields that some row appended since the last call had and a column is read from, and forgets them.
func (b *Builder) Fields() []string {
	var all []string
	for _, field := range b.drift.fields {
		if field != "" {
			all = append(all, field)
		}
	}
	clear(b.drift.fields)
	return all
}
