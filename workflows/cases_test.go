package workflows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

// trouble is how a kind of case comes about and what ends it without a person's
// decision. The times are those of the default policy.
type trouble struct {
	kind   order.CaseKind
	parcel string
	// opens is when the case opens, counted from the order's beginning.
	opens time.Duration
	cause func(*life)
	// passes lets the world move on at a time.
	passes func(*life, time.Duration)
}

func (l *life) shipped() {
	l.tell(1*hour, order.Scan{Parcel: "1", Kind: order.ScanLabelled, Carrier: "ups", Tracking: "1Z0000000001"}, scan(order.ScanPicked), scan(order.ScanPacked))
	l.tell(2*hour, carrier(order.Accepted))
}

// says lets the carrier name a reason after a day.
func says(bucket string) func(*life) {
	return func(l *life) {
		l.shipped()
		l.tell(1*day, order.CarrierEvent{Parcel: "1", Milestone: order.InTransit, Physical: true, Bucket: bucket})
	}
}

func moves(m order.Milestone) func(*life, time.Duration) {
	return func(l *life, at time.Duration) { l.tell(at, carrier(m)) }
}

func scanned(parcel string, k order.ScanKind) func(*life, time.Duration) {
	return func(l *life, at time.Duration) { l.tell(at, order.Scan{Parcel: parcel, Kind: k}) }
}

// asks lets a person ask something that is known only then.
func asks(make func(*life) order.Event) func(*life, time.Duration) {
	return func(l *life, at time.Duration) {
		l.later(at, "passes", func() order.Event { return make(l) }, nil)
	}
}

func (l *life) missing() {
	l.happyPath()
	l.ask(3*day, "missing", order.ReportNotReceived{Meta: order.Meta{By: order.Storefront}, Parcel: "1"}, nil, nil)
}

func (l *life) returnAgreed() {
	l.happyPath()
	l.ask(3*day, "return", order.RequestReturn{Meta: order.Meta{By: order.Storefront},
		Lines: []order.ReturnLine{{SKU: "sofa", Quantity: 1, Reason: order.DoesNotFit, Wanted: order.RefundRemedy}}}, nil, nil)
	l.ask(3*day+hour, "agree", order.DecideReturn{Meta: desk(), Return: "R1", Agree: true}, nil, nil)
}

func desk() order.Meta { return order.Meta{By: order.ReturnsDesk, Actor: "dan", Reason: "seen"} }

var troubles = []trouble{
	{order.NotPicked, "1", 2 * day, func(*life) {}, scanned("1", order.ScanPicked)},
	{order.NotPacked, "1", 1*day + hour, func(l *life) { l.tell(1*hour, scan(order.ScanPicked)) }, scanned("1", order.ScanPacked)},
	{order.MissedHandoff, "1", 2*day + hour, func(l *life) { l.tell(1*hour, scan(order.ScanPicked), scan(order.ScanPacked)) }, moves(order.Accepted)},
	{order.Stalled, "1", 3*day + 2*hour, func(l *life) { l.shipped() }, moves(order.InTransit)},
	{order.Late, "", 6 * day, func(l *life) {
		l.shipped()
		l.tell(3*day, carrier(order.InTransit))
		l.tell(5*day, carrier(order.InTransit))
	}, moves(order.Delivered)},
	{order.FailedAttempt, "1", 1 * day, func(l *life) { l.shipped(); l.tell(1*day, carrier(order.AttemptFailed)) }, moves(order.OutForDelivery)},
	{order.LostParcel, "1", 1 * day, func(l *life) { l.shipped(); l.tell(1*day, order.CarrierEvent{Parcel: "1", Milestone: order.Lost}) }, moves(order.InTransit)},
	{order.HeldTooLong, "", 3*day + hour, func(l *life) { l.ask(1*hour, "hold", order.Hold{Meta: support("ann")}, nil, nil) },
		asks(func(*life) order.Event { return order.Release{Meta: support("ann")} })},
	{order.AddressProblem, "1", 1 * day, says("address"), moves(order.InTransit)},
	{order.Refused, "1", 1 * day, says("refused"), moves(order.Returning)},
	{order.Damaged, "1", 1 * day, says("damage"),
		asks(func(*life) order.Event {
			return order.CorrectMilestone{Meta: support("ann"), Parcel: "1", Milestone: order.Cancelled}
		})},
	{order.CustomsHold, "1", 1 * day, says("customs_docs"), moves(order.InTransit)},
	{order.Weather, "1", 1 * day, says("weather"), moves(order.InTransit)},
	{order.PaymentDue, "1", 1 * day, says("payment"), moves(order.OutForDelivery)},
	{order.NotReceived, "1", 3 * day, (*life).missing, func(l *life, at time.Duration) {
		l.tell(at, order.CarrierEvent{Parcel: "1", Milestone: order.InTransit, Physical: true, Correction: true})
	}},
	{order.UnexpectedReturn, "1", 1 * day, func(l *life) { l.shipped(); l.tell(1*day, carrier(order.Returning)) }, func(l *life, at time.Duration) {
		l.tell(at-time.Minute, order.Scan{Parcel: "1", Kind: order.ScanReturned})
		l.ask(at, "take-in", order.RequestReturn{Meta: desk(), Parcel: "1"}, nil, nil)
	}},
	{order.RemedyOverdue, "1", 5*day + hour, func(l *life) { // the shop's system never answers
		l.missing()
		l.later(3*day+hour, "refund", func() order.Event {
			return order.ResolveCase{Meta: support("ann"), Case: l.caseOf(order.NotReceived), Resolution: order.Refund}
		}, nil)
	}, asks(func(l *life) order.Event {
		return order.EndRemedy{Meta: support("ann"), Remedy: l.last().Remedies[0].ID, Confirmed: true}
	})},
	{order.ReturnOverdue, "R1", 17*day + hour, (*life).returnAgreed, scanned("R1", order.ScanReturned)},
	{order.InspectionOverdue, "R1", 7 * day, func(l *life) {
		l.returnAgreed()
		l.tell(4*day, order.Scan{Parcel: "R1", Kind: order.ScanReturned})
	}, asks(func(*life) order.Event {
		return order.InspectReturn{Meta: desk(), Return: "R1", Findings: []order.Finding{{SKU: "sofa", Quantity: 1, Grade: order.GradeNew}}}
	})},
}

