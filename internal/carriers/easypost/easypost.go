// Package easypost reads EasyPost trackers: the webhook's Event and the answers
// of /v2/trackers. What is known and what is not stands in NOTES.md.
package easypost

import (
	_ "embed"
	"encoding/hex"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/waybillhq/waybill/internal/carriers"
)

// Codes collide between these tables: "unknown" in one is no news, in the other
// a movement.
const (
	tableStatus = "status"
	tableDetail = "status_detail"
)

const (
	signatureHeader = "X-Hmac-Signature"
	signaturePrefix = "hmac-sha256-hex="
)

//go:embed codes.tsv
var codesTSV string

// Codes is EasyPost's vocabulary and our reading of it.
var Codes = carriers.MustTable(codesTSV)

// Adapter reads EasyPost.
type Adapter struct{}

// New gives the adapter.
func New() carriers.Adapter { return Adapter{} }

// Name is easypost.
func (Adapter) Name() string { return "easypost" }

// Capabilities: all.
func (Adapter) Capabilities() []carriers.Capability {
	return []carriers.Capability{carriers.CanParsePush, carriers.CanVerifyPush, carriers.CanParseTrack, carriers.CanTrack, carriers.CanSubscribe, carriers.Aggregates, carriers.CanReturnLabel, carriers.CanPickup}
}

// Verify checks HMAC-SHA256 over the raw body. EasyPost normalises the secret
// (NFKD) before it uses it as a key, so we do too.
func (Adapter) Verify(p carriers.Push, secrets [][]byte) error {
	if err := carriers.Secrets(secrets); err != nil {
		return err
	}
	sum, err := carriers.Sum(p.Header.Get(signatureHeader), func(header string) ([]byte, error) {
		digits, ok := strings.CutPrefix(header, signaturePrefix)
		if !ok {
			return nil, carriers.ErrBadSignature
		}
		return hex.DecodeString(digits)
	})
	if err != nil {
		return err
	}
	keys := make([][]byte, len(secrets))
	for i, s := range secrets {
		keys[i] = norm.NFKD.Bytes(s)
	}
	return carriers.HMAC(keys, sum, p.Body)
}

// Codes is the table behind the readings.
func (Adapter) Codes() *carriers.Table { return Codes }
