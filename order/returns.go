package order

import (
	"slices"
	"time"
)

// ReturnState is how far a return has come. Since peopleRules.
type ReturnState string

const (
	ReturnRequested  ReturnState = "requested"
	ReturnAuthorized ReturnState = "authorized"
	ReturnRejected   ReturnState = "rejected"
	ReturnLabelSent  ReturnState = "label_sent"
	ReturnPickup     ReturnState = "pickup_scheduled"
	// ReturnInTransit and ReturnReceived follow from the return's parcel: a
	// carrier holds it, the dock has scanned it.
	ReturnInTransit  ReturnState = "in_transit"
	ReturnReceived   ReturnState = "received"
	ReturnInspecting ReturnState = "inspecting"
	// ReturnDispositioned: it is decided where the goods go and what the buyer
	// gets. The next three say what has been done of it, the latest last.
	ReturnDispositioned ReturnState = "dispositioned"
	// RefundReleased and ReplacementReleased: the storefront has confirmed it.
	RefundReleased      ReturnState = "refund_released"
	ReplacementReleased ReturnState = "replacement_released"
	ReturnSentBack      ReturnState = "sent_back"
	ReturnClosed        ReturnState = "closed"
	ReturnCancelled     ReturnState = "cancelled"
)

// ReturnDefinition is one row of the table of return states.
type ReturnDefinition struct {
	State ReturnState
	// Next are the states that may follow, Back those to which a correction of
	// the parcel's milestone leads. No other step is taken.
	Next, Back []ReturnState
	// Title is what a buyer reads.
	Title string
}

// ReturnDefinitions is the table of return states: what [Check] allows and the
// diagram in docs/returns.md come from it. A state without a next one ends it.
var ReturnDefinitions = []ReturnDefinition{
	{ReturnRequested, []ReturnState{ReturnAuthorized, ReturnRejected, ReturnCancelled}, nil, "Return requested"},
	{ReturnAuthorized, []ReturnState{ReturnLabelSent, ReturnPickup, ReturnInTransit, ReturnReceived, ReturnCancelled}, nil, "Return accepted"},
	{ReturnRejected, nil, nil, "Return not accepted"},
	{ReturnLabelSent, []ReturnState{ReturnPickup, ReturnInTransit, ReturnReceived, ReturnCancelled}, nil, "Return label sent"},
	{ReturnPickup, []ReturnState{ReturnLabelSent, ReturnInTransit, ReturnReceived, ReturnCancelled}, nil, "Pickup arranged"},
	{ReturnInTransit, []ReturnState{ReturnReceived, RefundReleased, ReplacementReleased, ReturnClosed}, []ReturnState{ReturnAuthorized, ReturnLabelSent, ReturnPickup}, "Return on its way"},
	{ReturnReceived, []ReturnState{ReturnInspecting, ReturnCancelled}, []ReturnState{ReturnAuthorized, ReturnLabelSent, ReturnPickup, ReturnInTransit}, "Return received"},
	{ReturnInspecting, []ReturnState{ReturnDispositioned}, nil, "Return being inspected"},
	{ReturnDispositioned, []ReturnState{RefundReleased, ReplacementReleased, ReturnSentBack, ReturnClosed}, nil, "Return inspected"},
	{RefundReleased, []ReturnState{ReplacementReleased, ReturnSentBack, ReturnClosed}, nil, "Refunded"},
	{ReplacementReleased, []ReturnState{RefundReleased, ReturnSentBack, ReturnClosed}, nil, "Replacement ordered"},
	{ReturnSentBack, []ReturnState{RefundReleased, ReplacementReleased, ReturnClosed}, nil, "Sent back to you"},
	{ReturnClosed, nil, nil, "Return completed"},
	{ReturnCancelled, nil, nil, "Return cancelled"},
}

func (r ReturnState) definition() (d ReturnDefinition) {
	for i := range ReturnDefinitions {
		if ReturnDefinitions[i].State == r {
			return ReturnDefinitions[i]
		}
	}
	return d
}

// Open says that something is still to happen.
func (r ReturnState) Open() bool { return len(r.definition().Next) > 0 }

// Title is the state in a buyer's words.
func (r ReturnState) Title() string { return r.definition().Title }

// LegalReturn says whether a return may go from one state to another.
func LegalReturn(from, to ReturnState) bool {
	d := from.definition()
	return slices.Contains(d.Next, to) || slices.Contains(d.Back, to)
}

// ReturnReason is why a line comes back.
type ReturnReason string

