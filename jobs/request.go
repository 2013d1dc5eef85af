package jobs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"backhaul/pipeline"
)

// request makes the targets of one extract from the rows of its lists, or its inputs from those of a sheet.
type request struct {
	*loader
	x *Extract
	// rows are what the overrides of a row, in one spelling, lead to; most rows of a list share them.
	rows map[string]asked
	// refused are the columns of CSV files that the endpoint has no parameter for.
	refused map[field]bool
}

func newRequest(l *loader, x *Extract) *request {
	return &request{loader: l, x: x, rows: map[string]asked{}}
}

// asked is the part of a target that its parameters decide.
type asked struct{ scope, params string }

// own returns what holds for a row without overrides.
func (r *request) own() (asked, bool) { return r.ask(r.x.base, "") }

// ask checks combinations and encodes the parameters. When by is not "", problems are those of a row there.
func (r *request) ask(settings map[string]setting, by string) (asked, bool) {
	values := make(map[string]any, len(settings))
	for name, s := range settings {
		values[name] = s.value
	}
	ok := true
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		p := r.x.Endpoint.Param(name)
		if p == nil || p.Check == nil {
			continue
		}
		if err := p.Check(values[name], values); err != nil {
			r.errorf(settings[name].at, "parameter %q of %s%s: %s", name, r.x.Endpoint, by, shortenQuotes(err.Error()))
			ok = false
		}
	}
	scope, _ := values[r.x.Endpoint.ScopeParam].(string)
	return asked{scope, encode(values)}, ok
}

