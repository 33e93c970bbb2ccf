package order

import "time"

// Meta is what every event carries. Nothing in it names a person.
type Meta struct {
	// ID is the source event's own ID, or the audit ID of a request.
	ID string `json:"id,omitempty"`
	// N is the fact's number in the inbox, unique and rising. 0: the event did
	// not come through the inbox.
	N  int64  `json:"n,omitempty"`
	By Source `json:"by"`
	// Actor is the API key or user ID that acted; never a name.
	Actor  string `json:"actor,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Occurred is when it happened, in UTC; how UTC was found is kept with the
	// raw event. Received is when we took it in. Applied is when the order
	// learnt of it: the only clock that rules look at.
	Occurred time.Time `json:"occurred,omitzero"`
	Received time.Time `json:"received,omitzero"`
	Applied  time.Time `json:"applied,omitzero"`
}

func (m Meta) meta() Meta { return m }

// Event is something that happened, or that somebody was allowed to ask for.
// The set is sealed: switches over it are checked for completeness.
//
//sumtype:decl
type Event interface {
	meta() Meta
	event()
}

// ScanKind is what a warehouse scanner records.
type ScanKind string

const (
	ScanReceived   ScanKind = "received" // goods or order arrived at the station; moves nothing
	ScanPicked     ScanKind = "picked"
	ScanPacked     ScanKind = "packed"
	ScanSorted     ScanKind = "sorted" // moves nothing
	ScanLabelled   ScanKind = "labelled"
	ScanHandedOver ScanKind = "handed_over"
	ScanReturned   ScanKind = "returned" // a parcel came back to the dock
)

// ScanKinds lists all of them.
var ScanKinds = []ScanKind{ScanReceived, ScanPicked, ScanPacked, ScanSorted, ScanLabelled, ScanHandedOver, ScanReturned}

// Milestone that the scan sets; empty for scans that move nothing.
func (k ScanKind) Milestone() Milestone {
	switch k {
	case ScanPicked:
		return Picked
	case ScanPacked:
		return Packed
	case ScanLabelled:
		return Labelled
	case ScanHandedOver:
		return HandedOver
	case ScanReturned:
		return Returned
	case ScanReceived, ScanSorted:
		return ""
	}
	return ""
}

// Facts: they come through the inbox and cannot be refused.
type (
	// Scan is a warehouse scan of one parcel.
	Scan struct {
		Meta
		Parcel   string   `json:"parcel"`
		Kind     ScanKind `json:"kind"`
		Location string   `json:"location,omitempty"`
		// Carrier and Tracking come with a labelled scan.
		Carrier  string `json:"carrier,omitempty"`
		Tracking string `json:"tracking,omitempty"`
	}

	// CarrierEvent is what a carrier said, in our vocabulary. The carrier's own
	// words stay with the raw event.
	CarrierEvent struct {
		Meta
		Parcel string `json:"parcel"`
		// Milestone is empty for an event that moves nothing (ETA, note).
		Milestone Milestone `json:"milestone,omitempty"`
		// Physical: somebody held or scanned the parcel. Only such an event is
		// movement, and only such an event is possession.
		Physical bool   `json:"physical,omitempty"`
		Carrier  string `json:"carrier,omitempty"`
		Code     string `json:"code,omitempty"`
		// Reason bucket of an exception, as in the carriers' vocabulary
		// (recipient_unavailable, weather, customs...).
		Bucket   string    `json:"bucket,omitempty"`
		Location string    `json:"location,omitempty"`
		ETA      time.Time `json:"eta,omitzero"`
		// Correction: the carrier takes back what it said itself up to this
		// moment; what others said stands.
		Correction bool `json:"correction,omitempty"`
		// Tracking is the number that the carrier speaks of, Piece the box's own
		// number where it speaks of one box. Without Piece the event is about
		// all that travels under Tracking, as far as the carrier knows.
		Tracking string `json:"tracking,omitempty"`
		Piece    string `json:"piece,omitempty"`
		// Pieces is how many boxes travel under Tracking; 0: not said.
		Pieces int `json:"pieces,omitempty"`
		// Whole: the carrier says it of every one of them.
		Whole bool `json:"whole,omitempty"`
	}

	// Unreadable is an accepted item that could not be decoded.
	Unreadable struct {
		Meta
		Why string `json:"why"`
	}
)

// Requests: a person or a storefront asked; [Check] decides before [Apply].
type (
	// PutParcel adds a parcel or changes one that has not left.
	PutParcel struct {
		Meta
		Parcel   string       `json:"parcel"`
		Lines    []Allocation `json:"lines,omitempty"`
		Carrier  string       `json:"carrier,omitempty"`
		Service  string       `json:"service,omitempty"`
		Tracking string       `json:"tracking,omitempty"`
		// Master is the number of the shipment that the parcel is one piece of.
		Master string `json:"master_tracking,omitempty"`
	}
	// Cancel stops the whole order, or the named parcels.
	Cancel struct {
		Meta
		Parcels []string `json:"parcels,omitempty"`
	}
	// Hold stops the preparing clocks. Until zero: reviewed by policy.
	Hold struct {
		Meta
		Until time.Time `json:"until,omitzero"`
	}
	// Release ends a hold; the preparing clocks start anew.
	Release struct{ Meta }
	// ChangePromise sets the moment by which the buyer was promised the order.
	ChangePromise struct {
		Meta
		PromisedAt time.Time `json:"promised_at"`
	}
	// CorrectAddress points to a newer version of the address, which itself
	// never enters a workflow.
	CorrectAddress struct {
		Meta
		AddressVersion int `json:"address_version"`
	}
	// CorrectMilestone overrides what the parcel was thought to be, by support.
	// Occurred may say since when; nothing known by now outlives it.
	CorrectMilestone struct {
		Meta
		Parcel    string    `json:"parcel"`
		Milestone Milestone `json:"milestone"`
	}
)

// From the shell.
type (
	// Tick says what time it is.
	Tick struct{ Meta }
	// Answered reports that a command is done, or will never be.
	Answered struct {
		Meta
		Command string `json:"command"`
		// LastMovement that a carrier check found; zero: nothing new.
		LastMovement time.Time `json:"last_movement,omitzero"`
		// FeedSilentSince: the carrier could not be asked, and it pushes nothing
		// for anybody since then; zero: no such thing.
		FeedSilentSince time.Time `json:"feed_silent_since,omitzero"`
		// Failed says why a command was given up.
		Failed string `json:"failed,omitempty"`
		// Declined says why the other side said no; Reference is its own name for
		// what it did.
		Declined  string `json:"declined,omitempty"`
		Reference string `json:"reference,omitempty"`
		// DeliveredTo and Held are what a proof of delivery says, as in [Proof].
		DeliveredTo string `json:"delivered_to,omitempty"`
		Held        string `json:"held,omitempty"`
		// Of what a carrier made for a return: its carrier and number, what it costs
		// in minor units, and in Held the media type of the label that is kept.
		// Unclear: it failed, and may have been made all the same.
		Carrier  string `json:"carrier,omitempty"`
		Tracking string `json:"tracking,omitempty"`
		Amount   int64  `json:"amount,omitempty"`
		Currency string `json:"currency,omitempty"`
		Unclear  bool   `json:"unclear,omitempty"`
	}
)

func (Scan) event()             {}
func (CarrierEvent) event()     {}
func (Unreadable) event()       {}
func (PutParcel) event()        {}
func (Cancel) event()           {}
func (Hold) event()             {}
func (Release) event()          {}
func (ChangePromise) event()    {}
func (CorrectAddress) event()   {}
func (CorrectMilestone) event() {}
func (Tick) event()             {}
func (Answered) event()         {}

// CommandKind is what the shell is asked to do.
type CommandKind string

const (
	// CheckCarrier reads the inbox and asks the carrier where a quiet parcel
	// is, before anybody is alarmed. Answered by the latest movement found.
	CheckCarrier CommandKind = "check_carrier"
)

// Command is flat data. It is idempotent by ID and stays in [State.Pending]
// until [Answered], so it survives retries and continue-as-new.
type Command struct {
	ID       string      `json:"id"`
	Kind     CommandKind `json:"kind"`
	Parcel   string      `json:"parcel,omitempty"`
	Carrier  string      `json:"carrier,omitempty"`
	Tracking string      `json:"tracking,omitempty"`
	Since    time.Time   `json:"since,omitzero"`
}

// HappeningType names what an order tells the outside.
type HappeningType string

const (
	OrderReceived    HappeningType = "order_received"
	StatusChanged    HappeningType = "status_changed"
	ParcelAdded      HappeningType = "parcel_added"
	ParcelChanged    HappeningType = "parcel_changed"
	MilestoneReached HappeningType = "milestone_reached"
	MilestoneUndone  HappeningType = "milestone_corrected"
	PiecesDelivered  HappeningType = "pieces_delivered" // some of a parcel's, not all
	PromiseChanged   HappeningType = "promise_changed"
	ETAChanged       HappeningType = "eta_changed"
	Held             HappeningType = "held"
	Released         HappeningType = "released"
	AddressCorrected HappeningType = "address_corrected"
	CaseOpened       HappeningType = "case_opened"
	CaseEscalated    HappeningType = "case_escalated"
	CaseClosed       HappeningType = "case_closed"
	CaseNoticed      HappeningType = "case_noticed" // the buyer is to be told
	CaseAssigned     HappeningType = "case_assigned"
	CaseNoted        HappeningType = "case_noted"
	WaitExtended     HappeningType = "wait_extended"
	WaitFired        HappeningType = "wait_fired"
	PolicyAdopted    HappeningType = "policy_adopted"
	RemedyChanged    HappeningType = "remedy_changed"
	ReturnChanged    HappeningType = "return_changed"
	BookingChanged   HappeningType = "booking_changed" // a return's label or pickup was asked for, or came to something
	// An instruction to a carrier was given, or came to something; what the
	// carrier could prove of a delivery; the time for a claim has passed.
	InstructionChanged HappeningType = "instruction_changed"
	ProofFetched       HappeningType = "proof_fetched"
	ClaimLapsed        HappeningType = "claim_lapsed"
	AnomalyFound       HappeningType = "anomaly"
	OrderClosed        HappeningType = "order_closed"
	OrderReopened      HappeningType = "order_reopened"
)

// Happening is one entry of the order's own story, written with the read model
// in one transaction. (Seq, N) is its identity.
type Happening struct {
	Seq       int64         `json:"seq"`
	N         int           `json:"n"`
	Type      HappeningType `json:"type"`
	At        time.Time     `json:"at"`
	Parcel    string        `json:"parcel,omitempty"`
	Milestone Milestone     `json:"milestone,omitempty"`
	Case      CaseKind      `json:"case,omitempty"`
	Text      string        `json:"text,omitempty"`
	Actor     string        `json:"actor,omitempty"`
	// Cause is the ID of the event behind it.
	Cause string `json:"cause,omitempty"`
}
