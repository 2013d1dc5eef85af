package run

import (
	"context"

	"backhaul/jobs/plan"
	"backhaul/pipeline"
)

// pending is what a plan says of the steps whose tasks are not known.
func (r *runner) pending(ctx context.Context) ([]plan.Pending, error) {
	var all []plan.Pending
	for _, s := range r.waiting {
		if s.Query == "" {
			continue
		}
		p := plan.Pending{Extract: s.Extract, Endpoint: s.Endpoint, After: s.After, AtMost: r.atMost(s.After)}
		if p.After == nil {
			p.After = []string{}
		}
		if p.AtMost != nil {
			p.Worst = r.worst(s, *p.AtMost)
		}
		if r.ledger != nil {
			var err error
			if p.Last, p.Targets, p.Known, err = r.ledger.LastTime(ctx, r.run.ID, r.Name, s.Extract); err != nil {
				return nil, err
			}
		}
		all = append(all, p)
	}
	return all, nil
}

// atMost is how many rows the extracts can have together, and so how many targets a query over them is taken to yield. Nil
// where nothing bounds them.
func (r *runner) atMost(extracts []string) *int64 {
	var total int64
	for _, name := range extracts {
		rows, ok := r.mostRows(name)
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

func (r *runner) mostRows(extract string) (rows int64, ok bool) {
	items := r.Items
	for _, s := range r.Steps {
		if s.Extract != extract {
			continue
		}
		if items = s.Items; s.Query != "" {
			targets := r.atMost(s.After)
			each, bounded := rowsEach(s.Item(pipeline.Task{}))
			if targets == nil || !bounded {
				return 0, false
			}
			return *targets * each, true
		}
	}
	for _, it := range items {
		if it.Task.Extract != extract {
			continue
		}
		each, bounded := rowsEach(it)
		if !bounded {
			return 0, false
		}
		if inputs, _ := it.Task.Inputs(); len(inputs) > 0 {
			each = int64(len(inputs))
		}
		rows += each
	}
	return rows, true
}

// rowsEach is how many rows a target can bring.
func rowsEach(it plan.Item) (int64, bool) {
	switch {
	case it.Endpoint.Once, it.Endpoint.Asks.Batched():
		return 1, true
	case it.Task.MaxRows > 0:
		return it.Task.MaxRows, true
	}
	return 0, false
}

// worst is what so many targets of a step can cost, by the price of one.
func (r *runner) worst(s Step, targets int64) *plan.Cost {
	one := "a.example"
	tasks, _, err := s.Tasks([]string{"target", "source"}, [][]*string{{&one, &one}}, nil)
	if err != nil || len(tasks) != 1 {
		return nil
	}
	c := plan.Worst(s.Item(tasks[0]))
	if c == nil {
		return nil
	}
	return &plan.Cost{Pages: c.Pages * targets, Rows: c.Rows * targets, Units: c.Units * pipeline.Units(targets)}
}
