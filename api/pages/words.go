package pages

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// words tell a buyer three things: what happened, what happens next, and what
// they can do. Nothing in them names a case, a person or a station.
type words struct {
	Mood     mood
	Status   string // two or three words
	Sentence string
	Next     string
}

func carrierName(code string) string { return carriers.DisplayName(clean(code, 32)) }

// carrierPages are carriers' own tracking pages, where a buyer can choose
// another day or place. Only those whose address is known to be stable.
var carrierPages = map[string]string{
	"ups":   "https://www.ups.com/track?tracknum=",
	"usps":  "https://tools.usps.com/go/TrackConfirmAction?tLabels=",
	"fedex": "https://www.fedex.com/fedextrack/?trknbr=",
	"dhl":   "https://www.dhl.com/global-en/home/tracking.html?tracking-id=",
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// parcelWords says where one parcel is.
func parcelWords(p *order.ParcelView, shop string, l lens) words {
	carrier := carrierName(p.Carrier)
	if carrier == "" {
		carrier = "the carrier"
	}
	seen := ""
	if place := town(p.LastPlace); place != "" {
		seen = ", last seen in " + place
		if !p.LastMovement.IsZero() && l.away(p.LastMovement) <= -2 {
			seen += " " + l.onDay(p.LastMovement) // silence is said, not hidden
		}
	}
	switch p.Milestone {
	case order.Expected:
		return words{calm, "Order received", shop + " has your order and will prepare it.", "You will see it here as soon as it ships."}
	case order.Picked:
		return words{calm, "Being prepared", "Your items are being packed.", "You will see it here as soon as it ships."}
	case order.Packed:
		return words{calm, "Packed", "Your parcel is packed and waits for " + carrier + ".", "You will see it here as soon as it ships."}
	case order.Labelled:
		return words{calm, "Label created", "The shipping label is ready, but " + carrier + " does not have your parcel yet.", "It counts as shipped once " + carrier + " has scanned it."}
	case order.HandedOver:
		return words{calm, "Waiting for the first scan", shop + " has given your parcel to " + carrier + ", which has not scanned it yet.", "It counts as shipped once " + carrier + " has scanned it."}
	case order.Accepted:
		return words{moving, "Shipped", upper(carrier) + " has your parcel" + seen + ".", "Nothing to do for now: it travels to your area next."}
	case order.InTransit:
		return words{moving, "On the way", "Your parcel is travelling with " + carrier + seen + ".", "Nothing to do for now: it goes out for delivery once it is in your area."}
	case order.InCustoms:
		return words{moving, "In customs", "Customs is checking your parcel. That can take some days.", "If customs or " + carrier + " asks you for documents or a payment, answer soon: the parcel waits for it."}
	case order.OutForDelivery:
		if l.away(p.Since) != 0 || !p.ETA.IsZero() && l.away(p.ETA) != 0 {
			return words{moving, "Out for delivery", upper(carrier) + " took your parcel out for delivery " + l.onDay(p.Since) + ".", "Someone may have to be there to receive it."}
		}
		return words{moving, "Out for delivery", "Your parcel is on the delivery vehicle.", "It should reach you today. Someone may have to be there to receive it."}
	case order.ReadyForPickup:
		at := ""
		if place := clean(p.LastPlace, 80); place != "" {
			at = " at " + place
		}
		return words{act, "Ready for pickup", "Your parcel is waiting for you" + at + ".", "Collect it soon and bring an ID or your pickup code: uncollected parcels are sent back."}
	case order.AttemptFailed:
		tried := upper(carrier) + " tried to deliver your parcel " + l.onDay(p.Since) + " but could not hand it over."
		if p.Attempts > 1 {
			tried = fmt.Sprintf("%s has tried to deliver your parcel %d times, last %s, but could not hand it over.", upper(carrier), p.Attempts, l.onDay(p.Since))
		}
		if why, ok := attempts[cmp.Or(sameAttempt[l.failed[p.ID]], l.failed[p.ID])]; ok {
			do := upper(carrier) + " usually tries again on the next working day. " + why.do
			if why.noNext {
				do = why.do
			}
			return words{act, "Delivery attempted", strings.TrimSuffix(tried, ".") + ": " + why.said + ".", strings.NewReplacer("{carrier}", carrier, "{shop}", shop).Replace(do)}
		}
		return words{act, "Delivery attempted", tried, upper(carrier) + " usually tries again on the next working day. With the tracking number you can ask " + carrier + " for another day or a pickup point."}
	case order.Lost:
		return words{bad, "Lost", upper(carrier) + " cannot find your parcel. We are sorry.", "Please contact " + shop + " about a replacement or a refund."}
	case order.Delivered:
		return words{good, "Delivered", "Your parcel was delivered " + l.onDay(p.Since) + l.clock(p.Since) + ".", "Not there? Look by the door and in the mailbox, and ask your neighbours. Then contact " + shop + "."}
	case order.Returning:
		return words{act, "On its way back", "Your parcel is on its way back to " + shop + ".", "Please contact " + shop + " if you still want it, or about a refund."}
	case order.Returned:
		return words{bad, "Returned to sender", "Your parcel is back with " + shop + ".", "Please contact " + shop + " about a second delivery or a refund."}
	case order.Destroyed:
		return words{bad, "Cannot be delivered", upper(carrier) + " says that your parcel can no longer be delivered. We are sorry.", "Please contact " + shop + " about a replacement or a refund."}
	case order.Cancelled:
		return words{bad, "Cancelled", "This parcel was cancelled " + l.onDay(p.Since) + " and will not be sent.", ""}
	}
	return words{calm, "In progress", shop + " has your order.", ""}
}

// attempts say why a delivery failed and what helps, by the bucket that the
// carrier's reason fell into.
var attempts = map[string]struct {
	said, do string
	noNext   bool // nothing better comes of another try as it is
}{
	"recipient_unavailable": {said: "nobody was there to receive it", do: "With the tracking number you can ask {carrier} for another day or a pickup point."},
	"business_closed":       {said: "the business was closed", do: "With the tracking number you can tell {carrier} when somebody is there."},
	"refused":               {said: "it was refused at the door", do: "Please contact {shop} soon if that was a mistake: a refused parcel is sent back.", noNext: true},
	"address":               {said: "the address was not found or is not complete", do: "Please contact {shop} soon to check the address: without it the parcel is sent back.", noNext: true},
	"access":                {said: "the driver could not get to the door", do: "With the tracking number you can tell {carrier} how to get in, or ask for a pickup point."},
	"signature_id":          {said: "a signature or an ID was needed", do: "Someone has to be there to sign, with an ID at hand."},
	"payment":               {said: "a payment was due", do: "Have the payment ready, or ask {carrier} how to pay before."},
	"weather":               {said: "the weather did not allow it", do: "Nothing to do for now."},
	"customs":               {said: "customs has not released it yet", do: "If customs or {carrier} asks you for documents or a payment, answer soon: the parcel waits for it.", noNext: true},
	"carrier_delay":         {said: "the driver did not get to it in time", do: "Nothing to do for now."},
}

// sameAttempt are other names of those buckets.
var sameAttempt = map[string]string{"no_access": "access", "access_code": "access", "animal": "access", "missort_missed": "carrier_delay", "equipment": "carrier_delay"}

// phase groups parcels for a reader with many of them; what needs the reader
// comes first.
type phase struct {
	key, title string // as in "3 delivered"
	say        string // as in "3 could not be handed over"; empty: "3 are" and the title
	mood       mood
}

var phases = []phase{
	{"pickup", "ready for pickup", "", act},
	{"attempt", "delivery attempted", "could not be handed over", act},
	{"lost", "lost or undeliverable", "", bad},
	{"back", "going back to sender", "", act},
	{"out", "out for delivery", "", moving},
	{"way", "on the way", "", moving},
	{"prep", "being prepared", "", calm},
	{"done", "delivered", "", good},
	{"returned", "returned to sender", "", bad},
	{"cancelled", "cancelled", "", bad},
}

func phaseOf(m order.Milestone) int {
	key := "prep"
	switch m {
	case order.Expected, order.Picked, order.Packed, order.Labelled, order.HandedOver:
	case order.ReadyForPickup:
		key = "pickup"
	case order.AttemptFailed:
		key = "attempt"
	case order.Lost, order.Destroyed:
		key = "lost"
	case order.Returning:
		key = "back"
	case order.Returned:
		key = "returned"
	case order.OutForDelivery:
		key = "out"
	case order.Accepted, order.InTransit, order.InCustoms:
		key = "way"
	case order.Delivered:
		key = "done"
	case order.Cancelled:
		key = "cancelled"
	}
	for i := range phases {
		if phases[i].key == key {
			return i
		}
	}
	return 0
}

// orderWords says where a whole order is. One parcel speaks for itself; of
// several, the counts speak.
func orderWords(v *order.View, shop string, counts []int, l lens) words {
	if v.Status == order.StatusCancelled || !v.CancelledAt.IsZero() && len(v.Parcels) == 0 {
		when := ""
		if !v.CancelledAt.IsZero() {
			when = " " + l.onDay(v.CancelledAt)
		}
		return words{bad, "Cancelled", "This order was cancelled" + when + ". Nothing will be sent.", "For questions about a payment, contact " + shop + "."}
	}
	if v.OnHold && len(v.Parcels) > 0 && stillHere(v) {
		what := " has put this order on hold before sending it."
		for _, p := range liveParcels(v) {
			if p.Milestone.Stage() > order.Preparing {
				what = " has put on hold what has not left yet."
			}
		}
		return words{paused, "On hold", shop + what, "If you did not expect that, contact " + shop + "."}
	}
	live := liveParcels(v)
	if len(live) == 1 && !unplanned(v) {
		w := parcelWords(live[0], shop, l)
		if len(v.Parcels) > 1 && w.Status != "Cancelled" {
			w.Sentence += " The rest of the order was cancelled."
		}
		return w
	}
	if len(live) == 0 {
		return words{calm, "Order received", shop + " has your order and will prepare it.", "You will see it here as soon as it ships."}
	}
	total := len(live)
	delivered := counts[phaseOf(order.Delivered)]
	w := words{Mood: calm}
	var rest []string // of the parcels, what is still open
	for i, n := range counts {
		if n == 0 || phases[i].key == "cancelled" {
			continue
		}
		switch {
		case phases[i].key == "done":
		case phases[i].say != "":
			rest = append(rest, fmt.Sprintf("%d %s", n, phases[i].say))
		default:
			rest = append(rest, fmt.Sprintf("%d %s %s", n, are(n), phases[i].title))
		}
		if w.Mood == calm {
			w.Mood = phases[i].mood
		}
	}
	shipped := 0
	for _, p := range live {
		if p.Milestone.Stage() > order.Preparing {
			shipped++
		}
	}
	switch {
	case delivered == total && !unplanned(v):
		return words{good, "Delivered", fmt.Sprintf("All %d parcels were delivered.", total), "Something missing? Look by the door and in the mailbox, and ask your neighbours. Then contact " + shop + "."}
	case unplanned(v) && shipped > 0:
		w.Status = "Partly shipped"
		if delivered == total {
			w.Status = "Partly delivered"
		}
		n := fmt.Sprintf("%d parcels have", shipped)
		if shipped == 1 {
			n = "One parcel has"
		}
		w.Sentence = n + " left; the rest of your order is still being prepared."
	case delivered > 0:
		w.Status = fmt.Sprintf("%d of %d parcels delivered", delivered, total)
	case shipped == 0:
		w.Status = "Being prepared"
		w.Sentence = fmt.Sprintf("%s is preparing your order in %d parcels.", shop, total)
		w.Next = "You will see each of them here as soon as it ships."
		if total == 1 {
			w.Sentence, w.Next = shop+" is preparing your order.", "You will see it here as soon as it ships."
		}
		if v.Status == order.StatusReceived {
			w.Status = "Order received"
		}
		return w
	case shipped < total:
		w.Status = fmt.Sprintf("%d of %d parcels shipped", shipped, total)
	default:
		w.Status = fmt.Sprintf("%d parcels on the way", total)
		if w.Mood != moving {
			w.Status = fmt.Sprintf("Your %d parcels", total)
		}
	}
	switch {
	case w.Sentence != "":
	case len(rest) > 3: // the counts below say it better
		w.Sentence = fmt.Sprintf("Your order comes in %d parcels.", total)
	default:
		w.Sentence = fmt.Sprintf("Your order comes in %d parcels. %s.", total, upper(listed(rest)))
	}
	if w.Mood == act || w.Mood == bad {
		w.Next = "See below what you can do."
	}
	return w
}

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// listed joins with commas and a last "and".
func listed(parts []string) string {
	if n := len(parts); n > 1 {
		return strings.Join(parts[:n-1], ", ") + " and " + parts[n-1]
	}
	return strings.Join(parts, "")
}

func liveParcels(v *order.View) []*order.ParcelView {
	var live []*order.ParcelView
	for i := range v.Parcels {
		if v.Parcels[i].Milestone != order.Cancelled {
			live = append(live, &v.Parcels[i])
		}
	}
	return live
}

// stillHere says whether anything has not left yet: what a hold can stop.
func stillHere(v *order.View) bool {
	for i := range v.Parcels {
		if m := v.Parcels[i].Milestone; m.Stage() == order.Preparing && m != order.Cancelled {
			return true
		}
	}
	return unplanned(v)
}

func unplanned(v *order.View) bool {
	if !v.CancelledAt.IsZero() {
		return false
	}
	for _, line := range v.Lines {
		if line.Unplanned > 0 {
			return true
		}
	}
	return false
}

// arrival is the promise and what became of it.
type arrival struct {
	Label, Day, Note string
	Late             bool
}

// arrivalOf weighs the promise against what the carrier expects. It says "late"
// plainly, and never shows a date that has passed as if it were to come.
func arrivalOf(v *order.View, l lens) *arrival {
	if v.Status == order.StatusDelivered {
		if v.Late && daysBetween(l.local(v.PromisedAt), v.DeliveredAt.In(l.local(v.PromisedAt).Location())) > 0 {
			return &arrival{Label: "Promised by", Day: l.day(v.PromisedAt), Note: "It came later than promised. We are sorry.", Late: true}
		}
		return nil // the head says when
	}
	open, held := false, v.OnHold && stillHere(v)
	var eta time.Time
	known := true // every parcel still to come has a date ahead
	for _, p := range liveParcels(v) {
		switch p.Milestone {
		case order.Delivered, order.ReadyForPickup, order.Lost, order.Destroyed, order.Returning, order.Returned:
			continue
		default:
		}
		open = true
		if p.ETA.IsZero() || l.away(p.ETA) < 0 {
			known = false
			continue
		}
		if p.ETA.After(eta) {
			eta = p.ETA
		}
	}
	if unplanned(v) {
		open, known = true, false
	}
	if !open || v.Status == order.StatusCancelled {
		return nil
	}
	known = known && !eta.IsZero()
	promise := v.PromisedAt
	passed := !promise.IsZero() && (v.Late || promise.Before(l.now))
	// Later by the calendar: an evening instead of noon is not late to a buyer.
	slips := !promise.IsZero() && !eta.IsZero() && daysBetween(l.local(promise), eta.In(l.local(promise).Location())) > 0
	switch {
	case held && promise.IsZero():
		return nil
	case held:
		return &arrival{Label: "Promised by", Day: upper(l.soon(promise)), Note: "The date may change while the order is on hold.", Late: passed}
	case (passed || slips) && known:
		a := &arrival{Label: "New date", Day: upper(l.soon(eta)), Late: true, Note: "Later than promised: it should have come by " + l.day(promise) + ". We are sorry."}
		if !slips {
			a.Label, a.Note = "Expected", "Later than promised. We are sorry."
		}
		return a
	case slips:
		return &arrival{Label: "Late", Day: upper(l.soon(eta)) + " or after", Late: true, Note: "Later than promised: it should have come by " + l.day(promise) + ". We are sorry."}
	case passed:
		return &arrival{Label: "Late", Day: "No new date yet", Late: true, Note: "It should have come by " + l.day(promise) + ". We are sorry: the new date will stand here as soon as " + "it is known."}
	case known:
		return &arrival{Label: "Expected", Day: upper(l.soon(eta))}
	case !promise.IsZero():
		return &arrival{Label: "Arrives by", Day: upper(l.soon(promise))}
	}
	return nil
}
