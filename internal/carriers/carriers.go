// Package carriers reads what carriers and aggregators say, each in its own
// words, and says it in ours. Everything here is pure: bytes in, events out.
// One folder per carrier holds its parser, its code table and its notes.
package carriers

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/waybillhq/waybill/order"
)

// Event is one tracking event: the carrier's words and our reading of them.
type Event struct {
	// ID is the carrier's own event ID; empty where it has none.
	ID string
	// Tracking is the number under which the carrier told it. Piece is the box's
	// own number, where the payload says which box it is about: the same for
	// carriers whose numbers name boxes, another for a shipment of several.
	Tracking, Piece string
	// Pieces is how many the shipment has; 0: not said. Whole: the carrier says
	// it of every one of them.
	Pieces int
	Whole  bool
	// Unique is the carrier's own ID for this use of the number.
	Unique string
	// Table and Code name the carrier's code. Codes collide between tables, so
	// neither means anything alone. A table's name has no space and no slash.
	Table, Code string
	Reading
	Description string
	Location    string
	Moment
	ETA time.Time
	// Appointment that freight was given; nil where the event tells of none.
	Appointment *Appointment
	// PickupBy is until when the buyer can collect a parcel that waits for it; zero: not
	// said.
	PickupBy    time.Time
	DeliveredTo DeliveredTo
	// Proof of a delivery, where the carrier sends one.
	Proof Proof
	// Correction: the carrier takes back what it said before.
	Correction bool
	// Unread says why this is no event that could be kept; nothing else of it
	// counts. It is there so that it is counted.
	Unread string
}

// NoEvent is what an event is called that says too little to be one.
const NoEvent = "no number, code or time that can be read"

// WithUnread adds as many that could not be read.
func WithUnread(events []Event, n int) []Event {
	for range min(n, MaxEvents-len(events)) {
		events = append(events, Event{Unread: NoEvent})
	}
	return events
}

// Reading is what a code means to an order.
type Reading struct {
	// Milestone is empty for what moves nothing.
	Milestone order.Milestone
	// Physical: somebody held or scanned the parcel.
	Physical bool
	// Bucket of an exception, like recipient_unavailable or weather.
	Bucket string
	// Unmapped: the code is not in our table. The milestone stays.
	Unmapped bool
}

// DeliveredTo is who or what took a delivered parcel: a kind, never a name.
// Empty: the carrier does not say.
type DeliveredTo string

const (
	ToPerson    DeliveredTo = "person" // the receiver, or somebody there for them
	ToNeighbour DeliveredTo = "neighbour"
	ToLocker    DeliveredTo = "locker"
	ToPorch     DeliveredTo = "porch" // left at the place: door, garage, garden
	ToAgent     DeliveredTo = "agent"
	ToMailbox   DeliveredTo = "mailbox"
	InPart      DeliveredTo = "partial" // some of it: not delivered
)

// DeliveryKinds lists all of them.
var DeliveryKinds = []DeliveredTo{ToPerson, ToNeighbour, ToLocker, ToPorch, ToAgent, ToMailbox, InPart}

// Appointment is when freight is to be picked up or delivered, in UTC. A zero end
// is open; both ends alike are one moment.
type Appointment struct {
	For              AppointmentFor
	Earliest, Latest time.Time
}

// AppointmentFor is what an appointment is for.
type AppointmentFor string

const (
	ForPickup   AppointmentFor = "pickup"
	ForDelivery AppointmentFor = "delivery"
)

// Proof of a delivery. Who signed is personal data: it enters no workflow and no log.
type Proof struct {
	SignedBy string
	Photo    string // the carrier's own reference or address of a photo
	// Held names what the carrier has and was not asked for: name, signature,
	// photo, document.
	Held string
}

// Basis says how UTC was found.
type Basis string

const (
	ByOffset   Basis = "offset"  // the carrier sent the offset, or UTC itself
	ByZone     Basis = "zone"    // from the place of the event
	ByAccount  Basis = "account" // from the carrier account's zone
	AssumedUTC Basis = "assumed" // nothing said otherwise
	// AssumedZone: the place of the event keeps several; the one that most of it keeps.
	AssumedZone Basis = "assumed_zone"
	DateOnly    Basis = "date"     // a day without a time; noon, assumed UTC
	ByReceipt   Basis = "received" // no time at all
)

// Moment is when something happened: as the wall clock there showed it, and in UTC.
type Moment struct {
	UTC    time.Time
	Local  string // 2006-01-02T15:04:05, as sent
	Offset string // -05:00; empty when not known
	Basis  Basis
}

// Capability is something that an adapter can do.
type Capability string

