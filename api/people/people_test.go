// Package people tests what people do about cases, waits and remedies, over HTTP
// and with a real PostgreSQL. Orders are the real rules on the read model.
package people

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybillhq/waybill/api"
	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var placed = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// desk is an API over a real store; now is its clock and that of the orders.
type desk struct {
	*testing.T
	store    *store.Store
	db       *pgxpool.Pool
	api      *api.Server
	keys     map[string]string
	mu       sync.Mutex
	now      time.Time
	asked    int
	reopened int
	lost     bool // answers get lost after the order granted
}

// Ask is an order as its workflow is one: checked, applied, written. A closed one
// has no run.
func (d *desk) Ask(ctx context.Context, id string, request order.Event) (order.View, error) {
	if o, err := d.store.Order(ctx, id); err != nil || o.Current().Closed {
		return order.View{}, errors.Join(err, api.ErrNotRunning)
	}
	return d.ask(ctx, id, request)
}

func (d *desk) ask(ctx context.Context, id string, request order.Event) (order.View, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	o, err := d.store.Order(ctx, id)
	if err != nil {
		return order.View{}, err
	}
	st := o.Current()
	now := *st
	now.Now = d.now
	if err := order.Check(&now, request); err != nil {
		return order.View{}, err
	}
	st.DropTold(st.Seq) // as a run does when it was written
	order.Apply(st, order.Stamp(request, d.now))
	if err := d.store.Project(ctx, st); err != nil {
		return order.View{}, err
	}
	if d.lost {
		return order.View{}, api.ErrUnavailable
	}
	return order.ViewOf(st), nil
}

// Reopen is a new run of an order that had closed.
func (d *desk) Reopen(ctx context.Context, spec order.Spec, request order.Event) (order.View, error) {
	d.reopened++
	return d.ask(ctx, spec.ID, request)
}

func (d *desk) View(context.Context, string) (order.View, error) {
	return order.View{}, api.ErrNotRunning
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	url := storetest.URL(t)
	d := &desk{T: t, now: placed, keys: map[string]string{}}
	var err error
	if d.store, err = store.Open(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.store.Close)
	if d.db, err = pgxpool.New(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.db.Close)
	d.api = api.New(api.Deps{
		Store: d.store, Orders: d, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return d.now },
		Links: links.Links{PublicURL: "https://way.example", TemporalUIURL: "https://temporal.example", Namespace: "default", Secret: []byte("0123456789abcdef")},
	})
	for _, id := range []string{"acme", "bolt"} {
		if err := d.store.PutStore(t.Context(), store.StoreRow{ID: id, Name: id, BrandColor: "#1f4f8f"}); err != nil {
			t.Fatal(err)
		}
	}
	for name, scopes := range map[string][]string{"ann": {api.Support}, "bob": {api.Support}, "shop": {api.Storefront}, "dock": {api.Warehouse}, "desk": {api.Returns}, "bolt": {api.Support}} {
		only := ""
		if name == "bolt" {
			only = "bolt"
		}
		key, text, err := api.NewKey(name, scopes, only)
		if err == nil {
			err = d.store.AddKey(t.Context(), key)
		}
		if err != nil {
			t.Fatal(err)
		}
		d.keys[name] = text
	}
	return d
}

// after lets the order's clock go on to so long after it was placed.
func (d *desk) after(id string, since time.Duration, events ...order.Event) {
	d.Helper()
	if at := placed.Add(since); at.After(d.now) {
		d.now = at
	}
	o, err := d.store.Order(d.Context(), id)
	if err != nil {
		d.Fatal(err)
	}
	st := o.Current()
	st.DropTold(st.Seq)
	for _, e := range append(events, order.Tick{Meta: order.Meta{By: order.Engine}}) {
		order.Apply(st, order.Stamp(e, d.now))
	}
	if err := d.store.Project(d.Context(), st); err != nil {
		d.Fatal(err)
	}
}

