package dispatch

import (
	"context"
	"log/slog"
	"time"

	"github.com/waybillhq/waybill/internal/messaging/plan"
	"github.com/waybillhq/waybill/internal/store"
)

const (
	planPause = 500 * time.Millisecond
	planBatch = 500 // happenings
)

// Planner makes intents of what orders told. It may run in every process: one at a
// time plans.
type Planner struct {
	Store  Store
	Writer *Writer
	Now    func() time.Time
	Log    *slog.Logger
}

// Run plans until ctx ends. A database that is away is waited out.
func (p *Planner) Run(ctx context.Context) {
	for ctx.Err() == nil {
		n, err := p.Once(ctx)
		if err != nil && ctx.Err() == nil {
			p.Log.Warn("messages not planned yet", "error", err)
		}
		if n == planBatch {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(planPause):
		}
	}
}

// Once plans for up to a batch of happenings and returns how many there were.
func (p *Planner) Once(ctx context.Context) (int, error) {
	return p.Store.PlanMessages(ctx, planBatch, p.Writer.Hash, func(told []store.Told) (all []store.NewMessage) {
		now := p.Now()
		for _, t := range told {
			if err := safely(func() {
				if t.Err != nil {
					panic(t.Err)
				}
				for _, i := range plan.Plan(t.Order.Current(), t.Happenings, p.Writer.people(t.Addressee), now) {
					// Who never gave an address is told by the store itself, by other ways.
					if i.Audience != plan.Buyer || t.Contact.Email != "" || t.Contact.Phone != "" {
						all = append(all, newMessage(i))
					}
				}
			}); err != nil {
				// The others' messages must not wait for it.
				p.Log.Error("messages of an order cannot be planned", "order", t.OrderID, "error", err)
			}
		}
		return all
	})
}
