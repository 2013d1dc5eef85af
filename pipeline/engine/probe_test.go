package engine

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/limit"
)

// uneven returns lists whose lengths have the web's shape, in no order, and the time no client can beat.
func uneven(v *vendor, connections int) (w []Work, bound time.Duration) {
	r := rand.New(rand.NewPCG(3, 3))
	rows := make([]int, 200)
	for i := range rows {
		rows[i] = int(5000 / (1 + r.Float64()*float64(i)))
	}
	r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	all, longest := 0, 0
	for _, n := range rows {
		pages := max(1, (n+49)/50)
		all, longest = all+pages, max(longest, pages)
	}
	w = works(v, rows...)
	for i := range w {
		w[i].Unknown = true
	}
	return w, max(time.Duration(all)*v.latency/time.Duration(connections), time.Duration(longest)*v.latency)
}

func TestListsThatAreLikelyToBeLongAreReadFirst(t *testing.T) {
	took := map[bool]float64{}
	for _, probe := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			v, m := &vendor{latency: 50 * time.Millisecond}, &memory{}
			v.tail = func(total, to int) float64 { return float64(total - to) }
			w, bound := uneven(v, 8)
			c := config(m, 8, w, limit.Config{})
			c.Lanes[0].Probe = probe
			begin := time.Now()
			outcomes, err := Run(context.Background(), c)
			if err != nil {
				t.Fatal(err)
			}
			took[probe] = float64(time.Since(begin)) / float64(bound)
			pages := 0
			for _, o := range outcomes {
				if o.Ending != pipeline.EndOfList {
					t.Errorf("%s: %s", o.Task.Target, o.Ending)
				}
				pages += o.Place.Pages
			}
			if pages != v.requests || v.peak > 8 {
				t.Errorf("%d pages for %d requests, %d at once", pages, v.requests, v.peak)
			}
		})
	}
	if took[true] > 1.03 || took[false] < took[true] {
		t.Errorf("%.3f times the bound with probing, %.3f without", took[true], took[false])
	}
}

func TestAProbeThatFailsEndsItsTaskAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		v.fault = func(_ int, task pipeline.Task, _ pipeline.Ask) (*pipeline.Page, error) {
			if task.Target == "170" {
				return nil, &pipeline.Error{Kind: pipeline.Rejected, Status: 400}
			}
			return nil, nil
		}
		w := works(v, 60, 170, 0, 120)
		for i := range w {
			w[i].Unknown = true
		}
		c := config(m, 2, w, limit.Config{})
		c.Lanes[0].Probe = true
		outcomes, err := Run(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []pipeline.Ending{pipeline.EndOfList, pipeline.EndFault, pipeline.EndOfList, pipeline.EndOfList} {
			if outcomes[i].Ending != want {
				t.Errorf("task %d: %s, want %s", i, outcomes[i].Ending, want)
			}
		}
		if v.requests != 2+1+1+3 {
			t.Errorf("%d requests", v.requests)
		}
	})
}
