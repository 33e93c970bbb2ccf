package app

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/store"
)

// Void has the carrier take back what the row says that it made, under the credential
// that made it. It is asked until there is an answer, or no time is left.
func (b bookings) Void(ctx context.Context, r activities.BookingRequest) (a activities.BookingAnswer, err error) {
	row, err := b.store.Booking(ctx, r.OrderID, r.Booking.ID)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && row.State != store.BookingMade:
		return unable("nobody knows what the carrier has"), nil
	case err != nil:
		return a, err
	case b.client == nil:
		return unable("no carrier can be asked for anything from here"), nil
	case b.left(r) <= 0:
		return unable("the carrier could not be asked in time"), nil
	}
	at, err := b.store.Address(ctx, r.OrderID, r.AddressVersion)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return a, err
	}
	place, _ := clockAt(at) // on which the day of a pickup was named
	cannot, err := b.client.Void(ctx, row.Credential, carriers.Job{Kind: r.Booking.Kind, Label: cmp.Or(row.Handle, row.Reference), Earliest: r.Booking.Earliest.In(place)})
	if cannot != "" {
		return unable(cannot), nil
	}
	if err == nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return a, b.store.DropLabel(ctx, r.OrderID, r.Booking.ID)
	}
	var problem *carriers.AskError
	if !errors.As(err, &problem) {
		return a, err // the database
	}
	rest := max(firstLook, problem.Until.Sub(b.now()))
	switch {
	case problem.Reason == carriers.BadRequest, problem.Reason == carriers.NotFound:
		a.Declined = problem.Error()
		return a, nil
	case problem.Reason == carriers.Unauthorized, rest >= b.left(r):
		return unable(problem.Error()), nil
	}
	return a, again(err, rest)
}
