// Package usps reads the United States Postal Service: answers of the Tracking API
// v3 and calls of its tracking subscriptions. NOTES.md says where each fact comes from.
package usps

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"

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
	return []carriers.Capability{carriers.CanParsePush, carriers.CanVerifyPush, carriers.CanParseTrack, carriers.CanTrack, carriers.CanSubscribe, carriers.CanRenew}
}

// Verify checks the header X-HMAC: base64 of HMAC-SHA256 over the envelope's
// timestamp and payload. The specification was not to be had, so the whole raw body
// counts as well: either needs the secret.
func (Adapter) Verify(p carriers.Push, secrets [][]byte) error {
	if err := carriers.Secrets(secrets); err != nil {
		return err
	}
	sum, err := carriers.Sum(p.Header.Get("X-Hmac"), base64.StdEncoding.DecodeString)
	if err != nil {
		return err
	}
	err = carriers.HMAC(secrets, sum, p.Body)
	if e, ok := unwrap(p.Body); ok && errors.Is(err, carriers.ErrBadSignature) {
		return carriers.HMAC(secrets, sum, []byte(e.stamp), e.payload)
	}
	return err
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
