package acts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// What buyers ask by themselves. order.Check decides.

// ByBuyer is who asks with nothing but a link. Nobody knows more of them.
func ByBuyer(trace string) Asker {
	return Asker{Actor: "buyer", Role: "buyer", By: order.Buyer, Trace: trace}
}

// byThemselves is the reason of what needs one: histories take no words of buyers.
const byThemselves = "chosen by the buyer"

// TryAgain ends the case of a failed attempt by another one on a day.
func TryAgain(id string, day time.Time) Request {
	return ResolveCase(id, order.Redeliver, day, 0, "", byThemselves)
}

// KeepForPickup ends it by having the parcel kept where the carrier chooses.
func KeepForPickup(id string) Request {
	return ResolveCase(id, order.HoldAtLocation, time.Time{}, 0, "", byThemselves)
}

// Moving keeps an address within the country of another; *store.Store does.
type Moving interface {
	MoveWithin(ctx context.Context, orderID string, follows, most int, a store.Address) (version int, err error)
}

// Move corrects the address of an order that was o a moment ago, for the buyer whose
// case that is. It stays in its country, and nothing is kept of what is refused.
func Move(keep Moving, id string, o store.Order, to store.Address) Request {
	return Request{Action: "correct_address", Reason: byThemselves, Body: map[string]any{"case": id}, Subject: caseOf(id),
		Event: func(ctx context.Context, m order.Meta) (order.Event, string, error) {
			st := o.Current()
			e := order.CorrectAddress{Meta: m, AddressVersion: st.AddressVersion + 1}
			if err := order.Check(st.At(m.Received), e); err != nil {
				return nil, "", err
			}
			version, err := keep.MoveWithin(ctx, o.Spec.ID, st.AddressVersion, order.MaxBuyerAddresses, to)
			if errors.Is(err, store.ErrNotFound) {
				err = &order.Refusal{Reason: "there is no address to correct, or it was corrected too often", Why: order.WhyTooMany}
			}
			e.AddressVersion = version
			return e, fmt.Sprintf("address version %d", version), err
		}}
}

// AskForAddress has support ask the buyer for the right address.
func AskForAddress(id string) Request { return NoteCase(id, order.WrongAddress) }
