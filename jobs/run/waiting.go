package run

import (
	"context"
	"slices"
	"strings"

	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
)

// giveUp notes which vendors were given up, so that no step begins there.
func (r *runner) giveUp(stops []*engine.StopError) {
	for _, s := range stops {
		r.stopped[s.Vendor] = s.Ending
	}
}

// placeholder stands in ops.tasks for the tasks of an extract that are not known, because it never came to make them.
func placeholder(s Step) pipeline.Task {
	t := pipeline.Task{Extract: s.Extract, Endpoint: s.Endpoint.String(), Surface: s.Endpoint.Surface, Params: ledger.PlaceholderParams}
	t.ID = pipeline.TaskID(t)
	return t
}

// real returns the tasks that are no placeholders: those that can have pages.
func real(tasks []pipeline.Task) []pipeline.Task {
	return slices.DeleteFunc(slices.Clone(tasks), ledger.IsPlaceholder)
}

// leaveWaiting records the steps that did not begin: those whose tasks are known keep them, the others get a placeholder
// beside what they have bought.
func (r *runner) leaveWaiting(ctx context.Context) error {
	var records []ledger.Task
	for _, s := range r.waiting {
		tasks, final, err := r.made(ctx, s)
		if err != nil {
			return err
		}
		r.items = append(r.items, s.items(tasks)...)
		if !final {
			t := placeholder(s)
			r.items = append(r.items, plan.Item{Task: t, Endpoint: s.Endpoint})
			records = append(records, ledger.Task{Task: t, Ending: pipeline.EndNotReached, Error: r.whyWaiting(s), Ended: r.Now().UTC()})
		}
		switch r.stopped[s.Endpoint.Vendor] {
		case pipeline.EndInterrupted, pipeline.EndDenied, pipeline.EndUnreachable:
			r.hold(s.Endpoint)
		}
	}
	r.waiting = nil
	if err := r.intend(ctx); err != nil || len(records) == 0 {
		return err
	}
	return r.ledger.Record(ctx, r.run.ID, records...)
}

func (r *runner) whyWaiting(s Step) string {
	switch {
	case r.failed[s.Extract] != nil:
		return r.failed[s.Extract].Error()
	case len(s.After) > 0:
		return "waits for " + strings.Join(s.After, ", ")
	}
	return "its turn never came"
}
