package order

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
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
	PickupAt    time.Time `json:"pickup_at,omitzero"`
	ReceivedAt  time.Time `json:"received_at,omitzero"`
	Findings    []Finding `json:"findings,omitempty"`
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

// step takes a return to its next state and tells of it.
func (s *State) step(r *Return, to ReturnState, m Meta, text string) {
	if !LegalReturn(r.State, to) {
		return
	}
	r.State, r.Since = to, s.Now
	if !to.Open() {
		r.EndedAt = s.Now
	}
	if m.Reason != "" {
		text = strings.TrimPrefix(text+": "+m.Reason, ": ")
	}
	s.tellReturn(r, m, text)
}

// tellReturn adds to the story: which return, its state, what happened.
func (s *State) tellReturn(r *Return, m Meta, text string) {
	head := r.ID + " " + string(r.State)
	if text != "" {
		head += ": " + text
	}
	s.tell(Happening{Type: ReturnChanged, At: s.Now, Parcel: r.Parcel, Actor: m.Actor, Cause: m.ID, Text: head})
}

func (s *State) requestReturn(e RequestReturn) {
	if s.Rules < peopleRules || len(s.Returns) >= maxReturns {
		return
	}
	id := ""
	for n := len(s.Returns) + 1; id == "" || s.returnByID(id) != nil || s.ParcelByID(id) != nil; n++ {
		id = "R" + strconv.Itoa(n)
	}
	r := Return{ID: id, Lines: e.Lines, State: ReturnRequested, Since: s.Now, Parcel: orElse(e.Parcel, id), RequestedAt: s.Now, RequestedBy: e.Actor}
	if e.Parcel != "" {
		p := s.ParcelByID(e.Parcel)
		if p == nil || s.returnOf(p.ID) != nil {
			return
		}
		if len(r.Lines) == 0 {
			r.Lines = s.cameBack(p)
		}
	}
	what := make([]string, 0, len(r.Lines))
	for _, l := range r.Lines {
		what = append(what, fmt.Sprintf("%d %s (%s, %s)", l.Quantity, l.SKU, l.Reason, l.Wanted))
	}
	if e.Parcel == "" {
		p := s.addParcel(PlannedParcel{ID: id}, false)
		p.Return = id
		for _, l := range r.Lines {
			p.Lines = append(p.Lines, Allocation{l.SKU, l.Quantity})
		}
	}
	s.Returns = append(s.Returns, r)
	n := &s.Returns[len(s.Returns)-1]
	s.tellReturn(n, e.Meta, strings.Join(what, ", ")+because(e.Meta))
	switch {
	case e.Parcel != "":
		s.step(n, ReturnAuthorized, Meta{By: Engine}, "it is here already")
		s.receive(n, s.Now)
	case s.authorizes(n):
		s.step(n, ReturnAuthorized, Meta{By: Engine}, "by rule")
	}
}

func because(m Meta) string {
	if m.Reason == "" {
		return ""
	}
	return ": " + m.Reason
}

// cameBack is a return of all that was in a parcel and is in no other return.
func (s *State) cameBack(p *Parcel) []ReturnLine {
	var ls []ReturnLine
	for _, a := range p.Lines {
		if l := s.LineBySKU(a.SKU); l != nil {
			n := min(a.Quantity, l.Quantity-s.returned(a.SKU, p.ID))
			if n <= 0 {
				continue
			}
			back := ReturnLine{SKU: a.SKU, Quantity: n, Reason: OtherReason, Wanted: RefundRemedy}
			if p.neverHad() {
				back.Reason = NotDelivered
			}
			if r := s.returnByID(p.Return); r != nil { // the parcel of a return that had ended
				if asked := r.line(a.SKU); asked != nil {
					back.Reason, back.Wanted, back.Instead = asked.Reason, asked.Wanted, asked.Instead
				}
			}
			ls = append(ls, back)
		}
	}
	return ls
}

// authorizes says whether the policy lets a return in without a person.
func (s *State) authorizes(r *Return) bool {
	p := &s.Spec.Policy
	var sum []Allocation
	for _, l := range r.Lines {
		sum = append(sum, Allocation{l.SKU, l.Quantity})
	}
	return s.priced() && s.cost(sum) <= p.ReturnAutoLimit && !slices.Contains(p.ReturnExcluded, s.Spec.Class)
}

