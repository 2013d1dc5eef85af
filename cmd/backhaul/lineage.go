package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"backhaul/jobs/lineage"
	"backhaul/jobs/report"
	"backhaul/pipeline"
	"backhaul/schemas"
	"backhaul/sinks"
)

// lineageOf tells of one execution what it reads and writes.
type lineageOf struct {
	app       *app
	to        *lineage.Lineage // nil: nobody
	run       lineage.Run
	warehouse sinks.Warehouse
}

// startLineage tells that an execution of a job begins, if anybody wants to know.
func (a *app) startLineage(ctx context.Context, job *loadedJob, date, now time.Time) *lineageOf {
	to, err := lineage.Open(lineage.Settings{Variable: a.variable, Secret: a.env, Version: version})
	if err != nil {
		fmt.Fprintln(a.stderr, "warning: lineage is not told:", err)
	}
	l := &lineageOf{app: a, to: to}
	if to == nil {
		return l
	}
	l.run = lineage.Run{Execution: ulid.Make(), Job: job.Job, RunDate: date, Sources: a.readBy(job)}
	if l.warehouse, err = a.warehouse(ctx); err != nil {
		return l // the run says so
	}
	var tables []lineage.Table
	for _, e := range endpointsOf(job) {
		tables = append(tables, l.table(e.Table, nil))
	}
	l.warn(to.Start(ctx, l.run, tables, now))
	return l
}

// finish tells how it ended: err is what it ended with.
func (l *lineageOf) finish(ctx context.Context, s report.Summary, err error, status int, message string, now time.Time) {
	if l.to == nil {
		return
	}
	end := lineage.End{RunID: s.RunID, ExitStatus: status, Message: message,
		Aborted: slices.Contains([]int{exitBudget, exitTryLater, exitInterrupted}, status) || errors.Is(err, errNotConfirmed)}
	for _, f := range s.Files {
		if t := schemas.Lookup(f.Table); t != nil {
			end.Tables = append(end.Tables, l.table(t, &lineage.Written{Rows: f.Rows, Bytes: f.Bytes}))
		}
	}
	l.warn(l.to.Finish(context.WithoutCancel(ctx), l.run, end, now))
}

func (l *lineageOf) warn(err error) {
	if err != nil {
		fmt.Fprintln(l.app.stderr, "warning: lineage:", err)
	}
}

// table is one of the warehouse.
func (l *lineageOf) table(t *schemas.Table, written *lineage.Written) lineage.Table {
	out := lineage.Table{Directory: l.warehouse.Table(t.Schema, t.Name), Written: written}
	for _, c := range t.Columns() {
		out.Fields = append(out.Fields, lineage.Field{Name: c.Name, Type: c.Type.String(), Description: c.Meaning})
	}
	return out
}

// endpointsOf are those that a job asks, each once.
func endpointsOf(job *loadedJob) (all []*pipeline.Endpoint) {
	for i := range job.Extracts {
		if e := job.Extracts[i].Endpoint; !slices.ContainsFunc(all, func(o *pipeline.Endpoint) bool { return o.String() == e.String() }) {
			all = append(all, e)
		}
	}
	return all
}

// readBy is what a job reads, and where that is.
func (a *app) readBy(job *loadedJob) (all []lineage.Source) {
	for _, e := range endpointsOf(job) {
		s, _ := a.vendors.Surface(e.Vendor, e.Surface)
		base, _ := a.env(s.URL) // what is wrong with it the run says
		all = append(all, lineage.Source{Endpoint: e.String(), Surface: e.Surface, URL: cmp.Or(base, s.DefaultURL)})
	}
	return all
}
