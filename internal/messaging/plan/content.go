package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/messaging/templates"
	"github.com/waybillhq/waybill/order"
)

// Details are what a message says beside the order's state: loaded just before
// it is sent, and not kept.
type Details struct {
	Brand     templates.Brand
	FirstName string
	// URL is the tracking page, which may be shared. Page is the buyer's own: what is
	// offered leads to its forms, which are below it. Preferences is the page of
	// wishes, which answers a one-click POST.
	URL, Page, Preferences string
	// Reason is the bucket that the carrier gave last for the first parcel; empty:
	// none. Left is where it says that it put the parcel.
	Reason, Left string
	// PickupBy is until when the carrier says that the first parcel can be collected;
	// zero: it does not.
	PickupBy time.Time
	// Carrier writes a carrier's name; nil: its code.
	Carrier func(code string) string
}

// Content fills in what an intent's message says. Parcels are those of its verdict.
func Content(i Intent, parcels []string, s *order.State, p Person, d Details, now time.Time) (templates.Content, error) {
	zone := p.zone()
	c := templates.Content{
		Language: p.Speaks(), Zone: zone, Brand: d.Brand, Order: s.Spec.Number, FirstName: d.FirstName, URL: d.URL, UnsubscribeURL: d.Preferences, At: i.At,
	}
	offer := func(k templates.ChoiceKind, form string) {
		c.Choices = append(c.Choices, templates.Choice{Kind: k, URL: d.Page + "/" + form})
	}
	var about []*order.Parcel
	for _, id := range parcels {
		if q := s.ParcelByID(id); q != nil {
			about = append(about, q)
			c.Parcels = append(c.Parcels, templates.Parcel{Carrier: d.carrier(q.Carrier), Tracking: q.Tracking, Items: items(s, q.Lines)})
		}
	}
	var eta time.Time // of the last of them
	for _, q := range about {
		if q.ETA.After(eta) && q.ETA.After(now) {
			eta = q.ETA
		}
	}
	switch i.Kind {
	case templates.Confirmation:
		c.Items, c.Total = everything(s), total(s)
		if s.PromisedAt.After(now) {
			c.Arrives.To = s.PromisedAt
		}
	case templates.Shipped:
		c.Remaining = remaining(s, parcels, func(q *order.Parcel) bool { return q.Milestone.Stage() == order.Preparing })
		c.Arrives.To = eta
		if eta.IsZero() && s.PromisedAt.After(now) {
			c.Arrives.To = s.PromisedAt
		}
	case templates.OutForDelivery:
		c.Remaining = remaining(s, parcels, (*order.Parcel).ToCome)
		c.At = now // "today" is the day on which it is sent
	case templates.Delivered:
		c.Remaining = remaining(s, parcels, (*order.Parcel).ToCome)
		for _, q := range about {
			if q.Since.After(c.At) {
				c.At = q.Since
			}
		}
		c.Partly = s.Status != order.StatusDelivered
		if slices.ContainsFunc(about, (*order.Parcel).Photographed) {
			c.ProofURL = d.Page + "/" + links.Proof
		}
		if len(about) == 1 {
			c.Left = d.Left
		}
		offer(templates.NotReceived, links.Missing)
		if len(order.Returnable(s, now)) > 0 {
			offer(templates.SendBack, links.Return)
		}
	case templates.AttemptFailed:
		if len(about) > 0 {
			c.At = about[0].Since
		}
		c.Reason = templates.ReasonOf(d.Reason)
		offer(templates.Reschedule, links.AnotherDay)
	case templates.Delayed:
		c.Arrives.To, c.Reason, c.Items = i.Window, templates.ReasonOf(d.Reason), everything(s)
		c.Overdue = !s.PromisedAt.IsZero() && now.After(s.PromisedAt)
		if k := s.CaseByID(i.Case); k != nil && (k.Kind != order.Late || c.Reason == templates.UnknownReason) {
			c.Reason = delays(k.Kind)
			if k.Kind == order.Late && slices.ContainsFunc(s.Parcels, func(q order.Parcel) bool { return q.ToCome() && q.Milestone.Stage() == order.Preparing }) {
				c.Reason = "warehouse" // no carrier has it
			}
		}
	case templates.ReadyForPickup:
		if len(about) > 0 {
			if c.Until = d.PickupBy; c.Until.IsZero() {
				c.Until = about[0].Since.Add(time.Duration(s.Spec.Policy.Pickup))
			}
			c.Place.Name = about[0].LastPlace
			if c.Place.Name == "" {
				c.Place.Name = d.carrier(about[0].Carrier)
			}
		}
	case templates.AddressProblem:
		offer(templates.CorrectAddress, links.Address)
	case templates.ReturnSteps:
		r := s.ReturnByID(i.Return)
		if r == nil {
			return c, fmt.Errorf("the order has no return %s", i.Return)
		}
		c.Until = r.Since.Add(time.Duration(s.Spec.Policy.Completed().ReturnShip))
		for _, l := range r.Lines {
			c.Items = append(c.Items, templates.Item{Name: name(s, l.SKU), Quantity: l.Quantity})
		}
		if q := s.ParcelByID(r.Parcel); q != nil {
			c.Parcels = []templates.Parcel{{Carrier: d.carrier(q.Carrier), Tracking: q.Tracking}}
		}
		offer(templates.PrintLabel, links.Return)
	case templates.RefundReleased:
		r, ok := s.Remedy(i.Remedy)
		if !ok {
			return c, fmt.Errorf("the order has no remedy %s", i.Remedy)
		}
		c.Amount, c.Items = templates.Money{Minor: r.Amount, Currency: r.Currency}, items(s, r.Lines)
	case templates.NotReceivedFollowup:
		if k := s.CaseByID(i.Case); k != nil {
			c.Until = k.Due
		}
		offer(templates.FoundIt, links.Found)
	default:
		return c, fmt.Errorf("%q is no message to buyers", i.Kind)
	}
	return c, nil
}

