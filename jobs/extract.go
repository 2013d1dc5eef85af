package jobs

import (
	"cmp"
	"math"
	"regexp"
	"strings"

	"backhaul/pipeline"
)

var extractName = regexp.MustCompile(`^[a-z0-9_-]+$`)

// maxPriority bounds priorities on both sides of 0.
const maxPriority = 1_000_000

func (l *loader) extractList(n *node) {
	entries := l.entries(n, "extracts", "name: …")
	if entries == nil {
		return
	}
	var drafts []*draft
	for _, item := range entries {
		drafts = append(drafts, l.draft(item))
	}
	for _, d := range drafts {
		l.extract(d)
	}
	l.order(drafts)
	l.unannounced()
}

// entries returns those of a list that must have one, written like the example. An absent list has none.
func (l *loader) entries(n *node, what, example string) []*node {
	switch {
	case n == nil:
		return nil
	case n.kind != list || len(n.items) == 0:
		l.errorf(n.Place, "%s must be a list with at least one entry (- %s), not %s", what, example, emptyOr(n))
		return nil
	}
	return n.items
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
	d := &draft{node: n, keys: l.section(n, "an extract", extractKeys)}
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
	before := len(l.list)
	x.base = l.params(x, d.keys["params"].value)
	sound := len(l.list) == before
	l.fits(x, d)
	r := newRequest(l, x)
	lists, pairs := l.sources(x, d)
	if !sound {
		return
	}
	r.expand(lists)
	if pairs != nil {
		r.pairs(pairs)
	}
	r.mixed(cmp.Or(d.keys["targets"].value, d.keys["inputs"].value, d.node).Place)
	if !Failed(l.list[before:]) {
		l.priced(x, d)
	}
}

// priced refuses what has no price: it would not be sent.
func (l *loader) priced(x *Extract, d *draft) {
	if _, err := x.Endpoint.PriceOf(x.Sample(), pipeline.Ask{}); err != nil {
		l.errorf(cmp.Or(d.keys["params"].value, d.node).Place, "%s", shortenQuotes(err.Error()))
	}
}

// fits refuses keys that the endpoint has no use for.
func (l *loader) fits(x *Extract, d *draft) {
	if n := d.keys["max_rows"].value; n != nil && (x.Endpoint.Once || x.Endpoint.Asks.Batched()) {
		l.errorf(n.Place, "max_rows is for lists: %s brings a fixed number of rows", x.Endpoint)
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
	if vendors := l.known.Vendors(); !contains(vendors, vendor) {
		l.errorf(n.Place, "unknown vendor %q%s the vendors are: %s", shorten(vendor), or(didYouMean(vendor, vendors), ";"), join(vendors))
		return nil
	}
	surface := l.spec.Vendors[vendor].Surface
	var names []string
	for _, e := range l.known.Endpoints(vendor, surface) {
		if e.Name == name {
			return e
		}
		names = append(names, e.Name)
	}
	if len(names) == 0 {
		l.errorf(n.Place, "surface %s of %s has no endpoints in this version: choose another under vendors", surface, vendor)
		return nil
	}
	l.errorf(n.Place, "unknown endpoint %q of %s %s%s it has: %s", shorten(name), vendor, surface, or(didYouMean(name, names), ";"), join(names))
	return nil
}

// sources reads where the targets come from: lists, or a sheet of pairs, which are returned, or a query.
func (l *loader) sources(x *Extract, d *draft) (lists []*targets, pairs *sheet) {
	from, inputs := d.keys["targets"], d.keys["inputs"]
	switch asks := x.Endpoint.Asks; asks {
	case pipeline.AboutNothing, pipeline.AboutParams:
		for _, key := range []field{from, inputs} {
			if key.value != nil {
				l.errorf(key.Place, "%s takes no %s: %s; remove the key", x.Endpoint, key.key, whatInstead(asks))
			}
		}
		l.used(from.value)
	case pipeline.AboutSources:
		if from.value != nil {
			l.errorf(from.Place, "%s compares targets with sources: give inputs, a file or query with columns target and source, instead of targets", x.Endpoint)
			l.used(from.value)
			return nil, nil
		}
		x.Inputs = &Inputs{}
		if n := l.required(d.node, d.keys, "inputs", "the extract", "inputs: {file: NAME.csv}, with columns target and source"); n != nil {
			return nil, l.inputs(x, n)
		}
	default:
		if inputs.value != nil {
			l.errorf(inputs.Place, "%s asks about targets, not about pairs: name them under targets", x.Endpoint)
			l.used(from.value)
			return nil, nil
		}
		return l.targetsOf(x, d, from), nil
	}
	return nil, nil
}

func whatInstead(asks pipeline.Asks) string {
	if asks == pipeline.AboutParams {
		return "its targets are parameters"
	}
	return "it is about no target"
}

// targetsOf reads lists of targets, which are returned, or the query that provides them.
func (l *loader) targetsOf(x *Extract, d *draft, from field) []*targets {
	switch {
	case from.value == nil:
		l.required(d.node, d.keys, "targets", "the extract", "targets: [NAME], the name of a list under targets")
	case from.value.kind == mapping:
		f := l.section(from.value, "targets of an extract", queryKeys)
		x.SQL = l.query(x, from.value, f, "targets of an extract", "a query with a column target")
	case from.value.kind == list && len(from.value.items) == 0:
		l.errorf(from.value.Place, "targets is an empty list: name a list under targets; the lists are: %s", join(shortened(l.listed)))
	default:
		return l.chosen(from.value)
	}
	return nil
}

// used marks the lists of an extract that cannot be read further, so that they are not called unused.
func (l *loader) used(n *node) {
	if n != nil && (n.kind == list || n.kind == text || n.kind == cell) {
		l.chosen(n)
	}
}

func (l *loader) query(x *Extract, n *node, f fields, what, want string) string {
	sql := l.required(n, f, "sql", what, "sql: "+want)
	if sql == nil {
		return ""
	}
	x.QueryPlace = sql.Place
	s, ok := l.str(sql, "sql")
	if ok && strings.TrimSpace(s) == "" {
		l.errorf(sql.Place, "sql is empty: write %s", want)
	}
	return strings.TrimSpace(s)
}

// inputs reads pairs of target and source from a file, which is returned, or the query that provides them.
func (l *loader) inputs(x *Extract, n *node) *sheet {
	f := l.section(n, "inputs", inputKeys)
	switch file := f["file"]; {
	case file.value != nil && f["sql"].value != nil:
		l.errorf(file.Place, "inputs has file and sql: keep one")
	case file.value != nil:
		return l.pairSheet(file.value)
	case n.kind == mapping && n.has("file"):
	case n.kind == mapping:
		x.Inputs.SQL = l.query(x, n, f, "inputs", "a query with columns target and source")
	}
	return nil
}

func (l *loader) pairSheet(file *node) *sheet {
	s := l.sheet(file)
	if s == nil || l.column(s, "target") < 0 || l.column(s, "source") < 0 {
		return nil
	}
	if s.rows() == 0 {
		l.warnf(Place{s.file, 1, 1}, "the file has a header and no inputs")
	}
	return s
}
