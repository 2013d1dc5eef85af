package chain

import (
	"context"
	"fmt"
	"strings"

	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/words"
)

// placeholder stands in ops.tasks for the tasks of an extract that are not known, because it never came to make them.
func placeholder(s Step) pipeline.Task {
	t := pipeline.Task{Extract: s.Extract, Endpoint: s.Endpoint.String(), Surface: s.Endpoint.Surface, Params: pipeline.PlaceholderParams}
	t.ID = pipeline.TaskID(t)
	return t
}

// Left is what becomes of the steps that did not begin.
type Left struct {
	// Records say of their placeholders, by their ids, why they were not reached.
	Records map[string]string
	// CutOff are the endpoints of steps that something kept from beginning that has nothing to do with them.
	CutOff []*pipeline.Endpoint
	// Notes say to people which steps did not begin and why, and before that what is wrong with rows that became no task.
	Notes []string
}

// Leave ends the waiting: steps whose tasks are known keep them, the others get a placeholder beside what they have bought.
func (c *Chain) Leave(ctx context.Context, past Past) (left Left, err error) {
	left.Records = map[string]string{}
	for _, s := range c.waiting {
		c.noteWaiting(s)
		tasks, final, err := c.made(ctx, past, s)
		if err != nil {
			return left, err
		}
		c.items = append(c.items, s.items(tasks)...)
		if !final {
			t := placeholder(s)
			c.items = append(c.items, plan.Item{Task: t, Endpoint: s.Endpoint})
			left.Records[t.ID] = c.whyWaiting(s)
		}
		switch c.stopped[s.Endpoint.Vendor] {
		case pipeline.EndInterrupted, pipeline.EndDenied, pipeline.EndUnreachable:
			left.CutOff = append(left.CutOff, s.Endpoint)
		}
	}
	c.waiting = nil
	left.Notes = c.notes
	return left, nil
}

// noteWaiting says to people why a step did not begin, where they can do something about it.
func (c *Chain) noteWaiting(s Step) {
	if why := c.partial[s.Extract]; why != "" {
		c.notes = append(c.notes, "extract "+s.Extract+" "+why)
	}
	if !c.cfg.Select(s.Extract) {
		return
	}
	for _, name := range s.After {
		if !c.cfg.Select(name) {
			c.notes = append(c.notes, fmt.Sprintf("extract %s waits for %s, which was not selected", s.Extract, name))
		}
	}
}

// lacking says why a step cannot begin though what it waits for is over: a list that its query asks about is not whole. What is
// missing from a list looks gone to a query, and what it finds instead is bought for nothing. So it waits until the list is whole,
// or the user says so ([Config.Again]); a step that has asked before keeps its tasks. Answers that stand each alone, one request
// for a target, hold nobody up.
func (c *Chain) lacking(ctx context.Context, past Past, s Step, tasks []ledger.Task) (why string, err error) {
	if s.Query == "" || c.cfg.Again {
		return "", nil
	}
	if _, settled, err := c.made(ctx, past, s); settled || err != nil {
		return "", err
	}
	for _, name := range s.After {
		if e := c.endpointOf(name); e.Once || e.Asks.Batched() {
			continue
		}
		if why, err = c.short(ctx, past, name, tasks); err != nil {
			return "", err
		}
		if why == "" {
			continue
		}
		cost, _, known, err := c.cfg.LastTime(ctx, s.Extract)
		if known {
			why += fmt.Sprintf("; %s cost %s the last time", s.Extract, words.Plural(cost.Units, "unit"))
		}
		return why + "; `backhaul run --again` asks about what there is", err
	}
	return "", nil
}

// short says what the lists of an extract lack, "" if nothing.
func (c *Chain) short(ctx context.Context, past Past, extract string, tasks []ledger.Task) (string, error) {
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
	if _, err := c.relate(ctx, past, tasks, []string{extract}); err != nil {
		return "", err
	}
	if n := c.unfit[extract]; n > 0 {
		return fmt.Sprintf("waits for %s, of which %s did not fit", extract, words.Plural(n, "row")), nil
	}
	return "", nil
}

func (c *Chain) whyWaiting(s Step) string {
	switch {
	case !c.cfg.Select(s.Extract):
		return "was not selected"
	case c.partial[s.Extract] != "":
		return c.partial[s.Extract]
	case c.failed[s.Extract] != nil:
		return c.failed[s.Extract].Error()
	case len(s.After) > 0:
		return "waits for " + strings.Join(s.After, ", ")
	}
	return "its turn never came"
}
