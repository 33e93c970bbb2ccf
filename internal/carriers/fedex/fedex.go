// Package fedex reads FedEx: answers of the Track API and webhooks of Advanced
// Integrated Visibility. NOTES.md says where each fact comes from.
package fedex

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/waybillhq/waybill/internal/carriers"
)

// Adapter is FedEx. It has no state: all of it is parsing.
type Adapter struct{}

// New gives the adapter.
func New() carriers.Adapter { return Adapter{} }

func (Adapter) Name() string { return "fedex" }

func (Adapter) Capabilities() []carriers.Capability {
	return []carriers.Capability{carriers.CanParsePush, carriers.CanVerifyPush, carriers.CanParseTrack, carriers.CanTrack, carriers.CanProveDelivery}
}

// Verify checks the header fdx-signature: base64 of HMAC-SHA256 over the raw body.
func (Adapter) Verify(p carriers.Push, secrets [][]byte) error {
	if err := carriers.Secrets(secrets); err != nil {
		return err
	}
	given := strings.TrimSpace(p.Header.Get("Fdx-Signature"))
	if given == "" {
		return carriers.ErrNotSigned
	}
	sum, err := base64.StdEncoding.DecodeString(given)
	if err != nil || len(sum) == 0 {
		return carriers.ErrBadSignature
	}
	return carriers.HMAC(secrets, sum, p.Body)
}

// text reads a JSON string, number or boolean alike; anything else is no text.
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

// problem is an error in FedEx's words.
type problem struct {
	Code    text `json:"code"`
	Message text `json:"message"`
}

// refused turns FedEx's own words into the error, so that "not found" can be told
// from garbage by whoever reads it.
func refused(ps []problem) error {
	var words []string
	for _, p := range ps {
		if w := strings.TrimSpace(p.Code.clean(80) + " " + p.Message.clean(200)); w != "" && len(words) < 3 {
			words = append(words, w)
		}
	}
	if len(words) == 0 {
		return nil
	}
	return carriers.Malformed("FedEx says: %s", strings.Join(words, "; "))
}

// Codes is the table behind the readings.
func (Adapter) Codes() *carriers.Table { return Codes }
