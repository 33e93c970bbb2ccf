package intake

import (
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

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