func (d *desk) order(storeID, number string) string {
	d.Helper()
	id := storeID + ":" + number
	spec := order.Spec{ID: id, Store: storeID, Number: number, Class: order.Routine, Currency: "EUR", PlacedAt: placed, CustomerRef: id, Policy: order.DefaultPolicy(),
		Lines:   []order.Line{{SKU: "sofa", Quantity: 1, UnitAmount: 90_000}},
		Parcels: []order.PlannedParcel{{ID: "1", Carrier: "ups", Tracking: "1Z" + number, Lines: []order.Allocation{{SKU: "sofa", Quantity: 1}}}}}
	if _, err := d.store.CreateOrder(d.Context(), store.NewOrder{Spec: spec, TokenHash: []byte(id), RequestHash: []byte(id)}); err != nil {
		d.Fatal(err)
	}
	st := order.New(spec, order.CurrentRules, placed)
	if err := d.store.Project(d.Context(), &st); err != nil {
		d.Fatal(err)
	}
	return id
}

func moved(m order.Milestone, at time.Duration) order.Event {
	return order.CarrierEvent{Meta: order.Meta{By: order.CarrierSays, Occurred: placed.Add(at), Received: placed.Add(at)}, Parcel: "1", Milestone: m, Physical: true, Carrier: "ups"}
}

type reply struct {
	t    *testing.T
	code int
	body string
}

func (d *desk) call(method, path, who, body string, headers ...string) reply {
	d.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req := httptest.NewRequest(method, path, r)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+d.keys[who])
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	d.api.Echo.ServeHTTP(w, req)
	return reply{d.T, w.Code, w.Body.String()}
}

func (r reply) want(code int, parts ...string) reply {
	r.t.Helper()
	if r.code != code {
		r.t.Errorf("status %d, want %d: %s", r.code, code, r.body)
	}
	for _, p := range parts {
		if !strings.Contains(r.body, p) {
			r.t.Errorf("answer lacks %q: %s", p, r.body)
		}
	}
	return r
}

func as[T any](r reply) T {
	r.t.Helper()
	var v T
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		r.t.Fatalf("%v: %s", err, r.body)
	}
	return v
}

func (d *desk) view(id string) order.View {
	d.Helper()
	return as[order.View](d.call("GET", "/v1/orders/"+id, "ann", "").want(200))
}

// caseID of the open case of a kind.
func (d *desk) caseID(id string, kind order.CaseKind) string {
	d.Helper()
	for _, c := range d.view(id).Cases {
		if c.Kind == kind {
			return c.ID
		}
	}
	d.Fatalf("%s has no case %s: %+v", id, kind, d.view(id).Cases)
	return ""
}

// audits of an order as action, actor's role, outcome and detail, oldest first.
func (d *desk) audits(id string) []string {
	d.Helper()
	rows, err := d.db.Query(d.Context(), `select action || ' ' || role || ' ' || outcome || ': ' || detail from audit where order_id = $1 order by created_at, id`, id)
	if err != nil {
		d.Fatal(err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			d.Fatal(err)
		}
		list = append(list, s)
	}
	return list
}

