package activities

import (
	"context"
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
}

// AskCarrier looks before anybody is alarmed: first into the inbox, where
// routine scans may be riding along, then at the carrier itself.
func (a *Activities) AskCarrier(ctx context.Context, q CarrierQuestion) (CarrierAnswer, error) {
	last, err := a.Inbox.Wake(ctx, q.OrderID, q.Command.Parcel)
	if err != nil {
		return CarrierAnswer{}, err
	}
	if last.After(q.Command.Since) || a.Tracker == nil {
		return CarrierAnswer{LastMovement: last}, nil
	}
	tracked, err := a.Tracker.Track(ctx, q.Command.Carrier, q.Command.Tracking, q.Command.Since)
	if err != nil {
		return CarrierAnswer{}, err
	}
	if tracked.After(last) {
		last = tracked
	}
	return CarrierAnswer{LastMovement: last}, nil
}
