package archive

import (
	"encoding/json"
	"strings"

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

// look decodes a reply and throws the rows away.
func (x *examiner) look(source pipeline.Source, page pipeline.Page) (look, error) {
	table := source.Endpoint().Table
	v := x.visitors[table]
	if v == nil {
		v = schemas.NewVisitor(table, func(row *schemas.Row) { x.looking.add(table, row) })
		x.visitors[table] = v
	}
	x.looking = look{}
	v.Begin(schemas.Origin{Rank: 1})
	err := source.Decode(page, v)
	rejected := v.Rejected()
	if x.looking.rejected = len(rejected); len(rejected) > 0 {
		x.looking.reason = rejected[0].Reason
	}
	return x.looking, err
}

func (l *look) add(t *schemas.Table, row *schemas.Row) {
	l.rows++
	for i := range t.Own {
		if !row.Null(i) {
			l.read++
		}
	}
	i := t.Index(schemas.ColExtra)
	if i < 0 || row.Null(i) {
		return
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(row.Text(i), &members) != nil {
		return
	}
	if l.left += len(members); l.rest == nil {
		l.rest = map[string]bool{}
	}
	for name := range members {
		l.rest[name] = true
	}
}

// brief shows a text within a message.
func brief(s string) string {
	const enough = 60
	if len(s) > enough {
		s = strings.ToValidUTF8(s[:enough], "") + "…"
	}
	return s
}
