// Package dhl reads DHL: the unified tracking API and its push, MyDHL Express,
// eCommerce Americas and its webhook, the older Express XML, and Parcel DE's XML.
// What is known and what is not stands in NOTES.md.
package dhl

import (
	_ "embed"
	"net/http"

	"github.com/waybillhq/waybill/internal/carriers"
)

// The tables of codes. A code of one business unit means nothing in another.
const (
	tableUnified   = "unified.statusCode"
	tableExpress   = "express"
	tableParcel    = "parcel-de.ice"
	tableEcommerce = "ecommerce" // eCommerce Americas
)

// tables names the table of a unified "service"; other services have only the
// five normalised codes.
var tables = map[string]string{
	"express":            tableExpress,
	"freight":            "freight",
	"ecommerce":          tableEcommerce,
	"ecommerce-americas": tableEcommerce,
	"ecommerce-europe":   "ecommerce-europe",
}

// tokenHeader carries the token that we chose when we subscribed: DHL sends back
// what it was given (hook.authentication.header and .token) and signs nothing.
const tokenHeader = "DHL-Webhook-Token"

//go:embed codes.tsv
var codesTSV string

// Codes is DHL's vocabulary, six tables, and our reading of it.
var Codes = carriers.MustTable(codesTSV)

// vague codes mean one of several kinds of delivery.
var vague = map[[2]string]bool{{tableEcommerce, "606"}: true} // left with neighbor/front desk/other

// partial is the bucket of what is delivered in part.
const partial = "partial_delivery"

// Adapter reads DHL.
type Adapter struct{}

// New gives the adapter.
func New() carriers.Adapter { return Adapter{} }

// Name is dhl.
func (Adapter) Name() string { return "dhl" }

// Capabilities: the push is proven by a token, not by a signature.
func (Adapter) Capabilities() []carriers.Capability {
	return []carriers.Capability{carriers.CanParsePush, carriers.CanVerifyPush, carriers.CanParseTrack, carriers.CanTrack, carriers.CanSubscribe, carriers.CanProveDelivery, carriers.CanProve, carriers.CanReturnLabel, carriers.CanPickup}
}

// Verify compares the token that was registered with the subscription, or without
// one the password of HTTP Basic. Nothing says how eCommerce Americas proves its
// pushes, so those without either are refused.
func (Adapter) Verify(p carriers.Push, secrets [][]byte) error {
	given := p.Header.Get(tokenHeader)
	if given == "" {
		_, given, _ = (&http.Request{Header: p.Header}).BasicAuth()
	}
	return carriers.Credential(secrets, given)
}

// Codes is the table behind the readings.
func (Adapter) Codes() *carriers.Table { return Codes }