// priced says whether the order knows what its lines cost. Of one that does
// not, nobody knows whether something is below a limit.
func (s *State) priced() bool {
	return s.Spec.Currency != "" && slices.ContainsFunc(s.Spec.Lines, func(l Line) bool { return l.UnitAmount > 0 })
}

func (s *State) decideReturn(e DecideReturn) {
	r := s.returnByID(e.Return)
	if r == nil || r.State != ReturnRequested {
		return
	}
	r.DecidedBy = e.Actor
	if e.Agree {
		s.step(r, ReturnAuthorized, e.Meta, "")
	} else {
		s.step(r, ReturnRejected, e.Meta, "")
		s.dropParcel(r, e.Meta)
	}
}

// dropParcel says that a return's own parcel will not come. One that comes all
// the same is unexpected.
func (s *State) dropParcel(r *Return, m Meta) {
	if p := s.ParcelByID(r.Parcel); p != nil && p.inbound() {
		s.say(p, Cancelled, p.afterFix(s.Now), Meta{ID: m.ID, By: Engine, Reason: "return " + r.ID + " is " + string(r.State)})
	}
}

func (s *State) cancelReturn(r *Return, m Meta) {
	if r == nil {
		return
	}
	if LegalReturn(r.State, ReturnCancelled) {
		s.step(r, ReturnCancelled, m, "")
		s.dropParcel(r, m)
	} else if !r.DeclinedAt.IsZero() {
		r.DeclinedAt = time.Time{} // so be it
		s.tellReturn(r, m, "nothing more is done"+because(m))
	}
}

func (s *State) shipReturn(e ShipReturn) {
	r := s.returnByID(e.Return)
	if r == nil || !r.State.Open() {
		return
	}
	p := s.ParcelByID(r.Parcel)
	if p == nil || p.Milestone.Stage() > Preparing {
		return // it is on its way already
	}
	p.Carrier = orElse(e.Carrier, p.Carrier)
	if e.Tracking != "" {
		p.Tracking, p.LabelAt = e.Tracking, s.Now
	}
	r.PickupAt = e.PickupAt
	to, text := ReturnLabelSent, strings.TrimSpace(e.Carrier+" "+e.Tracking)
	if !e.PickupAt.IsZero() {
		to, text = ReturnPickup, strings.TrimSpace(text+" at "+day(e.PickupAt))
	}
	if r.State == to { // another label, another day
		r.Since = s.Now
		s.tellReturn(r, e.Meta, text+because(e.Meta))
	} else {
		s.step(r, to, e.Meta, text)
	}
}

// follow takes returns along with their parcels.
func (s *State) follow() {
	for i := range s.Returns {
		r := &s.Returns[i]
		p := s.ParcelByID(r.Parcel)
		if p == nil || !p.inbound() {
			continue
		}
		switch r.State {
		case ReturnAuthorized, ReturnLabelSent, ReturnPickup, ReturnInTransit, ReturnReceived:
		case ReturnRequested, ReturnRejected, ReturnInspecting, ReturnDispositioned, RefundReleased, ReplacementReleased, ReturnSentBack, ReturnClosed, ReturnCancelled:
			continue
		}
		to := ReturnAuthorized
		switch {
		case p.docked():
			s.receive(r, p.Since)
			continue
		case p.Milestone.Stage() > Preparing:
			to = ReturnInTransit
		case !r.PickupAt.IsZero():
			to = ReturnPickup
		case p.Tracking != "":
			to = ReturnLabelSent
		}
		if to != r.State {
			r.ReceivedAt = time.Time{}
			s.step(r, to, Meta{By: Engine}, "")
		}
	}
}

func (s *State) receive(r *Return, at time.Time) {
	if r.State != ReturnReceived {
		r.ReceivedAt = at
		s.step(r, ReturnReceived, Meta{By: Engine}, "")
	}
}

