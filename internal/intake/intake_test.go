package intake

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/all"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// box keeps what it is given.
type box struct {
	Store // nothing else is asked of it
	facts []store.Fact
}

func (b *box) Accept(_ context.Context, facts []store.Fact) ([]store.Result, error) {
	b.facts = append(b.facts, facts...)
	results := make([]store.Result, len(facts))
	for i := range results {
		results[i] = store.Accepted
	}
	return results, nil
}

func event(set ...func(*carriers.Event)) carriers.Event {
	e := carriers.Event{Tracking: "1Z0001", Table: "t", Code: "c", Reading: carriers.Reading{Milestone: order.InTransit, Physical: true},
		Moment: carriers.Moment{UTC: now, Local: "2026-03-02T10:00:00", Offset: "+01:00", Basis: carriers.ByZone}}
	for _, s := range set {
		s(&e)
	}
	return e
}

func TestAFactKeepsWhichBoxAndHowItsTimeWasFound(t *testing.T) {
	a, err := all.Adapters().Find("fedex")
	if err != nil {
		t.Fatal(err)
	}
	f := Fact(a, Poll, event(func(e *carriers.Event) {
		e.Piece, e.Pieces, e.Unique, e.DeliveredTo = "1Z0002", 3, "u~1", carriers.ToPorch
	}))
	if f.Tracking != "1Z0001" || f.Piece != "1Z0002" || f.Pieces != 3 || f.Whole || f.UniqueID != "u~1" || f.DeliveredTo != "porch" {
		t.Errorf("%+v", f)
	}
	if f.LocalTime != "2026-03-02T10:00:00" || f.UTCOffset != "+01:00" || f.TimeBasis != "zone" || !f.OccurredAt.Equal(now) {
		t.Errorf("%+v", f)
	}
	if f := Fact(a, Poll, event(func(e *carriers.Event) { e.Whole, e.Pieces = true, 2 })); !f.Whole || f.Piece != "" {
		t.Errorf("%+v", f)
	}
}

// The same box told under two numbers is two rows; the same telling is one.
func TestAnEventIDTellsPiecesApart(t *testing.T) {
	piece := func(p string) func(*carriers.Event) { return func(e *carriers.Event) { e.Piece = p } }
	named := func(e *carriers.Event) { e.ID = "e-1" }
	for name, c := range map[string]struct {
		a, b carriers.Event
		same bool
	}{
		"again":                        {event(), event(), true},
		"its own number, said or not":  {event(), event(piece("1Z0001")), true},
		"another piece":                {event(piece("1Z0001")), event(piece("1Z0002")), false},
		"two pieces":                   {event(piece("1Z0003")), event(piece("1Z0002")), false},
		"two pieces under one ID":      {event(named, piece("1Z0003")), event(named, piece("1Z0002")), false},
		"of all pieces, then":          {event(piece("1Z0001")), event(func(e *carriers.Event) { e.Whole = true }), false},
		"the carrier's ID":             {event(named), event(named, func(e *carriers.Event) { e.Location = "x" }), true},
		"pushed, and asked for":        {event(piece("1Z0001")), event(piece("1Z0001"), func(e *carriers.Event) { e.Pieces = 3 }), true},
		"another estimate of the same": {event(named), event(named, func(e *carriers.Event) { e.ETA = now }), false},
	} {
		if got := eventID(c.a) == eventID(c.b); got != c.same {
			t.Errorf("%s: same %v", name, got)
		}
	}
}

func TestWhatCannotBeTrueIsCounted(t *testing.T) {
	a, err := all.Adapters().Find("ups")
	if err != nil {
		t.Fatal(err)
	}
	var b box
	n, err := (&Intake{Store: &b}).Events(t.Context(), a, Webhook, []carriers.Event{
		event(),
		event(func(e *carriers.Event) { e.UTC = Earliest.Add(-time.Second) }),
		event(func(e *carriers.Event) { e.UTC = now.Add(Ahead + time.Second) }),
		event(func(e *carriers.Event) { e.Tracking = "é" }),
		event(func(e *carriers.Event) { e.Piece = "' or 1=1" }),
		event(func(e *carriers.Event) { e.Reading = carriers.Reading{Unmapped: true} }),
	}, now)
	if err != nil || n.Accepted != 2 || n.Rejected != 4 || n.Unmapped != 1 || len(b.facts) != 2 {
		t.Errorf("%+v, %d facts, %v", n, len(b.facts), err)
	}
}

