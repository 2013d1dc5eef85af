package rows

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"backhaul/schemas"
)

// Load appends the reply's rows to the builder in their order, until it is full, and rejects those that do not fit.
func (s *Shape) Load(r Reply, b *schemas.Builder) error {
	return s.LoadEach(r, b, func(int, *schemas.Row) (bool, error) { return true, nil })
}

// LoadEach is Load with a last word on every row: finish may fill in columns the vendor's row does not have, and returns
// false for a row to leave out. Its error rejects the row.
func (s *Shape) LoadEach(r Reply, b *schemas.Builder, finish func(i int, row *schemas.Row) (keep bool, err error)) error {
	if b.Table() != s.table {
		return fmt.Errorf("rows of %s cannot go to %s", s.table.FullName(), b.Table().FullName())
	}
	d := decoder{shape: s}
	for i, raw := range r.Rows() {
		if b.Full() {
			return nil
		}
		row := b.Row()
		err, keep := d.decode(raw, row), true
		if err == nil {
			keep, err = finish(i, row)
		}
		switch {
		case err != nil:
			b.Reject(i, raw, err)
		case keep:
			b.Append()
		}
	}
	return nil
}

// Decode fills an empty row from one element of a reply, as Rows yields it. A member that does not fit leaves its column null
// and goes to extra, with its name there; one whose column the row needs ([schemas.Table.Requires]) is an error, which says what
// was found, and the row's content is then of no use.
func (s *Shape) Decode(raw []byte, row *schemas.Row) error {
	d := decoder{shape: s}
	return d.decode(raw, row)
}

// decoder holds what decoding one row needs, to be used again for the next.
type decoder struct {
	shape *Shape
	row   *schemas.Row
	c     cursor
	name  []byte // scratch for names with escapes
	text  []byte // scratch for strings with escapes
	trail []string
	spill spill
}

func (d *decoder) decode(raw []byte, row *schemas.Row) error {
	d.row, d.c, d.trail = row, cursor{b: raw}, d.trail[:0]
	d.spill.reset()
	if !d.c.open('{') {
		return fmt.Errorf("want an object, got %s", snippet(raw))
	}
	if err := d.object(&d.shape.root); err != nil {
		return err
	}
	for _, l := range d.shape.required {
		if row.Null(l.column) {
			return &schemas.FieldError{Field: l.path, Problem: "missing"}
		}
	}
	return d.keepExtra()
}

// object reads the members of an object that has been entered. Most vendors keep the declared order.
func (d *decoder) object(n *node) error {
	for guess := 0; d.c.next('}'); {
		if guess < len(n.fields) && d.c.passes(n.fields[guess].quoted) {
			if err := d.member(&n.fields[guess], n.fields[guess].quoted); err != nil {
				return err
			}
			guess++
			continue
		}
		quoted := d.c.value()
		name := unescape(&d.name, quoted)
		i, known := n.index[string(name)]
		if !known {
			d.stray(quoted, n.under(name), schemas.NewField, d.c.value())
			continue
		}
		if err := d.member(&n.fields[i], quoted); err != nil {
			return err
		}
		guess = i + 1
	}
	return nil
}

// member reads a member whose name, quoted, the shape knows.
func (d *decoder) member(f *field, quoted []byte) error {
	if f.leaf != nil {
		return d.leaf(f.leaf, quoted, d.c.value())
	}
	if !d.c.open('{') {
		raw := d.c.value()
		if string(raw) == "null" {
			return nil
		}
		return d.misfit(f.child.needed, quoted, raw, mismatch(f.child.path, "an object", raw))
	}
	d.trail = append(d.trail, f.name)
	if err := d.object(f.child); err != nil {
		return err
	}
	d.trail = d.trail[:len(d.trail)-1]
	d.spill.leave(len(d.trail))
	return nil
}

func (d *decoder) leaf(l *leaf, quoted, raw []byte) error {
	if l.column == nowhere {
		return nil
	}
	d.row.Has(l.column, l.path)
	if err := d.set(l, raw); err != nil {
		return d.misfit(l.needed, quoted, raw, err)
	}
	return nil
}

// misfit keeps a value beside the row that does not fit, unless the row needs it.
func (d *decoder) misfit(needed bool, quoted, raw []byte, err *schemas.FieldError) error {
	if needed || d.shape.extra < 0 {
		return err
	}
	d.stray(quoted, err.Field, schemas.Misfit, raw)
	return nil
}

func (d *decoder) stray(quoted []byte, field string, kind schemas.DriftKind, raw []byte) {
	d.spill.add(d.trail, quoted, raw)
	d.row.Stray(field, kind, raw)
}

// keepExtra writes the members that found no column into the column extra: names sorted, no spaces, values as
// received but for the escapes in strings, which are the fewest possible.
func (d *decoder) keepExtra() error {
	d.spill.leave(-1)
	if len(d.spill.json) == 0 || d.shape.extra < 0 {
		return nil
	}
	canonical, err := jsontext.AppendFormat(nil, d.spill.json, jsontext.ReorderRawObjects(true))
	if err != nil {
		return fmt.Errorf("%s: %w", schemas.ColExtra, err)
	}
	d.row.SetBytes(d.shape.extra, canonical)
	return nil
}

// spill collects such members into one JSON object that keeps their nesting. Since a row is walked depth first, the
// objects around a member are opened when the first unknown one is met and closed when the walk leaves them.
type spill struct {
	json []byte
	open int // levels opened, the outermost object included
}

func (s *spill) reset() { s.json, s.open = s.json[:0], 0 }

func (s *spill) add(trail []string, name, value []byte) {
	for s.open <= len(trail) {
		if s.open > 0 {
			s.comma()
			s.json, _ = jsontext.AppendQuote(s.json, trail[s.open-1])
			s.json = append(s.json, ':')
		}
		s.json = append(s.json, '{')
		s.open++
	}
	s.comma()
	s.json = append(append(append(s.json, name...), ':'), value...)
}

// leave closes what was opened deeper than depth; -1 closes all.
func (s *spill) leave(depth int) {
	for ; s.open > depth+1; s.open-- {
		s.json = append(s.json, '}')
	}
}

func (s *spill) comma() {
	if s.json[len(s.json)-1] != '{' {
		s.json = append(s.json, ',')
	}
}
