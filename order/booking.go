package order

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// BookingKind is what a carrier is asked to make for a return. Since labelRules.
type BookingKind string

const (
	BookLabel  BookingKind = "label"  // from the buyer to the returns address
	BookPickup BookingKind = "pickup" // at the buyer's
)

// BookingState is how far a booking has come.
type BookingState string

const (
	BookingAsked   BookingState = "asked"   // of the carrier, not answered
	BookingByHand  BookingState = "by_hand" // a person has to make it, or to void it
	BookingMade    BookingState = "made"
	BookingEnded   BookingState = "ended"   // a person did otherwise, or nobody needs it any more
	BookingVoiding BookingState = "voiding" // the carrier is asked to take it back
	BookingVoided  BookingState = "voided"
)

// BookingStates lists all of them.
var BookingStates = []BookingState{BookingAsked, BookingByHand, BookingMade, BookingEnded, BookingVoiding, BookingVoided}

// Open says that somebody still has to act.
func (b BookingState) Open() bool { return b.Asking() || b == BookingByHand }

// Asking says that it is the carrier who has to.
func (b BookingState) Asking() bool { return b == BookingAsked || b == BookingVoiding }

// Package is what a box weighs and measures, in grams and millimetres; 0: not
// known. Either all sides are known or none.
type Package struct {
	WeightG  int `json:"weight_g,omitempty"`
	LengthMM int `json:"length_mm,omitempty"`
	WidthMM  int `json:"width_mm,omitempty"`
	HeightMM int `json:"height_mm,omitempty"`
}

// Bounds of what is booked.
const (
	maxBookings = 10        // of one return
	maxWeight   = 1_000_000 // grams, of a piece and of a box
	maxSide     = 10_000    // millimetres
	maxWindow   = 24 * time.Hour
)

// Booking is a label or a pickup that a carrier was asked for. Who sends it and
// where from is no part of it: that is read when the carrier is asked.
type Booking struct {
	ID      string       `json:"id"` // also the ID of the command
	Kind    BookingKind  `json:"kind"`
	Carrier string       `json:"carrier,omitempty"` // by whose credential
	State   BookingState `json:"state"`
	// Earliest and Latest bound a pickup.
	Earliest time.Time `json:"earliest,omitzero"`
	Latest   time.Time `json:"latest,omitzero"`
	AskedAt  time.Time `json:"asked_at"`
	AskedBy  string    `json:"asked_by,omitempty"` // empty: the policy
	// Until is how long the carrier may be asked; nothing is made after it. Void is the
	// command that last took it back, given at VoidAt.
	Until   time.Time `json:"until,omitzero"`
	Void    string    `json:"void,omitempty"`
	VoidAt  time.Time `json:"void_at,omitzero"`
	HandAt  time.Time `json:"hand_at,omitzero"` // since when it is a person's
	EndedAt time.Time `json:"ended_at,omitzero"`
	// Tracking and Reference are the carrier's, Label the media type of the label
	// that is kept. Amount is what it costs, in minor units.
	Tracking  string `json:"tracking,omitempty"`
	Reference string `json:"reference,omitempty"`
	Label     string `json:"label,omitempty"`
	Amount    int64  `json:"amount,omitempty"`
	Currency  string `json:"currency,omitempty"`
	// Unclear: the carrier has or may have made one that nobody uses. It stays
	// somebody's to void.
	Unclear bool `json:"unclear,omitempty"`
	// Reason is why it was asked for, and then why it ended as it did.
	Reason string `json:"reason,omitempty"`
}

// Requests about bookings.
type (
	// AskLabel has the carrier make a label for a return. Without a carrier it is
	// the policy's return_carrier.
	AskLabel struct {
		Meta
		Return  string  `json:"return"`
		Carrier string  `json:"carrier,omitempty"`
		Package Package `json:"package,omitzero"` // instead of what the return says
	}
	// AskPickup has the carrier come for a return. Without a carrier it is the one
	// that made the label, else the parcel's, else the policy's.
	AskPickup struct {
		Meta
		Return   string    `json:"return"`
		Carrier  string    `json:"carrier,omitempty"`
		Earliest time.Time `json:"earliest"`
		Latest   time.Time `json:"latest"`
		Package  Package   `json:"package,omitzero"`
	}
	// EndBooking records that a person dealt with a booking: voided what was made
	// too much, or arranged it otherwise.
	EndBooking struct {
		Meta
		Booking string `json:"booking"`
	}
)

