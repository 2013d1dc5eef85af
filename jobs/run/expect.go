package run

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"backhaul/jobs/account"
	"backhaul/jobs/load"
	"backhaul/pipeline"
)

// Expectation is what an extract, or a table of a job, is to bring each night.
type Expectation = account.Expectation

// check holds what was loaded against what the job expects, before any of it is published. A breach that holds keeps the tables
// of its extract from being published, unless the user accepts them.
func (r *runner) check(ctx context.Context, result *Result, tasks []pipeline.Task, loaded *load.Loaded) error {
	before := sync.OnceValues(func() (map[list]wholeNight, error) { return r.wholeBefore(ctx) })
	for _, e := range r.Expectations {
		concerned, endpoint, err := r.concerned(e, tasks)
		if err != nil {
			return err
		}
		if len(concerned) == 0 {
			continue
		}
		findings, err := r.findings(e, concerned, loaded, result.Drift, before)
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

// findings are what was found of the tasks that an expectation is about. wholeBefore is asked only if something is compared with
// earlier nights.
func (r *runner) findings(e account.Expectation, tasks []pipeline.Task, loaded *load.Loaded, drift []account.Drift,
	wholeBefore func() (map[list]wholeNight, error)) (all []account.Finding, err error) {
	var rows, rejected, units, fields int64
	extracts, ids := map[string]bool{}, map[string]bool{}
	for _, t := range tasks {
		rows += loaded.Rows[t.ID]
		units += int64(r.places[t.ID].Units)
		extracts[t.Extract], ids[t.ID] = true, true
	}
	for m, n := range loaded.Misfits {
		if ids[m.Task] {
			rejected += n.Rows
		}
	}
	for _, d := range drift {
		if extracts[d.Extract] && (e.Table == "" || d.Table == e.Table) {
			fields++
		}
	}
	add := func(check string, found, least, most *int64) {
		if least != nil || most != nil {
			all = append(all, e.Judge(check, found, least, most))
		}
	}
	add("rows", &rows, e.MinRows, e.MaxRows)
	add("rejected_rows", &rejected, nil, e.MaxRejected)
	add("drift", &fields, nil, e.MaxDrift)
	add("units", &units, nil, e.MaxUnits)
	if e.MaxChange == nil && e.Freshness == 0 {
		return all, nil
	}
	before, err := wholeBefore()
	if err != nil {
		return nil, err
	}
	add("change", change(tasks, loaded, before), nil, e.MaxChange)
	if e.Freshness != 0 {
		most := int64(e.Freshness / time.Hour)
		add("freshness", r.age(tasks, before), nil, &most)
	}
	return all, nil
}

// list is a list from night to night.
type list struct{ extract, target, scope string }

// wholeNight is the latest night on which a list was whole, and its rows then.
type wholeNight struct {
	date time.Time
	rows int64
}

// wholeBefore are the latest whole nights of the job's lists before this one.
func (r *runner) wholeBefore(ctx context.Context) (map[list]wholeNight, error) {
	job, date := strings.ReplaceAll(r.Name, "'", "''"), r.date
	_, rows, err := r.Lake.Ask(ctx, fmt.Sprintf(`SELECT extract, coalesce(whole_nights.target, '') AS list_target, coalesce(whole_nights.scope, '') AS list_scope, strftime(run_date, '%%Y-%%m-%%d'), CAST(sum(rows) AS BIGINT)
FROM marts.whole_nights JOIN ops.tasks USING (job, extract, endpoint, run_date)
WHERE job = '%s' AND run_date < DATE '%s' AND whole_nights.target IS NOT DISTINCT FROM tasks.target AND whole_nights.scope IS NOT DISTINCT FROM tasks.scope
GROUP BY extract, list_target, list_scope, run_date QUALIFY row_number() OVER (PARTITION BY extract, list_target, list_scope ORDER BY run_date DESC) = 1`, job, date), nil)
	if err != nil {
		return nil, err
	}
	all := map[list]wholeNight{}
	for _, row := range rows {
		night, err := time.Parse(time.DateOnly, *row[3])
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseInt(*row[4], 10, 64)
		if err != nil {
			return nil, err
		}
		all[list{*row[0], *row[1], *row[2]}] = wholeNight{night, n}
	}
	return all, nil
}

// change is by how many percent the rows of the lists that were whole before differ, rounded up; nil if none was.
func change(tasks []pipeline.Task, loaded *load.Loaded, before map[list]wholeNight) *int64 {
	var now, then int64
	seen := map[list]bool{}
	for _, t := range tasks {
		l := list{t.Extract, t.Target, t.Scope}
		night, known := before[l]
		if !known {
			continue
		}
		now += loaded.Rows[t.ID]
		if !seen[l] {
			then += night.rows
		}
		seen[l] = true
	}
	if then == 0 {
		return nil
	}
	difference := max(now-then, then-now)
	percent := (difference*100 + then - 1) / then
	return &percent
}

// age is how many hours before the run's date the last whole night of the stalest list was, 0 if all are whole now; nil if one
// that is not whole never was.
func (r *runner) age(tasks []pipeline.Task, before map[list]wholeNight) *int64 {
	oldest := int64(0)
	for _, t := range tasks {
		if r.places[t.ID].End {
			continue
		}
		night, known := before[list{t.Extract, t.Target, t.Scope}]
		if !known {
			return nil
		}
		oldest = max(oldest, int64(r.RunDate.Sub(night.date)/time.Hour))
	}
	return &oldest
}
