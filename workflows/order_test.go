package workflows_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/worker"
	"github.com/waybillhq/waybill/workflows"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// world is the read model, the inbox and the carrier of a test.
type world struct {
	mu        sync.Mutex
	states    []*order.State
	failFor   int // projections that fail first
	found     time.Time
	questions int
	silent    time.Time // the feed, since
	stored    *order.State
}

func (w *world) State(context.Context, string) (*order.State, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failFor > 0 {
		w.failFor--
		return nil, errors.New("the database is away")
	}
	return w.stored, nil
}

func (w *world) Project(_ context.Context, s *order.State) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failFor > 0 {
		w.failFor--
		return errors.New("the database is away")
	}
	w.states = append(w.states, s)
	return nil
}

func (w *world) Wake(context.Context, string, string) (time.Time, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.questions++
	return w.found, nil
}

func (w *world) SilentSince(context.Context, string) (time.Time, error) { return w.silent, nil }

func (w *world) last() *order.State { return w.states[len(w.states)-1] }

// happenings are all that reached the read model, in order, each once.
func (w *world) happenings() (list []order.Happening) {
	seen := map[[2]int64]bool{}
	for _, s := range w.states {
		for _, h := range s.Told {
			if k := [2]int64{h.Seq, int64(h.N)}; !seen[k] {
				seen[k] = true
				list = append(list, h)
			}
		}
	}
	return list
}

// told lists them by type and what they are about.
func (w *world) told() (list []string) {
	for _, h := range w.happenings() {
		list = append(list, strings.Trim(string(h.Type)+" "+string(h.Milestone)+string(h.Case), " "))
	}
	return list
}

type life struct {
	*testing.T
	*world
	env        *testsuite.TestWorkflowEnvironment
	activities *activities.Activities
	n          int64
}

func newLife(t *testing.T, fronts ...activities.Storefronts) *life {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	l := &life{T: t, world: &world{}, env: suite.NewTestWorkflowEnvironment()}
	l.env.SetStartTime(start)
	l.env.SetTestTimeout(20 * time.Second)
	l.activities = &activities.Activities{ReadModel: l.world, Inbox: l.world}
	for _, f := range fronts {
		l.activities.Storefronts = f
	}
	worker.Register(l.env, l.activities)
	return l
}

func spec() order.Spec {
	return order.Spec{ID: "acme:1001", Store: "acme", Number: "1001", Class: order.Routine, PlacedAt: start, PromisedAt: start.Add(6 * 24 * time.Hour),
		Lines: []order.Line{{SKU: "sofa", Quantity: 1}}, Policy: order.DefaultPolicy()}
}

func (l *life) run(in workflows.Input) { l.env.ExecuteWorkflow(workflows.OrderType, in) }

// tell sends facts after a while, as one signal.
func (l *life) tell(after time.Duration, facts ...order.Event) {
	var items []json.RawMessage
	for _, f := range facts {
		l.n++
		at := start.Add(after)
		switch e := f.(type) {
		case order.Scan:
			e.N, e.By, e.Occurred, e.Received = l.n, order.Warehouse, at, at
			f = e
		case order.CarrierEvent:
			e.N, e.By, e.Occurred, e.Received = l.n, order.CarrierSays, at, at
			f = e
		}
		item, err := workflows.Item(f)
		if err != nil {
			l.Fatal(err)
		}
		items = append(items, item)
	}
	l.env.RegisterDelayedCallback(func() { l.env.SignalWorkflow(workflows.Facts, workflows.Batch{V: 1, Items: items}) }, after)
}

func scan(k order.ScanKind) order.Event { return order.Scan{Parcel: "1", Kind: k} }
func carrier(m order.Milestone) order.Event {
	return order.CarrierEvent{Parcel: "1", Milestone: m, Physical: true, Carrier: "ups"}
}

const hour = time.Hour
const day = 24 * time.Hour

func (l *life) happyPath() {
	l.tell(1*hour, scan(order.ScanPicked))
	l.tell(2*hour, scan(order.ScanPacked))
	l.tell(3*hour, order.Scan{Parcel: "1", Kind: order.ScanLabelled, Carrier: "ups", Tracking: "1Z0000000001"})
	l.tell(5*hour, scan(order.ScanHandedOver))
	l.tell(8*hour, carrier(order.Accepted))
	l.tell(1*day, carrier(order.InTransit))
	l.tell(2*day, carrier(order.OutForDelivery))
	l.tell(2*day+4*hour, carrier(order.Delivered))
}

