package order

import (
	"fmt"
	"strings"
	"testing"
)

// voids has the desk void a booking h hours in.
func voids(h float64, booking string) VoidBooking { return VoidBooking{byDesk(h), booking} }

// What becomes of a label that the desk has the carrier take back, and who is waited
// for then.
func TestWhatBecomesOfAVoidedBooking(t *testing.T) {
	made, done := says{h: 31.1, a: labelMade}, Answered{}
	unused := func(more ...Event) []Event {
		return authorized(append([]Event{askDHL(31), made, CancelReturn{byDesk(32), "R1"}, voids(33, "label-R1-8")}, more...)...)
	}
	for name, c := range map[string]struct {
		events  []Event
		state   BookingState
		wait    WaitKind
		owner   Team
		unclear bool
		words   string // in the booking's reason
	}{
		"asked":             {unused(), BookingVoiding, WaitBooking, EngineTeam, false, "called"},
		"done":              {unused(says{h: 33.1, a: done}), BookingVoided, "", "", false, "called"},
		"declined":          {unused(says{h: 33.1, a: Answered{Declined: "refused: 190117"}}), BookingByHand, WaitByHand, ReturnsTeam, true, "the carrier said no: refused: 190117; look"},
		"it cannot be":      {unused(says{h: 33.1, a: Answered{Failed: "dhl: a label is not voided from here"}}), BookingByHand, WaitByHand, ReturnsTeam, true, "not voided from here"},
		"no answer":         {unused(tick(35.1)), BookingByHand, WaitByHand, ReturnsTeam, true, "no answer in time"},
		"declined, by hand": {unused(says{h: 33.1, a: Answered{Declined: "no"}}, EndBooking{byDesk(34), "label-R1-8"}), BookingEnded, "", "", true, "called"},
		"asked once more":   {unused(says{h: 33.1, a: Answered{Declined: "no"}}, voids(34, "label-R1-8"), says{h: 34.1, a: done}), BookingVoided, "", "", false, "called"},
		"made too late":     {authorized(askDHL(31), CancelReturn{byDesk(31.05), "R1"}, made, voids(33, "label-R1-8"), says{h: 33.1, a: done}), BookingVoided, "", "", false, "called"},
	} {
		t.Run(name, func(t *testing.T) {
			w := booked(t, sale(), c.events...)
			b := w.s.Returns[0].Bookings[0]
			equal(t, "booking", b.State, c.state)
			equal(t, "unclear", b.Unclear, c.unclear)
			found := awaited(t, w, b, c.words, c.wait, c.owner)
			if found.Kind == WaitBooking {
				equal(t, "what", found.What, "the carrier to void the label of return R1")
				equal(t, "until", found.Until, at(35))
			}
			if c.wait == "" && (len(w.s.Pending) > 0 || w.s.SettledAt.IsZero()) {
				t.Errorf("pending %+v, settled at %s", w.s.Pending, w.s.SettledAt)
			}
		})
	}
}

// A late answer to a voiding that was given up changes nothing.
func TestOnlyTheLastVoidingIsAnswered(t *testing.T) {
	w := booked(t, sale(), authorized(askDHL(31), says{h: 31.1, a: labelMade}, CancelReturn{byDesk(32), "R1"}, voids(33, "label-R1-8"))...)
	first := w.s.Pending[0].ID
	for _, e := range []Event{tick(35.1), voids(36, "label-R1-8"), Answered{Meta: Meta{By: Engine, Applied: at(36.1)}, Command: first}} {
		if err := w.apply(e); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "booking", w.s.Returns[0].Bookings[0].State, BookingVoiding)
	equal(t, "commands", len(w.s.Pending), 1)
	if second := w.s.Pending[0].ID; second == first {
		t.Errorf("both commands are %s", first)
	}
}

