package dispatch

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/messaging"
	"github.com/waybillhq/waybill/internal/messaging/sendgrid"
	"github.com/waybillhq/waybill/internal/messaging/twilio"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// CallbackStore keeps what providers say; *store.Store does.
type CallbackStore interface {
	TakeMessageEvents(ctx context.Context, provider string, events []store.MessageEvent, at time.Time, settle func([]store.MessageEvent) (store.MessageStatus, string)) (store.MessageEventCounts, error)
	Suppress(ctx context.Context, channel string, recipient []byte, reason string, at time.Time) error
	Lift(ctx context.Context, channel string, recipient []byte, at time.Time) error
}

// Callbacks takes what providers post: verified on the raw bytes, then durable, then
// acknowledged. Errors are those of package messaging, or the database's.
type Callbacks struct {
	Store CallbackStore
	// Hash is Writer.Hash.
	Hash store.MessageHash
	// PublicURL is the address of the API as providers see it, without a slash.
	PublicURL string
	// TwilioSecrets are the active auth tokens, SendGridKeys the active verification
	// keys. Without them there is no such callback.
	TwilioSecrets [][]byte
	SendGridKeys  []*ecdsa.PublicKey
	Now           func() time.Time
}

// Where providers post, under the public URL.
const (
	TwilioStatusPath   = "/webhooks/messages/twilio/status"
	TwilioInboundPath  = "/webhooks/messages/twilio/inbound"
	SendGridEventsPath = "/webhooks/messages/sendgrid/events"
)

// Names of the providers where their messages and events are kept.
const (
	Twilio   = "twilio"
	SendGrid = "sendgrid"
)

// TwilioStatus takes a status callback. rawQuery is that of the request.
func (c *Callbacks) TwilioStatus(ctx context.Context, rawQuery string, body []byte, signature string) (store.MessageEventCounts, error) {
	var n store.MessageEventCounts
	if err := twilio.Verify(c.TwilioSecrets, c.at(TwilioStatusPath, rawQuery), body, signature); err != nil {
		return n, err
	}
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return n, fmt.Errorf("%w: no query", messaging.ErrMalformed)
	}
	e, err := twilio.ParseStatus(query, body)
	if err != nil {
		return n, err
	}
	return c.take(ctx, Twilio, []messaging.Event{e})
}

// TwilioInbound takes a buyer's text message. STOP suppresses the number, START
// lifts that; Twilio itself answers, to HELP as well.
func (c *Callbacks) TwilioInbound(ctx context.Context, rawQuery string, body []byte, signature string) error {
	if err := twilio.Verify(c.TwilioSecrets, c.at(TwilioInboundPath, rawQuery), body, signature); err != nil {
		return err
	}
	in, err := twilio.ParseInbound(body)
	if err != nil {
		return err
	}
	to := c.Hash(string(order.SMS), string(in.From))
	switch in.Word {
	case twilio.Stop:
		return c.Store.Suppress(ctx, string(order.SMS), to, string(messaging.Unsubscribed), c.Now())
	case twilio.Start:
		return c.Store.Lift(ctx, string(order.SMS), to, c.Now())
	case twilio.Help, twilio.NoWord:
	}
	return nil
}

// SendGridEvents takes a webhook of events.
func (c *Callbacks) SendGridEvents(ctx context.Context, body []byte, signature, timestamp string) (store.MessageEventCounts, error) {
	if err := sendgrid.Verify(c.SendGridKeys, body, signature, timestamp, c.Now()); err != nil {
		return store.MessageEventCounts{}, err
	}
	events, _, err := sendgrid.ParseEvents(body)
	if err != nil {
		return store.MessageEventCounts{}, err
	}
	return c.take(ctx, SendGrid, events)
}

func (c *Callbacks) at(path, rawQuery string) string {
	u := strings.TrimRight(c.PublicURL, "/") + path
	if rawQuery != "" {
		u += "?" + rawQuery
	}
	return u
}

func (c *Callbacks) take(ctx context.Context, provider string, events []messaging.Event) (store.MessageEventCounts, error) {
	rows := make([]store.MessageEvent, len(events))
	for i, e := range events {
		rows[i] = store.MessageEvent{MessageID: e.MessageID, ProviderID: e.ProviderID, EventID: e.EventID, Kind: string(e.Kind), Permanent: e.Permanent,
			Reason: string(e.Reason), Code: e.Code, At: e.At, Lifts: e.Kind == messaging.Resubscribed,
			// SendGrid tells one of the two of every mail that it took.
			First: provider == SendGrid && (e.Kind == messaging.Accepted || e.Kind == messaging.Dropped)}
	}
	return c.Store.TakeMessageEvents(ctx, provider, rows, c.Now(), settle)
}

// settle is what stands of a message after all its events.
func settle(rows []store.MessageEvent) (store.MessageStatus, string) {
	events := make([]messaging.Event, len(rows))
	for i, r := range rows {
		events[i] = messaging.Event{EventID: r.EventID, Kind: messaging.Kind(r.Kind), Permanent: r.Permanent, Reason: messaging.Reason(r.Reason), Code: r.Code}
	}
	e := messaging.Latest(events)
	switch e.Kind {
	case messaging.Accepted, messaging.Deferred, messaging.Sent:
		return store.MessageSent, ""
	case messaging.Delivered, messaging.Opened, messaging.Resubscribed, messaging.OptedOut, messaging.Spam:
		return store.MessageDelivered, "" // who answers has got it
	case messaging.Dropped, messaging.Bounced, messaging.Refused, messaging.Undelivered:
		return store.MessageFailed, reasonOf(&messaging.Error{Reason: e.Reason, Code: e.Code, Fault: string(e.Kind)})
	case messaging.Other:
	}
	return "", ""
}
