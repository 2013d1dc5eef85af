package jobs

import (
	"maps"
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
				l.errorf(item.Place, "after names %q, which is no extract%s the extracts are: %s",
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
