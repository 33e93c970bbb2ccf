package workflows

import (
	"cmp"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/internal/feed"
)

// FeedType is the workflow's name.
const FeedType = "Feed"

// FeedID is the workflow of a feed: one for each credential, and one for each
// carrier that only pushes.
func FeedID(name string) string { return "feed:" + name }

// QueryFeed answers with a FeedView.
const QueryFeed = "feed"

// Updates of a feed; each returns the FeedView after it.
const (
	UpdatePause  = "pause"   // Pause
	UpdateResume = "resume"  // no argument; looks at once
	UpdateAskNow = "ask_now" // no argument; asks for every parcel in need within the budget, at once
)

// MaxPause bounds how long a feed may be left alone.
const MaxPause = 7 * 24 * time.Hour

// Pause stops a feed's looks, questions, renewals and alarms until a time.
type Pause struct {
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
}

// FeedInput starts a feed, or carries it on.
type FeedInput struct {
	Name  string      `json:"name"`
	State *feed.State `json:"state,omitempty"`
	// MaxEvents as in Input.
	MaxEvents int `json:"max_events,omitempty"`
}

// FeedView is a feed as it is now, and in words.
type FeedView struct {
	feed.State
	Words string `json:"words"`
}

// Feed watches over one feed for as long as there are workers: it looks, decides,
// reports a silence, renews subscriptions and asks for the parcels that need it
// most. It never ends by itself.
func Feed(ctx workflow.Context, in FeedInput) error {
	// One gate per run, as for orders.
	rules := int(workflow.GetVersion(ctx, "feed_rules", feed.MinRules, feed.CurrentRules))
	f := &feedShell{maxEvents: cmp.Or(in.MaxEvents, DefaultMaxEvents), st: feed.State{Name: in.Name, Phase: feed.Fresh, Since: workflow.Now(ctx)}}
	if in.State != nil {
		f.st = *in.State
	}
	f.st.Rules = rules
	f.wake = workflow.NewBufferedChannel(ctx, 1)
	if err := f.handlers(ctx); err != nil {
		return err
	}
	return f.run(ctx)
}

type feedShell struct {
	st        feed.State
	maxEvents int
	wake      workflow.Channel // an update wants something done
	asap      bool
	looking   bool // a round is under way
	rounds    int  // that ended in this run
}

func (f *feedShell) run(ctx workflow.Context) error {
	for {
		if now := workflow.Now(ctx); !f.st.Paused(now) && (f.asap || !f.st.NextAt.After(now)) {
			f.looking = true
			f.round(ctx)
			f.looking = false
			f.rounds++
		}
		workflow.SetCurrentDetails(ctx, feed.Words(f.st, workflow.Now(ctx)))
		info := workflow.GetInfo(ctx)
		if (info.GetContinueAsNewSuggested() || info.GetCurrentHistoryLength() >= f.maxEvents) && workflow.AllHandlersFinished(ctx) && !f.asap {
			return workflow.NewContinueAsNewError(ctx, Feed, FeedInput{Name: f.st.Name, State: &f.st, MaxEvents: f.maxEvents})
		}
		f.sleep(ctx)
	}
}

// round is one look and what follows from it.
func (f *feedShell) round(ctx workflow.Context) {
	asap := f.asap
	f.asap = false
	var l feed.Look
	look := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 3 * time.Minute,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 5 * time.Minute},
		Summary:             "how does " + f.st.Name + " do?",
	})
	if err := workflow.ExecuteActivity(look, activities.LookAtFeed, activities.FeedQuestion{Feed: f.st.Name, Missed: f.st.Missed}).Get(ctx, &l); err != nil {
		f.st.Trouble, f.st.NextAt = clip(err.Error()), workflow.Now(ctx).Add(10*time.Minute)
		return
	}
	var do feed.Actions
	f.st, do = feed.Step(f.st, l, workflow.Now(ctx), asap)
	f.st.Trouble = ""
	if r := do.Report; r != nil {
		summary := fmt.Sprintf("%s pushes again: close its case", r.Carrier)
		if r.Open {
			summary = r.Title + ": open a case"
		}
		report := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
			StartToCloseTimeout: 10 * time.Second,
			RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute},
			Summary:             clip(summary),
		})
		f.trouble(workflow.ExecuteActivity(report, activities.ReportFeed, *r).Get(ctx, nil))
	}
	if do.Renew > 0 {
		f.st.Renewed += f.work(ctx, activities.RenewSubscriptions, activities.FeedWork{Feed: f.st.Name, Calls: do.Renew},
			fmt.Sprintf("%d subscriptions are due; %d calls", l.Renew, do.Renew))
	}
	if p := do.Poll; p != nil {
		f.st.Asked += f.work(ctx, activities.PollParcels, activities.FeedWork{Feed: f.st.Name, Poll: p},
			fmt.Sprintf("where are the parcels that need it most? %d calls", p.Calls))
	}
}

