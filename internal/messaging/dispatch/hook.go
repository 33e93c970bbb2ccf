package dispatch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/waybillhq/waybill/internal/messaging"
	"github.com/waybillhq/waybill/internal/storefront"
	"github.com/waybillhq/waybill/order"
)

// Hook is an alert as a team's own system gets it. Text says all of it.
type Hook struct {
	// ID is the Idempotency-Key too: the same alert may come twice.
	ID       string     `json:"id"`
	Type     string     `json:"type"`
	Order    string     `json:"order"`
	Occasion string     `json:"occasion"`
	Team     order.Team `json:"team"`
	At       time.Time  `json:"at"`
	Text     string     `json:"text"`
}

func hookURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return nil
	}
	return u
}

// Hooks posts to teams' systems, signed as what storefronts are asked. Addresses are
// those of our own configuration.
type Hooks struct {
	urls   map[order.Team]*url.URL
	wires  map[order.Team]*messaging.Wire
	secret []byte
	now    func() time.Time
}

const hooks = "webhook"

// NewHooks makes a port for the teams that have a webhook.
func NewHooks(teams map[order.Team]Team, secret []byte, now func() time.Time) (*Hooks, error) {
	h := &Hooks{urls: map[order.Team]*url.URL{}, wires: map[order.Team]*messaging.Wire{}, secret: secret, now: now}
	for name, t := range teams {
		if t.Webhook == "" {
			continue
		}
		u := hookURL(t.Webhook)
		if u == nil || len(secret) == 0 {
			return nil, errors.New("the webhook of " + string(name) + " needs a web address and a secret to sign with")
		}
		wire, err := messaging.NewWire(u.Scheme+"://"+u.Host, messaging.Timeout)
		if err != nil {
			return nil, err
		}
		h.urls[name], h.wires[name] = u, wire
	}
	return h, nil
}

// Name implements Port.
func (h *Hooks) Name() string { return hooks }

// Via implements Port.
func (h *Hooks) Via() string { return hooks }

// Stream implements Port.
func (h *Hooks) Stream() string { return "" }

// Send posts one alert: at most one request.
func (h *Hooks) Send(ctx context.Context, e Envelope) (messaging.Receipt, error) {
	if e.Hook == nil || h.urls[e.Hook.Team] == nil {
		return messaging.Receipt{}, messaging.Refuse(hooks, messaging.BadAddress, "no address")
	}
	body, err := json.Marshal(e.Hook)
	if err != nil {
		return messaging.Receipt{}, messaging.Refuse(hooks, messaging.Rejected, "the alert cannot be encoded")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.urls[e.Hook.Team].String(), bytes.NewReader(body))
	if err != nil {
		return messaging.Receipt{}, messaging.Refuse(hooks, messaging.BadAddress, "no address")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Waybill")
	req.Header.Set(storefront.IdempotencyHeader, e.Hook.ID)
	req.Header.Set(storefront.SignatureHeader, storefront.Sign(h.secret, h.now(), body))
	client, x := h.wires[e.Hook.Team].Client(ctx)
	res, err := client.Do(req)
	if err == nil {
		_ = res.Body.Close()
		if res.StatusCode >= 200 && res.StatusCode < 300 {
			return messaging.Receipt{}, nil
		}
	}
	return messaging.Receipt{}, messaging.Classify(hooks, *x)
}

// Find lets an alert be posted again: its receiver knows it by its ID.
func (h *Hooks) Find(context.Context, Envelope, time.Time) (messaging.Finding, messaging.Receipt, error) {
	return messaging.NotTaken, messaging.Receipt{}, nil
}
