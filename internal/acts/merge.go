package acts

import (
	"context"
	"fmt"
	"strings"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// Facts moves what was said of a duplicate's parcels; *store.Store does.
type Facts interface {
	MoveFacts(ctx context.Context, from, into string, parcels []order.Moved) error
}

// Merge ends an order as a duplicate of another one, as they were a moment ago. The
// other takes the parcels first, then what was said of them goes there, and at last
// the duplicate ends. Each part may be repeated, so whatever broke off goes on when
// it is asked again; until then the parcels stand in both, and what carriers say
// finds the other. Its event asks the other order, so it must not be made only to
// see whether it would be granted.
func (d *Desk) Merge(duplicate, into store.Order, reason string) Request {
	r := MergeInto(into.Spec.ID, reason)
	r.Event = func(ctx context.Context, m order.Meta) (order.Event, string, error) {
		taken, moved, err := order.PlanMerge(into.Current(), duplicate.Current())
		if err != nil {
			return nil, "", err
		}
		if len(moved) > 0 {
			take := order.TakeParcels{Meta: m, From: duplicate.Spec.ID, Parcels: taken}
			take.ID += "-take"
			if _, err := d.Orders.Ask(ctx, into.Spec.ID, take); err != nil {
				return nil, "", err
			}
			if err := d.Facts.MoveFacts(ctx, duplicate.Spec.ID, into.Spec.ID, moved); err != nil {
				return nil, "", err
			}
		}
		return order.MergeInto{Meta: m, Into: into.Spec.ID, Parcels: moved}, fmt.Sprintf("%d parcels go on in %s", len(moved), into.Spec.ID), nil
	}
	return r
}

// MergeInto is that request but for its event, for who only wants to know how its
// subject stands.
func MergeInto(into, reason string) Request {
	return Request{Action: "merge_order", Reason: reason, Body: map[string]any{"into": into}, Subject: standing}
}

// standing says how an order and its parcels are.
func standing(v order.View) string {
	said := []string{string(v.Status)}
	for _, p := range v.Parcels {
		s := "parcel " + p.ID + " " + string(p.Milestone)
		if p.MovedTo != "" {
			s += ", goes on as " + p.MovedTo
		}
		said = append(said, s)
	}
	if v.MergedInto != "" {
		said = append(said, "merged into "+v.MergedInto)
	}
	return strings.Join(said, "; ")
}
