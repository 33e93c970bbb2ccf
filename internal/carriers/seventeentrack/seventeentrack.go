// Package seventeentrack reads 17TRACK, API v2.2 and v2.4: its webhook and the
// answers of gettrackinfo. What is known and what is not stands in NOTES.md.
package seventeentrack

import (
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/hex"

	"github.com/waybillhq/waybill/internal/carriers"
)

// The sub-status says what happened, the stage only the chapter, the status
// what 17TRACK thinks of the whole parcel now.
const (
	tableSub    = "sub_status"
	tableStage  = "stage"
	tableStatus = "status"
)

const signatureHeader = "sign"

//go:embed codes.tsv
var codesTSV string

// Codes is 17TRACK's vocabulary and our reading of it.
var Codes = carriers.MustTable(codesTSV)

// Adapter reads 17TRACK.
type Adapter struct{}

// New gives the adapter.
func New() carriers.Adapter { return Adapter{} }

// Name is 17track.
func (Adapter) Name() string { return "17track" }

// Capabilities: all.
func (Adapter) Capabilities() []carriers.Capability {
	return []carriers.Capability{carriers.CanParsePush, carriers.CanVerifyPush, carriers.CanParseTrack, carriers.CanTrack, carriers.CanSubscribe, carriers.CanRenew, carriers.Aggregates}
}

// Verify checks sign, the plain SHA-256 of the raw body, a slash and the API
// key. It is no HMAC, but with the key at the end it cannot be extended either.
func (Adapter) Verify(p carriers.Push, secrets [][]byte) error {
	if err := carriers.Secrets(secrets); err != nil {
		return err
	}
	sum, err := carriers.Sum(p.Header.Get(signatureHeader), hex.DecodeString)
	if err != nil {
		return err
	}
	good := 0
	for _, key := range secrets {
		h := sha256.New()
		h.Write(p.Body)
		h.Write([]byte("/"))
		h.Write(key)
		good |= subtle.ConstantTimeCompare(h.Sum(nil), sum)
	}
	if good == 0 {
		return carriers.ErrBadSignature
	}
	return nil
}

// Codes is the table behind the readings.
func (Adapter) Codes() *carriers.Table { return Codes }
