// Package ups reads UPS: answers of the Track API and calls of Track Alert.
// NOTES.md says where each fact comes from.
package ups

import (
	"encoding/json"
	"strings"

	"github.com/waybillhq/waybill/internal/carriers"
)

// Adapter is UPS. It has no state: all of it is parsing.
type Adapter struct{}

// New gives the adapter.
func New() carriers.Adapter { return Adapter{} }

func (Adapter) Name() string { return "ups" }

func (Adapter) Capabilities() []carriers.Capability {
	return []carriers.Capability{carriers.CanParsePush, carriers.CanVerifyPush, carriers.CanParseTrack, carriers.CanTrack, carriers.CanSubscribe, carriers.CanRenew, carriers.CanProveDelivery}
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

// text reads a JSON string, number or boolean alike: UPS's own examples write
// codes and times now as strings, now as numbers. Anything else is no text.
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

// problem is an error or a warning in UPS's words.
type problem struct {
	Code    text `json:"code"`
	Message text `json:"message"`
}

// refusals is the document that UPS answers with instead of events.
type refusals struct {
	Response struct {
		Errors []problem `json:"errors"`
	} `json:"response"`
}

// refused turns UPS's own words into the error, so that "not found" can be told
// from garbage by whoever reads it.
func refused(ps []problem) error {
	var words []string
	for _, p := range ps {
		if w := strings.TrimSpace(p.Code.clean(40) + " " + p.Message.clean(200)); w != "" && len(words) < 3 {
			words = append(words, w)
		}
	}
	if len(words) == 0 {
		return nil
	}
	return carriers.Malformed("UPS says: %s", strings.Join(words, "; "))
}

// Codes is the table behind the readings.
func (Adapter) Codes() *carriers.Table { return Codes }
