package sim

import (
	"time"

	"github.com/waybillhq/waybill/order"
)

// The JSON of the public API, as far as the simulator uses it. These are its
// own structs on purpose: if the API changes its mind, the simulator notices
// like any other client would.

type storeRequest struct {
	Name         string `json:"name"`
	BrandColor   string `json:"brand_color"`
	SupportEmail string `json:"support_email,omitempty"`
	SupportURL   string `json:"support_url,omitempty"`
}

// OrderRequest creates an order.
type OrderRequest struct {
	Store      string                `json:"store"`
	Number     string                `json:"number"`
	Class      order.Class           `json:"class"`
	PlacedAt   time.Time             `json:"placed_at"`
	PromisedAt time.Time             `json:"promised_at,omitzero"`
	Policy     string                `json:"policy,omitempty"`
	Currency   string                `json:"currency"`
	Customer   Buyer                 `json:"customer"`
	ShipTo     Address               `json:"ship_to"`
	Lines      []order.Line          `json:"lines"`
	Parcels    []order.PlannedParcel `json:"parcels,omitempty"`
}

// Buyer is who ordered.
type Buyer struct {
	Ref      string `json:"ref"`
	Name     string `json:"name,omitempty"`
	Email    string `json:"email,omitempty"`
	Phone    string `json:"phone,omitempty"`
	Language string `json:"language,omitempty"`
}

// Address is where it goes.
type Address struct {
	Name       string `json:"name,omitempty"`
	Street     string `json:"street,omitempty"`
	City       string `json:"city,omitempty"`
	PostalCode string `json:"postal_code,omitempty"`
	Region     string `json:"region,omitempty"`
	Country    string `json:"country,omitempty"`
}

type orderResponse struct {
	Order       order.View `json:"order"`
	TrackingURL string     `json:"tracking_url"`
}

// ScanItem is a warehouse scan.
type ScanItem struct {
	ID         string         `json:"id"`
	Kind       order.ScanKind `json:"kind"`
	Order      string         `json:"order"`
	Parcel     string         `json:"parcel"`
	Carrier    string         `json:"carrier,omitempty"`
	Tracking   string         `json:"tracking,omitempty"`
	OccurredAt time.Time      `json:"occurred_at"`
	Location   string         `json:"location,omitempty"`
}

// CarrierItem is what a carrier says about a tracking number.
type CarrierItem struct {
	ID          string          `json:"id"`
	Tracking    string          `json:"tracking"`
	Milestone   order.Milestone `json:"milestone,omitempty"`
	Physical    bool            `json:"physical,omitempty"`
	Code        string          `json:"code,omitempty"`
	Bucket      string          `json:"bucket,omitempty"`
	Description string          `json:"description,omitempty"`
	Location    string          `json:"location,omitempty"`
	OccurredAt  time.Time       `json:"occurred_at"`
	ETA         time.Time       `json:"eta,omitzero"`
	Correction  bool            `json:"correction,omitempty"`
}

// The answer for one item.
const (
	resultAccepted  = "accepted"
	resultDuplicate = "duplicate"
	resultOrphan    = "orphan"
	resultRejected  = "rejected"
)

type itemResult struct {
	Index  int    `json:"index"`
	ID     string `json:"id"`
	Result string `json:"result"`
	Field  string `json:"field"`
	Reason string `json:"reason"`
}

type batchResponse struct {
	Results []itemResult `json:"results"`
}

// Listed is an order in a list.
type Listed struct {
	ID       string       `json:"id"`
	Number   string       `json:"number"`
	Status   order.Status `json:"status"`
	PlacedAt time.Time    `json:"placed_at"`
	Late     bool         `json:"late"`
	OnHold   bool         `json:"on_hold"`
	Closed   bool         `json:"closed"`
}

type listResponse struct {
	Orders []Listed `json:"orders"`
	Next   string   `json:"next"`
}

type timelineResponse struct {
	Entries []struct {
		Source     string    `json:"source"`
		Kind       string    `json:"kind"`
		EventID    string    `json:"event_id"`
		ReceivedAt time.Time `json:"received_at"`
	} `json:"entries"`
}