func (s *State) inspectReturn(e InspectReturn) {
	r := s.returnByID(e.Return)
	if r == nil || r.State != ReturnReceived && r.State != ReturnInspecting {
		return
	}
	for _, p := range e.Findings {
		l := r.line(p.SKU)
		if l == nil {
			continue
		}
		rule := Route(p.Grade, p.Serial, l.Reason)
		p.To, p.Accepted, p.Photos = Disposition(orElse(string(p.To), string(rule.To))), rule.Accept, slices.Clone(p.Photos)
		i := slices.IndexFunc(r.Findings, func(o Finding) bool {
			return o.SKU == p.SKU && o.Grade == p.Grade && o.Serial == p.Serial && o.To == p.To && o.Note == "" && p.Note == "" && len(o.Photos)+len(p.Photos) == 0
		})
		if i >= 0 {
			r.Findings[i].Quantity += p.Quantity
		} else {
			r.Findings = append(r.Findings, p)
		}
		text := fmt.Sprintf("%d %s graded %s, to %s", p.Quantity, p.SKU, p.Grade, p.To)
		if !p.Accepted {
			text += ", not accepted by rule"
		}
		if r.State == ReturnReceived {
			s.step(r, ReturnInspecting, e.Meta, text)
		} else {
			s.tellReturn(r, e.Meta, text+because(e.Meta))
		}
	}
	if r.State != ReturnInspecting || !r.inspected() {
		return
	}
	r.InspectedAt = s.Now
	if !slices.ContainsFunc(r.Findings, func(p Finding) bool { return !p.Accepted }) {
		s.dispose(r, e.Meta, "by rule")
	}
}

func (s *State) disposeReturn(e DisposeReturn) {
	r := s.returnByID(e.Return)
	if r == nil || r.InspectedAt.IsZero() || !r.State.Open() || !r.DisposedAt.IsZero() && r.DeclinedAt.IsZero() {
		return
	}
	for i := range r.Findings {
		p := &r.Findings[i]
		for _, d := range e.Lines {
			if d.SKU == p.SKU && d.Grade == p.Grade {
				p.Accepted = d.Accept
				if p.Grade != GradeMissing && r.SentBackAt.IsZero() {
					p.To = Disposition(orElse(string(d.To), string(p.To)))
				}
			}
		}
	}
	s.dispose(r, e.Meta, e.Reason)
}

// dispose routes the goods and asks for what the buyer gets.
func (s *State) dispose(r *Return, m Meta, why string) {
	r.DisposedAt, r.DeclinedAt = s.Now, time.Time{}
	goes := make([]string, 0, len(r.Findings)+1)
	for _, p := range r.Findings {
		word := "accepted"
		if !p.Accepted {
			word = "not accepted"
		}
		goes = append(goes, fmt.Sprintf("%d %s %s, to %s", p.Quantity, p.SKU, word, p.To))
	}
	text := strings.Join(goes, "; ") + " (" + why + ")"
	m.Reason = ""
	if r.State == ReturnInspecting {
		s.step(r, ReturnDispositioned, m, text)
	} else {
		s.tellReturn(r, m, text)
	}
	s.makeGood(r, m, why)
}

// makeGood begins the remedies of a return: for each wish one, and one for every
// line that was made good in part before.
func (s *State) makeGood(r *Return, m Meta, why string) {
	var refunds, replacements, exchanges []Allocation
	var instead []Allocation
	n := 0
	begin := func(kind RemedyKind, lines, instead []Allocation, amount int64) {
		n++
		rem := Remedy{ID: fmt.Sprintf("%s-%s-%d-%d", kind, r.ID, s.Seq, n), Kind: kind, Parcel: r.Parcel, Return: r.ID, Lines: lines, Instead: instead, Amount: amount,
			Currency: s.Spec.Currency, State: Requested, AskedAt: s.Now, AskedBy: m.Actor, Reason: "return " + r.ID + ": " + why}
		if !s.priced() && s.Spec.Policy.RefundLimit > 0 {
			rem.State = ToApprove // nobody knows whether it is below the limit
		}
		s.begin(rem)
	}
	for _, l := range r.Lines {
		_, accepted := r.found(l.SKU)
		amount, units := s.owed(r.Parcel, Allocation{l.SKU, accepted})
		if units < accepted {
			s.tellReturn(r, Meta{By: Engine}, fmt.Sprintf("%d of %d %s were made good before", accepted-units, accepted, l.SKU))
		}
		if a := (Allocation{l.SKU, units}); units > 0 {
			amount -= s.cost([]Allocation{a})
			switch l.Wanted {
			case ReplacementRemedy:
				replacements = append(replacements, a)
			case ExchangeRemedy:
				exchanges, instead = append(exchanges, a), append(instead, Allocation{l.Instead, units})
			case RefundRemedy, ClaimRemedy:
				refunds = append(refunds, a)
			}
		}
		if amount > 0 {
			begin(RefundRemedy, []Allocation{{l.SKU, 1}}, nil, amount)
		}
	}
	if len(refunds) > 0 && (!s.priced() || s.cost(refunds) > 0) {
		begin(RefundRemedy, refunds, nil, 0)
	}
	if len(replacements) > 0 {
		begin(ReplacementRemedy, replacements, nil, 0)
	}
	if len(exchanges) > 0 {
		begin(ExchangeRemedy, exchanges, instead, 0)
	}
}

