package activities

import (
	"context"
	"errors"
	"time"

	"github.com/waybillhq/waybill/order"
)

// CarrierQuestion asks where a quiet parcel is.
type CarrierQuestion struct {
	OrderID string        `json:"order_id"`
	Command order.Command `json:"command"`
}

// CarrierAnswer is the latest movement known; zero when there is none.
type CarrierAnswer struct {
	LastMovement time.Time `json:"last_movement,omitzero"`
	// FeedSilentSince: nobody could ask the carrier, and its feed is silent since
	// then. The case is the feed's.
	FeedSilentSince time.Time `json:"feed_silent_since,omitzero"`
}

// ErrNobodyToAsk: we have no credential with that carrier.
var ErrNobodyToAsk = errors.New("nobody to ask")

// AskCarrier looks before anybody is alarmed: first into the inbox, where
// routine scans may be riding along, then at the carrier itself. A carrier that
// cannot be asked is excused while its feed is known to be silent.
func (a *Activities) AskCarrier(ctx context.Context, q CarrierQuestion) (CarrierAnswer, error) {
	last, err := a.Inbox.Wake(ctx, q.OrderID, q.Command.Parcel)
	if err != nil {
		return CarrierAnswer{}, err
	}
	if last.After(q.Command.Since) {
		return CarrierAnswer{LastMovement: last}, nil
	}
	err = ErrNobodyToAsk
	if a.Tracker != nil {
		var tracked time.Time
		tracked, err = a.Tracker.Track(ctx, q.Command.Carrier, q.Command.Tracking, q.Command.Since)
		if tracked.After(last) {
			last = tracked
		}
	}
	if err == nil {
		return CarrierAnswer{LastMovement: last}, nil
	}
	since, silentErr := a.Inbox.SilentSince(ctx, q.Command.Carrier)
	switch {
	case !since.IsZero():
		return CarrierAnswer{LastMovement: last, FeedSilentSince: since}, nil
	case errors.Is(err, ErrNobodyToAsk):
		return CarrierAnswer{LastMovement: last}, silentErr
	}
	return CarrierAnswer{}, err
}
