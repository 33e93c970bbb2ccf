// Package activities holds what an order does to the world. One struct, small
// interfaces that it declares itself, one file per job.
package activities

import (
	"context"
	"time"

	"github.com/waybillhq/waybill/order"
)

// Names as ops read them in a history.
const (
	ProjectOrder = "ProjectOrder"
	AskCarrier   = "AskCarrier"
	ReadOrder    = "ReadOrder" // of an order that had closed
	// RequestRemedy asks the storefront for a refund or a replacement.
	RequestRemedy = "RequestRemedy"
	// InstructCarrier tells a carrier what to do with a parcel, FetchProof asks it
	// how it delivered one.
	InstructCarrier = "InstructCarrier"
	FetchProof      = "FetchProof"
	// MakeReturnLabel and BookPickup have a carrier make something for a return, and
	// VoidBooking has it take that back.
	MakeReturnLabel = "MakeReturnLabel"
	BookPickup      = "BookPickup"
	VoidBooking     = "VoidBooking"
)

// ReadModel is what pages and lists read.
type ReadModel interface {
	Project(ctx context.Context, s *order.State) error
	// State is what was written last; nil: no such order, or nothing yet.
	State(ctx context.Context, orderID string) (*order.State, error)
}

// Inbox holds the facts that ride along.
type Inbox interface {
	// Wake sends them to their order now and returns the latest movement of the parcel.
	Wake(ctx context.Context, orderID, parcel string) (time.Time, error)
	// SilentSince is when a carrier's feed fell silent; zero: it is not silent.
	SilentSince(ctx context.Context, carrier string) (time.Time, error)
}

// Tracker asks a carrier. It returns the latest physical event after since, or
// zero when the carrier knows nothing new, or ErrNobodyToAsk. What it learns
// comes in as facts.
type Tracker interface {
	Track(ctx context.Context, carrier, tracking string, since time.Time) (time.Time, error)
}

// Activities is registered with the worker.
type Activities struct {
	ReadModel ReadModel
	Inbox     Inbox
	// Tracker is nil where no carrier may be asked: then only the inbox is read.
	Tracker Tracker
	// Storefronts is nil until storefronts can be called: then people carry
	// remedies out by hand.
	Storefronts Storefronts
	// Carriers is nil where no carrier may be told anything: then people do it.
	Carriers Carriers
	// Bookings is nil where no carrier may be asked for labels: then people make them.
	Bookings Bookings
	// Feeds supervises the carriers' feeds.
	Feeds *Feeds
	// Rhythms learns how long parcels stand still.
	Rhythms Rhythms
}