func TestAStalledParcelIsWorkedOn(t *testing.T) {
	d := newDesk(t)
	id := d.order("acme", "1")
	d.after(id, time.Hour, moved(order.Accepted, time.Hour))
	d.after(id, 4*24*time.Hour) // quiet: the carrier is asked
	d.after(id, 4*24*time.Hour+time.Hour)
	c := d.caseID(id, order.Stalled)
	cases := "/v1/orders/" + id + "/cases/"
	if got := fmt.Sprint(d.view(id).Cases[0].Resolutions); got != "[wait lost delivered]" {
		t.Errorf("legal now: %s", got)
	}
	d.call("POST", cases+c+"/assign", "ann", `{"assignee":"u-7"}`).want(200, `"assignee":"u-7"`)
	d.call("POST", cases+c+"/note", "dock", `{"text":"  searched\u0000 bay 4 "}`).want(200, `"text":"searched bay 4"`)
	d.call("POST", cases+c+"/resolve", "ann", `{"resolution":"dismiss","reason":"x"}`).want(422, `"field":"resolution"`, "does not resolve stalled; one of [wait lost delivered] does")
	d.call("POST", cases+c+"/resolve", "ann", `{"resolution":"wait","reason":"x"}`).want(422, `"field":"until"`)
	d.call("POST", cases+c+"/resolve", "dock", `{"resolution":"lost","reason":"x"}`).want(422, `"field":"by"`, "only support may set a milestone")
	d.call("POST", cases+c+"/resolve", "ann", `{"resolution":"wait","until":"2026-11-09T12:00:00+01:00","reason":"the depot searches"}`).want(200, `"resolution":"wait"`)
	if v := d.view(id); len(v.Cases) != 0 || v.Decisions[0].Reason != "the depot searches" || !strings.Contains(v.Waiting[0].Rule, "extended by key:") {
		t.Errorf("after the decision: %+v %+v", v.Cases, v.Waiting[0])
	}
	// A second form about it is stale, and hears what happened meanwhile.
	d.call("POST", cases+c+"/resolve", "bob", `{"resolution":"lost","reason":"gone"}`).want(422, `"field":"case"`, c+" was resolved (wait) by key:")
	d.call("POST", cases+c+"/reopen", "bob", `{"reason":"they do not search"}`).want(200)
	again := d.caseID(id, order.Stalled)
	if again == c {
		t.Error("it came back under the same ID")
	}
	d.call("POST", cases+"nonsense-1/note", "bob", `{"text":"x"}`).want(422, "is no open case of this order")
	d.call("POST", cases+again+"/assign", "shop", `{"assignee":"u-7"}`).want(403)

	log := d.audits(id)
	for i, want := range []string{
		"assign_case support done: " + c + ": open, with ops, due 2026-11-07 10:00:00Z → " + c + ": open, with ops, assigned to u-7, due",
		"note_case warehouse done: " + c + ": open, with ops, assigned to u-7, due",
		"resolve_case support refused: resolution: ",
		"resolve_case support refused: until: ",
		"resolve_case warehouse refused: by: ",
		"resolve_case support done: " + c + ": open, with ops, assigned to u-7, 1 notes",
		"resolve_case support refused: case: ",
		"reopen_case support done: " + c + ": resolved (wait) by key:",
		" → " + c + ": open again as " + again + ", open, with ops",
	} {
		if i >= len(log) || !strings.HasPrefix(log[i], want) && !strings.Contains(strings.Join(log, "\n"), want) {
			t.Errorf("audit lacks %q:\n%s", want, strings.Join(log, "\n"))
		}
	}
}

func TestWaitsAreMoved(t *testing.T) {
	d := newDesk(t)
	id := d.order("acme", "1")
	d.after(id, time.Hour)
	waits := "/v1/orders/" + id + "/waits/"
	d.call("POST", waits+"extend", "ann", `{"kind":"pick","parcel":"1","until":"2026-11-03T09:00:00Z","reason":"x"}`).want(422, `"field":"until"`, "to end the wait, fire it")
	d.call("POST", waits+"extend", "ann", `{"kind":"pick","parcel":"2","until":"2026-11-09T09:00:00Z","reason":"x"}`).want(422, `"field":"wait"`)
	d.call("POST", waits+"extend", "ann", `{"kind":"pick","parcel":"1","until":"2026-11-09T09:00:00Z","reason":"stocktaking"}`).want(200, "2026-11-09T09:00:00Z", "(stocktaking)")
	d.call("POST", waits+"fire", "ann", `{"kind":"pick","parcel":"1"}`).want(422, `"field":"reason"`)
	d.call("POST", waits+"fire", "ann", `{"kind":"pick","parcel":"1","reason":"it is not there"}`).want(200)
	d.caseID(id, order.NotPicked)
	d.call("POST", waits+"fire", "ann", `{"kind":"pick","parcel":"1","reason":"again"}`).want(422, "does not wait for that (any more)")
	if log := d.audits(id); !strings.Contains(strings.Join(log, "\n"), "fire_wait support done: waits for the pick scan until 2026-11-09 09:00:00Z → no such wait (any more)") {
		t.Error(strings.Join(log, "\n"))
	}
}

