package workflows_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

// press makes labels and pickups: what it answers first, then what.
type press struct {
	asked []activities.BookingRequest
	first []error
	says  map[order.BookingKind]activities.BookingAnswer
	voids []activities.BookingRequest
}

func (p *press) Book(_ context.Context, r activities.BookingRequest) (activities.BookingAnswer, error) {
	p.asked = append(p.asked, r)
	if n := len(p.asked); n <= len(p.first) {
		return activities.BookingAnswer{}, p.first[n-1]
	}
	return p.says[r.Booking.Kind], nil
}

func (p *press) Void(_ context.Context, r activities.BookingRequest) (a activities.BookingAnswer, err error) {
	if p.voids = append(p.voids, r); len(p.voids) == 1 {
		return a, errors.New("answered 503")
	}
	return a, nil
}

func labelAnswer() activities.BookingAnswer {
	a := activities.BookingAnswer{Tracking: "T-R900", Label: "application/pdf", Amount: 499, Currency: "EUR"}
	a.Reference = "REF-1"
	return a
}

// sentBack is a delivered order of which the buyer sends something back on day 3.
func sentBack(t *testing.T, p *press) (*life, order.Spec) {
	l := newLife(t)
	if p != nil {
		l.activities.Bookings = p
	}
	l.happyPath()
	s := spec()
	s.Currency, s.Lines[0].UnitAmount, s.Lines[0].WeightG = "EUR", 1000, 400
	l.ask(3*day, "back", order.RequestReturn{Meta: order.Meta{By: order.Storefront}, Lines: []order.ReturnLine{{SKU: s.Lines[0].SKU, Quantity: 1, Reason: order.ChangedMind, Wanted: order.RefundRemedy}}}, nil, nil)
	return l, s
}

func (l *life) received(after time.Duration) {
	l.tell(after, order.Scan{Parcel: "R1", Kind: order.ScanReturned})
	l.ask(after+hour, "inspect", order.InspectReturn{Meta: desk(), Return: "R1", Findings: []order.Finding{{SKU: "sofa", Quantity: 1, Grade: order.GradeMissing}}}, nil, nil)
	l.ask(after+2*hour, "dispose", order.DisposeReturn{Meta: desk(), Return: "R1"}, nil, nil)
}

func TestACarrierMakesALabelAndComes(t *testing.T) {
	pickup := activities.BookingAnswer{}
	pickup.Reference = "PRG1"
	p := &press{first: []error{errors.New("answered 429")}, says: map[order.BookingKind]activities.BookingAnswer{order.BookLabel: labelAnswer(), order.BookPickup: pickup}}
	l, s := sentBack(t, p)
	s.Policy.ReturnLabels, s.Policy.ReturnCarrier = order.LabelsAutomatic, "dhl"
	l.ask(3*day+hour, "pickup", order.AskPickup{Meta: desk(), Return: "R1", Earliest: start.Add(4 * day), Latest: start.Add(4*day + 8*hour)}, nil, nil)
	var mid order.View
	l.env.RegisterDelayedCallback(func() { mid = l.view() }, 3*day+2*hour)
	l.received(5 * day)
	l.run(workflows.Input{Spec: &s})
	l.completed()
	r := mid.Returns[0]
	if r.State != order.ReturnPickup || r.Box.Carrier != "dhl" || r.Box.Tracking != "T-R900" || !r.PickupAt.Equal(start.Add(4*day)) {
		t.Errorf("%+v", r)
	}
	if b := r.Bookings[0]; b.State != order.BookingMade || b.Reference != "REF-1" || b.Amount != 499 || b.Label != "application/pdf" || b.AskedBy != "" {
		t.Errorf("%+v", b)
	}
	if len(p.asked) != 3 {
		t.Fatalf("asked %d times", len(p.asked))
	}
	label, comes := p.asked[1], p.asked[2]
	if label.Command.ID != label.Booking.ID || label.Package.WeightG != 400 || label.OrderID != s.ID || label.Store != s.Store || label.Return != "R1" || label.Booking.Until.IsZero() {
		t.Errorf("%+v", label)
	}
	if comes.Command.Tracking != "T-R900" || comes.LabelReference != "REF-1" || !comes.Booking.Earliest.Equal(start.Add(4*day)) {
		t.Errorf("%+v", comes)
	}
	if len(l.last().Pending)+len(l.last().Cases) != 0 || l.toldOf("booking_changed") != 4 {
		t.Errorf("%+v %v", l.last().Pending, l.told())
	}
}

