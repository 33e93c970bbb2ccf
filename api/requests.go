package api

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/acts"
	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

const reasonLimit = 2000 // bytes; order.Check refuses more than 500 and says so

// ask carries a request out and answers with the order as it is after it.
func (s *server) ask(c echo.Context, r acts.Request) error {
	return s.askFor(c, r, func(v order.View, err error) (any, error) { return v, err })
}

// askFor is ask with another answer to the client, made of the order's.
func (s *server) askFor(c echo.Context, r acts.Request, answer func(order.View, error) (any, error)) error {
	o, err := s.orderOf(c)
	if err != nil {
		return err
	}
	given := r.Reason != ""
	if r.Reason = clean(r.Reason, reasonLimit); given && r.Reason == "" {
		return invalid(fieldError{"reason", "must have a character that can be seen"})
	}
	return s.idempotently(c, func() (int, any, error) {
		v, err := answer(s.desk.Do(c.Request().Context(), o, askerOf(c), auditID(c, ""), r))
		return http.StatusOK, v, err
	})
}

// askerOf is the caller in the role of this operation.
func askerOf(c echo.Context) acts.Asker {
	who := callerOf(c)
	op := opOf(c)
	role := who.role(op)
	by := source(role)
	if role == Admin && !slices.Contains(op.scopes, Support) {
		by = source(op.scopes[0]) // where support has no say, admin has that of whoever does
	}
	return acts.Asker{Actor: who.actor(), Role: role, By: by, Trace: requestID(c)}
}

// auditID follows from the Idempotency-Key, so that a repeat after a lost answer
// is the same update of the same order and cannot act twice. Empty: the client
// cannot repeat the request. The part tells the acts of one request apart.
func auditID(c echo.Context, part string) string {
	key := c.Request().Header.Get(idempotencyHeader)
	if key == "" {
		return ""
	}
	h := sha256.Sum256([]byte(callerOf(c).actor() + "\n" + c.Request().Method + " " + c.Request().URL.Path + "\n" + key + part))
	return "aud_" + base32Lower.EncodeToString(h[:])[:24]
}

type putParcel struct {
	Lines    []order.Allocation `json:"lines,omitempty"`
	Carrier  string             `json:"carrier,omitempty"`
	Service  string             `json:"service,omitempty"`
	Tracking string             `json:"tracking,omitempty"`
	Master   string             `json:"master_tracking,omitempty"`
}

func (s *server) putParcel(c echo.Context) error {
	body, err := decode[putParcel](c)
	if err != nil {
		return err
	}
	parcel, err := param(c, "parcel")
	if err != nil {
		return err
	}
	body.Service = clean(body.Service, 40)
	for i, l := range body.Lines {
		if !printable(l.SKU) {
			return unprintable(fmt.Sprintf("lines[%d].sku", i))
		}
	}
	return s.askFor(c, acts.Request{Action: "put_parcel", Body: struct {
		Parcel string `json:"parcel"`
		putParcel
	}{parcel, body}, Event: acts.Plain(func(m order.Meta) order.Event {
		return order.PutParcel{Meta: m, Parcel: parcel, Lines: body.Lines, Carrier: body.Carrier, Service: body.Service, Tracking: carriers.Whole(body.Tracking), Master: carriers.Whole(body.Master)}
	})}, func(v order.View, err error) (any, error) {
		if err != nil {
			return nil, offerCarriers(err, map[string]string{"carrier": body.Tracking})
		}
		return struct {
			order.View
			Warnings []fieldError `json:"warnings,omitempty"`
		}{v, body.warnings(v, parcel)}, nil
	})
}

// warnings are about the parcel as it now is: what is left out stays.
func (p putParcel) warnings(v order.View, parcel string) []fieldError {
	i := slices.IndexFunc(v.Parcels, func(have order.ParcelView) bool { return have.ID == parcel })
	if i < 0 || p.Carrier == "" && p.Tracking == "" {
		return nil
	}
	return doubt(nil, "tracking", v.Parcels[i].Carrier, v.Parcels[i].Tracking)
}

func (s *server) correctMilestone(c echo.Context) error {
	body, err := decode[struct {
		Milestone order.Milestone `json:"milestone"`
		Reason    string          `json:"reason"`
	}](c)
	if err != nil {
		return err
	}
	parcel, err := param(c, "parcel")
	if err != nil {
		return err
	}
	return s.ask(c, acts.Request{Action: "correct_milestone", Reason: body.Reason, Body: map[string]any{"parcel": parcel, "milestone": body.Milestone},
		Event: acts.Plain(func(m order.Meta) order.Event {
			return order.CorrectMilestone{Meta: m, Parcel: parcel, Milestone: body.Milestone}
		})})
}

