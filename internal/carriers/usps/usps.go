// Package usps reads the United States Postal Service: answers of the Tracking API
// v3 and calls of its tracking subscriptions. NOTES.md says where each fact comes from.
package usps

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"github.com/waybillhq/waybill/internal/carriers"
)

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
	given := strings.TrimSpace(p.Header.Get("X-Hmac"))
	if given == "" {
		return carriers.ErrNotSigned
	}
	sum, err := base64.StdEncoding.DecodeString(given)
	if err != nil || len(sum) == 0 {
		return carriers.ErrBadSignature
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
	if decode(body, &e) != nil || len(e.Payload) == 0 || string(e.Payload) == "null" {
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

// text reads a JSON string, number or boolean alike: USPS writes "false" and false.
// Anything else is no text.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	switch {
	case len(b) == 0 || b[0] == '{' || b[0] == '[' || string(b) == "null":
		return nil
	case b[0] == '"':
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
	default:
		s = string(b)
	}
	*t = text(s)
	return nil
}

// clean is the text, safe to keep, at most max bytes.
func (t text) clean(max int) string { return carriers.Clean(string(t), max) }

// decode reads a body of bounded size.
func decode(body []byte, into any) error {
	if len(body) > carriers.MaxBody {
		return carriers.Malformed("a body of %d bytes", len(body))
	}
	if err := json.Unmarshal(body, into); err != nil {
		return carriers.Malformed("%v", err)
	}
	return nil
}

// refused turns USPS's own words into the error, so that "not found" can be told
// from garbage by whoever reads it. The API answers with an object, the token
// service with a string.
func refused(raw json.RawMessage, description text) error {
	if len(bytes.TrimSpace(raw)) == 0 || string(raw) == "null" {
		return nil
	}
	var code text
	var doc struct {
		Code    text `json:"code"`
		Message text `json:"message"`
	}
	if json.Unmarshal(raw, &code) != nil || code == "" {
		if json.Unmarshal(raw, &doc) != nil {
			return nil
		}
		code, description = doc.Code, doc.Message
	}
	words := strings.TrimSpace(code.clean(80) + " " + description.clean(200))
	if words == "" {
		return nil
	}
	return carriers.Malformed("USPS says: %s", words)
}

// Codes is the table behind the readings.
func (Adapter) Codes() *carriers.Table { return Codes }