func (l *life) completed() {
	l.Helper()
	if !l.env.IsWorkflowCompleted() {
		l.Fatal("the order is still open")
	}
	if err := l.env.GetWorkflowError(); err != nil {
		l.Fatal(err)
	}
}

func TestAnOrderLivesFromCheckoutToClosed(t *testing.T) {
	l := newLife(t)
	l.happyPath()
	s := spec()
	l.run(workflows.Input{Spec: &s})
	l.completed()
	last := l.last()
	if last.Status != order.StatusDelivered || !last.Closed || order.IsLate(last) {
		t.Errorf("ended as %s, closed %v, late %v", last.Status, last.Closed, order.IsLate(last))
	}
	if got := l.env.Now().Sub(start); got < 32*day || got > 33*day {
		t.Errorf("closed after %s; delivered on day 2, and kept open for 30 days more", got)
	}
	want := "order_received|milestone_reached picked|status_changed|milestone_reached packed|parcel_changed|milestone_reached labelled|milestone_reached handed_over|" +
		"milestone_reached accepted|status_changed|milestone_reached in_transit|milestone_reached out_for_delivery|milestone_reached delivered|status_changed|order_closed"
	if got := strings.Join(l.told(), "|"); got != want {
		t.Errorf("told\n%s\nwant\n%s", got, want)
	}
}

func TestAQuietParcelIsAskedForBeforeAnybodyIsAlarmed(t *testing.T) {
	l := newLife(t)
	l.tell(1*hour, order.Scan{Parcel: "1", Kind: order.ScanLabelled, Carrier: "ups", Tracking: "1Z0000000001"}, scan(order.ScanPicked), scan(order.ScanPacked))
	l.tell(2*hour, carrier(order.Accepted))
	var asked int
	var cases []order.CaseView
	l.env.RegisterDelayedCallback(func() { asked = l.questions }, 3*day+2*hour-time.Minute)
	l.env.RegisterDelayedCallback(func() { cases = l.view().Cases }, 3*day+3*hour)
	l.tell(4*day, carrier(order.InTransit))
	l.tell(5*day, carrier(order.Delivered))
	s := spec()
	l.run(workflows.Input{Spec: &s})
	l.completed()
	if asked != 0 || l.questions != 1 {
		t.Errorf("the carrier was asked %d times, %d of them early", l.questions, asked)
	}
	if len(cases) != 1 || cases[0].Kind != order.Stalled || cases[0].Owner != order.OpsTeam {
		t.Errorf("cases after the check: %+v", cases)
	}
	if len(l.last().Cases) != 0 {
		t.Errorf("cases left: %+v", l.last().Cases)
	}
}

// While the carrier's whole feed is silent, a quiet parcel is the feed's case;
// for a day, then it is the order's as well.
func TestASilentFeedIsNotOneCaseForEachOrder(t *testing.T) {
	l := newLife(t)
	l.tell(1*hour, order.Scan{Parcel: "1", Kind: order.ScanLabelled, Carrier: "ups", Tracking: "1Z0000000001"}, scan(order.ScanPicked), scan(order.ScanPacked))
	l.tell(2*hour, carrier(order.Accepted))
	l.silent = start.Add(2*day + 20*hour)
	type moment struct {
		cases int
		what  string
	}
	var seen []moment
	for _, after := range []time.Duration{3*day + 3*hour, 3*day + 20*hour, 4*day + 1*hour, 4*day + 3*hour} {
		l.env.RegisterDelayedCallback(func() {
			v := l.view()
			seen = append(seen, moment{len(v.Cases), v.Waiting[0].What})
		}, after)
	}
	l.tell(5*day, carrier(order.Delivered))
	s := spec()
	l.run(workflows.Input{Spec: &s})
	l.completed()
	for i, m := range seen {
		if excused := i < 3; excused != (m.cases == 0) || excused != strings.Contains(m.what, "the feed of ups is silent since 2026-03-05 05:00 UTC") {
			t.Errorf("moment %d: %+v", i, m)
		}
	}
	if len(seen) != 4 || l.questions != 5 {
		t.Errorf("%d moments, %d questions", len(seen), l.questions)
	}
}

