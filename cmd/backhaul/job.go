package main

import (
	"fmt"
	"time"

	"backhaul/jobs"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/jobs/report"
	"backhaul/jobs/run"
	"backhaul/pipeline"
)

// loadedJob is a valid spec.
type loadedJob struct{ *jobs.Spec }

// loadJob reads and checks a spec. Problems are printed, all at once, and are a usage error.
func (a *app) loadJob(path string) (*loadedJob, error) {
	spec, problems := jobs.Load(path, registry{})
	for _, p := range problems {
		fmt.Fprintln(a.stderr, p)
	}
	if spec == nil {
		return nil, &exitError{status: exitUsage}
	}
	return &loadedJob{spec}, nil
}

// resolve turns the spec into what a run needs. vendors is nil where nothing is to be bought.
func (j *loadedJob) resolve(date time.Time, vendors *vendors) (*run.Job, error) {
	job := &run.Job{Name: j.Job, RunDate: date, SpecHash: j.Hash, Accounts: map[string]run.Account{}}
	if vendors != nil {
		job.Sources = vendors.source
	}
	for i := range j.Extracts {
		x := &j.Extracts[i]
		if x.SQL != "" || x.Inputs != nil || len(x.After) > 0 {
			return nil, usage("%s: extract %s: targets from SQL, inputs and after are not available yet", x.Place, x.Name)
		}
		size := x.Endpoint.PageSize
		if x.Limit > 0 {
			size = x.Limit
		}
		for _, t := range x.Tasks() {
			job.Items = append(job.Items, plan.Item{
				Task: t, Endpoint: x.Endpoint, PageSize: size, MaxAge: x.MaxAge, OnlyIfIndexChanged: x.OnlyIf == jobs.IndexChanged, MaxUnits: x.MaxUnits,
			})
		}
		account, err := j.account(x.Endpoint, vendors)
		if err != nil {
			return nil, err
		}
		job.Accounts[x.Endpoint.Vendor] = account
	}
	return job, nil
}

// account is what the job allows at an endpoint's vendor. Missing credentials are told here, before anything is made.
func (j *loadedJob) account(e *pipeline.Endpoint, vendors *vendors) (run.Account, error) {
	v, b := j.Vendors[e.Vendor], j.Budget[e.Vendor]
	account := run.Account{
		PerSecond: v.RequestsPerSecond, Connections: v.Connections, TokenLife: v.TokenLife,
		Ceiling: ledger.Ceiling{Run: b.Run, Month: b.Month}, MonthStartsOn: b.MonthStartsOn,
	}
	if vendors == nil {
		return account, nil
	}
	open, err := vendors.surface(e.Vendor, e.Surface)
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

// overThreshold says which vendor's expected price is above the job's confirm_over; "" if none is.
func (j *loadedJob) overThreshold(p *plan.Plan) string {
	for _, v := range p.Vendors {
		if most, ok := j.ConfirmOver[v.Vendor]; ok && v.Expected.Units > most {
			return fmt.Sprintf("%s is expected to cost %s units, over the job's confirm_over of %s", v.Vendor,
				report.Count(int64(v.Expected.Units)), report.Count(int64(most)))
		}
	}
	return ""
}
