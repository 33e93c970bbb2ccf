package carriers

import (
	"regexp"
	"strings"

	"github.com/waybillhq/waybill/order"
)

// left are the words by which carriers say in English who or what took a
// parcel. The first that fits counts: a mail room is not a mailbox, and a
// neighbour's porch is the neighbour's.
var left = []struct {
	words string
	to    DeliveredTo
}{
	{"partial", InPart}, {"partly", InPart},
	{"neighbor", ToNeighbour}, {"neighbour", ToNeighbour},
	{"locker", ToLocker}, {"parcel box", ToLocker}, {"parcel station", ToLocker}, {"delivery box", ToLocker},
	{"mail room", ToPerson}, {"mailroom", ToPerson},
	{"mailbox", ToMailbox}, {"mail box", ToMailbox}, {"mail slot", ToMailbox}, {"letterbox", ToMailbox}, {"letter box", ToMailbox},
	{"post office box", ToMailbox}, {"po box", ToMailbox},
	{"front desk", ToPerson}, {"reception", ToPerson}, {"leasing office", ToPerson}, {"management office", ToPerson},
	{"concierge", ToPerson}, {"door person", ToPerson}, {"doorman", ToPerson}, {"guard", ToPerson}, {"superintendent", ToPerson},
	{"shipping/receiving", ToPerson}, {"shipping receiving", ToPerson}, {"receiving", ToPerson}, {"receiver", ToPerson}, {"met customer", ToPerson},
	{"left with individual", ToPerson}, {"individual", ToPerson},
	{"agent", ToAgent}, {"post office", ""}, {"picked up", ToPerson}, {"collected", ToPerson}, {"retrieved", ToPerson},
	{"janitor", ToPerson}, {"hostess", ToPerson}, {"office", ToPerson}, {"dock", ToPerson}, {"warehouse", ToPerson},
	{"porch", ToPorch}, {"door", ToPorch}, {"garage", ToPorch}, {"carport", ToPorch}, {"car port", ToPorch}, {"deck", ToPorch}, {"patio", ToPorch},
	{"shed", ToPorch}, {"foyer", ToPorch}, {"entrance", ToPorch}, {"safe place", ToPorch}, {"garden", ToPorch}, {"yard", ToPorch}, {"gate", ToPorch},
}

// LeftWith reads who or what took a delivered parcel out of a carrier's words
// about that; empty where they say nothing of it.
func LeftWith(words string) DeliveredTo {
	words = strings.ToLower(strings.ReplaceAll(words, "_", " "))
	for _, l := range left {
		if strings.Contains(words, l.words) {
			return l.to
		}
	}
	return ""
}

var (
	toSender  = regexp.MustCompile(`\bto (the |your )?(business |original )?(sender|shipper|consignor)\b|\breturned\b|an (den )?absender|zurückges`)
	collected = regexp.MustCompile(`\b(picked up|collected|abgeholt)\b`)
	toPoint   = regexp.MustCompile(`\b(to|at) ((an?|the|your|our|local) )?(\w+ )?((parcel|service|access|pick-?up|collection)[ -]?(shop|point|station)|packstation|paketshop|post ?office|retail location)\b`)
	toAgent   = regexp.MustCompile(`\bto ((an?|the|our) )?(agent|partner|3rd party|third party)\b`)
)

// Arrived reads the words of an event that an aggregator calls delivered: what a
// parcel shop, an agent or the sender got, the buyer does not have. Nothing said
// means the buyer.
func (e *Event) Arrived(words string) {
	if e.Milestone != order.Delivered {
		return
	}
	text := strings.ReplaceAll(strings.ToLower(words), "post office box", "po box")
	switch {
	case toSender.MatchString(text):
		e.Milestone = order.Returned
	case collected.MatchString(text):
	case toPoint.MatchString(text):
		e.Milestone = order.ReadyForPickup
	case toAgent.MatchString(text):
		e.Milestone = order.InTransit
	}
	if e.Milestone == order.Delivered && e.DeliveredTo == "" {
		e.DeliveredTo = LeftWith(words)
	}
	if e.DeliveredTo == InPart {
		e.Milestone, e.Bucket = order.InTransit, "partial_delivery" // the rest is still to come
	}
}
