package pages

import (
	"strings"

	"github.com/waybillhq/waybill/order"
)

// returnCard is a return as the buyer sees it.
type returnCard struct {
	Title    string
	Words    words
	Items    []item
	Carrier  string
	Tracking string
}

// returnCards are an order's returns, the latest first.
func returnCards(v *order.View, names map[string]string, shop string, l lens) []returnCard {
	var cards []returnCard
	for i := len(v.Returns) - 1; i >= 0; i-- {
		r := &v.Returns[i]
		k := returnCard{Title: "Your return", Words: returnWords(r, v, shop, l)}
		if r.Box.Tracking != "" && r.Parcel == r.ID { // else the number is of the way out
			k.Carrier, k.Tracking = carrierName(r.Box.Carrier), clean(r.Box.Tracking, 40)
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

// returnWords says where a return is, and what the buyer can do. The status is the
// title of the table of return states.
func returnWords(r *order.ReturnView, v *order.View, shop string, l lens) words {
	carrier := carrierName(r.Box.Carrier)
	if carrier == "" {
		carrier = "the carrier"
	}
	by := ""
	for _, w := range v.Waiting {
		if w.Kind == order.WaitReturnShipment && w.Parcel == r.Parcel && l.away(w.Until) >= 0 {
			by = " by " + l.day(w.Until)
		}
	}
	w := words{Mood: calm, Status: r.Title}
	switch r.State {
	case order.ReturnRequested:
		w.Sentence, w.Next = shop+" has your request and decides about it.", "Please keep everything as it is until you read here that the return is accepted."
	case order.ReturnAuthorized:
		w.Mood, w.Sentence, w.Next = act, shop+" takes your items back.", "Pack them well and follow what "+shop+" told you about sending them. Please do so"+by+"."
		if by == "" {
			w.Next = "Pack them well and follow what " + shop + " told you about sending them."
		}
	case order.ReturnLabelSent:
		w.Mood, w.Sentence, w.Next = act, "The label for your return is ready.", "Pack the items, put the label on the parcel and give it to "+carrier+by+"."
	case order.ReturnPickup:
		w.Mood, w.Sentence, w.Next = act, upper(carrier)+" comes for your return "+l.onDay(r.PickupAt)+".", "Have the parcel packed and ready; someone has to be there to hand it over."
		if l.away(r.PickupAt) >= 0 {
			w.Sentence = upper(carrier) + " comes for your return " + l.soon(r.PickupAt) + "."
		}
	case order.ReturnInTransit:
		w.Mood, w.Sentence, w.Next = moving, "Your return is travelling back to "+shop+".", "Nothing to do for now: it is looked at when it arrives."
		if place := town(r.Box.LastPlace); place != "" {
			w.Sentence = strings.TrimSuffix(w.Sentence, ".") + ", last seen in " + place + "."
		}
		if r.Box.Milestone == order.Lost || r.Box.Milestone == order.Destroyed {
			w.Mood, w.Sentence, w.Next = act, upper(carrier)+" cannot find your return. We are sorry.", shop+" decides what follows. Keep the receipt of the parcel."
		}
	case order.ReturnReceived:
		w.Sentence, w.Next = "Your return has arrived at "+shop+".", "Nothing to do for now: it is inspected next."
	case order.ReturnInspecting:
		w.Sentence, w.Next = shop+" looks at what you sent back.", "Nothing to do for now: you will read here what comes of it."
	case order.ReturnDispositioned:
		w.Sentence, w.Next = shop+" has looked at what you sent back.", "Nothing to do for now: what is owed to you is being arranged."
	case order.RefundReleased:
		w.Mood, w.Sentence, w.Next = good, "Your refund is on its way.", "It can take your bank some days to show it."
	case order.ReplacementReleased:
		w.Mood, w.Sentence, w.Next = good, shop+" sends you new items in an order of its own.", "Nothing to do for now: it ships like any other order."
	case order.ReturnSentBack:
		w.Mood, w.Sentence, w.Next = moving, "What could not be taken back is on its way to you.", "If you did not expect that, contact "+shop+"."
	case order.ReturnClosed:
		w.Mood, w.Sentence, w.Next = good, "Everything about this return is done.", "For questions about it, contact "+shop+"."
	case order.ReturnRejected:
		w.Mood, w.Sentence, w.Next = bad, shop+" could not accept this return.", "For questions about it, contact "+shop+"."
	case order.ReturnCancelled:
		w.Sentence, w.Next = "This return was called off.", "If that was not meant, contact "+shop+"."
	}
	if !r.DeclinedAt.IsZero() && r.State.Open() {
		w.Mood, w.Next = act, shop+" still has to settle a part of it. For questions about it, contact "+shop+"."
	}
	return w
}