// remedied tells a return what came of its remedy.
func (s *State) remedied(rem *Remedy) {
	r := s.returnByID(rem.Return)
	if r == nil || r.DisposedAt.IsZero() {
		return // goods that never came: see endReturns
	}
	if rem.State == Declined {
		r.DeclinedAt = s.Now
		s.tellReturn(r, Meta{By: Engine}, string(rem.Kind)+" declined")
		return
	}
	s.released(r, rem)
}

func (s *State) released(r *Return, rem *Remedy) {
	to := ReplacementReleased
	if rem.Kind == RefundRemedy {
		to = RefundReleased
	}
	text := string(rem.Kind) + " confirmed"
	if rem.Reference != "" {
		text += " as " + rem.Reference
	}
	s.step(r, to, Meta{By: Engine}, text)
}

func (s *State) sendReturnBack(e SendReturnBack) {
	r := s.returnByID(e.Return)
	if r == nil || r.DisposedAt.IsZero() || !r.State.Open() || !r.toSendBack() {
		return
	}
	r.SentBackAt = s.Now
	s.step(r, ReturnSentBack, e.Meta, strings.TrimSpace(e.Carrier+" "+e.Tracking))
}

// endReturns closes every return of which nothing is left to do, and those whose
// parcel was given up, once that was decided.
func (s *State) endReturns() {
	for i := range s.Returns {
		r := &s.Returns[i]
		if !r.State.Open() || slices.ContainsFunc(s.Remedies, func(m Remedy) bool { return m.Return == r.ID && m.State.Open() }) {
			continue
		}
		p := s.ParcelByID(r.Parcel)
		switch {
		case !r.DisposedAt.IsZero():
			if r.DeclinedAt.IsZero() && !r.toSendBack() {
				s.step(r, ReturnClosed, Meta{By: Engine}, "")
			}
		case r.State == ReturnInTransit && p != nil && p.gone() && s.caseOf(LostParcel, p.ID) == nil && !s.revisits(LostParcel, p.ID):
			for j := range s.Remedies {
				if rem := &s.Remedies[j]; rem.Return == r.ID && rem.State == Confirmed && rem.Kind != ClaimRemedy {
					s.released(r, rem)
				}
			}
			s.step(r, ReturnClosed, Meta{By: Engine}, "it never arrived")
		}
	}
}

// gone parcels were given up.
func (p *Parcel) gone() bool { return p.Milestone == Lost || p.Milestone == Destroyed }

func (s *State) revisits(kind CaseKind, parcel string) bool {
	return slices.ContainsFunc(s.Revisits, func(r Revisit) bool { return r.Case.Kind == kind && r.Case.Parcel == parcel })
}

