package main

import (
	"strings"
	"testing"

	"backhaul/jobs/plan"
	"backhaul/jobs/run"
	"backhaul/pipeline"
	"backhaul/pipeline/engine"
	"backhaul/pipeline/vendors"
)

func TestAStopSaysWhatToRaiseAndNothingThatWouldNotHelp(t *testing.T) {
	t.Parallel()
	for ceiling, want := range map[plan.Ceiling]string{
		plan.OfRun:       "raise the job's budget.moz.run",
		plan.OfFlag:      "with a higher --max-units moz=N",
		plan.OfMonth:     "raise the job's budget.moz.month",
		plan.OfWarehouse: "raise the job's budget.moz.warehouse_month",
		plan.OfQuota:     "have the vendor raise the quota",
	} {
		stop := &engine.StopError{Vendor: "moz", Ending: pipeline.EndBudget, Err: &run.CeilingError{Ceiling: ceiling, Left: 3, Want: 50}}
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