func (AskLabel) event()   {}
func (AskPickup) event()  {}
func (EndBooking) event() {}

// MakeReturnLabel and BookCarrierPickup ask the carrier. Their ID is the booking's.
// Asking twice would make two, so each is sent once, and afterwards only looked for.
const (
	MakeReturnLabel   CommandKind = "make_return_label"
	BookCarrierPickup CommandKind = "book_pickup"
)

// What the policy's return_labels may say; empty is LabelsAsk.
const (
	LabelsAsk       = "ask"
	LabelsAutomatic = "automatic"
)

// Booking finds a booking by its ID, and its return.
func (s *State) Booking(id string) (Return, Booking, bool) {
	if r, b := s.bookingByID(id); b != nil {
		return *r, *b, true
	}
	return Return{}, Booking{}, false
}

func (s *State) bookingByID(id string) (*Return, *Booking) {
	for i := range s.Returns {
		r := &s.Returns[i]
		for j := range r.Bookings {
			if r.Bookings[j].ID == id {
				return r, &r.Bookings[j]
			}
		}
	}
	return nil, nil
}

// OpenBooking is the booking of a return that waits for somebody; nil: none does.
// There is one at a time.
func (r *Return) OpenBooking() *Booking {
	for i := range r.Bookings {
		if r.Bookings[i].State.Open() {
			return &r.Bookings[i]
		}
	}
	return nil
}

// Label is the last label that a carrier made for the return; nil: none did.
func (r *Return) Label() *Booking {
	for i := len(r.Bookings) - 1; i >= 0; i-- {
		if b := &r.Bookings[i]; b.Kind == BookLabel && b.State == BookingMade {
			return b
		}
	}
	return nil
}

// openBookings says whether a booking still waits for somebody.
func (s *State) openBookings() bool {
	return slices.ContainsFunc(s.Returns, func(r Return) bool { return r.OpenBooking() != nil })
}

// PackageOf is what a return's box weighs and measures: as somebody said, else the
// weight of its lines if all of them are known.
func (s *State) PackageOf(r *Return) Package {
	p := r.Package
	if p.WeightG > 0 {
		return p
	}
	sum := 0
	for _, l := range r.Lines {
		line := s.LineBySKU(l.SKU)
		if line == nil || line.WeightG == 0 {
			return p
		}
		sum = min(sum+min(l.Quantity, maxWeight)*line.WeightG, maxWeight)
	}
	p.WeightG = sum
	return p
}

// Needs says whether a booking is still to be made, as far as the state knows.
func (s *State) Needs(booking string) bool {
	r, b := s.bookingByID(booking)
	return b == nil || b.State == BookingAsked && s.awaitsShipment(r)
}

// awaitsShipment says whether a return still needs a label or a pickup.
func (s *State) awaitsShipment(r *Return) bool {
	p := s.ParcelByID(r.Parcel)
	return (r.State == ReturnAuthorized || r.State == ReturnLabelSent || r.State == ReturnPickup) && p != nil && p.inbound() && p.Milestone.Stage() == Preparing
}

// checkPackage says what no box is. at names the field.
func checkPackage(at string, p Package) error {
	sides := []int{p.LengthMM, p.WidthMM, p.HeightMM}
	switch {
	case p.WeightG < 0 || p.WeightG > maxWeight:
		return refuse(at+".weight_g", "must be 1 to %d grams", maxWeight)
	case slices.Min(sides) < 0 || slices.Max(sides) > maxSide:
		return refuse(at+".length_mm", "each side must be 1 to %d mm", maxSide)
	case slices.Min(sides) == 0 && slices.Max(sides) > 0:
		return refuse(at+".length_mm", "length, width and height go together")
	}
	return nil
}

