package run

import (
	"context"
	"testing"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
)

// held is a vendor that sends no second page of one list until something has happened.
type held struct {
	*meter
	target string
	until  chan struct{}
}

func (h held) Fetch(ctx context.Context, t pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	if t.Target == h.target && ask.Cursor != "" {
		select {
		case <-h.until:
		case <-time.After(time.Minute):
			return pipeline.Page{}, &pipeline.Error{Kind: pipeline.Rejected, Message: "nothing happened for a minute"}
		}
	}
	return h.meter.Fetch(ctx, t, ask)
}

// The list of another extract is not over before the chained ones have been bought, one of which an earlier answer does for.
func TestAnExtractBeginsWhileOthersAreReadOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lake := newAsked(dir)
	m := newMeter(1, 50)
	job := m.job("a", 2, ledger.Ceiling{}, 30, 500)
	y, z := m.after("y", "x0"), m.after("z", "y")
	item := y.Item
	y.Item = func(t pipeline.Task) plan.Item {
		it := item(t)
		it.MaxAge = 100 * 24 * time.Hour
		return it
	}
	job.Steps = append(job.Steps, y, z)
	runAsked(t, job, dir, lake)
	billed := m.billed

	h := held{m, "500", make(chan struct{})}
	job.RunDate = job.RunDate.AddDate(0, 0, 1)
	job.Sources = func(pipeline.Task) (pipeline.Source, error) { return h, nil }
	o := options(dir)
	o.Lake = lake
	o.Observe = func(ev engine.Event) {
		if ev.Outcome != nil && ev.Task.Extract == "z" {
			close(h.until)
		}
	}
	told := 0
	o.Next = func(*plan.Plan) { told++ }
	result, err := Run(context.Background(), job, o)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := endings(result), "x0/30:end of list x1/500:end of list y/30:end of list z/30:end of list"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if bought := m.billed - billed; bought != 30+500+30 || result.Bought.Units != bought || result.Bought.Pages != 12 || result.Saved != 30 {
		t.Errorf("%d units billed; counted: %+v, %d saved", bought, result.Bought, result.Saved)
	}
	if told != 2 {
		t.Errorf("told %d times what follows", told)
	}
}