// carrierSays answers every question alike.
type carrierSays struct {
	last time.Time
	err  error
}

func (c carrierSays) Track(context.Context, string, string, time.Time) (time.Time, error) {
	return c.last, c.err
}

// However the carrier fails, the order goes on: the case opens, at the latest
// when the policy's time for an answer is over.
func TestACarrierThatCannotBeAskedOpensTheCaseAsWell(t *testing.T) {
	answer := time.Duration(order.DefaultPolicy().CheckAnswer)
	for name, err := range map[string]error{
		"says no for good":   temporal.NewNonRetryableApplicationError("unauthorized", "carrier_unauthorized", nil),
		"away":               temporal.NewApplicationError("unavailable", "carrier_unavailable"),
		"rests a while":      temporal.NewApplicationErrorWithOptions("limited", "carrier_limited", temporal.ApplicationErrorOptions{NextRetryDelay: 10 * time.Minute}),
		"rests for too long": temporal.NewApplicationErrorWithOptions("limited", "carrier_limited", temporal.ApplicationErrorOptions{NextRetryDelay: 24 * time.Hour}),
	} {
		t.Run(name, func(t *testing.T) {
			l := newLife(t)
			l.activities.Tracker = carrierSays{err: err}
			l.tell(1*hour, order.Scan{Parcel: "1", Kind: order.ScanLabelled, Carrier: "ups", Tracking: "1Z0000000001"})
			l.tell(2*hour, carrier(order.Accepted))
			l.tell(5*day, carrier(order.Delivered))
			s := spec()
			l.run(workflows.Input{Spec: &s})
			l.completed()
			var opened time.Time
			for _, s := range l.states {
				for _, h := range s.Told {
					if h.Type == order.CaseOpened && h.Case == order.Stalled {
						opened = h.At
					}
				}
			}
			asked := start.Add(3*day + 2*hour)
			if opened.Before(asked) || opened.After(asked.Add(answer+time.Second)) {
				t.Errorf("the case opened %v after the question, the carrier has %v", opened.Sub(asked), answer)
			}
		})
	}
}

func TestNewsFromTheCarrierKeepsTheCaseShut(t *testing.T) {
	l := newLife(t)
	l.activities.Tracker = carrierSays{last: start.Add(3 * day)}
	l.tell(1*hour, order.Scan{Parcel: "1", Kind: order.ScanLabelled, Carrier: "ups", Tracking: "1Z0000000001"})
	l.tell(2*hour, carrier(order.Accepted))
	l.tell(5*day, carrier(order.Delivered))
	s := spec()
	l.run(workflows.Input{Spec: &s})
	l.completed()
	for _, h := range l.told() {
		if strings.HasPrefix(h, "case_opened") {
			t.Errorf("opened %s although the carrier knew better", h)
		}
	}
}

func TestNewsFromTheInboxKeepsTheCaseShut(t *testing.T) {
	l := newLife(t)
	l.tell(1*hour, order.Scan{Parcel: "1", Kind: order.ScanLabelled, Carrier: "ups", Tracking: "1Z0000000001"})
	l.tell(2*hour, carrier(order.Accepted))
	l.found = start.Add(3 * day)
	l.tell(5*day, carrier(order.Delivered))
	s := spec()
	l.run(workflows.Input{Spec: &s})
	l.completed()
	for _, h := range l.told() {
		if strings.HasPrefix(h, "case_opened") {
			t.Errorf("opened %s although the inbox knew better", h)
		}
	}
}

func (l *life) view() order.View {
	l.Helper()
	var v order.View
	value, err := l.env.QueryWorkflow(workflows.QueryView)
	if err == nil {
		err = value.Get(&v)
	}
	if err != nil {
		l.Fatal(err)
	}
	return v
}

