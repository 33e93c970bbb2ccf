package activities

import (
	"context"

	"go.temporal.io/sdk/temporal"

	"github.com/waybillhq/waybill/order"
)

// Project writes the read model and the order's happenings, in one
// transaction. Idempotent: an older or equal state changes nothing.
func (a *Activities) Project(ctx context.Context, s *order.State) error {
	return a.ReadModel.Project(ctx, s)
}

// ReadOrder reads an order that had closed, for the run in which it goes on. It
// outlives Temporal's retention.
func (a *Activities) ReadOrder(ctx context.Context, orderID string) (*order.State, error) {
	s, err := a.ReadModel.State(ctx, orderID)
	if err == nil && s == nil {
		err = temporal.NewNonRetryableApplicationError("there is no state of order "+orderID, "NoOrder", nil)
	}
	return s, err
}
