package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/waybillhq/waybill/deploy/dev/e2e/rig"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

// patience for anything that should happen at once: the machine may be busy.
const patience = 60 * time.Second

// shop is one test's store, on the product's processes.
type shop struct {
	*testing.T
	*rig.Rig
	ctx         context.Context
	store       string
	api, worker *rig.Process
}

// open starts the product on the shared stack, and the test's own store in it.
func open(t *testing.T, name string) *shop {
	t.Helper()
	s := closed(t, one, name)
	s.start()
	s.found()
	return s
}

// found makes the store.
func (s *shop) found() {
	s.Helper()
	s.need(s.API.Put(s.ctx, "/v1/stores/"+s.store, map[string]any{"name": "Test", "brand_color": "#123456"}))
}

// closed is a shop whose processes the test starts itself.
func closed(t *testing.T, r *rig.Rig, name string) *shop {
	t.Helper()
	shops++
	return &shop{T: t, Rig: r, ctx: t.Context(), store: fmt.Sprintf("%s-%d", name, shops)}
}

// shops makes names unique when tests are repeated on one stack (-count).
var shops int

// tracking is a number that no other shop uses.
func (s *shop) tracking(n int) string { return fmt.Sprintf("%s-%04d", strings.ToUpper(s.store), n) }

// start runs api and worker until the test ends, with more settings if any, and
// waits for them.
func (s *shop) start(more ...string) {
	s.Helper()
	s.api, s.worker = s.run("api", more...), s.run("worker", more...)
	s.ready()
	s.eventually("the worker runs", func() error {
		if !strings.Contains(s.worker.Log(), "relay leads") || !strings.Contains(s.worker.Log(), "worker runs") {
			return errors.New("it has not said so")
		}
		return nil
	})
}

// run starts one process, stops it with the test, and shows its log if the test
// failed.
func (s *shop) run(role string, more ...string) *rig.Process {
	s.Helper()
	p, err := s.Rig.Run(role, more...)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		if err := p.Stop(); err != nil {
			s.Error(err)
		}
		if strings.Contains(p.Log(), `"msg":"panic"`) || strings.Contains(p.Log(), "\ngoroutine ") {
			s.Errorf("%s panicked", role)
		}
		if s.Failed() {
			rig.Tail(s.Output(), "log of "+role, p.Log(), 60)
		}
	})
	return p
}

// ready waits until the api says that it can do all its work.
func (s *shop) ready() {
	s.Helper()
	s.eventually("the api is ready", func() error {
		a, err := s.API.Do(s.ctx, "", http.MethodGet, "/readyz", nil)
		if err == nil && a.Status != http.StatusOK {
			err = errors.New(a.String())
		}
		return err
	})
}

func (s *shop) eventually(what string, probe func() error) {
	s.Helper()
	if err := rig.WaitFor(s.ctx, patience, func(context.Context) error { return probe() }); err != nil {
		s.Fatalf("%s: %v", what, err)
	}
}

// need takes a call's results and ends the test unless they are a 2xx.
func (s *shop) need(a rig.Answer, err error) rig.Answer {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
	if !a.OK() {
		s.Fatal(a)
	}
	return a
}

// policy makes a policy from the default one.
func (s *shop) policy(name string, change func(*order.Policy)) string {
	s.Helper()
	p := order.DefaultPolicy()
	p.Name = s.store + "-" + name
	change(&p)
	s.need(s.API.Put(s.ctx, "/v1/policies/"+p.Name, p))
	return p.Name
}

// newOrder is a one-line order that nobody has posted yet.
func (s *shop) newOrder(number string) rig.Order {
	return rig.Order{Store: s.store, Number: number, Customer: rig.Customer{Name: "A. Buyer"}, ShipTo: rig.Address{Name: "A. Buyer", Street: "Wall 1", City: "Bremen", Country: "DE"},
		Lines: []order.Line{{SKU: "lamp", Quantity: 1}}}
}

// create posts an order and returns its ID.
func (s *shop) create(o rig.Order) string {
	s.Helper()
	s.need(s.API.Post(s.ctx, "/v1/orders", o))
	return o.ID()
}

// fact is one scan or one carrier event.
type fact struct {
	scan  *rig.Scan
	event *rig.Event
}

func (f fact) id() string {
	if f.scan != nil {
		return f.scan.ID
	}
	return f.event.ID
}

