// Package ups reads UPS: answers of the Track API and calls of Track Alert.
// NOTES.md says where each fact comes from.
package ups

import (
	"strings"

	"github.com/waybillhq/waybill/internal/carriers"
)

// text is how UPS writes codes and times: now as strings, now as numbers.
type text = carriers.Text

// Adapter is UPS. It has no state: all of it is parsing.
type Adapter struct{}

// New gives the adapter.
func New() carriers.Adapter { return Adapter{} }

func (Adapter) Name() string { return "ups" }

func (Adapter) Capabilities() []carriers.Capability {
	return []carriers.Capability{carriers.CanParsePush, carriers.CanVerifyPush, carriers.CanParseTrack, carriers.CanTrack, carriers.CanSubscribe, carriers.CanRenew, carriers.CanProveDelivery, carriers.CanProve, carriers.CanInstruct, carriers.CanReturnLabel, carriers.CanPickup}
}

// Verify compares the credential that UPS was given at subscription and sends
// back with each call. UPS signs nothing, so a body is only as trustworthy as
// the secrecy of that credential.
func (Adapter) Verify(p carriers.Push, secrets [][]byte) error {
	given := p.Header.Get("Credential")
	if scheme, token, ok := strings.Cut(p.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		given = strings.TrimSpace(token)
	}
	return carriers.Credential(secrets, given)
}

// refusals is the document that UPS answers with instead of events.
type refusals struct {
	Response struct {
		Errors []carriers.Problem `json:"errors"`
	} `json:"response"`
}

// Codes is the table behind the readings.
func (Adapter) Codes() *carriers.Table { return Codes }