const (
	ChangedMind    ReturnReason = "changed_mind"
	DoesNotFit     ReturnReason = "does_not_fit"
	Defective      ReturnReason = "defective"
	DamagedOnWay   ReturnReason = "damaged_on_the_way"
	WrongSent      ReturnReason = "wrong_item_sent"
	NotAsDescribed ReturnReason = "not_as_described"
	CameTooLate    ReturnReason = "came_too_late"
	OtherReason    ReturnReason = "other"
	// NotDelivered: the parcel came back before the buyer had it.
	NotDelivered ReturnReason = "not_delivered"
)

// ReturnReasons lists all of them; buyers choose any but the last.
var ReturnReasons = []ReturnReason{ChangedMind, DoesNotFit, Defective, DamagedOnWay, WrongSent, NotAsDescribed, CameTooLate, OtherReason, NotDelivered}

// Grade is what an inspection found.
type Grade string

const (
	GradeNew     Grade = "a_new"
	GradeOpened  Grade = "b_opened"
	GradeDamaged Grade = "c_damaged"
	GradeWrong   Grade = "wrong_item" // something else than was to come back
	GradeMissing Grade = "missing"    // not in the box
)

// Grades lists all of them.
var Grades = []Grade{GradeNew, GradeOpened, GradeDamaged, GradeWrong, GradeMissing}

// SerialCheck compares a serial number with the one that was sent out.
type SerialCheck string

const (
	SerialOK       SerialCheck = "ok"
	SerialMismatch SerialCheck = "mismatch"
	SerialUnknown  SerialCheck = "unknown"
)

// Disposition is where inspected goods go.
type Disposition string

const (
	Restock     Disposition = "restock"
	Refurbish   Disposition = "refurbish"
	Scrap       Disposition = "scrap"
	VendorClaim Disposition = "vendor_claim" // a claim against vendor or warranty
	SendBack    Disposition = "send_back"    // to the buyer
	Nothing     Disposition = "nothing"      // there is nothing to send anywhere
)

// Dispositions lists those that a person may choose.
var Dispositions = []Disposition{Restock, Refurbish, Scrap, VendorClaim, SendBack}

// DispositionRule routes goods by grade and reason. No reasons: any. The first
// match counts.
type DispositionRule struct {
	Grade   Grade
	Reasons []ReturnReason
	To      Disposition
	// Accept: the buyer gets what was wanted. Else the goods wait for a person,
	// who decides with a reason.
	Accept bool
}

// DispositionRules is the routing table. A serial number that is not the one
// sent out makes any grade a wrong item.
var DispositionRules = []DispositionRule{
	{GradeNew, []ReturnReason{Defective}, Refurbish, true}, // to be tested first
	{GradeNew, nil, Restock, true},
	{GradeOpened, []ReturnReason{Defective}, VendorClaim, true},
	{GradeOpened, nil, Refurbish, true},
	{GradeDamaged, []ReturnReason{Defective}, VendorClaim, true},
	{GradeDamaged, []ReturnReason{DamagedOnWay, NotDelivered}, Scrap, true},
	{GradeDamaged, nil, SendBack, false},
	{GradeWrong, []ReturnReason{WrongSent}, Restock, true}, // as the buyer said
	{GradeWrong, []ReturnReason{NotDelivered}, Restock, true},
	{GradeWrong, nil, SendBack, false},
	{GradeMissing, []ReturnReason{NotDelivered}, Nothing, true},
	{GradeMissing, nil, Nothing, false},
}

// Route finds the rule for what was found.
func Route(g Grade, serial SerialCheck, reason ReturnReason) DispositionRule {
	if serial == SerialMismatch && g != GradeMissing {
		g = GradeWrong
	}
	for _, r := range DispositionRules {
		if r.Grade == g && (len(r.Reasons) == 0 || slices.Contains(r.Reasons, reason)) {
			return r
		}
	}
	return DispositionRule{Grade: g, To: Nothing}
}

// ReturnLine is what the buyer sends back of one line. Photos are references to
// where they are kept.
type ReturnLine struct {
	SKU      string       `json:"sku"`
	Quantity int          `json:"quantity"`
	Reason   ReturnReason `json:"reason"`
	// Wanted is a refund, a replacement or an exchange for Instead.
	Wanted  RemedyKind `json:"wanted"`
	Instead string     `json:"instead,omitempty"`
	Photos  []string   `json:"photos,omitempty"`
}

