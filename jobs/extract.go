package jobs

import (
	"cmp"
	"math"
	"regexp"
	"strings"

	"backhaul/pipeline"
)

var (
	extractName = regexp.MustCompile(`^[a-z0-9_-]+$`)
	extractKeys = []string{
		"name", "endpoint", "targets", "inputs", "params", "max_rows", "max_units", "max_age", "priority", "after", "only_if",
	}
)

// maxPriority bounds priorities on both sides of 0.
const maxPriority = 1_000_000

func (l *loader) extractList(n *node) {
	if n.kind != list || len(n.items) == 0 {
		l.errorf(n.Place, "extracts must be a list with at least one entry (- name: …), not %s", emptyOr(n))
		return
	}
	var drafts []*draft
	for _, item := range n.items {
		drafts = append(drafts, l.draft(item))
	}
	for _, d := range drafts {
		l.extract(d)
	}
	l.order(drafts)
}

func emptyOr(n *node) string {
	if n.kind == list {
		return "an empty one"
	}
	return n.kind.String()
}

// draft is an extract whose name is known and whose other keys are not read yet.
type draft struct {
	*node
	keys  fields
	name  string
	after []*node
}

func (l *loader) draft(n *node) *draft {
	d := &draft{node: n, keys: l.section(n, "an extract", extractKeys...)}
	if name := l.required(n, d.keys, "name", "an extract", "name: anchors"); name != nil {
		d.name = l.name(name, "the name of an extract", extractName, "a-z, 0-9, _ and -")
		if first, twice := l.extracts[d.name]; twice {
			l.errorf(name.Place, "extract %q is defined twice, first on line %d: rename one", d.name, first.Line)
		} else if d.name != "" {
			l.extracts[d.name] = name.Place
		}
	}
	return d
}

func (l *loader) extract(d *draft) {
	if d.kind != mapping {
		return
	}
	x := &Extract{Place: d.Place, Name: d.name}
	l.bounds(x, d)
	if x.Endpoint = l.endpoint(d); x.Endpoint != nil {
		l.ask(x, d)
	} else {
		l.used(d.keys["targets"].value)
	}
	l.spec.Extracts = append(l.spec.Extracts, *x)
}

// ask reads what is asked of the endpoint, for which targets.
func (l *loader) ask(x *Extract, d *draft) {
	r := &request{loader: l, x: x, rows: map[string]asked{}}
	before := len(l.list)
	r.base = l.params(x, d.keys["params"].value)
	sound := len(l.list) == before
	lists := l.sources(x, d)
	if sound {
		r.expand(lists)
		r.mixed(cmp.Or(d.keys["targets"].value, d.node).Place)
	}
}

// bounds reads the keys that do not depend on the endpoint.
func (l *loader) bounds(x *Extract, d *draft) {
	if n := d.keys["max_rows"].value; n != nil {
		x.MaxRows, _ = l.integer(n, "max_rows", 1, math.MaxInt64)
	}
	if n := d.keys["priority"].value; n != nil {
		priority, _ := l.integer(n, "priority", -maxPriority, maxPriority)
		x.Priority = int(priority)
	}
	if n := d.keys["only_if"].value; n != nil {
		x.OnlyIf, _ = l.word(n, "only_if", []string{IndexChanged})
	}
	x.MaxUnits = l.ceiling(d.keys["max_units"].value, "max_units")
	x.MaxAge = l.period(d.keys["max_age"].value, "max_age")
	if n := d.keys["after"].value; n != nil {
		d.after = l.strs(n, "the name of an extract")
		for _, item := range d.after {
			x.After = append(x.After, item.text)
		}
	}
}

