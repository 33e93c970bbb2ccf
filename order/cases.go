package order

import (
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
