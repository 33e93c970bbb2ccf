// Package aftership reads AfterShip: its webhook and the trackings of its API.
// What is known and what is not stands in NOTES.md.
package aftership

import (
	_ "embed"
	"encoding/base64"

	"github.com/waybillhq/waybill/internal/carriers"
)

// The subtag says what happened, the tag only the chapter.
const (
	tableSubtag = "subtag"
	tableTag    = "tag"
)

const signatureHeader = "aftership-hmac-sha256"

//go:embed codes.tsv
var codesTSV string

// Codes is AfterShip's vocabulary and our reading of it.
var Codes = carriers.MustTable(codesTSV)

// Adapter reads AfterShip.
type Adapter struct{}

// New gives the adapter.
func New() carriers.Adapter { return Adapter{} }

// Name is aftership.
func (Adapter) Name() string { return "aftership" }

// Capabilities: all.
func (Adapter) Capabilities() []carriers.Capability {
	return []carriers.Capability{carriers.CanParsePush, carriers.CanVerifyPush, carriers.CanParseTrack, carriers.CanTrack, carriers.CanSubscribe, carriers.Aggregates}
}

// Verify checks HMAC-SHA256 over the raw body, in base64.
func (Adapter) Verify(p carriers.Push, secrets [][]byte) error {
	if err := carriers.Secrets(secrets); err != nil {
		return err
	}
	sum, err := carriers.Sum(p.Header.Get(signatureHeader), base64.StdEncoding.DecodeString)
	if err != nil {
		return err
	}
	return carriers.HMAC(secrets, sum, p.Body)
}

// Codes is the table behind the readings.
func (Adapter) Codes() *carriers.Table { return Codes }
