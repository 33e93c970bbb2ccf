package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

type newOrder struct {
	Store      string      `json:"store"`
	Number     string      `json:"number"`
	Class      order.Class `json:"class"`
	PlacedAt   *time.Time  `json:"placed_at,omitempty"`
	PromisedAt *time.Time  `json:"promised_at,omitempty"`
	Policy     string      `json:"policy"`
	Currency   string      `json:"currency,omitempty"`
	Customer   struct {
		Ref string `json:"ref,omitempty"`
		store.Contact
	} `json:"customer"`
	ShipFrom string                `json:"ship_from,omitempty"` // country
	ShipTo   store.Address         `json:"ship_to"`
	Lines    []order.Line          `json:"lines"`
	Parcels  []order.PlannedParcel `json:"parcels,omitempty"`
	Replaces string                `json:"replaces,omitempty"`
}

// settle brings what means the same into one form: the defaults that do not
// depend on the moment, UTC, texts without control characters.
func (n *newOrder) settle() {
	if n.Class == "" {
		n.Class = order.Routine
	}
	if n.Policy == "" {
		n.Policy = "default"
	}
	n.PlacedAt, n.PromisedAt = utc(n.PlacedAt), utc(n.PromisedAt)
	n.Customer.Name = clean(n.Customer.Name, 800)
	n.ShipTo = cleanAddress(n.ShipTo)
	for i := range n.Lines {
		n.Lines[i].Name = clean(n.Lines[i].Name, 200)
	}
	for i := range n.Parcels {
		n.Parcels[i].Service = clean(n.Parcels[i].Service, 40)
	}
}

// utc keeps PostgreSQL's precision, so that what is read equals what was written.
func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC().Truncate(time.Microsecond)
	return &u
}

func cleanAddress(a store.Address) store.Address {
	return store.Address{Name: clean(a.Name, 800), Street: clean(a.Street, 2000), City: clean(a.City, 800),
		PostalCode: clean(a.PostalCode, 80), Region: clean(a.Region, 400), Country: a.Country}
}

// hash identifies the request, so that a retry of the same order is told apart
// from another order under the same number. It holds nothing that depends on
// the moment. Hashes are kept for as long as orders: a field that is added later
// must be left out when empty, or retries across a deploy become conflicts.
func (n *newOrder) hash() []byte {
	b, _ := json.Marshal(n) // plain data
	h := sha256.Sum256(b)
	return h[:]
}

// check looks at what package order does not: names that must be printable
// because they are identities, and amounts that need a currency.
func (n *newOrder) check() error {
	var bad []error
	if !printable(n.Customer.Email) {
		bad = append(bad, unprintable("customer.email"))
	}
	for i, l := range n.Lines {
		at := "lines[" + strconv.Itoa(i) + "]."
		if !printable(l.SKU) {
			bad = append(bad, unprintable(at+"sku"))
		}
		if l.UnitAmount != 0 && n.Currency == "" {
			bad = append(bad, &order.Refusal{Field: "currency", Reason: "is needed with unit_amount"})
			break
		}
	}
	return errors.Join(bad...)
}

func unprintable(field string) error {
	return &order.Refusal{Field: field, Reason: "must not have control characters, or space around it"}
}

type orderLinks struct {
	Self     string `json:"self"`
	Timeline string `json:"timeline"`
	Waiting  string `json:"waiting"`
	History  string `json:"history"`
}

func (s *server) linksOf(id string) orderLinks {
	self := strings.TrimRight(s.links.PublicURL, "/") + "/v1/orders/" + url.PathEscape(id)
	return orderLinks{Self: self, Timeline: self + "/timeline", Waiting: self + "/waiting", History: s.links.History(id)}
}

type createdOrder struct {
	Order       order.View `json:"order"`
	TrackingURL string     `json:"tracking_url"`
	Links       orderLinks `json:"links"`

	Warnings []fieldError `json:"warnings,omitempty"`
}

