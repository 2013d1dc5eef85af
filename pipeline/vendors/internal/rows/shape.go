package rows

import (
	"fmt"
	"strconv"
	"strings"

	"backhaul/schemas"
)

// Rule says which member of a row a column is read from.
type Rule struct {
	// Column is a column's name; with a final * it is the beginning of several. "" means that the member becomes no column
	// here, because another table has it: it does not go to extra either.
	Column string
	// Path leads to the member, names joined by dots; a final * stands for what the column's * stood for.
	// "" means that the columns are not in the vendor's rows.
	Path string
	// Raw: the member may be any JSON value, and a String column takes its text as received. Default false.
	Raw bool
	// Later: the columns, which have no Path, are filled in by the last word on every row (see LoadEach). So they may be
	// required ones.
	Later bool
}

// Shape maps the members of a vendor's row to the own columns of a table. It is immutable and safe for concurrent use.
type Shape struct {
	table    *schemas.Table
	root     node
	required []*leaf
	extra    int // index of the column extra, -1 if the table has none
}

// node is an object within the row.
type node struct {
	path   string
	needed bool // a column within it is one that the row needs
	fields []field
	index  map[string]int
}

// field is a known member of an object: either an object itself or a column's value.
type field struct {
	name   string
	quoted []byte // the name as most vendors spell it in JSON
	child  *node
	leaf   *leaf
}

// nowhere is the column of a member that becomes none.
const nowhere = -1

// leaf is a member that becomes a column's value.
type leaf struct {
	path     string
	column   int
	typ      schemas.Type
	required bool // the member must be there, with a value
	needed   bool // a value that does not fit costs the row
	raw      bool
	noText   []string // spellings of "no value" in strings
	noNumber []int64  // and in numbers
}

// Compile prepares the decoding of a table's rows. The first rule that fits a column holds; a column no rule fits is
// read from the member of its own name. The errors are mistakes in the declaration.
func Compile(t *schemas.Table, rules ...Rule) (*Shape, error) {
	s := &Shape{table: t, extra: t.Index(schemas.ColExtra)}
	for i, column := range t.Own {
		path, rule := pathOf(column.Name, rules)
		if rule.Raw && column.Type != schemas.String {
			return nil, fmt.Errorf("%s: column %s takes no JSON: it is %s", t.FullName(), column.Name, column.Type)
		}
		if path == "" {
			if column.Required && !rule.Later {
				return nil, fmt.Errorf("%s: required column %s has no path", t.FullName(), column.Name)
			}
			continue
		}
		l := newLeaf(i, column, path)
		l.needed = t.Requires(i)
		l.raw = rule.Raw
		if err := s.root.add(strings.Split(path, "."), l); err != nil {
			return nil, fmt.Errorf("%s: column %s: %w", t.FullName(), column.Name, err)
		}
		if l.required {
			s.required = append(s.required, l)
		}
	}
	for _, r := range rules {
		if r.Column != "" {
			continue
		}
		if err := s.root.add(strings.Split(r.Path, "."), &leaf{path: r.Path, column: nowhere}); err != nil {
			return nil, fmt.Errorf("%s: %w", t.FullName(), err)
		}
	}
	return s, nil
}

// MustCompile is Compile for declarations in the program text: it panics on an error.
func MustCompile(t *schemas.Table, rules ...Rule) *Shape {
	s, err := Compile(t, rules...)
	if err != nil {
		panic("rows: " + err.Error())
	}
	return s
}

// pathOf returns the path a column is read from, and the rule that says so.
func pathOf(column string, rules []Rule) (path string, rule Rule) {
	for _, r := range rules {
		prefix, many := strings.CutSuffix(r.Column, "*")
		switch rest, fits := strings.CutPrefix(column, prefix); {
		case !many && column == r.Column:
			return r.Path, r
		case many && fits && strings.HasSuffix(r.Path, "*"):
			return strings.TrimSuffix(r.Path, "*") + rest, r
		case many && fits:
			return r.Path, r
		}
	}
	return column, Rule{}
}

func newLeaf(i int, c schemas.Column, path string) *leaf {
	l := &leaf{path: path, column: i, typ: c.Type, required: c.Required, noText: c.NoValue}
	for _, s := range c.NoValue {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			l.noNumber = append(l.noNumber, n)
		}
	}
	return l
}

func (n *node) add(path []string, l *leaf) error {
	if n.index == nil {
		n.index = map[string]int{}
	}
	i, known := n.index[path[0]]
	if !known {
		i = len(n.fields)
		n.fields = append(n.fields, field{name: path[0], quoted: []byte(`"` + path[0] + `"`)})
		n.index[path[0]] = i
	}
	f := &n.fields[i]
	if len(path) == 1 {
		if known {
			return fmt.Errorf("path %s is taken", l.path)
		}
		f.leaf = l
		return nil
	}
	if f.leaf != nil {
		return fmt.Errorf("path %s leads through the value of another column", l.path)
	}
	if f.child == nil {
		f.child = &node{path: n.under([]byte(path[0]))}
	}
	f.child.needed = f.child.needed || l.needed
	return f.child.add(path[1:], l)
}

// under is the path of a member of that name.
func (n *node) under(name []byte) string {
	if n.path == "" {
		return string(name)
	}
	return n.path + "." + string(name)
}
