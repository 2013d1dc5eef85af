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
	batch := b.Batch()
	defer batch.Release()
	l := look{rows: int(batch.NumRows()), rejected: len(b.Rejected())}
	for i, c := range table.Columns() {
		column := batch.Column(i)
		switch {
		case !closely:
		case i < len(table.Own):
			l.read += column.Len() - column.NullN()
		case c.Name == schemas.ColExtra:
			l.left += members(column)
		}
	}
	return l, err
}

// members counts the outermost members of the objects in a column.
func members(column arrow.Array) (n int) {
	for i := range column.Len() {
		var object map[string]json.RawMessage
		if column.IsValid(i) && json.Unmarshal([]byte(column.ValueStr(i)), &object) == nil {
			n += len(object)
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
