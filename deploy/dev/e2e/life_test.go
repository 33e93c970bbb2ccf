package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"

	"github.com/waybillhq/waybill/deploy/dev/e2e/rig"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

func TestAnOrderReachesDeliveredAndEverybodySeesIt(t *testing.T) {
	s := open(t, "life")
	o := s.newOrder("1001")
	o.Customer = rig.Customer{Name: "Canaria Vogelsang", Email: "canary@birdmail.example", Phone: "+4915112345678"}
	o.ShipTo = rig.Address{Name: "Canaria Vogelsang", Street: "Zwitscherweg 77", City: "Bremen", Country: "DE"}
	var created struct {
		TrackingURL string `json:"tracking_url"`
	}
	if err := s.need(s.API.Post(s.ctx, "/v1/orders", o)).Into(&created); err != nil {
		t.Fatal(err)
	}
	id := o.ID()
	facts := journey(id, s.tracking(1))
	s.post(facts...)
	s.becomesStatus(id, order.StatusDelivered)
	s.agrees()
	s.eachOnce(id, ids(facts))

	t.Run("live equals the read model", func(t *testing.T) {
		model, err := s.view(id, false)
		if err != nil {
			t.Fatal(err)
		}
		live, err := s.view(id, true)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := fmt.Sprintf("%+v", model), fmt.Sprintf("%+v", live); a != b {
			t.Errorf("read model %s\nlive %s", a, b)
		}
	})
	t.Run("the tracking page shows it", func(t *testing.T) {
		path := strings.TrimPrefix(created.TrackingURL, s.API.Base)
		a, err := s.API.Do(s.ctx, "", http.MethodGet, path, nil)
		if err != nil || a.Status != http.StatusOK || !bytes.Contains(a.Body, []byte("Delivered")) || !bytes.Contains(a.Body, []byte("1001")) {
			t.Errorf("%v %s", err, a)
		}
		a, err = s.API.Do(s.ctx, "", http.MethodGet, "/t/"+strings.Repeat("0", 27), nil)
		if err != nil || a.Status != http.StatusNotFound {
			t.Errorf("another token: %v %d", err, a.Status)
		}
	})
	t.Run("the console needs sign-in", func(t *testing.T) {
		for _, path := range []string{"/console", "/console/orders", "/console/orders/" + id} {
			a, err := s.API.Do(s.ctx, "", http.MethodGet, path, nil)
			if err != nil || a.Status != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "/console/sign-in") {
				t.Errorf("%s: %v %d to %q", path, err, a.Status, a.Header.Get("Location"))
			}
		}
		a, err := s.API.Do(s.ctx, "", http.MethodGet, strings.TrimPrefix(s.Access.ConsoleURL, s.API.Base), nil)
		if err != nil || a.Status != http.StatusSeeOther {
			t.Fatalf("ticket: %v %s", err, a)
		}
		cookie, _, _ := strings.Cut(a.Header.Get("Set-Cookie"), ";")
		a, err = s.API.Do(s.ctx, "", http.MethodGet, "/console/orders/"+id, nil, "Cookie", cookie)
		if err != nil || a.Status != http.StatusOK || !bytes.Contains(a.Body, []byte(s.tracking(1))) {
			t.Errorf("signed in: %v %s", err, a)
		}
	})
	t.Run("the workflow can be found by what matters", func(t *testing.T) {
		d, err := s.Temporal.DescribeWorkflowExecution(s.ctx, workflows.ID(id), "")
		if err != nil {
			t.Fatal(err)
		}
		attributes := d.GetWorkflowExecutionInfo().GetSearchAttributes().GetIndexedFields()
		if got := attribute[string](t, attributes["OrderStatus"]); got != string(order.StatusDelivered) {
			t.Errorf("OrderStatus %q", got)
		}
		if got := attribute[string](t, attributes["OrderStore"]); got != s.store {
			t.Errorf("OrderStore %q", got)
		}
		if got := attribute[[]string](t, attributes["Carriers"]); !slices.Equal(got, []string{rig.Carrier}) {
			t.Errorf("Carriers %q", got)
		}
	})
	t.Run("no personal data leaves PostgreSQL", func(t *testing.T) {
		runs, err := s.History(s.ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		places := map[string][]byte{"log of the api": []byte(s.api.Log()), "log of the worker": []byte(s.worker.Log())}
		for i, run := range runs {
			// In the wire format payloads stand as they were written.
			raw, err := proto.Marshal(run)
			if err != nil {
				t.Fatal(err)
			}
			places[fmt.Sprintf("run %d", i+1)] = raw
		}
		d, err := s.Temporal.DescribeWorkflowExecution(s.ctx, workflows.ID(id), "")
		if err != nil {
			t.Fatal(err)
		}
		if places["description"], err = proto.Marshal(d); err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(places["run 1"], []byte(s.tracking(1))) {
			t.Error("the search would not find anything: the tracking number is not in the history either")
		}
		for where, text := range places {
			for _, canary := range []string{"Canaria", "Vogelsang", "canary@", "birdmail", "15112345678", "Zwitscherweg"} {
				if bytes.Contains(text, []byte(canary)) {
					t.Errorf("%s names %q", where, canary)
				}
			}
		}
	})
}