// work runs one activity that calls the carrier. Its failure is shown and left to
// the next round.
func (f *feedShell) work(ctx workflow.Context, name string, w activities.FeedWork, summary string) int {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 15 * time.Minute,
		HeartbeatTimeout:    2 * time.Minute,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 5 * time.Second, BackoffCoefficient: 2, MaximumAttempts: 3},
		Summary:             clip(summary),
	})
	var done activities.FeedDone
	f.trouble(workflow.ExecuteActivity(ctx, name, w).Get(ctx, &done))
	if done.Trouble != "" {
		f.st.Trouble = cmp.Or(f.st.Trouble, done.Trouble)
	}
	return done.Numbers
}

func (f *feedShell) trouble(err error) {
	if err != nil {
		f.st.Trouble = cmp.Or(f.st.Trouble, clip(err.Error()))
	}
}

// sleep waits until the next look, the end of a pause, or an update.
func (f *feedShell) sleep(ctx workflow.Context) {
	now := workflow.Now(ctx)
	until, why := f.st.NextAt, "looks again"
	if f.st.Paused(now) {
		until, why = f.st.PausedUntil, "paused: "+f.st.PausedWhy
	} else if l := f.st.Last; f.st.Phase == feed.Fresh && l.SilentAt.After(now) {
		why = fmt.Sprintf("looks again; silent unless something is pushed by %s", l.SilentAt.UTC().Format("Mon 15:04 UTC"))
	}
	timerCtx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	// Whole milliseconds, rounded up, so that it never fires just before the end.
	d := max(until.Sub(now).Truncate(time.Millisecond)+time.Millisecond, time.Millisecond)
	workflow.NewSelector(ctx).
		AddFuture(workflow.NewTimerWithOptions(timerCtx, d, workflow.TimerOptions{Summary: clip(why)}), func(workflow.Future) {}).
		AddReceive(f.wake, func(ch workflow.ReceiveChannel, _ bool) { ch.ReceiveAsync(nil) }).
		Select(ctx)
}

func (f *feedShell) view(ctx workflow.Context) FeedView {
	return FeedView{f.st, feed.Words(f.st, workflow.Now(ctx))}
}

func (f *feedShell) handlers(ctx workflow.Context) error {
	if err := workflow.SetQueryHandlerWithOptions(ctx, QueryFeed, func() (FeedView, error) { return f.view(ctx), nil },
		workflow.QueryHandlerOptions{Description: "The feed as it is now"}); err != nil {
		return err
	}
	refuse := func(reason string) error {
		return temporal.NewNonRetryableApplicationError(reason, refusalType, nil)
	}
	if err := workflow.SetUpdateHandlerWithOptions(ctx, UpdatePause, func(ctx workflow.Context, p Pause) (FeedView, error) {
		f.st.PausedUntil, f.st.PausedWhy = p.Until, clip(p.Reason)
		f.wake.SendAsync(true)
		return f.view(ctx), nil
	}, workflow.UpdateHandlerOptions{
		Description: "Leave the feed alone for a while: no looks, no questions, no renewals, no alarms",
		Validator: func(ctx workflow.Context, p Pause) error {
			now := workflow.Now(ctx)
			switch {
			case p.Reason == "":
				return refuse("say why")
			case !p.Until.After(now):
				return refuse("the pause would be over already")
			case p.Until.After(now.Add(MaxPause)):
				return refuse(fmt.Sprintf("a pause ends within %d days", int(MaxPause.Hours()/24)))
			}
			return nil
		},
	}); err != nil {
		return err
	}
	if err := workflow.SetUpdateHandlerWithOptions(ctx, UpdateResume, func(ctx workflow.Context) (FeedView, error) {
		f.st.PausedUntil, f.st.PausedWhy, f.st.NextAt = time.Time{}, "", workflow.Now(ctx)
		return f.soon(ctx)
	}, workflow.UpdateHandlerOptions{
		Description: "End the pause and look at once",
		Validator: func(ctx workflow.Context) error {
			if !f.st.Paused(workflow.Now(ctx)) {
				return refuse("the feed is not paused")
			}
			return nil
		},
	}); err != nil {
		return err
	}
	return workflow.SetUpdateHandlerWithOptions(ctx, UpdateAskNow, func(ctx workflow.Context) (FeedView, error) {
		f.asap = true
		return f.soon(ctx)
	}, workflow.UpdateHandlerOptions{
		Description: "Ask for the parcels that need it most at once, within the budget",
		Validator: func(ctx workflow.Context) error {
			now := workflow.Now(ctx)
			switch b := f.st.Last.Budget; {
			case f.st.Paused(now):
				return refuse("the feed is paused until " + f.st.PausedUntil.UTC().Format(time.RFC3339))
			case f.st.Last.Configured && !f.st.Last.Settings.Asks:
				return refuse("there is no credential to ask with")
			case b.RestUntil.After(now):
				return refuse("the carrier wants rest until " + b.RestUntil.UTC().Format(time.RFC3339))
			}
			return nil
		},
	})
}

// soon wakes the loop and returns after the round that this begins.
func (f *feedShell) soon(ctx workflow.Context) (FeedView, error) {
	last := f.rounds + 1
	if f.looking {
		last++ // the one under way knows nothing of this
	}
	f.wake.SendAsync(true)
	err := workflow.Await(ctx, func() bool { return f.rounds >= last })
	return f.view(ctx), err
}