// begins is a life in which the trouble comes. It stops at a time.
func (x trouble) begins(t *testing.T, stop time.Duration) (*life, order.Spec) {
	f := &front{}
	if x.kind == order.RemedyOverdue {
		f.first = slices.Repeat([]error{activities.ErrFinal}, 100)
	}
	l, s := withFront(t, f)
	s.Policy.RefundLimit = 0
	x.cause(l)
	l.env.RegisterDelayedCallback(func() { l.env.SetCurrentHistoryLength(workflows.DefaultMaxEvents) }, stop-time.Minute)
	l.tell(stop, scan(order.ScanReceived)) // the next run would begin
	return l, s
}

// story is what was told of the case until the run's end, with the hours after
// the case opened.
func (l *life) story(x trouble) (lines []string) {
	l.Helper()
	if err := l.env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), "continue as new") {
		l.Fatalf("the run ended with %v", err)
	}
	for _, h := range l.happenings() {
		what, ofCase := strings.CutPrefix(string(h.Type), "case_")
		if !ofCase || h.Case != x.kind || h.Parcel != x.parcel {
			continue
		}
		line := what + " after " + h.At.Sub(start.Add(x.opens)).Round(time.Minute).String()
		if h.Type == order.CaseEscalated {
			line += ": " + h.Text
		}
		lines = append(lines, line)
	}
	return lines
}

// alarms are what a case that nobody touches leads to: an alert to its owner at
// once, the buyer's notice, the next team.
func alarms(d order.CaseDefinition) []string {
	want := []string{"opened after 0s"}
	if d.Notice > 0 {
		want = append(want, "noticed after "+time.Duration(d.Notice).String())
	}
	return append(want, "escalated after "+time.Duration(d.Due).String()+": level 1, to "+string(d.Ladder[0]))
}

func (l *life) tells(x trouble, want ...string) {
	l.Helper()
	if got := strings.Join(l.story(x), "\n"); got != strings.Join(want, "\n") {
		l.Errorf("told of %s:\n%s\nwant:\n%s", x.kind, got, strings.Join(want, "\n"))
	}
}

// open finds the case in the read model.
func (l *life) open(x trouble) (order.CaseView, bool) {
	l.Helper()
	v := l.view()
	i := slices.IndexFunc(v.Cases, func(c order.CaseView) bool { return c.Kind == x.kind && c.Parcel == x.parcel })
	if i < 0 {
		return order.CaseView{}, false
	}
	return v.Cases[i], true
}

// Every kind of case: its owner hears of it first, then the buyer, then the next
// team; every resolution that the table names ends it, and so does the world.
func TestEveryKindOfCaseFromItsAlertToItsEnd(t *testing.T) {
	for _, d := range order.CaseDefinitions {
		i := slices.IndexFunc(troubles, func(x trouble) bool { return x.kind == d.Kind })
		if i < 0 {
			t.Errorf("nothing here leads to a case %s", d.Kind)
			continue
		}
		x, due := troubles[i], time.Duration(d.Due)
		end := x.opens + due + hour
		for _, r := range d.Resolutions {
			t.Run(string(d.Kind)+"/"+string(r), func(t *testing.T) {
				l, s := x.begins(t, end+hour)
				l.env.RegisterDelayedCallback(func() {
					if c, ok := l.open(x); !ok || c.Owner != d.Owner || c.Severity != d.Severity || !slices.Contains(c.Resolutions, r) {
						t.Errorf("a minute after it opened: %v, %+v", ok, c)
					}
				}, x.opens+time.Minute)
				l.later(end, "resolve", func() order.Event {
					e := order.ResolveCase{Meta: support("ann"), Case: l.caseOf(x.kind), Resolution: r}
					if r.NeedsUntil() {
						e.Until = l.env.Now().Add(2 * day)
					}
					return e
				}, nil)
				l.env.RegisterDelayedCallback(func() {
					if c, ok := l.open(x); ok {
						t.Errorf("resolved, and yet open: %+v", c)
					}
				}, end+time.Minute)
				l.run(workflows.Input{Spec: &s})
				l.tells(x, append(alarms(d), "closed after "+(due+hour).String())...)
			})
		}
		t.Run(string(d.Kind)+"/by itself", func(t *testing.T) {
			l, s := x.begins(t, end+hour)
			x.passes(l, end)
			l.run(workflows.Input{Spec: &s})
			l.tells(x, append(alarms(d), "closed after "+(due+hour).String())...)
		})
		t.Run(string(d.Kind)+"/before anybody else hears of it", func(t *testing.T) {
			soon := due / 2
			if d.Notice > 0 {
				soon = min(soon, time.Duration(d.Notice)/2)
			}
			l, s := x.begins(t, end+hour)
			x.passes(l, x.opens+soon)
			l.run(workflows.Input{Spec: &s})
			if got := l.story(x); len(got) < 2 || got[1] != "closed after "+soon.String() {
				t.Errorf("told %q", got)
			}
		})
	}
}
