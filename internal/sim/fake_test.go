package sim

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waybillhq/waybill/order"
)

// fake is a Waybill in memory that is as unreliable as it is asked to be. It
// answers from package order, so what it says is right once it has said it.
type fake struct {
	*httptest.Server
	t *testing.T

	mu     sync.Mutex
	rng    *rand.Rand
	chaos  float64 // share of calls that go wrong
	orders map[string]*fakeOrder
	facts  map[string]fakeFact // by source and ID
	byBody map[string]string   // idempotency key or event → what came under it
	policy map[string]order.Policy
	downTo time.Time            // every call is reset until then
	drop   func(id string) bool // a planted bug: accepted and lost
	calls  map[string]int
	n      int64
}

type fakeOrder struct {
	request  OrderRequest
	policy   order.Policy
	canceled time.Time
	held     bool
}

type fakeFact struct {
	n        int64
	received time.Time
	scan     *ScanItem
	event    *CarrierItem
	carrier  string
}

func newFake(t *testing.T, chaos float64) *fake {
	f := &fake{t: t, rng: rand.New(rand.NewPCG(1, 2)), chaos: chaos, orders: map[string]*fakeOrder{}, facts: map[string]fakeFact{},
		byBody: map[string]string{}, policy: map[string]order.Policy{}, calls: map[string]int{}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) client() *Client {
	c, err := NewClient(f.URL, Keys{roleAdmin: "wb_test"})
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

func (f *fake) roll() float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Now().Before(f.downTo) {
		return 0
	}
	if x := f.rng.Float64(); x < f.chaos {
		return x / f.chaos
	}
	return 1
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	reset := func() {
		if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
			conn.Close()
		}
	}
	body, _ := io.ReadAll(r.Body)
	dice := f.roll()
	switch {
	case dice < 0.25:
		reset() // killed before it did anything
		return
	case dice < 0.4:
		w.Header().Set("Retry-After", "0")
		http.Error(w, `{"title":"unavailable","status":503}`, http.StatusServiceUnavailable)
		return
	case dice < 0.5:
		http.Error(w, "oops", http.StatusInternalServerError)
		return
	}
	status, answer := f.handle(r, body)
	switch {
	case dice < 0.75:
		reset() // killed after the commit, before the answer
		return
	case dice < 1:
		b, _ := json.Marshal(answer)
		w.Header().Set("Content-Length", fmt.Sprint(len(b))) // half an answer
		w.WriteHeader(status)
		_, _ = w.Write(b[:len(b)/2])
		return
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

// once notes what came under a key; the same key must never carry another body.
func (f *fake) once(key, body string) {
	if was, ok := f.byBody[key]; ok && was != body {
		f.t.Errorf("%s was\n%s\nand is now\n%s", key, was, body)
	}
	f.byBody[key] = body
}

func problemOf(status int, detail string) (int, any) {
	return status, map[string]any{"title": http.StatusText(status), "status": status, "detail": detail}
}

func (f *fake) handle(r *http.Request, body []byte) (int, any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer wb_test" {
		return problemOf(401, "no key")
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	f.calls[r.Method+" "+parts[1]]++
	if key := r.Header.Get("Idempotency-Key"); key != "" {
		f.once("key "+key, string(body))
	}
	switch {
	case parts[1] == "stores":
		return 200, map[string]string{"id": parts[2]}
	case parts[1] == "policies":
		if r.Method == http.MethodPut {
			var p order.Policy
			if err := json.Unmarshal(body, &p); err != nil {
				return problemOf(422, err.Error())
			}
			p.Version++
			f.policy[parts[2]] = p
		}
		p, ok := f.policy[parts[2]]
		if !ok {
			return problemOf(404, "no policy")
		}
		return 200, p
	case parts[1] == "scans":
		var in struct{ Scans []ScanItem }
		_ = json.Unmarshal(body, &in)
		var out batchResponse
		for i, s := range in.Scans {
			text, _ := json.Marshal(s)
			f.once("scan "+s.ID, string(text))
			out.Results = append(out.Results, itemResult{Index: i, ID: s.ID, Result: f.take("warehouse/"+s.ID, fakeFact{scan: &s}, f.orders[s.Order] != nil)})
		}
		return 200, out
	case parts[1] == "carriers":
		var in struct{ Events []CarrierItem }
		_ = json.Unmarshal(body, &in)
		var out batchResponse
		for i, e := range in.Events {
			text, _ := json.Marshal(e)
			f.once("event "+e.ID, string(text))
			_, _, known := f.bound(e.Tracking)
			out.Results = append(out.Results, itemResult{Index: i, ID: e.ID, Result: f.take(parts[2]+"/"+e.ID, fakeFact{event: &e, carrier: parts[2]}, known)})
		}
		return 200, out
	case len(parts) == 2 && r.Method == http.MethodPost:
		return f.create(body)
	case len(parts) == 2:
		return 200, f.list(r.URL.Query().Get("store"), r.URL.Query().Get("cursor"))
	}
	o := f.orders[parts[2]]
	if o == nil {
		return problemOf(404, "no order "+parts[2])
	}
	switch {
	case len(parts) == 3:
		return 200, f.view(o)
	case parts[3] == "timeline":
		return 200, f.timeline(parts[2])
	case parts[3] == "cancel":
		if !o.canceled.IsZero() { // a fake that forgets its keys: the client must cope
			return problemOf(409, "the order was cancelled")
		}
		o.canceled = time.Now()
	case parts[3] == "hold":
		o.held = true
	}
	return 200, f.view(o)
}

func (f *fake) create(body []byte) (int, any) {
	var r OrderRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return problemOf(400, err.Error())
	}
	id := r.Store + ":" + r.Number
	if o, there := f.orders[id]; there {
		if !o.request.PlacedAt.Equal(r.PlacedAt) {
			return problemOf(409, "exists with another content")
		}
		return 200, map[string]any{"order": f.view(o)}
	}
	p := order.DefaultPolicy()
	if r.Policy != "" {
		p = f.policy[r.Policy]
	}
	if err := order.CheckSpec(r.spec(p), time.Now()); err != nil {
		return problemOf(422, err.Error())
	}
	f.orders[id] = &fakeOrder{request: r, policy: p}
	return 201, map[string]any{"order": f.view(f.orders[id])}
}

func (f *fake) take(key string, fact fakeFact, known bool) string {
	if _, there := f.facts[key]; there {
		return resultDuplicate
	}
	f.n++
	fact.n, fact.received = f.n, time.Now()
	f.facts[key] = fact
	if !known {
		return resultOrphan
	}
	return resultAccepted
}

// bound finds the parcel of a tracking number.
func (f *fake) bound(tracking string) (id, parcel string, ok bool) {
	for _, x := range f.facts {
		if x.scan != nil && x.scan.Tracking == tracking && f.orders[x.scan.Order] != nil {
			return x.scan.Order, x.scan.Parcel, true
		}
	}
	return "", "", false
}

// of an order: its facts in the order in which they came.
func (f *fake) of(id string) []fakeFact {
	mine := map[int64]fakeFact{}
	labels := map[string]string{} // tracking → parcel
	for _, x := range f.facts {
		if x.scan != nil && x.scan.Order == id {
			mine[x.n] = x
			if x.scan.Tracking != "" {
				labels[x.scan.Tracking] = x.scan.Parcel
			}
		}
	}
	for _, x := range f.facts {
		if x.event != nil && labels[x.event.Tracking] != "" {
			mine[x.n] = x
		}
	}
	var sorted []fakeFact
	for n := int64(1); n <= f.n; n++ {
		if x, ok := mine[n]; ok && (f.drop == nil || !f.drop(x.id())) {
			sorted = append(sorted, x)
		}
	}
	return sorted
}

func (x fakeFact) id() string {
	if x.scan != nil {
		return x.scan.ID
	}
	return x.event.ID
}

func (f *fake) view(o *fakeOrder) order.View {
	r := o.request
	s := order.New(r.spec(o.policy), order.CurrentRules, r.PlacedAt)
	labels := map[string]string{}
	facts := f.of(s.Spec.ID)
	for _, x := range facts {
		if x.scan != nil && x.scan.Tracking != "" {
			labels[x.scan.Tracking] = x.scan.Parcel
		}
	}
	for _, x := range facts {
		if x.scan != nil {
			order.Apply(&s, x.scan.event(x.received, x.n))
		} else {
			order.Apply(&s, x.event.event(x.received, x.n, x.carrier, labels[x.event.Tracking]))
		}
	}
	if !o.canceled.IsZero() {
		order.Apply(&s, order.Cancel{Meta: order.Meta{By: order.Storefront, Applied: o.canceled}})
	}
	if o.held {
		order.Apply(&s, order.Hold{Meta: order.Meta{By: order.Support, Applied: time.Now(), Reason: "held"}})
	}
	s.PromiseMissed = s.PromiseMissed || !s.PromisedAt.IsZero() && time.Now().After(s.PromisedAt)
	return order.ViewOf(&s)
}

func (f *fake) list(store, cursor string) map[string]any {
	var ids []string
	for id, o := range f.orders {
		if o.request.Store == store {
			ids = append(ids, id)
		}
	}
	// By pages of seven, to turn some.
	slices.Sort(ids)
	page := []Listed{}
	next := ""
	for _, id := range ids {
		if id <= cursor {
			continue
		}
		if len(page) == 7 {
			next = page[6].ID
			break
		}
		v := f.view(f.orders[id])
		page = append(page, Listed{ID: id, Number: v.Number, Status: v.Status, PlacedAt: v.PlacedAt, Late: v.Late, OnHold: v.OnHold})
	}
	return map[string]any{"orders": page, "next": next}
}

func (f *fake) timeline(id string) map[string]any {
	entries := []map[string]any{{"source": "order", "kind": "order_received", "event_id": "not a fact"}}
	for _, x := range f.of(id) {
		entries = append(entries, map[string]any{"source": "told", "kind": "fact", "event_id": x.id()})
	}
	return map[string]any{"order": id, "entries": entries}
}
