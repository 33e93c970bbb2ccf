package order

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Cases beyond those of the parcel's own clocks, since peopleRules.
const (
	AddressProblem   CaseKind = "address_problem"
	Refused          CaseKind = "refused"
	Damaged          CaseKind = "damaged"
	CustomsHold      CaseKind = "customs_hold"
	Weather          CaseKind = "weather"
	PaymentDue       CaseKind = "payment_due"
	NotReceived      CaseKind = "not_received"
	UnexpectedReturn CaseKind = "unexpected_return"
	RemedyOverdue    CaseKind = "refund_overdue"
	// A step of a return is late: the first before the goods are here, the second
	// after.
	ReturnOverdue     CaseKind = "return_overdue"
	InspectionOverdue CaseKind = "inspection_overdue"
	// InstructionOverdue: nobody told the carrier what it does not take from us.
	InstructionOverdue CaseKind = "instruction_overdue"
)

// Severity says how much hurry a case is.
type Severity string

const (
	Minor    Severity = "minor"
	Normal   Severity = "normal"
	Urgent   Severity = "urgent"
	Critical Severity = "critical"
)

// Severities lists all of them, the least first.
var Severities = []Severity{Minor, Normal, Urgent, Critical}

// Resolution is what a person decides about a case.
type Resolution string

const (
	// WaitOn gives the world more time; the case comes back if it does not help.
	WaitOn Resolution = "wait"
	// Arranged: something was arranged with the carrier or the buyer (another
	// attempt on a day, a pickup point, a corrected address); the parcel is
	// waited for until then.
	Arranged Resolution = "arranged"
	// The carrier is told: to try again on a day, to hold the parcel where the
	// buyer can collect it, to bring it to the corrected address, or to bring it
	// back. See Instruction.
	Redeliver      Resolution = "redeliver"
	HoldAtLocation Resolution = "hold_at_location"
	Redirect       Resolution = "redirect"
	ReturnToSender Resolution = "return_to_sender"
	// CancelParcel: it will not be sent.
	CancelParcel Resolution = "cancel_parcel"
	// DeclareLost, DeclareDelivered: support sets the milestone.
	DeclareLost      Resolution = "lost"
	DeclareDelivered Resolution = "delivered"
	// Refund and Replace ask the storefront for a remedy; Claim asks the carrier.
	Refund  Resolution = "refund"
	Replace Resolution = "replace"
	Claim   Resolution = "claim"
	// EndReturn: the return is called off.
	EndReturn Resolution = "end_return"
	// Dismiss: nothing needs to be done.
	Dismiss Resolution = "dismiss"
)

// Resolutions lists all of them.
var Resolutions = []Resolution{WaitOn, Arranged, Redeliver, HoldAtLocation, Redirect, ReturnToSender, CancelParcel, DeclareLost, DeclareDelivered, Refund, Replace, Claim, EndReturn, Dismiss}

// NeedsUntil says whether the decision gives time and so needs its end.
func (r Resolution) NeedsUntil() bool { return r == WaitOn || r == Arranged || r == Redeliver }

// CaseDefinition is one row of the table of cases.
type CaseDefinition struct {
	Kind     CaseKind
	Owner    Team
	Severity Severity
	// Due and Notice are what a policy that says nothing else gets: somebody
	// must have acted by then; the buyer is told if it is still open then. No
	// notice: the buyer is told of decisions only.
	Due, Notice Duration
	// Ladder are the teams that hear of the first, second... escalation; the
	// last one stays.
	Ladder []Team
	// Resolutions that a person may choose. It closes by itself as well.
	Resolutions []Resolution
	// FromClock: it opens when a wait is over. Else it follows from the state, and
	// what was once decided about it is remembered.
	FromClock bool
}

const oneHour = Duration(time.Hour)