// returnWait is the step that a return itself waits for, and the case that opens
// when it is late; ok is false while it waits for its parcel or a remedy only.
func (s *State) returnWait(r *Return) (w Wait, late CaseKind, ok bool) {
	p := s.Spec.Policy.Completed()
	w = Wait{Parcel: r.Parcel, Owner: ReturnsTeam, Since: r.Since}
	lasts := func(kind WaitKind, what string, d Duration, rule, then string) {
		w.Kind, w.What, w.Until, w.Rule, w.CutShort = kind, what+" of return "+r.ID, w.Since.Add(time.Duration(d)), rule+" "+d.String(), then
	}
	late = ReturnOverdue
	switch r.State {
	case ReturnRequested:
		lasts(WaitReturnDecision, "a decision about the request", p.ReturnDecision, "return_decision", "authorize or reject it")
	case ReturnAuthorized, ReturnLabelSent:
		lasts(WaitReturnShipment, "the buyer's shipment", p.ReturnShip, "return_ship", "the carrier's first physical scan, or the dock's")
	case ReturnPickup:
		lasts(WaitReturnShipment, "the carrier's pickup", p.Handoff, "hand_off", "the carrier's first physical scan, or the dock's")
		w.Owner, w.Until = CarrierTeam, latest(r.Since, r.PickupAt).Add(time.Duration(p.Handoff))
	case ReturnInTransit:
		parcel := s.ParcelByID(r.Parcel)
		if parcel == nil || parcel.Milestone != Delivered && parcel.Milestone != Returned {
			return w, late, false
		}
		w.Owner, w.Since = WarehouseTeam, parcel.Since
		lasts(WaitReturnReceipt, "the dock's scan", p.ReturnReceipt, "return_receipt", "a returned scan")
	case ReturnReceived, ReturnInspecting:
		late = InspectionOverdue
		if r.InspectedAt.IsZero() {
			w.Since = r.ReceivedAt
			lasts(WaitInspection, "the inspection", p.ReturnInspect, "return_inspect", "a grade for every unit")
		} else {
			w.Since = r.InspectedAt
			lasts(WaitDisposition, "a decision about what was not accepted", p.ReturnInspect, "return_inspect", "accept or refuse it")
		}
	case ReturnDispositioned, RefundReleased, ReplacementReleased, ReturnSentBack:
		late = InspectionOverdue
		switch {
		case !r.DeclinedAt.IsZero():
			w.Since, w.Owner = r.DeclinedAt, SupportTeam
			lasts(WaitDisposition, "a decision after no was said to what the buyer should get", p.ReturnDecision, "return_decision", "decide anew, or end the return")
		case r.toSendBack():
			w.Since = r.DisposedAt
			lasts(WaitSendBack, "the goods that go back to the buyer", p.ReturnInspect, "return_inspect", "say that they were sent")
		default:
			return w, late, false
		}
	case ReturnRejected, ReturnClosed, ReturnCancelled:
		return w, late, false
	}
	w.Then = "a " + string(late) + " case is opened"
	if late == InspectionOverdue {
		w.Then = "an " + string(late) + " case is opened"
	}
	return w, late, true
}

// returnLate says whether a case of a late step is still about that step.
func (s *State) returnLate(c *Case) bool {
	for i := range s.Returns {
		if r := &s.Returns[i]; r.Parcel == c.Parcel {
			if w, late, ok := s.returnWait(r); ok && late == c.Kind && w.Since.Equal(c.Baseline) {
				return true
			}
		}
	}
	return false
}

// made is what refunds and replacements have made good of a line: in minor
// units and in units, in all and for one parcel.
type made struct {
	amount, here    int64
	units, unitHere int
}

// ledger adds up what every refund and replacement that was not declined makes
// good. A refund of part of its lines' cost goes to its lines in their order,
// never more to one than is left of what it cost.
func (s *State) ledger(parcel string) map[string]made {
	book := map[string]made{}
	for i := range s.Remedies {
		r := &s.Remedies[i]
		if r.Kind == ClaimRemedy || r.State == Declined {
			continue
		}
		left := s.cost(r.Lines)
		if r.Kind == RefundRemedy {
			left = r.Amount
		}
		for _, a := range r.Lines {
			l := s.LineBySKU(a.SKU)
			if l == nil {
				continue
			}
			m := book[a.SKU]
			part := max(0, min(l.UnitAmount*int64(a.Quantity), left, l.UnitAmount*int64(l.Quantity)-m.amount))
			left -= part
			m.amount, m.units = m.amount+part, m.units+a.Quantity
			if r.Parcel == parcel {
				m.here, m.unitHere = m.here+part, m.unitHere+a.Quantity
			}
			book[a.SKU] = m
		}
	}
	return book
}

// owed is what is still to make good of some units that came or should have come
// in a parcel: in minor units, and how many whole units that is.
func (s *State) owed(parcel string, a Allocation) (amount int64, units int) {
	l := s.LineBySKU(a.SKU)
	if l == nil {
		return 0, 0
	}
	m := s.ledger(parcel)[a.SKU]
	if l.UnitAmount <= 0 {
		return 0, max(0, min(a.Quantity-m.unitHere, l.Quantity-m.units))
	}
	amount = max(0, min(l.UnitAmount*int64(a.Quantity)-m.here, l.UnitAmount*int64(l.Quantity)-m.amount))
	return amount, int(amount / l.UnitAmount)
}