func TestVoidingIsRefusedWithTheFieldAtFault(t *testing.T) {
	state := func(events ...Event) func() *State {
		return func() *State { return &booked(t, sale(), authorized(events...)...).s }
	}
	made, over := says{h: 31.1, a: labelMade}, CancelReturn{byDesk(32), "R1"}
	other := labelMade
	other.Tracking, other.Reference = "T-R901", "REF-2"
	second := []Event{askDHL(31), made, askDHL(31.2), says{h: 31.3, a: other}}
	fetched := says{h: 31.5, a: Answered{Reference: "PRG1"}}
	pickups := []Event{askDHL(31), made, collected(31.4), fetched}
	twice := append(pickups[:4:4], collected(31.6), says{h: 31.7, a: Answered{Reference: "PRG2"}})
	same := append(pickups[:4:4], collected(31.6), says{h: 31.7, a: fetched.a})
	for name, c := range map[string]struct {
		state func() *State
		n     int // which booking of the return
		h     float64
		words string // in the refusal; empty: granted
	}{
		"of a return that is over":     {state(askDHL(31), made, over), 0, 33, ""},
		"by which it comes":            {state(askDHL(31), made), 0, 33, "comes by it"},
		"by which it came":             {state(askDHL(31), made, moves(32, InTransit).of("R1")), 0, 33, "comes by it"},
		"after another one":            {state(second...), 0, 33, ""},
		"the other one":                {state(second...), 1, 33, "comes by it"},
		"while it is asked for":        {state(askDHL(31)), 0, 31.5, "own answer"},
		"while it is voided":           {state(askDHL(31), made, over, voids(33, "label-R1-8")), 0, 33.5, "own answer"},
		"again":                        {state(askDHL(31), made, over, voids(33, "label-R1-8"), says{h: 33.1}), 0, 34, "is voided since"},
		"what has no number":           {state(askDHL(31), says{h: 31.1, a: Answered{Failed: "?", Unclear: true}}), 0, 33, "under which number"},
		"while another is asked":       {state(append(second[:4:4], askDHL(31.4))...), 0, 31.5, "another one of the return"},
		"the pickup that comes":        {state(pickups...), 1, 33, "comes by it"},
		"a pickup of one that is over": {state(append(pickups[:4:4], over)...), 1, 33, ""},
		"the pickup before":            {state(twice...), 1, 33, ""},
		"the pickup after":             {state(twice...), 2, 33, "comes by it"},
		"the same one":                 {state(same...), 1, 33, "comes by it"},
	} {
		s := c.state()
		s.Now = latest(s.Now, at(c.h))
		err := Check(s, voids(c.h, s.Returns[0].Bookings[c.n].ID))
		if (err == nil) != (c.words == "") || err != nil && !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v, want %q", name, err, c.words)
		}
	}
	none, shop := voids(33, "label-R1-8"), voids(33, "label-R1-8")
	none.Reason, shop.By = "", Storefront
	voiding := append(second[:4:4], voids(32, "label-R1-8"))
	for name, c := range map[string]struct {
		state func() *State
		e     Event
		field string // empty: granted
	}{
		"by the shop":              {state(askDHL(31), made, over), shop, "by"},
		"without a reason":         {state(askDHL(31), made, over), none, "reason"},
		"of nothing":               {state(askDHL(31), made, over), voids(33, "label-R1-9"), "booking"},
		"ended while it is voided": {state(voiding...), EndBooking{byDesk(32.1), "label-R1-8"}, "booking"},
		"shipped while it is":      {state(voiding...), ShipReturn{Meta: byDesk(32.1), Return: "R1", Carrier: "ups", Tracking: "T-R100"}, "return"},
		"another while it is":      {state(voiding...), askDHL(32.1), "return"},
		"another after it":         {state(append(voiding[:5:5], says{h: 32.1})...), askDHL(32.2), ""},
	} {
		s := c.state()
		s.Now = latest(s.Now, c.e.meta().Applied)
		err := Check(s, c.e)
		field := ""
		if err != nil {
			field = err.(*Refusal).Field
		}
		equal(t, name+": "+fmt.Sprint(err), field, c.field)
	}
}
