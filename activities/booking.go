package activities

import (
	"context"

	"github.com/waybillhq/waybill/order"
)

// BookingRequest asks a carrier to make a label for a return, or to come for it.
// The addresses are those of the order's newest version and of the store.
type BookingRequest struct {
	OrderID string        `json:"order_id"`
	Store   string        `json:"store"`
	Return  string        `json:"return"`
	Command order.Command `json:"command"`
	Booking order.Booking `json:"booking"`
	Package order.Package `json:"package"`
	// AddressVersion is where the buyer is. LabelReference is the carrier's own name
	// for the label of which a pickup is part; empty: it made none.
	AddressVersion int    `json:"address_version"`
	LabelReference string `json:"label_reference,omitempty"`
}

// BookingAnswer is what came of a booking: made, under the carrier's number and
// reference, declined, or not to be made from here. Unclear, beside Unable: it may
// have been made all the same. Label is the media type of the label that is kept.
type BookingAnswer struct {
	InstructionAnswer
	Carrier  string `json:"carrier,omitempty"`
	Tracking string `json:"tracking,omitempty"`
	Label    string `json:"label,omitempty"`
	Amount   int64  `json:"amount,omitempty"`
	Currency string `json:"currency,omitempty"`
	Unclear  bool   `json:"unclear,omitempty"`
}

// Bookings are made by carriers. Asking twice would make two: so whoever implements
// it commits an attempt before the request, sends it once, and finds out afterwards
// what came of it, also when it is another worker that goes on. What is voided twice is
// void: that is asked until there is an answer.
type Bookings interface {
	Book(ctx context.Context, r BookingRequest) (BookingAnswer, error)
	Void(ctx context.Context, r BookingRequest) (BookingAnswer, error)
}

// MakeReturnLabel has the carrier make a label.
func (a *Activities) MakeReturnLabel(ctx context.Context, r BookingRequest) (BookingAnswer, error) {
	return a.book(ctx, r)
}

// BookPickup has the carrier come.
func (a *Activities) BookPickup(ctx context.Context, r BookingRequest) (BookingAnswer, error) {
	return a.book(ctx, r)
}

// VoidBooking has the carrier take back what it made. An empty answer: it did.
func (a *Activities) VoidBooking(ctx context.Context, r BookingRequest) (BookingAnswer, error) {
	if a.Bookings == nil {
		return BookingAnswer{InstructionAnswer: InstructionAnswer{Unable: noCarriers}}, nil
	}
	return a.Bookings.Void(ctx, r)
}

func (a *Activities) book(ctx context.Context, r BookingRequest) (BookingAnswer, error) {
	if a.Bookings == nil {
		return BookingAnswer{InstructionAnswer: InstructionAnswer{Unable: noCarriers}}, nil
	}
	return a.Bookings.Book(ctx, r)
}
