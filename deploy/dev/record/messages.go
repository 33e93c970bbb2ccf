package main

import (
	"context"
	"fmt"
	"time"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/deploy/dev/e2e/rig"
	"github.com/waybillhq/waybill/workflows"
)

// messageScenario is some stretches of sending by one channel: what each comes to.
type messageScenario struct {
	name      string
	maxEvents int
	rounds    []activities.SendDone
}

func messageScenarios() []messageScenario {
	good := activities.SendDone{Provider: "twilio", Sent: 12, Later: 3}
	rest := activities.SendDone{Provider: "twilio", Sent: 1, Waiting: 7, Oldest: time.Now().Add(-time.Minute), Unclear: 1, Failures: 5, Trouble: "twilio: ambiguous, timeout", RestUntil: time.Now().Add(2 * time.Second)}
	return []messageScenario{
		{name: "messages-sent-and-rested", rounds: []activities.SendDone{good, rest, good}},
		{name: "messages-continued-as-new", maxEvents: 15, rounds: []activities.SendDone{good, good, rest, good}},
	}
}

// playMessages leads the sending by a channel through a scenario, with workers in
// this process, and returns its histories. No other worker may run.
func playMessages(ctx context.Context, r *rig.Rig, sc messageScenario) ([]*historypb.History, error) {
	fmt.Println("Playing", sc.name)
	const channel = "golden"
	id := workflows.MessagesID(channel)
	w := worker.New(r.Temporal, workflows.TaskQueue, worker.Options{})
	w.RegisterWorkflowWithOptions(workflows.Messages, workflow.RegisterOptions{Name: workflows.MessagesType})
	sender := worker.New(r.Temporal, id, worker.Options{DisableWorkflowWorker: true, MaxConcurrentActivityExecutionSize: 1})
	played, rounds := make(chan struct{}), sc.rounds
	sender.RegisterActivityWithOptions(func(ctx context.Context, _ activities.SendRound) (activities.SendDone, error) {
		if len(rounds) == 0 { // the last stretch goes on
			close(played)
			<-activity.GetWorkerStopChannel(ctx)
			return activities.SendDone{}, ctx.Err()
		}
		done := rounds[0]
		rounds = rounds[1:]
		return done, nil
	}, activity.RegisterOptions{Name: activities.SendMessages})
	for _, w := range []worker.Worker{w, sender} {
		if err := w.Start(); err != nil {
			return nil, err
		}
		defer w.Stop()
	}
	if _, err := r.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: workflows.TaskQueue}, workflows.MessagesType,
		workflows.MessagesInput{Channel: channel, MaxEvents: sc.maxEvents}); err != nil {
		return nil, err
	}
	defer func() { _ = r.Temporal.TerminateWorkflow(context.WithoutCancel(ctx), id, "", "recorded") }()
	select {
	case <-played:
	case <-time.After(patience):
		return nil, fmt.Errorf("not played in %s", patience)
	}
	return settled(ctx, func(ctx context.Context) ([]*historypb.History, error) { return r.HistoryOf(ctx, id) })
}
