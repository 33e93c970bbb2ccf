package pages

import (
	"net/url"

	"github.com/waybillhq/waybill/order"
)

// returnCard is a return as the buyer sees it.
type returnCard struct {
	Title    string
	Words    words
	Items    []item
	Carrier  string
	Tracking string
	Label    string // where the buyer may save it; empty: nowhere
}

// returnCards are an order's returns, the latest first. Labels lead below page, the
// buyer's own; empty: they are not handed out.
func returnCards(v *order.View, names map[string]string, shop, page string, l lens) []returnCard {
	var cards []returnCard
	for i := len(v.Returns) - 1; i >= 0; i-- {
		r := &v.Returns[i]
		k := returnCard{Title: l.say("return.title", nil), Words: returnWords(r, v, shop, l)}
		if r.Box.Tracking != "" && r.Parcel == r.ID { // else the number is of the way out
			k.Carrier, k.Tracking = carrierName(r.Box.Carrier), clean(r.Box.Tracking, 40)
			if b := r.Label(); page != "" && b != nil && b.Tracking == r.Box.Tracking && (r.State == order.ReturnLabelSent || r.State == order.ReturnPickup) {
				k.Label = page + "/label/" + url.PathEscape(r.ID)
			}
		}
		for _, x := range r.Lines {
			if len(k.Items) == openItems {
				break
			}
			k.Items = append(k.Items, item{names[x.SKU], x.Quantity})
		}
		cards = append(cards, k)
	}
	return cards
}

// returnWords says where a return is, and what the buyer can do. In English, its
// status is the title of the table of return states.
func returnWords(r *order.ReturnView, v *order.View, shop string, l lens) words {
	w := l.about(shop, carrierName(r.Box.Carrier))
	for _, x := range v.Waiting {
		if x.Kind == order.WaitReturnShipment && x.Parcel == r.Parcel && l.away(x.Until) >= 0 {
			w["day"] = l.day(x.Until)
		}
	}
	key := "return." + string(r.State)
	sentence, next, tone := key+".sentence", key+".next", calm
	switch r.State {
	case order.ReturnAuthorized, order.ReturnLabelSent:
		tone = act
	case order.ReturnPickup:
		tone, w["on"] = act, l.onDay(r.PickupAt)
	case order.ReturnInTransit:
		tone = moving
		if place := town(r.Box.LastPlace); place != "" {
			w["place"] = place
		}
		if r.Box.Milestone == order.Lost || r.Box.Milestone == order.Destroyed {
			tone, sentence, next = act, key+".lost", key+".lost_what"
		}
	case order.RefundReleased, order.ReplacementReleased, order.ReturnClosed:
		tone = good
	case order.ReturnSentBack:
		tone = moving
	case order.ReturnRejected:
		tone = bad
	case order.ReturnRequested, order.ReturnReceived, order.ReturnInspecting, order.ReturnDispositioned, order.ReturnCancelled:
	}
	if !r.DeclinedAt.IsZero() && r.State.Open() {
		tone, next = act, "return.declined"
	}
	return words{tone, l.say(key+".status", nil), l.say(sentence, w), l.say(next, w)}
}