func (s *server) createOrder(c echo.Context) error {
	req, err := decode[newOrder](c)
	if err != nil {
		return err
	}
	if err := callerOf(c).forStore(req.Store); err != nil {
		return err
	}
	req.settle()
	return s.idempotently(c, func() (int, any, error) {
		ctx := c.Request().Context()
		now := s.now().UTC().Truncate(time.Microsecond)
		_, err := s.store.GetStore(ctx, req.Store)
		if errors.Is(err, store.ErrNotFound) {
			return 0, nil, &order.Refusal{Field: "store", Reason: "there is no store " + req.Store}
		}
		if err != nil {
			return 0, nil, err
		}
		policy, err := s.store.Policy(ctx, req.Policy)
		if errors.Is(err, store.ErrNotFound) {
			return 0, nil, &order.Refusal{Field: "policy", Reason: "there is no policy " + req.Policy}
		}
		if err != nil {
			return 0, nil, err
		}
		spec := order.Spec{
			ID: req.Store + ":" + req.Number, Store: req.Store, Number: req.Number, Class: req.Class, CustomerRef: req.Customer.Ref,
			Currency: req.Currency, Lines: req.Lines, Parcels: req.planned(), PlacedAt: now,
			ShipFrom: req.ShipFrom, ShipTo: req.ShipTo.Country, Policy: policy.For(req.Class), Replaces: req.Replaces,
		}
		if req.PlacedAt != nil {
			spec.PlacedAt = *req.PlacedAt
		}
		if req.PromisedAt != nil {
			spec.PromisedAt = *req.PromisedAt
		}
		if spec.CustomerRef == "" {
			spec.CustomerRef = spec.ID
		}
		if err := errors.Join(req.check(), order.CheckSpec(spec, now)); err != nil {
			return 0, nil, offerCarriers(err, req.unnamed())
		}
		if spec.Replaces != "" {
			if _, err := s.store.Order(ctx, spec.Replaces); errors.Is(err, store.ErrNotFound) {
				return 0, nil, &order.Refusal{Field: "replaces", Reason: "there is no order " + spec.Replaces}
			} else if err != nil {
				return 0, nil, err
			}
		}
		created, err := s.store.CreateOrder(ctx, store.NewOrder{
			Spec: spec, Contact: req.Customer.Contact, Address: req.ShipTo,
			TokenHash: links.TokenHash(s.links.Token(spec.ID)), RequestHash: req.hash(),
		})
		if errors.Is(err, store.ErrConflict) {
			return 0, nil, conflict("The order " + spec.ID + " exists with another content.")
		}
		if err != nil {
			return 0, nil, err
		}
		have, status := store.Order{Spec: spec, CreatedAt: now}, http.StatusCreated
		if !created {
			status = http.StatusOK
			if have, err = s.store.Order(ctx, spec.ID); err != nil {
				return 0, nil, err
			}
		}
		return status, createdOrder{Order: order.ViewOf(have.Current()), TrackingURL: s.links.Tracking(spec.ID), Links: s.linksOf(spec.ID), Warnings: req.warnings()}, nil
	})
}

// planned are the parcels under the numbers that carriers tell them by. What was
// sent stays as it was, for its hash.
func (n *newOrder) planned() []order.PlannedParcel {
	parcels := slices.Clone(n.Parcels)
	for i := range parcels {
		parcels[i].Tracking, parcels[i].Master = carriers.Whole(parcels[i].Tracking), carriers.Whole(parcels[i].Master)
	}
	return parcels
}

// unnamed are the tracking numbers without a carrier, by the field that misses.
func (n *newOrder) unnamed() map[string]string {
	m := map[string]string{}
	for i, p := range n.Parcels {
		if p.Carrier == "" {
			m["parcels["+strconv.Itoa(i)+"].carrier"] = p.Tracking
		}
	}
	return m
}

func (n *newOrder) warnings() (w []fieldError) {
	for i, p := range n.Parcels {
		w = doubt(w, "parcels["+strconv.Itoa(i)+"].tracking", p.Carrier, p.Tracking)
	}
	return w
}

// orderID is the order in the path, if the caller may touch its store.
func orderID(c echo.Context) (string, error) {
	id, err := param(c, "id")
	if err != nil {
		return "", err
	}
	storeID, _, _ := strings.Cut(id, ":")
	return id, callerOf(c).forStore(storeID)
}

