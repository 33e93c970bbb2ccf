package plan

import (
	"slices"
	"time"

	"github.com/waybillhq/waybill/internal/messaging/templates"
	"github.com/waybillhq/waybill/order"
)

// Verdict is what becomes of an intent now: one of send, later, drop.
type Verdict struct {
	Send bool
	// Parcels that the message tells of: the intent's, and those that go with it.
	// They are kept with what was sent.
	Parcels []string
	// Later is when to judge again; zero: do not.
	Later time.Time
	// Drop says why it is never sent.
	Drop string
}

// Sent is a message of the same order that went out, or is being sent: with the
// parcels that its verdict named.
type Sent struct {
	Intent
	SentAt time.Time
}

func drop(why string) Verdict          { return Verdict{Drop: why} }
func later(t time.Time) Verdict        { return Verdict{Later: t} }
func deliver(parcels []string) Verdict { return Verdict{Send: true, Parcels: parcels} }

// Judge decides about an intent with the order as it is now. p is the intent's
// audience, sent is all that this audience was told of the order, by any channel.
func Judge(i Intent, s *order.State, p Person, sent []Sent, now time.Time) Verdict {
	sent = slices.Clone(sent)
	sent = slices.DeleteFunc(sent, func(o Sent) bool { return o.Audience != i.Audience })
	switch {
	case p.Erased:
		return drop("the person was erased")
	case !now.Before(i.Until):
		return drop("old news")
	case !p.Reaches(i.Channel):
		return drop("no address for " + string(i.Channel))
	case now.Before(i.NotBefore):
		return later(i.NotBefore)
	}
	if i.Audience != Buyer {
		return judgeAlert(i, s, sent)
	}
	row, ok := rowOf(i.Kind)
	switch {
	case !ok || !slices.Contains(ways(s, i.Kind, p), i.Channel):
		return drop("the policy sends no such message")
	case !row.wanted(p.Frequency):
		return drop("the buyer does not want it")
	}
	if t := awake(i, s, p, now); t.After(now) {
		if !t.Before(i.Until) {
			return drop("old news when the night is over")
		}
		return later(t)
	}
	parcels, why := stillTrue(i, s, p, now)
	if why != "" {
		return drop(why)
	}
	if len(parcels) > 0 && i.Kind != templates.Delayed { // each window of which is news
		parcels = slices.DeleteFunc(parcels, func(id string) bool { return toldOf(i, id, sent, p, now) })
		if len(parcels) == 0 {
			return drop("told already")
		}
		if len(i.Parcels) > 0 && !slices.Contains(parcels, i.Parcels[0]) {
			return drop("told already") // the others have intents of their own
		}
	}
	if toldThat(i, sent, now) {
		return drop("told already")
	}
	if !row.important && !row.legal && today(sent, p, now) >= perDay(s) {
		return drop("enough messages today")
	}
	return deliver(parcels)
}

// judgeAlert: people hear of every case that is still there for them to act on.
func judgeAlert(i Intent, s *order.State, sent []Sent) Verdict {
	if s.CaseByID(i.Case) == nil {
		return drop("the case has ended")
	}
	if slices.ContainsFunc(sent, func(o Sent) bool { return o.Occasion == i.Occasion && o.Channel == i.Channel }) {
		return drop("told already")
	}
	return deliver(i.Parcels)
}

// stillTrue is what the message can tell now: the parcels that it is about, or
// why it can tell nothing. It says no more than the order's page does.
func stillTrue(i Intent, s *order.State, p Person, now time.Time) (parcels []string, why string) {
	row, _ := rowOf(i.Kind)
	if s.Status == order.StatusCancelled && i.Kind != templates.RefundReleased && i.Kind != templates.ReturnSteps {
		return nil, "the order was cancelled"
	}
	parcels = slices.Clone(i.Parcels)
	if i.Case != "" && s.CaseByID(i.Case) == nil {
		return nil, "the case has ended"
	}
	switch i.Kind {
	case templates.Confirmation, templates.AttemptFailed, templates.AddressProblem:
		if i.Kind == templates.AttemptFailed {
			if q := s.ParcelByID(parcels[0]); q == nil || q.Milestone != order.AttemptFailed {
				return nil, "another attempt has begun"
			}
		}
		return parcels, ""
	case templates.Shipped, templates.OutForDelivery, templates.Delivered, templates.ReadyForPickup:
		if len(parcels) == 0 {
			return nil, "it is about no parcel"
		}
		q := s.ParcelByID(parcels[0])
		if q == nil || !q.Outbound() {
			return nil, "there is no such parcel"
		}
		if !tells(i.Kind, q, p, now) {
			return nil, superseded(i.Kind, q)
		}
		if row.groups {
			for j := range s.Parcels {
				if o := &s.Parcels[j]; o.ID != q.ID && o.Outbound() && tells(i.Kind, o, p, now) && recent(i.Kind, o, now, row.fresh) {
					parcels = append(parcels, o.ID)
				}
			}
		}
		return parcels, ""
	case templates.Delayed:
		return parcels, notDelayed(i, s)
	case templates.ReturnSteps:
		r := s.ReturnByID(i.Return)
		if r == nil || r.State != order.ReturnLabelSent {
			return nil, "the return has moved on"
		}
		return nil, ""
	case templates.RefundReleased:
		r, ok := s.Remedy(i.Remedy)
		if !ok || r.State != order.Confirmed || r.Amount <= 0 {
			return nil, "no refund is confirmed"
		}
		return nil, ""
	case templates.NotReceivedFollowup:
		return parcels, ""
	}
	return nil, "there are no words for it"
}

