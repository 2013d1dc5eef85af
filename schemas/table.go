package schemas

import (
	"fmt"
	"slices"
	"sort"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/zeebo/xxh3"
)

// Type is the type of a column, named after what analysts see in SQL.
type Type uint8

// The types columns have. Dates are days, timestamps are microseconds in UTC without a zone.
const (
	String Type = iota
	Bool
	Int32
	Int64
	Float64
	Date
	Timestamp
	Strings // list of strings
	Int32s  // list of 32-bit integers
	Dates   // list of dates
)

var types = map[Type]struct {
	sql   string
	arrow arrow.DataType
}{
	String:    {"VARCHAR", arrow.BinaryTypes.String},
	Bool:      {"BOOLEAN", arrow.FixedWidthTypes.Boolean},
	Int32:     {"INTEGER", arrow.PrimitiveTypes.Int32},
	Int64:     {"BIGINT", arrow.PrimitiveTypes.Int64},
	Float64:   {"DOUBLE", arrow.PrimitiveTypes.Float64},
	Date:      {"DATE", arrow.FixedWidthTypes.Date32},
	Timestamp: {"TIMESTAMP", &arrow.TimestampType{Unit: arrow.Microsecond}},
	Strings:   {"VARCHAR[]", arrow.ListOf(arrow.BinaryTypes.String)},
	Int32s:    {"INTEGER[]", arrow.ListOf(arrow.PrimitiveTypes.Int32)},
	Dates:     {"DATE[]", arrow.ListOf(arrow.FixedWidthTypes.Date32)},
}

// String returns the SQL name of the type: VARCHAR, BIGINT, DATE[], …
func (t Type) String() string { return types[t].sql }

// Arrow returns the Arrow type of the column.
func (t Type) Arrow() arrow.DataType { return types[t].arrow }

// List reports whether a value is a list.
func (t Type) List() bool { return t == Strings || t == Int32s || t == Dates }

// Format is what a text is.
type Format uint8

// The formats of texts.
const (
	FormatText Format = iota
	FormatURL
	FormatJSON // a value that has no columns of its own, as the vendor sends it
)

// Column is one column of a table.
type Column struct {
	Name string
	Type Type
	// Required columns are never null: a vendor row without the field is rejected. Default false.
	Required bool
	// NoValue is the vendor's spelling of "no value" ("", "-1", "0"), which becomes null. A date's "" and a
	// JSON null always do. Default none: the value is kept as it is.
	NoValue []string
	// Nullable: by the vendor's word the field may have no value. Only Ahrefs' documents say; where they do not, a column
	// that is not Required may be null for any reason.
	Nullable bool
	// Telling: null says something by itself ("live", "no redirect"), rather than that the value is not known, so that a value that
	// does not fit must not become null. Default false.
	Telling bool
	// Price is how many units naming the column adds to the price of a row. Default 0: rows are priced whole.
	Price int
	// From names the column of a user table whose canonical spelling, as it is sent to vendors, this one holds; null where that
	// is. Default "": the column holds what it was given.
	From string
	// Values are the words the column can have, by the vendor's document. Default: any.
	Values []string
	// Format says what the text of a String, or of each of Strings, is. Default FormatText.
	Format Format
	// Unit is what the number counts: rows, pages, root domains, percent. Default none.
	Unit string
	// Meaning is one line for people.
	Meaning string
	// Source names the vendor document or the part of this program the value comes from.
	Source string
}

// Table declares one table. Tables are immutable once declared and safe for concurrent use.
type Table struct {
	// Schema is the vendor (moz, ahrefs), "ops" for the program's own account of its runs, or "user" for tables that a job
	// brings along.
	Schema string
	Name   string
	// Meaning says what one row is.
	Meaning string
	// Source names the vendor document the table follows.
	Source string
	// Own columns come first, under the vendor's names.
	Own []Column
	// Key names the own columns that identify a row within its target; what remains equal under it is the
	// same row bought twice.
	Key []string
	// Coarse: a list may hold several rows that are equal under Key, links of one page with one text, say. Default: no two.
	Coarse bool
	// Bare: its files are not compressed. They are small, and nearly every question reads them: to unpack a page of a hundred bytes
	// takes a reader longer than to read ten thousand. Default: they are.
	Bare bool
	// Yearly: a file has a year's rows, and run_date is the first day of that year. Default: a run's, and its date.
	Yearly bool

	once    sync.Once
	columns []Column
	index   map[string]int
	arrow   *arrow.Schema
	runs    *arrow.Schema
}

