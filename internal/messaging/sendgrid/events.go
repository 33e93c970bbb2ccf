package sendgrid

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/sendgrid/sendgrid-go/helpers/eventwebhook"

	"github.com/waybillhq/waybill/internal/messaging"
)

// The headers of a signed event webhook.
const (
	SignatureHeader = eventwebhook.VerificationHTTPHeader
	TimestampHeader = eventwebhook.TimestampHTTPHeader
)

const (
	// MaxWebhook bounds a webhook's body in bytes.
	MaxWebhook = 4 << 20
	maxEvents  = 20_000
	// ReplayWindow is how old a signature may be. SendGrid repeats what it could not
	// deliver for 24 hours and does not say whether it signs that anew; a shorter window
	// would lose events for good. Each counts once, so a replay does nothing.
	ReplayWindow = 26 * time.Hour
	// skew is how far ahead the signer's clock may be.
	skew = 5 * time.Minute
)

// Key reads the verification key as SendGrid shows it: base64 of a PKIX public
// key, which must be on P-256.
func Key(s string) (k *ecdsa.PublicKey, err error) {
	bad := errors.New("sendgrid: the verification key is no P-256 public key in base64")
	defer func() {
		if recover() != nil { // the library asserts the key's type
			k, err = nil, bad
		}
	}()
	k, err = eventwebhook.ConvertPublicKeyBase64ToECDSA(strings.TrimSpace(s))
	if err != nil || k.Curve != elliptic.P256() {
		return nil, bad
	}
	return k, nil
}

// Verify says whether a webhook is SendGrid's: ECDSA over the timestamp's text
// and the raw body, by any of the active keys, signed within ReplayWindow.
func Verify(keys []*ecdsa.PublicKey, body []byte, signature, timestamp string, now time.Time) error {
	if len(keys) == 0 {
		return messaging.ErrNoSecret
	}
	for _, k := range keys {
		if k == nil {
			return messaging.ErrNoSecret
		}
	}
	if signature == "" || timestamp == "" {
		return messaging.ErrNotSigned
	}
	sig, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || len(sig) > 200 || len(timestamp) > 20 {
		return messaging.ErrBadSignature
	}
	h := sha256.New()
	h.Write([]byte(timestamp))
	h.Write(body)
	sum := h.Sum(nil)
	good := false
	for _, k := range keys {
		good = ecdsa.VerifyASN1(k, sum, sig) || good
	}
	if !good {
		return messaging.ErrBadSignature
	}
	at, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return messaging.ErrReplayed
	}
	if away := now.Sub(time.Unix(at, 0)); away > ReplayWindow || away < -skew {
		return messaging.ErrReplayed
	}
	return nil
}

// event is what is read of one. The address, the reason's words and the buyer's
// device are left where they are.
type event struct {
	Event     string          `json:"event"`
	ID        string          `json:"sg_event_id"`
	MessageID string          `json:"sg_message_id"`
	Ours      string          `json:"waybill_message"` // idArg
	Timestamp json.RawMessage `json:"timestamp"`
	Type      string          `json:"type"`
	Status    string          `json:"status"`
	Reason    string          `json:"reason"`
	Class     string          `json:"bounce_classification"`
}

// ParseEvents reads a verified webhook. Each item is read by itself: one that
// cannot be read is counted in skipped and loses nothing else.
func ParseEvents(body []byte) (events []messaging.Event, skipped int, err error) {
	if len(body) > MaxWebhook {
		return nil, 0, fmt.Errorf("%w: too long", messaging.ErrMalformed)
	}
	var items []json.RawMessage
	if err := json.Unmarshal(body, &items); err != nil || items == nil || len(items) > maxEvents {
		return nil, 0, fmt.Errorf("%w: no list of events", messaging.ErrMalformed)
	}
	for _, item := range items {
		if e, ok := read(item); ok {
			events = append(events, e)
		} else {
			skipped++
		}
	}
	return events, skipped, nil
}

