package store

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/waybillhq/waybill/order"
)

// ErrNotFound is returned when no row has the asked identity.
var ErrNotFound = errors.New("not found")

// ErrConflict is returned when an order or an idempotency key exists with
// another content.
var ErrConflict = errors.New("exists with another content")

// Contact is the buyer's personal data. It never enters a workflow.
type Contact struct {
	Name     string `json:"name,omitempty"`
	Email    string `json:"email,omitempty"`
	Phone    string `json:"phone,omitempty"`
	Language string `json:"language,omitempty"`
}

// Address is where the order goes. It never enters a workflow.
type Address struct {
	Name       string `json:"name,omitempty"`
	Street     string `json:"street,omitempty"`
	City       string `json:"city,omitempty"`
	PostalCode string `json:"postal_code,omitempty"`
	Region     string `json:"region,omitempty"`
	Country    string `json:"country,omitempty"`
}

// NewOrder is everything that creating an order writes, in one transaction.
type NewOrder struct {
	Spec        order.Spec
	Contact     Contact
	Address     Address
	TokenHash   []byte
	RequestHash []byte
}

// Order is one row of the read model. State is nil until the workflow has
// written it for the first time.
type Order struct {
	Spec      order.Spec
	State     *order.State
	CreatedAt time.Time
	StartedAt *time.Time
	UpdatedAt time.Time
	Language  string // BCP 47, in which it was ordered; [Store.Track] alone reads it
}

// Current is the state to show: the workflow's, or the one that it will begin with.
func (o Order) Current() *order.State {
	if o.State != nil {
		return o.State
	}
	s := order.New(o.Spec, order.CurrentRules, o.CreatedAt)
	s.Seq = 0
	return &s
}

// Filter narrows a list of orders; empty fields match anything.
type Filter struct {
	Store  string
	Status string
	Case   string // a case kind, or "any"
	Query  string // order number or tracking number, exact
	Before Cursor // continue after this row
	Limit  int
}

// Cursor is a place in the list, newest first.
type Cursor struct {
	PlacedAt time.Time
	ID       string
}

// Summary is an order in a list.
type Summary struct {
	ID         string     `json:"id"`
	Store      string     `json:"store"`
	Number     string     `json:"number"`
	Status     string     `json:"status"`
	Summary    string     `json:"summary"`
	Class      string     `json:"class"`
	PlacedAt   time.Time  `json:"placed_at"`
	PromisedAt *time.Time `json:"promised_at,omitempty"`
	Late       bool       `json:"late"`
	OnHold     bool       `json:"on_hold"`
	Closed     bool       `json:"closed"`
	Parcels    int        `json:"parcels"`
	Carriers   []string   `json:"carriers"`
	OpenCases  []string   `json:"open_cases"`
	NextWhat   string     `json:"next_what,omitempty"`
	NextOwner  string     `json:"next_owner,omitempty"`
	NextUntil  *time.Time `json:"next_until,omitempty"`
}

// Entry is one line of an order's timeline: a fact from outside, or a
// happening that the order told.
type Entry struct {
	At        time.Time `json:"at"`
	Source    string    `json:"source"` // warehouse, carrier:ups, order
	Kind      string    `json:"kind"`   // scan, carrier_event, or a happening type
	Parcel    string    `json:"parcel,omitempty"`
	Milestone string    `json:"milestone,omitempty"`
	Case      string    `json:"case,omitempty"`
	Code      string    `json:"code,omitempty"`
	Bucket    string    `json:"bucket,omitempty"` // what kind of trouble, in our words
	// Piece is the box's own number, where the parcel is a shipment of several.
	Piece string `json:"piece,omitempty"`
	// DeliveredTo is a kind: person, neighbour, locker... Never a name.
	DeliveredTo string `json:"delivered_to,omitempty"`
	// Appointment that freight was given, and the proofs that the carrier holds.
	Appointment *Appointment `json:"appointment,omitempty"`
	Held        string       `json:"proofs_held,omitempty"`
	Location    string       `json:"location,omitempty"`
	Description string       `json:"description,omitempty"`
	LocalTime   string       `json:"local_time,omitempty"`
	UTCOffset   string       `json:"utc_offset,omitempty"`
	TimeBasis   string       `json:"time_basis,omitempty"`
	ReceivedAt  time.Time    `json:"received_at"`
	Actor       string       `json:"actor,omitempty"`
	EventID     string       `json:"event_id,omitempty"`
	// Note says what became of it: riding along, late, or empty.
	Note string `json:"note,omitempty"`
}

