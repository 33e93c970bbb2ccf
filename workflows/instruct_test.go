package workflows_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

// depot is a carrier that can be told things: what it answers first, then what.
type depot struct {
	told  []activities.CarrierInstruction
	first []error
	says  activities.InstructionAnswer
	asked int
	proof activities.ProofAnswer
}

func (d *depot) Instruct(_ context.Context, i activities.CarrierInstruction) (activities.InstructionAnswer, error) {
	d.told = append(d.told, i)
	if n := len(d.told); n <= len(d.first) {
		return activities.InstructionAnswer{}, d.first[n-1]
	}
	return d.says, nil
}

func (d *depot) Prove(context.Context, activities.CarrierQuestion) (activities.ProofAnswer, error) {
	d.asked++
	if d.asked <= len(d.first) {
		return activities.ProofAnswer{}, d.first[d.asked-1]
	}
	return d.proof, nil
}

// attempted is an order whose parcel could not be delivered on its second day.
func attempted(t *testing.T, d *depot) (*life, order.Spec) {
	l := newLife(t)
	if d != nil {
		l.activities.Carriers = d
	}
	l.tell(1*hour, scan(order.ScanPicked), scan(order.ScanPacked), order.Scan{Parcel: "1", Kind: order.ScanLabelled, Carrier: "ups", Tracking: "1Z0000000001"})
	l.tell(8*hour, carrier(order.Accepted))
	l.tell(1*day, carrier(order.AttemptFailed))
	s := spec()
	s.PromisedAt = start.Add(90 * day)
	return l, s
}

func (l *life) decide(after int, how order.Resolution, until int) {
	l.later(day+time.Duration(after)*hour, "decide", func() order.Event {
		e := order.ResolveCase{Meta: support("ann"), Case: l.caseOf(order.FailedAttempt), Resolution: how}
		if until > 0 {
			e.Until = start.Add(time.Duration(until) * day)
		}
		return e
	}, nil)
}

func TestACarrierIsToldOnceItCanBeReached(t *testing.T) {
	d := &depot{first: []error{errors.New("answered 503"), errors.New("timed out")}, says: activities.InstructionAnswer{RemedyAnswer: activities.RemedyAnswer{Reference: "RQ-1"}}}
	l, s := attempted(t, d)
	l.decide(1, order.Redeliver, 3)
	l.tell(3*day, carrier(order.OutForDelivery), carrier(order.Delivered))
	l.run(workflows.Input{Spec: &s})
	l.completed()
	i := l.last().Instructions[0]
	if i.State != order.InstructionAccepted || i.Reference != "RQ-1" || i.AskedBy != "ann" || len(d.told) != 3 {
		t.Errorf("%+v, told %d times", i, len(d.told))
	}
	if c := d.told[2]; c.Command.ID != i.ID || c.Command.Tracking != "1Z0000000001" || !c.Instruction.Day.Equal(start.Add(3*day)) || c.OrderID != s.ID {
		t.Errorf("%+v", c)
	}
	if l.toldOf("instruction_changed") != 2 {
		t.Error(l.told())
	}
}

func TestWhatACarrierDoesNotTakeWaitsForAPerson(t *testing.T) {
	for name, d := range map[string]*depot{
		"declines":     {says: activities.InstructionAnswer{RemedyAnswer: activities.RemedyAnswer{Declined: "too late"}}},
		"cannot":       {says: activities.InstructionAnswer{Unable: "no adapter takes that"}},
		"never comes":  {first: slices.Repeat([]error{errors.New("answered 503")}, 10_000)},
		"nobody there": nil,
	} {
		t.Run(name, func(t *testing.T) {
			l, s := attempted(t, d)
			l.decide(1, order.HoldAtLocation, 0)
			var waits []order.WaitView
			l.env.RegisterDelayedCallback(func() { waits = l.view().Waiting }, day+4*hour)
			l.later(2*day, "told", func() order.Event {
				l.caseOf(order.InstructionOverdue) // nobody did it in time
				return order.EndInstruction{Meta: support("bob"), Instruction: l.view().Instructions[0].ID, Done: true, Reference: "by phone"}
			}, nil)
			l.tell(3*day, carrier(order.ReadyForPickup), carrier(order.Delivered))
			l.run(workflows.Input{Spec: &s})
			l.completed()
			if !slices.ContainsFunc(waits, func(w order.WaitView) bool {
				return w.Kind == order.WaitByHand && w.Owner == order.SupportTeam && w.Until.After(start.Add(day+4*hour))
			}) {
				t.Errorf("nobody is waited for: %+v", waits)
			}
			last := l.last()
			if i := last.Instructions[0]; i.State != order.InstructionAccepted || i.Reference != "by phone" || len(last.Cases)+len(last.Pending) != 0 {
				t.Errorf("%+v, cases %+v, pending %+v", i, last.Cases, last.Pending)
			}
		})
	}
}

func TestAMissingParcelsProofComesIntoItsCase(t *testing.T) {
	for name, c := range map[string]struct {
		d    *depot
		says []string
	}{
		"proof":        {&depot{first: []error{errors.New("503")}, proof: activities.ProofAnswer{DeliveredTo: "locker", Held: "photo", Proof: "proof-1-9"}}, []string{"photo", "proof-1-9", "locker and its code"}},
		"none":         {&depot{proof: activities.ProofAnswer{Missing: "the carrier has none to show"}}, []string{"no proof of delivery came", "none to show", "ask the neighbours"}},
		"nobody there": {nil, []string{"no proof of delivery came", "ask the neighbours"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLife(t)
			if c.d != nil {
				l.activities.Carriers = c.d
			}
			l.happyPath()
			l.ask(3*day, "missing", order.ReportNotReceived{Meta: order.Meta{By: order.Storefront}, Parcel: "1"}, nil, nil)
			var text string
			l.env.RegisterDelayedCallback(func() { text = l.view().Cases[0].Text }, 3*day+3*hour)
			l.later(4*day, "dismiss", func() order.Event {
				return order.ResolveCase{Meta: support("ann"), Case: l.caseOf(order.NotReceived), Resolution: order.Dismiss}
			}, nil)
			s := spec()
			l.run(workflows.Input{Spec: &s})
			l.completed()
			for _, w := range c.says {
				if !strings.Contains(text, w) {
					t.Errorf("%q is not in %q", w, text)
				}
			}
			if len(l.last().Pending) != 0 || l.toldOf("proof_fetched") != 1 {
				t.Errorf("%+v %v", l.last().Pending, l.told())
			}
		})
	}
}