// journey is what happens to parcel 1 of an order, from pick to delivery, with
// a second between any two.
func journey(orderID, tracking string) []fact {
	at := time.Now().Add(-time.Minute).UTC().Truncate(time.Microsecond)
	next := func() time.Time { at = at.Add(time.Second); return at }
	var facts []fact
	for _, kind := range []order.ScanKind{order.ScanReceived, order.ScanPicked, order.ScanPacked, order.ScanLabelled, order.ScanHandedOver} {
		f := &rig.Scan{ID: "s-" + orderID + "-" + string(kind), Kind: kind, Order: orderID, Parcel: "1", OccurredAt: next()}
		if kind == order.ScanLabelled {
			f.Carrier, f.Tracking = rig.Carrier, tracking
		}
		facts = append(facts, fact{scan: f})
	}
	for _, m := range []order.Milestone{order.Accepted, order.InTransit, order.OutForDelivery, order.Delivered} {
		facts = append(facts, fact{event: &rig.Event{ID: "e-" + orderID + "-" + string(m), Tracking: tracking, Milestone: m, Location: "Louisville", OccurredAt: next()}})
	}
	return facts
}

func ids(facts []fact) []string {
	list := make([]string, len(facts))
	for i, f := range facts {
		list[i] = f.id()
	}
	return list
}

// post posts facts in two calls, scans first, and wants every one taken.
func (s *shop) post(facts ...fact) {
	s.Helper()
	var scans []rig.Scan
	var events []rig.Event
	for _, f := range facts {
		if f.scan != nil {
			scans = append(scans, *f.scan)
		} else {
			events = append(events, *f.event)
		}
	}
	if len(scans) > 0 {
		s.taken(s.need(s.API.PostScans(s.ctx, scans...)))
	}
	if len(events) > 0 {
		s.taken(s.need(s.API.PostEvents(s.ctx, events...)))
	}
}

func (s *shop) taken(a rig.Answer) {
	s.Helper()
	if n := rejected(a); n > 0 {
		s.Fatalf("%d items rejected: %s", n, a.Body)
	}
}

func rejected(a rig.Answer) int {
	var r struct{ Rejected int }
	_ = a.Into(&r) // what is no such answer rejected nothing
	return r.Rejected
}

// view reads an order from the read model, or from its workflow.
func (s *shop) view(id string, live bool) (v order.View, err error) {
	path := rig.OrderPath(id)
	if live {
		path += "?live=true"
	}
	a, err := s.API.Get(s.ctx, path)
	if err == nil && !a.OK() {
		err = errors.New(a.String())
	}
	if err == nil {
		err = a.Into(&v)
	}
	return v, err
}

// becomes waits until an order's read model is as wanted.
func (s *shop) becomes(id, what string, is func(order.View) bool) (v order.View) {
	s.Helper()
	s.eventually(id+" becomes "+what, func() (err error) {
		if v, err = s.view(id, false); err == nil && !is(v) {
			err = fmt.Errorf("it is %s, seq %d, parcels %v", v.Status, v.Seq, v.Parcels)
		}
		return err
	})
	return v
}

func (s *shop) becomesStatus(id string, status order.Status) order.View {
	s.Helper()
	return s.becomes(id, string(status), func(v order.View) bool { return v.Status == status })
}

// timeline reads the facts of an order's timeline with their notes.
func (s *shop) timeline(id string) []store.Entry {
	s.Helper()
	var t struct{ Entries []store.Entry }
	if err := s.need(s.API.Get(s.ctx, rig.OrderPath(id)+"/timeline?limit=5000")).Into(&t); err != nil {
		s.Fatal(err)
	}
	return slices.DeleteFunc(t.Entries, func(e store.Entry) bool { return e.Source == "order" })
}

// eachOnce: every fact stands in the timeline once, and nothing else does.
func (s *shop) eachOnce(id string, want []string) {
	s.Helper()
	var have []string
	for _, e := range s.timeline(id) {
		have = append(have, e.EventID)
	}
	want = slices.Clone(want)
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		s.Errorf("timeline of %s: %d facts, want %d\nhave %s\nwant %s", id, len(have), len(want), clip(have), clip(want))
	}
}

func clip(list []string) string {
	const most = 20
	if len(list) > most {
		return fmt.Sprint(list[:most], " …")
	}
	return fmt.Sprint(list)
}