// tells says whether a message of that kind is true of a parcel, and of today.
func tells(k templates.Kind, q *order.Parcel, p Person, now time.Time) bool {
	switch k {
	case templates.Shipped:
		return !q.PossessionAt.IsZero() && (q.Milestone == order.Accepted || q.Milestone == order.InTransit || q.Milestone == order.InCustoms)
	case templates.OutForDelivery:
		return q.Milestone == order.OutForDelivery && sameDay(q.Since, now, p)
	case templates.Delivered:
		return q.Milestone == order.Delivered && q.NotReceivedAt.IsZero()
	case templates.ReadyForPickup:
		return q.Milestone == order.ReadyForPickup
	default:
		return false
	}
}

// recent keeps parcels that have been there for long out of others' messages.
func recent(k templates.Kind, q *order.Parcel, now time.Time, fresh time.Duration) bool {
	at := q.Since
	if k == templates.Shipped {
		at = q.PossessionAt
	}
	return now.Before(at.Add(fresh))
}

func superseded(k templates.Kind, q *order.Parcel) string {
	switch {
	case k == templates.OutForDelivery && q.Milestone == order.OutForDelivery:
		return "not today's"
	case k == templates.Delivered && q.Milestone == order.Delivered:
		return "the buyer says that it did not come"
	}
	return "superseded: the parcel is " + string(q.Milestone)
}

// notDelayed is why a delay need not be told (any more); empty: it must be.
func notDelayed(i Intent, s *order.State) string {
	c := s.CaseByID(i.Case)
	if c == nil {
		return "the case has ended"
	}
	w := window(s, c)
	switch {
	case !order.OpenToBuyer(s):
		return "nothing is to come any more"
	case date(w) != date(i.Window):
		return "superseded by another window"
	case !w.IsZero() && !s.PromisedAt.IsZero() && !w.After(s.PromisedAt):
		return "it is expected in time"
	}
	return ""
}

// again is how long after a delay without a window the next one may be told.
const again = 5 * day

// toldOf says whether a message of the kind told of the parcel: shipping once,
// anything else once a day.
func toldOf(i Intent, parcel string, sent []Sent, p Person, now time.Time) bool {
	return slices.ContainsFunc(sent, func(o Sent) bool {
		return o.Kind == i.Kind && slices.Contains(o.Parcels, parcel) && (i.Kind == templates.Shipped || sameDay(o.SentAt, now, p))
	})
}

// toldThat says whether the same thing was told, or something that covers it.
func toldThat(i Intent, sent []Sent, now time.Time) bool {
	return slices.ContainsFunc(sent, func(o Sent) bool {
		switch {
		case o.Kind != i.Kind:
			return false
		case o.Occasion == i.Occasion:
			return true
		case i.Kind != templates.Delayed:
			return false
		case i.Window.IsZero():
			return now.Before(o.SentAt.Add(again))
		}
		return !o.Window.IsZero() && date(o.Window) >= date(i.Window)
	})
}

// awake is when the message may go: now, or when the buyer's night is over.
func awake(i Intent, s *order.State, p Person, now time.Time) time.Time {
	if i.Urgency == Instant || i.Urgency == Urgent && i.Channel == order.Email {
		return now
	}
	quiet := s.Spec.Policy.Messages.Quiet
	if quiet == "" {
		quiet = order.DefaultQuiet
	}
	from, until, err := order.QuietHours(quiet)
	if err != nil || from == until {
		return now
	}
	t := now.In(p.zone())
	// The clock on the wall, so that a change of clocks moves no night.
	wall := time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second
	inside := wall >= from && wall < until
	if from > until { // over midnight
		inside = wall >= from || wall < until
	}
	if !inside {
		return now
	}
	ends := time.Date(t.Year(), t.Month(), t.Day(), 0, int(until/time.Minute), 0, 0, t.Location())
	if !ends.After(t) {
		ends = time.Date(t.Year(), t.Month(), t.Day()+1, 0, int(until/time.Minute), 0, 0, t.Location())
	}
	return ends.UTC()
}

// today counts what went to the buyer since their midnight.
func today(sent []Sent, p Person, now time.Time) (n int) {
	for _, o := range sent {
		if sameDay(o.SentAt, now, p) {
			n++
		}
	}
	return n
}

func perDay(s *order.State) int {
	if n := s.Spec.Policy.Messages.PerDay; n > 0 {
		return n
	}
	return order.DefaultPerDay
}

func sameDay(a, b time.Time, p Person) bool {
	return date(a.In(p.zone())) == date(b.In(p.zone()))
}

// date of a moment where it is; empty: there is none.
func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}
