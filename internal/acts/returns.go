package acts

import (
	"fmt"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// What people ask about returns, by whichever way they come. order.Check decides.

// RequestReturn asks to send lines back, or takes in a parcel that came back by itself.
func RequestReturn(parcel string, lines []order.ReturnLine, box order.Package, reason string) Request {
	return Request{Action: "request_return", Reason: reason, Body: map[string]any{"parcel": parcel, "lines": lines, "package": box},
		Subject: func(v order.View) string {
			said := make([]string, 0, len(v.Returns))
			for _, r := range v.Returns {
				said = append(said, r.ID+" "+string(r.State))
			}
			return "returns: " + orNone(strings.Join(said, ", "))
		},
		Event: Plain(func(m order.Meta) order.Event {
			return order.RequestReturn{Meta: m, Parcel: parcel, Lines: lines, Package: box}
		})}
}

// DecideReturn authorizes a return, or rejects it.
func DecideReturn(id string, agree bool, reason string) Request {
	return Request{Action: "decide_return", Reason: reason, Body: map[string]any{"return": id, "agree": agree}, Subject: returnOf(id),
		Event: Plain(func(m order.Meta) order.Event { return order.DecideReturn{Meta: m, Return: id, Agree: agree} })}
}

// ShipReturn says how a return comes: by a label or a pickup.
func ShipReturn(id, carrier, tracking string, pickup time.Time, reason string) Request {
	body := map[string]any{"return": id, "carrier": carrier, "tracking": tracking}
	if !pickup.IsZero() {
		body["pickup_at"] = pickup
	}
	return Request{Action: "ship_return", Reason: reason, Body: body, Subject: returnOf(id), Event: Plain(func(m order.Meta) order.Event {
		return order.ShipReturn{Meta: m, Return: id, Carrier: carrier, Tracking: carriers.Whole(tracking), PickupAt: pickup}
	})}
}

// AskLabel has a carrier make a label for a return.
func AskLabel(id, carrier string, box order.Package, reason string) Request {
	return Request{Action: "ask_label", Reason: reason, Body: map[string]any{"return": id, "carrier": carrier, "package": box}, Subject: returnOf(id), Event: Plain(func(m order.Meta) order.Event {
		return order.AskLabel{Meta: m, Return: id, Carrier: carrier, Package: box}
	})}
}

// AskPickup has a carrier come for a return.
func AskPickup(id, carrier string, earliest, latest time.Time, box order.Package, reason string) Request {
	return Request{Action: "ask_pickup", Reason: reason, Subject: returnOf(id),
		Body: map[string]any{"return": id, "carrier": carrier, "earliest": earliest, "latest": latest, "package": box}, Event: Plain(func(m order.Meta) order.Event {
			return order.AskPickup{Meta: m, Return: id, Carrier: carrier, Earliest: earliest, Latest: latest, Package: box}
		})}
}

// EndBooking records that a person dealt with a label or pickup of a return.
func EndBooking(id, booking, reason string) Request {
	return Request{Action: "end_booking", Reason: reason, Body: map[string]any{"return": id, "booking": booking}, Subject: returnOf(id),
		Event: Plain(func(m order.Meta) order.Event { return order.EndBooking{Meta: m, Booking: booking} })}
}

// VoidBooking has the carrier take back a label or pickup that it made.
func VoidBooking(id, booking, reason string) Request {
	return Request{Action: "void_booking", Reason: reason, Body: map[string]any{"return": id, "booking": booking}, Subject: returnOf(id),
		Event: Plain(func(m order.Meta) order.Event { return order.VoidBooking{Meta: m, Booking: booking} })}
}

// InspectReturn says what was found.
func InspectReturn(id string, findings []order.Finding, reason string) Request {
	return Request{Action: "inspect_return", Reason: reason, Body: map[string]any{"return": id, "findings": findings}, Subject: returnOf(id),
		Event: Plain(func(m order.Meta) order.Event { return order.InspectReturn{Meta: m, Return: id, Findings: findings} })}
}

// DisposeReturn decides about what was found and not accepted by rule.
func DisposeReturn(id string, lines []order.Disposal, reason string) Request {
	return Request{Action: "dispose_return", Reason: reason, Body: map[string]any{"return": id, "lines": lines}, Subject: returnOf(id),
		Event: Plain(func(m order.Meta) order.Event { return order.DisposeReturn{Meta: m, Return: id, Lines: lines} })}
}

// SendReturnBack says that what was not accepted left for the buyer.
func SendReturnBack(id, carrier, tracking, reason string) Request {
	return Request{Action: "send_return_back", Reason: reason, Body: map[string]any{"return": id, "carrier": carrier, "tracking": tracking}, Subject: returnOf(id),
		Event: Plain(func(m order.Meta) order.Event {
			return order.SendReturnBack{Meta: m, Return: id, Carrier: carrier, Tracking: carriers.Whole(tracking)}
		})}
}

// CancelReturn ends a return that leads nowhere.
func CancelReturn(id, reason string) Request {
	return Request{Action: "cancel_return", Reason: reason, Body: map[string]any{"return": id}, Subject: returnOf(id),
		Event: Plain(func(m order.Meta) order.Event { return order.CancelReturn{Meta: m, Return: id} })}
}

func returnOf(id string) func(order.View) string {
	return func(v order.View) string {
		for _, r := range v.Returns {
			if r.ID != id {
				continue
			}
			said := []string{string(r.State) + " since " + r.Since.UTC().Format(stamp)}
			if n := units(r.Findings); n > 0 {
				said = append(said, fmt.Sprintf("%d inspected", n))
			}
			if r.Box.Tracking != "" {
				said = append(said, "comes as "+r.Box.Tracking)
			}
			if b := r.OpenBooking(); b != nil {
				said = append(said, string(b.Kind)+" "+string(b.State))
			}
			if !r.DisposedAt.IsZero() {
				said = append(said, "decided at "+r.DisposedAt.UTC().Format(stamp))
			}
			if !r.DeclinedAt.IsZero() {
				said = append(said, "something was declined at "+r.DeclinedAt.UTC().Format(stamp))
			}
			return id + ": " + strings.Join(said, ", ")
		}
		return id + ": no return of this order"
	}
}

func units(findings []order.Finding) (n int) {
	for _, f := range findings {
		n += f.Quantity
	}
	return n
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
