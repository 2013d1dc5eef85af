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
	// columns are the names of the overriding columns of a CSV file, at their places in its header.
	columns []field
	used    bool
}

// targetRow is one entry of a list.
type targetRow struct {
	Place
	target, given string
	// overrides are the parameters that the row sets, with their values.
	overrides []field
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
	for _, item := range t.value.items {
		if item.kind == mapping {
			l.object(t, item)
			continue
		}
		if given, ok := l.str(item, "a target"); ok {
			l.addRow(t, item.Place, given, nil)
		}
	}
}

func (l *loader) object(t *targets, n *node) {
	var target *node
	var overrides []field
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
	if target == nil {
		if !n.has("target") {
			l.errorf(n.Place, "an entry of target list %q has no target: write {target: example.com, …}", shorten(t.key))
		}
		return
	}
	if given, ok := l.str(target, "a target"); ok {
		l.addRow(t, target.Place, given, overrides)
	}
}

func (l *loader) fromFile(t *targets) {
	f := l.section(t.value, "target list "+shorten(t.key), "file")
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
	if len(s.rows) == 0 {
		l.warnf(Place{s.file, 1, 1}, "the file has a header and no targets")
	}
	for i, name := range s.header {
		if i != at && name.text != "" {
			t.columns = append(t.columns, field{Place: name.Place, key: name.text})
		}
	}
	for _, row := range s.rows {
		l.addRow(t, row[at].Place, row[at].text, s.overrides(row, at))
	}
}

// overrides are the cells of a row that say something, apart from its target.
func (s *sheet) overrides(row []node, target int) []field {
	var out []field
	for i := range row {
		if i != target && row[i].text != "" {
			out = append(out, field{Place: row[i].Place, key: s.header[i].text, value: &row[i]})
		}
	}
	return out
}

func (l *loader) addRow(t *targets, at Place, given string, overrides []field) {
	target, ok := l.canonical(at, "target", given)
	if ok {
		t.rows = append(t.rows, targetRow{at, target, given, overrides})
	}
}

// canonical normalises a target or source.
func (l *loader) canonical(at Place, what, given string) (string, bool) {
	target, err := canon.Target(given)
	switch {
	case err == nil:
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