// CaseDefinitions is the table of cases: every exception in a bucket of its own.
var CaseDefinitions = []CaseDefinition{
	{NotPicked, WarehouseTeam, Normal, 24 * oneHour, 0, []Team{OpsTeam}, []Resolution{WaitOn, CancelParcel}, true},
	{NotPacked, WarehouseTeam, Normal, 24 * oneHour, 0, []Team{OpsTeam}, []Resolution{WaitOn, CancelParcel}, true},
	{MissedHandoff, WarehouseTeam, Urgent, 24 * oneHour, 0, []Team{OpsTeam}, []Resolution{WaitOn, CancelParcel, DeclareLost}, true},
	{Stalled, OpsTeam, Normal, 24 * oneHour, 24 * oneHour, []Team{SupportTeam}, []Resolution{WaitOn, DeclareLost, DeclareDelivered}, true},
	{Late, SupportTeam, Normal, 24 * oneHour, 1 * oneHour, []Team{OpsTeam}, []Resolution{Dismiss}, false},
	{FailedAttempt, SupportTeam, Urgent, 8 * oneHour, oneHour / 2, []Team{OpsTeam}, []Resolution{Arranged, Redeliver, HoldAtLocation, Redirect, ReturnToSender, Dismiss}, false},
	{LostParcel, SupportTeam, Urgent, 24 * oneHour, 0, []Team{OpsTeam}, []Resolution{Refund, Replace, Claim, WaitOn, Dismiss}, false},
	{HeldTooLong, SupportTeam, Normal, 24 * oneHour, 0, []Team{OpsTeam}, []Resolution{WaitOn}, true},
	{AddressProblem, SupportTeam, Urgent, 8 * oneHour, 1 * oneHour, []Team{OpsTeam}, []Resolution{Arranged, Redirect, HoldAtLocation, ReturnToSender, Dismiss}, false},
	{Refused, SupportTeam, Normal, 24 * oneHour, 0, []Team{OpsTeam}, []Resolution{ReturnToSender, Refund, Replace, Dismiss}, false},
	{Damaged, SupportTeam, Urgent, 24 * oneHour, 0, []Team{OpsTeam}, []Resolution{Refund, Replace, Claim, Dismiss}, false},
	{CustomsHold, SupportTeam, Normal, 24 * oneHour, 4 * oneHour, []Team{OpsTeam}, []Resolution{Arranged, ReturnToSender, Dismiss}, false},
	{Weather, OpsTeam, Minor, 48 * oneHour, 24 * oneHour, []Team{SupportTeam}, []Resolution{Dismiss}, false},
	{PaymentDue, SupportTeam, Urgent, 24 * oneHour, 1 * oneHour, []Team{OpsTeam}, []Resolution{Arranged, Redeliver, ReturnToSender, Dismiss}, false},
	{NotReceived, SupportTeam, Urgent, 24 * oneHour, 0, []Team{OpsTeam}, []Resolution{WaitOn, Refund, Replace, Claim, Dismiss}, false},
	{UnexpectedReturn, ReturnsTeam, Normal, 24 * oneHour, 0, []Team{SupportTeam}, []Resolution{Refund, Replace, Dismiss}, false},
	{RemedyOverdue, SupportTeam, Critical, 24 * oneHour, 0, []Team{OpsTeam}, []Resolution{WaitOn}, true},
	{ReturnOverdue, ReturnsTeam, Normal, 24 * oneHour, 0, []Team{SupportTeam}, []Resolution{WaitOn, EndReturn, DeclareLost}, true},
	{InspectionOverdue, ReturnsTeam, Urgent, 24 * oneHour, 0, []Team{SupportTeam}, []Resolution{WaitOn}, true},
	{InstructionOverdue, SupportTeam, Critical, 8 * oneHour, 0, []Team{OpsTeam}, []Resolution{WaitOn}, true},
}

// words are the kind as people read it.
func (k CaseKind) words() string { return strings.ReplaceAll(string(k), "_", " ") }

// LookupCase finds a case kind in the table.
func LookupCase(k CaseKind) (d CaseDefinition, ok bool) {
	for i := range CaseDefinitions {
		if CaseDefinitions[i].Kind == k {
			return CaseDefinitions[i], true
		}
	}
	return CaseDefinition{}, false
}

// CaseRule is what a policy says of one kind of case; empty fields leave the
// table's value.
type CaseRule struct {
	Kind     CaseKind  `json:"kind"`
	Owner    Team      `json:"owner,omitempty"`
	Severity Severity  `json:"severity,omitempty"`
	Due      Duration  `json:"due,omitempty"`
	Notice   *Duration `json:"notice,omitempty"` // 0: the buyer is never told of the case itself
	Ladder   []Team    `json:"ladder,omitempty"`
}