// over is a package with what another one says instead.
func (p Package) over(o Package) Package {
	if p.WeightG == 0 {
		p.WeightG = o.WeightG
	}
	if p.LengthMM == 0 {
		p.LengthMM, p.WidthMM, p.HeightMM = o.LengthMM, o.WidthMM, o.HeightMM
	}
	return p
}

// checkBook is what a label and a pickup need alike.
func (s *State) checkBook(id string, m Meta, carrier string, p Package) (*Return, error) {
	r, err := s.checkReturn(id, m.By, Storefront, Support, ReturnsDesk)
	if err != nil {
		return nil, err
	}
	switch b := r.OpenBooking(); {
	case s.Rules < labelRules:
		return nil, refuse("", "the order follows rules %d, which ask carriers for no labels, until its next run", s.Rules)
	case !s.awaitsShipment(r):
		return nil, wrongState(r)
	case b != nil && b.State.Asking():
		return nil, b.asking()
	case len(r.Bookings) >= maxBookings:
		return nil, refuse("return", "%s has %d bookings already", r.ID, maxBookings)
	case carrier == "":
		return nil, refuse("carrier", "is needed: the policy names no return_carrier")
	case !carrierPattern.MatchString(carrier):
		return nil, refuse("carrier", "must be a carrier code like ups")
	}
	if err := checkPackage("package", p); err != nil {
		return nil, err
	}
	with := *r
	with.Package = p.over(r.Package)
	if s.PackageOf(&with).WeightG == 0 {
		return nil, refuse("package.weight_g", "is needed: the order does not know what its lines weigh")
	}
	return r, nil
}

func (s *State) checkAskLabel(e AskLabel) error {
	r, err := s.checkBook(e.Return, e.Meta, orElse(e.Carrier, s.Spec.Policy.ReturnCarrier), e.Package)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(r.Bookings, func(b Booking) bool {
		return b.Kind == BookLabel && (b.State == BookingMade || b.Unclear || b.Tracking != "" && b.State != BookingVoided)
	}) {
		return needReason(e.Meta) // it will be another one
	}
	return nil
}

// pickupCarrier is who comes for a return if nobody says.
func (s *State) pickupCarrier(id, carrier string) string {
	r := s.returnByID(id)
	if carrier != "" || r == nil {
		return carrier
	}
	if b := r.Label(); b != nil {
		return b.Carrier
	}
	if p := s.ParcelByID(r.Parcel); p != nil && p.Carrier != "" {
		return p.Carrier
	}
	return s.Spec.Policy.ReturnCarrier
}

// PickupCarrier is that of a return.
func (s *State) PickupCarrier(id string) string { return s.pickupCarrier(id, "") }

func (s *State) checkAskPickup(e AskPickup) error {
	r, err := s.checkBook(e.Return, e.Meta, s.pickupCarrier(e.Return, e.Carrier), e.Package)
	switch {
	case err != nil:
		return err
	case !e.Earliest.After(s.Now) || e.Earliest.After(s.Now.Add(maxExtension)):
		return refuse("earliest", "must lie ahead, within %s", human(maxExtension))
	case !e.Latest.After(e.Earliest) || e.Latest.After(e.Earliest.Add(maxWindow)):
		return refuse("latest", "must follow earliest, within %s", human(maxWindow))
	}
	if slices.ContainsFunc(r.Bookings, func(b Booking) bool { return b.Kind == BookPickup && (b.State == BookingMade || b.Unclear) }) {
		return needReason(e.Meta)
	}
	return nil
}

func (s *State) checkEndBooking(e EndBooking) error {
	_, b := s.bookingByID(e.Booking)
	switch {
	case e.By != Support && e.By != ReturnsDesk:
		return refuse("by", "%q may not do that with a return", e.By)
	case b == nil:
		return refuse("booking", "%q is none of this order's", e.Booking)
	case b.State.Asking():
		return refuse("booking", "waits for the carrier's own answer first")
	case b.State != BookingByHand:
		return refuse("booking", "is %s since %s", b.State, day(b.EndedAt))
	}
	return needReason(e.Meta)
}