// FactKind is which fact of package order an inbox row holds.
type FactKind string

const (
	KindScan         FactKind = "scan"
	KindCarrierEvent FactKind = "carrier_event"
)

// Fact is an event to be accepted. It names its parcel by order and parcel, or
// by carrier and tracking number.
type Fact struct {
	Source      string
	EventID     string
	Kind        FactKind
	RefOrder    string
	RefParcel   string
	OnlyStore   string // whoever tells it knows parcels of this store only; empty: of all
	Carrier     string
	Tracking    string
	Piece       string // the box's own number; Tracking may be the shipment's
	Pieces      int    // in the shipment; 0: not said
	Whole       bool   // said of every piece of it
	UniqueID    string // tells two uses of one number apart
	DeliveredTo string // person, neighbour, locker...
	Aside       Aside
	Signer      Signer // personal data; never in an event
	Milestone   string // for scans: the scan kind
	Code        string
	Bucket      string
	Physical    bool
	Correction  bool
	ETA         *time.Time
	OccurredAt  time.Time
	LocalTime   string
	UTCOffset   string
	TimeBasis   string
	Location    string
	Description string
	Actor       string
	// Mapping is the version of the code's mapping by which it was read; 0: none.
	Mapping int
	// Unmapped: neither our tables nor a mapping know the code. Mapped later, the
	// fact is read again.
	Unmapped bool
}

// Mapping is what people say that a carrier's code means. It goes over our own
// reading of the code.
type Mapping struct {
	Carrier, Table, Code string
	Version              int    // of this code's mapping, from 1
	Kind                 string // in the vocabulary of carriers.Table, or Withdrawn
	Bucket               string
	// What kind and bucket mean to an order. Unmapped: withdrawn, and the code is
	// in no table of ours.
	Milestone string
	Physical  bool
	Unmapped  bool
	Reason    string
	Actor     string
	At        time.Time
}

// Withdrawn is the kind of a mapping that gives our own reading back.
const Withdrawn = "withdrawn"

// Key names a code, as faults do: carrier/table/code. The code may hold slashes.
func (m *Mapping) Key() string { return m.Carrier + "/" + m.Table + "/" + m.Code }

// RawBody is what a verified source sent, byte for byte.
type RawBody struct {
	ID          int64
	ReceivedAt  time.Time
	Source      string
	Via         string
	ContentType string
	Hash        []byte // SHA-256 of Body
	Size        int    // bytes
	Events      int    // read from it
	Rejected    int    // of those, with no time or number that could be true
	Unmapped    int    // of those, with a code that is in no table
	Error       string // why it could not be read; empty: it could
	ReplayedAt  *time.Time
	Body        []byte // not in lists
}

// Result says what became of a fact offered to the inbox.
type Result string

const (
	Accepted  Result = "accepted"
	Duplicate Result = "duplicate"
	Orphan    Result = "orphan" // kept until its parcel appears
)

// Store is a brand that sells.
type StoreRow struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	BrandColor   string `json:"brand_color"`
	SupportEmail string `json:"support_email,omitempty"`
	SupportURL   string `json:"support_url,omitempty"`
	// WebhookURL is where the storefront is asked for refunds and replacements;
	// WebhookSecret names the secret that signs them, which is configured.
	WebhookURL    string `json:"webhook_url,omitempty"`
	WebhookSecret string `json:"webhook_secret,omitempty"`
	// ReturnsAddress is where returns go; nil: not said, and no label is made.
	ReturnsAddress *ReturnsAddress `json:"returns_address,omitempty"`
}

// ReturnsAddress is a store's own address for returns. Carriers want a telephone
// number with it.
type ReturnsAddress struct {
	Address
	Phone string `json:"phone,omitempty"`
}

// APIKey is a key as stored; the secret is not.
type APIKey struct {
	ID        string
	Name      string
	Hash      []byte
	Scopes    []string
	Store     string // "" means any store
	ExpiresAt *time.Time
	RevokedAt *time.Time
}

// Audit is one act of a person or a storefront.
type Audit struct {
	ID        string          `json:"id"`
	OrderID   string          `json:"order_id"` // empty: the act was no order's
	Action    string          `json:"action"`
	Actor     string          `json:"actor"`
	Role      string          `json:"role"`
	Reason    string          `json:"reason,omitempty"`
	Request   json.RawMessage `json:"request"`
	CreatedAt time.Time       `json:"created_at"`
	Outcome   string          `json:"outcome"`
	Detail    string          `json:"detail,omitempty"`
}
