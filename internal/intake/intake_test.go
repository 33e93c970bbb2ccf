package intake

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/all"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// box keeps what it is given.
type box struct {
	Store // nothing else is asked of it
	facts []store.Fact
	raws  []store.RawBody
	// replayed is what was noted last.
	replayed store.RawBody
}

func (b *box) MarkReplayed(_ context.Context, r store.RawBody, _ time.Time) error {
	b.replayed = r
	return nil
}

func (b *box) AcceptBody(ctx context.Context, raw store.RawBody, facts []store.Fact) ([]store.Result, error) {
	b.raws = append(b.raws, raw)
	return b.Accept(ctx, facts)
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
	n, err := (&Intake{Store: &b}).Answer(t.Context(), a, []byte("as it came"), []carriers.Event{
		event(),
		event(func(e *carriers.Event) { e.UTC = Earliest.Add(-time.Second) }),
		event(func(e *carriers.Event) { e.UTC = now.Add(Ahead + time.Second) }),
		event(func(e *carriers.Event) { e.Tracking = "é" }),
		event(func(e *carriers.Event) { e.Piece = "' or 1=1" }),
		event(func(e *carriers.Event) { e.Reading = carriers.Reading{Unmapped: true} }),
		{Unread: carriers.NoEvent},
	}, nil, now)
	if err != nil || n.Accepted != 2 || n.Rejected != 5 || n.Unmapped != 1 || len(b.facts) != 2 {
		t.Errorf("%+v, %d facts, %v", n, len(b.facts), err)
	}
	want := "1 not taken: a time before 2000-01-01; 1 not taken: a time in the future; 2 not taken: a number that is none; 1 not taken: no number, code or time that can be read"
	if len(b.raws) != 1 || b.raws[0].Error != want || b.raws[0].Events != 7 || b.raws[0].Rejected != 5 || string(b.raws[0].Body) != "as it came" || b.raws[0].Via != "poll" {
		t.Errorf("%+v", b.raws)
	}
}

// Most answers to our own questions say again what was pushed: only those with
// trouble are kept. Files are the carrier's own words and come once: all are.
func TestWhichBodiesAreKept(t *testing.T) {
	a, err := all.Adapters().Find("ups")
	if err != nil {
		t.Fatal(err)
	}
	unmapped := event(func(e *carriers.Event) { e.Reading = carriers.Reading{Unmapped: true} })
	for name, c := range map[string]struct {
		events    []carriers.Event
		malformed error
		kept      bool
	}{
		"good":          {[]carriers.Event{event()}, nil, false},
		"nothing yet":   {nil, nil, false},
		"unmapped":      {[]carriers.Event{event(), unmapped}, nil, true},
		"one not read":  {[]carriers.Event{event(), {Unread: carriers.NoEvent}}, nil, true},
		"nothing of it": {nil, carriers.Malformed("garbage"), true},
	} {
		var b box
		if _, err := (&Intake{Store: &b}).Answer(t.Context(), a, []byte(name), c.events, c.malformed, now); err != nil || (len(b.raws) == 1) != c.kept {
			t.Errorf("%s: %d bodies kept, %v", name, len(b.raws), err)
		}
	}
	f, err := all.Adapters().Find("edi214")
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]bool{"shortage.edi": false, "": true} {
		body := []byte("this is no EDI")
		if name != "" {
			if body, err = os.ReadFile("../carriers/edi214/testdata/" + name); err != nil {
				t.Fatal(err)
			}
		}
		var b box
		in := &Intake{Store: &b}
		n, faults, err := in.File(t.Context(), f.(carriers.FileReader), "application/edi-x12", body, now.AddDate(1, 0, 0))
		if err != nil || len(b.raws) != 1 || b.raws[0].Via != "file" || (b.raws[0].Error != "") != bad || (len(faults) > 0) != bad {
			t.Fatalf("%q: %+v, %v, %v", name, b.raws, faults, err)
		}
		// Replayed, it is read as the file that it was, with the same figures.
		b.facts = nil
		was := b.raws[0]
		was.ReceivedAt = now.AddDate(1, 0, 0)
		again, err := in.Replay(t.Context(), f, was, now)
		if bad != (err != nil) || again.Accepted != n.Accepted || len(b.facts) != n.Accepted || !bad && (b.replayed.Events != was.Events || b.replayed.Rejected != was.Rejected || b.replayed.Error != was.Error) {
			t.Errorf("%q: %+v, then %+v, %v: %+v", name, n, again, err, b.replayed)
		}
	}
}

