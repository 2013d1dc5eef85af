package main

import (
	"fmt"
	"time"

	"backhaul/jobs"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/jobs/report"
	"backhaul/jobs/run"
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
			job.Items = append(job.Items, plan.Item{Task: t, Endpoint: x.Endpoint, PageSize: size})
		}
		job.Accounts[x.Endpoint.Vendor] = j.account(x.Endpoint.Vendor)
	}
	return job, nil
}

func (j *loadedJob) account(vendor string) run.Account {
	v, b := j.Vendors[vendor], j.Budget[vendor]
	return run.Account{PerSecond: v.RequestsPerSecond, Connections: v.Connections, Ceiling: ledger.Ceiling{Run: b.Run, Month: b.Month}}
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
