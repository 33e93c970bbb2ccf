package e2e

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/waybillhq/waybill/deploy/dev/e2e/rig"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

// An order has closed, and Temporal has forgotten it. Two desks ask for a return at
// once: one run goes on from what is stored, takes both, has the shop pay, and
// closes again.
func TestAClosedOrderTakesReturnsAndPaysThem(t *testing.T) {
	var mu sync.Mutex
	paid := map[string]int{}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if r.Header.Get("Waybill-Signature") != "" && strings.Contains(string(body), `"type":"refund"`) {
			paid[r.Header.Get("Idempotency-Key")]++
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"confirmed","reference":"rf-1"}`)
	}))
	defer front.Close()
	s := closed(t, one, "returns")
	s.start()
	s.need(s.API.Put(s.ctx, "/v1/stores/"+s.store, map[string]any{"name": "Test", "brand_color": "#123456", "webhook_url": front.URL, "webhook_secret": rig.StorefrontSecretName}))
	o := s.newOrder("1")
	o.Currency, o.Lines = "EUR", []order.Line{{SKU: "lamp", Quantity: 2, UnitAmount: 2_000}}
	o.Policy = s.policy("brief", func(p *order.Policy) {
		p.CloseAfter, p.ReturnAutoLimit, p.RefundLimit = order.Duration(time.Second), 10_000, 10_000
	})
	id := s.create(o)
	path := rig.OrderPath(id)
	facts := journey(id, s.tracking(1))
	s.post(facts...)
	s.ended(id)
	gone := &commonpb.WorkflowExecution{WorkflowId: workflows.ID(id)}
	if _, err := s.Temporal.WorkflowService().DeleteWorkflowExecution(s.ctx, &workflowservice.DeleteWorkflowExecutionRequest{Namespace: s.Config.TemporalNamespace, WorkflowExecution: gone}); err != nil {
		t.Fatal(err)
	}
	s.eventually("Temporal forgets the run", func() error {
		if _, err := s.Temporal.DescribeWorkflowExecution(s.ctx, gone.WorkflowId, ""); !errors.As(err, new(*serviceerror.NotFound)) {
			return fmt.Errorf("it has not: %v", err)
		}
		return nil
	})

	ask := func(units int) (rig.Answer, error) {
		return s.API.Post(s.ctx, path+"/returns", map[string]any{"lines": []any{map[string]any{"sku": "lamp", "quantity": units, "reason": "does_not_fit", "wanted": "refund"}}})
	}
	if a, err := ask(3); err != nil || a.Status != http.StatusUnprocessableEntity || !strings.Contains(string(a.Body), "only 2 were delivered") {
		t.Errorf("%v %s", err, a)
	}
	if _, err := s.Temporal.DescribeWorkflowExecution(s.ctx, gone.WorkflowId, ""); !errors.As(err, new(*serviceerror.NotFound)) {
		t.Errorf("a refusal started a run: %v", err)
	}
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if a, err := ask(1); err != nil || !a.OK() {
				t.Errorf("%v %s", err, a)
			}
		})
	}
	both.Wait()
	if v := s.becomes(id, "open, with two returns", func(v order.View) bool { return !v.Closed && len(v.Returns) == 2 }); v.Returns[0].State != order.ReturnAuthorized {
		t.Errorf("%+v", v.Returns)
	}
	for i, r := range []string{"R1", "R2"} {
		scan := &rig.Scan{ID: "s-" + id + "-" + r, Kind: order.ScanReturned, Order: id, Parcel: r, OccurredAt: time.Now().UTC().Add(-time.Second)}
		s.post(fact{scan: scan})
		s.becomes(id, r+" received", func(v order.View) bool { return v.Returns[i].State == order.ReturnReceived })
		a, err := s.API.Do(s.ctx, s.API.Keys["returns"], http.MethodPost, path+"/returns/"+r+"/inspect", map[string]any{"findings": []any{map[string]any{"sku": "lamp", "quantity": 1, "grade": "a_new"}}})
		s.need(a, err)
	}
	s.ended(id)
	v := s.becomes(id, "refunded", func(v order.View) bool { return v.Closed && len(v.Remedies) == 2 })
	for _, r := range v.Remedies {
		if r.State != order.Confirmed || r.Reference != "rf-1" || r.Amount != 2_000 || paid[id+"/"+r.ID] == 0 {
			t.Errorf("%+v, paid %v", r, paid)
		}
	}
	runs, err := s.History(s.ctx, id)
	if err != nil || len(runs) != 1 {
		t.Errorf("%d runs, want the one that took both: %v", len(runs), err)
	}
	if err := s.differ(id); err != nil {
		t.Error(err)
	}
	// Its whole story is still there: of both runs, each thing once.
	s.toldOnce()
	for kind, want := range map[string]int{"order_received": 1, "order_closed": 2, "order_reopened": 1} {
		if n := s.count(`select count(*) from happenings where order_id = $1 and type = $2`, id, kind); n != want {
			t.Errorf("%s told %d times, want %d", kind, n, want)
		}
	}
	if n := s.count(`select count(*) from happenings where order_id = $1 and type = 'milestone_reached' and parcel = '1'`, id); n != 8 {
		t.Errorf("%d milestones of the way out", n)
	}
	if n := s.count(`select count(*) from returns where order_id = $1 and state = 'closed'`, id); n != 2 {
		t.Errorf("%d closed returns are listed", n)
	}
}

// ended waits until an order is closed and its run over.
func (s *shop) ended(id string) {
	s.Helper()
	s.becomes(id, "closed", func(v order.View) bool { return v.Closed })
	s.eventually("the run of "+id+" ends", func() error {
		d, err := s.Temporal.DescribeWorkflowExecution(s.ctx, workflows.ID(id), "")
		if err == nil && d.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED {
			err = fmt.Errorf("it is %s", d.GetWorkflowExecutionInfo().GetStatus())
		}
		return err
	})
}

// A fact that comes after the end is late, unless it leaves the order something to
// wait for.
func TestAParcelThatTurnsRoundReopensItsOrder(t *testing.T) {
	s := open(t, "turned")
	o := s.newOrder("1")
	o.Policy = s.policy("brief", func(p *order.Policy) { p.CloseAfter = order.Duration(time.Second) })
	id := s.create(o)
	s.post(journey(id, s.tracking(1))...)
	s.ended(id)
	now := time.Now().UTC().Truncate(time.Microsecond)
	s.post(fact{event: &rig.Event{ID: "late-" + id, Tracking: s.tracking(1), Milestone: order.InTransit, OccurredAt: now.Add(-20 * time.Second)}})
	s.eventually("the scan is late", func() error {
		for _, e := range s.timeline(id) {
			if e.EventID == "late-"+id && e.Note == "late" {
				return nil
			}
		}
		return errors.New("it is not")
	})
	s.post(fact{event: &rig.Event{ID: "back-" + id, Tracking: s.tracking(1), Milestone: order.Returning, OccurredAt: now}})
	v := s.becomes(id, "open again", func(v order.View) bool { return !v.Closed && len(v.Cases) == 1 })
	if v.Status != order.StatusReturning || v.Cases[0].Kind != order.UnexpectedReturn {
		t.Errorf("%s, %+v", v.Status, v.Cases)
	}
	if err := s.differ(id); err != nil {
		t.Error(err)
	}
}