var (
	eventID  = regexp.MustCompile(`^[A-Za-z0-9_=.+/-]{1,200}$`)
	smtpCode = regexp.MustCompile(`^[245]\.[0-9]{1,3}\.[0-9]{1,3}$`)
)

func read(item json.RawMessage) (messaging.Event, bool) {
	var in event
	// An item whose other fields are of another shape is still an event.
	var shape *json.UnmarshalTypeError
	if err := json.Unmarshal(item, &in); err != nil && !errors.As(err, &shape) {
		return messaging.Event{}, false
	}
	if !bytes.HasPrefix(bytes.TrimSpace(item), []byte("{")) || in.Event == "" || !eventID.MatchString(in.ID) {
		return messaging.Event{}, false
	}
	e := messaging.Event{Kind: messaging.Other, EventID: in.ID}
	if messageID.MatchString(in.Ours) {
		e.MessageID = in.Ours
	}
	// sg_message_id is X-Message-Id, a dot, and the servers that it went through.
	if id, _, _ := strings.Cut(in.MessageID, "."); eventID.MatchString(id) {
		e.ProviderID = id
	}
	e.At = when(in.Timestamp)
	if smtpCode.MatchString(in.Status) {
		e.Code = in.Status
	}
	switch in.Event {
	case "processed":
		e.Kind = messaging.Accepted
	case "deferred":
		e.Kind = messaging.Deferred
	case "delivered":
		e.Kind = messaging.Delivered
	case "open", "click":
		e.Kind = messaging.Opened
	case "bounce", "blocked":
		e.Kind, e.Permanent, e.Reason = bounce(in)
	case "dropped":
		e.Kind, e.Permanent, e.Reason = dropped(in.Reason)
	case "spamreport":
		e.Kind, e.Permanent, e.Reason = messaging.Spam, true, messaging.Unsubscribed
	case "unsubscribe", "group_unsubscribe":
		e.Kind, e.Permanent, e.Reason = messaging.OptedOut, true, messaging.Unsubscribed
	case "group_resubscribe":
		e.Kind = messaging.Resubscribed
	}
	return e, true
}

// when reads Unix seconds, as a number or in a string.
func when(raw json.RawMessage) time.Time {
	f, err := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64)
	if err != nil || math.IsNaN(f) || f < 1e9 || f > 1e11 {
		return time.Time{}
	}
	return time.Unix(int64(f), 0).UTC()
}

// bounce reads SendGrid's classification; type "blocked" is a refusal for now,
// after which SendGrid would try the address again.
func bounce(in event) (messaging.Kind, bool, messaging.Reason) {
	kind, permanent := messaging.Bounced, true
	if in.Type == "blocked" || in.Event == "blocked" {
		kind, permanent = messaging.Refused, false
	}
	switch strings.ToLower(in.Class) {
	case "invalid address":
		return kind, permanent, messaging.BadAddress
	case "content", "reputation":
		return kind, permanent, messaging.Blocked
	case "mailbox unavailable", "technical", "technical failure", "frequency or volume too high":
		return kind, permanent, messaging.Unreachable
	}
	switch {
	case strings.HasPrefix(in.Status, "5.1."):
		return kind, permanent, messaging.BadAddress
	case strings.HasPrefix(in.Status, "5.7."):
		return kind, permanent, messaging.Blocked
	}
	return kind, permanent, messaging.Unreachable
}

func dropped(reason string) (messaging.Kind, bool, messaging.Reason) {
	switch strings.ToLower(reason) {
	case "bounced address", "invalid", "invalid address":
		return messaging.Dropped, true, messaging.BadAddress
	case "unsubscribed address", "spam reporting address", "user in suppression list":
		return messaging.Dropped, true, messaging.Unsubscribed
	case "spam content":
		return messaging.Dropped, false, messaging.Blocked
	}
	return messaging.Dropped, false, messaging.Rejected
}