// ask puts an update; accepted and refused report what came of it.
func (l *life) ask(after time.Duration, id string, request order.Event, refusal *error, result *order.View) {
	l.env.RegisterDelayedCallback(func() {
		l.env.UpdateWorkflow(workflows.UpdateName(request), id, &testsuite.TestUpdateCallback{
			OnAccept: func() {},
			OnReject: func(err error) {
				if refusal == nil {
					l.Errorf("%s refused: %v", id, err)
					return
				}
				*refusal = err
			},
			OnComplete: func(v any, err error) {
				if err != nil && refusal != nil {
					*refusal = err
				} else if err != nil {
					l.Errorf("%s: %v", id, err)
				} else if result != nil {
					*result = v.(order.View)
				}
			},
		}, request)
	}, after)
}

func TestPeopleAskThroughUpdatesAndAreRefusedWithTheReason(t *testing.T) {
	l := newLife(t)
	m := order.Meta{By: order.Support, Actor: "key_1", Reason: "the buyer asked"}
	var held, released, promised order.View
	var twice, late error
	l.ask(1*hour, "hold", order.Hold{Meta: m}, nil, &held)
	l.ask(2*hour, "hold again", order.Hold{Meta: m}, &twice, nil)
	l.ask(50*hour, "release", order.Release{Meta: m}, nil, &released)
	l.ask(51*hour, "promise", order.ChangePromise{Meta: m, PromisedAt: start.Add(20 * day)}, nil, &promised)
	l.tell(52*hour, scan(order.ScanPicked), scan(order.ScanPacked))
	l.tell(53*hour, carrier(order.Accepted))
	l.ask(54*hour, "cancel", order.Cancel{Meta: m}, &late, nil)
	l.tell(60*hour, carrier(order.Delivered))
	s := spec()
	l.run(workflows.Input{Spec: &s})
	l.completed()
	if !held.OnHold || released.OnHold || !promised.PromisedAt.Equal(start.Add(20*day)) {
		t.Errorf("held %v, then %v; promised %v", held.OnHold, released.OnHold, promised.PromisedAt)
	}
	if held.Seq == 0 || twice == nil || !strings.Contains(twice.Error(), "on hold since") {
		t.Errorf("second hold: %v", twice)
	}
	if late == nil || !strings.Contains(late.Error(), "is accepted since") {
		t.Errorf("cancelling a parcel that the carrier has: %v", late)
	}
	for _, h := range l.told() {
		if strings.Contains(h, "not_picked") {
			t.Error("the pick clock ran while the order was on hold")
		}
	}
}

func TestARunningOrderAdoptsAPolicyAndWhatIsOverEndsAtOnce(t *testing.T) {
	l := newLife(t)
	next := order.DefaultPolicy()
	next.Version, next.Pick = 2, order.Duration(4*hour)
	meta := order.Meta{By: order.Support, Actor: "key_1"}
	var refused, again error
	var v order.View
	l.ask(5*hour, "adopt", order.AdoptPolicy{Meta: meta, Policy: next}, &refused, &v)
	l.env.RegisterDelayedCallback(func() {
		if st := l.last(); len(st.Cases) != 1 || st.Cases[0].Kind != order.NotPicked || !st.Cases[0].OpenedAt.Equal(start.Add(5*hour)) {
			t.Errorf("cases %+v", st.Cases)
		}
	}, 5*hour+time.Minute)
	l.ask(6*hour, "adopt-again", order.AdoptPolicy{Meta: meta, Policy: next}, &again, nil)
	l.tell(7*hour, scan(order.ScanPicked), scan(order.ScanPacked))
	l.tell(8*hour, carrier(order.Accepted))
	l.tell(60*hour, carrier(order.Delivered))
	s := spec()
	l.run(workflows.Input{Spec: &s})
	l.completed()
	if refused != nil || v.Policy != "default v2" {
		t.Errorf("%v, follows %s", refused, v.Policy)
	}
	if again == nil || !strings.Contains(again.Error(), "follows version 2 already") {
		t.Errorf("the same again: %v", again)
	}
}

func TestACancelledOrderClosesByItself(t *testing.T) {
	l := newLife(t)
	l.ask(1*hour, "cancel", order.Cancel{Meta: order.Meta{By: order.Storefront, Reason: "changed my mind"}}, nil, nil)
	s := spec()
	l.run(workflows.Input{Spec: &s})
	l.completed()
	if l.last().Status != order.StatusCancelled {
		t.Errorf("ended as %s", l.last().Status)
	}
}

