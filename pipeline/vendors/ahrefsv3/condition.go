package ahrefsv3

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// condition is a filter as `where` takes it; true and false are the ones that let everything, and nothing, pass. Source of
// the grammar: Ahrefs, filter syntax.
type condition any

func is(field, operator string, v jsontext.Value) condition {
	return comparison{field, []any{operator, v}}
}

type comparison struct {
	Field string `json:"field"`
	Is    any    `json:"is"`
}

// allOf and anyOf leave out what does not matter.
func allOf(list ...condition) condition { return joined("and", true, list) }
func anyOf(list ...condition) condition { return joined("or", false, list) }

func joined(word string, neutral bool, list []condition) condition {
	var kept []condition
	for _, c := range list {
		switch b, constant := c.(bool); {
		case c == nil || constant && b == neutral:
		case constant:
			return !neutral
		default:
			kept = append(kept, c)
		}
	}
	switch len(kept) {
	case 0:
		return neutral
	case 1:
		return kept[0]
	}
	return map[string]any{word: kept}
}

func not(c condition) condition {
	if b, constant := c.(bool); constant {
		return !b
	}
	return map[string]any{"not": c}
}

// text returns the condition as JSON, "" for the one that lets everything pass.
func text(c condition) (string, error) {
	if b, constant := c.(bool); c == nil || constant && b {
		return "", nil
	}
	out, err := json.Marshal(c, json.Deterministic(true))
	return string(out), err
}

// reaches lets pass what is at v, or behind it by the term's order.
func (t term) reaches(v value) condition {
	switch t.Type {
	case Boolean:
		if (truth(v) == 1) == t.desc {
			return true // v is the first of the two
		}
		return is(t.Name, "eq", oneOrZero(truth(v) == 1))
	case Float:
		if t.desc {
			return is(t.Name, "lte", fraction(v.number()+band))
		}
		return is(t.Name, "gte", fraction(v.number()-band))
	case DateTime:
		if t.desc {
			return is(t.Name, "lt", second(v.time().Add(time.Second)))
		}
		return is(t.Name, "gte", v.Raw)
	}
	if t.desc {
		return is(t.Name, "lte", v.Raw)
	}
	return is(t.Name, "gte", v.Raw)
}

// passes lets pass what is behind v by the term's order.
func (t term) passes(v value) condition {
	switch t.Type {
	case Boolean:
		if (truth(v) == 1) == t.desc {
			return is(t.Name, "eq", oneOrZero(truth(v) == 0))
		}
		return false
	case Float:
		if t.desc {
			return is(t.Name, "lt", fraction(v.number()-band))
		}
		return is(t.Name, "gt", fraction(v.number()+band))
	case DateTime:
		if t.desc {
			return is(t.Name, "lt", v.Raw)
		}
		return is(t.Name, "gte", second(v.time().Add(time.Second)))
	}
	if t.desc {
		return is(t.Name, "lt", v.Raw)
	}
	return is(t.Name, "gt", v.Raw)
}

// oneOrZero spells a truth value as another client does in production; Ahrefs' documents show none.
func oneOrZero(b bool) jsontext.Value {
	if b {
		return jsontext.Value("1")
	}
	return jsontext.Value("0")
}

func (t term) isNull() condition { return comparison{t.Name, "is_null"} }

// from lets pass the rows that the order puts at the place or behind it; strict, behind it only. Of strings it uses nothing
// but gt, gte and their mirrors: whether eq holds for the same strings is unknown.
//
// Where nulls are sorted is unknown, but a list read from its start shows it: if the rows that are equal in the terms
// before began with null, nulls come first, and else they come last or there are none.
func (o order) from(at []value, strict bool) condition {
	if len(at) == 0 {
		return !strict
	}
	t, v, rest := o[0], at[0], o[1:].from(at[1:], strict)
	switch {
	case v.null() && v.First:
		return anyOf(allOf(t.isNull(), rest), not(t.isNull()))
	case v.null():
		return allOf(t.isNull(), rest)
	}
	here := t.passes(v)
	switch rest {
	case false:
	case true:
		here = t.reaches(v)
	default:
		here = allOf(t.reaches(v), anyOf(here, rest))
	}
	if t.Nullable && !v.First {
		return anyOf(here, t.isNull())
	}
	return here
}

// at lets pass the rows that are equal in all terms of the place, none of which may be a string.
func (o order) at(place []value) condition {
	var all []condition
	for i, v := range place {
		t := o[i]
		switch {
		case v.null():
			all = append(all, t.isNull())
		case t.Type == Integer:
			all = append(all, is(t.Name, "eq", v.Raw))
		case t.Type == Boolean:
			all = append(all, is(t.Name, "eq", oneOrZero(truth(v) == 1)))
		default:
			all = append(all, t.reaches(v), term{t.Field, !t.desc}.reaches(v))
		}
	}
	return allOf(all...)
}
