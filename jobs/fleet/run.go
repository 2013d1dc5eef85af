//go:build fleet

package fleet

import (
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// run is the workflow of a run, and replay that of its replay. One that ended otherwise than complete, or than with tasks that failed, is a
// workflow that failed, with the report in its error's details.
func run(ctx workflow.Context, o Order) (Report, error) { return carryOut(ctx, conductActivity, "", o) }

func replay(ctx workflow.Context, o Order) (Report, error) {
	return carryOut(ctx, replayActivity, replaysOf(workflow.GetInfo(ctx).TaskQueueName), o)
}

// carryOut has an order carried out by one activity, on a queue (default the workflow's own).
func carryOut(ctx workflow.Context, name, queue string, o Order) (Report, error) {
	var now Progress
	if err := workflow.SetQueryHandler(ctx, progressQuery, func() (Progress, error) { return now, nil }); err != nil {
		return Report{}, err
	}
	workflow.Go(ctx, func(ctx workflow.Context) {
		told := workflow.GetSignalChannel(ctx, progressQuery)
		for told.Receive(ctx, &now) {
		}
	})
	var report Report
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options(queue, o.Heartbeat)), name, o).Get(ctx, &report)
	switch {
	case ctx.Err() != nil && err != nil: // before anybody had it, or while it was to be tried again
		if report.Status = interrupted; !temporal.IsCanceledError(err) {
			report.Message = messageOf(err)
		}
		return report, temporal.NewCanceledError(report)
	case ctx.Err() != nil:
		return report, temporal.NewCanceledError(report)
	case err != nil:
		return report, err
	}
	_ = workflow.UpsertMemo(ctx, map[string]any{"status": report.Status, "message": report.Message})
	if kind := kindOf(report.Status); kind != "" {
		return report, temporal.NewNonRetryableApplicationError(report.Message, kind, nil, report)
	}
	return report, nil
}

// kindOf is what a workflow fails with by its exit status, "" where it does not fail.
func kindOf(status int) string {
	switch status {
	case 0, 3:
		return ""
	case 2:
		return "InvalidJob"
	case 4:
		return "StoppedByBudget"
	case 5:
		return "Damaged"
	case 75:
		return "TryLater"
	}
	return "Failed"
}

// night is what a schedule starts: the run of the day it was due, which may be under way already.
func night(ctx workflow.Context, o Order) (Report, error) {
	if o.RunDate == "" {
		due := workflow.Now(ctx)
		if at, ok := workflow.GetTypedSearchAttributes(ctx).GetTime(scheduledStart); ok {
			due = at
		}
		o.RunDate = due.UTC().Format(time.DateOnly)
	}
	child := workflow.ChildWorkflowOptions{
		WorkflowID: idOf(workflow.GetInfo(ctx).TaskQueueName, o.Run()), WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WaitForCancellation: true, ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
	}
	if _, known := workflow.GetTypedSearchAttributes(ctx).GetKeyword(jobAttribute); known {
		child.TypedSearchAttributes = attributesOf(o)
	}
	ctx = workflow.WithChildOptions(ctx, child)
	var report Report
	err := workflow.ExecuteChildWorkflow(ctx, runWorkflow, o).Get(ctx, &report)
	if errors.As(err, new(*temporal.ChildWorkflowExecutionAlreadyStartedError)) {
		return Report{Message: "the run is under way already"}, nil
	}
	return report, err
}

var scheduledStart = temporal.NewSearchAttributeKeyTime("TemporalScheduledStartTime")
