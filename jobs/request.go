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
	rows := 0
	for _, t := range lists {
		rows += len(t.rows)
	}
	r.x.Targets = slices.Grow(r.x.Targets, rows)
	known := newPositions(rows, func(n int) question { return r.meant(r.x.Targets[n]) })
	same := spellings{}
	for _, t := range lists {
		r.header(t)
		r.add(t, own, known, same)
	}
	r.merge(same)
}

// meant is what the vendor is asked with a target: others that mean the same at its scope ask for the same list.
func (r *request) meant(t Target) question {
	if means := r.x.Endpoint.Means; means != nil {
		t.Target = means(t.Target, t.Scope)
	}
	return t.question()
}

// add adds the rows of a list to the extract's targets, but for those that are known, or mean the same as one that is.
func (r *request) add(t *targets, own asked, known *positions, same spellings) {
	for _, row := range t.rows {
		given, at := t.from.target(row.n)
		asked, ok := r.row(t.from.overrides(row.n), at, own)
		if !ok {
			continue
		}
		target := Target{row.target, given, asked.scope, asked.params}
		n, added := known.add(len(r.x.Targets), r.meant(target))
		switch {
		case added:
			r.x.Targets = append(r.x.Targets, target)
		case r.x.Targets[n].Target == target.Target:
			r.x.Merged++
		default:
			same.add(&r.x.Targets[n], n, target)
		}
	}
}

// pairs adds the rows of a sheet to what the extract compares, duplicates merged. Columns that bear the name of a parameter
// override it; others are the user's own business.
func (r *request) pairs(s *sheet) {
	own, ok := r.own()
	if !ok {
		return
	}
	target, source := r.column(s, "target"), r.column(s, "source")
	list := listed{s, target, s.columnsBut(target, func(name string) bool { return r.parameter(name) != "" })}
	g := newGrouping(s.rows())
	for n := range s.rows() {
		given, at := list.target(n)
		to, okTo := r.canonical(at, "target", given)
		as := s.row(n)[source]
		from, okFrom := r.canonical(s.place(as), "source", as.text)
		asked, ok := r.row(list.overrides(n), at, own)
		if ok && okTo && okFrom {
			g.add(Target{Target: to, Scope: asked.scope, Params: asked.params}, from, n)
		}
	}
	r.compare(g, list, source)
}

// compare gives targets their sources, which stand in a column of the list.
func (r *request) compare(g *grouping, list listed, source int) {
	all := make([]pipeline.Input, 0, len(g.members))
	for about, group := range g.all() {
		about.AsGiven, _ = list.target(int(group[0].n))
		from := len(all)
		for i, m := range group {
			if i > 0 && m.name == group[i-1].name {
				r.x.Merged++
				continue
			}
			all = append(all, pipeline.Input{Source: m.name, SourceAsGiven: list.row(int(m.n))[source].text})
		}
		r.x.Inputs.Compared = append(r.x.Inputs.Compared, Compared{about, slices.Clip(all[from:])})
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
	r.errorf(f.Place, "%s %q is not a parameter of %s, which extract %q asks%s it takes: %s", what, shorten(f.key),
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

// row returns what a row asks that stands at a place.
func (r *request) row(overrides []field, at Place, own asked) (asked, bool) {
	if len(overrides) == 0 {
		return own, true
	}
	spelling := spelled(overrides)
	if known, ok := r.rows[spelling]; ok && spelling != "" {
		return known, true
	}
	settings, ok := r.override(overrides)
	if !ok {
		return asked{}, false
	}
	out, ok := r.ask(settings, fmt.Sprintf(" with the values of the target at %s", at))
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
func (r *request) override(overrides []field) (map[string]setting, bool) {
	settings := maps.Clone(r.x.base)
	set := map[string]bool{}
	ok := true
	for _, f := range overrides {
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
		for _, c := range r.x.Inputs.Compared {
			add(c.About.Scope)
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
