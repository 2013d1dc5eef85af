package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"backhaul/jobs"
	"backhaul/jobs/budget"
	"backhaul/jobs/chain"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/jobs/run"
	"backhaul/pipeline"
	"backhaul/pipeline/words"
)

// loadedJob is a valid spec.
type loadedJob struct{ *jobs.Spec }

// loadJob reads and checks a spec. Problems are printed, all at once, and are a usage error.
func (a *app) loadJob(ctx context.Context, path string) (*loadedJob, error) {
	spec, problems, err := a.loadSpec(ctx, path)
	for _, p := range problems {
		fmt.Fprintln(a.stderr, p)
	}
	switch {
	case err != nil:
		return nil, err
	case spec == nil:
		return nil, &exitError{status: exitUsage}
	}
	return &loadedJob{spec}, nil
}

// resolve turns the spec into what a run needs.
func (j *loadedJob) resolve(date time.Time, from *sources) (*run.Job, error) {
	job, err := j.outline(date, from)
	if err != nil {
		return nil, err
	}
	n := 0
	for x := range j.plain() {
		n += x.Count()
	}
	job.Items = slices.AppendSeq(make([]plan.Item, 0, n), j.items())
	return job, nil
}

// outline is the job without its Items. from is nil where nothing is to be bought.
func (j *loadedJob) outline(date time.Time, from *sources) (*run.Job, error) {
	job := &run.Job{Name: j.Job, RunDate: date, SpecHash: j.Hash, Accounts: map[string]budget.Account{}}
	if from != nil {
		job.Sources = from.source
	}
	for i := range j.Tables {
		job.Tables = append(job.Tables, &j.Tables[i])
	}
	for _, e := range j.Expectations {
		job.Expectations = append(job.Expectations, run.Expectation{Extract: e.Extract, Table: e.Table, Where: e.Where, Query: e.Query(), MinRows: e.MinRows, MaxRows: e.MaxRows,
			MaxChange: e.MaxChange, MaxRejected: e.MaxRejected, MaxDrift: e.MaxDrift, MaxUnits: e.MaxUnits, Freshness: e.Freshness, Hold: e.Hold})
	}
	for i := range j.Extracts {
		x := &j.Extracts[i]
		if !plain(x) {
			job.Steps = append(job.Steps, j.step(x))
		}
		account, err := j.account(x.Endpoint, from)
		if err != nil {
			return nil, err
		}
		job.Accounts[x.Endpoint.Vendor] = account
	}
	return job, nil
}

// plain reports whether an extract has tasks that follow from the spec alone, and can begin with the run.
func plain(x *jobs.Extract) bool {
	return x.Query() == "" && len(x.After) == 0 && !x.Endpoint.Asks.Batched() && x.Count() > 0
}

// plain yields the extracts that are.
func (j *loadedJob) plain() iter.Seq[*jobs.Extract] {
	return func(yield func(*jobs.Extract) bool) {
		for i := range j.Extracts {
			if x := &j.Extracts[i]; plain(x) && !yield(x) {
				return
			}
		}
	}
}

// items makes the tasks of the plain extracts, in the order of the spec.
func (j *loadedJob) items() iter.Seq[plan.Item] {
	return func(yield func(plan.Item) bool) {
		for x := range j.plain() {
			for t := range x.Tasks() {
				if !yield(itemOf(x, t)) {
					return
				}
			}
		}
	}
}

// step returns what a run needs to know of an extract that is not plain, or has no task.
func (j *loadedJob) step(x *jobs.Extract) chain.Step {
	return chain.Step{
		Extract: x.Name, Endpoint: x.Endpoint, After: x.After, Before: slices.Sorted(maps.Keys(j.Before(x))), Query: x.Query(), Digest: digest(x),
		Item: func(t pipeline.Task) plan.Item { return itemOf(x, t) },
		Make: func(columns []string, rows [][]*string, held []pipeline.Task) ([]pipeline.Task, []string, error) {
			if columns == nil {
				return x.Beside(held), nil, nil
			}
			tasks, problems, err := x.Resolve(columns, rows, held)
			notes := make([]string, len(problems))
			for i, p := range problems {
				notes[i] = p.String()
			}
			return tasks, notes, err
		},
	}
}

