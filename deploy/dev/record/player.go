package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/waybillhq/waybill/deploy/dev/e2e/rig"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

const (
	storeID  = "golden"
	patience = time.Minute
)

// player has the product running.
type player struct {
	*rig.Rig
	api, worker *rig.Process
}

func begin(ctx context.Context, r *rig.Rig) (_ *player, err error) {
	p := &player{Rig: r}
	defer func() {
		if err != nil {
			p.end()
		}
	}()
	if p.api, err = r.Run("api"); err != nil {
		return nil, err
	}
	if p.worker, err = r.Run("worker"); err != nil {
		return nil, err
	}
	return p, rig.WaitFor(ctx, patience, func(ctx context.Context) error {
		a, err := r.API.Put(ctx, "/v1/stores/"+storeID, map[string]any{"name": "Golden", "brand_color": "#886600"})
		if err == nil && !a.OK() {
			err = errors.New(a.String())
		}
		return err
	})
}

func (p *player) end() {
	for _, process := range []*rig.Process{p.worker, p.api} {
		if process != nil {
			process.Kill() // nothing of it is needed any more
		}
	}
}

// play leads one order through a scenario and returns its histories.
func (p *player) play(ctx context.Context, sc scenario) ([]*historypb.History, error) {
	fmt.Println("Playing", sc.name)
	policy := order.DefaultPolicy()
	policy.Name, policy.CloseAfter = sc.name, 0
	if sc.policy != nil {
		sc.policy(&policy)
	}
	t := &tale{player: p, ctx: ctx, order: rig.Order{
		Store: storeID, Number: sc.name, Policy: policy.Name,
		Customer: rig.Customer{Name: "Nobody"}, ShipTo: rig.Address{Name: "Nobody", Street: "Nowhere 1", City: "Nowhere", Country: "DE"},
		Lines: []order.Line{{SKU: "lamp", Quantity: 1}},
	}}
	t.granted(p.API.Put(ctx, "/v1/policies/"+policy.Name, policy))
	sc.tell(t)
	return t.histories(), t.err
}

// tale is one order's life as it is told. After the first error its methods do
// nothing.
type tale struct {
	*player
	ctx   context.Context
	order rig.Order
	facts int
	last  order.View // as until saw it last
	err   error
}

func (t *tale) id() string { return t.order.ID() }

// granted takes the result of a request.
func (t *tale) granted(a rig.Answer, err error) {
	if t.err != nil {
		return
	}
	var batch struct{ Rejected int }
	if t.err = err; err == nil && !a.OK() {
		t.err = errors.New(a.String())
	} else if err == nil && a.Into(&batch) == nil && batch.Rejected > 0 {
		t.err = errors.New(a.String())
	}
}

// create posts the order and waits until its workflow has begun.
func (t *tale) create() {
	t.post()
	t.until("begun", func(v order.View) bool { return v.Seq > 0 })
}

func (t *tale) post() {
	if t.err == nil {
		t.granted(t.API.Post(t.ctx, "/v1/orders", t.order))
	}
}

// ask puts a request to the order.
func (t *tale) ask(what string, body map[string]any) {
	if t.err == nil {
		t.granted(t.API.Post(t.ctx, rig.OrderPath(t.id())+what, body))
	}
}

// again asks with the key of another scope: another person.
func (t *tale) again(scope, what string, body map[string]any) {
	if t.err == nil {
		t.granted(t.API.Do(t.ctx, t.API.Keys[scope], http.MethodPost, rig.OrderPath(t.id())+what, body))
	}
}

// resolve decides about the open case of a kind.
func (t *tale) resolve(kind order.CaseKind, body map[string]any) {
	t.hasCase(kind, true)
	for _, c := range t.last.Cases {
		if c.Kind == kind && t.err == nil {
			t.ask("/cases/"+c.ID+"/resolve", body)
		}
	}
}

// remedy waits for the first remedy to be in a state and acts on it.
func (t *tale) remedy(st order.RemedyState, act func(id string)) {
	t.until("remedy "+string(st), func(v order.View) bool { return len(v.Remedies) > 0 && v.Remedies[0].State == st })
	if t.err == nil {
		act(t.last.Remedies[0].ID)
	}
}

// byHand waits until a person has to tell the carrier, and records what it said.
func (t *tale) byHand(done bool) {
	var id string
	t.until("an instruction by hand", func(v order.View) bool {
		for _, i := range v.Instructions {
			if i.State == order.InstructionByHand {
				id = i.ID
			}
		}
		return id != ""
	})
	t.ask("/instructions/"+id+"/end", map[string]any{"done": done, "reference": "DEPOT-17", "reason": "telephoned"})
}

func (t *tale) putParcel(parcel string, lines ...order.Allocation) {
	if t.err == nil {
		t.granted(t.API.Put(t.ctx, rig.OrderPath(t.id())+"/parcels/"+parcel, map[string]any{"lines": lines}))
	}
}

// tracking number of a parcel.
func (t *tale) tracking(parcel string) string {
	return strings.ToUpper(t.order.Number + "-" + parcel)
}

