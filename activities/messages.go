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
// beat is called every few seconds.
type MessageSender interface {
	Round(ctx context.Context, r SendRound, beat func()) (SendDone, error)
}

// Messages sends by one channel. One of them runs at a time.
type Messages struct{ Sender MessageSender }

// Send is one stretch of sending.
func (m *Messages) Send(ctx context.Context, r SendRound) (SendDone, error) {
	round, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-activity.GetWorkerStopChannel(ctx):
			stop()
		case <-round.Done():
		}
	}()
	return m.Sender.Round(round, r, func() { activity.RecordHeartbeat(ctx) })
}