func (s *State) askLabel(e AskLabel) {
	if r := s.returnByID(e.Return); r != nil {
		s.book(r, Booking{Kind: BookLabel, Carrier: orElse(e.Carrier, s.Spec.Policy.ReturnCarrier)}, e.Package, e.Meta)
	}
}

func (s *State) askPickup(e AskPickup) {
	if r := s.returnByID(e.Return); r != nil {
		s.book(r, Booking{Kind: BookPickup, Carrier: s.pickupCarrier(e.Return, e.Carrier), Earliest: e.Earliest.UTC(), Latest: e.Latest.UTC()}, e.Package, e.Meta)
	}
}

// labelByPolicy asks for the label of a return that was just authorized, where
// the policy says so. Without a weight a person has to.
func (s *State) labelByPolicy(r *Return) {
	if p := &s.Spec.Policy; s.Rules >= labelRules && p.ReturnLabels == LabelsAutomatic && s.awaitsShipment(r) && r.OpenBooking() == nil {
		s.book(r, Booking{Kind: BookLabel, Carrier: p.ReturnCarrier}, Package{}, Meta{By: Engine})
	}
}

// book begins a booking. A person's that was open is replaced by it.
func (s *State) book(r *Return, b Booking, p Package, m Meta) {
	if s.Rules < labelRules || len(r.Bookings) >= maxBookings || !s.awaitsShipment(r) {
		return
	}
	if o := r.OpenBooking(); o != nil {
		if o.State.Asking() {
			return
		}
		s.endBooking(r, o, Meta{By: m.By, ID: m.ID, Actor: m.Actor, Reason: "another one is asked for"})
	}
	r.Package = p.over(r.Package)
	b.ID, b.State, b.AskedAt, b.AskedBy, b.Reason = fmt.Sprintf("%s-%s-%d", b.Kind, r.ID, s.Seq), BookingAsked, s.Now, m.Actor, m.Reason
	b.Until = s.Now.Add(time.Duration(s.Spec.Policy.Completed().CarrierAnswer))
	r.Bookings = append(r.Bookings, b)
	n := &r.Bookings[len(r.Bookings)-1]
	if s.PackageOf(r).WeightG == 0 {
		s.bookByHand(r, n, "nobody knows what it weighs")
		return
	}
	s.tellBooking(r, n, m)
	kind, number := MakeReturnLabel, ""
	if b.Kind == BookPickup {
		kind, number = BookCarrierPickup, s.ParcelByID(r.Parcel).Tracking
	}
	s.Pending = append(s.Pending, Command{ID: b.ID, Kind: kind, Parcel: r.Parcel, Carrier: b.Carrier, Tracking: number, Since: s.Now})
}

func (s *State) tellBooking(r *Return, b *Booking, m Meta) {
	text := strings.TrimSpace(string(b.Kind)+" of return "+r.ID+" "+string(b.State)) + " (" + orElse(b.Carrier, "no carrier") + ")"
	if b.State == BookingMade {
		text = strings.TrimSpace(text + " " + b.Tracking)
		if b.Reference != "" && b.Reference != b.Tracking {
			text += ", reference " + b.Reference
		}
		if b.Currency != "" {
			text += ", " + Money(b.Amount, b.Currency)
		}
	}
	s.tell(Happening{Type: BookingChanged, At: s.Now, Parcel: r.Parcel, Actor: m.Actor, Cause: m.ID, Text: text + because(m)})
}

func (s *State) bookByHand(r *Return, b *Booking, why string) {
	b.State, b.HandAt, b.Reason = BookingByHand, s.Now, why
	s.withdrawCommand(b.ID)
	if b.Void != "" {
		s.withdrawCommand(b.Void)
	}
	s.tellBooking(r, b, Meta{By: Engine, Reason: why})
}

func (s *State) endBooking(r *Return, b *Booking, m Meta) {
	b.State, b.EndedAt, b.Reason = BookingEnded, s.Now, orElse(m.Reason, b.Reason)
	s.tellBooking(r, b, m)
}