func attribute[T any](t *testing.T, p *commonpb.Payload) (v T) {
	t.Helper()
	if err := converter.GetDefaultDataConverter().FromPayload(p, &v); err != nil {
		t.Error(err)
	}
	return v
}

func TestEventsBeforeTheirOrderAndTheirLabelAttachAsSoonAsTheyCan(t *testing.T) {
	s := open(t, "early")
	o := s.newOrder("1")
	facts := journey(o.ID(), s.tracking(1))
	label := slices.IndexFunc(facts, func(f fact) bool { return f.scan != nil && f.scan.Kind == order.ScanLabelled })
	orphans := func() int {
		return s.count(`select count(*) from inbox where order_id is null and (ref_order = $1 or tracking = $2)`, o.ID(), s.tracking(1))
	}

	without := slices.Delete(slices.Clone(facts), label, label+1)
	s.post(without...)
	if n := orphans(); n != len(without) {
		t.Fatalf("%d orphans, want %d", n, len(without))
	}
	id := s.create(o)
	s.becomes(id, "handed over", func(v order.View) bool { return v.Parcels[0].Milestone == order.HandedOver })
	if n := orphans(); n != 4 {
		t.Errorf("%d orphans before the label, want the carrier's 4", n)
	}
	s.post(facts[label])
	s.becomesStatus(id, order.StatusDelivered)
	if n := orphans(); n != 0 {
		t.Errorf("%d orphans at the end", n)
	}
	s.eachOnce(id, ids(facts))
	s.agrees()
	s.appliedOnce(id, len(facts))
}

func TestAnOrderCreatedByManyAtOnceIsOneOrder(t *testing.T) {
	s := open(t, "race")
	o := s.newOrder("1")
	o.PlacedAt = time.Now().UTC().Truncate(time.Second)
	answers := make([]rig.Answer, 32)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() {
			key := "same"
			if i%2 == 1 {
				key = fmt.Sprintf("own-%d", i)
			}
			answers[i], _ = s.API.Post(s.ctx, "/v1/orders", o, "Idempotency-Key", key)
		})
	}
	wg.Wait()
	fresh := 0
	for i, a := range answers {
		if !a.OK() {
			t.Errorf("answer %d: %s", i, a)
		}
		if a.Status == http.StatusCreated && a.Header.Get("Idempotent-Replayed") == "" {
			fresh++
		}
	}
	if fresh != 1 {
		t.Errorf("%d answers say that they created it", fresh)
	}
	if got := s.orders(); len(got) != 1 {
		t.Errorf("orders %v", got)
	}
	s.agrees() // one workflow

	other := o
	other.Lines = []order.Line{{SKU: "sofa", Quantity: 2}}
	if a, err := s.API.Post(s.ctx, "/v1/orders", other); err != nil || a.Status != http.StatusConflict {
		t.Errorf("another order under the same number: %v %s", err, a)
	}
}

