// Package templates writes what buyers read: mails and text messages about one
// order. It is pure: the same content gives the same words.
//
// Every message answers what happened, what happens next, and what the buyer can
// do. What a message needs and does not get is an error that names the field;
// there are no half messages. Everything in a [Content] may be hostile.
package templates

import (
	"fmt"
	"time"

	"github.com/waybillhq/waybill/internal/messaging"
	"github.com/waybillhq/waybill/order"
)

// Kind is what a message is about.
type Kind string

const (
	Confirmation Kind = "confirmation"
	// Shipped is for a parcel that the carrier has, never for a label.
	Shipped             Kind = "shipped"
	OutForDelivery      Kind = "out_for_delivery"
	Delivered           Kind = "delivered"
	AttemptFailed       Kind = "attempt_failed"
	Delayed             Kind = "delayed"
	ReadyForPickup      Kind = "ready_for_pickup"
	AddressProblem      Kind = "address_problem"
	ReturnSteps         Kind = "return_steps"
	RefundReleased      Kind = "refund_released"
	NotReceivedFollowup Kind = "not_received_followup"
)

// Kinds lists them in the order of an order's life.
func Kinds() []Kind {
	return []Kind{Confirmation, Shipped, OutForDelivery, Delivered, AttemptFailed, Delayed, ReadyForPickup, AddressProblem, ReturnSteps, RefundReleased, NotReceivedFollowup}
}

// Content is everything that a message may say. Needed always: Zone, Brand.Name,
// Brand.Support, Order, URL. What else each kind needs, docs/messages.md lists.
type Content struct {
	Language string         // BCP 47; English for what we do not speak
	Zone     *time.Location // the buyer's; every time is shown in it
	Brand    Brand
	Order    string // the number that the buyer knows
	// FirstName may be empty; what is no name is left out.
	FirstName string
	URL       string // the tracking page, short
	// UnsubscribeURL is the page of preferences, which answers a one-click POST (RFC
	// 8058). The header that says so needs https. Empty: neither link nor header.
	UnsubscribeURL string

	Parcels []Parcel // those that the message is about
	// Remaining parcels of the order are still to come after these.
	Remaining int
	// Partly: nothing more is to come, and yet the order is not complete: a parcel
	// was lost, or turned round.
	Partly bool
	// Items of the whole order or return. Messages about parcels list the
	// parcels' own where they are known.
	Items []Item
	Total Money // of the order

	At      time.Time // when it happened
	Arrives Window    // the promise, the new window, or the next attempt
	Until   time.Time // kept until, answer by, send back by
	Overdue bool      // the promised time has passed
	Reason  Reason
	Place   Place
	// Left is where a delivered parcel was put, in the carrier's words.
	Left     string
	ProofURL string // a page with the proof of delivery
	Code     string // of a pickup, or of a return without a label
	Choices  []Choice
	Amount   Money // of the refund
}

// Brand is the store as the buyer knows it.
type Brand struct {
	Name    string
	Colour  string            // #rrggbb; empty: black
	Support messaging.Address // answers buyers
	LogoURL string            // https, about 40 pixels high; empty: the name stands there
}

// Parcel is one box.
type Parcel struct {
	Carrier, Tracking string
	Items             []Item
}

// Item is a line of the order.
type Item struct {
	Name     string
	Quantity int
}

// Window is a time from and to; From may be zero, then it is "by To".
type Window struct{ From, To time.Time }

// Place is where to go.
type Place struct{ Name, Address string }

// Money is an amount in minor units of an ISO 4217 currency.
type Money struct {
	Minor    int64
	Currency string
}

// Reason is why a delivery failed or is late: the buckets of carriers' codes.
type Reason string

// Choice is something the buyer can do about it, and where.
type Choice struct {
	Kind ChoiceKind
	URL  string
}

// ChoiceKind names a choice; its label is ours, in the buyer's language.
type ChoiceKind string

const (
	Reschedule     ChoiceKind = "reschedule"
	PickupPoint    ChoiceKind = "pickup_point"
	SafePlace      ChoiceKind = "safe_place"
	Neighbour      ChoiceKind = "neighbour"
	CorrectAddress ChoiceKind = "correct_address"
	PrintLabel     ChoiceKind = "print_label"
	FoundIt        ChoiceKind = "found_it"
	NotReceived    ChoiceKind = "not_received"
	SendBack       ChoiceKind = "send_back"
	Contact        ChoiceKind = "contact"
)

// Message is one message, ready to send.
type Message struct {
	Subject   string // one line
	Preheader string // what mail programs show after the subject
	HTML      string
	Text      string
	// SMS is written for GSM-7 where the language allows; Segments is what it costs.
	SMS      string
	Segments int
	// Headers are for the mail: List-Unsubscribe (RFC 2369, RFC 8058).
	Headers map[string]string
}

// Write writes the message of that kind. An error names the field that is
// missing or cannot be shown.
func Write(kind Kind, c Content) (Message, error) {
	w, err := newWriter(kind, c)
	if err != nil {
		return Message{}, fmt.Errorf("%s message: %w", kind, err)
	}
	m, err := w.message()
	if err != nil {
		return Message{}, fmt.Errorf("%s message: %w", kind, err)
	}
	return m, nil
}

// UnknownReason says that the reason is not known.
const UnknownReason Reason = "unknown"

// ReasonOf is what buyers read of a bucket of carriers' codes.
func ReasonOf(bucket string) Reason {
	if _, ok := lines["reason."+bucket]; ok {
		return Reason(bucket)
	}
	switch order.CaseOfBucket(bucket) {
	case order.AddressProblem:
		return "address"
	case order.Refused:
		return "refused"
	case order.CustomsHold:
		return "customs"
	case order.PaymentDue:
		return "payment"
	case order.Weather:
		return "weather"
	default:
		return UnknownReason
	}
}
