package ahrefs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// node is a filter expression: and, or, not, or a condition on a field (filter syntax page).
type node struct {
	op    string // "and", "or", "not"; "" for a condition
	kids  []*node
	field string
	test  func(any) bool
	text  string // as it was written, without white space
}

// names adds the fields of an expression.
func (n *node) names(to []string) []string {
	if n.op == "" {
		return append(to, n.field)
	}
	for _, kid := range n.kids {
		to = kid.names(to)
	}
	return to
}

// holds evaluates an expression over a row. Logic has two values: a comparison with null does not hold, and its not does (chosen).
func (n *node) holds(value func(field string) any) bool {
	is := func(kid *node) bool { return kid.holds(value) }
	switch n.op {
	case "and":
		return !slices.ContainsFunc(n.kids, func(kid *node) bool { return !is(kid) })
	case "or":
		return slices.ContainsFunc(n.kids, is)
	case "not":
		return !is(n.kids[0])
	}
	return n.test(value(n.field))
}

// conjuncts returns the parts that must all hold.
func (n *node) conjuncts() []*node {
	if n == nil {
		return nil
	}
	if n.op != "and" {
		return []*node{n}
	}
	var parts []*node
	for _, kid := range n.kids {
		parts = append(parts, kid.conjuncts()...)
	}
	return parts
}

// maxDepth of nesting is chosen, so that a request cannot exhaust the stack.
const maxDepth = 100

func parseWhere(text string, rep *report, fold bool) (*node, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return nil, errors.New("not JSON")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("text after the JSON expression")
	}
	return (&whereParser{rep, fold}).expression(raw, 0)
}

type whereParser struct {
	report *report
	fold   bool
}

func (p *whereParser) expression(raw json.RawMessage, depth int) (*node, error) {
	var parts map[string]json.RawMessage
	if depth > maxDepth {
		return nil, errors.New("nested too deeply")
	}
	if json.Unmarshal(raw, &parts) != nil || parts == nil {
		return nil, errors.New("an expression must be an object")
	}
	var text bytes.Buffer
	if err := json.Compact(&text, raw); err != nil {
		return nil, err
	}
	n := &node{text: text.String()}
	if _, ok := parts["field"]; ok {
		return n, p.condition(n, parts)
	}
	if len(parts) != 1 {
		return nil, errors.New(`an expression must have one of "and", "or", "not" and "field"`)
	}
	for n.op = range parts {
		var kids []json.RawMessage
		switch n.op {
		case "and", "or":
			if json.Unmarshal(parts[n.op], &kids) != nil || len(kids) == 0 {
				return nil, fmt.Errorf("%q must be an array that is not empty", n.op)
			}
		case "not":
			kids = []json.RawMessage{parts[n.op]}
		default:
			return nil, fmt.Errorf("unknown operator %q", n.op)
		}
		for _, kid := range kids {
			k, err := p.expression(kid, depth+1)
			if err != nil {
				return nil, err
			}
			n.kids = append(n.kids, k)
		}
	}
	return n, nil
}

// condition reads {"field":…, "is":…}, {"field":…, "list_is":…}, or a field alone, which always holds, both being marked optional (chosen).
// Of modifiers only uppercase is shown; lowercase is its mirror (chosen).
func (p *whereParser) condition(n *node, parts map[string]json.RawMessage) (err error) {
	if json.Unmarshal(parts["field"], &n.field) != nil || !p.report.takes(n.field) {
		return fmt.Errorf("column %s not found", parts["field"])
	}
	f := dictionary[n.field]
	list := f.kind == texts || f.kind == wholes
	change, err := modifier(parts["modifier"], f.kind)
	if err != nil {
		return fmt.Errorf("field %s: %w", n.field, err)
	}
	n.test = func(any) bool { return true }
	for name, raw := range parts {
		switch name {
		case "field", "modifier":
			continue
		case "is":
			if list && string(raw) != `"empty"` && string(raw) != `"is_null"` {
				return fmt.Errorf("field %s is a list: use list_is", n.field)
			}
			n.test, err = parseTest(raw, f.kind, p.fold)
		case "list_is":
			if !list {
				return fmt.Errorf("field %s is not a list: use is", n.field)
			}
			n.test, err = p.list(raw, f.kind)
		default:
			err = fmt.Errorf("unknown key %q", name)
		}
		if err != nil {
			return fmt.Errorf("field %s: %w", n.field, err)
		}
	}
	if parts["is"] != nil && parts["list_is"] != nil {
		return fmt.Errorf("field %s: is and list_is exclude each other", n.field)
	}
	if change != nil {
		test := n.test
		n.test = func(v any) bool { return test(change(v)) }
	}
	return nil
}

