package pages

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/speech"
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

// about are the words of sentences about a shop and a carrier. A carrier without a
// name is called what it is.
func (l lens) about(shop, carrier string) speech.Words {
	if carrier == "" {
		return speech.Words{"shop": shop, "carrier": l.say("carrier", nil), "carrier_first": l.say("carrier_first", nil), "carrier_acc": l.say("carrier_acc", nil), "carrier_dat": l.say("carrier_dat", nil)}
	}
	return speech.Words{"shop": shop, "carrier": carrier, "carrier_first": upper(carrier), "carrier_acc": carrier, "carrier_dat": carrier}
}

func moodOf(m order.Milestone) mood {
	switch m {
	case order.Expected, order.Picked, order.Packed, order.Labelled, order.HandedOver:
		return calm
	case order.Accepted, order.InTransit, order.InCustoms, order.OutForDelivery:
		return moving
	case order.ReadyForPickup, order.AttemptFailed, order.Returning:
		return act
	case order.Delivered:
		return good
	case order.Lost, order.Returned, order.Destroyed, order.Cancelled:
		return bad
	}
	return calm
}

// parcelWords says where one parcel is.
func parcelWords(p *order.ParcelView, shop string, l lens) words {
	w := l.about(shop, carrierName(p.Carrier))
	key := string(p.Milestone)
	sentence, next := key+".sentence", key+".next"
	switch p.Milestone {
	case order.Accepted, order.InTransit:
		if place := town(p.LastPlace); place != "" {
			w["place"] = place
			if !p.LastMovement.IsZero() && l.away(p.LastMovement) <= -2 {
				w["seen"] = l.onDay(p.LastMovement) // silence is said, not hidden
			}
		}
	case order.OutForDelivery:
		if l.away(p.Since) != 0 || !p.ETA.IsZero() && l.away(p.ETA) != 0 {
			sentence, next = key+".then", key+".then_what"
			w["on"] = l.onDay(p.Since)
		}
	case order.ReadyForPickup:
		if place := clean(p.LastPlace, 80); place != "" {
			w["place"] = place
		}
	case order.AttemptFailed:
		return attemptWords(p, w, l)
	case order.Delivered:
		w["at"] = l.moment(p.Since)
	case order.Cancelled:
		w["on"] = l.onDay(p.Since)
	case order.Expected, order.Picked, order.Packed, order.Labelled, order.HandedOver, order.InCustoms, order.Lost, order.Returning, order.Returned, order.Destroyed:
	}
	return words{moodOf(p.Milestone), l.say(key+".status", nil), l.say(sentence, w), l.say(next, w)}
}

// attemptWords say why a delivery failed and what helps, by the bucket that the
// carrier's reason fell into.
func attemptWords(p *order.ParcelView, w speech.Words, l lens) words {
	w["on"] = l.onDay(p.Since)
	if p.Attempts > 1 {
		w["n"] = strconv.Itoa(p.Attempts)
	}
	bucket, help := cmp.Or(sameAttempt[l.failed[p.ID]], l.failed[p.ID]), "attempt_failed.next"
	if why := l.say("why."+bucket, nil); why != "" {
		w["why"], help = why, "do."+bucket
	}
	next := l.say(help, w)
	switch bucket {
	case "refused", "address", "customs": // nothing better comes of another try as it is
	default:
		next = l.say("attempt_failed.again", w) + " " + next
	}
	return words{act, l.say("attempt_failed.status", nil), l.say("attempt_failed.sentence", w), next}
}

// sameAttempt are other names of buckets of failed attempts.
var sameAttempt = map[string]string{"no_access": "access", "access_code": "access", "animal": "access", "missort_missed": "carrier_delay", "equipment": "carrier_delay"}

// phase groups parcels for a reader with many of them; what needs the reader
// comes first. Lines of orders have words for each: group.key, are.key.
type phase struct {
	key  string
	mood mood
}

var phases = []phase{
	{"pickup", act},
	{"attempt", act},
	{"lost", bad},
	{"back", act},
	{"out", moving},
	{"way", moving},
	{"prep", calm},
	{"done", good},
	{"returned", bad},
	{"cancelled", bad},
}

// number are the words of a sentence about so many.
func number(n int) speech.Words {
	w := speech.Words{"n": strconv.Itoa(n)}
	w.When("one", n == 1)
	return w
}