// caseRule is the table's row with the policy's words on top.
func (p *Policy) caseRule(k CaseKind) CaseDefinition {
	d, _ := LookupCase(k)
	d.Due, d.Notice = p.CaseDue, 0
	for _, r := range p.Cases {
		if r.Kind != k {
			continue
		}
		if r.Owner != "" {
			d.Owner = r.Owner
		}
		if r.Severity != "" {
			d.Severity = r.Severity
		}
		if r.Due != 0 {
			d.Due = r.Due
		}
		if r.Notice != nil {
			d.Notice = *r.Notice
		}
		if len(r.Ladder) > 0 {
			d.Ladder = r.Ladder
		}
	}
	return d
}

// Note is what somebody wrote to a case. No names of buyers in it, please: the
// API says so, and histories keep it.
type Note struct {
	At    time.Time `json:"at"`
	Actor string    `json:"actor,omitempty"`
	Text  string    `json:"text"`
}

// Decision is what was decided about a case that has ended, so that the same
// cause does not open it again and a person can reopen it.
type Decision struct {
	Case       Case       `json:"case"`
	Resolution Resolution `json:"resolution,omitempty"` // empty: it closed by itself
	At         time.Time  `json:"at"`
	Actor      string     `json:"actor,omitempty"`
	Reason     string     `json:"reason,omitempty"`
}

