package chain

import (
	"context"

	"backhaul/jobs/plan"
	"backhaul/pipeline"
)

// Pending is what a plan says of the steps that wait: what those cost whose tasks are known, and what is expected of the
// others. mark says of an item how far it has come; asked that the vendors have been asked for their indexes.
func (c *Chain) Pending(ctx context.Context, past Past, mark func(*plan.Item), asked bool) ([]plan.Pending, error) {
	var all []plan.Pending
	for _, s := range c.waiting {
		if !c.cfg.Select(s.Extract) {
			continue
		}
		tasks, final, err := c.made(ctx, past, s)
		if err != nil {
			return nil, err
		}
		if final {
			items := s.items(tasks)
			for i := range items {
				mark(&items[i])
			}
			all = append(all, plan.Pending{Extract: s.Extract, Endpoint: s.Endpoint, After: s.After, Items: items})
			continue
		}
		it := s.Item(pipeline.Task{})
		p := plan.Pending{Extract: s.Extract, Endpoint: s.Endpoint, After: s.After, AtMost: c.atMost(s.After), MaxUnits: it.MaxUnits}
		if p.After == nil {
			p.After = []string{}
		}
		if p.AtMost != nil {
			p.Worst = worst(s, *p.AtMost)
		}
		if p.Last, p.Targets, p.Known, err = c.cfg.LastTime(ctx, s.Extract); err != nil {
			return nil, err
		}
		p.IndexDecides = it.OnlyIfIndexChanged && p.Known && !asked
		all = append(all, p)
	}
	return all, nil
}

// atMost is how many rows the extracts can have together, and so how many targets a query over them is taken to yield. Nil
// where nothing bounds them.
func (c *Chain) atMost(extracts []string) *int64 {
	var total int64
	for _, name := range extracts {
		rows, ok := c.mostRows(name)
		if !ok {
			return nil
		}
		total += rows
	}
	if len(extracts) == 0 {
		return nil
	}
	return &total
}

func (c *Chain) mostRows(extract string) (rows int64, ok bool) {
	items := c.All()
	for _, s := range c.cfg.Steps {
		if s.Extract != extract {
			continue
		}
		if s.Query != "" {
			targets := c.atMost(s.After)
			it := s.Item(pipeline.Task{})
			each, bounded := rowsEach(&it)
			if targets == nil || !bounded {
				return 0, false
			}
			return *targets * each, true
		}
		tasks, _, err := s.Make(nil, nil, nil)
		if err != nil {
			return 0, false
		}
		items = plan.Each(s.items(tasks))
	}
	for it := range items {
		if it.Task.Extract != extract {
			continue
		}
		each, bounded := rowsEach(it)
		if !bounded {
			return 0, false
		}
		rows += each
	}
	return rows, true
}

// rowsEach is how many rows a task can bring; of a batch that is not made yet, one.
func rowsEach(it *plan.Item) (int64, bool) {
	e := it.Endpoint
	switch {
	case e.Asks.Batched():
		return int64(max(1, len(it.Task.Inputs))), true
	case it.Task.MaxRows > 0:
		return it.Task.MaxRows, true
	case e.Once:
		rule, err := e.PriceOf(it.Task, pipeline.Ask{})
		return int64(max(1, rule.MaxRows)), err == nil
	}
	return 0, false
}

// worst is what so many targets of a step can cost, by the price of one.
func worst(s Step, targets int64) *pipeline.Cost {
	one := "a.example"
	tasks, _, err := s.Make([]string{"target", "source"}, [][]*string{{&one, &one}}, nil)
	if err != nil || len(tasks) != 1 {
		return nil
	}
	it := s.Item(tasks[0])
	cost := plan.Worst(&it)
	if cost == nil {
		return nil
	}
	pages := cost.Pages * targets
	if s.Endpoint.Asks == pipeline.AboutTargets {
		pages = (targets + int64(it.PageSize) - 1) / int64(it.PageSize)
	}
	return &pipeline.Cost{Pages: pages, Rows: cost.Rows * targets, Units: cost.Units * pipeline.Units(targets)}
}
