package jobs

import (
	"slices"
	"strings"

	"backhaul/schemas/canon"
)

// targets is a named list.
type targets struct {
	field
	rows []targetRow
	// from is where the rows were read.
	from origin
	// columns are the names of the overriding columns of a CSV file, at their places in its header.
	columns []field
	used    bool
}

// targetRow is one entry of a list that is sound: what stands at a place of its origin, normalised.
type targetRow struct {
	target string
	n      int
}

// origin is what a list was read from: the spec itself, or a sheet.
type origin interface {
	// target returns what row n says its target is, and where.
	target(n int) (string, Place)
	// overrides are the parameters that row n sets, with their values.
	overrides(n int) []field
}

// inline is a list of the spec.
type inline []inlineRow

type inlineRow struct {
	Place
	given string
	set   []field
}

func (in inline) target(n int) (string, Place) { return in[n].given, in[n].Place }

func (in inline) overrides(n int) []field { return in[n].set }

// listed is a sheet as a list of targets.
type listed struct {
	*sheet
	// at is the column of targets, settings are those of parameters.
	at       int
	settings []int
}

func (s listed) target(n int) (string, Place) {
	e := s.row(n)[s.at]
	return e.text, s.place(e)
}

func (s listed) overrides(n int) []field {
	var set []field
	row := s.row(n)
	for _, i := range s.settings {
		if row[i].text != "" {
			value := s.node(row[i])
			set = append(set, field{Place: value.Place, key: s.header[i].text, value: value})
		}
	}
	return set
}

// columnsBut are the columns with a name but for one, as far as they are wanted.
func (s *sheet) columnsBut(at int, wanted func(name string) bool) []int {
	var columns []int
	for i, name := range s.header {
		if i != at && name.text != "" && wanted(name.text) {
			columns = append(columns, i)
		}
	}
	return columns
}

func (l *loader) targetLists(n *node) {
	if n == nil {
		return
	}
	if n.kind != mapping {
		l.errorf(n.Place, "targets must be a mapping of names to lists (own: [example.com]), not %s", n.kind)
		return
	}
	for _, f := range n.fields {
		t := &targets{field: f}
		l.lists[f.key] = t
		l.listed = append(l.listed, f.key)
		switch f.value.kind {
		case list:
			l.inline(t)
		case mapping:
			l.fromFile(t)
		default:
			l.errorf(f.value.Place, "target list %q must be a list or {file: NAME.csv}, not %s", shorten(f.key), f.value.kind)
		}
	}
}

// inline reads a list of the spec: strings, or mappings with a target and parameters.
func (l *loader) inline(t *targets) {
	if len(t.value.items) == 0 {
		l.errorf(t.value.Place, "target list %q is empty: name a target, or remove the list", shorten(t.key))
	}
	var rows inline
	for _, item := range t.value.items {
		target, overrides := item, []field(nil)
		if item.kind == mapping {
			target, overrides = l.object(t, item)
		}
		if target == nil {
			continue
		}
		if given, ok := l.str(target, "a target"); ok {
			rows = append(rows, inlineRow{target.Place, given, overrides})
		}
	}
	l.rows(t, rows, len(rows))
}

// object returns the target of an entry, nil if it reported why there is none, and the parameters that it sets.
func (l *loader) object(t *targets, n *node) (target *node, overrides []field) {
	for _, f := range n.fields {
		switch {
		case f.value.kind == null:
			l.errorf(f.Place, "%q has no value: give one, or remove it", shorten(f.key))
		case f.key == "target":
			target = f.value
		default:
			overrides = append(overrides, f)
		}
	}
	if target == nil && !n.has("target") {
		l.errorf(n.Place, "an entry of target list %q has no target: write {target: example.com, …}", shorten(t.key))
	}
	return target, overrides
}

func (l *loader) fromFile(t *targets) {
	f := l.section(t.value, "target list "+shorten(t.key), listKeys)
	file := l.required(t.value, f, "file", "target list "+shorten(t.key), "file: NAME.csv")
	if file == nil {
		return
	}
	s := l.sheet(file)
	if s == nil {
		return
	}
	at := l.column(s, "target")
	if at < 0 {
		return
	}
	if s.rows() == 0 {
		l.warnf(Place{s.file, 1, 1}, "the file has a header and no targets")
	}
	settings := s.columnsBut(at, func(string) bool { return true })
	for _, i := range settings {
		t.columns = append(t.columns, field{Place: s.header[i].Place, key: s.header[i].text})
	}
	l.rows(t, listed{s, at, settings}, s.rows())
}

// rows takes up what is sound of the first n rows of a list.
func (l *loader) rows(t *targets, from origin, n int) {
	t.from, t.rows = from, make([]targetRow, 0, n)
	for i := range n {
		given, at := from.target(i)
		if target, ok := l.canonical(at, "target", given); ok {
			t.rows = append(t.rows, targetRow{target, i})
		}
	}
}

// canonical normalises a target or source.
func (l *loader) canonical(at Place, what, given string) (string, bool) {
	target, err := canon.Target(given)
	switch {
	case err == nil:
		if i := strings.Index(given, target); i >= 0 {
			target = given[i : i+len(target)] // which is kept anyway, as it was given
		}
		return target, true
	case strings.TrimSpace(given) == "":
		l.errorf(at, "the %s is empty: give a host or page, or remove the entry", what)
	case strings.Contains(given, "@"):
		// What stands before an @ may be a password.
		l.errorf(at, "the %s %v", what, err)
	default:
		l.errorf(at, "%s %q %v", what, shorten(given), err)
	}
	return "", false
}

func (l *loader) unusedLists() {
	if len(l.spec.Extracts) == 0 {
		return
	}
	for _, name := range l.listed {
		if t := l.lists[name]; !t.used {
			l.warnf(t.Place, "target list %q is used by no extract", shorten(name))
		}
	}
}

// chosen returns the lists that an extract's targets name.
func (l *loader) chosen(n *node) []*targets {
	var out []*targets
	for _, item := range l.strs(n, "the name of a target list") {
		t := l.lists[item.text]
		switch {
		case t == nil:
			l.unknownList(item)
		case slices.Contains(out, t):
			l.errorf(item.Place, "target list %q is named twice: keep one", shorten(item.text))
		default:
			t.used = true
			out = append(out, t)
		}
	}
	return out
}

func (l *loader) unknownList(n *node) {
	hint := didYouMean(n.text, l.listed)
	if hint == "" && strings.ContainsAny(n.text, "./") {
		hint = "; put the target into a list under targets: and name the list here;"
	}
	l.errorf(n.Place, "no target list is named %q%s the lists are: %s", shorten(n.text), or(hint, ";"), join(shortened(l.listed)))
}