// A label of a return that was called off is void in the end.
func TestACarrierTakesALabelBack(t *testing.T) {
	p := &press{says: map[order.BookingKind]activities.BookingAnswer{order.BookLabel: labelAnswer()}}
	l, s := sentBack(t, p)
	s.Policy.ReturnLabels, s.Policy.ReturnCarrier = order.LabelsAutomatic, "dhl"
	reasoned := desk()
	reasoned.Reason = "the buyer keeps it"
	l.ask(3*day+hour, "cancel", order.CancelReturn{Meta: reasoned, Return: "R1"}, nil, nil)
	l.later(3*day+2*hour, "void", func() order.Event {
		return order.VoidBooking{Meta: reasoned, Booking: l.view().Returns[0].Bookings[0].ID}
	}, nil)
	l.run(workflows.Input{Spec: &s})
	l.completed()
	if len(p.voids) != 2 || p.voids[1].Booking.Reference != "REF-1" || p.voids[1].Booking.Kind != order.BookLabel || p.voids[1].Command.Kind != order.VoidCarrierBooking {
		t.Errorf("%+v", p.voids)
	}
	if b := l.last().Returns[0].Bookings[0]; b.State != order.BookingVoided || len(l.last().Pending) > 0 {
		t.Errorf("%+v", b)
	}
}

func TestWhatACarrierDoesNotMakeWaitsForTheDesk(t *testing.T) {
	declined, cannot, unclear := activities.BookingAnswer{}, activities.BookingAnswer{}, activities.BookingAnswer{Unclear: true}
	declined.Declined, cannot.Unable, unclear.Unable = "refused: HTTP 400", "gls cannot be asked", "its answer got lost"
	says := func(a activities.BookingAnswer) *press {
		return &press{says: map[order.BookingKind]activities.BookingAnswer{order.BookLabel: a}}
	}
	for name, c := range map[string]struct {
		p       *press
		unclear bool
	}{
		"declines":     {says(declined), false},
		"cannot":       {says(cannot), false},
		"nobody knows": {says(unclear), true},
		"never comes":  {&press{first: slices.Repeat([]error{errors.New("answered 503")}, 10_000)}, true},
		"nobody there": {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			l, s := sentBack(t, c.p)
			s.Policy.ReturnAutoLimit = 5000
			l.ask(3*day+hour, "label", order.AskLabel{Meta: desk(), Return: "R1", Carrier: "dhl"}, nil, nil)
			var mid order.View
			l.env.RegisterDelayedCallback(func() { mid = l.view() }, 3*day+4*hour)
			l.later(4*day, "by hand", func() order.Event {
				l.caseOf(order.ReturnOverdue) // nobody did it in time
				return order.ShipReturn{Meta: desk(), Return: "R1", Carrier: "dhl", Tracking: "T-R100"}
			}, nil)
			l.received(5 * day)
			l.run(workflows.Input{Spec: &s})
			l.completed()
			b := mid.Returns[0].Bookings[0]
			if b.State != order.BookingByHand || b.Unclear != c.unclear {
				t.Errorf("%+v", b)
			}
			if !slices.ContainsFunc(mid.Waiting, func(w order.WaitView) bool {
				return w.Kind == order.WaitByHand && w.Owner == order.ReturnsTeam && w.Rule == "by_hand 8 h"
			}) {
				t.Errorf("nobody is waited for: %+v", mid.Waiting)
			}
			last := l.last()
			if b := last.Returns[0].Bookings[0]; b.State != order.BookingEnded || len(last.Cases)+len(last.Pending) != 0 || last.ParcelByID("R1").Tracking != "T-R100" {
				t.Errorf("%+v, cases %+v, pending %+v", b, last.Cases, last.Pending)
			}
		})
	}
}

// A booking that is under way goes on in the next run, under the same ID.
func TestABookingSurvivesContinueAsNew(t *testing.T) {
	p := &press{says: map[order.BookingKind]activities.BookingAnswer{order.BookLabel: labelAnswer()}}
	s := spec()
	st := order.New(s, order.CurrentRules, start.Add(-24*time.Hour))
	for _, e := range []order.Event{
		order.CarrierEvent{Meta: order.Meta{By: order.CarrierSays, Occurred: start.Add(-3 * time.Hour), Applied: start.Add(-3 * time.Hour)}, Parcel: "1", Milestone: order.Delivered, Physical: true},
		order.RequestReturn{Meta: order.Meta{By: order.Storefront, Applied: start.Add(-2 * time.Hour)}, Lines: []order.ReturnLine{{SKU: s.Lines[0].SKU, Quantity: 1, Reason: order.ChangedMind, Wanted: order.RefundRemedy}}},
		order.DecideReturn{Meta: order.Meta{By: order.Support, Applied: start.Add(-time.Hour)}, Return: "R1", Agree: true},
		order.AskLabel{Meta: order.Meta{By: order.Support, Actor: "ann", Applied: start.Add(-time.Minute)}, Return: "R1", Carrier: "dhl", Package: order.Package{WeightG: 900}},
	} {
		order.Apply(&st, e)
	}
	if len(st.Pending) != 1 {
		t.Fatalf("%+v", st.Pending)
	}
	id := st.Pending[0].ID
	l := newLife(t)
	l.activities.Bookings = p
	l.received(day)
	l.run(workflows.Input{State: &st})
	l.completed()
	if len(p.asked) != 1 || p.asked[0].Command.ID != id || l.last().Returns[0].Bookings[0].State != order.BookingMade {
		t.Errorf("%+v", p.asked)
	}
}
