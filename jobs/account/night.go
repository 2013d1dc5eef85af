package account

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"backhaul/jobs/load"
	"backhaul/pipeline"
)

// Night is what a run has brought on its date, to be held against what is expected of it.
type Night struct {
	Date   time.Time
	Places map[string]pipeline.Place // by task
	Loaded *load.Loaded
	Drift  []Drift
	// Before tells the nights before. It is called only if something is compared with them.
	Before func() (Whole, error)
}

// Findings are what was found of the tasks that an expectation is about.
func (n Night) Findings(e Expectation, tasks []pipeline.Task) (all []Finding, err error) {
	var rows, rejected, units, fields int64
	extracts, ids := map[string]bool{}, map[string]bool{}
	for _, t := range tasks {
		rows += n.Loaded.Rows[t.ID]
		units += int64(n.Places[t.ID].Units)
		extracts[t.Extract], ids[t.ID] = true, true
	}
	for m, misfit := range n.Loaded.Misfits {
		if ids[m.Task] {
			rejected += misfit.Rows
		}
	}
	for _, d := range n.Drift {
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
	before, err := n.Before()
	if err != nil {
		return nil, err
	}
	add("change", change(tasks, n.Loaded, before), nil, e.MaxChange)
	if e.Freshness != 0 {
		most := int64(e.Freshness / time.Hour)
		add("freshness", n.age(tasks, before), nil, &most)
	}
	return all, nil
}

// listName is what a list is known by from night to night.
type listName struct{ extract, target, scope string }

// wholeNight is the latest night on which a list was whole, and its rows then.
type wholeNight struct {
	date time.Time
	rows int64
}

// Whole are the latest nights on which a job's lists were whole.
type Whole map[listName]wholeNight

// WholeBefore returns those before a date. ask puts a query to the catalog and returns its rows as text.
func WholeBefore(ask func(query string) ([][]*string, error), job string, before time.Time) (Whole, error) {
	name, date := strings.ReplaceAll(job, "'", "''"), before.Format(time.DateOnly)
	rows, err := ask(fmt.Sprintf(`SELECT extract, coalesce(whole_nights.target, '') AS list_target, coalesce(whole_nights.scope, '') AS list_scope, strftime(run_date, '%%Y-%%m-%%d'), CAST(sum(rows) AS BIGINT)
FROM marts.whole_nights JOIN ops.tasks USING (job, extract, endpoint, run_date)
WHERE job = '%s' AND run_date < DATE '%s' AND whole_nights.target IS NOT DISTINCT FROM tasks.target AND whole_nights.scope IS NOT DISTINCT FROM tasks.scope
GROUP BY extract, list_target, list_scope, run_date QUALIFY row_number() OVER (PARTITION BY extract, list_target, list_scope ORDER BY run_date DESC) = 1`, name, date))
	if err != nil {
		return nil, err
	}
	all := Whole{}
	for _, row := range rows {
		night, err := time.Parse(time.DateOnly, *row[3])
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseInt(*row[4], 10, 64)
		if err != nil {
			return nil, err
		}
		all[listName{*row[0], *row[1], *row[2]}] = wholeNight{night, n}
	}
	return all, nil
}

// change is by how many percent the rows of the lists that were whole before differ, rounded up; nil if none was.
func change(tasks []pipeline.Task, loaded *load.Loaded, before Whole) *int64 {
	var now, then int64
	seen := map[listName]bool{}
	for _, t := range tasks {
		l := listName{t.Extract, t.Target, t.Scope}
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
func (n Night) age(tasks []pipeline.Task, before Whole) *int64 {
	oldest := int64(0)
	for _, t := range tasks {
		if n.Places[t.ID].End {
			continue
		}
		night, known := before[listName{t.Extract, t.Target, t.Scope}]
		if !known {
			return nil
		}
		oldest = max(oldest, int64(n.Date.Sub(night.date)/time.Hour))
	}
	return &oldest
}
