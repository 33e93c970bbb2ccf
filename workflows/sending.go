package workflows

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/waybillhq/waybill/activities"
)

// MessagesType is the workflow's name.
const MessagesType = "Messages"

// MessagesID is the workflow that sends by a channel, and the queue of its
// activity: a provider that hangs holds up nothing else.
func MessagesID(channel string) string { return "messages:" + channel }

// MessageChannels that have a sender each.
func MessageChannels() []string { return []string{"email", "sms", "webhook"} }

// MessagesInput starts the sending by a channel, or carries it on.
type MessagesInput struct {
	Channel string              `json:"channel"`
	Last    activities.SendDone `json:"last,omitzero"`
	// MaxEvents as in Input.
	MaxEvents int `json:"max_events,omitempty"`
}

// Messages sends what is due by one channel for as long as there are workers. What
// is sent, to whom and how often is decided by rows and inside the activity: the
// history holds counts only. It never ends by itself.
func Messages(ctx workflow.Context, in MessagesInput) error {
	maxEvents, last := cmp.Or(in.MaxEvents, DefaultMaxEvents), in.Last
	for {
		if rest := last.RestUntil.Sub(workflow.Now(ctx)); rest > 0 {
			workflow.SetCurrentDetails(ctx, sendingWords(in.Channel, last))
			if err := workflow.NewTimerWithOptions(ctx, rest, workflow.TimerOptions{Summary: clip(last.Provider + " rests: " + last.Trouble)}).Get(ctx, nil); err != nil {
				return err
			}
		}
		round := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
			TaskQueue:           MessagesID(in.Channel),
			StartToCloseTimeout: 10 * time.Minute,
			HeartbeatTimeout:    20 * time.Second,
			RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute},
			Summary:             "send what is due by " + in.Channel,
		})
		failures := last.Failures
		last = activities.SendDone{}
		if err := workflow.ExecuteActivity(round, activities.SendMessages, activities.SendRound{Channel: in.Channel, Failures: failures}).Get(ctx, &last); err != nil {
			// Its retries do not end, so this is a cancellation or a fault of ours. Either
			// way rows say what was done.
			if temporal.IsCanceledError(err) || ctx.Err() != nil {
				return err
			}
			last = activities.SendDone{Failures: failures, Trouble: clip(err.Error()), RestUntil: workflow.Now(ctx).Add(time.Minute)}
		}
		workflow.SetCurrentDetails(ctx, sendingWords(in.Channel, last))
		if info := workflow.GetInfo(ctx); info.GetContinueAsNewSuggested() || info.GetCurrentHistoryLength() >= maxEvents {
			return workflow.NewContinueAsNewError(ctx, Messages, MessagesInput{Channel: in.Channel, Last: last, MaxEvents: in.MaxEvents})
		}
	}
}

// sendingWords is what ops read of a channel.
func sendingWords(channel string, d activities.SendDone) string {
	when := func(t time.Time) string { return t.UTC().Format("Mon 15:04 UTC") }
	lines := []string{"**Messages by " + channel + "**, through " + cmp.Or(d.Provider, "nobody yet")}
	waits := fmt.Sprintf("%d wait", d.Waiting)
	if !d.Oldest.IsZero() {
		waits += ", the oldest since " + when(d.Oldest)
	}
	lines = append(lines, waits+fmt.Sprintf("; %d are for later.", d.Later))
	if d.Unclear > 0 {
		lines = append(lines, fmt.Sprintf("Of %d nobody knows whether they were sent: they are asked for, and not sent again.", d.Unclear))
	}
	lines = append(lines, fmt.Sprintf("Last stretch: %d sent, %d failed, %d dropped.", d.Sent, d.Failed, d.Dropped))
	if d.Trouble != "" {
		trouble := "Trouble: " + d.Trouble
		if !d.RestUntil.IsZero() {
			trouble += "; rests until " + when(d.RestUntil)
		}
		lines = append(lines, trouble+".")
	}
	return strings.Join(lines, "\n\n")
}
