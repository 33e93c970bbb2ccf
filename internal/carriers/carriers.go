// Package carriers reads what carriers and aggregators say, each in its own
// words, and says it in ours. Everything here is pure: bytes in, events out.
// One folder per carrier holds its parser, its code table and its notes.
package carriers

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
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
	// neither means anything alone.
	Table, Code string
	Reading
	Description string
	Location    string
	Moment
	ETA         time.Time
	DeliveredTo DeliveredTo
	// Correction: the carrier takes back what it said before.
	Correction bool
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

// Basis says how UTC was found.
type Basis string

const (
	ByOffset   Basis = "offset"   // the carrier sent the offset, or UTC itself
	ByZone     Basis = "zone"     // from the place of the event
	ByAccount  Basis = "account"  // from the carrier account's zone
	AssumedUTC Basis = "assumed"  // nothing said otherwise
	DateOnly   Basis = "date"     // a day without a time; noon, assumed UTC
	ByReceipt  Basis = "received" // no time at all
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
	// Aggregates: it speaks for many carriers.
	Aggregates Capability = "aggregates"
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

// Can says whether an adapter has a capability.
func Can(a Adapter, c Capability) bool { return slices.Contains(a.Capabilities(), c) }
