package run

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"backhaul/jobs/account"
	"backhaul/jobs/load"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
	"backhaul/pipeline/failpoint"
	"backhaul/schemas"
)

// block notes the tables that must not be seen yet, because a list of theirs was cut off by something that has nothing
// to do with it: an interruption, a wrong key, a vendor that is down. A list that failed by itself, or that the budget did
// not reach, holds nothing back; ops.tasks tells which those are.
func (r *runner) block(outcomes []engine.Outcome) {
	for i := range outcomes {
		o := &outcomes[i]
		ending := o.Ending
		var stop *engine.StopError
		if ending == pipeline.EndNotReached && errors.As(o.Err, &stop) {
			ending = stop.Ending
		}
		switch ending {
		case pipeline.EndInterrupted, pipeline.EndDenied, pipeline.EndUnreachable:
			if source, err := r.Sources(*o.Task); err == nil {
				r.hold(source.Endpoint())
			}
		}
	}
}

// hold keeps the tables of an endpoint from being seen, those beside its own as well.
func (r *runner) hold(e *pipeline.Endpoint) {
	for _, t := range e.Tables() {
		r.held[t] = true
	}
}

// published reports whether every table of the tasks is in the lake, or was taken out on purpose.
func (r *runner) published(ctx context.Context, tasks []pipeline.Task) bool {
	absent, err := r.ledger.AbsentTables(ctx, r.run.ID)
	if err != nil {
		return false
	}
	seen := map[*schemas.Table]bool{}
	for _, t := range tasks {
		if IsFirstReply(t) {
			continue
		}
		source, err := r.Sources(t)
		if err != nil {
			return false
		}
		table := source.Endpoint().Table
		if !seen[table] && !absent[table.FullName()] && !r.Lake.Has(table, r.Name, r.RunDate) {
			return false
		}
		seen[table] = true
	}
	_, err = os.Stat(r.Warehouse.Catalog())
	return err == nil
}

// publication is what an execution has loaded, and shown of it.
type publication struct {
	loaded *load.Loaded    // nil if nothing was loaded
	tables map[string]bool // those that were published
}

// publish loads the journal into the run's tables and makes them part of the lake, one atomic step each.
func (r *runner) publish(ctx context.Context, result *Result, tasks []pipeline.Task) (now publication, err error) {
	if result.Interrupted {
		return now, nil
	}
	r.Step(Step{Name: Loading})
	c := r.loading(r.places)
	c.Held, c.Emptied = r.held, r.emptied()
	c.Observe = func(p load.Progress) { r.Step(Step{Name: Loading, Table: p.Table, Done: p.Pages, Of: p.Of}) }
	failpoint.Hit("run.load.before")
	loaded, err := load.All(ctx, c, r.loadable(tasks))
	if err != nil || len(loaded.Files) == 0 {
		return now, err
	}
	if result.Drift, err = account.Drifted(ctx, r.ledger, loaded, r.date); err != nil {
		return now, err
	}
	if err := r.check(ctx, result, tasks, loaded); err != nil {
		return now, err
	}
	now = publication{loaded: loaded, tables: map[string]bool{}}
	failpoint.Hit("run.load.after")
	for i, s := range loaded.Files {
		r.Step(Step{Name: Publishing, Table: s.Table.FullName(), Done: int64(i), Of: int64(len(loaded.Files))})
		if r.held[s.Table] {
			continue
		}
		if s.Beside && s.File.Rows == 0 && !r.Lake.Has(s.Table, r.Name, r.RunDate) {
			continue
		}
		path, err := r.Lake.Publish(ctx, s.Table, r.Name, r.RunDate, s.File.Path)
		if err != nil {
			return now, err
		}
		failpoint.Hit("run.publish.after")
		now.tables[s.Table.FullName()] = true
		result.Files = append(result.Files, File{Table: s.Table.FullName(), Path: path, Rows: s.File.Rows, Bytes: s.File.Bytes})
	}
	r.Step(Step{Name: Publishing, Done: int64(len(loaded.Files)), Of: int64(len(loaded.Files))})
	if err := r.journal.Published(ctx, rejections(loaded)); err != nil {
		return now, err
	}
	return now, r.journal.CameAgain(ctx, loaded.Waste)
}

// loadable are the tasks whose tables are written: not those that were left out and have nothing, whose tables would only say
// that there is nothing, and not first replies.
func (r *runner) loadable(tasks []pipeline.Task) []pipeline.Task {
	return slices.DeleteFunc(real(tasks), func(t pipeline.Task) bool {
		return !r.Select(t.Extract) && r.places[t.ID].Pages == 0 || IsFirstReply(t)
	})
}

// rejections are the rows that did not fit, as the journal keeps them.
func rejections(loaded *load.Loaded) (all []pipeline.Rejection) {
	for m, n := range loaded.Misfits {
		all = append(all, pipeline.Rejection{TaskID: m.Task, Table: m.Table, Field: m.Field, Rows: n.Rows, Reason: n.Reason})
	}
	return all
}

// loading says how the run's pages are loaded, with its tasks at those places.
func (r *runner) loading(places map[string]pipeline.Place) load.Config {
	return load.Config{Journal: r.journal, Sources: r.Sources, Create: r.Lake.Create, RunDate: r.RunDate, Places: places}
}

// emptied returns the tables of extracts without a task that an earlier execution has published.
func (r *runner) emptied() map[*schemas.Table]bool {
	emptied := map[*schemas.Table]bool{}
	for _, s := range r.Steps {
		for _, t := range s.Endpoint.Tables() {
			emptied[t] = r.Lake.Has(t, r.Name, r.RunDate)
		}
	}
	return emptied
}

// days is the date as Arrow counts it.
func days(t time.Time) arrow.Date32 { return arrow.Date32FromTime(t) }
