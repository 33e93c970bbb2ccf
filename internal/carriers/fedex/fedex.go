// Package fedex speaks with FedEx: it reads answers of the Track API and webhooks of
// Advanced Integrated Visibility, and asks for labels and pickups of returns. NOTES.md
// says where each fact comes from.
package fedex

import (
	"encoding/base64"

	"github.com/waybillhq/waybill/internal/carriers"
)

type text = carriers.Text

// Adapter is FedEx. It has no state: all of it is parsing.
type Adapter struct{}

// New gives the adapter.
func New() carriers.Adapter { return Adapter{} }

func (Adapter) Name() string { return "fedex" }

func (Adapter) Capabilities() []carriers.Capability {
	return []carriers.Capability{carriers.CanParsePush, carriers.CanVerifyPush, carriers.CanParseTrack, carriers.CanTrack, carriers.CanProveDelivery, carriers.CanProve,
		carriers.CanReturnLabel, carriers.CanPickup}
}

// Verify checks the header fdx-signature: base64 of HMAC-SHA256 over the raw body.
func (Adapter) Verify(p carriers.Push, secrets [][]byte) error {
	if err := carriers.Secrets(secrets); err != nil {
		return err
	}
	sum, err := carriers.Sum(p.Header.Get("Fdx-Signature"), base64.StdEncoding.DecodeString)
	if err != nil {
		return err
	}
	return carriers.HMAC(secrets, sum, p.Body)
}

// Codes is the table behind the readings.
func (Adapter) Codes() *carriers.Table { return Codes }
