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

// front is a shop's own system: a ledger, and what it answers first.
type front struct {
	ledger map[string]int64
	calls  int
	first  []error // then it confirms
	no     string  // or declines
}

func (f *front) RequestRemedy(_ context.Context, r activities.RemedyRequest) (activities.RemedyAnswer, error) {
	f.calls++
	if f.no == "" {
		f.ledger[r.Remedy.ID] = r.Remedy.Amount
	}
	if f.calls <= len(f.first) {
		return activities.RemedyAnswer{}, f.first[f.calls-1]
	}
	if f.no != "" {
		return activities.RemedyAnswer{Declined: f.no}, nil
	}
	return activities.RemedyAnswer{Reference: "rf-1"}, nil
}

// withFront is a life whose storefront can be asked. The sofa costs 900 EUR.
func withFront(t *testing.T, f *front) (*life, order.Spec) {
	f.ledger = map[string]int64{}
	l := newLife(t, f)
	s := spec()
	s.Currency, s.Lines[0].UnitAmount = "EUR", 90_000
	return l, s
}

func support(actor string) order.Meta {
	return order.Meta{By: order.Support, Actor: actor, Reason: "agreed"}
}

// caseOf finds the ID of an open case.
func (l *life) caseOf(kind order.CaseKind) string {
	l.Helper()
	v := l.view()
	for _, c := range v.Cases {
		if c.Kind == kind {
			return c.ID
		}
	}
	l.Errorf("no case %s at %s: %+v", kind, l.env.Now(), v.Cases)
	return ""
}

// later asks something that is known only then.
func (l *life) later(after time.Duration, id string, make func() order.Event, refusal *error) {
	l.env.RegisterDelayedCallback(func() { l.ask(0, id, make(), refusal, nil) }, after)
}

func (l *life) toldOf(prefix string) int {
	n := 0
	for _, h := range l.told() {
		if strings.HasPrefix(h, prefix) {
			n++
		}
	}
	return n
}

func TestAStallIsRaisedToldAndDecided(t *testing.T) {
	l := newLife(t)
	l.tell(1*hour, order.Scan{Parcel: "1", Kind: order.ScanLabelled, Carrier: "ups", Tracking: "1Z0000000001"}, scan(order.ScanPicked), scan(order.ScanPacked))
	l.tell(2*hour, carrier(order.Accepted))
	var early, noticed []string
	l.env.RegisterDelayedCallback(func() { early = slices.Clone(l.told()) }, 3*day+4*hour)
	l.env.RegisterDelayedCallback(func() { noticed = slices.Clone(l.told()) }, 4*day+4*hour)
	l.later(4*day+5*hour, "wait", func() order.Event {
		return order.ResolveCase{Meta: support("ann"), Case: l.caseOf(order.Stalled), Resolution: order.WaitOn, Until: start.Add(7 * day)}
	}, nil)
	var stale error
	l.ask(4*day+6*hour, "stale", order.ResolveCase{Meta: support("bob"), Case: "stalled-1-9", Resolution: order.DeclareLost}, &stale, nil)
	l.later(7*day+2*hour, "lost", func() order.Event {
		return order.ResolveCase{Meta: support("bob"), Case: l.caseOf(order.Stalled), Resolution: order.DeclareLost}
	}, nil)
	l.later(7*day+3*hour, "dismiss", func() order.Event {
		return order.ResolveCase{Meta: support("bob"), Case: l.caseOf(order.LostParcel), Resolution: order.Dismiss}
	}, nil)
	s := spec()
	l.run(workflows.Input{Spec: &s})
	l.completed()
	if !slices.Contains(early, "case_opened stalled") || slices.Contains(early, "case_noticed stalled") || !slices.Contains(noticed, "case_noticed stalled") {
		t.Errorf("people first, the buyer after a day:\n%v\n%v", early, noticed)
	}
	if stale == nil {
		t.Error("a form about a case that is no more was granted")
	}
	if l.toldOf("case_opened stalled") != 2 || l.last().Status != order.StatusLost {
		t.Errorf("%s: %v", l.last().Status, l.told())
	}
}