// What an order must hear again has another ID; what it has heard has the same.
func TestNewsHaveAnIDOfTheirOwn(t *testing.T) {
	at := time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
	when := func(from, to time.Time) *carriers.Appointment {
		return &carriers.Appointment{For: carriers.ForDelivery, Earliest: from, Latest: to}
	}
	one := carriers.Event{Tracking: "PRO1", Table: "1652", Code: "X9", Moment: carriers.Moment{UTC: at, Local: "2026-03-04T10:00:00"}}
	seen := map[string]string{}
	for name, change := range map[string]func(*carriers.Event){
		"as it is":              func(*carriers.Event) {},
		"another reason":        func(e *carriers.Event) { e.Code = "X9/BK" },
		"an appointment":        func(e *carriers.Event) { e.Appointment = when(at, at) },
		"a later one":           func(e *carriers.Event) { e.Appointment = when(at.Add(time.Hour), at.Add(time.Hour)) },
		"one with an open end":  func(e *carriers.Event) { e.Appointment = when(at, time.Time{}) },
		"and the other end":     func(e *carriers.Event) { e.Appointment = when(time.Time{}, at) },
		"for the pickup":        func(e *carriers.Event) { e.Appointment = when(at, at); e.Appointment.For = carriers.ForPickup },
		"an ETA":                func(e *carriers.Event) { e.ETA = at },
		"the carrier's ID":      func(e *carriers.Event) { e.ID = "7" },
		"its ID and a new time": func(e *carriers.Event) { e.ID = "7"; e.Appointment = when(at, at) },
	} {
		e := one
		change(&e)
		id := eventID(e)
		if other, twice := seen[id]; twice {
			t.Errorf("%s and %s are one event", name, other)
		}
		seen[id] = name
		if again := e; eventID(again) != id || again.Appointment != nil && eventID(clone(e)) != id {
			t.Errorf("%s: told twice it is two events", name)
		}
	}
}

func clone(e carriers.Event) carriers.Event {
	a := *e.Appointment
	e.Appointment = &a
	return e
}

// What stands beside an event is kept beside it; who signed nowhere else.
func TestWhatStandsBesideAnEvent(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	e := carriers.Event{Tracking: "T-100", Moment: carriers.Moment{UTC: at}, Description: "Delivered", Proof: carriers.Proof{SignedBy: "ANN LEE", Photo: "https://photo.example/1"},
		Appointment: &carriers.Appointment{For: carriers.ForDelivery, Earliest: at, Latest: at.Add(time.Hour)}}
	a, err := all.Adapters().Find("ups")
	if err != nil {
		t.Fatal(err)
	}
	f := Fact(a, Webhook, e)
	if f.Signer != (store.Signer{Name: "ANN LEE", Photo: "https://photo.example/1"}) || f.Aside.Held != "name, photo" {
		t.Errorf("%+v %+v", f.Signer, f.Aside)
	}
	if got := *f.Aside.Appointment; got != (store.Appointment{For: "delivery", Earliest: at, Latest: at.Add(time.Hour)}) {
		t.Errorf("%+v", got)
	}
	f.Signer = store.Signer{}
	if s := fmt.Sprintf("%+v %+v", f, f.Event("1")); strings.Contains(s, "LEE") || strings.Contains(s, "photo.example") {
		t.Errorf("who signed stands elsewhere: %s", s)
	}
	e.Proof = carriers.Proof{Held: "name, signature"}
	if f := Fact(a, Webhook, e); f.Aside.Held != "name, signature" || f.Signer != (store.Signer{}) || f.Description != "Delivered" {
		t.Errorf("%+v", f)
	}
}
