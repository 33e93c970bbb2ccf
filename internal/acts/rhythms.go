package acts

import (
	"context"
	"log/slog"
	"time"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// Rhythms is where people decide about what was learned.
type Rhythms struct {
	Store interface {
		Proposals(ctx context.Context, open bool, limit int) ([]store.RhythmProposal, error)
		Proposal(ctx context.Context, id int64) (store.RhythmProposal, error)
		AcceptProposals(ctx context.Context, policy string, seen []store.Seen, a store.Audit, at time.Time) (order.PolicyBook, error)
		DeclineProposal(ctx context.Context, x store.Seen, a store.Audit, at time.Time) (store.RhythmProposal, error)
	}
	// Adopt begins to bring a version of a policy to the open orders.
	Adopt func(ctx context.Context, policy string, version int) error
	Log   *slog.Logger
	Now   func() time.Time
}

// Decide accepts or declines a proposal as somebody saw it, once. Accepted, it is a
// line of the policy's next version, which new orders have at once and open ones
// adopt one after another; those that cannot be asked now are asked with the next
// night. Errors: store.ErrNotFound, store.ErrConflict.
func (r *Rhythms) Decide(ctx context.Context, seen store.Seen, accept bool, a store.Audit) (store.RhythmProposal, error) {
	p, err := r.Store.Proposal(ctx, seen.ID)
	if err != nil {
		return p, err
	}
	if !accept {
		return r.Store.DeclineProposal(ctx, seen, a, r.Now().UTC())
	}
	if _, err := r.Store.AcceptProposals(ctx, p.Policy, []store.Seen{seen}, a, r.Now().UTC()); err != nil {
		return p, err
	}
	if p, err = r.Store.Proposal(ctx, seen.ID); err != nil {
		return p, err
	}
	if err := r.Adopt(ctx, p.Policy, p.Version); err != nil {
		r.Log.Warn("open orders adopt the policy with the next night", "policy", p.Policy, "version", p.Version, "error", err)
	}
	return p, nil
}
