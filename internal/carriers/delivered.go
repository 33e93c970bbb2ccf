package carriers

import "strings"

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