// AlertOf fills in what a team reads of a case; url is the order's console page.
func AlertOf(i Intent, s *order.State, zone *time.Location, url string) (templates.AlertContent, error) {
	c := s.CaseByID(i.Case)
	if c == nil {
		return templates.AlertContent{}, fmt.Errorf("case %s is not open", i.Case)
	}
	return templates.AlertContent{
		Order: s.Spec.ID, Parcel: c.Parcel, Case: string(c.Kind), Severity: string(c.Severity), Owner: string(i.Audience), Assignee: c.Assignee,
		Why: c.Text, Level: c.Level, Opened: c.OpenedAt, Due: c.Due, BuyerHears: buyerHears(c), Zone: Person{Zone: zone}.zone(), URL: url,
	}, nil
}

// buyerHears is when the buyer is told if the case is still open then.
func buyerHears(c *order.Case) time.Time {
	if c.NoticedAt.IsZero() {
		return c.NoticeAt
	}
	return time.Time{}
}

func (d Details) carrier(code string) string {
	if d.Carrier == nil {
		return code
	}
	return d.Carrier(code)
}

func name(s *order.State, sku string) string {
	if l := s.LineBySKU(sku); l != nil && l.Name != "" {
		return l.Name
	}
	return sku
}

func items(s *order.State, lines []order.Allocation) (list []templates.Item) {
	for _, a := range lines {
		list = append(list, templates.Item{Name: name(s, a.SKU), Quantity: a.Quantity})
	}
	return list
}

func everything(s *order.State) (list []templates.Item) {
	for _, l := range s.Spec.Lines {
		list = append(list, templates.Item{Name: name(s, l.SKU), Quantity: l.Quantity})
	}
	return list
}

// total is what the lines cost; nothing unless every price is known.
func total(s *order.State) (m templates.Money) {
	if s.Spec.Currency == "" {
		return m
	}
	for _, l := range s.Spec.Lines {
		if l.UnitAmount <= 0 {
			return templates.Money{}
		}
		m.Minor += l.UnitAmount * int64(l.Quantity)
	}
	m.Currency = s.Spec.Currency
	return m
}

// remaining counts the other parcels of the buyer's of which that is true.
func remaining(s *order.State, told []string, holds func(*order.Parcel) bool) (n int) {
	for i := range s.Parcels {
		q := &s.Parcels[i]
		if q.Outbound() && q.Milestone != order.Cancelled && !slices.Contains(told, q.ID) && holds(q) {
			n++
		}
	}
	return n
}
