package run

import (
	"errors"
	"os"
	"testing"
	"time"

	"backhaul/jobs/books"
	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
)

// probeOf is a probe that begins all lists of a job.
func probeOf(job Job) Job {
	items := job.Items
	job.Name, job.Items = ProbeOf(job.Name), nil
	for _, it := range items {
		it.Task.Extract, it.Task.MaxRows = FirstReplyOf(it.Task.Extract), 50
		it.Task.ID = pipeline.TaskID(it.Task)
		job.Items = append(job.Items, it)
	}
	return job
}

func TestARunGoesOnBehindTheFirstRepliesOfItsProbe(t *testing.T) {
	t.Parallel()
	dir, m := t.TempDir(), newMeter(1, 50)
	job := m.job("nightly", 1, ledger.Ceiling{}, 30, 120)
	if got := mustRun(t, probeOf(job), dir); m.billed != 80 || len(got.Files) != 0 {
		t.Fatalf("the probe was billed %d units and has the tables %v", m.billed, got.Files)
	}
	o := options(dir)
	p, err := Preview(t.Context(), job, nil, books.InFiles(o.Warehouse), time.Now())
	if err != nil || p.Needed().Units != 50 || p.Extracts[0].Done != 1 || p.Extracts[1].Unknown != 1 {
		t.Errorf("behind the first replies: %+v, %v", p, err)
	}

	o.Confirm = func(*plan.Plan) error { return errors.New("no") }
	if result, err := Run(t.Context(), job, o); err == nil || !result.Declined {
		t.Errorf("%+v, %v", result, err)
	}
	if _, err := os.Stat(o.Warehouse.JournalOf(job.Name, job.date())); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a run that nobody wanted has taken over: %v", err)
	}

	result := mustRun(t, job, dir)
	if m.billed != 150 || result.Bought.Units != 70 || result.Saved != 80 || result.Run.State != ledger.Complete {
		t.Errorf("billed %d in all, %d by the run, which saved %d and is %s", m.billed, result.Bought.Units, result.Saved, result.Run.State)
	}
	for i, want := range []struct {
		rows  int64
		units pipeline.Units
	}{{30, 0}, {120, 70}} {
		if got := result.Tasks[i]; got.Rows != want.rows || got.Units != want.units || got.Ending != pipeline.EndOfList {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if mustRun(t, job, dir); m.billed != 150 {
		t.Errorf("a run that is complete was billed %d more", m.billed-150)
	}
	job.RunDate = job.RunDate.AddDate(0, 0, 1)
	if mustRun(t, job, dir); m.billed != 300 {
		t.Errorf("another night was billed %d units", m.billed-150)
	}
}
