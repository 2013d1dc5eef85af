//go:build fleet

package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

// Timetable is when a job is run.
type Timetable struct {
	// Cron is when, in five fields or @daily and the like, Zone in which time zone. Default UTC.
	Cron, Zone string
	Paused     bool
	// Next are the next times, and Last how the latest runs went; of one that was read.
	Next []time.Time
	Last []time.Time
}

// ErrNoSchedule means that a job has none.
var ErrNoSchedule = errors.New("the job has no schedule")

func scheduleID(queue, job string) string { return queue + "/" + job }

// SetSchedule has a job run at the times of a timetable, in place of those it had. A night that is due while another is under way waits
// for it; one that was missed, because Temporal was away, is made up for within a day.
func SetSchedule(ctx context.Context, c client.Client, queue string, o Order, t Timetable) error {
	action := &client.ScheduleWorkflowAction{ID: "schedule/" + scheduleID(queue, o.Job), Workflow: nightWorkflow, Args: []any{o}, TaskQueue: queue, TypedSearchAttributes: attributesOf(o)}
	err := setSchedule(ctx, c, queue, o.Job, action, t)
	if isUnknownAttribute(err) {
		action.TypedSearchAttributes = temporal.NewSearchAttributes()
		err = setSchedule(ctx, c, queue, o.Job, action, t)
	}
	return err
}

func setSchedule(ctx context.Context, c client.Client, queue, job string, action *client.ScheduleWorkflowAction, t Timetable) error {
	spec := client.ScheduleSpec{CronExpressions: []string{t.Cron}, TimeZoneName: t.Zone}
	_, err := c.ScheduleClient().Create(ctx, client.ScheduleOptions{
		ID: scheduleID(queue, job), Spec: spec, Action: action, Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE, CatchupWindow: 24 * time.Hour,
		Note: "backhaul run " + job, Paused: t.Paused, Memo: map[string]any{"cron": t.Cron, "zone": t.Zone},
	})
	if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return err
	}
	return c.ScheduleClient().GetHandle(ctx, scheduleID(queue, job)).Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			s := in.Description.Schedule
			s.Spec, s.Action, s.State.Paused = &spec, action, t.Paused
			return &client.ScheduleUpdate{Schedule: &s}, nil
		},
	})
}

// Schedule returns the timetable of a job, or ErrNoSchedule.
func Schedule(ctx context.Context, c client.Client, queue, job string) (t Timetable, err error) {
	seen, err := c.ScheduleClient().GetHandle(ctx, scheduleID(queue, job)).Describe(ctx)
	if err != nil {
		return t, absent(err)
	}
	t.Paused, t.Next, t.Zone = seen.Schedule.State.Paused, seen.Info.NextActionTimes, seen.Schedule.Spec.TimeZoneName
	for _, a := range seen.Info.RecentActions {
		t.Last = append(t.Last, a.ScheduleTime)
	}
	return t, nil
}

// PauseSchedule has a job run no more by its schedule, or again.
func PauseSchedule(ctx context.Context, c client.Client, queue, job string, paused bool) error {
	handle := c.ScheduleClient().GetHandle(ctx, scheduleID(queue, job))
	if paused {
		return absent(handle.Pause(ctx, client.SchedulePauseOptions{Note: "paused by backhaul schedule"}))
	}
	return absent(handle.Unpause(ctx, client.ScheduleUnpauseOptions{Note: "resumed by backhaul schedule"}))
}

// RemoveSchedule removes the schedule of a job. A run under way goes on.
func RemoveSchedule(ctx context.Context, c client.Client, queue, job string) error {
	return absent(c.ScheduleClient().GetHandle(ctx, scheduleID(queue, job)).Delete(ctx))
}

func absent(err error) error {
	if errors.As(err, new(*serviceerror.NotFound)) {
		return fmt.Errorf("%w: %w", ErrNoSchedule, err)
	}
	return err
}
