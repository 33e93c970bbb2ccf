package order

import (
	"fmt"
	"time"
)

// VoidBooking has the carrier take back a label or a pickup that it made and nobody
// uses.
type VoidBooking struct {
	Meta
	Booking string `json:"booking"`
}

func (VoidBooking) event() {}

// VoidCarrierBooking asks the carrier to. It may be asked twice: what is void is not
// voided again.
const VoidCarrierBooking CommandKind = "void_booking"

// Voiding finds the booking that a command takes back, and its return.
func (s *State) Voiding(command string) (Return, Booking, bool) {
	if r, b := s.voidingBy(command); b != nil {
		return *r, *b, true
	}
	return Return{}, Booking{}, false
}

func (s *State) voidingBy(command string) (*Return, *Booking) {
	for i := range s.Returns {
		r := &s.Returns[i]
		if b := r.OpenBooking(); b != nil && b.State == BookingVoiding && b.Void == command {
			return r, b
		}
	}
	return nil, nil
}

// asking refuses what has to wait for the carrier.
func (b *Booking) asking() error {
	if b.State == BookingVoiding {
		return refuse("return", "the carrier is being asked to void a %s since %s: its answer comes by %s", b.Kind, day(b.VoidAt), day(b.Until))
	}
	return refuse("return", "the carrier is being asked for a %s since %s: its answer comes by %s", b.Kind, day(b.AskedAt), day(b.Until))
}

// voidable says why a booking cannot be voided; nil: it can. What the return comes by
// is not: that would leave it without.
func (s *State) voidable(r *Return, b *Booking) error {
	o := r.OpenBooking()
	switch {
	case b.State.Asking():
		return refuse("booking", "waits for the carrier's own answer first")
	case b.State != BookingMade && b.State != BookingByHand:
		return refuse("booking", "is %s since %s", b.State, day(b.EndedAt))
	case b.Tracking == "" && b.Reference == "":
		return refuse("booking", "nobody knows under which number the carrier has it")
	case o != nil && o.ID != b.ID:
		return refuse("booking", "waits for another one of the return, which is %s", o.State)
	case s.used(r, b):
		return refuse("booking", "the return comes by it: ask for another one first, or end the return")
	}
	return nil
}

// used says whether a return comes by that label, or is fetched by that pickup.
func (s *State) used(r *Return, b *Booking) bool {
	if b.Kind == BookLabel {
		p := s.ParcelByID(r.Parcel)
		return p != nil && p.Tracking == b.Tracking && (r.State.Open() || p.Milestone.Stage() > Preparing)
	}
	if !s.awaitsShipment(r) {
		return false
	}
	used := b
	for i := range r.Bookings { // the last one counts, and some carriers name two the same
		if o := &r.Bookings[i]; o.Kind == BookPickup && o.State == BookingMade {
			used = o
		}
	}
	return used.ID == b.ID || used.Reference == b.Reference && used.Carrier == b.Carrier
}

func (s *State) checkVoidBooking(e VoidBooking) error {
	r, b := s.bookingByID(e.Booking)
	switch {
	case e.By != Support && e.By != ReturnsDesk:
		return refuse("by", "%q may not do that with a return", e.By)
	case b == nil:
		return refuse("booking", "%q is none of this order's", e.Booking)
	}
	if err := s.voidable(r, b); err != nil {
		return err
	}
	return needReason(e.Meta)
}

func (s *State) voidBooking(e VoidBooking) {
	r, b := s.bookingByID(e.Booking)
	if b == nil || s.voidable(r, b) != nil {
		return
	}
	b.State, b.Void, b.VoidAt, b.Reason = BookingVoiding, fmt.Sprintf("void-%s-%d", b.ID, s.Seq), s.Now, e.Reason
	b.HandAt, b.EndedAt, b.Until = time.Time{}, time.Time{}, s.Now.Add(time.Duration(s.Spec.Policy.Completed().CarrierAnswer))
	s.tellBooking(r, b, e.Meta)
	s.Pending = append(s.Pending, Command{ID: b.Void, Kind: VoidCarrierBooking, Parcel: r.Parcel, Carrier: b.Carrier, Tracking: b.Tracking, Since: s.Now})
}

// voided takes the carrier's answer. What it did not void stays a person's.
func (s *State) voided(command string, e Answered) {
	r, b := s.voidingBy(command)
	if b == nil {
		return
	}
	why := e.Failed
	if e.Declined != "" {
		why = "the carrier said no: " + e.Declined
	}
	if why != "" {
		b.Unclear = true
		s.bookByHand(r, b, why+"; look in the carrier's system whether the "+string(b.Kind)+" is void, and void it there")
		return
	}
	b.State, b.EndedAt, b.Unclear = BookingVoided, s.Now, false
	s.tellBooking(r, b, Meta{By: Engine})
}