func TestWhatCannotBeReadIsKeptAsAnAnomaly(t *testing.T) {
	l := newLife(t)
	send := func(after time.Duration, payload any) {
		l.env.RegisterDelayedCallback(func() { l.env.SignalWorkflow(workflows.Scans, payload) }, after)
	}
	send(1*hour, "not a batch")
	send(1*hour, map[string]any{"v": 7})
	send(1*hour, workflows.Batch{V: 1, Items: []json.RawMessage{json.RawMessage(`{"kind":"scan","fact":{"parcel":3}}`), json.RawMessage(`{"kind":"what"}`), json.RawMessage(`null`)}})
	l.happyPath()
	s := spec()
	l.run(workflows.Input{Spec: &s})
	l.completed()
	if got := l.last().AnomalyCount; got != 5 {
		t.Errorf("%d anomalies, want one for each of the 5 unreadable things", got)
	}
	if l.last().Status != order.StatusDelivered {
		t.Errorf("ended as %s", l.last().Status)
	}
}

func TestAFactToldTwiceCountsOnce(t *testing.T) {
	l := newLife(t)
	l.happyPath()
	l.n = 0
	l.happyPath() // the same numbers again
	s := spec()
	l.run(workflows.Input{Spec: &s})
	l.completed()
	if got := len(l.told()); got != 14 {
		t.Errorf("told %d happenings, want 14: %v", got, l.told())
	}
}

func TestAProjectionThatCannotBeWrittenIsTriedUntilItCan(t *testing.T) {
	l := newLife(t)
	l.failFor = 60
	l.happyPath()
	s := spec()
	l.run(workflows.Input{Spec: &s})
	l.completed()
	if l.last().Status != order.StatusDelivered || len(l.told()) != 14 {
		t.Errorf("read model has %s and %d happenings", l.last().Status, len(l.told()))
	}
}

func TestTheNextRunTakesOverWithoutLosingAnything(t *testing.T) {
	l := newLife(t)
	l.tell(1*hour, scan(order.ScanPicked))
	l.tell(2*hour, scan(order.ScanPacked))
	s := spec()
	l.env.RegisterDelayedCallback(func() { l.env.SetCurrentHistoryLength(5) }, 90*time.Minute)
	l.run(workflows.Input{Spec: &s, MaxEvents: 5})
	err := l.env.GetWorkflowError()
	if err == nil || !strings.Contains(err.Error(), "continue as new") {
		t.Fatalf("ended with %v", err)
	}
	// The carried state decodes and goes on.
	next := newLife(t)
	next.n = 100
	next.happyPath()
	next.run(workflows.Input{State: l.last()})
	next.completed()
	if next.last().Status != order.StatusDelivered {
		t.Errorf("ended as %s", next.last().Status)
	}
}

// Cases of older rules have no names; nobody could act on them.
func TestANextRunUnderNewerRulesShowsAtOnceWhatTheyMakeOfIt(t *testing.T) {
	old := order.New(spec(), 2, start)
	order.Apply(&old, order.CarrierEvent{Meta: order.Meta{By: order.CarrierSays, Occurred: start, Applied: start}, Parcel: "1", Milestone: order.Lost})
	if len(old.Cases) != 1 || old.Cases[0].ID != "" {
		t.Fatalf("cases under rules 2: %+v", old.Cases)
	}
	l := newLife(t)
	l.later(time.Minute, "dismiss", func() order.Event {
		return order.ResolveCase{Meta: support("ann"), Case: l.last().Cases[0].ID, Resolution: order.Dismiss}
	}, nil)
	l.run(workflows.Input{State: &old})
	l.completed()
	if last := l.last(); last.Rules != order.CurrentRules || last.Status != order.StatusLost || len(last.Cases) != 0 {
		t.Errorf("rules %d, %s, cases %+v", last.Rules, last.Status, last.Cases)
	}
}

func TestDetailsSayWhatTheOrderWaitsFor(t *testing.T) {
	st := order.New(spec(), order.CurrentRules, start)
	got := workflows.Details(&st)
	for _, want := range []string{"Order received", "parcel 1: waiting for the pick scan until Wed 4 Mar 2026 09:00 UTC (warehouse, pick 2 d)", "a not_picked case is opened"} {
		if !strings.Contains(got, want) {
			t.Errorf("details lack %q:\n%s", want, got)
		}
	}
}
