// Package worker runs orders and their activities.
package worker

import (
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/workflows"
)

// Options bound what one worker process takes on.
type Options struct {
	// CachedOrders is how many open orders stay in memory between wakes.
	CachedOrders int
	// Concurrent workflow tasks and activities.
	Concurrent int
}

// Defaults suit a small machine.
func Defaults() Options { return Options{CachedOrders: 4000, Concurrent: 100} }

// New makes a worker; the caller runs it.
func New(c client.Client, a *activities.Activities, o Options) worker.Worker {
	worker.SetStickyWorkflowCacheSize(o.CachedOrders)
	w := worker.New(c, workflows.TaskQueue, worker.Options{
		MaxConcurrentWorkflowTaskExecutionSize:  o.Concurrent,
		MaxConcurrentLocalActivityExecutionSize: o.Concurrent,
		MaxConcurrentActivityExecutionSize:      o.Concurrent,
		// The SDK's two find nobody waiting in a burst; then each task is written down
		// and read again before it is handed out.
		MaxConcurrentWorkflowTaskPollers: 8,
		// Work under way gets this long after a SIGTERM.
		WorkerStopTimeout: 20 * time.Second,
	})
	Register(w, a)
	return w
}

// NewSender makes a worker for a channel's messages: one stretch of sending at a
// time, on a queue of its own.
func NewSender(c client.Client, channel string, m *activities.Messages) worker.Worker {
	w := worker.New(c, workflows.MessagesID(channel), worker.Options{
		DisableWorkflowWorker:              true,
		MaxConcurrentActivityExecutionSize: 1,
		WorkerStopTimeout:                  20 * time.Second,
	})
	w.RegisterActivityWithOptions(m.Send, activity.RegisterOptions{Name: activities.SendMessages})
	return w
}

// Register names what runs here. The test environment and the replayer
// register the same way.
func Register(r worker.Registry, a *activities.Activities) {
	r.RegisterWorkflowWithOptions(workflows.Order, workflow.RegisterOptions{Name: workflows.OrderType})
	r.RegisterActivityWithOptions(a.Project, activity.RegisterOptions{Name: activities.ProjectOrder})
	r.RegisterActivityWithOptions(a.ReadOrder, activity.RegisterOptions{Name: activities.ReadOrder})
	r.RegisterActivityWithOptions(a.AskCarrier, activity.RegisterOptions{Name: activities.AskCarrier})
	r.RegisterActivityWithOptions(a.RequestRemedy, activity.RegisterOptions{Name: activities.RequestRemedy})
	r.RegisterWorkflowWithOptions(workflows.LearnRhythms, workflow.RegisterOptions{Name: workflows.LearnType})
	r.RegisterWorkflowWithOptions(workflows.AdoptPolicy, workflow.RegisterOptions{Name: workflows.AdoptType})
	r.RegisterActivityWithOptions(a.LearnRhythms, activity.RegisterOptions{Name: activities.LearnRhythms})
	r.RegisterActivityWithOptions(a.AdoptPolicy, activity.RegisterOptions{Name: activities.AdoptPolicy})
	r.RegisterActivityWithOptions(a.InstructCarrier, activity.RegisterOptions{Name: activities.InstructCarrier})
	r.RegisterActivityWithOptions(a.FetchProof, activity.RegisterOptions{Name: activities.FetchProof})
	r.RegisterActivityWithOptions(a.MakeReturnLabel, activity.RegisterOptions{Name: activities.MakeReturnLabel})
	r.RegisterActivityWithOptions(a.BookPickup, activity.RegisterOptions{Name: activities.BookPickup})
	r.RegisterActivityWithOptions(a.VoidBooking, activity.RegisterOptions{Name: activities.VoidBooking})
	r.RegisterWorkflowWithOptions(workflows.Feed, workflow.RegisterOptions{Name: workflows.FeedType})
	r.RegisterWorkflowWithOptions(workflows.Messages, workflow.RegisterOptions{Name: workflows.MessagesType})
	feeds := a.Feeds
	if feeds == nil {
		feeds = &activities.Feeds{} // knows no feed
	}
	r.RegisterActivityWithOptions(feeds.Look, activity.RegisterOptions{Name: activities.LookAtFeed})
	r.RegisterActivityWithOptions(feeds.Poll, activity.RegisterOptions{Name: activities.PollParcels})
	r.RegisterActivityWithOptions(feeds.Renew, activity.RegisterOptions{Name: activities.RenewSubscriptions})
	r.RegisterActivityWithOptions(feeds.Report, activity.RegisterOptions{Name: activities.ReportFeed})
}