// grouped is as in "3 delivered", without the number.
func (p phase) grouped(n int, l lens) string { return l.say("group."+p.key, number(n)) }

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
	about := speech.Words{"shop": shop}
	if v.Status == order.StatusCancelled || !v.CancelledAt.IsZero() && len(v.Parcels) == 0 {
		if !v.CancelledAt.IsZero() {
			about["on"] = l.onDay(v.CancelledAt)
		}
		return words{bad, l.say("cancelled.status", nil), l.say("order.cancelled", about), l.say("order.cancelled_next", about)}
	}
	live := liveParcels(v)
	if v.OnHold && len(v.Parcels) > 0 && stillHere(v) {
		about.When("partly", slices.ContainsFunc(live, shipped))
		return words{paused, l.say("order.held", nil), l.say("order.held_sentence", about), l.say("order.held_next", about)}
	}
	if len(live) == 1 && !unplanned(v) {
		w := parcelWords(live[0], shop, l)
		if len(v.Parcels) > 1 {
			w.Sentence = l.say("order.rest_cancelled", speech.Words{"sentence": w.Sentence})
		}
		return w
	}
	if len(live) == 0 {
		return words{calm, l.say("expected.status", nil), l.say("expected.sentence", about), l.say("expected.next", nil)}
	}
	total := len(live)
	delivered := counts[phaseOf(order.Delivered)]
	w := words{Mood: calm}
	var rest []string // of the parcels, what is still open
	for i, n := range counts {
		if n == 0 || phases[i].key == "cancelled" {
			continue
		}
		if phases[i].key != "done" {
			rest = append(rest, l.say("are."+phases[i].key, number(n)))
		}
		if w.Mood == calm {
			w.Mood = phases[i].mood
		}
	}
	sent := 0
	for _, p := range live {
		if shipped(p) {
			sent++
		}
	}
	of := func(n int) speech.Words {
		return speech.Words{"n": strconv.Itoa(n), "total": strconv.Itoa(total)}
	}
	switch {
	case delivered == total && !unplanned(v):
		about["n"] = strconv.Itoa(total)
		return words{good, l.say("delivered.status", nil), l.say("order.all_delivered", about), l.say("order.all_delivered_next", about)}
	case unplanned(v) && sent > 0:
		w.Status = l.say("order.partly_shipped", nil)
		if delivered == total {
			w.Status = l.say("order.partly_delivered", nil)
		}
		w.Sentence = l.say("order.partly_sentence", number(sent))
	case delivered > 0:
		w.Status = l.say("order.delivered_of", of(delivered))
	case sent == 0:
		key := "picked.status"
		if v.Status == order.StatusReceived {
			key = "expected.status"
		}
		about["n"] = strconv.Itoa(total)
		about.When("one", total == 1)
		w.Status, w.Sentence, w.Next = l.say(key, nil), l.say("order.prepared", about), l.say("order.prepared_next", nil)
		if total == 1 {
			w.Next = l.say("expected.next", nil)
		}
		return w
	case sent < total:
		w.Status = l.say("order.shipped_of", of(sent))
	case w.Mood != moving:
		w.Status = l.say("order.parcels", number(total))
	default:
		w.Status = l.say("order.on_the_way", number(total))
	}
	if w.Sentence == "" {
		parts := number(total)
		if len(rest) <= 3 { // else the counts below say it better
			parts["parcels"] = upper(l.listed(rest))
		}
		w.Sentence = l.say("order.comes_in", parts)
	}
	if w.Mood == act || w.Mood == bad {
		w.Next = l.say("order.below", nil)
	}
	return w
}

func shipped(p *order.ParcelView) bool { return p.Milestone.Stage() > order.Preparing }

// listed joins with commas and a last "and".
func (l lens) listed(parts []string) string {
	n := len(parts) - 1
	if n < 1 {
		return strings.Join(parts, "")
	}
	return l.say("order.list", speech.Words{"list": strings.Join(parts[:n], ", "), "last": parts[n]})
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
			return &arrival{l.say("arrival.promised", nil), upper(l.day(v.PromisedAt)), l.say("arrival.came_late", nil), true}
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
	was := speech.Words{"day": l.day(promise)}
	switch {
	case held && promise.IsZero():
		return nil
	case held:
		return &arrival{l.say("arrival.promised", nil), upper(l.soon(promise)), l.say("arrival.may_change", nil), passed}
	case slips && known:
		return &arrival{l.say("arrival.new", nil), upper(l.soon(eta)), l.say("arrival.later_than", was), true}
	case passed && known:
		return &arrival{l.say("arrival.expected", nil), upper(l.soon(eta)), l.say("arrival.later", nil), true}
	case slips:
		return &arrival{l.say("arrival.late", nil), l.say("arrival.or_after", speech.Words{"day": upper(l.soon(eta))}), l.say("arrival.later_than", was), true}
	case passed:
		return &arrival{l.say("arrival.late", nil), l.say("arrival.none", nil), l.say("arrival.not_yet_here", was), true}
	case known:
		return &arrival{Label: l.say("arrival.expected", nil), Day: upper(l.soon(eta))}
	case !promise.IsZero():
		return &arrival{Label: l.say("arrival.by", nil), Day: upper(l.soon(promise))}
	}
	return nil
}
