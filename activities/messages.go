package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
)

// SendMessages as ops read it in the history of a channel's messages.
const SendMessages = "SendMessages"

// SendRound is one stretch of sending by one channel.
type SendRound struct {
	Channel string `json:"channel"`
	// Failures of the provider in a row until now.
	Failures int `json:"failures,omitempty"`
}

// SendDone says what a stretch did and what waits now. Counts and times only:
// nothing of a message and nobody's name.
type SendDone struct {
	Provider string `json:"provider,omitempty"` // empty: this worker sends nothing by the channel
	Sent     int    `json:"sent,omitempty"`
	Failed   int    `json:"failed,omitempty"`
	Dropped  int    `json:"dropped,omitempty"`
	Waiting  int    `json:"waiting,omitempty"` // due and not sent
	// Oldest is since when the one that waits longest could have gone.
	Oldest  time.Time `json:"oldest,omitzero"`
	Later   int       `json:"later,omitempty"`
	Unclear int       `json:"unclear,omitempty"`
	// RestUntil is until when the provider is left alone, and Trouble why.
	RestUntil time.Time `json:"rest_until,omitzero"`
	Trouble   string    `json:"trouble,omitempty"`
	Failures  int       `json:"failures,omitempty"`
}

// MessageSender sends what is due by one channel for some minutes, until its
// provider wants rest, or until ctx ends; sends that are under way then are finished.
type MessageSender interface {
	Round(ctx context.Context, r SendRound) (SendDone, error)
}

// Messages sends by one channel. One of them runs at a time.
type Messages struct{ Sender MessageSender }

// beat is how often the server hears that a stretch goes on. It bounds how soon
// another worker takes over from a dead one.
const beat = 5 * time.Second

// Send is one stretch of sending. A worker that stops ends it.
func (m *Messages) Send(ctx context.Context, r SendRound) (SendDone, error) {
	round, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		tick := time.NewTicker(beat)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				activity.RecordHeartbeat(ctx)
			case <-activity.GetWorkerStopChannel(ctx):
				stop()
				return
			case <-round.Done():
				return
			}
		}
	}()
	return m.Sender.Round(round, r)
}
