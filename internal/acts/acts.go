// Package acts carries out what people and storefronts ask of running orders. An
// audit row comes first, and its ID is the update's: what an order did can
// always be traced to who asked for it, and asking again with the same ID gets
// the same answer.
package acts

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

// Request is what somebody asks of a running order.
type Request struct {
	Action string
	Reason string
	Body   any // for the audit; no personal data in it
	// Event is made once the audit row is there. Detail is added to the row.
	Event func(ctx context.Context, m order.Meta) (e order.Event, detail string, err error)
	// Subject, if there is one, says in a few words how that which the request
	// is about stands. The audit keeps it from before and after, and a form sends
	// back what it showed.
	Subject func(order.View) string
}

// Asker is who asks.
type Asker struct {
	Actor, Role string
	By          order.Source
	// Trace finds the log line of a fault.
	Trace string
}

// Audits keeps who asked for what; *store.Store does.
type Audits interface {
	BeginAudit(ctx context.Context, a store.Audit) error
	EndAudit(ctx context.Context, id, outcome, detail string) error
}

// Orders are the running orders; *workflows.Client reaches them.
type Orders interface {
	Ask(ctx context.Context, orderID string, request order.Event) (order.View, error)
	// Reopen asks an order that had closed, in a new run.
	Reopen(ctx context.Context, spec order.Spec, request order.Event) (order.View, error)
}

// Desk is where requests are carried out.
type Desk struct {
	Audits Audits
	Orders Orders
	// Facts are moved when orders are merged.
	Facts Facts
	Log   *slog.Logger
	Now   func() time.Time
}

// Do asks the order, which was o a moment ago. The audit ID is one that the
// client can repeat; empty: it cannot.
func (d *Desk) Do(ctx context.Context, o store.Order, who Asker, audit string, r Request) (view order.View, err error) {
	repeatable, now := audit != "", d.Now().UTC()
	if !repeatable {
		audit = "aud_" + strings.ToLower(rand.Text())
	}
	body, err := json.Marshal(r.Body)
	if err != nil {
		return view, err
	}
	err = d.Audits.BeginAudit(ctx, store.Audit{
		ID: audit, OrderID: o.Spec.ID, Action: r.Action, Actor: who.Actor, Role: who.Role, Reason: r.Reason, Request: body, CreatedAt: now,
	})
	if err != nil && !(repeatable && isDuplicate(err)) {
		return view, err
	}
	before, detail := "", ""
	if r.Subject != nil {
		before = r.Subject(order.ViewOf(o.Current()))
	}
	defer func() {
		outcome := "done"
		switch {
		case err == nil && r.Subject != nil:
			detail = before + " → " + r.Subject(view)
		case err == nil:
		case ambiguous(err) && repeatable:
			return // nobody knows yet; the retry will write what came of it
		case errors.Is(err, workflows.ErrNotRunning), errors.As(err, new(*order.Refusal)):
			outcome, detail = "refused", err.Error()
		case ambiguous(err):
			outcome, detail = "failed", "no answer in time: it may have been granted all the same"
		default:
			outcome, detail = "failed", "request "+who.Trace // the log has the error
		}
		// Whether the client still waits does not matter to the audit.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := d.Audits.EndAudit(ctx, audit, outcome, detail); err != nil {
			d.Log.Error("audit not ended", "audit", audit, "order", o.Spec.ID, "outcome", outcome, "error", err)
		}
	}()
	e, detail, err := r.Event(ctx, order.Meta{ID: audit, By: who.By, Actor: who.Actor, Reason: r.Reason, Occurred: now, Received: now})
	if err != nil {
		return view, err
	}
	view, err = d.Orders.Ask(ctx, o.Spec.ID, e)
	if errors.Is(err, workflows.ErrNotRunning) && o.State != nil && o.State.Closed {
		return d.reopen(ctx, o, e, err)
	}
	return view, err
}

// reopen lets a closed order go on, if it grants the request and has something to
// wait for then. What it refuses starts nothing.
func (d *Desk) reopen(ctx context.Context, o store.Order, e order.Event, closed error) (view order.View, err error) {
	goesOn, err := order.Reopens(o.State, d.Now().UTC(), e)
	switch {
	case err != nil:
		return view, err
	case !goesOn:
		return view, closed
	}
	return d.Orders.Reopen(ctx, o.State.Spec, e)
}

// ambiguous: the order may have granted the request without our hearing of it.
func ambiguous(err error) bool {
	return errors.Is(err, workflows.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// isDuplicate: PostgreSQL says that the row is there already (unique_violation).
func isDuplicate(err error) bool {
	var state interface{ SQLState() string }
	return errors.As(err, &state) && state.SQLState() == "23505"
}

// Plain is for events that need nothing but their fields.
func Plain(make func(order.Meta) order.Event) func(context.Context, order.Meta) (order.Event, string, error) {
	return func(_ context.Context, m order.Meta) (order.Event, string, error) { return make(m), "", nil }
}