func TestARefundAboveTheLimitTakesTwo(t *testing.T) {
	d := newDesk(t)
	id := d.order("acme", "1")
	d.after(id, time.Hour, moved(order.Accepted, time.Hour))
	d.after(id, 24*time.Hour, moved(order.Delivered, 24*time.Hour))
	parcel := "/v1/orders/" + id + "/parcels/1/not-received"
	d.call("POST", parcel, "dock", `{}`).want(403)
	d.call("POST", parcel, "shop", "").want(200) // a reason is not needed
	d.call("POST", parcel, "shop", `{}`).want(422, `"field":"parcel"`, "has been reported already")
	c := d.caseID(id, order.NotReceived)
	d.call("POST", "/v1/orders/"+id+"/cases/"+c+"/resolve", "ann", `{"resolution":"refund","amount":90001,"reason":"x"}`).want(422, `"field":"amount"`)
	d.call("POST", "/v1/orders/"+id+"/cases/"+c+"/resolve", "ann", `{"resolution":"refund","reason":"no proof of delivery"}`).want(200, `"state":"to_approve"`)
	r := d.view(id).Remedies[0]
	if r.Amount != 90_000 || r.Currency != "EUR" {
		t.Errorf("%+v", r)
	}
	remedy := "/v1/orders/" + id + "/remedies/" + r.ID
	d.call("POST", remedy+"/decide", "ann", `{"agree":true}`).want(422, `"field":"by"`, "it takes another person")
	d.call("POST", remedy+"/end", "bob", `{"confirmed":true,"reason":"x"}`).want(422, "waits for a second person's word first")
	d.call("POST", remedy+"/decide", "bob", `{"agree":true}`).want(200, `"state":"requested"`)
	d.call("POST", remedy+"/decide", "bob", `{"agree":false,"reason":"no"}`).want(422, "is requested and needs nobody's word")
	d.call("POST", remedy+"/end", "ann", `{"confirmed":true,"amount":90000,"reference":"rf-1","reason":"by hand"}`).want(200, `"state":"confirmed"`, `"reference":"rf-1"`)
	log := strings.Join(d.audits(id), "\n")
	for _, want := range []string{"decide_remedy support done: " + r.ID + ": to_approve → " + r.ID + ": requested, decided by key:", "end_remedy support done", "report_not_received storefront done: parcel 1 is not reported missing → not_received of parcel 1: open"} {
		if !strings.Contains(log, want) {
			t.Errorf("audit lacks %q:\n%s", want, log)
		}
	}
}

type page struct {
	Cases []store.CaseRow
	Next  string
}

func TestTheWorkListByPages(t *testing.T) {
	d := newDesk(t)
	for i := range 7 {
		d.order("acme", fmt.Sprint(i))
	}
	d.order("bolt", "9")
	for i := range 7 {
		d.after(fmt.Sprintf("acme:%d", i), time.Duration(49+i/2)*time.Hour) // pairs are due together
	}
	d.after("bolt:9", 53*time.Hour)
	var got []string
	for path := "/v1/cases?limit=3"; path != ""; {
		p := as[page](d.call("GET", path, "dock", "").want(200))
		for _, c := range p.Cases {
			got = append(got, c.OrderID)
		}
		path = ""
		if p.Next != "" {
			path = "/v1/cases?limit=3&cursor=" + p.Next
		}
	}
	if want := "[acme:0 acme:1 acme:2 acme:3 acme:4 acme:5 acme:6 bolt:9]"; fmt.Sprint(got) != want {
		t.Errorf("pages hold %v, want %s", got, want)
	}
	count := func(who, query string) int {
		t.Helper()
		return len(as[page](d.call("GET", "/v1/cases?"+query, who, "").want(200)).Cases)
	}
	if a, b, c, e := count("ann", "owner=warehouse&kind=not_picked&severity=normal"), count("ann", "store=bolt"), count("bolt", ""), count("ann", "due_before="+url.QueryEscape("2026-11-05T10:30:00Z")); a != 8 || b != 1 || c != 1 || e != 2 {
		t.Errorf("%d %d %d %d cases", a, b, c, e)
	}
	d.call("GET", "/v1/cases?store=acme", "bolt", "").want(403)
	for _, bad := range []string{"owner=carrier", "kind=x", "cursor=zz", "cursor=" + "W10", "limit=501", "severity=high", "who=me"} {
		d.call("GET", "/v1/cases?"+bad, "ann", "").want(422)
	}
	d.call("GET", "/v1/cases", "shop", "").want(403)
}

