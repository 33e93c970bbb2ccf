package workflows

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/waybillhq/waybill/activities"
)

const (
	// LearnType is the workflow of a night's learning, LearnSchedule what starts it.
	LearnType     = "LearnRhythms"
	LearnSchedule = "learn-rhythms"
	// AdoptType is the workflow that brings a policy's newest version to the orders
	// that follow an older one.
	AdoptType = "AdoptPolicy"
)

// LearnRhythms measures what parcels did, proposes lines of policies, and brings
// those that policies take by themselves to the open orders.
func LearnRhythms(ctx workflow.Context) (activities.Learned, error) {
	var done activities.Learned
	learn := nightly(ctx, "how long did parcels stand still?", 2*time.Minute)
	if err := workflow.ExecuteActivity(learn, activities.LearnRhythms).Get(ctx, &done); err != nil {
		return done, err
	}
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("%d figures, %d proposals, %d applied", done.Figures, done.Proposals, done.Applied))
	for _, name := range done.Adopt {
		if err := AdoptPolicy(ctx, name); err != nil {
			return done, err
		}
	}
	return done, nil
}

// AdoptPolicy asks the open orders.
func AdoptPolicy(ctx workflow.Context, policy string) error {
	return workflow.ExecuteActivity(nightly(ctx, "open orders follow "+policy, time.Minute), activities.AdoptPolicy, policy).Get(ctx, nil)
}

// nightly work may take long, and some failures; what does not come about is left
// to the next night. A heartbeat ends with its worker.
func nightly(ctx workflow.Context, summary string, beat time.Duration) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 2 * time.Hour,
		HeartbeatTimeout:    beat,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 10 * time.Second, BackoffCoefficient: 2, MaximumInterval: 10 * time.Minute, MaximumAttempts: 5},
		Summary:             clip(summary),
	})
}

// ScheduleLearning sees to it that rhythms are learned every day at that time, UTC.
// A schedule that stands is changed only where the time is another: who paused it
// in the Temporal UI finds it paused.
func (c *Client) ScheduleLearning(ctx context.Context, hour, minute int) error {
	at := client.ScheduleSpec{Calendars: []client.ScheduleCalendarSpec{{
		Hour: []client.ScheduleRange{{Start: hour}}, Minute: []client.ScheduleRange{{Start: minute}}, Comment: "rhythms are learned"}}}
	schedules := c.Temporal.ScheduleClient()
	_, err := schedules.Create(ctx, client.ScheduleOptions{
		ID: LearnSchedule, Spec: at, Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: time.Hour,
		Action: &client.ScheduleWorkflowAction{ID: LearnSchedule, Workflow: LearnType, TaskQueue: TaskQueue, StaticSummary: "how long do parcels stand still?"},
	})
	if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		if err != nil {
			return fmt.Errorf("schedule %s: %w", LearnSchedule, err)
		}
		return nil
	}
	err = schedules.GetHandle(ctx, LearnSchedule).Update(ctx, client.ScheduleUpdateOptions{DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
		s := in.Description.Schedule
		if have := s.Spec.Calendars; len(have) == 1 && only(have[0].Hour, hour) && only(have[0].Minute, minute) {
			return nil, temporal.ErrSkipScheduleUpdate
		}
		s.Spec = &at
		return &client.ScheduleUpdate{Schedule: &s}, nil
	}})
	if err != nil {
		return fmt.Errorf("schedule %s: %w", LearnSchedule, err)
	}
	return nil
}

func only(rs []client.ScheduleRange, n int) bool {
	return len(rs) == 1 && rs[0].Start == n && rs[0].End <= n
}

// StartAdoption begins to bring a version of a policy to the open orders. One that
// was begun is left as it is.
func (c *Client) StartAdoption(ctx context.Context, policy string, version int) error {
	_, err := c.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: fmt.Sprintf("policy:%s:v%d", policy, version), TaskQueue: TaskQueue,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY, WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary: fmt.Sprintf("open orders follow %s v%d", policy, version),
	}, AdoptType, policy)
	var already *serviceerror.WorkflowExecutionAlreadyStarted
	if err != nil && !errors.As(err, &already) {
		return fmt.Errorf("adopt policy %s: %w", policy, err)
	}
	return nil
}
