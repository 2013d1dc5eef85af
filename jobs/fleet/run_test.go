//go:build fleet

package fleet

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"backhaul/pipeline"
	"backhaul/pipeline/engine"
	"backhaul/pipeline/limit"
)

// runAs has a workflow carry out a run that ends with a report.
func runAs(t *testing.T, end func(env *testsuite.TestWorkflowEnvironment) (Report, error)) error {
	t.Helper()
	env := environment()
	env.RegisterWorkflow(run)
	env.RegisterActivityWithOptions(func(context.Context, Order) (Report, error) { return end(env) }, activity.RegisterOptions{Name: conductActivity})
	env.ExecuteWorkflow(run, Order{Job: "nightly", RunDate: "2026-11-23"})
	return env.GetWorkflowError()
}

func TestARunEndsInTemporalAsItsExitStatusSays(t *testing.T) {
	for status, kind := range map[int]string{0: "", 3: "", 1: "Failed", 2: "InvalidJob", 4: "StoppedByBudget", 5: "Damaged", 75: "TryLater"} {
		want := Report{Status: status, Message: "why", Out: "what run prints"}
		err := runAs(t, func(*testsuite.TestWorkflowEnvironment) (Report, error) { return want, nil })
		if kind == "" {
			if err != nil {
				t.Errorf("status %d: %v", status, err)
			}
			continue
		}
		if got, reportErr := reported(Report{}, err); reportErr != nil || got != want || !isOf(err, kind) {
			t.Errorf("status %d: %+v, %v of %v", status, got, reportErr, err)
		}
	}
}

func TestARunThatWasCancelledIsToldAsSuch(t *testing.T) {
	err := runAs(t, func(env *testsuite.TestWorkflowEnvironment) (Report, error) {
		env.CancelWorkflow() // here the activity is not waited for, as it is by Temporal
		return Report{Status: interrupted}, nil
	})
	if !temporal.IsCanceledError(err) {
		t.Error(err)
	}
}

func TestARunThatAnotherProcessHasIsTriedAgain(t *testing.T) {
	tries := 0
	err := runAs(t, func(*testsuite.TestWorkflowEnvironment) (Report, error) {
		if tries++; tries < 5 {
			return Report{}, temporal.NewApplicationError("the run is in progress in another process", "TryLater")
		}
		return Report{}, nil
	})
	if err != nil || tries != 5 {
		t.Errorf("%d tries, %v", tries, err)
	}
}

func TestANightIsTheRunOfTheDayItWasDue(t *testing.T) {
	env := environment()
	env.SetStartTime(time.Date(2026, 11, 24, 0, 30, 0, 0, time.FixedZone("", 2*3600)))
	var got Order
	env.RegisterWorkflow(night)
	env.RegisterWorkflowWithOptions(func(_ workflow.Context, o Order) (Report, error) {
		got = o
		return Report{Out: "done"}, nil
	}, workflow.RegisterOptions{Name: runWorkflow})
	env.ExecuteWorkflow(night, Order{Job: "nightly", Again: true})
	var report Report
	if err := errors.Join(env.GetWorkflowError(), env.GetWorkflowResult(&report)); err != nil || report.Out != "done" {
		t.Errorf("%+v, %v", report, err)
	}
	if diff := cmp.Diff(Order{Job: "nightly", RunDate: "2026-11-23", Again: true}, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhyAVendorWasGivenUpSurvivesTheWay(t *testing.T) {
	short := &engine.StopError{Vendor: "moz", Ending: pipeline.EndBudget, Err: &limit.BudgetError{Want: 5, Left: 3}}
	denied := &engine.StopError{Vendor: "moz", Ending: pipeline.EndDenied, Err: &pipeline.Error{Kind: pipeline.Denied, Status: 401, Message: "bad token"}}
	for _, stop := range []*engine.StopError{short, denied} {
		got := stopOf(stop).err("moz")
		var budget *limit.BudgetError
		if got.Error() != stop.Error() || got.Ending != stop.Ending || errors.As(got, &budget) != (stop == short) || pipeline.KindOf(got) != pipeline.KindOf(stop) {
			t.Errorf("%v became %v", stop, got)
		}
	}
	if plain := causeOf(errors.New("x")).err(); plain.Error() != "x" || (*Cause)(nil).err() != nil {
		t.Error(plain)
	}
}
