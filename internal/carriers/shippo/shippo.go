// Package shippo reads Shippo: its track_updated webhook and its Tracks. What is
// known and what is not stands in NOTES.md.
package shippo

import (
	_ "embed"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

// A code is the status and its substatus together; the bare status is a table
// of its own.
const (
	tableSub    = "status.substatus"
	tableStatus = "status"
)

const (
	signatureHeader = "Shippo-Auth-Signature"
	replayWindow    = 5 * time.Minute
)

//go:embed codes.tsv
var codesTSV string

// Codes is Shippo's vocabulary and our reading of it.
var Codes = carriers.MustTable(codesTSV)

// Adapter reads Shippo.
type Adapter struct{}

// New gives the adapter.
func New() carriers.Adapter { return Adapter{} }

// Name is shippo.
func (Adapter) Name() string { return "shippo" }

// Capabilities: all. Signing must be asked for; see NOTES.md.
func (Adapter) Capabilities() []carriers.Capability {
	return []carriers.Capability{carriers.CanParsePush, carriers.CanVerifyPush, carriers.CanParseTrack, carriers.CanTrack, carriers.CanSubscribe, carriers.Aggregates}
}

// Verify checks "t=...,v1=<hex>": HMAC-SHA256 over the time, a dot and the raw
// body. The time counts only once the signature over it holds.
func (Adapter) Verify(p carriers.Push, secrets [][]byte) error {
	if err := carriers.Secrets(secrets); err != nil {
		return err
	}
	header := strings.TrimSpace(p.Header.Get(signatureHeader))
	if header == "" {
		return carriers.ErrNotSigned
	}
	stamp, sum, ok := signature(header)
	if !ok {
		return carriers.ErrBadSignature
	}
	if err := carriers.HMAC(secrets, sum, []byte(stamp), []byte("."), p.Body); err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return carriers.ErrReplayed
	}
	if p.ReceivedAt.Sub(time.Unix(seconds, 0)).Abs() > replayWindow {
		return carriers.ErrReplayed
	}
	return nil
}

// signature takes the header apart. Each part stands once: two times would let
// one be signed and the other be read.
func signature(header string) (stamp string, sum []byte, ok bool) {
	for _, part := range strings.Split(header, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case key == "t" && stamp == "":
			stamp = value
		case key == "v1" && sum == nil:
			b, err := hex.DecodeString(value)
			if err != nil {
				return "", nil, false
			}
			sum = b
		case key == "t", key == "v1":
			return "", nil, false
		}
	}
	return stamp, sum, stamp != "" && len(sum) > 0
}

// Codes is the table behind the readings.
func (Adapter) Codes() *carriers.Table { return Codes }
