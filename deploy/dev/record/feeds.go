package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/deploy/dev/e2e/rig"
	"github.com/waybillhq/waybill/internal/feed"
	"github.com/waybillhq/waybill/workflows"
)

// feedScenario is a part of a feed's life: what each look finds. A feed lives by
// hours and days, so its looks are told, not lived; everything else is real.
type feedScenario struct {
	name      string
	state     *feed.State // to begin with
	maxEvents int
	looks     []feed.Look
	pauses    bool // and ends paused
}

const feedName = "golden"

var golden = feed.Settings{Name: feedName, Carrier: "ups", Pushes: true, Asks: true, Batch: 1, Subscribes: true, SubscribeBatch: 100}

// seen is a look at a feed whose last push is a while ago.
func seen(ago time.Duration, change func(*feed.Look)) feed.Look {
	last := time.Now().Add(-ago)
	l := feed.Look{
		Settings: golden, Configured: true, AsOf: time.Now(), LastPush: last, QuietAt: last.Add(10 * time.Minute), SilentAt: last.Add(20 * time.Minute),
		LastHour: 190, Usual: 200, Counts: feed.Counts{Open: 500}, Budget: feed.Budget{Windows: []feed.Window{{Limit: 60, Left: 41, Seconds: 3600}}},
	}
	if change != nil {
		change(&l)
	}
	return l
}

func feedScenarios() []feedScenario {
	unheard := func(l *feed.Look) { l.UnheardHours, l.UnheardDay, l.Missed = 120, 40, 120 }
	return []feedScenario{
		{name: "feed-as-usual", looks: []feed.Look{
			seen(time.Minute, nil),
			seen(time.Minute, func(l *feed.Look) { l.Renew = 250 }),
			seen(time.Minute, unheard),
			seen(12*time.Minute, nil),
		}},
		{name: "feed-goes-silent-and-recovers", looks: []feed.Look{
			seen(time.Minute, nil),
			seen(time.Hour, unheard),
			seen(2*time.Hour, unheard),
			seen(time.Minute, unheard),
		}},
		{name: "feed-as-usual-again", state: &feed.State{Name: feedName, Rules: 1, Phase: feed.Recovering, Since: time.Now().Add(-2 * time.Hour), Missed: time.Now().Add(-2 * time.Hour)}, looks: []feed.Look{
			seen(time.Minute, unheard),
			seen(time.Minute, nil),
		}},
		{name: "feed-push-only-not-configured", looks: []feed.Look{
			{},
			seen(time.Hour, func(l *feed.Look) { l.Settings = feed.Settings{Name: feedName, Carrier: "ups", Pushes: true} }),
		}},
		{name: "feed-paused", looks: []feed.Look{seen(time.Minute, nil)}, pauses: true},
		{name: "feed-continued-as-new", maxEvents: 20, looks: []feed.Look{
			seen(time.Minute, nil), seen(time.Hour, unheard), seen(2*time.Hour, unheard), seen(3*time.Hour, unheard),
		}},
	}
}

// script answers a feed's activities.
type script struct {
	mu    sync.Mutex
	looks []feed.Look
}

func (s *script) look(context.Context, activities.FeedQuestion) (feed.Look, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.looks[0]
	if len(s.looks) > 1 {
		s.looks = s.looks[1:]
	}
	return l, nil
}

func (s *script) work(_ context.Context, w activities.FeedWork) (activities.FeedDone, error) {
	if w.Poll != nil {
		return activities.FeedDone{Numbers: w.Poll.Calls, Events: 3, Trouble: "503: the carrier cannot be asked now"}, nil
	}
	return activities.FeedDone{Numbers: w.Calls * golden.SubscribeBatch}, nil
}

// playFeed leads one feed through a scenario, with a worker in this process, and
// returns its histories. No other worker may run.
func playFeed(ctx context.Context, r *rig.Rig, sc feedScenario) ([]*historypb.History, error) {
	fmt.Println("Playing", sc.name)
	s := &script{looks: slices.Clone(sc.looks)}
	w := worker.New(r.Temporal, workflows.TaskQueue, worker.Options{})
	w.RegisterWorkflowWithOptions(workflows.Feed, workflow.RegisterOptions{Name: workflows.FeedType})
	w.RegisterActivityWithOptions(s.look, activity.RegisterOptions{Name: activities.LookAtFeed})
	w.RegisterActivityWithOptions(s.work, activity.RegisterOptions{Name: activities.PollParcels})
	w.RegisterActivityWithOptions(s.work, activity.RegisterOptions{Name: activities.RenewSubscriptions})
	w.RegisterActivityWithOptions(func(context.Context, feed.Report) error { return nil }, activity.RegisterOptions{Name: activities.ReportFeed})
	if err := w.Start(); err != nil {
		return nil, err
	}
	defer w.Stop()
	id := workflows.FeedID(feedName)
	if _, err := r.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: workflows.TaskQueue}, workflows.FeedType,
		workflows.FeedInput{Name: feedName, State: sc.state, MaxEvents: sc.maxEvents}); err != nil {
		return nil, err
	}
	defer func() { _ = r.Temporal.TerminateWorkflow(context.WithoutCancel(ctx), id, "", "recorded") }()
	update := func(name string, args ...any) error {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		handle, err := r.Temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{WorkflowID: id, UpdateName: name, Args: args, WaitForStage: client.WorkflowUpdateStageCompleted})
		if err == nil {
			err = handle.Get(ctx, nil)
		}
		return err
	}
	pause := workflows.Pause{Until: time.Now().Add(time.Hour), Reason: "the next look"}
	if err := rig.WaitFor(ctx, patience, func(ctx context.Context) error {
		var v workflows.FeedView
		value, err := r.Temporal.QueryWorkflow(ctx, id, "", workflows.QueryFeed)
		if err == nil {
			err = value.Get(&v)
		}
		if err == nil && v.NextAt.IsZero() {
			err = errors.New("not looked at yet")
		}
		return err
	}); err != nil {
		return nil, err
	}
	for range sc.looks[1:] {
		if err := errors.Join(update(workflows.UpdatePause, pause), update(workflows.UpdateResume)); err != nil {
			return nil, err
		}
	}
	if sc.pauses {
		if err := errors.Join(update(workflows.UpdateAskNow), update(workflows.UpdatePause, pause)); err != nil {
			return nil, err
		}
	}
	return settled(ctx, func(ctx context.Context) ([]*historypb.History, error) { return r.HistoryOf(ctx, id) })
}

// settled reads histories as soon as no workflow task is under way.
func settled(ctx context.Context, read func(context.Context) ([]*historypb.History, error)) (runs []*historypb.History, err error) {
	err = rig.WaitFor(ctx, patience, func(ctx context.Context) (err error) {
		if runs, err = read(ctx); err != nil {
			return err
		}
		under := false
		for _, e := range runs[len(runs)-1].GetEvents() {
			switch e.GetEventType() { //nolint:exhaustive // the others do not matter here
			case enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
				under = true
			case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
				under = false
			}
		}
		if under {
			return errors.New("a workflow task is under way")
		}
		return nil
	})
	return runs, err
}
