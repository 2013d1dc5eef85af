package run

import (
	"context"
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
	t := pipeline.Task{Extract: s.Extract, Endpoint: s.Endpoint.String(), Surface: s.Endpoint.Surface, Params: placeholderParams}
	t.ID = pipeline.TaskID(t)
	return t
}

// placeholderParams is no JSON object, so that no task of a spec has it.
const placeholderParams = "waiting"

func isPlaceholder(t pipeline.Task) bool { return t.Params == placeholderParams }

// leaveWaiting records the steps that did not begin: those whose tasks are known from an earlier execution keep them, the
// others get a placeholder.
func (r *runner) leaveWaiting(ctx context.Context) error {
	var records []ledger.Task
	for _, s := range r.waiting {
		items := s.Items
		if s.Query != "" {
			known, tasks, err := r.resolved(ctx, s)
			if err != nil {
				return err
			}
			if known == nil || !known.Final {
				tasks = append(tasks, placeholder(s))
			}
			for _, t := range tasks {
				if !isPlaceholder(t) {
					items = append(items, s.Item(t))
					continue
				}
				why := "its turn never came"
				switch {
				case r.failed[s.Extract] != nil:
					why = r.failed[s.Extract].Error()
				case len(s.After) > 0:
					why = "waits for " + strings.Join(s.After, ", ")
				}
				items = append(items, plan.Item{Task: t, Endpoint: s.Endpoint})
				records = append(records, ledger.Task{Task: t, Ending: pipeline.EndNotReached, Error: why, Ended: r.Now().UTC()})
			}
		}
		r.items = append(r.items, items...)
		switch r.stopped[s.Endpoint.Vendor] {
		case pipeline.EndInterrupted, pipeline.EndDenied, pipeline.EndUnreachable:
			r.held[s.Endpoint.Table] = true
		}
	}
	r.waiting = nil
	if err := r.intend(ctx); err != nil {
		return err
	}
	if len(records) == 0 {
		return nil
	}
	return r.ledger.Record(ctx, r.run.ID, records...)
}