func (s *server) cancelOrder(c echo.Context) error {
	body, err := decode[struct {
		Reason  string   `json:"reason"`
		Parcels []string `json:"parcels"`
	}](c)
	if err != nil {
		return err
	}
	return s.ask(c, acts.Request{Action: "cancel", Reason: body.Reason, Body: map[string]any{"parcels": body.Parcels},
		Event: acts.Plain(func(m order.Meta) order.Event { return order.Cancel{Meta: m, Parcels: body.Parcels} })})
}

func (s *server) holdOrder(c echo.Context) error {
	body, err := decode[struct {
		Reason string     `json:"reason"`
		Until  *time.Time `json:"until"`
	}](c)
	if err != nil {
		return err
	}
	return s.ask(c, acts.Request{Action: "hold", Reason: body.Reason, Body: map[string]any{"until": body.Until},
		Event: acts.Plain(func(m order.Meta) order.Event {
			e := order.Hold{Meta: m}
			if until := utc(body.Until); until != nil {
				e.Until = *until
			}
			return e
		})})
}

func (s *server) releaseOrder(c echo.Context) error {
	body, err := decode[struct {
		Reason string `json:"reason"`
	}](c)
	if err != nil {
		return err
	}
	return s.ask(c, acts.Request{Action: "release", Reason: body.Reason, Body: struct{}{},
		Event: acts.Plain(func(m order.Meta) order.Event { return order.Release{Meta: m} })})
}

func (s *server) changePromise(c echo.Context) error {
	body, err := decode[struct {
		PromisedAt *time.Time `json:"promised_at"`
		Reason     string     `json:"reason"`
	}](c)
	if err != nil {
		return err
	}
	at := utc(body.PromisedAt) // needed by the contract
	return s.ask(c, acts.Request{Action: "change_promise", Reason: body.Reason, Body: map[string]any{"promised_at": at},
		Event: acts.Plain(func(m order.Meta) order.Event { return order.ChangePromise{Meta: m, PromisedAt: *at} })})
}

// correctAddress writes the address as a new version and tells the order only
// its number: neither the workflow nor the audit sees where somebody lives.
func (s *server) correctAddress(c echo.Context) error {
	body, err := decode[struct {
		ShipTo store.Address `json:"ship_to"`
		Reason string        `json:"reason"`
	}](c)
	if err != nil {
		return err
	}
	id, err := orderID(c)
	if err != nil {
		return err
	}
	return s.ask(c, acts.Request{Action: "correct_address", Reason: body.Reason, Body: struct{}{},
		Event: func(ctx context.Context, m order.Meta) (order.Event, string, error) {
			version, err := s.store.PutAddress(ctx, id, cleanAddress(body.ShipTo))
			return order.CorrectAddress{Meta: m, AddressVersion: version}, fmt.Sprintf("address version %d", version), err
		}})
}

// adoptPolicy lets a running order follow the newest version of its policy, or
// another policy.
func (s *server) adoptPolicy(c echo.Context) error {
	body, err := decode[struct {
		Policy string `json:"policy"`
		Reason string `json:"reason"`
	}](c)
	if err != nil {
		return err
	}
	o, err := s.orderOf(c)
	if err != nil {
		return err
	}
	name := cmp.Or(body.Policy, o.Current().Spec.Policy.Name)
	return s.ask(c, acts.Request{Action: "adopt_policy", Reason: body.Reason, Body: map[string]any{"policy": name},
		Event: func(ctx context.Context, m order.Meta) (order.Event, string, error) {
			p, err := s.store.Policy(ctx, name)
			if errors.Is(err, store.ErrNotFound) {
				err = &order.Refusal{Field: "policy", Reason: "there is no policy " + name}
			}
			return order.AdoptPolicy{Meta: m, Policy: p.For(o.Spec.Class), Switch: body.Policy != ""}, fmt.Sprintf("version %d", p.Version), err
		}})
}

// mergeOrder ends the order as a duplicate of another one of its store.
func (s *server) mergeOrder(c echo.Context) error {
	body, err := decode[struct {
		Into   string `json:"into"`
		Reason string `json:"reason"`
	}](c)
	if err != nil {
		return err
	}
	duplicate, err := s.orderOf(c)
	if err != nil {
		return err
	}
	into, err := s.store.Order(c.Request().Context(), body.Into)
	if errors.Is(err, store.ErrNotFound) || err == nil && callerOf(c).forStore(into.Spec.Store) != nil {
		return invalid(fieldError{"into", "there is no order " + clean(body.Into, 100)})
	}
	if err != nil {
		return err
	}
	return s.ask(c, s.desk.Merge(duplicate, into, clean(body.Reason, reasonLimit)))
}
