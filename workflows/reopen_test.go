package workflows_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

// closedOrder is the state that a delivered order left behind.
func closedOrder(t *testing.T) *order.State {
	t.Helper()
	l := newLife(t)
	l.happyPath()
	s := spec()
	s.Policy.CloseAfter = order.Duration(day)
	l.run(workflows.Input{Spec: &s})
	l.completed()
	if !l.last().Closed {
		t.Fatal("it is not closed")
	}
	st := l.last().Clone()
	st.Told = nil // as the read model keeps it
	return st
}

// reopened begins where that order ended.
func reopened(t *testing.T) *life {
	t.Helper()
	stored := closedOrder(t)
	l := newLife(t)
	l.stored = stored
	l.env.SetStartTime(stored.Now.Add(day))
	return l
}

func TestAClosedOrderTakesAReturn(t *testing.T) {
	l := reopened(t)
	l.failFor = 2 // its state cannot be read at once
	var refused error
	l.ask(0, "ask", order.RequestReturn{Meta: order.Meta{By: order.Support, Actor: "ann"}, Lines: []order.ReturnLine{{SKU: "sofa", Quantity: 1, Reason: order.ChangedMind, Wanted: order.RefundRemedy}}}, &refused, nil)
	l.ask(hour, "reject", order.DecideReturn{Meta: support("ann"), Return: "R1"}, nil, nil)
	l.run(workflows.Input{Reopen: "acme:1001"})
	l.completed()
	if refused != nil {
		t.Fatal(refused)
	}
	last := l.last()
	if !last.Closed || len(last.Returns) != 1 || last.Returns[0].State != order.ReturnRejected || last.Rules != order.CurrentRules {
		t.Errorf("closed %v, rules %d, returns %+v", last.Closed, last.Rules, last.Returns)
	}
	if first := l.states[0]; first.Seq != l.stored.Seq+1 || first.Written < l.stored.Seq {
		t.Errorf("the first thing written is number %d, after %d; told until %d", first.Seq, l.stored.Seq, first.Written)
	}
	if told := strings.Join(l.told(), "|"); !strings.HasPrefix(told, "parcel_added|return_changed|order_reopened|") && !strings.HasPrefix(told, "return_changed|order_reopened|") || !strings.HasSuffix(told, "order_closed") {
		t.Errorf("told %s", told)
	}
}

// The desk asks only for what the stored order grants, but another run may have
// changed that since.
func TestAClosedOrderThatRefusesEndsAgain(t *testing.T) {
	l := reopened(t)
	var refused error
	l.ask(0, "ask", order.RequestReturn{Meta: order.Meta{By: order.Support}, Lines: []order.ReturnLine{{SKU: "sofa", Quantity: 2, Reason: order.ChangedMind, Wanted: order.RefundRemedy}}}, &refused, nil)
	l.run(workflows.Input{Reopen: "acme:1001"})
	l.completed()
	if refused == nil || !strings.Contains(refused.Error(), "only 1 were delivered") {
		t.Errorf("refused: %v", refused)
	}
	if len(l.states) != 0 {
		t.Errorf("it wrote %d times", len(l.states))
	}
}

func TestAParcelThatTurnsRoundReopensItsOrder(t *testing.T) {
	l := reopened(t)
	says := func(n int64, m order.Milestone, after time.Duration) {
		l.env.RegisterDelayedCallback(func() {
			e := order.CarrierEvent{Meta: order.Meta{N: n, By: order.CarrierSays, Occurred: l.env.Now(), Received: l.env.Now()}, Parcel: "1", Milestone: m, Physical: true, Carrier: "ups"}
			item, err := workflows.Item(e)
			if err != nil {
				t.Error(err)
			}
			l.env.SignalWorkflow(workflows.CarrierEvents, workflows.Batch{V: 1, Items: []json.RawMessage{item}})
		}, after)
	}
	says(98, order.Returning, 0)
	says(99, order.Delivered, 2*hour)
	var v order.View
	l.env.RegisterDelayedCallback(func() { v = l.view() }, hour)
	l.run(workflows.Input{Reopen: "acme:1001"})
	l.completed()
	if !l.last().Closed || v.Closed || v.Status != order.StatusReturning || len(v.Cases) != 1 || v.Cases[0].Kind != order.UnexpectedReturn {
		t.Errorf("%s, closed %v, cases %+v", v.Status, v.Closed, v.Cases)
	}
}

func TestAnOrderThatWasNeverWrittenCannotGoOn(t *testing.T) {
	l := newLife(t)
	l.run(workflows.Input{Reopen: "acme:1001"})
	if err := l.env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), "there is no state of order acme:1001") {
		t.Errorf("%v", err)
	}
}
