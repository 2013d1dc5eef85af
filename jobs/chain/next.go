package chain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
)

// Next takes from the waiting steps those that can begin, makes their tasks known and returns their extracts; none if
// nothing can begin any more. tasks are those of the run as its journal has them.
func (c *Chain) Next(ctx context.Context, past Past, tasks []ledger.Task) ([]string, error) {
	var waiting []Step
	var names []string
	var items []plan.Item
	for _, s := range c.waiting {
		if !c.cfg.Select(s.Extract) {
			known, err := c.leaveOut(ctx, past, s)
			if err != nil {
				return nil, err
			}
			if !known {
				waiting = append(waiting, s)
			}
			continue
		}
		if _, stopped := c.stopped[s.Endpoint.Vendor]; stopped || c.failed[s.Extract] != nil || !c.over(tasks, s.After...) {
			waiting = append(waiting, s)
			continue
		}
		why, err := c.lacking(ctx, past, s, tasks)
		if err != nil {
			return nil, err
		}
		if c.partial[s.Extract] = why; why != "" {
			waiting = append(waiting, s)
			continue
		}
		made, err := c.resolve(ctx, past, s, tasks)
		if errors.As(err, new(queryError)) && ctx.Err() == nil {
			// The extract's own fault holds only those up that wait for it.
			c.failed[s.Extract] = err
			waiting = append(waiting, s)
			continue
		}
		if err != nil {
			return nil, err
		}
		items, names = append(items, made...), append(names, s.Extract)
	}
	c.items, c.waiting = append(c.items, items...), waiting
	for _, name := range names {
		c.known[name] = true
	}
	return names, nil
}

// leaveOut makes the tasks known of a step that is not selected, as far as they are: others may wait for what it has bought.
func (c *Chain) leaveOut(ctx context.Context, past Past, s Step) (known bool, err error) {
	tasks, final, err := c.made(ctx, past, s)
	if err != nil || !final {
		return false, err
	}
	c.items = append(c.items, s.items(tasks)...)
	c.known[s.Extract] = true
	return true, nil
}

// over reports whether nothing more will come of the extracts in this execution, and that not because it was stopped: they
// are complete, or what they lack failed by itself when its turn was.
func (c *Chain) over(tasks []ledger.Task, extracts ...string) bool {
	for _, name := range extracts {
		if !c.known[name] {
			return false
		}
	}
	for _, t := range tasks {
		failed := c.tried[t.Extract] && (t.Ending == pipeline.EndFault || t.Ending == pipeline.EndStale || t.Ending == pipeline.EndRepeats)
		if slices.Contains(extracts, t.Extract) && !t.Ending.Complete() && !failed {
			return false
		}
	}
	return true
}

// resolve returns the items of a step, asking its query if need be.
func (c *Chain) resolve(ctx context.Context, past Past, s Step, tasks []ledger.Task) ([]plan.Item, error) {
	made, final, err := c.made(ctx, past, s)
	if err == nil && !final {
		made, err = c.ask(ctx, past, s, tasks, made)
	}
	if err != nil {
		return nil, fmt.Errorf("extract %s: %w", s.Extract, err)
	}
	return s.items(made), nil
}

// made returns the step's tasks as far as they are known without asking. final says that they are all; else they are those
// that have been bought, which stay.
func (c *Chain) made(ctx context.Context, past Past, s Step) (tasks []pipeline.Task, final bool, err error) {
	if s.Query == "" {
		held, err := past.bought(ctx, s.Extract)
		if err != nil {
			return nil, false, err
		}
		tasks, _, err = s.Make(nil, nil, held)
		return tasks, err == nil, err
	}
	known, ok, err := past.Memory.Resolution(ctx, s.Extract)
	if err != nil || !ok || known.Digest != s.Digest {
		return nil, false, err
	}
	if known.Final && known.Basis == c.basis(s) {
		return known.Tasks, true, nil
	}
	for _, t := range known.Tasks {
		if past.Places[t.ID].Pages > 0 {
			tasks = append(tasks, t)
		}
	}
	return tasks, false, nil
}

// bought returns the extract's tasks that have a page.
func (p Past) bought(ctx context.Context, extract string) (held []pipeline.Task, err error) {
	all, err := p.Memory.Tasks(ctx)
	for _, t := range all {
		if t.Extract == extract && p.Places[t.ID].Pages > 0 {
			held = append(held, t)
		}
	}
	return held, err
}

// basis identifies what a step's query can see of this run: the tasks of the extracts it waits for, and the job's tables that
// it names. If that changes, its answer may.
func (c *Chain) basis(s Step) string {
	var parts []string
	for it := range c.All() {
		if slices.Contains(s.After, it.Task.Extract) {
			parts = append(parts, fmt.Sprintf("%s %d", it.Task.ID, it.Task.MaxRows))
		}
	}
	slices.Sort(parts)
	for _, l := range c.cfg.Lists {
		if strings.Contains(s.Query, l.Name) {
			parts = append(parts, l.Name+" "+l.Digest)
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}
