package main

import (
	"strings"
	"testing"

	"backhaul/jobs"
	"backhaul/jobs/budget"
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
	"backhaul/pipeline/vendors"
)

func TestAStopSaysWhatToRaiseAndNothingThatWouldNotHelp(t *testing.T) {
	t.Parallel()
	for ceiling, want := range map[plan.Ceiling]string{
		plan.OfRun:       "the job's budget.moz.run is for one execution; or raise it",
		plan.OfFlag:      "with a higher --max-units moz=N",
		plan.OfMonth:     "raise the job's budget.moz.month",
		plan.OfWarehouse: "raise the job's budget.moz.warehouse_month",
		plan.OfQuota:     "have the vendor raise the quota",
	} {
		stop := &engine.StopError{Vendor: "moz", Ending: pipeline.EndBudget, Err: &budget.CeilingError{Ceiling: ceiling, Left: 3, Want: 50}}
		if ceiling == plan.OfQuota {
			stop.Ending = pipeline.EndQuota
		}
		got := (&app{}).stopAdvice(vendors.Surface{}, stop)
		if !strings.Contains(got, want) || !strings.Contains(got, "3 units left") || !strings.Contains(got, "--date") {
			t.Errorf("%s: %s", ceiling, got)
		}
		if ceiling == plan.OfQuota && strings.Contains(got, "raise the job's budget") {
			t.Errorf("%s: %s", ceiling, got)
		}
	}
}

func TestWhatListsOfUnknownLengthMayCostIsAskedAbout(t *testing.T) {
	t.Parallel()
	job := &loadedJob{Spec: &jobs.Spec{ConfirmOver: map[string]pipeline.Units{"moz": 100}}}
	worst := func(units pipeline.Units) *pipeline.Cost { return &pipeline.Cost{Units: units} }
	for _, c := range []struct {
		vendor plan.Vendor
		want   string
	}{
		{plan.Vendor{Expected: pipeline.Cost{Units: 50}}, ""},
		{plan.Vendor{Expected: pipeline.Cost{Units: 50}, Unknown: 2, Worst: worst(100)}, ""},
		{plan.Vendor{Expected: pipeline.Cost{Units: 50}, Unknown: 2, Worst: worst(101)}, "at least 50 units, and may cost 101 with 2 lists"},
		{plan.Vendor{Expected: pipeline.Cost{Units: 50}, Unknown: 1}, "nothing bounds what 1 list"},
		{plan.Vendor{Expected: pipeline.Cost{Units: 101}, Worst: worst(101)}, "expected to cost 101 units"},
	} {
		c.vendor.Vendor = "moz"
		got := job.overThreshold(&plan.Plan{Vendors: []plan.Vendor{c.vendor}})
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q, want %q", c.vendor, got, c.want)
		}
	}
}
