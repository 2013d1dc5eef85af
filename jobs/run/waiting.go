package run

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
	"backhaul/pipeline/words"
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
		if why := r.partial[s.Extract]; why != "" {
			r.notes = append(r.notes, "extract "+s.Extract+" "+why)
		}
		if r.Select(s.Extract) {
			for _, name := range s.After {
				if !r.Select(name) {
					r.notes = append(r.notes, fmt.Sprintf("extract %s waits for %s, which was not selected", s.Extract, name))
				}
			}
		}
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

// lacking says why a step cannot begin though what it waits for is over: a list that its query asks about is not whole. What is
// missing from a list looks gone to a query, and what it finds instead is bought for nothing. So it waits until the list is whole,
// or the user says so ([Options.Again]); a step that has asked before keeps its tasks. Answers that stand each alone, one request
// for a target, hold nobody up.
func (r *runner) lacking(ctx context.Context, s Step, tasks []ledger.Task) (why string, err error) {
	if s.Query == "" || r.Again {
		return "", nil
	}
	if _, settled, err := r.made(ctx, s); settled || err != nil {
		return "", err
	}
	for _, name := range s.After {
		if e := r.endpointOf(name); e.Once || e.Asks.Batched() {
			continue
		}
		if why, err = r.short(ctx, name, tasks); err != nil {
			return "", err
		}
		if why == "" {
			continue
		}
		cost, _, known, err := r.ledger.LastTime(ctx, r.run.ID, r.Name, s.Extract)
		if known {
			why += fmt.Sprintf("; %s cost %s the last time", s.Extract, words.Plural(cost.Units, "unit"))
		}
		return why + "; `backhaul run --again` asks about what there is", err
	}
	return "", nil
}

// short says what the lists of an extract lack, "" if nothing.
func (r *runner) short(ctx context.Context, extract string, tasks []ledger.Task) (string, error) {
	all, open := 0, 0
	for _, t := range tasks {
		if t.Extract == extract {
			all++
			if !t.Ending.Complete() {
				open++
			}
		}
	}
	if open > 0 {
		return fmt.Sprintf("waits for %s, of whose %s %d did not complete", extract, words.Plural(all, "list"), open), nil
	}
	if _, err := r.relate(ctx, tasks, []string{extract}); err != nil {
		return "", err
	}
	if n := r.unfit[extract]; n > 0 {
		return fmt.Sprintf("waits for %s, of which %s did not fit", extract, words.Plural(n, "row")), nil
	}
	return "", nil
}

func (r *runner) whyWaiting(s Step) string {
	switch {
	case !r.Select(s.Extract):
		return "was not selected"
	case r.partial[s.Extract] != "":
		return r.partial[s.Extract]
	case r.failed[s.Extract] != nil:
		return r.failed[s.Extract].Error()
	case len(s.After) > 0:
		return "waits for " + strings.Join(s.After, ", ")
	}
	return "its turn never came"
}
