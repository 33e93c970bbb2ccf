package activities

import (
	"context"

	"github.com/waybillhq/waybill/order"
)

// Project writes the read model and the order's happenings, in one
// transaction. Idempotent: an older or equal state changes nothing.
func (a *Activities) Project(ctx context.Context, s *order.State) error {
	return a.ReadModel.Project(ctx, s)
}