// FullName returns schema and name, as SQL spells them: moz.anchor_text.
func (t *Table) FullName() string { return t.Schema + "." + t.Name }

// Vendor reports whether the table holds a vendor's rows and therefore carries the common columns.
func (t *Table) Vendor() bool {
	return t.Schema != opsSchema && t.Schema != userSchema && t.Schema != martsSchema
}

// Indexed reports whether rows of the table tell which index of the vendor they come from. Where the reply does not say so,
// it is what the vendor says of its index beside it.
func (t *Table) Indexed() bool {
	i := t.Index(colIndexID)
	return t.Vendor() && i >= 0 && !t.columns[i].Required
}

// Columns returns the own columns followed, for vendor tables, by the common ones.
func (t *Table) Columns() []Column {
	t.derive()
	return t.columns
}

// Index returns the position of a column in Columns, or -1.
func (t *Table) Index(name string) int {
	t.derive()
	if i, ok := t.index[name]; ok {
		return i
	}
	return -1
}

// Requires reports whether a value that does not fit the column costs the row. It does where null in its place would be false: in a
// required column, in one that rows are known by, and where null says something by itself. That a field of the latter is absent,
// because it was not asked for, is not a misfit.
func (t *Table) Requires(i int) bool {
	c := t.Columns()[i]
	return c.Required || c.Telling || slices.Contains(t.Key, c.Name)
}

// Arrow returns the Arrow schema of the table. Every field carries meaning, unit and source as metadata.
func (t *Table) Arrow() *arrow.Schema {
	t.derive()
	return t.arrow
}

// ArrowRuns returns Arrow with the columns run-end encoded that are OfPage: batches of this schema hold the same rows.
func (t *Table) ArrowRuns() *arrow.Schema {
	t.derive()
	return t.runs
}

// OfPage reports whether all rows of a page have the same value in the column: where they come from, but for the rank.
func (t *Table) OfPage(i int) bool {
	at := i - len(t.Own)
	return t.Vendor() && at >= 0 && at != rankAt && at != extraAt
}

func (t *Table) derive() {
	t.once.Do(func() {
		t.columns = append([]Column(nil), t.Own...)
		if t.Vendor() {
			t.columns = append(t.columns, common...)
		}
		t.index = make(map[string]int, len(t.columns))
		fields := make([]arrow.Field, len(t.columns))
		for i, c := range t.columns {
			if _, twice := t.index[c.Name]; twice {
				panic(fmt.Sprintf("schemas: %s declares %s twice", t.FullName(), c.Name))
			}
			t.index[c.Name] = i
			fields[i] = arrow.Field{Name: c.Name, Type: c.Type.Arrow(), Nullable: !c.Required, Metadata: c.metadata()}
		}
		md := arrow.NewMetadata([]string{"table", "meaning", "source"}, []string{t.FullName(), t.Meaning, t.Source})
		t.arrow = arrow.NewSchema(fields, &md)
		encoded := slices.Clone(fields)
		for i := range encoded {
			if t.OfPage(i) {
				encoded[i].Type = arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, fields[i].Type)
			}
		}
		t.runs = arrow.NewSchema(encoded, &md)
	})
}

func (c Column) metadata() arrow.Metadata {
	return arrow.NewMetadata([]string{"meaning", "unit", "source"}, []string{c.Meaning, c.Unit, c.Source})
}

// Fingerprint identifies the table's columns: their names, types and order, and which may be null.
func (t *Table) Fingerprint() string {
	h := xxh3.New()
	for _, c := range t.Columns() {
		_, _ = fmt.Fprintf(h, "%s %s %v\n", c.Name, c.Type, c.Required)
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// All returns every table, sorted by full name.
func All() []*Table {
	all := append([]*Table(nil), tables...)
	sort.Slice(all, func(i, j int) bool { return all[i].FullName() < all[j].FullName() })
	return all
}

// Lookup finds a table by its full name ("moz.anchor_text"), or nil.
func Lookup(fullName string) *Table {
	for _, t := range tables {
		if t.FullName() == fullName {
			return t
		}
	}
	return nil
}
