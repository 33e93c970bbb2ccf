package plan

import (
	"slices"
	"time"

	"github.com/waybillhq/waybill/internal/messaging/templates"
	"github.com/waybillhq/waybill/order"
)

// row is one kind of message in the matrix.
type row struct {
	kind templates.Kind
	// channels of which the first that reaches the buyer is taken; attended are
	// those of classes whose delivery somebody waits for, where they differ.
	channels, attended []Channel
	urgency            Urgency
	// important ones are sent to who wants few, and beyond the cap of a day; legal
	// ones to who wants none.
	important, legal bool
	// groups: waits for other parcels that it can tell of in the same message.
	groups bool
	// fresh is how long after it happened it is still news.
	fresh time.Duration
}

const day = 24 * time.Hour

var (
	mailFirst = []Channel{order.Email, order.SMS}
	textFirst = []Channel{order.SMS, order.Email}
)

// matrix is what a policy that says nothing else gets: few messages, each of
// which the buyer can use.
var matrix = []row{
	{kind: templates.Confirmation, channels: []Channel{order.Email}, urgency: Instant, legal: true, fresh: day},
	{kind: templates.Shipped, channels: mailFirst, urgency: Normal, groups: true, fresh: 3 * day},
	{kind: templates.OutForDelivery, channels: mailFirst, attended: textFirst, urgency: Urgent, groups: true, fresh: day},
	{kind: templates.Delivered, channels: mailFirst, urgency: Urgent, groups: true, fresh: 3 * day},
	{kind: templates.AttemptFailed, channels: textFirst, urgency: Urgent, important: true, fresh: 2 * day},
	{kind: templates.Delayed, channels: mailFirst, urgency: Normal, important: true, fresh: 3 * day},
	{kind: templates.ReadyForPickup, channels: textFirst, urgency: Urgent, important: true, fresh: 7 * day},
	{kind: templates.AddressProblem, channels: mailFirst, attended: textFirst, urgency: Urgent, important: true, fresh: 3 * day},
	{kind: templates.ReturnSteps, channels: []Channel{order.Email}, urgency: Instant, important: true, legal: true, fresh: 7 * day},
	{kind: templates.RefundReleased, channels: mailFirst, urgency: Normal, important: true, legal: true, fresh: 7 * day},
	{kind: templates.NotReceivedFollowup, channels: mailFirst, urgency: Instant, important: true, fresh: 2 * day},
}

// Defaults of a policy that says nothing of them.
const (
	DefaultQuiet  = "21:00-08:00"
	DefaultPerDay = 4
	DefaultGroup  = 20 * time.Minute
	alertFresh    = day
)

func rowOf(k templates.Kind) (row, bool) {
	i := slices.IndexFunc(matrix, func(r row) bool { return r.kind == k })
	if i < 0 {
		return row{}, false
	}
	return matrix[i], true
}

// Channels by which a kind goes to buyers of a class where no policy says
// otherwise.
func Channels(kind string, class order.Class) []Channel {
	r, _ := rowOf(templates.Kind(kind))
	if r.attended != nil && class != order.Routine {
		return r.attended
	}
	return r.channels
}

// AlertChannels by which a team hears of a case where no policy says otherwise.
func AlertChannels(v order.Severity) []Channel {
	switch v {
	case order.Critical:
		return []Channel{order.Email, order.SMS, order.Webhook}
	case order.Urgent, order.Normal:
		return []Channel{order.Email, order.Webhook}
	case order.Minor:
	}
	return nil
}

// ways by which a kind may go to this buyer, in the order to try them.
func ways(s *order.State, kind templates.Kind, p Person) []Channel {
	list := Channels(string(kind), s.Spec.Class)
	for _, r := range s.Spec.Policy.Messages.Rules {
		if r.Kind == string(kind) {
			list = r.Channels
		}
	}
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

func alertWays(s *order.State, v order.Severity) []Channel {
	for _, r := range s.Spec.Policy.Messages.Alerts {
		if r.Severity == v {
			return r.Channels
		}
	}
	return AlertChannels(v)
}

func group(s *order.State) time.Duration {
	if g := s.Spec.Policy.Messages.Group; g > 0 {
		return time.Duration(g)
	}
	return DefaultGroup
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
