package run

import (
	"context"
	"fmt"
	"slices"
	"strconv"
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
		if e.Query != "" {
			continue // a mart is worked out from what is published
		}
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

// checkMarts holds what the published night makes of the marts against what the job expects of them, and writes down all findings.
// A mart that cannot be asked is told, and changes nothing of how the run ended.
func (r *runner) checkMarts(ctx context.Context, result *Result, now publication) error {
	if now.loaded == nil {
		return nil
	}
	for _, e := range r.Expectations {
		if e.Query == "" {
			continue
		}
		found, err := r.count(ctx, e.Query)
		if err != nil {
			result.Notes = append(result.Notes, fmt.Sprintf("what is expected of %s could not be checked: %v", e.Table, err))
			continue
		}
		result.Findings = append(result.Findings, e.Judge("rows", &found, e.MinRows, e.MaxRows))
	}
	return account.Books{Run: result.Run, RunDate: r.RunDate}.WriteFindings(result.Findings, r.shelf(ctx))
}

// count returns the number that a query answers.
func (r *runner) count(ctx context.Context, query string) (int64, error) {
	_, rows, err := r.Lake.Ask(ctx, query, nil)
	if err != nil {
		return 0, err
	}
	if len(rows) != 1 || len(rows[0]) != 1 || rows[0][0] == nil {
		return 0, fmt.Errorf("%s does not answer with a number", query)
	}
	return strconv.ParseInt(*rows[0][0], 10, 64)
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
