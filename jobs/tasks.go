package jobs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"

	"backhaul/pipeline"
)

// Tasks makes the extract's tasks, one after another: one per target, in the order of the targets; batches of targets, sorted,
// where the endpoint takes many; one per target with all its sources where it asks about sources. None for an extract whose
// targets or inputs come from SQL: see Resolve.
func (x *Extract) Tasks() iter.Seq[pipeline.Task] {
	return func(yield func(pipeline.Task) bool) {
		for t := range x.nameless() {
			t.ID = pipeline.TaskID(t)
			if !yield(t) {
				return
			}
		}
	}
}

// Count returns how many tasks the extract has.
func (x *Extract) Count() (n int) {
	for range x.nameless() {
		n++
	}
	return n
}

// Sample returns a task like those of the extract, for whoever asks what they cost: the first, or one about no target where
// none is known. It has no ID.
func (x *Extract) Sample() pipeline.Task {
	for t := range x.nameless() {
		return t
	}
	t := x.common()
	t.Scope, t.Params = x.Scope, x.Params
	return t
}

// nameless makes the tasks without their IDs.
func (x *Extract) nameless() iter.Seq[pipeline.Task] {
	switch x.Endpoint.Asks {
	case pipeline.AboutNothing:
		t := x.common()
		t.Scope, t.Params = x.Scope, x.Params
		return one(t)
	case pipeline.AboutParams:
		return one(x.aboutParams())
	case pipeline.AboutTargets:
		return x.batches()
	case pipeline.AboutSources:
		return x.compared()
	}
	return x.targets()
}

func one(t pipeline.Task) iter.Seq[pipeline.Task] {
	return func(yield func(pipeline.Task) bool) { yield(t) }
}

// common is what all tasks of the extract have in common.
func (x *Extract) common() pipeline.Task {
	return pipeline.Task{Extract: x.Name, Endpoint: x.Endpoint.String(), Surface: x.Endpoint.Surface, MaxRows: x.MaxRows, Priority: x.Priority}
}

func (x *Extract) aboutParams() pipeline.Task {
	var params map[string]any
	if err := json.Unmarshal([]byte(x.Params), &params); err != nil {
		panic(fmt.Sprintf("decode the parameters of %s: %v", x.Name, err)) // encoded by request.ask
	}
	t := x.common()
	t.Target, t.Scope = x.Endpoint.TargetOf(params)
	t.TargetAsGiven, t.Params = t.Target, x.Params
	return t
}

func (x *Extract) targets() iter.Seq[pipeline.Task] {
	return func(yield func(pipeline.Task) bool) {
		t := x.common()
		for i := range x.Targets {
			about := &x.Targets[i]
			t.Target, t.TargetAsGiven, t.Scope, t.Params = about.Target, about.AsGiven, about.Scope, about.Params
			if !yield(t) {
				return
			}
		}
	}
}

// Size is how many rows, or inputs of a batch, to ask for at a time.
func (x *Extract) Size() int {
	if x.Limit > 0 {
		return x.Limit
	}
	return x.Endpoint.PageSize
}

// batches cuts the targets of equal parameters into batches. They are sorted first, so that the same targets are the same
// batches whatever their order, and the rows of a batch are sorted as the table is.
func (x *Extract) batches() iter.Seq[pipeline.Task] {
	return func(yield func(pipeline.Task) bool) {
		t := x.common()
		for alike, group := range x.byParams().all() {
			t.Scope, t.Params = alike.Scope, alike.Params
			for part := range slices.Chunk(group, max(1, x.Size())) {
				t.Inputs = make([]pipeline.Input, len(part))
				for i, m := range part {
					t.Inputs[i] = pipeline.Input{Target: m.name, TargetAsGiven: x.Targets[m.n].AsGiven}
				}
				if !yield(t) {
					return
				}
			}
		}
	}
}

func (x *Extract) byParams() *grouping {
	g := newGrouping(len(x.Targets))
	for n := range x.Targets {
		g.add(Target{Scope: x.Targets[n].Scope, Params: x.Targets[n].Params}, x.Targets[n].Target, n)
	}
	return g
}

// compared makes a task of each target with its sources.
func (x *Extract) compared() iter.Seq[pipeline.Task] {
	return func(yield func(pipeline.Task) bool) {
		if x.Inputs == nil {
			return
		}
		t := x.common()
		for i := range x.Inputs.Compared {
			c := &x.Inputs.Compared[i]
			t.Target, t.TargetAsGiven, t.Scope, t.Params, t.Inputs = c.About.Target, c.About.AsGiven, c.About.Scope, c.About.Params, c.Sources
			if !yield(t) {
				return
			}
		}
	}
}

// grouping puts together the elements of a list that are alike in something.
type grouping struct {
	alike   []Target         // what those of a group have in common, in the order in which it comes first
	at      map[Target]int32 // where it stands there
	members []member
}

// member is element n of the list.
type member struct {
	name     string
	group, n int32
}

// newGrouping returns one for so many elements at most.
func newGrouping(most int) *grouping {
	return &grouping{at: map[Target]int32{}, members: make([]member, 0, most)}
}

func (g *grouping) add(alike Target, name string, n int) {
	group, known := g.at[alike]
	if !known {
		group = int32(len(g.alike))
		g.at[alike], g.alike = group, append(g.alike, alike)
	}
	g.members = append(g.members, member{name, group, int32(n)})
}

// all yields the groups, each by name, and members of one name in the order of the list.
func (g *grouping) all() iter.Seq2[Target, []member] {
	slices.SortFunc(g.members, func(a, b member) int {
		if a.group != b.group {
			return cmp.Compare(a.group, b.group)
		}
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return cmp.Compare(a.n, b.n)
	})
	return func(yield func(Target, []member) bool) {
		for from := 0; from < len(g.members); {
			group, to := g.members[from].group, from
			for to < len(g.members) && g.members[to].group == group {
				to++
			}
			if !yield(g.alike[group], g.members[from:to]) {
				return
			}
			from = to
		}
	}
}