// orders lists the IDs of the shop's orders.
func (s *shop) orders() []string {
	s.Helper()
	rows, err := s.DB.Query(s.ctx, `select id from orders where store = $1 order by id`, s.store)
	if err != nil {
		s.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.Fatal(err)
	}
	return list
}

func (s *shop) count(query string, args ...any) (n int) {
	s.Helper()
	if err := s.DB.QueryRow(s.ctx, query, args...).Scan(&n); err != nil {
		s.Fatal(err)
	}
	return n
}

// agrees waits until the whole shop is quiet and checks what must hold then:
// each order has one workflow (I1), each accepted fact is with its order or an
// orphan (I2), each read model equals its workflow (I5), and no order tells the
// same thing twice, because messages are made of what it tells (I3).
func (s *shop) agrees() {
	s.Helper()
	s.eventually("all orders have begun", func() error {
		if n := s.count(`select count(*) from orders where store = $1 and started_at is null`, s.store); n > 0 {
			return fmt.Errorf("%d have not", n)
		}
		return nil
	})
	s.eventually("all facts are with their orders", func() error {
		if n := s.count(`select count(*) from inbox i join orders o on o.id = i.order_id where o.store = $1 and i.sent_at is null and i.due_at <= now()`, s.store); n > 0 {
			return fmt.Errorf("%d are not", n)
		}
		return nil
	})
	all := s.orders()
	for _, id := range all {
		s.eventually("read model and workflow of "+id+" agree", func() error { return s.differ(id) })
	}
	s.eventually("one workflow for each order", func() error {
		n, err := s.Temporal.CountWorkflow(s.ctx, &workflowservice.CountWorkflowExecutionsRequest{
			Query: fmt.Sprintf("WorkflowType = %q and OrderStore = %q and ExecutionStatus != 'ContinuedAsNew'", workflows.OrderType, s.store)})
		if err == nil && int(n.GetCount()) != len(all) {
			err = fmt.Errorf("%d workflows, %d orders", n.GetCount(), len(all))
		}
		return err
	})
	s.toldOnce()
}

// toldOnce: nothing happened twice for one and the same reason.
func (s *shop) toldOnce() {
	s.Helper()
	rows, err := s.DB.Query(s.ctx, `
select h.order_id || ': ' || concat_ws(' ', h.type, h.parcel, h.milestone, h.case_kind, h.body) || ' because of ' || h.cause
from happenings h join orders o on o.id = h.order_id where o.store = $1 and h.cause <> '' and h.type <> 'anomaly'
group by h.order_id, h.type, h.parcel, h.milestone, h.case_kind, h.body, h.cause having count(*) > 1`, s.store)
	if err != nil {
		s.Fatal(err)
	}
	twice, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.Fatal(err)
	}
	if len(twice) > 0 {
		s.Errorf("told more than once: %s", clip(twice))
	}
}

// differ compares an order's read model with what its workflow says, past the API.
func (s *shop) differ(id string) error {
	var stored []byte
	if err := s.DB.QueryRow(s.ctx, `select state from orders where id = $1`, id).Scan(&stored); err != nil {
		return err
	}
	if stored == nil {
		return errors.New("no read model yet")
	}
	var state order.State
	if err := json.Unmarshal(stored, &state); err != nil {
		return err
	}
	live, err := s.Orders.View(s.ctx, id)
	if err != nil {
		return err
	}
	a, err := json.Marshal(order.ViewOf(&state))
	if err != nil {
		return err
	}
	b, err := json.Marshal(live)
	if err != nil {
		return err
	}
	if !bytes.Equal(a, b) {
		at := max(0, firstDifference(a, b)-80)
		return fmt.Errorf("read model … %.200s\nworkflow   … %.200s", a[at:], b[at:])
	}
	return nil
}

func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// appliedOnce: nothing but these many facts was applied to the order, each once.
// It holds for orders for which no timer fires and nobody asks anything.
func (s *shop) appliedOnce(id string, facts int) {
	s.Helper()
	s.becomes(id, fmt.Sprintf("told %d facts", facts), func(v order.View) bool { return v.Seq >= int64(1+facts) })
	if v, err := s.Orders.View(s.ctx, id); err != nil || v.Seq != int64(1+facts) {
		s.Errorf("%s applied %d events, want %d (%v)", id, v.Seq-1, facts, err)
	}
}
