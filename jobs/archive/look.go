package archive

import (
	"encoding/json"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/pipeline"
	"backhaul/schemas"
)

// look is what a decoder makes of a reply.
type look struct {
	rows, rejected int
	// read and left are how many values of the rows went to columns, and how many members did not.
	read, left int
	// rest names those members.
	rest map[string]bool
	// reason is why the first of the rejected rows was.
	reason string
}

// as reports whether another look makes as much of the reply.
func (l look) as(other look) bool {
	return l.rows == other.rows && l.read == other.read && l.left == other.left
}

// nothing: not one row could be read.
func (l look) nothing() bool { return l.rows == 0 }

// known is how many values more than not of each row went to columns, over so many rows as another look has.
func (l look) known(rows int) int { return (l.read - l.left) * max(rows, 1) }

// better reports whether more of each row went to columns, and less was left over, than by another look at the reply. Where
// that could read no row, more than half of what the rows have must be known; four fifths, if it is their values that it
// could not take.
func (l look) better(than look) bool {
	switch {
	case than.rejected > 0 && than.nothing():
		return l.read >= 4*l.left
	case than.nothing():
		return l.read > l.left
	default:
		return l.read*than.rows > than.read*l.rows && l.known(than.rows) > than.known(l.rows)
	}
}

// look decodes a reply and throws the rows away. closely counts their values as well.
func (x *examiner) look(source pipeline.Source, page pipeline.Page, closely bool) (look, error) {
	table := source.Endpoint().Table
	b := x.builders[table]
	if b == nil {
		b = schemas.NewBuilder(memory.DefaultAllocator, table)
		x.builders[table] = b
	}
	b.Begin(schemas.Origin{Rank: 1})
	err := source.Decode(page, b)
	rejected := b.Rejected()
	batch := b.Batch()
	defer batch.Release()
	l := look{rows: int(batch.NumRows()), rejected: len(rejected)}
	if l.rejected > 0 {
		l.reason = rejected[0].Reason
	}
	for i, c := range table.Columns() {
		column := batch.Column(i)
		switch {
		case !closely:
		case i < len(table.Own):
			l.read += column.Len() - column.NullN()
		case c.Name == schemas.ColExtra:
			l.rest = map[string]bool{}
			l.left += members(column, l.rest)
		}
	}
	return l, err
}

// members counts the outermost members of the objects in a column, and names them.
func members(column arrow.Array, names map[string]bool) (n int) {
	for i := range column.Len() {
		var object map[string]json.RawMessage
		if column.IsValid(i) && json.Unmarshal([]byte(column.ValueStr(i)), &object) == nil {
			n += len(object)
			for name := range object {
				names[name] = true
			}
		}
	}
	return n
}

// brief shows a text within a message.
func brief(s string) string {
	const enough = 60
	if len(s) > enough {
		s = strings.ToValidUTF8(s[:enough], "") + "…"
	}
	return s
}
