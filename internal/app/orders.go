package app

import (
	"context"
	"errors"
	"time"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

// orders is what the API asks of running orders. An order that was created a
// moment ago has a row but no workflow yet: then it is worth waiting.
type orders struct {
	*workflows.Client
	store *store.Store
}

func (o orders) Ask(ctx context.Context, orderID string, request order.Event) (order.View, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		v, err := o.Client.Ask(ctx, orderID, request)
		if !errors.Is(err, workflows.ErrNotRunning) {
			return v, err
		}
		started, closed, lookup := o.store.Started(ctx, orderID)
		if lookup != nil {
			return v, lookup
		}
		if started && closed {
			return v, err
		}
		select {
		case <-ctx.Done():
			return v, workflows.ErrUnavailable
		case <-time.After(100 * time.Millisecond):
		}
	}
}
