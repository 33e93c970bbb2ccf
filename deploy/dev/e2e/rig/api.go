package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/waybillhq/waybill/order"
)

// API asks the product over HTTP, once: a test wants to see each answer.
type API struct {
	Base string
	Keys map[string]string // by scope
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// OK is a 2xx.
func (a Answer) OK() bool { return a.Status >= 200 && a.Status < 300 }

// Into decodes the body.
func (a Answer) Into(v any) error {
	if err := json.Unmarshal(a.Body, v); err != nil {
		return fmt.Errorf("%w: %s", err, a.Body)
	}
	return nil
}

func (a Answer) String() string { return fmt.Sprintf("%d %s", a.Status, a.Body) }

// Redirects are answers too, and sessions are the test's business.
var browser = &http.Client{
	Timeout:       60 * time.Second,
	Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Do sends one request with a key, "" for none. Header is pairs of names and
// values.
func (a *API) Do(ctx context.Context, key, method, path string, body any, header ...string) (Answer, error) {
	var in []byte
	if body != nil {
		var err error
		if in, err = json.Marshal(body); err != nil {
			return Answer{}, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, a.Base+path, bytes.NewReader(in))
	if err != nil {
		return Answer{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return a.Send(req)
}

// Send sends a request that the caller made.
func (a *API) Send(req *http.Request) (Answer, error) {
	resp, err := browser.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	return Answer{resp.StatusCode, resp.Header, out}, err
}

// Post and Get use the admin's key.
func (a *API) Post(ctx context.Context, path string, body any, header ...string) (Answer, error) {
	return a.Do(ctx, a.Keys["admin"], http.MethodPost, path, body, header...)
}

func (a *API) Put(ctx context.Context, path string, body any) (Answer, error) {
	return a.Do(ctx, a.Keys["admin"], http.MethodPut, path, body)
}

func (a *API) Get(ctx context.Context, path string) (Answer, error) {
	return a.Do(ctx, a.Keys["admin"], http.MethodGet, path, nil)
}

// OrderPath is where an order is in the API.
func OrderPath(id string) string { return "/v1/orders/" + url.PathEscape(id) }

// The requests, as a client of ours would write them.
type (
	// Order is a new order.
	Order struct {
		Store      string                `json:"store"`
		Number     string                `json:"number"`
		Policy     string                `json:"policy,omitempty"`
		PlacedAt   time.Time             `json:"placed_at,omitzero"`
		PromisedAt time.Time             `json:"promised_at,omitzero"`
		Customer   Customer              `json:"customer"`
		ShipTo     Address               `json:"ship_to"`
		Lines      []order.Line          `json:"lines"`
		Parcels    []order.PlannedParcel `json:"parcels,omitempty"`
	}
	// Customer is personal data.
	Customer struct {
		Name  string `json:"name,omitempty"`
		Email string `json:"email,omitempty"`
		Phone string `json:"phone,omitempty"`
	}
	// Address is personal data.
	Address struct {
		Name    string `json:"name,omitempty"`
		Street  string `json:"street,omitempty"`
		City    string `json:"city,omitempty"`
		Country string `json:"country,omitempty"`
	}
	// Scan is a warehouse scan.
	Scan struct {
		ID         string         `json:"id"`
		Kind       order.ScanKind `json:"kind"`
		Order      string         `json:"order"`
		Parcel     string         `json:"parcel,omitempty"`
		Carrier    string         `json:"carrier,omitempty"`
		Tracking   string         `json:"tracking,omitempty"`
		OccurredAt time.Time      `json:"occurred_at"`
		Location   string         `json:"location,omitempty"`
	}
	// Event is what a carrier says.
	Event struct {
		ID         string          `json:"id"`
		Tracking   string          `json:"tracking"`
		Milestone  order.Milestone `json:"milestone,omitempty"`
		Code       string          `json:"code,omitempty"`
		Bucket     string          `json:"bucket,omitempty"`
		Location   string          `json:"location,omitempty"`
		OccurredAt time.Time       `json:"occurred_at"`
		ETA        time.Time       `json:"eta,omitzero"`
		Correction bool            `json:"correction,omitempty"`
	}
)

// ID of the order.
func (o Order) ID() string { return o.Store + ":" + o.Number }

// Carrier is the one that all events are of.
const Carrier = "sim"

// PostScans posts a batch.
func (a *API) PostScans(ctx context.Context, scans ...Scan) (Answer, error) {
	return a.Post(ctx, "/v1/scans", map[string]any{"scans": scans})
}

// PostEvents posts a batch of [Carrier].
func (a *API) PostEvents(ctx context.Context, events ...Event) (Answer, error) {
	return a.Post(ctx, "/v1/carriers/"+Carrier+"/events", map[string]any{"events": events})
}
