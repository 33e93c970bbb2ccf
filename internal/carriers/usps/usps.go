// Package usps speaks with the United States Postal Service: it reads answers of the
// Tracking API v3 and calls of its tracking subscriptions, and asks for labels and
// pickups of returns. NOTES.md says where each fact comes from.
package usps

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
)

// text is how USPS writes: "false" and false.
type text = carriers.Text

// Adapter is USPS. It has no state: all of it is parsing.
type Adapter struct{}

// New gives the adapter.
func New() carriers.Adapter { return Adapter{} }

func (Adapter) Name() string { return "usps" }

func (Adapter) Capabilities() []carriers.Capability {
	return []carriers.Capability{carriers.CanParsePush, carriers.CanVerifyPush, carriers.CanParseTrack, carriers.CanTrack, carriers.CanSubscribe, carriers.CanRenew,
		carriers.CanReturnLabel, carriers.CanPickup}
}

// replayWindow is how old a signed timestamp may be, or how far ahead. USPS's
// retries are not known: one that comes hours later must not be lost.
const replayWindow = 24 * time.Hour

// Verify checks the header X-HMAC: base64 of HMAC-SHA256 over the envelope's
// timestamp and payload. The specification was not to be had, so the whole raw body
// counts as well: either needs the secret. The timestamp counts once it is known to
// be USPS's, if it is written in a way that we know.
func (Adapter) Verify(p carriers.Push, secrets [][]byte) error {
	if err := carriers.Secrets(secrets); err != nil {
		return err
	}
	sum, err := carriers.Sum(p.Header.Get("X-Hmac"), base64.StdEncoding.DecodeString)
	if err != nil {
		return err
	}
	err = carriers.HMAC(secrets, sum, p.Body)
	e, ok := unwrap(p.Body)
	if ok && errors.Is(err, carriers.ErrBadSignature) {
		err = carriers.HMAC(secrets, sum, []byte(e.stamp), e.payload)
	}
	if at, known := stamped(e.stamp); err == nil && known && p.ReceivedAt.Sub(at).Abs() > replayWindow {
		return carriers.ErrReplayed
	}
	return err
}

// stamped reads ISO 8601, a wall time without a zone as UTC, or seconds or
// milliseconds since 1970.
func stamped(s string) (time.Time, bool) {
	if n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64); err == nil {
		if n > 1e11 {
			return time.UnixMilli(n), true
		}
		return time.Unix(n, 0), true
	}
	m, ok := carriers.ISO(s)
	return m.UTC, ok && m.Basis != carriers.DateOnly
}

// envelope is what a subscription sends. Its ID is not covered by the signature,
// so nothing reads it.
type envelope struct {
	stamp   string
	payload []byte
}

// unwrap opens the envelope. The payload is JSON inside a JSON string.
func unwrap(body []byte) (envelope, bool) {
	var e struct {
		Timestamp text            `json:"timestamp"`
		Payload   json.RawMessage `json:"payload"`
	}
	if carriers.Decode(body, &e) != nil || len(e.Payload) == 0 || string(e.Payload) == "null" {
		return envelope{}, false
	}
	var inner string
	if e.Payload[0] != '"' {
		return envelope{string(e.Timestamp), e.Payload}, true
	}
	if json.Unmarshal(e.Payload, &inner) != nil {
		return envelope{}, false
	}
	return envelope{string(e.Timestamp), []byte(inner)}, true
}

// refused turns USPS's own words into the error, so that "not found" can be told
// from garbage by whoever reads it. The API answers with an object, the token
// service with a string.
func refused(raw json.RawMessage, description text) error {
	if len(bytes.TrimSpace(raw)) == 0 || string(raw) == "null" {
		return nil
	}
	said := carriers.Problem{Message: description}
	if json.Unmarshal(raw, &said.Code) != nil || said.Code == "" {
		said.Message = ""
		if json.Unmarshal(raw, &said) != nil {
			return nil
		}
	}
	return carriers.Refused("USPS", said)
}

// Codes is the table behind the readings.
func (Adapter) Codes() *carriers.Table { return Codes }