func TestWhatPeopleAskIsGrantedOrRefusedWithAReason(t *testing.T) {
	s := open(t, "asks")
	o := s.newOrder("1")
	o.Lines = []order.Line{{SKU: "lamp", Quantity: 2}}
	id := s.create(o)
	s.becomes(id, "begun", func(v order.View) bool { return v.Seq > 0 })
	path := rig.OrderPath(id)

	post := func(what string, body any) func() (rig.Answer, error) {
		return func() (rig.Answer, error) { return s.API.Post(s.ctx, path+what, body) }
	}
	put := func(parcel string, body any) func() (rig.Answer, error) {
		return func() (rig.Answer, error) { return s.API.Put(s.ctx, path+"/parcels/"+parcel, body) }
	}
	lines := func(n int) map[string]any {
		return map[string]any{"lines": []order.Allocation{{SKU: "lamp", Quantity: n}}}
	}
	reason := func(text string) map[string]any { return map[string]any{"reason": text} }
	steps := []struct {
		name    string
		ask     func() (rig.Answer, error)
		status  int
		refusal string // part of the reason
	}{
		{"release what is not held", post("/release", reason("by mistake")), http.StatusConflict, "not on hold"},
		{"hold", post("/hold", reason("payment check")), http.StatusOK, ""},
		{"hold again", post("/hold", reason("payment check")), http.StatusConflict, "on hold since"},
		{"release", post("/release", reason("paid")), http.StatusOK, ""},
		{"promise", post("/promise", map[string]any{"promised_at": time.Now().Add(72 * time.Hour), "reason": "agreed by phone"}), http.StatusOK, ""},
		{"address", post("/address", map[string]any{"ship_to": rig.Address{Name: "A. Buyer", Street: "Elsewhere 1", City: "Bremen", Country: "DE"}, "reason": "moved"}), http.StatusOK, ""},
		{"put a parcel", put("A", lines(1)), http.StatusOK, ""},
		{"put more than was ordered", put("B", lines(2)), http.StatusUnprocessableEntity, "only 1 of 2"},
		{"cancel a parcel that is not there", post("/cancel", map[string]any{"reason": "gone", "parcels": []string{"Z"}}), http.StatusUnprocessableEntity, "not a parcel"},
		{"cancel", post("/cancel", reason("buyer changed their mind")), http.StatusOK, ""},
		{"cancel again", post("/cancel", reason("again")), http.StatusConflict, "was cancelled at"},
		{"hold what is cancelled", post("/hold", reason("late idea")), http.StatusConflict, "nothing is left to hold"},
	}
	granted := 0
	for _, step := range steps {
		before := s.historyLength(id)
		a, err := step.ask()
		if err != nil || a.Status != step.status {
			t.Fatalf("%s: %v %s", step.name, err, a)
		}
		if step.refusal == "" {
			granted++
			continue
		}
		if !bytes.Contains(a.Body, []byte(step.refusal)) {
			t.Errorf("%s: the reason is not given: %s", step.name, a)
		}
		if after := s.historyLength(id); after != before {
			t.Errorf("%s: refused, and yet the history grew from %d to %d events", step.name, before, after)
		}
	}
	v := s.becomesStatus(id, order.StatusCancelled)
	if v.OnHold || v.PromisedAt.IsZero() {
		t.Errorf("%+v", v)
	}
	if n := s.count(`select count(*) from addresses where order_id = $1`, id); n != 2 {
		t.Errorf("%d versions of the address", n)
	}
	for outcome, want := range map[string]int{"done": granted, "refused": len(steps) - granted, "failed": 0, "": 0} {
		if n := s.count(`select count(*) from audit where order_id = $1 and outcome = $2`, id, outcome); n != want {
			t.Errorf("%d audit rows %q, want %d", n, outcome, want)
		}
	}
	s.agrees()
}

func (s *shop) historyLength(id string) (n int) {
	s.Helper()
	runs, err := s.History(s.ctx, id)
	if err != nil {
		s.Fatal(err)
	}
	for _, r := range runs {
		n += len(r.GetEvents())
	}
	return n
}

func TestFactsAfterTheEndAreFiledAsLateAndShown(t *testing.T) {
	s := open(t, "late")
	o := s.newOrder("1")
	o.Policy = s.policy("brief", func(p *order.Policy) { p.CloseAfter = 0 })
	id := s.create(o)
	facts := journey(id, s.tracking(1))
	s.post(facts...)
	s.becomes(id, "closed", func(v order.View) bool { return v.Closed })

	late := fact{event: &rig.Event{ID: "too-late", Tracking: s.tracking(1), Milestone: order.OutForDelivery, OccurredAt: time.Now()}}
	s.post(late)
	s.eventually("the fact is filed as late", func() error {
		for _, e := range s.timeline(id) {
			if e.EventID == late.id() && e.Note == "late" {
				return nil
			}
		}
		return fmt.Errorf("timeline %+v", s.timeline(id))
	})
	s.eachOnce(id, append(ids(facts), late.id()))
	if v := s.becomesStatus(id, order.StatusDelivered); !v.Closed {
		t.Error("the order was opened again")
	}
	s.agrees()
}
