package main

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const (
	rivalQueue = "bench-rivals"
	signalName = "event"
)

// rivals are what a shop would write instead.
type rivals struct{ b *bench }

func (b *bench) registerRivals(ctx context.Context, w sdkworker.Worker) error {
	if _, err := b.pool.Exec(ctx, `create table if not exists bench_rival (order_id text, n int, body text, at timestamptz default now(), primary key (order_id, n))`); err != nil {
		return err
	}
	r := &rivals{b}
	w.RegisterWorkflowWithOptions(r.bare, workflow.RegisterOptions{Name: "bare"})
	w.RegisterWorkflowWithOptions(r.naive, workflow.RegisterOptions{Name: "naive"})
	w.RegisterWorkflowWithOptions(r.sink, workflow.RegisterOptions{Name: "sink"})
	w.RegisterActivityWithOptions(r.record, activity.RegisterOptions{Name: "record"})
	w.RegisterActivityWithOptions(r.message, activity.RegisterOptions{Name: "message"})
	return nil
}

func (r *rivals) applied(ctx workflow.Context, facts int) {
	if !workflow.IsReplaying(ctx) {
		r.b.ear.set(workflow.GetInfo(ctx).WorkflowExecution.ID, facts, facts == len(life))
	}
}

// bare only receives: no state anybody could read, no timer, no message.
func (r *rivals) bare(ctx workflow.Context) error {
	ch := workflow.GetSignalChannel(ctx, signalName)
	for i := range life {
		ch.Receive(ctx, nil)
		r.applied(ctx, i+1)
	}
	return nil
}

// sink takes any number of signals, for the bare signal rate.
func (r *rivals) sink(ctx workflow.Context) error {
	ch := workflow.GetSignalChannel(ctx, signalName)
	var e string
	for e != "stop" {
		ch.Receive(ctx, &e)
	}
	return nil
}

// naive does what tutorials show: per event one signal, one activity that
// writes the row that pages read, and the stall timer set anew; an activity per
// message.
func (r *rivals) naive(ctx workflow.Context) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 30 * time.Second})
	ch := workflow.GetSignalChannel(ctx, signalName)
	id := workflow.GetInfo(ctx).WorkflowExecution.ID
	for i := range life {
		timerCtx, cancel := workflow.WithCancel(ctx)
		stall := workflow.NewTimer(timerCtx, 72*time.Hour)
		var e string
		sel := workflow.NewSelector(ctx)
		sel.AddReceive(ch, func(c workflow.ReceiveChannel, _ bool) { c.Receive(ctx, &e) })
		sel.AddFuture(stall, func(workflow.Future) {})
		sel.Select(ctx)
		cancel()
		if err := workflow.ExecuteActivity(ctx, "record", id, i, e).Get(ctx, nil); err != nil {
			return err
		}
		if life[i].message {
			if err := workflow.ExecuteActivity(ctx, "message", id, i).Get(ctx, nil); err != nil {
				return err
			}
		}
		r.applied(ctx, i+1)
	}
	return nil
}

func (r *rivals) record(ctx context.Context, id string, n int, body string) error {
	_, err := r.b.pool.Exec(ctx, `insert into bench_rival (order_id, n, body) values ($1, $2, $3) on conflict do nothing`, id, n, body)
	return err
}

func (r *rivals) message(ctx context.Context, id string, n int) error {
	_, err := r.b.pool.Exec(ctx, `insert into bench_rival (order_id, n, body) values ($1, $2, 'message') on conflict do nothing`, id, -n-1)
	return err
}

const rivalEvent = `{"id":"x-1","tracking":"BENCH0001","milestone":"in_transit","occurred_at":"2026-03-02T09:00:00.000000Z","location":"Hub 7","physical":true}`

// rival runs one life by signals: in a burst, or each after the other is applied.
func (b *bench) rival(ctx context.Context, kind, id string, alone bool) error {
	if _, err := b.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: rivalQueue}, kind); err != nil {
		return err
	}
	for i := range life {
		if err := b.temporal.SignalWorkflow(ctx, id, "", signalName, rivalEvent); err != nil {
			return err
		}
		if alone {
			if err := b.ear.wait(ctx, id, i+1, false); err != nil {
				return err
			}
		}
	}
	return b.ear.wait(ctx, id, len(life), true)
}
