package plan

import (
	"slices"
	"time"

	"github.com/waybillhq/waybill/internal/messaging/templates"
	"github.com/waybillhq/waybill/order"
)

// row is what a kind of message is, beside the ways that it goes
// ([order.MessageDefinitions]).
type row struct {
	kind    templates.Kind
	urgency Urgency
	// important ones are sent to who wants few, and beyond the cap of a day; legal
	// ones to who wants none.
	important, legal bool
	// groups: waits for other parcels that it can tell of in the same message.
	groups bool
	// fresh is how long after it happened it is still news.
	fresh time.Duration
}

const (
	day        = 24 * time.Hour
	alertFresh = day
)

var matrix = []row{
	{templates.Confirmation, Instant, false, true, false, day},
	{templates.Shipped, Normal, false, false, true, 3 * day},
	{templates.OutForDelivery, Urgent, false, false, true, day},
	{templates.Delivered, Urgent, false, false, true, 3 * day},
	{templates.AttemptFailed, Urgent, true, false, false, 2 * day},
	{templates.Delayed, Normal, true, false, false, 3 * day},
	{templates.ReadyForPickup, Urgent, true, false, false, 7 * day},
	{templates.AddressProblem, Urgent, true, false, false, 3 * day},
	{templates.ReturnSteps, Instant, true, true, false, 7 * day},
	{templates.RefundReleased, Normal, true, true, false, 7 * day},
	{templates.NotReceivedFollowup, Instant, true, false, false, 2 * day},
}

func rowOf(k templates.Kind) (row, bool) {
	i := slices.IndexFunc(matrix, func(r row) bool { return r.kind == k })
	if i < 0 {
		return row{}, false
	}
	return matrix[i], true
}

// ways by which a kind may go to this buyer, in the order to try them.
func ways(s *order.State, kind templates.Kind, p Person) []Channel {
	list := s.Spec.Policy.MessageChannels(string(kind), s.Spec.Class)
	if i := slices.Index(list, p.Channel); i > 0 {
		list = append([]Channel{p.Channel}, slices.Delete(slices.Clone(list), i, i+1)...)
	}
	return list
}

// way is the first that reaches the buyer, or the first at all; off: the policy
// sends no such message.
func way(s *order.State, kind templates.Kind, p Person) (c Channel, on bool) {
	list := ways(s, kind, p)
	if len(list) == 0 {
		return "", false
	}
	if i := slices.IndexFunc(list, p.Reaches); i >= 0 {
		return list[i], true
	}
	return list[0], true
}

// settle is how long news of a parcel waits at least: it catches what a carrier takes
// back at once, and facts of one moment that come in one after the other, of which the
// last counts.
const settle = 2 * time.Minute

// company is how long a message that groups waits: the group time if another parcel of
// the order may yet go into it, else until the news has settled. One that is told of
// already, or could be told of now, needs no waiting for.
func company(s *order.State, i Intent) time.Duration {
	for j := range s.Parcels {
		if o := &s.Parcels[j]; !slices.Contains(i.Parcels, o.ID) && joins(i.Kind, o) {
			return group(s)
		}
	}
	return min(settle, group(s))
}

// joins says whether what a kind tells may become true of a parcel in the time that a
// message waits: one that the warehouse has may be shipped, one on its way may arrive.
func joins(k templates.Kind, o *order.Parcel) bool {
	if !o.ToCome() {
		return false
	}
	if k == templates.Shipped {
		return o.PossessionAt.IsZero()
	}
	return !o.PossessionAt.IsZero() && !(k == templates.OutForDelivery && o.Milestone == order.OutForDelivery)
}

func group(s *order.State) time.Duration {
	if g := s.Spec.Policy.Messages.Group; g > 0 {
		return time.Duration(g)
	}
	return time.Duration(order.DefaultGroup)
}

// wanted says whether a buyer with these wishes gets that kind.
func (r row) wanted(f Frequency) bool {
	switch f {
	case LegalOnly:
		return r.legal
	case Important:
		return r.important || r.legal
	case Everything:
	}
	return true
}