// scan posts a warehouse scan; a label scan names the tracking number.
func (t *tale) scan(parcel string, kinds ...order.ScanKind) {
	for _, kind := range kinds {
		if t.err != nil {
			return
		}
		s := rig.Scan{ID: t.factID(), Kind: kind, Order: t.id(), Parcel: parcel, OccurredAt: time.Now()}
		if kind == order.ScanLabelled {
			s.Carrier, s.Tracking = rig.Carrier, t.tracking(parcel)
		}
		t.granted(t.API.PostScans(t.ctx, s))
	}
}

// says posts carrier events.
func (t *tale) says(parcel string, milestones ...order.Milestone) {
	for _, m := range milestones {
		t.event(parcel, rig.Event{Milestone: m, Location: "Louisville"})
	}
}

func (t *tale) event(parcel string, e rig.Event) {
	if t.err != nil {
		return
	}
	e.ID, e.Tracking, e.OccurredAt = t.factID(), t.tracking(parcel), time.Now()
	t.granted(t.API.PostEvents(t.ctx, e))
}

func (t *tale) factID() string {
	t.facts++
	return fmt.Sprintf("%s-%d", t.order.Number, t.facts)
}

// alone does each step only after the order knows the one before: no two facts
// share a signal.
func (t *tale) alone(parcel string, steps ...order.Milestone) {
	kinds := map[order.Milestone]order.ScanKind{order.Picked: order.ScanPicked, order.Packed: order.ScanPacked, order.Labelled: order.ScanLabelled, order.HandedOver: order.ScanHandedOver}
	for _, m := range steps {
		if kind, ok := kinds[m]; ok {
			t.scan(parcel, kind)
		} else {
			t.says(parcel, m)
		}
		t.reached(parcel, m)
	}
}

// warehouse is everything up to the hand-over, each step alone.
func (t *tale) warehouse(parcel string) {
	t.alone(parcel, order.Picked, order.Packed, order.Labelled, order.HandedOver)
}

// reached waits until a parcel is there.
func (t *tale) reached(parcel string, m order.Milestone) {
	t.until(fmt.Sprintf("parcel %s %s", parcel, m), func(v order.View) bool {
		for _, p := range v.Parcels {
			if p.ID == parcel && p.Milestone == m {
				return true
			}
		}
		return false
	})
}

// hasCase waits until a case of that kind is open, or none is.
func (t *tale) hasCase(kind order.CaseKind, open bool) {
	t.until(fmt.Sprintf("case %s open: %t", kind, open), func(v order.View) bool {
		for _, c := range v.Cases {
			if c.Kind == kind {
				return open
			}
		}
		return !open
	})
}

func (t *tale) closed() {
	t.until("closed", func(v order.View) bool { return v.Closed })
}

// until waits until the read model is as wanted.
func (t *tale) until(what string, is func(order.View) bool) {
	if t.err != nil {
		return
	}
	var v order.View
	err := rig.WaitFor(t.ctx, patience, func(ctx context.Context) error {
		a, err := t.API.Get(ctx, rig.OrderPath(t.id()))
		if err == nil && a.Status != http.StatusOK {
			err = errors.New(a.String())
		}
		if err == nil {
			v = order.View{}
			err = a.Into(&v)
		}
		if err == nil && !is(v) {
			err = fmt.Errorf("%s, cases %v", v.Status, v.Cases)
		}
		return err
	})
	t.last = v
	if err != nil {
		t.err = fmt.Errorf("%s: %w", what, err)
	}
}

// signal sends the order bytes of our own, past API and relay.
func (t *tale) signal(name string, payload []byte) {
	if t.err != nil {
		return
	}
	_, t.err = t.Temporal.WorkflowService().SignalWorkflowExecution(t.ctx, &workflowservice.SignalWorkflowExecutionRequest{
		Namespace: t.Config.TemporalNamespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: workflows.ID(t.id())}, SignalName: name,
		Input: &commonpb.Payloads{Payloads: []*commonpb.Payload{{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: payload}}},
	})
}

// tell signals one fact, past API and relay, which may be cut off.
func (t *tale) tell(e order.Event) {
	if t.err != nil {
		return
	}
	it, err := workflows.Item(e)
	if err != nil {
		t.err = err
		return
	}
	t.err = t.Orders.Tell(t.ctx, t.id(), workflows.Facts, []json.RawMessage{it}, t.factID())
}

// recorded waits until the history has an event of a type.
func (t *tale) recorded(typ enumspb.EventType) {
	if t.err != nil {
		return
	}
	t.err = rig.WaitFor(t.ctx, patience, func(ctx context.Context) error {
		runs, err := t.History(ctx, t.id())
		if err != nil {
			return err
		}
		for _, h := range runs {
			for _, e := range h.GetEvents() {
				if e.GetEventType() == typ {
					return nil
				}
			}
		}
		return fmt.Errorf("no %s yet", typ)
	})
}

// histories reads every run as soon as no workflow task is under way.
func (t *tale) histories() (runs []*historypb.History) {
	if t.err != nil {
		return nil
	}
	runs, t.err = settled(t.ctx, func(ctx context.Context) ([]*historypb.History, error) { return t.History(ctx, t.id()) })
	return runs
}