// owedAll is what is still to make good of all that is in a parcel; whole says
// that nothing of it was made good before.
func (s *State) owedAll(p *Parcel) (amount int64, whole bool) {
	whole = true
	for _, a := range p.Lines {
		n, units := s.owed(p.ID, a)
		amount, whole = amount+n, whole && units >= a.Quantity
	}
	return amount, whole
}

var photoPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/:-]{0,99}$`)

func checkPhotos(at string, refs []string) error {
	if len(refs) > maxPhotos {
		return refuse(at+"photos", "at most %d", maxPhotos)
	}
	for i, p := range refs {
		if !photoPattern.MatchString(p) {
			return refuse(at+"photos["+strconv.Itoa(i)+"]", "must be a reference of 1 to 100 letters, digits and . _ / : -")
		}
	}
	return nil
}

func (s *State) checkRequestReturn(e RequestReturn) error {
	switch {
	case s.Rules < peopleRules:
		return refuse("", "the order follows rules %d, which know no returns, until its next run", s.Rules)
	case e.By != Storefront && e.By != Support && e.By != ReturnsDesk:
		return refuse("by", "%q may not ask for a return", e.By)
	case len(s.Returns) >= maxReturns:
		return refuse("", "an order has at most %d returns", maxReturns)
	}
	lines := 0
	for i := range s.Returns {
		lines += len(s.Returns[i].Lines)
	}
	if lines+len(e.Lines) > maxReturnLines {
		return refuse("lines", "the returns of an order have at most %d lines", maxReturnLines)
	}
	var p *Parcel
	if e.Parcel != "" {
		p = s.ParcelByID(e.Parcel)
		switch {
		case e.By == Storefront:
			return refuse("by", "only support and the returns desk may take in a parcel")
		case p == nil:
			return refuse("parcel", "%q is not a parcel of this order", e.Parcel)
		case p.Milestone != Returned:
			return refuse("parcel", "%s has not come back: it is %s", p.ID, p.Milestone)
		}
		if r := s.returnOf(p.ID); r != nil {
			return refuse("parcel", "%s belongs to return %s, which is %s", p.ID, r.ID, r.State)
		}
		if len(e.Lines) == 0 && len(s.cameBack(p)) == 0 {
			return refuse("parcel", "all that was in %s is in other returns: cancel those first", p.ID)
		}
	} else if len(e.Lines) == 0 {
		return refuse("lines", "at least one is needed")
	}
	for i, l := range e.Lines {
		if err := s.checkReturnLine("lines["+strconv.Itoa(i)+"].", l, p); err != nil {
			return err
		}
		if slices.ContainsFunc(e.Lines[:i], func(o ReturnLine) bool { return o.SKU == l.SKU }) {
			return refuse("lines["+strconv.Itoa(i)+"].sku", "%s is named twice", l.SKU)
		}
	}
	return nil
}

func (s *State) checkReturnLine(at string, l ReturnLine, p *Parcel) error {
	line := s.LineBySKU(l.SKU)
	switch {
	case line == nil:
		return refuse(at+"sku", "%q is not on this order", l.SKU)
	case l.Quantity < 1:
		return refuse(at+"quantity", "must be at least 1, not %d", l.Quantity)
	case !slices.Contains(ReturnReasons, l.Reason) || l.Reason == NotDelivered && (p == nil || !p.neverHad()):
		return refuse(at+"reason", "%q is no reason for a return", l.Reason)
	case l.Wanted != RefundRemedy && l.Wanted != ReplacementRemedy && l.Wanted != ExchangeRemedy:
		return refuse(at+"wanted", "must be refund, replacement or exchange")
	case (l.Wanted == ExchangeRemedy) != (l.Instead != "") || len(l.Instead) > 100:
		return refuse(at+"instead", "goes with an exchange: the SKU to send, 1 to 100 bytes")
	}
	if p == nil {
		ever, now := s.returnable(l.SKU)
		switch {
		case l.Quantity > ever:
			return refuse(at+"quantity", "%d of %s, but only %d were delivered and are in no return", l.Quantity, l.SKU, ever)
		case l.Quantity > now:
			return refuse(at+"quantity", "%d of %s, but only %d were delivered within %s", l.Quantity, l.SKU, now, s.Spec.Policy.Completed().ReturnWindow)
		}
		return checkPhotos(at, l.Photos)
	}
	for _, b := range s.cameBack(p) {
		if b.SKU == l.SKU && l.Quantity <= b.Quantity {
			return checkPhotos(at, l.Photos)
		}
	}
	return refuse(at+"quantity", "%d of %s were not in parcel %s, or are in another return", l.Quantity, l.SKU, p.ID)
}

// checkReturn finds a return and says who may act on it.
func (s *State) checkReturn(id string, by Source, may ...Source) (*Return, error) {
	if !slices.Contains(may, by) {
		return nil, refuse("by", "%q may not do that with a return", by)
	}
	if r := s.returnByID(id); r != nil {
		return r, nil
	}
	return nil, refuse("return", "%q is no return of this order", id)
}

func wrongState(r *Return) error {
	return refuse("return", "%s is %s since %s", r.ID, r.State, day(r.Since))
}

func (s *State) checkDecideReturn(e DecideReturn) error {
	r, err := s.checkReturn(e.Return, e.By, Support, ReturnsDesk)
	switch {
	case err != nil:
		return err
	case r.State != ReturnRequested:
		return wrongState(r)
	case !e.Agree:
		return needReason(e.Meta)
	}
	return nil
}

func (s *State) checkShipReturn(e ShipReturn) error {
	r, err := s.checkReturn(e.Return, e.By, Storefront, Support, ReturnsDesk)
	if err != nil {
		return err
	}
	p := s.ParcelByID(r.Parcel)
	switch {
	case r.State != ReturnAuthorized && r.State != ReturnLabelSent && r.State != ReturnPickup || p == nil:
		return wrongState(r)
	case e.Tracking == "" && e.PickupAt.IsZero():
		return refuse("tracking", "a tracking number or a pickup is needed; a buyer who brings it needs neither")
	case e.Carrier != "" && !carrierPattern.MatchString(e.Carrier):
		return refuse("carrier", "must be a carrier code like ups")
	case e.Tracking != "" && !trackingPattern.MatchString(e.Tracking):
		return refuse("tracking", "must be 4 to 40 capital letters, digits and -")
	case e.Tracking != "" && e.Carrier == "" && p.Carrier == "":
		return refuse("carrier", "is needed with a tracking number")
	case !e.PickupAt.IsZero() && (!e.PickupAt.After(s.Now) || e.PickupAt.After(s.Now.Add(maxExtension))):
		return refuse("pickup_at", "must lie ahead, within %s", human(maxExtension))
	}
	return nil
}

func (s *State) checkInspectReturn(e InspectReturn) error {
	r, err := s.checkReturn(e.Return, e.By, ReturnsDesk, Warehouse)
	switch {
	case err != nil:
		return err
	case r.State != ReturnReceived && r.State != ReturnInspecting || !r.InspectedAt.IsZero():
		return wrongState(r)
	case len(e.Findings) == 0 || len(e.Findings) > maxReturnLines:
		return refuse("findings", "must be 1 to %d, not %d", maxReturnLines, len(e.Findings))
	}
	if len(r.Findings)+len(e.Findings) > 4*len(r.Lines)+maxReturnLines {
		return refuse("findings", "join findings of one grade: the return has %d already", len(r.Findings))
	}
	more := make(map[string]int, len(e.Findings))
	for i, p := range e.Findings {
		at := "findings[" + strconv.Itoa(i) + "]."
		l := r.line(p.SKU)
		switch {
		case l == nil:
			return refuse(at+"sku", "%q is not in return %s", p.SKU, r.ID)
		case p.Quantity < 1:
			return refuse(at+"quantity", "must be at least 1, not %d", p.Quantity)
		case !slices.Contains(Grades, p.Grade):
			return refuse(at+"grade", "%q is none of %v", p.Grade, Grades)
		case !slices.Contains([]SerialCheck{"", SerialOK, SerialMismatch, SerialUnknown}, p.Serial):
			return refuse(at+"serial", "must be ok, mismatch or unknown")
		case len(p.Note) > maxFindingNote:
			return refuse(at+"note", "must be at most %d bytes", maxFindingNote)
		}
		all, _ := r.found(p.SKU)
		if left := l.Quantity - all - more[p.SKU]; p.Quantity > left {
			return refuse(at+"quantity", "%d of %s, but only %d of %d are left to inspect", p.Quantity, p.SKU, left, l.Quantity)
		}
		more[p.SKU] += p.Quantity
		if err := checkPhotos(at, p.Photos); err != nil {
			return err
		}
		rule := Route(p.Grade, p.Serial, l.Reason)
		if p.To == "" || p.To == rule.To {
			continue
		}
		if err := checkRoute(at, p.Grade, p.To, rule.Accept); err != nil {
			return err
		}
		if err := needReason(e.Meta); err != nil {
			return err
		}
	}
	return nil
}

// checkRoute says whether goods may go there.
func checkRoute(at string, g Grade, to Disposition, accept bool) error {
	switch {
	case g == GradeMissing:
		return refuse(at+"to", "what is missing goes nowhere")
	case !slices.Contains(Dispositions, to):
		return refuse(at+"to", "%q is none of %v", to, Dispositions)
	case to == SendBack && accept:
		return refuse(at+"to", "what is accepted is not sent back")
	}
	return nil
}

func (s *State) checkDisposeReturn(e DisposeReturn) error {
	r, err := s.checkReturn(e.Return, e.By, Support, ReturnsDesk)
	switch {
	case err != nil:
		return err
	case r.InspectedAt.IsZero() || !r.State.Open() || !r.DisposedAt.IsZero() && r.DeclinedAt.IsZero():
		return wrongState(r)
	case len(s.Remedies) >= maxRemedies:
		return refuse("return", "the order has %d remedies already", maxRemedies)
	}
	for i, d := range e.Lines {
		at := "lines[" + strconv.Itoa(i) + "]."
		if slices.ContainsFunc(e.Lines[:i], func(o Disposal) bool { return o.SKU == d.SKU && o.Grade == d.Grade }) {
			return refuse(at+"sku", "%s in grade %s is named twice", d.SKU, d.Grade)
		}
		named := false
		for _, p := range r.Findings {
			if p.SKU != d.SKU || p.Grade != d.Grade {
				continue
			}
			named = true
			to := Disposition(orElse(string(d.To), string(p.To)))
			switch {
			case to == p.To && !(to == SendBack && d.Accept):
			case to != p.To && !r.SentBackAt.IsZero():
				return refuse(at+"to", "the goods were sent back at %s", day(r.SentBackAt))
			default:
				if err := checkRoute(at, p.Grade, to, d.Accept); err != nil {
					return err
				}
			}
		}
		if !named {
			return refuse(at+"sku", "return %s has no %s in grade %s", r.ID, d.SKU, d.Grade)
		}
	}
	return needReason(e.Meta)
}

func (s *State) checkSendReturnBack(e SendReturnBack) error {
	r, err := s.checkReturn(e.Return, e.By, ReturnsDesk, Warehouse)
	switch {
	case err != nil:
		return err
	case r.DisposedAt.IsZero() || !r.State.Open():
		return wrongState(r)
	case !r.toSendBack():
		return refuse("return", "nothing of %s goes back to the buyer", r.ID)
	case e.Carrier != "" && !carrierPattern.MatchString(e.Carrier):
		return refuse("carrier", "must be a carrier code like ups")
	case e.Tracking != "" && !trackingPattern.MatchString(e.Tracking):
		return refuse("tracking", "must be 4 to 40 capital letters, digits and -")
	}
	return nil
}

func (s *State) checkCancelReturn(id string, m Meta) error {
	r, err := s.checkReturn(id, m.By, Storefront, Support, ReturnsDesk)
	if err != nil {
		return err
	}
	p := s.ParcelByID(r.Parcel)
	switch {
	case !r.DeclinedAt.IsZero() && r.State.Open():
		if m.By != Support {
			return refuse("by", "only support may end a return of which something was declined")
		}
	case !LegalReturn(r.State, ReturnCancelled):
		return wrongState(r)
	case r.State == ReturnReceived && (p == nil || p.inbound()):
		return refuse("return", "%s is here: it is inspected", r.ID)
	case r.State == ReturnReceived && m.By == Storefront:
		return refuse("by", "only support and the returns desk may do that")
	}
	return needReason(m)
}
