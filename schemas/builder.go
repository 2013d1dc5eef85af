package schemas

import (
	"cmp"
	"errors"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Origin is where the rows of one page come from: the values of the common columns that all its rows share.
type Origin struct {
	// Task is the id of the task that bought the page.
	Task          string
	Target        string // "" means the endpoint has none
	TargetAsGiven string
	// AsGiven are the spellings of a batch's targets, for About. Default none.
	AsGiven   map[string]string
	Scope     string
	Job       string
	Extract   string
	RunID     string
	RunDate   arrow.Date32
	Surface   string
	FetchedAt time.Time
	PageSeq   int32
	// IndexID is the vendor's index the page comes from, for tables that are Indexed. "" if it is not known.
	IndexID string
	// Rank is the rank the page's first row gets. Ranks count from 1.
	Rank int64
	// Most stops the page after so many rows, for a task that wants no more. Default 0: all.
	Most int64
	// Held drops the rows, rejected ones as well, that another reading of the list has brought. Default none.
	Held *Held
}

// Rejection is one vendor row that did not fit its table.
type Rejection struct {
	Table  string // full name of the table it was meant for
	Origin Origin
	Row    int    // place in the page, from 0
	JSON   []byte // as received
	// Field is the one that does not fit, "" where it is not one alone.
	Field  string
	Reason string
}

// Builder collects rows of one table into Arrow record batches, or only what identifies them. It is for one goroutine.
type Builder struct {
	table    *Table
	mem      memory.Allocator
	rb       *array.RecordBuilder // nil where only keys are wanted
	each     []int                // columns that every row has a value of its own in
	keys     *keys                // nil where rows are wanted
	visit    func(*Row)           // nil where rows are wanted
	own      int                  // columns before the common ones
	index    int                  // column index_id of a table that is Indexed, else -1
	origin   Origin
	runs     runs
	left     int64 // rows the page may still bring; -1 all
	rows     int
	appended int64
	row      Row
	drift    drift
	rejected []Rejection
}

// NewBuilder returns an empty builder. Release it when done.
func NewBuilder(mem memory.Allocator, t *Table) *Builder {
	b := newBuilder(t)
	b.mem, b.rb = mem, array.NewRecordBuilder(mem, t.ArrowRuns())
	for i := range t.columns {
		if t.OfPage(i) {
			b.runs.add(i, b.rb.Field(i).(*array.RunEndEncodedBuilder), t.columns[i].Type)
		} else {
			b.each = append(b.each, i)
		}
	}
	b.runs.page.values = make([]value, len(t.columns))
	return b
}

// NewKeys returns a builder that keeps of every row only what identifies it; see [Builder.Keys]. It needs no Release, and has
// no batches.
func NewKeys(t *Table) *Builder {
	b := newBuilder(t)
	b.keys = &keys{identity: identityOf(t)}
	return b
}

// NewVisitor returns a builder that shows every row to visit, which does not keep it, and collects none but those rejected. The
// common columns are not filled in. It needs no Release, and has no batches.
func NewVisitor(t *Table, visit func(*Row)) *Builder {
	b := newBuilder(t)
	b.visit = visit
	return b
}

func newBuilder(t *Table) *Builder {
	b := &Builder{table: t, own: len(t.Own), index: -1, left: -1}
	if t.Indexed() {
		b.index = t.Index(colIndexID)
	}
	b.row.values, b.row.fields, b.drift.fields = make([]value, len(t.Columns())), make([]string, len(t.Columns())), make([]string, len(t.Columns()))
	return b
}

// Table returns the table the builder collects rows of.
func (b *Builder) Table() *Table { return b.table }

// Begin says where the rows that follow come from. It must precede the rows of every page of a vendor table.
func (b *Builder) Begin(o Origin) {
	b.runs.end(&b.origin, b.own)
	b.origin = o
	b.left = o.Most
	if o.Most == 0 {
		b.left = -1
	}
}

// About says that the rows that follow are about another target than the page's, one of a batch: their ranks begin at 1.
// asGiven "" is what the origin says of it, else the target itself.
func (b *Builder) About(target, asGiven string) {
	if target != b.origin.Target {
		b.origin.Rank = 1
	}
	b.runs.end(&b.origin, b.own)
	if asGiven == "" {
		asGiven = cmp.Or(b.origin.AsGiven[target], target)
	}
	b.origin.Target, b.origin.TargetAsGiven = target, asGiven
}

// Origin returns where the rows of the page under way come from.
func (b *Builder) Origin() Origin { return b.origin }

// Row returns the scratch row, emptied: every column null. It is valid until the next call of Row.
func (b *Builder) Row() *Row {
	b.row.reset()
	return &b.row
}

// Full reports whether the page's task wants no further row.
func (b *Builder) Full() bool { return b.left == 0 }

// Append adds the scratch row. For vendor tables the common columns are the origin's, and the rank counts on.
func (b *Builder) Append() {
	if b.Full() || b.origin.Held != nil && b.origin.Held.drop(&b.row) {
		return
	}
	if b.left > 0 {
		b.left--
	}
	if b.keys != nil {
		b.keys.add(&b.row)
		return
	}
	if b.visit != nil {
		b.visit(&b.row)
		return
	}
	if b.table.Vendor() {
		b.row.SetInt(b.own+rankAt, b.origin.Rank)
		b.origin.Rank++
		b.runs.rows++
	}
	if b.index >= 0 && b.origin.IndexID != "" && b.row.Null(b.index) {
		b.row.SetString(b.index, b.origin.IndexID)
	}
	for _, i := range b.each {
		appendValue(b.rb.Field(i), b.table.columns[i].Type, &b.row.values[i])
	}
	b.drift.add(&b.row)
	b.rows++
	b.appended++
}

// fill sets the columns that are OfPage, of which the first stands at that place.
func (o *Origin) fill(row *Row, at int) {
	if o.Target != "" {
		row.SetString(at, o.Target)
		row.SetString(at+1, o.TargetAsGiven)
	}
	if o.Scope != "" {
		row.SetString(at+2, o.Scope)
	}
	row.SetString(at+4, o.Job)
	row.SetString(at+5, o.Extract)
	row.SetString(at+6, o.RunID)
	row.SetInt(at+7, int64(o.RunDate))
	row.SetString(at+8, o.Surface)
	row.SetInt(at+9, o.FetchedAt.UTC().UnixMicro())
	row.SetInt(at+10, int64(o.PageSeq))
}

// Reject records a row that does not fit; a [*FieldError] in why says which field it is. json is copied.
func (b *Builder) Reject(row int, json []byte, why error) {
	if b.keys != nil {
		b.keys.addRejected(json)
		return
	}
	if b.origin.Held != nil && b.origin.Held.dropRejected(json) {
		return
	}
	one := Rejection{Table: b.table.FullName(), Origin: b.origin, Row: row, JSON: append([]byte(nil), json...), Reason: why.Error()}
	if e := (*FieldError)(nil); errors.As(why, &e) {
		one.Field = e.Field
	}
	b.rejected = append(b.rejected, one)
}

// Rejected returns the rows rejected since the last call, and forgets them.
func (b *Builder) Rejected() []Rejection {
	r := b.rejected
	b.rejected = nil
	return r
}

// Keys returns the hashes of what identifies the rows since the last call, and forgets them: those of [NewList], for a
// rejected row that of its JSON. Only for builders of [NewKeys].
func (b *Builder) Keys() []uint64 {
	all := b.keys.all
	b.keys.all = nil
	return all
}

// Len returns the number of rows waiting in the builder.
func (b *Builder) Len() int { return b.rows }

// Appended returns how many rows have been appended in all.
func (b *Builder) Appended() int64 { return b.appended }

// NextRank returns the rank the next row of the page would get.
func (b *Builder) NextRank() int64 { return b.origin.Rank }

// Batch hands over the waiting rows as a record batch of the table's Arrow schema, which the caller releases, and empties the
// builder.
func (b *Builder) Batch() arrow.RecordBatch {
	batch := b.runBatch()
	if len(b.runs.columns) == 0 {
		return batch
	}
	defer batch.Release()
	return decoded(b.mem, batch, b.table)
}

// runBatch is Batch of the table's ArrowRuns.
func (b *Builder) runBatch() arrow.RecordBatch {
	b.runs.end(&b.origin, b.own)
	b.runs.begin()
	b.rows = 0
	return b.rb.NewRecordBatch()
}

// Drain hands the waiting rows to write, if there are at least so many, as a batch of the table's ArrowRuns. write does not
// keep it.
func (b *Builder) Drain(atLeast int, write func(arrow.RecordBatch) error) error {
	if b.rows < atLeast {
		return nil
	}
	batch := b.runBatch()
	defer batch.Release()
	return write(batch)
}

// Release frees the builder's memory.
func (b *Builder) Release() { b.rb.Release() }