type results struct {
	DryRun  bool `json:"dry_run"`
	Results []struct{ Order, Case, Result, Field, Reason string }
	Done    int
	Refused int
	Failed  int
}

func TestManyCasesAtOnce(t *testing.T) {
	d := newDesk(t)
	for i := range 12 {
		d.order("acme", fmt.Sprint(i))
	}
	for i := range 12 {
		d.after(fmt.Sprintf("acme:%d", i), 49*time.Hour)
	}
	d.after("acme:3", 50*time.Hour, order.Scan{Meta: order.Meta{By: order.Warehouse, Occurred: d.now}, Parcel: "1", Kind: order.ScanHandedOver}, moved(order.Accepted, 50*time.Hour))
	const what = `"filter":{"kind":"not_picked"},"act":"resolve","resolution":"wait","until":"2026-11-09T09:00:00Z","reason":"stocktaking"`
	dry := as[results](d.call("POST", "/v1/cases/bulk", "ann", `{`+what+`}`).want(200))
	if !dry.DryRun || dry.Done != 11 || dry.Refused+dry.Failed != 0 || d.asked != 0 {
		t.Errorf("%+v, %d orders asked", dry, d.asked)
	}
	for body, field := range map[string]string{
		`{"filter":{},"act":"note","text":"x"}`:                                                                         "filter",
		`{"filter":{"kind":"late"},"act":"resolve","reason":"x"}`:                                                       "resolution",
		`{"filter":{"kind":"late"},"act":"resolve","resolution":"dismiss"}`:                                             "reason",
		`{"filter":{"kind":"late"},"act":"resolve","resolution":"wait","reason":"x"}`:                                   "until",
		`{"filter":{"kind":"late"},"act":"resolve","resolution":"dismiss","until":"2026-11-09T09:00:00Z","reason":"x"}`: "until",
		`{"filter":{"kind":"lost"},"act":"resolve","resolution":"refund","reason":"x"}`:                                 "resolution",
		`{"filter":{"kind":"late"},"act":"note"}`:                                                                       "text",
	} {
		d.call("POST", "/v1/cases/bulk", "ann", body).want(422, `"field":"`+field+`"`)
	}
	d.call("POST", "/v1/cases/bulk", "dock", `{`+what+`}`).want(403)

	// The answers get lost; a repeat under the same key acts on nothing twice.
	note := `{"filter":{"owner":"warehouse"},"act":"note","text":"stocktaking","dry_run":false}`
	d.lost = true
	if r := as[results](d.call("POST", "/v1/cases/bulk", "ann", note, "Idempotency-Key", "k1").want(200)); r.Failed != 11 {
		t.Errorf("%+v", r)
	}
	d.lost = false
	var open int
	if err := d.db.QueryRow(t.Context(), `select count(*) from audit where action = 'note_case' and outcome = ''`).Scan(&open); err != nil || open != 11 {
		t.Errorf("%d audits wait for the repeat, %v", open, err)
	}
	if r := as[results](d.call("POST", "/v1/cases/bulk", "ann", note, "Idempotency-Key", "k1").want(200)); r.Done != 11 {
		t.Errorf("%+v", r)
	}
	var notes, ended int
	if err := d.db.QueryRow(t.Context(), `select count(*), count(*) filter (where outcome = 'done') from audit where action = 'note_case'`).Scan(&notes, &ended); err != nil || notes != 11 || ended != 11 {
		t.Errorf("%d audits, %d ended, %v", notes, ended, err)
	}

	wet := as[results](d.call("POST", "/v1/cases/bulk", "ann", `{`+what+`,"dry_run":false}`).want(200))
	if wet.DryRun || wet.Done != 11 || len(as[page](d.call("GET", "/v1/cases?kind=not_picked", "ann", "").want(200)).Cases) != 0 {
		t.Errorf("%+v", wet)
	}
	again := as[results](d.call("POST", "/v1/cases/bulk", "ann", `{`+what+`,"dry_run":false}`).want(200))
	if len(again.Results) != 0 {
		t.Errorf("%+v", again)
	}
}