func itemOf(x *jobs.Extract, t pipeline.Task) plan.Item {
	t.MaxRows, t.Priority = x.MaxRows, x.Priority // of a task made earlier they may have changed
	return plan.Item{
		Task: t, Endpoint: x.Endpoint, PageSize: x.Size(), MaxAge: x.MaxAge, OnlyIfIndexChanged: x.OnlyIf == jobs.IndexChanged, MaxUnits: x.MaxUnits,
		Merged: x.Merged,
	}
}

// digest identifies what an extract's query is asked for.
func digest(x *jobs.Extract) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{x.Query(), x.Endpoint.String(), x.Endpoint.Surface, x.Params}, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// account is what the job allows at an endpoint's vendor. Missing credentials are told here, before anything is made.
func (j *loadedJob) account(e *pipeline.Endpoint, from *sources) (budget.Account, error) {
	v, b := j.Vendors[e.Vendor], j.Budget[e.Vendor]
	account := budget.Account{
		PerSecond: v.RequestsPerSecond, Connections: v.Connections, TokenLife: v.TokenLife,
		Ceiling: ledger.Ceiling{Run: b.Run, Month: b.Month, WarehouseMonth: b.WarehouseMonth}, MonthStartsOn: b.MonthStartsOn,
	}
	if from == nil {
		return account, nil
	}
	open, err := from.surface(e.Vendor, e.Surface)
	if err != nil {
		return account, err
	}
	account.Usage, _ = open.client.(pipeline.Usage)
	account.Index, _ = open.client.(pipeline.Index)
	return account, nil
}

// connections is how many connections the job allows to each vendor.
func (j *loadedJob) connections() map[string]int {
	connections := map[string]int{}
	for name, v := range j.Vendors {
		connections[name] = v.Connections
	}
	return connections
}

// inOrder brings the extracts of a plan into the order of the spec: those that are known at once have come first.
func (j *loadedJob) inOrder(p *plan.Plan) {
	place := func(x plan.Extract) int {
		return slices.IndexFunc(j.Extracts, func(of jobs.Extract) bool { return of.Name == x.Extract })
	}
	slices.SortStableFunc(p.Extracts, func(a, b plan.Extract) int { return cmp.Compare(place(a), place(b)) })
}

// overThreshold says which vendor's price may be above the job's confirm_over; "" if none is. Where lengths are unknown what is
// expected is a floor, so the worst case decides, and one without a bound is above everything.
func (j *loadedJob) overThreshold(p *plan.Plan) string {
	for _, v := range p.Vendors {
		most, ok := j.ConfirmOver[v.Vendor]
		switch {
		case !ok:
		case v.Unknown > 0 && v.Worst == nil:
			return fmt.Sprintf("%s is expected to cost at least %s, and nothing bounds what %s of unknown length may cost; the job's confirm_over is %s", v.Vendor,
				words.Plural(v.Expected.Units, "unit"), words.Plural(v.Unknown, "list"), words.Count(most))
		case v.Unknown > 0 && v.Worst.Units > most:
			return fmt.Sprintf("%s is expected to cost at least %s, and may cost %s with %s of unknown length, over the job's confirm_over of %s", v.Vendor,
				words.Plural(v.Expected.Units, "unit"), words.Count(v.Worst.Units), words.Plural(v.Unknown, "list"), words.Count(most))
		case v.Expected.Units > most:
			return fmt.Sprintf("%s is expected to cost %s, over the job's confirm_over of %s", v.Vendor,
				words.Plural(v.Expected.Units, "unit"), words.Count(most))
		}
	}
	return ""
}