func TestARefundAboveTheLimitWaitsForAnotherPerson(t *testing.T) {
	f := &front{first: []error{errors.New("answered 503"), errors.New("timed out")}}
	l, s := withFront(t, f)
	l.happyPath()
	l.ask(3*day, "missing", order.ReportNotReceived{Meta: order.Meta{By: order.Storefront}, Parcel: "1"}, nil, nil)
	l.later(3*day+hour, "refund", func() order.Event {
		return order.ResolveCase{Meta: support("ann"), Case: l.caseOf(order.NotReceived), Resolution: order.Refund}
	}, nil)
	remedy := func() string { return l.view().Remedies[0].ID }
	var own error
	var before int
	l.later(3*day+2*hour, "own", func() order.Event {
		before = f.calls
		return order.DecideRemedy{Meta: support("ann"), Remedy: remedy(), Agree: true}
	}, &own)
	l.later(3*day+3*hour, "other", func() order.Event { return order.DecideRemedy{Meta: support("bob"), Remedy: remedy(), Agree: true} }, nil)
	l.run(workflows.Input{Spec: &s})
	l.completed()
	if own == nil || !strings.Contains(own.Error(), "another person") || before != 0 {
		t.Errorf("who asked agreed: %v, the shop was asked %d times", own, before)
	}
	r := l.last().Remedies[0]
	if r.State != order.Confirmed || r.Reference != "rf-1" || r.ApprovedBy != "bob" || f.calls != 3 || len(f.ledger) != 1 || f.ledger[r.ID] != 90_000 {
		t.Errorf("%+v, %d calls, ledger %v", r, f.calls, f.ledger)
	}
}

func TestAStorefrontThatCannotBeAskedIsAPersonsWork(t *testing.T) {
	for name, f := range map[string]*front{
		"never answers": {first: slices.Repeat([]error{errors.New("answered 503")}, 10_000)},
		"says never":    {first: slices.Repeat([]error{activities.ErrFinal}, 10_000)},
	} {
		t.Run(name, func(t *testing.T) {
			l, s := withFront(t, f)
			s.Policy.RefundLimit = 0
			l.happyPath()
			l.ask(3*day, "missing", order.ReportNotReceived{Meta: order.Meta{By: order.Storefront}, Parcel: "1"}, nil, nil)
			l.later(3*day+hour, "refund", func() order.Event {
				return order.ResolveCase{Meta: support("ann"), Case: l.caseOf(order.NotReceived), Resolution: order.Refund}
			}, nil)
			l.later(6*day, "end", func() order.Event {
				l.caseOf(order.RemedyOverdue) // opened when the answer was due
				return order.EndRemedy{Meta: support("bob"), Remedy: l.view().Remedies[0].ID, Confirmed: true, Reference: "by hand"}
			}, nil)
			l.run(workflows.Input{Spec: &s})
			l.completed()
			last := l.last()
			if r := last.Remedies[0]; r.State != order.Confirmed || r.Reference != "by hand" || len(last.Cases) != 0 || len(last.Pending) != 0 {
				t.Errorf("%+v, cases %+v, pending %+v", r, last.Cases, last.Pending)
			}
			if once := name == "says never"; once != (f.calls == 1) {
				t.Errorf("asked %d times", f.calls)
			}
		})
	}
}

func TestAStorefrontMayDecline(t *testing.T) {
	f := &front{no: "paid by voucher"}
	l, s := withFront(t, f)
	s.Policy.RefundLimit = 0
	l.happyPath()
	l.ask(3*day, "missing", order.ReportNotReceived{Meta: order.Meta{By: order.Storefront}, Parcel: "1"}, nil, nil)
	l.later(3*day+hour, "refund", func() order.Event {
		return order.ResolveCase{Meta: support("ann"), Case: l.caseOf(order.NotReceived), Resolution: order.Refund}
	}, nil)
	l.run(workflows.Input{Spec: &s})
	l.completed()
	if r := l.last().Remedies[0]; r.State != order.Declined || len(f.ledger) != 0 || l.toldOf("remedy_changed") != 2 {
		t.Errorf("%+v, ledger %v, told %v", r, f.ledger, l.told())
	}
}