// endpoint finds the endpoint that the extract names; nil if it reported why there is none.
func (l *loader) endpoint(d *draft) *pipeline.Endpoint {
	n := l.required(d.node, d.keys, "endpoint", "the extract", "endpoint: moz/anchor_text")
	if n == nil {
		return nil
	}
	full, ok := l.str(n, "endpoint")
	if !ok {
		return nil
	}
	vendor, name, found := strings.Cut(full, "/")
	if !found {
		l.errorf(n.Place, "endpoint %q must be VENDOR/NAME, like moz/anchor_text", shorten(full))
		return nil
	}
	if !contains(vendorNames(), vendor) {
		l.errorf(n.Place, "unknown vendor %q%s the vendors are: %s", shorten(vendor), or(didYouMean(vendor, vendorNames()), ";"), join(vendorNames()))
		return nil
	}
	surface := l.spec.Vendors[vendor].Surface
	if e := l.known.Lookup(vendor, surface, name); e != nil {
		return e
	}
	names := l.known.Names(vendor, surface)
	if len(names) == 0 {
		l.errorf(n.Place, "surface %s of %s has no endpoints in this version: choose another under vendors", surface, vendor)
		return nil
	}
	l.errorf(n.Place, "unknown endpoint %q of %s %s%s it has: %s", shorten(name), vendor, surface, or(didYouMean(name, names), ";"), join(names))
	return nil
}

// sources reads where the targets come from: lists, which are returned, a query, or pairs of inputs.
func (l *loader) sources(x *Extract, d *draft) []*targets {
	from, inputs := d.keys["targets"], d.keys["inputs"]
	switch {
	case from.value != nil && inputs.value != nil:
		l.errorf(inputs.Place, "the extract has targets and inputs: keep one")
		l.used(from.value)
	case inputs.value != nil:
		x.Inputs = l.inputs(inputs.value)
	case from.value == nil:
		l.required(d.node, d.keys, "targets", "the extract", "targets: [NAME], the name of a list under targets")
	case from.value.kind == mapping:
		f := l.section(from.value, "targets of an extract", "sql")
		x.SQL = l.query(from.value, f, "targets of an extract")
	case from.value.kind == list && len(from.value.items) == 0:
		l.errorf(from.value.Place, "targets is an empty list: name a list under targets; the lists are: %s", join(l.listed))
	default:
		return l.chosen(from.value)
	}
	return nil
}

// used marks the lists of an extract that cannot be read further, so that they are not called unused.
func (l *loader) used(n *node) {
	if n != nil && (n.kind == list || n.kind == text) {
		l.chosen(n)
	}
}

func (l *loader) query(n *node, f fields, what string) string {
	sql := l.required(n, f, "sql", what, "sql: a query with a column target")
	if sql == nil {
		return ""
	}
	s, ok := l.str(sql, "sql")
	if ok && strings.TrimSpace(s) == "" {
		l.errorf(sql.Place, "sql is empty: write a query with a column target")
	}
	return strings.TrimSpace(s)
}

// inputs reads pairs of target and source from a file, or the query that provides them.
func (l *loader) inputs(n *node) *Inputs {
	f := l.section(n, "inputs", "file", "sql")
	in := &Inputs{}
	switch file := f["file"]; {
	case file.value != nil && f["sql"].value != nil:
		l.errorf(file.Place, "inputs has file and sql: keep one")
	case file.value != nil:
		l.pairs(in, file.value)
	case n.kind == mapping && n.has("file"):
	case n.kind == mapping:
		in.SQL = l.query(n, f, "inputs")
	}
	return in
}

func (l *loader) pairs(in *Inputs, file *node) {
	s := l.sheet(file)
	if s == nil {
		return
	}
	target, source := l.column(s, "target"), l.column(s, "source")
	if target < 0 || source < 0 {
		return
	}
	for _, row := range s.rows {
		to, okTo := l.canonical(row[target].Place, "target", row[target].text)
		from, okFrom := l.canonical(row[source].Place, "source", row[source].text)
		if okTo && okFrom {
			in.Rows = append(in.Rows, Input{to, row[target].text, from, row[source].text, s.rest(row, target, source)})
		}
	}
}

// rest returns the other columns of a row that have a value.
func (s *sheet) rest(row []node, but ...int) map[string]string {
	var out map[string]string
	for i := range row {
		if i == but[0] || i == but[1] || row[i].text == "" {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[s.header[i].text] = row[i].text
	}
	return out
}
