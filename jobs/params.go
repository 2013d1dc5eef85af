package jobs

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"backhaul/pipeline"
	"backhaul/schemas/canon"
)

// setting is the value of one parameter: string, int64, bool or []string, by the parameter's type; words are
// joined with their separator.
type setting struct {
	at    Place
	value any
}

// filledIn are parameters of vendors that a job cannot set, with what it does instead.
var filledIn = map[string]string{
	"target":     "name targets under targets",
	"targets":    "name targets under targets of the extract, not under its params",
	"sources":    "give sources under inputs",
	"source":     "give sources under inputs",
	"next_token": "the program follows the vendor's list itself",
	"offset":     "the program follows the vendor's list itself",
	"cursor":     "the program follows the vendor's list itself",
	"max_rows":   "it is a key of the extract, beside params",
}

// Settable returns the parameters of an endpoint that a job may set: the vendor's own, and limit where pages can be made smaller.
func Settable(e *pipeline.Endpoint) []pipeline.Param {
	params := slices.Clone(e.Params)
	if most := maxLimit(e); most > 0 {
		params = append(params, pipeline.Param{
			Name: "limit", Type: pipeline.ParamInt, Min: 1, Max: int64(most), Meaning: "how many rows to ask for at a time",
		})
	}
	return params
}

// takes are the names of the parameters of an endpoint that a job may set.
func takes(e *pipeline.Endpoint) []string {
	var names []string
	for _, p := range Settable(e) {
		names = append(names, p.Name)
	}
	return names
}

// maxLimit is the largest `limit` a job may set, 0 if it may set none.
func maxLimit(e *pipeline.Endpoint) int {
	if e.Once || e.Param("limit") != nil {
		return 0
	}
	return max(e.PageSize, e.MaxLimit)
}

// params reads an extract's own parameters, and the limit if it is among them.
func (l *loader) params(x *Extract, n *node) map[string]setting {
	out := map[string]setting{}
	if n != nil && n.kind != mapping {
		l.errorf(n.Place, "params must be a mapping (name: value), not %s", n.kind)
		return out
	}
	if n != nil {
		for _, f := range n.fields {
			l.ownParam(x, f, out)
		}
	}
	if name := x.Endpoint.ScopeParam; name != "" {
		if _, given := out[name]; !given {
			out[name] = setting{x.Place, x.Endpoint.DefaultScope}
		}
	}
	l.require(x, n)
	return out
}

// require misses parameters that the endpoint cannot do without.
func (l *loader) require(x *Extract, n *node) {
	for i := range x.Endpoint.Params {
		p := &x.Endpoint.Params[i]
		if p.Required && (n == nil || !n.has(p.Name)) {
			l.errorf(x.Place, "%s needs parameter %q: %s", x.Endpoint, p.Name, p.Meaning)
		}
	}
}

func (l *loader) ownParam(x *Extract, f field, out map[string]setting) {
	e := x.Endpoint
	what := fmt.Sprintf("parameter %q of %s", shorten(f.key), e)
	if most := maxLimit(e); f.key == "limit" && most > 0 {
		if limit, ok := l.integer(f.value, what, 1, int64(most)); ok {
			x.Limit = int(limit)
		}
		return
	}
	p := e.Param(f.key)
	if p == nil {
		l.unknownParam(e, f, what)
		return
	}
	if value, ok := l.value(p, what, f.value); ok {
		out[p.Name] = setting{f.value.Place, value}
	}
}

func (l *loader) unknownParam(e *pipeline.Endpoint, f field, what string) {
	if instead := filledIn[f.key]; instead != "" {
		l.errorf(f.Place, "%s is filled in by the program: %s", what, instead)
		return
	}
	l.errorf(f.Place, "unknown parameter %q of %s%s it takes: %s",
		shorten(f.key), e, or(didYouMean(f.key, takes(e)), ";"), join(takes(e)))
}

// value returns the value of a parameter in its type.
func (l *loader) value(p *pipeline.Param, what string, n *node) (any, bool) {
	if n.kind == null {
		l.errorf(n.Place, "%s has no value: give one, or remove it", what)
		return nil, false
	}
	switch p.Type {
	case pipeline.ParamEnum:
		return wrap(l.word(n, what, p.Values))
	case pipeline.ParamWords:
		return wrap(l.words(p, what, n))
	case pipeline.ParamInt:
		least, most := p.Min, p.Max
		if most == 0 {
			least, most = math.MinInt64, math.MaxInt64
		}
		return wrap(l.integer(n, what, least, most))
	case pipeline.ParamBool:
		return l.truth(n, what)
	case pipeline.ParamDate:
		return l.date(n, what)
	case pipeline.ParamStrings:
		return l.values(p, what, n)
	case pipeline.ParamTargets:
		return l.scoped(p, what, n)
	case pipeline.ParamJSON:
		return l.json(what, n)
	}
	return wrap(l.str(n, what))
}