// Finding is what an inspection found of one line, in one grade.
type Finding struct {
	SKU      string      `json:"sku"`
	Quantity int         `json:"quantity"`
	Grade    Grade       `json:"grade"`
	Serial   SerialCheck `json:"serial,omitempty"`
	Photos   []string    `json:"photos,omitempty"`
	Note     string      `json:"note,omitempty"`
	// To is by rule, unless the inspector says otherwise with a reason. Accepted
	// is set by rule or by [DisposeReturn], never by the inspector.
	To       Disposition `json:"to,omitempty"`
	Accepted bool        `json:"accepted,omitempty"`
}

// Return is one return: what comes back, in which parcel, what was found and
// what follows.
type Return struct {
	ID    string       `json:"id"`
	Lines []ReturnLine `json:"lines"`
	State ReturnState  `json:"state"`
	Since time.Time    `json:"since"` // of the state
	// Parcel is the return's own one, or an outbound one that turned round.
	Parcel      string    `json:"parcel"`
	RequestedAt time.Time `json:"requested_at"`
	RequestedBy string    `json:"requested_by,omitempty"`
	DecidedBy   string    `json:"decided_by,omitempty"` // empty: by rule
	// Package is what somebody says of the box; see [State.PackageOf].
	Package    Package   `json:"package,omitzero"`
	Bookings   []Booking `json:"bookings,omitempty"`
	PickupAt   time.Time `json:"pickup_at,omitzero"`
	ReceivedAt time.Time `json:"received_at,omitzero"`
	Findings   []Finding `json:"findings,omitempty"`
	// InspectedAt is when every unit was graded, DisposedAt when it was decided.
	InspectedAt time.Time `json:"inspected_at,omitzero"`
	DisposedAt  time.Time `json:"disposed_at,omitzero"`
	SentBackAt  time.Time `json:"sent_back_at,omitzero"`
	// DeclinedAt is when a refund or replacement was declined that nobody has
	// decided about since.
	DeclinedAt time.Time `json:"declined_at,omitzero"`
	EndedAt    time.Time `json:"ended_at,omitzero"`
}

// Bounds of returns.
const (
	maxReturns     = 20 // of one order
	maxReturnLines = MaxLines
	maxPhotos      = 5 // of one line or finding
	maxFindingNote = 200
)

// Requests about returns.
type (
	// RequestReturn asks to send delivered lines back. The returns desk and support
	// may name a parcel that came back by itself instead: it is inspected like any
	// return, and without lines it is about all that was in it.
	RequestReturn struct {
		Meta
		Parcel string       `json:"parcel,omitempty"`
		Lines  []ReturnLine `json:"lines,omitempty"`
		// Package is what the box weighs and measures, as far as is known.
		Package Package `json:"package,omitzero"`
	}
	// DecideReturn authorizes a return, or rejects it with a reason.
	DecideReturn struct {
		Meta
		Return string `json:"return"`
		Agree  bool   `json:"agree"`
	}
	// ShipReturn says how it comes: by a label with its tracking number, or by a
	// pickup. A buyer who brings it needs neither: the dock scans its parcel.
	ShipReturn struct {
		Meta
		Return   string    `json:"return"`
		Carrier  string    `json:"carrier,omitempty"`
		Tracking string    `json:"tracking,omitempty"`
		PickupAt time.Time `json:"pickup_at,omitzero"`
	}
	// InspectReturn says what was found. To is needed only where it is not to
	// follow the rule; Accepted is not read. Several may follow each other.
	InspectReturn struct {
		Meta
		Return   string    `json:"return"`
		Findings []Finding `json:"findings"`
	}
	// Disposal decides about what was found of one line in one grade.
	Disposal struct {
		SKU    string      `json:"sku"`
		Grade  Grade       `json:"grade"`
		To     Disposition `json:"to,omitempty"` // empty: as it is
		Accept bool        `json:"accept,omitempty"`
	}
	// DisposeReturn decides about what an inspection found. Findings that it does not
	// name go as they are.
	DisposeReturn struct {
		Meta
		Return string     `json:"return"`
		Lines  []Disposal `json:"lines,omitempty"`
	}
	// SendReturnBack says that what was not accepted left for the buyer.
	SendReturnBack struct {
		Meta
		Return   string `json:"return"`
		Carrier  string `json:"carrier,omitempty"`
		Tracking string `json:"tracking,omitempty"`
	}
	// CancelReturn ends a return that leads nowhere: before it is on its way, or
	// when what was decided about it was declined.
	CancelReturn struct {
		Meta
		Return string `json:"return"`
	}
)