// orderOf reads the order in the path.
func (s *server) orderOf(c echo.Context) (store.Order, error) {
	id, err := orderID(c)
	if err != nil {
		return store.Order{}, err
	}
	o, err := s.store.Order(c.Request().Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		return o, notFound("There is no order " + id + ".")
	}
	return o, err
}

// getOrder shows the view itself with the links beside its fields.
func (s *server) getOrder(c echo.Context) error {
	o, err := s.orderOf(c)
	if err != nil {
		return err
	}
	view := order.ViewOf(o.Current())
	if live, _ := strconv.ParseBool(c.QueryParam("live")); live && !view.Closed {
		now, err := s.orders.View(c.Request().Context(), o.Spec.ID)
		switch {
		case err == nil:
			view = now
		case errors.Is(err, ErrNotRunning):
			// Not begun yet, or just ended: the read model is all there is.
		default:
			return err
		}
	}
	by, err := s.store.ReplacedBy(c.Request().Context(), o.Spec.ID)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, struct {
		order.View
		ReplacedBy  []string   `json:"replaced_by,omitempty"`
		TrackingURL string     `json:"tracking_url"`
		Links       orderLinks `json:"links"`
	}{view, by, s.links.Tracking(o.Spec.ID), s.linksOf(o.Spec.ID)})
}

func (s *server) getWaiting(c echo.Context) error {
	o, err := s.orderOf(c)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, struct {
		Order   string           `json:"order"`
		Waiting []order.WaitView `json:"waiting"`
	}{o.Spec.ID, order.WaitsOf(o.Current())})
}

const timelineLimit = 1000

func (s *server) getTimeline(c echo.Context) error {
	o, err := s.orderOf(c)
	if err != nil {
		return err
	}
	limit := timelineLimit
	if v := c.QueryParam("limit"); v != "" {
		limit, _ = strconv.Atoi(v) // the contract has been checked
	}
	entries, err := s.store.Timeline(c.Request().Context(), o.Spec.ID, limit)
	if err != nil {
		return err
	}
	for i := range entries {
		entries[i].EventID = theirScanID(entries[i].EventID, entries[i].Source, o.Spec.Store)
	}
	return c.JSON(http.StatusOK, struct {
		Order   string        `json:"order"`
		Entries []store.Entry `json:"entries"`
	}{o.Spec.ID, append([]store.Entry{}, entries...)})
}

const listLimit = 50

func (s *server) listOrders(c echo.Context) error {
	f := store.Filter{Store: c.QueryParam("store"), Status: c.QueryParam("status"), Case: c.QueryParam("case"), Query: c.QueryParam("q"), Limit: listLimit}
	if err := s.boundTo(c, &f.Store); err != nil {
		return err
	}
	if v := c.QueryParam("limit"); v != "" {
		f.Limit, _ = strconv.Atoi(v)
	}
	if v := c.QueryParam("cursor"); v != "" {
		before, ok := parseCursor(v)
		if !ok {
			return invalid(fieldError{"cursor", "is not one that a page named"})
		}
		f.Before = before
	}
	list, err := s.store.Orders(c.Request().Context(), f)
	if err != nil {
		return err
	}
	page := struct {
		Orders []store.Summary `json:"orders"`
		Next   string          `json:"next,omitempty"`
	}{Orders: append([]store.Summary{}, list...)}
	if len(list) >= f.Limit { // a full page: there may be more
		last := list[len(list)-1]
		page.Next = formatCursor(store.Cursor{PlacedAt: last.PlacedAt, ID: last.ID})
	}
	for i := range page.Orders { // lists are never null
		o := &page.Orders[i]
		o.Carriers, o.OpenCases = append([]string{}, o.Carriers...), append([]string{}, o.OpenCases...)
	}
	return c.JSON(http.StatusOK, page)
}

func formatCursor(c store.Cursor) string {
	return base64.RawURLEncoding.EncodeToString([]byte(c.PlacedAt.UTC().Format(time.RFC3339Nano) + " " + c.ID))
}

func parseCursor(s string) (store.Cursor, bool) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return store.Cursor{}, false
	}
	at, id, ok := strings.Cut(string(b), " ")
	t, err := parseTime(at)
	if !ok || err != nil || !printable(id) {
		return store.Cursor{}, false
	}
	return store.Cursor{PlacedAt: t, ID: id}, true
}
