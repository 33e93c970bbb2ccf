package api

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/messaging/dispatch"
	"github.com/waybillhq/waybill/internal/store"
)

// heard is what callbacks left.
type heard struct {
	events []store.MessageEvent
	lines  []string
	fail   error
}

func (h *heard) TakeMessageEvents(_ context.Context, provider string, events []store.MessageEvent, _ time.Time, _ func([]store.MessageEvent) (store.MessageStatus, string)) (store.MessageEventCounts, error) {
	h.events = append(h.events, events...)
	return store.MessageEventCounts{Taken: len(events)}, h.fail
}

func (h *heard) Suppress(_ context.Context, channel string, recipient []byte, reason string, _ time.Time) error {
	h.lines = append(h.lines, "suppress "+channel+" "+string(recipient)+" "+reason)
	return h.fail
}

func (h *heard) Lift(_ context.Context, channel string, recipient []byte, _ time.Time) error {
	h.lines = append(h.lines, "lift "+channel+" "+string(recipient))
	return h.fail
}

const (
	twilioStatus  = "/webhooks/messages/twilio/status?message=0b5c3f43-6f3e-4a4e-8d7c-94a4a1f0c001"
	twilioInbound = "/webhooks/messages/twilio/inbound"
	sendgridPath  = "/webhooks/messages/sendgrid/events"
	form          = "application/x-www-form-urlencoded"
)

func withCallbacks(t *testing.T, limits ...Limits) (*bench, *heard, *ecdsa.PrivateKey) {
	t.Helper()
	b, h := newBench(t, limits...), &heard{}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b.api.messages = &dispatch.Callbacks{Store: h, Hash: func(channel, to string) []byte { return []byte(channel + to) }, PublicURL: "https://way.example",
		TwilioSecrets: [][]byte{[]byte("token")}, SendGridKeys: []*ecdsa.PublicKey{&key.PublicKey}, Now: func() time.Time { return b.now }}
	return b, h, key
}

// signedForm is Twilio's signature of a form without escapes.
func signedForm(path, body string) string {
	parts := strings.Split(body, "&")
	slices.Sort(parts)
	mac := hmac.New(sha1.New, []byte("token"))
	mac.Write([]byte("https://way.example" + path + strings.ReplaceAll(strings.ReplaceAll(strings.Join(parts, ""), "=", ""), "%2B", "+")))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestProvidersTellWhatBecameOfMessages(t *testing.T) {
	b, h, key := withCallbacks(t)
	sid := "SM" + strings.Repeat("0", 32)
	body := "MessageSid=" + sid + "&MessageStatus=delivered"
	b.call("POST", twilioStatus, "", body, "Content-Type", form, "X-Twilio-Signature", signedForm(twilioStatus, body)).want(204)
	if len(h.events) != 1 || h.events[0].MessageID != "0b5c3f43-6f3e-4a4e-8d7c-94a4a1f0c001" || h.events[0].ProviderID != sid {
		t.Errorf("%+v", h.events)
	}
	for words, want := range map[string]string{"STOP": "suppress sms sms+15551234567 unsubscribed", "start": "lift sms sms+15551234567", "Hello": ""} {
		h.lines = nil
		in := "Body=" + words + "&From=%2B15551234567&MessageSid=" + sid + "&To=%2B15005550006"
		if a := b.call("POST", twilioInbound, "", in, "Content-Type", form, "X-Twilio-Signature", signedForm(twilioInbound, in)).want(204); a.Body.Len() != 0 {
			t.Errorf("the buyer is answered %q", a.Body)
		}
		if got := strings.Join(h.lines, ""); got != want {
			t.Errorf("%s: %q", words, got)
		}
	}
	raw := `[{"event":"delivered","sg_event_id":"e1","waybill_message":"m1"}]`
	at := strconv.FormatInt(b.now.Unix(), 10)
	sum := sha256.Sum256([]byte(at + raw))
	sig, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := base64.StdEncoding.EncodeToString(sig)
	const sh, th = "X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"
	b.call("POST", sendgridPath, "", raw, sh, signature, th, at).want(204)
	if len(h.events) != 2 || h.events[1].MessageID != "m1" {
		t.Errorf("%+v", h.events)
	}

	b.call("POST", sendgridPath, "", raw+" ", sh, signature, th, at).refuses(401, "unauthenticated", "-")
	b.call("POST", sendgridPath, "", raw).refuses(401, "unauthenticated", "-")
	b.call("POST", twilioStatus, "", body, "Content-Type", form).refuses(401, "unauthenticated", "-")
	b.call("POST", twilioStatus+"0", "", body, "Content-Type", form, "X-Twilio-Signature", signedForm(twilioStatus, body)).refuses(401, "unauthenticated", "-")
	wrong := "MessageSid=SM1&MessageStatus=delivered"
	b.call("POST", twilioStatus, "", wrong, "Content-Type", form, "X-Twilio-Signature", signedForm(twilioStatus, wrong)).refuses(400, "malformed", "-")
	b.call("POST", twilioStatus, "", strings.Repeat("x", 64<<10+1), "Content-Type", form).refuses(413, "too-large", "-")
	b.call("POST", twilioStatus, "", body, "Content-Type", form, "Content-Encoding", "gzip").refuses(415, "unsupported-media-type", "-")
	if len(h.events) != 2 {
		t.Errorf("a forged callback was taken: %+v", h.events)
	}
	// What is not durable is not acknowledged: the provider tries again.
	h.fail = errors.New("the database is away")
	b.call("POST", twilioStatus, "", body, "Content-Type", form, "X-Twilio-Signature", signedForm(twilioStatus, body)).refuses(503, "unavailable", "-")
	if strings.Contains(b.log.String(), "15551234567") {
		t.Error("a buyer's number is in the log")
	}
}

func TestWithoutSecretsThereAreNoCallbacks(t *testing.T) {
	b, _, _ := withCallbacks(t)
	b.api.messages.TwilioSecrets, b.api.messages.SendGridKeys = nil, nil
	for _, path := range []string{twilioStatus, twilioInbound} {
		b.call("POST", path, "", "MessageSid=x", "Content-Type", form, "X-Twilio-Signature", "x").refuses(404, "not-found", "-")
	}
	b.call("POST", sendgridPath, "", "[]").refuses(404, "not-found", "-")
	b.api.messages = nil
	b.call("POST", sendgridPath, "", "[]").refuses(404, "not-found", "-")
}