const (
	CanParsePush  Capability = "parse_push"
	CanVerifyPush Capability = "verify_push"
	CanParseTrack Capability = "parse_track"
	// CanParseFile: the carrier sends files, and the adapter is a FileReader.
	CanParseFile Capability = "parse_file"
	// Aggregates: it speaks for many carriers.
	Aggregates Capability = "aggregates"
	// CanTrack: asks for tracking; CanSubscribe: asks for pushes; CanRenew: its
	// subscriptions end, and are asked for again. See API.
	CanTrack     Capability = "track"
	CanSubscribe Capability = "subscribe"
	CanRenew     Capability = "renew"
	// CanProveDelivery: says of a delivered parcel which proofs the carrier holds.
	CanProveDelivery Capability = "proof_of_delivery"
	// CanProve: the proof of a delivery can be fetched. CanInstruct: it can be told
	// what to do with a parcel; API.Takes lists what. See API.
	CanProve    Capability = "prove"
	CanInstruct Capability = "instruct"
	// CanReturnLabel: makes labels for returns. CanPickup: comes for them.
	CanReturnLabel Capability = "return_label"
	CanPickup      Capability = "pickup"
)

// Push is a webhook call as it came in.
type Push struct {
	Header     http.Header
	Body       []byte // raw, as received; verified before anything reads it
	ReceivedAt time.Time
}

// Adapter speaks one carrier's language. What its Capabilities do not name
// returns ErrCannot.
type Adapter interface {
	Name() string
	Capabilities() []Capability
	// Codes is the carrier's table, for people who ask what a code means.
	Codes() *Table
	// Verify says whether the push is the carrier's, by any of the active
	// secrets, on raw bytes and in constant time.
	Verify(p Push, secrets [][]byte) error
	// ParsePush reads a webhook's body; ParseTrack the answer to a tracking
	// request. Both are total: bad input is an error, never a panic.
	ParsePush(body []byte) ([]Event, error)
	ParseTrack(body []byte) ([]Event, error)
}

// Confirmer is an adapter whose carrier pushes confirmations of subscriptions.
// Confirmation is total; false: the push is none.
type Confirmer interface {
	Adapter
	Confirmation(body []byte) (Confirmation, bool)
}

// FileReader is an adapter of a carrier that sends files. A file comes through a
// caller whom we know, so nothing in it is verified. ParseFile is total and reads
// what it can: one bad row holds nothing else back.
type FileReader interface {
	Adapter
	ParseFile(body []byte) File
}

// File is what could be read of a file, and what could not.
type File struct {
	Events []Event
	Faults []Fault
}

// Fault is something that could not be read.
type Fault struct {
	Where string `json:"where"` // segment 12, line 7
	What  string `json:"what"`
}

func (f Fault) String() string { return f.Where + ": " + f.What }

// Push is the file as a push is judged: an error if nothing of it could be read.
func (f File) Push() ([]Event, error) {
	if len(f.Events) == 0 && len(f.Faults) > 0 {
		return nil, Malformed("%s", f.Faults[0])
	}
	return WithUnread(f.Events, len(f.Faults)), nil
}

var (
	// ErrCannot: the carrier does not offer that, or we do not know it.
	ErrCannot = errors.New("this carrier cannot do that")
	// ErrNoSecret: nothing to verify with. An empty secret proves nothing.
	ErrNoSecret = errors.New("no secret is configured")
	// ErrNotSigned: the push carries no signature.
	ErrNotSigned = errors.New("the push is not signed")
	// ErrBadSignature: the signature is not of these bytes by any active secret.
	ErrBadSignature = errors.New("the signature does not match")
	// ErrReplayed: the signed time is too far from now.
	ErrReplayed = errors.New("the signature's time is outside the window")
	// ErrMalformed: the body is not what this carrier sends.
	ErrMalformed = errors.New("not this carrier's format")
)

// MaxBody bounds what a parser is given; MaxEvents what it may return; MaxPieces
// what a shipment may count.
const (
	MaxBody   = 4 << 20
	MaxEvents = 10_000
	MaxPieces = 10_000
)

// Malformed says what is wrong with a body.
func Malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

// Registry is the carriers that a process speaks with.
type Registry []Adapter

// Find gives the adapter of that name.
func (r Registry) Find(name string) (Adapter, error) {
	for _, a := range r {
		if a.Name() == name {
			return a, nil
		}
	}
	return nil, fmt.Errorf("no carrier %q; there are %s", name, strings.Join(r.Names(), ", "))
}

// Names of all of them.
func (r Registry) Names() []string {
	names := make([]string, len(r))
	for i, a := range r {
		names[i] = a.Name()
	}
	return names
}

// Can says whether an adapter has a capability.
func Can(a Adapter, c Capability) bool { return slices.Contains(a.Capabilities(), c) }
