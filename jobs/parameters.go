package jobs

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Parameters are what the user sets of a spec's parameters, by their names.
type Parameters struct {
	// Set is what was set for this spec: a name that it does not declare is a mistake.
	Set map[string]string
	// Ambient returns what the surroundings say of a parameter that a spec declares and Set does not set; "" is nothing.
	// Default: nothing.
	Ambient func(name string) (string, error)
}

// The names of parameters, and how values refer to them: ${client}. $${client} is the text ${client}.
var (
	parameterName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	reference     = regexp.MustCompile(`\$\{([^}]*)\}`)
	escaped       = regexp.MustCompile(`\$?\$\{[^}]*\}`)
)

// secretive are words of names under which people would put a secret: values of parameters are not secrets, as they become
// names, targets and rows.
var secretive = regexp.MustCompile(`token|secret|passw|api_?key|credential`)

// maxValue bounds a value, in bytes.
const maxValue = 64 << 10

// parameter is one that the spec declares.
type parameter struct {
	Place
	value string
	// known: it has a value. usual: that is its default.
	known, usual bool
	sameRun      bool
}

// fillIn puts the values of the job's parameters where the spec refers to them. It reports whether the spec can be read
// further: what lacks a value would look like mistakes everywhere.
func (l *loader) fillIn(root *node) bool {
	before := len(l.list)
	var job *node
	declared := map[string]parameter{}
	for _, f := range root.fields {
		switch f.key {
		case "job":
			job = f.value
		case "parameters":
			declared = l.declared(f.value)
		}
	}
	l.strangers(root.Place, declared)
	l.apart(job, declared)
	r := replacing{l, declared, map[*node]bool{}}
	for _, f := range root.fields {
		if f.key != "parameters" {
			r.node(f.value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		fmt.Fprintf(l.digest, "%s\x00%s\x00", name, declared[name].value)
	}
	return !Failed(l.list[before:])
}

// declared reads the section of parameters, with the values they have.
func (l *loader) declared(n *node) map[string]parameter {
	out := map[string]parameter{}
	if n.kind != mapping {
		l.errorf(n.Place, "parameters must be a mapping of names (client: {default: acme}), not %s", n.kind)
		return out
	}
	for _, f := range n.fields {
		switch {
		case !parameterName.MatchString(f.key):
			l.errorf(f.Place, "parameter %q: a name begins with a letter and holds only a-z, 0-9 and _", shorten(f.key))
		case secretive.MatchString(f.key):
			l.errorf(f.Place, "parameter %q sounds like a secret, and a parameter's value is not kept secret: credentials come from their own variables, see `backhaul help credentials`", f.key)
		default:
			out[f.key] = l.declaration(f)
		}
	}
	return out
}

func (l *loader) declaration(f field) parameter {
	keys := l.section(f.value, fmt.Sprintf("parameter %q", f.key), parameterKeys)
	p := parameter{Place: f.Place}
	fallback := keys["default"].value
	if fallback != nil && (fallback.kind == list || fallback.kind == mapping) {
		l.errorf(fallback.Place, "the default of parameter %q must be one value, not %s", f.key, fallback.kind)
		fallback = nil
	}
	if n := keys["meaning"].value; n != nil {
		l.str(n, "meaning")
	}
	if n := keys["same_run"].value; n != nil {
		same, _ := l.truth(n, "same_run")
		p.sameRun = same == true
	}
	var set bool
	var err error
	switch p.value, set, err = l.given.of(f.key); {
	case err != nil:
		l.errorf(f.Place, "parameter %q: %v", f.key, err)
	case set:
		l.sound(f, p.value)
	case fallback != nil:
		p.value = fallback.text
	default:
		l.errorf(f.Place, "parameter %q has no value: set it with --set %[1]s=VALUE, or with %s in the environment, or give it a default", f.key, Variable(f.key))
	}
	p.known = set || fallback != nil
	p.usual = fallback != nil && p.value == fallback.text
	return p
}

// Variable is the variable of the environment that sets a parameter. No other is ever read for a spec, which may come from
// somebody who must not learn what the environment holds.
func Variable(parameter string) string { return "BACKHAUL_PARAM_" + strings.ToUpper(parameter) }

func (p Parameters) of(name string) (value string, set bool, err error) {
	if value, set = p.Set[name]; set || p.Ambient == nil {
		return value, set, nil
	}
	value, err = p.Ambient(name)
	return value, value != "", err
}

// sound refuses what no value of a spec may be.
func (l *loader) sound(f field, value string) {
	if !utf8.ValidString(value) || len(value) > maxValue || strings.ContainsFunc(value, unicode.IsControl) {
		l.errorf(f.Place, "the value set for parameter %q must be one line of text, of at most %d KiB", f.key, maxValue>>10)
	}
}

// strangers refuses values for parameters that the spec does not declare.
func (l *loader) strangers(at Place, declared map[string]parameter) {
	names := slices.Sorted(maps.Keys(declared))
	for _, name := range slices.Sorted(maps.Keys(l.given.Set)) {
		if _, ok := declared[name]; !ok {
			l.errorf(at, "--set %s: the spec declares no such parameter%s it declares: %s", shorten(name), or(didYouMean(name, names), ";"), join(names))
		}
	}
}

// apart sees to it that what is bought for one value and for another are two runs: a run is known by its job and date.
func (l *loader) apart(job *node, declared map[string]parameter) {
	named := map[string]bool{}
	if job != nil {
		for _, m := range reference.FindAllStringSubmatch(job.text, -1) {
			named[m[1]] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		if p := declared[name]; p.known && !p.usual && !p.sameRun && !named[name] {
			l.errorf(p.Place, "parameter %q is not in the job's name, so runs of two values on one date would be one run: "+
				"write job: NAME-${%[1]s}, or same_run: true here if another value is to edit the run", name)
		}
	}
}

// replacing puts values into nodes, each once: aliases share them.
type replacing struct {
	*loader
	declared map[string]parameter
	done     map[*node]bool
}

func (r *replacing) node(n *node) {
	if r.done[n] {
		return
	}
	r.done[n] = true
	for _, item := range n.items {
		r.node(item)
	}
	for _, f := range n.fields {
		r.node(f.value)
	}
	if n.kind != text || !strings.Contains(n.text, "${") {
		return
	}
	if m := reference.FindStringSubmatch(n.text); m != nil && m[0] == n.text {
		n.kind = cell // the whole value: it may be a number
	}
	n.text = escaped.ReplaceAllStringFunc(n.text, func(found string) string { return r.value(n.Place, found) })
}

// value returns what stands for a reference.
func (r *replacing) value(at Place, found string) string {
	if strings.HasPrefix(found, "$$") {
		return found[1:]
	}
	name := found[2 : len(found)-1]
	p, ok := r.declared[name]
	if !ok {
		names := slices.Sorted(maps.Keys(r.declared))
		r.errorf(at, "%s names no parameter of the job%s declare it under parameters, or write $%[1]s for the text itself; there are: %[3]s",
			shorten(found), or(didYouMean(name, names), ";"), join(names))
	}
	return p.value
}
