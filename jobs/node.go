package jobs

import (
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
)

// kind is what a value of a spec looks like.
type kind uint8

const (
	null kind = iota
	boolean
	integer
	float
	text
	// cell is a value of a CSV file, or of a parameter of the job: text that stands for whatever its place takes.
	cell
	list
	mapping
)

// String says the kind in a sentence: "must be X, not ".
func (k kind) String() string {
	return [...]string{"nothing", "a truth value", "a whole number", "a fraction", "a string", "a cell", "a list", "a mapping"}[k]
}

// node is one value of a spec or CSV file, with its place.
type node struct {
	Place
	kind kind
	// text is the value of a scalar as it was written, without quotes.
	text   string
	items  []*node
	fields []field
	// size is how many nodes the value stands for when its aliases are written out.
	size int
}

// field is one key of a mapping, with the key's place.
type field struct {
	Place
	key   string
	value *node
}

// The bounds of a spec. They keep a hostile file from exhausting memory or stack; no sane spec comes near.
const (
	maxSize     = 4 << 20 // bytes
	maxKeys     = 20_000
	maxDepth    = 32
	maxAnchors  = 200
	maxExpanded = 500_000 // nodes, aliases written out
)

// builder turns the parser's tree into nodes.
type builder struct {
	*problems
	file    string
	anchors map[string]*node
	// hostile: the file exceeds a bound; what else could be said of it is noise.
	hostile bool
}

// build returns the node for a part of the tree, or nil if it reported why there is none.
func (b *builder) build(n ast.Node, at Place, depth int) *node {
	if b.hostile {
		return nil
	}
	if n == nil {
		return &node{Place: at, kind: null, size: 1}
	}
	if depth > maxDepth {
		b.hostile = true
		b.errorf(at, "is nested more than %d deep: a spec needs no more than six levels", maxDepth)
		return nil
	}
	if token := n.GetToken(); token != nil {
		at = Place{b.file, token.Position.Line, token.Position.Column}
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		return b.mapping(n.Values, at, n.IsFlowStyle, depth)
	case *ast.MappingValueNode:
		return b.mapping([]*ast.MappingValueNode{n}, at, false, depth)
	case *ast.SequenceNode:
		return b.sequence(n, at, depth)
	case *ast.AnchorNode:
		return b.anchor(n, at, depth)
	case *ast.AliasNode:
		return b.alias(n, at)
	}
	return b.scalar(n, at)
}

func (b *builder) scalar(n ast.Node, at Place) *node {
	out := &node{Place: at, size: 1}
	switch n := n.(type) {
	case *ast.NullNode:
	case *ast.BoolNode:
		out.kind, out.text = boolean, strings.ToLower(n.GetToken().Value)
	case *ast.IntegerNode:
		out.kind, out.text = integer, n.GetToken().Value
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		out.kind, out.text = float, n.GetToken().Value
	case *ast.StringNode:
		out.kind, out.text = text, n.Value
	case *ast.LiteralNode:
		out.kind, out.text = text, n.Value.Value
	default:
		b.errorf(at, "%s is not supported in a job spec: write the value out", strings.ToLower(n.Type().String()))
		return nil
	}
	if !utf8.ValidString(out.text) {
		b.errorf(at, "the value holds an escape that is not a character")
		return nil
	}
	return out
}

func (b *builder) sequence(n *ast.SequenceNode, at Place, depth int) *node {
	out := &node{Place: at, kind: list, size: 1}
	for _, value := range n.Values {
		if item := b.build(value, at, depth+1); item != nil {
			out.items = append(out.items, item)
			out.size += item.size
		}
	}
	return b.bounded(out)
}

func (b *builder) mapping(values []*ast.MappingValueNode, at Place, flow bool, depth int) *node {
	out := &node{Place: at, kind: mapping, size: 1}
	lines := map[string]int{}
	for i, v := range values {
		token := v.Key.GetToken()
		f := field{Place: Place{b.file, token.Position.Line, token.Position.Column}, key: token.Value}
		if i == 0 && !flow {
			out.Place = f.Place
		}
		if v.Key.IsMergeKey() {
			b.errorf(f.Place, "merge keys (<<) are not supported: write the keys out, or alias the whole value")
			continue
		}
		if first, twice := lines[f.key]; twice {
			b.errorf(f.Place, "key %q appears twice, first on line %d: keep one", shorten(f.key), first)
			continue
		}
		lines[f.key] = f.Line
		if f.value = b.build(v.Value, f.Place, depth+1); f.value != nil {
			if _, empty := v.Value.(*ast.NullNode); empty {
				f.value.Place = f.Place // the parser puts it behind the line
			}
			out.fields = append(out.fields, f)
			out.size += f.value.size
		}
	}
	return b.bounded(out)
}

func (b *builder) anchor(n *ast.AnchorNode, at Place, depth int) *node {
	value := b.build(n.Value, at, depth+1)
	if value != nil && n.Name != nil {
		b.anchors[n.Name.GetToken().Value] = value
	}
	return value
}

func (b *builder) alias(n *ast.AliasNode, at Place) *node {
	if n.Value == nil {
		b.errorf(at, "the alias * names nothing")
		return nil
	}
	name := n.Value.GetToken().Value
	value := b.anchors[name]
	if value == nil {
		b.errorf(at, "alias *%s has no anchor &%[1]s before it", shorten(name))
	}
	return value
}

// bounded refuses a value whose aliases multiply.
func (b *builder) bounded(n *node) *node {
	if n.size > maxExpanded && !b.hostile {
		b.hostile = true
		b.errorf(n.Place, "stands for more than %d values when its aliases are written out: put long lists into a CSV file", maxExpanded)
		return nil
	}
	return n
}
