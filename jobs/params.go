package jobs

import (
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

// takes are the names of the parameters of an endpoint that a job may set.
func takes(e *pipeline.Endpoint) []string {
	var names []string
	for i := range e.Params {
		names = append(names, e.Params[i].Name)
	}
	if e.PageSize > 0 && e.Param("limit") == nil {
		names = append(names, "limit")
	}
	return names
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
		if p.Required && (n == nil || !slices.ContainsFunc(n.fields, func(f field) bool { return f.key == p.Name })) {
			l.errorf(x.Place, "%s needs parameter %q: %s", x.Endpoint, p.Name, p.Meaning)
		}
	}
}

func (l *loader) ownParam(x *Extract, f field, out map[string]setting) {
	e := x.Endpoint
	what := fmt.Sprintf("parameter %q of %s", f.key, e)
	if f.key == "limit" && e.PageSize > 0 && e.Param("limit") == nil {
		if limit, ok := l.integer(f.value, what, 1, int64(e.PageSize)); ok {
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
