package api

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

const reasonLimit = 2000 // bytes; order.Check refuses more than 500 and says so

// request is what somebody asks of a running order.
type request struct {
	action string
	reason string
	body   any // for the audit; no personal data in it
	// event is made once the audit row is there. detail is added to the row.
	event func(ctx context.Context, m order.Meta) (e order.Event, detail string, err error)
	// answer, if there is one, says what the order's answer is to the client.
	answer func(order.View, error) (any, error)
}

// ask carries a request out. The audit row comes first, and its ID is the
// update's ID: what an order did can always be traced to who asked for it, and
// asking again with the same ID gets the same answer.
func (s *server) ask(c echo.Context, r request) error {
	o, err := s.orderOf(c)
	if err != nil {
		return err
	}
	given := r.reason != ""
	if r.reason = clean(r.reason, reasonLimit); given && r.reason == "" {
		return invalid(fieldError{"reason", "must have a character that can be seen"})
	}
	return s.idempotently(c, func() (int, any, error) {
		view, err := s.carryOut(c, o.Spec.ID, r)
		if r.answer == nil {
			return http.StatusOK, view, err
		}
		answer, err := r.answer(view, err)
		return http.StatusOK, answer, err
	})
}

func (s *server) carryOut(c echo.Context, id string, r request) (view order.View, err error) {
	ctx, who := c.Request().Context(), callerOf(c)
	role, now := who.role(opOf(c)), s.now().UTC()
	audit, repeatable := auditID(c)
	body, err := json.Marshal(r.body)
	if err != nil {
		return view, err
	}
	err = s.store.BeginAudit(ctx, store.Audit{
		ID: audit, OrderID: id, Action: r.action, Actor: who.actor(), Role: role, Reason: r.reason, Request: body, CreatedAt: now,
	})
	if err != nil && !(repeatable && isDuplicate(err)) {
		return view, err
	}
	detail := ""
	defer func() {
		outcome := "done"
		switch {
		case err == nil:
		case ambiguous(err) && repeatable:
			return // nobody knows yet; the retry will write what came of it
		case errors.Is(err, ErrNotRunning), len(refusals(err, nil)) > 0:
			outcome, detail = "refused", err.Error()
		case ambiguous(err):
			outcome, detail = "failed", "no answer in time: it may have been granted all the same"
		default:
			outcome, detail = "failed", "request "+requestID(c) // the log has the error
		}
		ctx, cancel := afterwards(ctx)
		defer cancel()
		if err := s.store.EndAudit(ctx, audit, outcome, detail); err != nil {
			s.log.Error("audit not ended", "audit", audit, "order", id, "outcome", outcome, "error", err)
		}
	}()
	e, detail, err := r.event(ctx, order.Meta{ID: audit, By: source(role), Actor: who.actor(), Reason: r.reason, Occurred: now, Received: now})
	if err != nil {
		return view, err
	}
	return s.orders.Ask(ctx, id, e)
}

// ambiguous: the order may have granted the request without our hearing of it.
func ambiguous(err error) bool {
	return errors.Is(err, ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// auditID is random, unless the client can repeat the request: then it follows
// from the Idempotency-Key, so that a repeat after a lost answer is the same
// update of the same order and cannot act twice.
func auditID(c echo.Context) (id string, repeatable bool) {
	key := c.Request().Header.Get(idempotencyHeader)
	if key == "" {
		return "aud_" + randomText(24), false
	}
	h := sha256.Sum256([]byte(callerOf(c).actor() + "\n" + c.Request().Method + " " + c.Request().URL.Path + "\n" + key))
	return "aud_" + base32Lower.EncodeToString(h[:])[:24], true
}

// isDuplicate: PostgreSQL says that the row is there already (unique_violation).
func isDuplicate(err error) bool {
	var state interface{ SQLState() string }
	return errors.As(err, &state) && state.SQLState() == "23505"
}

// plain is for events that need nothing but their fields.
func plain(make func(order.Meta) order.Event) func(context.Context, order.Meta) (order.Event, string, error) {
	return func(_ context.Context, m order.Meta) (order.Event, string, error) { return make(m), "", nil }
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
	return s.ask(c, request{action: "put_parcel", body: struct {
		Parcel string `json:"parcel"`
		putParcel
	}{parcel, body}, event: plain(func(m order.Meta) order.Event {
		return order.PutParcel{Meta: m, Parcel: parcel, Lines: body.Lines, Carrier: body.Carrier, Service: body.Service, Tracking: body.Tracking, Master: body.Master}
	}), answer: func(v order.View, err error) (any, error) {
		if err != nil {
			return nil, offerCarriers(err, map[string]string{"carrier": body.Tracking})
		}
		return struct {
			order.View
			Warnings []fieldError `json:"warnings,omitempty"`
		}{v, body.warnings(v, parcel)}, nil
	}})
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
	return s.ask(c, request{action: "correct_milestone", reason: body.Reason, body: map[string]any{"parcel": parcel, "milestone": body.Milestone},
		event: plain(func(m order.Meta) order.Event {
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
	return s.ask(c, request{action: "cancel", reason: body.Reason, body: map[string]any{"parcels": body.Parcels},
		event: plain(func(m order.Meta) order.Event { return order.Cancel{Meta: m, Parcels: body.Parcels} })})
}

func (s *server) holdOrder(c echo.Context) error {
	body, err := decode[struct {
		Reason string     `json:"reason"`
		Until  *time.Time `json:"until"`
	}](c)
	if err != nil {
		return err
	}
	return s.ask(c, request{action: "hold", reason: body.Reason, body: map[string]any{"until": body.Until},
		event: plain(func(m order.Meta) order.Event {
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
	return s.ask(c, request{action: "release", reason: body.Reason, body: struct{}{},
		event: plain(func(m order.Meta) order.Event { return order.Release{Meta: m} })})
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
	return s.ask(c, request{action: "change_promise", reason: body.Reason, body: map[string]any{"promised_at": at},
		event: plain(func(m order.Meta) order.Event { return order.ChangePromise{Meta: m, PromisedAt: *at} })})
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
	return s.ask(c, request{action: "correct_address", reason: body.Reason, body: struct{}{},
		event: func(ctx context.Context, m order.Meta) (order.Event, string, error) {
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
	return s.ask(c, request{action: "adopt_policy", reason: body.Reason, body: map[string]any{"policy": name},
		event: func(ctx context.Context, m order.Meta) (order.Event, string, error) {
			p, err := s.store.Policy(ctx, name)
			if errors.Is(err, store.ErrNotFound) {
				err = &order.Refusal{Field: "policy", Reason: "there is no policy " + name}
			}
			return order.AdoptPolicy{Meta: m, Policy: p.For(o.Spec.Class), Switch: body.Policy != ""}, fmt.Sprintf("version %d", p.Version), err
		}})
}