// encode returns the values as a JSON object with sorted keys.
func encode(values map[string]any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(values); err != nil {
		panic(fmt.Sprintf("encode parameters: %v", err)) // strings, numbers and booleans always encode
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// expand adds the rows of the lists to the extract, duplicates merged.
func (r *request) expand(lists []*targets) {
	own, ok := r.own()
	if !ok {
		return
	}
	r.x.Scope, r.x.Params = own.scope, own.params
	type key struct{ target, params string }
	rows := len(r.x.Targets)
	for _, t := range lists {
		rows += len(t.rows)
	}
	r.x.Targets = slices.Grow(r.x.Targets, rows-len(r.x.Targets))
	seen := make(map[key]bool, rows)
	for _, t := range r.x.Targets {
		seen[key{t.Target, t.Params}] = true
	}
	for _, t := range lists {
		r.header(t)
		for i := range t.rows {
			row := &t.rows[i]
			asked, ok := r.row(row, own)
			switch k := (key{row.target, asked.params}); {
			case !ok:
			case seen[k]:
				r.x.Merged++
			default:
				seen[k] = true
				r.x.Targets = append(r.x.Targets, Target{row.target, row.given, asked.scope, asked.params})
			}
		}
	}
}

// pairs adds the rows of a sheet to the extract's inputs, duplicates merged. Columns that bear the name of a parameter
// override it; others are the user's own business.
func (r *request) pairs(s *sheet) {
	own, ok := r.own()
	if !ok {
		return
	}
	target, source := r.column(s, "target"), r.column(s, "source")
	type key struct{ target, source, params string }
	seen := make(map[key]bool, len(s.rows))
	r.x.Inputs.Rows = slices.Grow(r.x.Inputs.Rows, len(s.rows))
	for _, cells := range s.rows {
		to, okTo := r.canonical(cells[target].Place, "target", cells[target].text)
		from, okFrom := r.canonical(cells[source].Place, "source", cells[source].text)
		row := &targetRow{Place: cells[target].Place}
		for _, f := range s.overrides(cells, target) {
			if r.parameter(f.key) != "" {
				row.overrides = append(row.overrides, f)
			}
		}
		asked, ok := r.row(row, own)
		if !ok || !okTo || !okFrom {
			continue
		}
		if k := (key{to, from, asked.params}); seen[k] {
			r.x.Merged++
			continue
		} else {
			seen[k] = true
		}
		r.x.Inputs.Rows = append(r.x.Inputs.Rows, Input{to, cells[target].text, from, cells[source].text, asked.scope, asked.params})
	}
}

// header checks the columns of a CSV file once, not at every row.
func (r *request) header(t *targets) {
	r.refused = map[field]bool{}
	for _, column := range t.columns {
		if r.parameter(column.key) == "" {
			r.refuse(column, "column")
			r.refused[field{key: column.key}] = true
		}
	}
}

func (r *request) refuse(f field, what string) {
	if f.key == "limit" {
		r.errorf(f.Place, "limit is set per extract, under its params, not per target")
		return
	}
	r.errorf(f.Place, "%s %q is no parameter of %s, which extract %q asks%s it takes: %s", what, shorten(f.key),
		r.x.Endpoint, r.x.Name, or(didYouMean(f.key, takes(r.x.Endpoint)), ";"), join(takes(r.x.Endpoint)))
}

// parameter returns the endpoint's parameter that a row's key stands for, or "".
func (r *request) parameter(key string) string {
	switch {
	case r.x.Endpoint.Param(key) != nil:
		return key
	case key == "scope":
		return r.x.Endpoint.ScopeParam
	}
	return ""
}

// row returns what a row asks.
func (r *request) row(row *targetRow, own asked) (asked, bool) {
	if len(row.overrides) == 0 {
		return own, true
	}
	spelling := spelled(row.overrides)
	if known, ok := r.rows[spelling]; ok && spelling != "" {
		return known, true
	}
	settings, ok := r.override(row)
	if !ok {
		return asked{}, false
	}
	out, ok := r.ask(settings, fmt.Sprintf(" with the values of the target at %s", row.Place))
	if ok {
		r.rows[spelling] = out
	}
	return out, ok
}

// spelled joins overrides that are all cells into one key, or returns "".
func spelled(overrides []field) string {
	var b strings.Builder
	for _, f := range overrides {
		if f.value.kind != cell {
			return ""
		}
		fmt.Fprintf(&b, "%q=%q ", f.key, f.value.text)
	}
	return b.String()
}

// override returns the extract's parameters with those of the row.
func (r *request) override(row *targetRow) (map[string]setting, bool) {
	settings := maps.Clone(r.x.base)
	set := map[string]bool{}
	ok := true
	for _, f := range row.overrides {
		if r.refused[field{key: f.key}] {
			ok = false
			continue
		}
		name := r.parameter(f.key)
		if name == "" {
			r.refuse(f, "key")
			ok = false
			continue
		}
		if set[name] {
			r.errorf(f.Place, "%q sets parameter %q, which this target sets already: keep one", shorten(f.key), name)
			ok = false
		}
		set[name] = true
		value, valid := r.value(r.x.Endpoint.Param(name), fmt.Sprintf("parameter %q of %s", name, r.x.Endpoint), f.value)
		settings[name] = setting{f.value.Place, value}
		ok = ok && valid
	}
	return settings, ok
}

// mixed warns when the extract's targets have several scopes.
func (r *request) mixed(at Place) {
	var scopes []string
	add := func(scope string) {
		if !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	for _, t := range r.x.Targets {
		add(t.Scope)
	}
	if r.x.Inputs != nil {
		for _, in := range r.x.Inputs.Rows {
			add(in.Scope)
		}
	}
	for name, s := range r.x.base {
		if p := r.x.Endpoint.Param(name); p == nil || p.Type != pipeline.ParamTargets {
			continue
		}
		for _, entry := range s.value.([]any) {
			add(entry.(map[string]any)["scope"].(string))
		}
	}
	slices.Sort(scopes)
	if len(scopes) > 1 {
		r.warnf(at, "extract %q mixes scopes (%s): their numbers do not compare; one extract per scope keeps them apart",
			r.x.Name, join(scopes))
	}
}