func (RequestReturn) event()  {}
func (DecideReturn) event()   {}
func (ShipReturn) event()     {}
func (InspectReturn) event()  {}
func (DisposeReturn) event()  {}
func (SendReturnBack) event() {}
func (CancelReturn) event()   {}

// inbound parcels carry a return: they are no part of what the buyer gets.
func (p *Parcel) inbound() bool { return p.Return != "" }

// neverHad says that the buyer never had what is in it.
func (p *Parcel) neverHad() bool { return !p.inbound() && p.ReachedAt(Delivered).IsZero() }

// docked says that the dock has it. A carrier's word that it gave the parcel
// back does not say to whom.
func (p *Parcel) docked() bool {
	return p.Milestone == Returned && slices.ContainsFunc(p.Said, func(v voice) bool { return v.Milestone == Returned && !v.Carrier })
}

func (s *State) returnByID(id string) *Return {
	for i := range s.Returns {
		if s.Returns[i].ID == id {
			return &s.Returns[i]
		}
	}
	return nil
}

// returnOf finds the return that accounts for a parcel: one that is open, or
// that ended with an inspection.
func (s *State) returnOf(parcel string) *Return {
	for i := range s.Returns {
		if r := &s.Returns[i]; r.Parcel == parcel && (r.State.Open() || len(r.Findings) > 0) {
			return r
		}
	}
	return nil
}

func (s *State) openReturns() bool {
	return slices.ContainsFunc(s.Returns, func(r Return) bool { return r.State.Open() })
}

// unexpected says that a parcel comes back, or came, and no return accounts for it.
func (s *State) unexpected(p *Parcel) bool {
	switch {
	case s.returnOf(p.ID) != nil:
		return false
	case p.inbound():
		return p.Milestone.Stage() > Preparing && p.Milestone != Lost && p.Milestone != Destroyed
	}
	return p.Milestone == Returning || p.Milestone == Returned
}

// line finds what comes back of a SKU.
func (r *Return) line(sku string) *ReturnLine {
	for i := range r.Lines {
		if r.Lines[i].SKU == sku {
			return &r.Lines[i]
		}
	}
	return nil
}

// found is how much of a line was inspected, accepted how much of that the
// buyer is to be made good for.
func (r *Return) found(sku string) (all, accepted int) {
	for _, p := range r.Findings {
		if p.SKU == sku {
			all += p.Quantity
			if p.Accepted {
				accepted += p.Quantity
			}
		}
	}
	return all, accepted
}

// inspected says whether every unit has a grade.
func (r *Return) inspected() bool {
	for _, l := range r.Lines {
		if all, _ := r.found(l.SKU); all < l.Quantity {
			return false
		}
	}
	return true
}

// toSendBack says whether something still has to go back to the buyer.
func (r *Return) toSendBack() bool {
	return r.SentBackAt.IsZero() && slices.ContainsFunc(r.Findings, func(p Finding) bool { return p.To == SendBack })
}

// returned is how much of a SKU has come or will come back, without the returns
// of one parcel. A parcel counts once, whatever returns it went through.
func (s *State) returned(sku, except string) int {
	n := 0
	for i := range s.Returns {
		r := &s.Returns[i]
		if r.State == ReturnRejected || r.State == ReturnCancelled || r.Parcel == except && except != "" {
			continue
		}
		again := slices.ContainsFunc(s.Returns[i+1:], func(o Return) bool {
			return o.Parcel == r.Parcel && o.State != ReturnRejected && o.State != ReturnCancelled
		})
		if l := r.line(sku); l != nil && !again {
			n += l.Quantity
		}
	}
	return n
}

// returnable is how much of a SKU may still be sent back: delivered, and
// delivered within the window.
func (s *State) returnable(sku string) (ever, now int) {
	window := time.Duration(s.Spec.Policy.Completed().ReturnWindow)
	for i := range s.Parcels {
		p := &s.Parcels[i]
		if p.inbound() || p.Milestone != Delivered {
			continue
		}
		for _, a := range p.Lines {
			if a.SKU == sku {
				ever += a.Quantity
				if !s.Now.After(p.Since.Add(window)) {
					now += a.Quantity
				}
			}
		}
	}
	ever = max(0, ever-s.returned(sku, ""))
	return ever, min(ever, now)
}

// WaitOfReturn finds in an order's waits, as [Waiting] lists them, the earliest that
// is about a return.
func WaitOfReturn(waits []Wait, r *Return) (w Wait, ok bool) {
	if !r.State.Open() {
		return w, false
	}
	for _, w := range waits {
		if w.Parcel == r.Parcel {
			return w, true
		}
	}
	return w, false
}
