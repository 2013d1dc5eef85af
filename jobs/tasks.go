package jobs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"backhaul/pipeline"
)

// Tasks returns the extract's tasks: one per target, in the order of the targets; batches of targets, sorted, where the
// endpoint takes many; one per target with all its sources where it asks about sources. None for an extract whose targets
// or inputs come from SQL: see Resolve.
func (x *Extract) Tasks() []pipeline.Task {
	switch x.Endpoint.Asks {
	case pipeline.AboutNothing:
		return []pipeline.Task{x.task(pipeline.Task{Scope: x.Scope, Params: x.Params})}
	case pipeline.AboutParams:
		return []pipeline.Task{x.aboutParams()}
	case pipeline.AboutTargets:
		return x.batches()
	case pipeline.AboutSources:
		return x.pairs()
	}
	tasks := make([]pipeline.Task, len(x.Targets))
	for i, t := range x.Targets {
		tasks[i] = x.task(pipeline.Task{Target: t.Target, TargetAsGiven: t.AsGiven, Scope: t.Scope, Params: t.Params})
	}
	return tasks
}

// task fills in what all tasks of the extract have in common.
func (x *Extract) task(t pipeline.Task) pipeline.Task {
	t.Extract, t.Endpoint, t.Surface = x.Name, x.Endpoint.String(), x.Endpoint.Surface
	t.MaxRows, t.Priority = x.MaxRows, x.Priority
	t.ID = pipeline.TaskID(t)
	return t
}

func (x *Extract) aboutParams() pipeline.Task {
	var params map[string]any
	if err := json.Unmarshal([]byte(x.Params), &params); err != nil {
		panic(fmt.Sprintf("decode the parameters of %s: %v", x.Name, err)) // encoded by request.ask
	}
	target, scope := x.Endpoint.TargetOf(params)
	return x.task(pipeline.Task{Target: target, TargetAsGiven: target, Scope: scope, Params: x.Params})
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
func (x *Extract) batches() []pipeline.Task {
	var tasks []pipeline.Task
	for _, group := range groups(x.Targets, func(t Target) string { return t.Params }) {
		slices.SortFunc(group, func(a, b Target) int { return cmp.Compare(a.Target, b.Target) })
		for part := range slices.Chunk(group, max(1, x.Size())) {
			inputs := make([]pipeline.Input, len(part))
			for i, t := range part {
				inputs[i] = pipeline.Input{Target: t.Target, TargetAsGiven: t.AsGiven}
			}
			tasks = append(tasks, x.task(pipeline.Task{Scope: part[0].Scope, Params: part[0].Params, Inputs: inputs}))
		}
	}
	return tasks
}

// pairs makes a task of each target with its sources, sorted as targets are in batches.
func (x *Extract) pairs() []pipeline.Task {
	if x.Inputs == nil {
		return nil
	}
	var tasks []pipeline.Task
	for _, group := range groups(x.Inputs.Rows, func(in Input) [2]string { return [2]string{in.Target, in.Params} }) {
		slices.SortFunc(group, func(a, b Input) int { return cmp.Compare(a.Source, b.Source) })
		inputs := make([]pipeline.Input, len(group))
		for i, in := range group {
			inputs[i] = pipeline.Input{Source: in.Source, SourceAsGiven: in.SourceAsGiven}
		}
		first := group[0]
		tasks = append(tasks, x.task(pipeline.Task{Target: first.Target, TargetAsGiven: first.TargetAsGiven, Scope: first.Scope, Params: first.Params,
			Inputs: inputs}))
	}
	return tasks
}

// groups puts together what has the same key, in the order in which keys come first.
func groups[T any, K comparable](all []T, key func(T) K) [][]T {
	at := map[K]int{}
	var sizes []int
	for _, v := range all {
		i, known := at[key(v)]
		if !known {
			i = len(sizes)
			at[key(v)] = i
			sizes = append(sizes, 0)
		}
		sizes[i]++
	}
	out := make([][]T, len(sizes))
	for i, n := range sizes {
		out[i] = make([]T, 0, n)
	}
	for _, v := range all {
		i := at[key(v)]
		out[i] = append(out[i], v)
	}
	return out
}
