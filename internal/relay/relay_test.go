package relay

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

// asleep is a closed order without a run.
type asleep struct {
	Store
	state *order.State
	woken []string
	err   error
}

func (a *asleep) State(context.Context, string) (*order.State, error) { return a.state, a.err }

func (a *asleep) Start(context.Context, order.Spec) error { panic("started") }

func (a *asleep) Tell(context.Context, string, string, []json.RawMessage, string) error {
	return workflows.ErrNotRunning
}

func (a *asleep) Wake(_ context.Context, spec order.Spec, name string, items []json.RawMessage, id string) error {
	if len(items) == 1 && id != "" {
		a.woken = append(a.woken, spec.ID+" "+name)
	}
	return nil
}

func TestFactsOfAClosedOrderAreLateUnlessTheyReopenIt(t *testing.T) {
	placed := time.Now().Add(-100 * 24 * time.Hour).UTC()
	st := order.New(order.Spec{ID: "acme:1", Store: "acme", Number: "1", Class: order.Routine, PlacedAt: placed, Lines: []order.Line{{SKU: "sofa", Quantity: 1}}, Policy: order.DefaultPolicy()}, order.CurrentRules, placed)
	at := placed.Add(time.Hour)
	order.Apply(&st, order.CarrierEvent{Meta: order.Meta{By: order.CarrierSays, Occurred: at, Received: at, Applied: at}, Parcel: "1", Milestone: order.Delivered, Physical: true})
	order.Apply(&st, order.Tick{Meta: order.Meta{By: order.Engine, Applied: at.Add(60 * 24 * time.Hour)}})
	if !st.Closed {
		t.Fatal("it is not closed")
	}
	open := st.Clone()
	open.Closed = false
	fact := func(m order.Milestone) store.Due {
		f := store.Numbered{N: 7, Parcel: "1", ReceivedAt: time.Now()}
		f.Kind, f.EventID, f.Milestone, f.Physical, f.OccurredAt = store.KindCarrierEvent, "e", string(m), true, time.Now().Add(-time.Hour)
		return store.Due{OrderID: "acme:1", Closed: true, Facts: []store.Numbered{f}}
	}
	for _, c := range []struct {
		name    string
		state   *order.State
		fails   error
		says    order.Milestone
		outcome string
		done    int
		woken   int
		again   bool // it is told again later
	}{
		{"a late scan", &st, nil, order.InTransit, "late", 1, 0, false},
		{"it turned round", &st, nil, order.Returning, "", 1, 1, false},
		{"reopened meanwhile", open, nil, order.Returning, "", 0, 0, true},
		{"never written", nil, nil, order.Returning, "", 0, 0, true},
		{"the database is away", nil, errors.New("away"), order.Returning, "", 0, 0, true},
	} {
		a := &asleep{state: c.state, err: c.fails}
		r := &Relay{Store: a, Orders: a}
		done, outcome, err := r.tellOrder(t.Context(), fact(c.says))
		if len(done) != c.done || outcome != c.outcome || len(a.woken) != c.woken || (err != nil) != c.again {
			t.Errorf("%s: done %v as %q, woken %v, %v", c.name, done, outcome, a.woken, err)
		}
	}
}