// list reads {"any":c} and {"all":c}. An "and" or "or" of conditions, which an example of the documentation has, means any of each (chosen).
// As in logic, all holds for an empty list.
func (p *whereParser) list(raw json.RawMessage, kind kind) (func(any) bool, error) {
	var parts map[string]json.RawMessage
	if json.Unmarshal(raw, &parts) != nil || len(parts) != 1 {
		return nil, errors.New(`list_is must be an object with "any" or "all"`)
	}
	one := text
	if kind == wholes {
		one = whole
	}
	for name, inner := range parts {
		switch name {
		case "any", "all":
			test, err := p.combined(inner, one, 0)
			if err != nil {
				return nil, err
			}
			if name == "any" {
				return func(v any) bool { return slices.ContainsFunc(elements(v), test) }, nil
			}
			return func(v any) bool {
				return !slices.ContainsFunc(elements(v), func(e any) bool { return !test(e) })
			}, nil
		case "and", "or":
			var kids []json.RawMessage
			if json.Unmarshal(inner, &kids) != nil || len(kids) == 0 {
				return nil, fmt.Errorf("%q must be an array that is not empty", name)
			}
			var tests []func(any) bool
			for _, kid := range kids {
				test, err := p.combined(kid, one, 0)
				if err != nil {
					return nil, err
				}
				tests = append(tests, func(v any) bool { return slices.ContainsFunc(elements(v), test) })
			}
			return join(name, tests), nil
		default:
			return nil, fmt.Errorf("unknown key %q in list_is", name)
		}
	}
	return nil, nil
}

// combined reads a condition, or and, or and not over conditions.
func (p *whereParser) combined(raw json.RawMessage, kind kind, depth int) (func(any) bool, error) {
	var parts map[string]json.RawMessage
	if json.Unmarshal(raw, &parts) != nil {
		return parseTest(raw, kind, p.fold)
	}
	if len(parts) != 1 || depth > maxDepth {
		return nil, errors.New("bad condition " + strconv.Quote(string(raw)))
	}
	for op, inner := range parts {
		kids := []json.RawMessage{inner}
		if op != "not" && (op != "and" && op != "or" || json.Unmarshal(inner, &kids) != nil || len(kids) == 0) {
			return nil, fmt.Errorf("bad condition %q", op)
		}
		var tests []func(any) bool
		for _, kid := range kids {
			test, err := p.combined(kid, kind, depth+1)
			if err != nil {
				return nil, err
			}
			tests = append(tests, test)
		}
		return join(op, tests), nil
	}
	return nil, nil
}

func join(op string, tests []func(any) bool) func(any) bool {
	return func(v any) bool {
		switch op {
		case "and":
			return !slices.ContainsFunc(tests, func(test func(any) bool) bool { return !test(v) })
		case "or":
			return slices.ContainsFunc(tests, func(test func(any) bool) bool { return test(v) })
		}
		return !tests[0](v)
	}
}

func elements(v any) []any {
	var out []any
	switch v := v.(type) {
	case []string:
		for _, e := range v {
			out = append(out, e)
		}
	case []int:
		for _, e := range v {
			out = append(out, e)
		}
	}
	return out
}