func wrap[T any](v T, ok bool) (any, bool) { return v, ok }

// words reads words as one string with separators, or as a list, and joins them.
func (l *loader) words(p *pipeline.Param, what string, n *node) (string, bool) {
	ok := true
	var out []string
	for _, item := range l.split(n, p.Separator) {
		word, valid := l.word(item, what, p.Values)
		if valid && slices.Contains(out, word) {
			l.errorf(item.Place, "%s names %q twice: keep one", what, word)
			valid = false
		}
		ok = ok && valid
		out = append(out, word)
	}
	if len(out) == 0 {
		l.errorf(n.Place, "%s is an empty list: name one of %s, or remove it", what, join(p.Values))
		return "", false
	}
	return strings.Join(out, p.Separator), ok
}

// split returns the items of a list, or the words of a string as items of one.
func (l *loader) split(n *node, separator string) []*node {
	if n.kind == list {
		return n.items
	}
	if n.kind != text && n.kind != cell || separator == "" {
		return []*node{n}
	}
	var items []*node
	for word := range strings.SplitSeq(n.text, separator) {
		items = append(items, &node{Place: n.Place, kind: text, text: strings.TrimSpace(word)})
	}
	return items
}

// values reads a list of strings; a cell of a CSV file separates them with commas, a string is a list of one.
func (l *loader) values(p *pipeline.Param, what string, n *node) (any, bool) {
	items := []*node{n}
	if n.kind == list || n.kind == cell {
		items = l.split(n, ",")
	}
	ok := true
	out := []string{}
	for _, item := range items {
		s, valid := l.str(item, what)
		if valid && len(p.Values) > 0 {
			s, valid = l.word(item, what, p.Values)
		}
		ok = ok && valid
		out = append(out, s)
	}
	return out, ok
}

func (l *loader) truth(n *node, what string) (any, bool) {
	s := n.text
	if n.kind == cell {
		s = strings.ToLower(s)
	}
	if n.kind != boolean && n.kind != cell || s != "true" && s != "false" {
		l.errorf(n.Place, "%s must be true or false", what)
		return nil, false
	}
	return s == "true", true
}

func (l *loader) date(n *node, what string) (any, bool) {
	day, err := canon.Date(n.text)
	if err != nil || n.kind == list || n.kind == mapping {
		l.errorf(n.Place, "%s must be a date, YYYY-MM-DD", what)
		return nil, false
	}
	return day, true
}

// scoped reads a list of targets with their scopes, and normalises them. It yields a list of maps, as JSON has them.
func (l *loader) scoped(p *pipeline.Param, what string, n *node) (any, bool) {
	if n.kind != list || len(n.items) == 0 {
		l.errorf(n.Place, "%s must be a list of {target: example.com, scope: %s}, not %s", what, p.Values[len(p.Values)-1], emptyOr(n))
		return nil, false
	}
	out, ok := []any{}, true
	for _, item := range n.items {
		before := len(l.list)
		f := l.section(item, "an entry of "+what, scopedKeys)
		target := l.required(item, f, "target", "an entry of "+what, "target: example.com")
		scope := l.required(item, f, "scope", "an entry of "+what, "scope: "+p.Values[len(p.Values)-1])
		if target != nil && scope != nil {
			given, _ := l.str(target, "a target")
			name, _ := l.canonical(target.Place, "target", given)
			word, _ := l.word(scope, "scope of an entry of "+what, p.Values)
			out = append(out, map[string]any{"target": name, "scope": word})
		}
		ok = ok && len(l.list) == before
	}
	return out, ok
}

// json reads a value as it is, or the text of one in JSON.
func (l *loader) json(what string, n *node) (any, bool) {
	if n.kind != text && n.kind != cell {
		return l.plain(n), true
	}
	var v any
	if err := json.Unmarshal([]byte(n.text), &v); err != nil {
		l.errorf(n.Place, "%s must be a mapping, or a string that holds JSON: %v", what, err)
		return nil, false
	}
	return v, true
}

// plain returns a value as JSON decodes it, numbers in their own spelling.
func (l *loader) plain(n *node) any {
	switch n.kind {
	case mapping:
		out := map[string]any{}
		for _, f := range n.fields {
			out[f.key] = l.plain(f.value)
		}
		return out
	case list:
		out := make([]any, len(n.items))
		for i, item := range n.items {
			out[i] = l.plain(item)
		}
		return out
	case boolean:
		return n.text == "true"
	case integer, float:
		if json.Valid([]byte(n.text)) {
			return json.Number(n.text)
		}
	case null:
		return nil
	}
	return n.text
}
