package run

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"backhaul/jobs/account"
	"backhaul/jobs/load"
	"backhaul/pipeline"
)

// Expectation is what an extract, or a table of a job, is to bring each night.
type Expectation = account.Expectation

// check holds what was loaded against what the job expects, before any of it is published. A breach that holds keeps the tables
// of its extract from being published, unless the user accepts them.
func (r *runner) check(ctx context.Context, result *Result, tasks []pipeline.Task, loaded *load.Loaded) error {
	night := account.Night{Date: r.RunDate, Places: r.places, Loaded: loaded, Drift: result.Drift, Before: sync.OnceValues(func() (account.Whole, error) {
		return account.WholeBefore(func(query string) (rows [][]*string, err error) {
			_, rows, err = r.Lake.Ask(ctx, query, nil)
			return rows, err
		}, r.Name, r.RunDate)
	})}
	for _, e := range r.Expectations {
		concerned, endpoint, err := r.concerned(e, tasks)
		if err != nil {
			return err
		}
		if len(concerned) == 0 {
			continue
		}
		findings, err := night.Findings(e, concerned)
		if err != nil {
			return fmt.Errorf("check what is expected of %s%s: %w", e.Extract, e.Table, err)
		}
		for i := range findings {
			if f := &findings[i]; f.Breached && e.Hold && !r.Accept {
				f.Held = true
				r.hold(endpoint)
			}
		}
		result.Findings = append(result.Findings, findings...)
	}
	return nil
}

// concerned are the tasks that an expectation is about, and their endpoint.
func (r *runner) concerned(e account.Expectation, tasks []pipeline.Task) (some []pipeline.Task, endpoint *pipeline.Endpoint, err error) {
	for _, t := range r.loadable(slices.Clone(tasks)) {
		source, err := r.Sources(t)
		if err != nil {
			return nil, nil, err
		}
		if t.Extract == e.Extract || source.Endpoint().Table.FullName() == e.Table {
			some, endpoint = append(some, t), source.Endpoint()
		}
	}
	return some, endpoint, nil
}