// What was asked for is read as an answer again, not as a push.
func TestAnAnswerIsReplayedAsOne(t *testing.T) {
	a, err := all.Adapters().Find("ups")
	if err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile("../carriers/ups/testdata/track.json")
	if err != nil {
		t.Fatal(err)
	}
	var b box
	in := &Intake{Store: &b}
	raw := rawOf(a, Delivery{Via: Poll, Body: body})
	raw.ReceivedAt = now.AddDate(1, 0, 0)
	n, err := in.Replay(t.Context(), a, raw, now)
	if err != nil || n.Accepted == 0 || b.facts[0].Actor != "poll" {
		t.Errorf("%+v, %v", n, err)
	}
	if _, err := in.Replay(t.Context(), a, rawOf(a, Delivery{Via: File, Body: body}), now); !errors.Is(err, carriers.ErrMalformed) {
		t.Errorf("a file of a carrier that sends none: %v", err)
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
		Appointment: &carriers.Appointment{For: carriers.ForDelivery, Earliest: at, Latest: at.Add(time.Hour)}, PickupBy: at.Add(48 * time.Hour)}
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
	if !f.Aside.PickupBy.Equal(e.PickupBy) {
		t.Errorf("pick up by %s", f.Aside.PickupBy)
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

// DHL's parcel numbers are told with and without the 00 that belongs to them.
func TestDHLsParcelIsFoundWithAndWithoutItsZeros(t *testing.T) {
	s := storetest.New(t)
	spec := order.Spec{ID: "acme:1", Store: "acme", Number: "1", Class: order.Routine, PlacedAt: now.AddDate(0, 0, -1), CustomerRef: "acme:1", Lines: []order.Line{{SKU: "lamp", Quantity: 1}},
		Parcels: []order.PlannedParcel{{ID: "1", Carrier: "dhl", Tracking: "00340434161094015902", Lines: []order.Allocation{{SKU: "lamp", Quantity: 1}}}}, Policy: order.DefaultPolicy()}
	if _, err := s.CreateOrder(t.Context(), store.NewOrder{Spec: spec, TokenHash: make([]byte, 32), RequestHash: make([]byte, 32)}); err != nil {
		t.Fatal(err)
	}
	in := &Intake{Store: s}
	for i, number := range []string{"00340434161094015902", "340434161094015902", "3404 3416 1094 0159 02"} {
		for carrier, body := range map[string]string{
			"dhl":       `{"shipments":[{"id":"%s","service":"parcel-de","events":[{"timestamp":"2026-03-02T0%d:00:00Z","statusCode":"transit","status":"x"}]}]}`,
			"aftership": `{"event":"tracking_update","msg":{"tracking_number":"%s","checkpoints":[{"checkpoint_time":"2026-03-02T0%d:30:00Z","tag":"InTransit","subtag":"InTransit_001"}]}}`,
		} {
			a, err := all.Adapters().Find(carrier)
			if err != nil {
				t.Fatal(err)
			}
			n, err := in.Take(t.Context(), a, Delivery{Via: Webhook, Body: fmt.Appendf(nil, body, number, i+1)}, now)
			if err != nil || n.Accepted != 1 || n.Orphan != 0 {
				t.Errorf("%s told of %s: %+v, %v", carrier, number, n, err)
			}
		}
	}
}