// Extension moves the end of one wait. It holds for that wait only: one that
// began at another time is another wait.
type Extension struct {
	Kind   WaitKind  `json:"kind"`
	Parcel string    `json:"parcel,omitempty"`
	Case   CaseKind  `json:"case,omitempty"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
	Actor  string    `json:"actor,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

// Bounds of what an order remembers of cases.
const (
	maxNotes      = 20
	maxDecisions  = 40
	maxExtensions = 40
	maxExtension  = 180 * 24 * time.Hour
)

// Requests of people about cases and waits.
type (
	// AssignCase gives a case to somebody; an empty Assignee gives it back.
	AssignCase struct {
		Meta
		Case     string `json:"case"` // its ID
		Assignee string `json:"assignee"`
	}
	// NoteCase writes a note to a case.
	NoteCase struct {
		Meta
		Case string `json:"case"`
		Text string `json:"text"`
	}
	// ResolveCase ends a case. Until is needed for wait, arranged and redeliver.
	ResolveCase struct {
		Meta
		Case       string     `json:"case"`
		Resolution Resolution `json:"resolution"`
		Until      time.Time  `json:"until,omitzero"`
		// Amount of a refund in minor units; zero: what the parcel's lines cost.
		Amount int64 `json:"amount,omitempty"`
		// Point is the carrier's own ID of a pickup point, for hold_at_location;
		// empty: the carrier chooses one.
		Point string `json:"point,omitempty"`
	}
	// ReopenCase takes back the decision about an ended case.
	ReopenCase struct {
		Meta
		Case string `json:"case"`
	}
	// ExtendWait moves the end of a wait. Kind, Parcel and On name it as
	// [Waiting] lists it.
	ExtendWait struct {
		Meta
		Kind   WaitKind  `json:"kind"`
		Parcel string    `json:"parcel,omitempty"`
		On     CaseKind  `json:"case,omitempty"`
		Until  time.Time `json:"until"`
	}
	// FireWait lets a wait end now.
	FireWait struct {
		Meta
		Kind   WaitKind `json:"kind"`
		Parcel string   `json:"parcel,omitempty"`
		On     CaseKind `json:"case,omitempty"`
	}
	// ReportNotReceived: a delivered parcel did not reach the buyer.
	ReportNotReceived struct {
		Meta
		Parcel string `json:"parcel"`
	}
)

func (AssignCase) event()        {}
func (NoteCase) event()          {}
func (ResolveCase) event()       {}
func (ReopenCase) event()        {}
func (ExtendWait) event()        {}
func (FireWait) event()          {}
func (ReportNotReceived) event() {}

// caseByID finds an open case.
func (s *State) caseByID(id string) *Case {
	for i := range s.Cases {
		if s.Cases[i].ID == id {
			return &s.Cases[i]
		}
	}
	return nil
}

// decided finds what was decided last about a cause.
func (s *State) decided(kind CaseKind, parcel string, baseline time.Time) bool {
	return slices.ContainsFunc(s.Decisions, func(d Decision) bool {
		return d.Resolution != "" && d.Case.Kind == kind && d.Case.Parcel == parcel && d.Case.Baseline.Equal(baseline)
	})
}

func (s *State) remember(c Case, r Resolution, m Meta) {
	s.Decisions = append(s.Decisions, Decision{Case: c, Resolution: r, At: s.Now, Actor: m.Actor, Reason: m.Reason})
	if n := len(s.Decisions); n > maxDecisions {
		s.Decisions = s.Decisions[n-maxDecisions:]
	}
}

// resolve carries out a decision that Check allowed.
func (s *State) resolve(e ResolveCase) {
	c := s.caseByID(e.Case)
	if c == nil {
		return // it closed between the question and the answer
	}
	ended := *c
	s.Cases = slices.DeleteFunc(s.Cases, func(c Case) bool { return c.ID == e.Case })
	s.remember(ended, e.Resolution, e.Meta)
	text := string(e.Resolution)
	if !e.Until.IsZero() {
		text += " until " + day(e.Until)
	}
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	s.tell(Happening{Type: CaseClosed, At: s.Now, Parcel: ended.Parcel, Case: ended.Kind, Actor: e.Actor, Cause: e.ID, Text: text})
	p := s.ParcelByID(ended.Parcel)
	switch e.Resolution {
	case WaitOn, Arranged:
		s.giveTime(ended, p, e)
	case Redeliver, HoldAtLocation, Redirect, ReturnToSender:
		if p == nil {
			break
		}
		i := Instruction{Kind: e.Resolution, Point: e.Point, Case: ended.ID}
		if e.Resolution == Redeliver {
			i.Day = e.Until
			s.giveTime(ended, p, e)
		}
		s.instruct(i, p, e.Meta)
	case CancelParcel:
		m := e.Meta
		if s.Rules >= instructRules {
			m.By = Support // who decides here, whoever of the staff asked
		}
		switch {
		case p != nil:
			s.cancel(Cancel{Meta: m, Parcels: []string{p.ID}})
		case s.Rules >= instructRules:
			s.cancelRest(m)
		default:
			s.cancel(Cancel{Meta: m})
		}
	case DeclareLost:
		s.correctMilestone(CorrectMilestone{Meta: e.Meta, Parcel: ended.Parcel, Milestone: Lost})
	case DeclareDelivered:
		s.correctMilestone(CorrectMilestone{Meta: e.Meta, Parcel: ended.Parcel, Milestone: Delivered})
	case Refund, Replace, Claim:
		if ended.Kind == LostParcel && p != nil && p.Milestone != Lost {
			s.correctMilestone(CorrectMilestone{Meta: e.Meta, Parcel: p.ID, Milestone: Lost}) // written off; movement finds it again
			ended.Baseline = p.Since                                                          // it is decided about, not a new loss
			if s.Rules >= instructRules {
				s.Decisions[len(s.Decisions)-1].Case.Baseline = p.Since
			} else {
				s.remember(ended, e.Resolution, e.Meta)
			}
		}
		s.remedy(e.Resolution, ended, e)
	case EndReturn:
		s.cancelReturn(s.returnOf(ended.Parcel), e.Meta)
	case Dismiss:
	}
}

// rest is what was ordered and is in no parcel.
func (s *State) rest() []Allocation {
	var rest []Allocation
	for _, l := range s.Spec.Lines {
		if n := l.Quantity - s.allocated(l.SKU, ""); n > 0 {
			rest = append(rest, Allocation{l.SKU, n})
		}
	}
	return rest
}

// cancelRest gives up what is in no parcel, as a parcel that will not be sent.
// The order's other parcels go their way.
func (s *State) cancelRest(m Meta) {
	id := "rest"
	for n := 2; s.ParcelByID(id) != nil; n++ {
		id = fmt.Sprint("rest-", n)
	}
	p := s.addParcel(PlannedParcel{ID: id, Lines: s.rest()}, false)
	s.tell(Happening{Type: ParcelAdded, At: s.Now, Parcel: id, Actor: m.Actor, Cause: m.ID})
	s.say(p, Cancelled, s.Now, m)
}

// giveTime extends what the parcel of an ended case waits for. A case that
// follows from the state comes back when the time is over without a change.
func (s *State) giveTime(c Case, p *Parcel, e ResolveCase) {
	for _, w := range Waiting(s) {
		switch {
		case s.Rules >= instructRules && !slices.Contains(c.Kind.waits(), w.Kind):
		case w.Kind == WaitCase || w.Kind == WaitNotice || w.Kind == WaitClose || w.Kind == WaitPromise:
		case p != nil && w.Parcel == p.ID, p == nil && w.Parcel == "":
			s.extend(Extension{Kind: w.Kind, Parcel: w.Parcel, Case: w.Case, Since: w.Since, Until: e.Until, Actor: e.Actor, Reason: e.Reason})
			return
		}
	}
	// Nothing waits any more by itself: what was given up is looked at again then,
	// unless it has ended by itself.
	c.Pinned = false
	s.Revisits = append(s.Revisits, Revisit{Case: c, Since: s.Now, Until: e.Until})
}

// waits are those that end in such a case, where there are any now.
func (k CaseKind) waits() []WaitKind {
	switch k {
	case NotPicked:
		return []WaitKind{WaitPick, WaitPlan}
	case NotPacked:
		return []WaitKind{WaitPack}
	case MissedHandoff:
		return []WaitKind{WaitHandoff}
	case HeldTooLong:
		return []WaitKind{WaitHold}
	case RemedyOverdue:
		return []WaitKind{WaitRemedy}
	case ReturnOverdue:
		return []WaitKind{WaitReturnDecision, WaitReturnShipment, WaitReturnReceipt}
	case InspectionOverdue:
		return []WaitKind{WaitInspection, WaitDisposition, WaitSendBack}
	case Stalled, Late, FailedAttempt, LostParcel, AddressProblem, Refused, Damaged, CustomsHold, Weather, PaymentDue, NotReceived, UnexpectedReturn:
		return []WaitKind{WaitMovement}
	}
	return nil
}

// Revisit brings a case back at a time that a person set.
type Revisit struct {
	Case  Case      `json:"case"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
}

func (s *State) extend(x Extension) {
	s.Extensions = slices.DeleteFunc(s.Extensions, func(o Extension) bool {
		return o.Kind == x.Kind && o.Parcel == x.Parcel && o.Case == x.Case
	})
	s.Extensions = append(s.Extensions, x)
	if n := len(s.Extensions); n > maxExtensions {
		s.Extensions = s.Extensions[n-maxExtensions:]
	}
	s.tell(Happening{Type: WaitExtended, At: s.Now, Parcel: x.Parcel, Case: x.Case, Actor: x.Actor, Text: fmt.Sprintf("%s until %s: %s", x.Kind, day(x.Until), x.Reason)})
}

// extended is a wait with what people decided about its end.
func (s *State) extended(w Wait) Wait {
	for _, x := range s.Extensions {
		if x.Kind == w.Kind && x.Parcel == w.Parcel && x.Case == w.Case && x.Since.Equal(w.Since) && x.Until.After(w.Until) {
			w.Until = x.Until
			w.Rule += ", extended by " + orElse(x.Actor, "a person")
			if x.Reason != "" {
				w.Rule += " (" + x.Reason + ")"
			}
		}
	}
	return w
}

// reopen brings an ended case back as it was, with a new clock.
func (s *State) reopen(e ReopenCase) {
	i := slices.IndexFunc(s.Decisions, func(d Decision) bool { return d.Case.ID == e.Case })
	if i < 0 {
		return
	}
	c := s.Decisions[i].Case
	s.Decisions = slices.Delete(s.Decisions, i, i+1)
	if s.caseOf(c.Kind, c.Parcel) != nil {
		return // one of its kind is open again anyhow
	}
	c.Pinned = true
	s.reopenAs(c, e.Meta, orElse(e.Reason, "reopened"))
}

// reopenAs opens a case again, under a new ID: forms about the old one are stale.
func (s *State) reopenAs(c Case, m Meta, text string) {
	rule := s.Spec.Policy.caseRule(c.Kind)
	c.ID, c.OpenedAt, c.Level = s.caseID(c.Kind, c.Parcel), s.Now, 0
	c.NoticeAt, c.NoticedAt = time.Time{}, time.Time{} // whom it was said to has heard of it
	c.Due = s.clock("case_due").Add(s.Now, time.Duration(rule.Due))
	s.Cases = append(s.Cases, c)
	s.tell(Happening{Type: CaseOpened, At: s.Now, Parcel: c.Parcel, Case: c.Kind, Actor: m.Actor, Cause: m.ID, Text: text})
}

func (s *State) caseID(kind CaseKind, parcel string) string { return episodeID(kind, parcel, s.Seq) }

func episodeID(kind CaseKind, parcel string, seq int64) string {
	id := string(kind)
	if parcel != "" {
		id += "-" + parcel
	}
	return fmt.Sprintf("%s-%d", id, seq)
}

// nameCases lets people act on cases that were opened under older rules.
func (s *State) nameCases() {
	for i := range s.Cases {
		if c := &s.Cases[i]; c.ID == "" && s.Rules >= instructRules {
			c.ID, c.Severity = s.caseID(c.Kind, c.Parcel), s.Spec.Policy.caseRule(c.Kind).Severity
		}
	}
}

func (s *State) reportNotReceived(e ReportNotReceived) {
	p := s.ParcelByID(e.Parcel)
	if p == nil || p.Milestone != Delivered || p.inbound() {
		return
	}
	p.NotReceivedAt = s.Now
	s.askProof(p)
	s.open(NotReceived, p, SupportTeam, p.Since, "reported missing after it was said to be delivered at "+day(p.Since))
}

// buckets lead a carrier's words to the queue that can act on them.
var buckets = []struct {
	kind  CaseKind
	words []string
}{
	{AddressProblem, []string{"address", "undeliverable", "label_problem", "service_area", "contact_needed"}},
	{Refused, []string{"refused", "unclaimed"}},
	{Damaged, []string{"damage", "shortage", "cold_chain"}},
	{CustomsHold, []string{"customs_docs", "customs_delay", "missing_data"}},
	{PaymentDue, []string{"payment"}},
	{Weather, []string{"weather", "labor_civil"}},
}

// CaseOfBucket is the case that a carrier's exception opens; "" for none.
func CaseOfBucket(bucket string) CaseKind {
	for _, b := range buckets {
		if slices.Contains(b.words, bucket) {
			return b.kind
		}
	}
	return ""
}

// troubled opens the case of an exception, unless the parcel has moved on since.
func (s *State) troubled(p *Parcel, at time.Time, e CarrierEvent) {
	if s.Rules < peopleRules || e.By != CarrierSays {
		return
	}
	kind := CaseOfBucket(e.Bucket)
	if kind == "" || p.Milestone.Settled() || p.LastMovement.After(at) || p.Milestone.Stage() > Moving {
		return
	}
	d := s.Spec.Policy.caseRule(kind)
	text := "the carrier says: " + e.Bucket
	if e.Location != "" {
		text += ", in " + e.Location
	}
	s.open(kind, p, d.Owner, at, text)
}

// checkCase says why a person may not act on a case; what is open now comes
// back, so that a stale form can show it.
func (s *State) checkCase(id string, by Source) error {
	if !staff(by) {
		return refuse("by", "%q may not act on cases", by)
	}
	if id == "" { // as under older rules
		return refuse("case", "has no ID yet: its order follows older rules until its next run")
	}
	if s.caseByID(id) != nil {
		return nil
	}
	for _, d := range s.Decisions {
		if d.Case.ID != id {
			continue
		}
		how := "closed by itself"
		if d.Resolution != "" {
			how = "was resolved (" + string(d.Resolution) + ") by " + orElse(d.Actor, "somebody")
		}
		return refuse("case", "%s %s at %s", id, how, day(d.At))
	}
	return refuse("case", "%q is no open case of this order", id)
}

// staff may act on cases; the buyer and the storefront may not.
func staff(by Source) bool { return by == Support || by == Warehouse || by == ReturnsDesk }

func (s *State) checkResolve(e ResolveCase) error {
	if err := s.checkCase(e.Case, e.By); err != nil {
		return err
	}
	c := s.caseByID(e.Case)
	d, _ := LookupCase(c.Kind)
	if !slices.Contains(d.Resolutions, e.Resolution) {
		return refuse("resolution", "%q does not resolve %s; one of %v does", e.Resolution, c.Kind, d.Resolutions)
	}
	if e.Resolution.NeedsUntil() && (!e.Until.After(s.Now) || e.Until.After(s.Now.Add(maxExtension))) {
		return refuse("until", "must lie ahead, within %s", human(maxExtension))
	}
	switch e.Resolution {
	case WaitOn, Arranged:
	case Redeliver, HoldAtLocation, Redirect, ReturnToSender:
		if e.By != Support {
			return refuse("by", "%q may not instruct carriers", e.By)
		}
		if err := s.checkInstruct(e.Resolution, s.ParcelByID(c.Parcel)); err != nil {
			return err
		}
	case CancelParcel:
		var parcels []string
		if c.Parcel != "" {
			parcels = []string{c.Parcel}
		} else if s.Rules >= instructRules {
			switch {
			case len(s.rest()) == 0:
				return refuse("resolution", "every line is in a parcel: cancel that")
			case len(s.Parcels) >= MaxParcels:
				return refuse("resolution", "an order has at most %d parcels", MaxParcels)
			}
			return needReason(e.Meta)
		}
		// Support decides here, whoever of the staff asked.
		if err := s.checkCancel(Cancel{Meta: Meta{By: Support}, Parcels: parcels}); err != nil {
			return err
		}
	case DeclareLost, DeclareDelivered:
		if e.By != Support {
			return refuse("by", "only support may set a milestone")
		}
		if r := s.returnOf(c.Parcel); c.Kind == ReturnOverdue && r != nil && r.State == ReturnRequested {
			return refuse("resolution", "return %s is not authorized yet: decide about it", r.ID)
		}
	case Refund, Replace, Claim:
		if e.By != Support {
			return refuse("by", "%q may not decide about money", e.By)
		}
		if err := s.checkRemedy(e, c); err != nil {
			return err
		}
	case EndReturn:
		r := s.returnOf(c.Parcel)
		if r == nil {
			return refuse("resolution", "parcel %s belongs to no return", c.Parcel)
		}
		if err := s.checkCancelReturn(r.ID, e.Meta); err != nil {
			return err
		}
	case Dismiss:
	}
	if e.Amount != 0 && e.Resolution != Refund {
		return refuse("amount", "goes with a refund only")
	}
	if e.Point != "" && (e.Resolution != HoldAtLocation || !pointPattern.MatchString(e.Point)) {
		return refuse("point", "goes with %s only, and is 1 to 40 of letters, digits and . _ -", HoldAtLocation)
	}
	return needReason(e.Meta)
}

func (s *State) checkReopen(e ReopenCase) error {
	if !staff(e.By) {
		return refuse("by", "%q may not act on cases", e.By)
	}
	for _, d := range s.Decisions {
		if d.Case.ID != e.Case {
			continue
		}
		if have := s.caseOf(d.Case.Kind, d.Case.Parcel); have != nil {
			return refuse("case", "%s is open again already, as %s", d.Case.Kind, have.ID)
		}
		return needReason(e.Meta)
	}
	return refuse("case", "%q is no ended case that this order remembers", e.Case)
}

func (s *State) checkWait(by Source, kind WaitKind, parcel string, on CaseKind) (Wait, error) {
	if !staff(by) {
		return Wait{}, refuse("by", "%q may not move waits", by)
	}
	w, ok := s.waitOf(kind, parcel, on)
	if !ok {
		return w, refuse("wait", "the order does not wait for that (any more)")
	}
	if !w.Movable() {
		return w, refuse("wait", "%s cannot be moved: %s", kind, w.CutShort)
	}
	return w, nil
}

func (s *State) checkExtend(e ExtendWait) error {
	w, err := s.checkWait(e.By, e.Kind, e.Parcel, e.On)
	if err != nil {
		return err
	}
	if !e.Until.After(w.Until) || e.Until.After(s.Now.Add(maxExtension)) {
		return refuse("until", "must lie after %s, within %s from now; to end the wait, fire it", day(w.Until), human(maxExtension))
	}
	return needReason(e.Meta)
}

func (s *State) checkNotReceived(e ReportNotReceived) error {
	p := s.ParcelByID(e.Parcel)
	if p == nil {
		return refuse("parcel", "%q is not a parcel of this order", e.Parcel)
	}
	if p.inbound() {
		return refuse("parcel", "%s is the parcel of return %s", p.ID, p.Return)
	}
	if p.Milestone != Delivered {
		return refuse("parcel", "%s is not said to be delivered: it is %s", p.ID, p.Milestone)
	}
	if s.caseOf(NotReceived, p.ID) != nil {
		return refuse("parcel", "%s has been reported already", p.ID)
	}
	if s.decided(NotReceived, p.ID, p.Since) {
		return refuse("parcel", "%s was reported before and decided about; support can reopen that case", p.ID)
	}
	if w := time.Duration(s.Spec.Policy.Completed().ReportWindow); s.Now.After(p.Since.Add(w)) {
		return refuse("parcel", "%s was delivered at %s, more than %s ago", p.ID, day(p.Since), human(w))
	}
	return nil
}