func (s *State) bookingEnded(e EndBooking) {
	if r, b := s.bookingByID(e.Booking); b != nil && b.State == BookingByHand {
		s.endBooking(r, b, e.Meta)
	}
}

// mayExist is what a person must know who goes on where nobody knows what the
// carrier did.
func (b *Booking) mayExist() string {
	return "a " + string(b.Kind) + " may exist all the same: look in the carrier's system, and void it there if it is not used"
}

// booked takes the carrier's answer, also when nobody needs it any more: what was
// made then must be voided.
func (s *State) booked(id string, e Answered) {
	r, b := s.bookingByID(id)
	if b == nil || b.State != BookingAsked {
		return
	}
	p := s.ParcelByID(r.Parcel)
	switch {
	case e.Unclear:
		b.Unclear = true
		s.bookByHand(r, b, e.Failed+"; "+b.mayExist())
	case e.Declined != "":
		s.bookByHand(r, b, "the carrier said no: "+e.Declined)
	case e.Failed != "":
		s.bookByHand(r, b, e.Failed)
	default:
		b.Tracking, b.Reference, b.Label, b.Amount, b.Currency = e.Tracking, e.Reference, e.Held, e.Amount, e.Currency
		if !s.awaitsShipment(r) {
			b.Unclear = true
			s.bookByHand(r, b, strings.TrimSpace(string(b.Kind)+" "+orElse(b.Tracking, b.Reference))+" was made, and nobody needs it any more: void it in the carrier's system")
			return
		}
		if b.Kind == BookLabel && b.Label == "" {
			s.bookByHand(r, b, "it was made as "+b.Tracking+", but what the carrier sent is no document to print: take the label from the carrier's system")
		} else {
			b.State, b.EndedAt = BookingMade, s.Now
			s.tellBooking(r, b, Meta{By: Engine})
		}
		ship := ShipReturn{Meta: Meta{By: Engine}, Carrier: orElse(e.Carrier, b.Carrier), Tracking: e.Tracking, PickupAt: r.PickupAt}
		if b.Kind == BookPickup {
			ship.Carrier, ship.PickupAt = orElse(p.Carrier, ship.Carrier), b.Earliest
		}
		s.ship(r, p, ship)
	}
}

// dropBookings ends what a person no longer has to make. What may have to be voided
// stays.
func (s *State) dropBookings() {
	for i := range s.Returns {
		r := &s.Returns[i]
		if b := r.OpenBooking(); b != nil && b.State == BookingByHand && !b.Unclear && !s.awaitsShipment(r) {
			s.endBooking(r, b, Meta{By: Engine, Reason: "return " + r.ID + " is " + string(r.State)})
		}
	}
}

// bookingWait is what an open booking waits for.
func (s *State) bookingWait(r *Return, b *Booking) Wait {
	p := s.Spec.Policy.Completed()
	if b.State.Asking() {
		w := Wait{Kind: WaitBooking, Parcel: r.Parcel, What: "the carrier's answer to the " + string(b.Kind) + " of return " + r.ID, Since: b.AskedAt, Until: b.Until,
			Owner: EngineTeam, Then: "a person arranges it", CutShort: "the carrier's answer"}
		if b.State == BookingVoiding {
			w.What, w.Since, w.Then = "the carrier to void the "+string(b.Kind)+" of return "+r.ID, b.VoidAt, "a person voids it"
		}
		w.Rule = "carrier_answer " + human(w.Until.Sub(w.Since))
		return w
	}
	return Wait{Kind: WaitByHand, Parcel: r.Parcel, What: "a person to arrange the " + string(b.Kind) + " of return " + r.ID + " (" + b.Reason + ")", Since: b.HandAt, Until: b.HandAt.Add(time.Duration(p.ByHand)),
		Rule: "by_hand " + p.ByHand.String(), Owner: ReturnsTeam, Then: "a return_overdue case is opened", CutShort: "record how it comes, ask again, or end it"}
}
