package jobs

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// order checks that the extracts' `after` lead to extracts, and never round.
func (l *loader) order(drafts []*draft) {
	names := slices.Sorted(maps.Keys(l.extracts))
	after := map[string][]*node{}
	for _, d := range drafts {
		for _, item := range d.after {
			if _, known := l.extracts[item.text]; !known {
				l.errorf(item.Place, "after names %q, which is not an extract%s the extracts are: %s",
					shorten(item.text), or(didYouMean(item.text, names), ";"), join(names))
				continue
			}
			after[d.name] = append(after[d.name], item)
		}
	}
	w := &walk{loader: l, after: after, state: map[string]state{}}
	for _, d := range drafts {
		w.visit(d.name)
	}
}

type state uint8

const (
	unseen state = iota
	open
	done
)

// walk follows `after` depth first.
type walk struct {
	*loader
	after map[string][]*node
	state map[string]state
	path  []string
}

func (w *walk) visit(name string) {
	if w.state[name] != unseen {
		return
	}
	w.state[name] = open
	w.path = append(w.path, name)
	for _, next := range w.after[name] {
		if w.state[next.text] == open {
			circle := append(slices.Clone(w.path[slices.Index(w.path, next.text):]), next.text)
			w.errorf(next.Place, "extracts wait for each other: %s; remove one of these", strings.Join(circle, " after "))
			continue
		}
		w.visit(next.text)
	}
	w.path = w.path[:len(w.path)-1]
	w.state[name] = done
}

// unannounced warns of queries that name an extract they do not wait for: its rows would not be there.
func (l *loader) unannounced() {
	for i := range l.spec.Extracts {
		x := &l.spec.Extracts[i]
		sql := x.Query()
		if sql == "" {
			continue
		}
		before := l.spec.Before(x)
		for _, name := range slices.Sorted(maps.Keys(l.extracts)) {
			said := regexp.MustCompile(`(?i)\b(from|join)\s+"?` + regexp.QuoteMeta(name) + `\b"?($|[^.\w-])`)
			if name != x.Name && !before[name] && said.MatchString(sql) {
				l.warnf(x.Place, "sql of extract %q reads %s without waiting for it: add after: [%s]", x.Name, name, name)
			}
		}
	}
}

// Before returns the names of the extracts that are complete when x begins: those of its `after`, and theirs.
func (s *Spec) Before(x *Extract) map[string]bool {
	before := map[string]bool{}
	var add func(*Extract)
	add = func(x *Extract) {
		for _, name := range x.After {
			if y := s.Extract(name); y != nil && !before[name] {
				before[name] = true
				add(y)
			}
		}
	}
	add(x)
	return before
}
