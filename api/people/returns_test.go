package people

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/api"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// sale is a delivered order of two sofas at 900 EUR and three lamps at 20.
func (d *desk) sale(number string, change func(*order.Policy)) string {
	d.Helper()
	id := "acme:" + number
	p := order.DefaultPolicy()
	p.ReturnAutoLimit = 0 // a person decides about each
	if change != nil {
		change(&p)
	}
	lines := []order.Allocation{{SKU: "sofa", Quantity: 2}, {SKU: "lamp", Quantity: 3}}
	spec := order.Spec{ID: id, Store: "acme", Number: number, Class: order.Routine, Currency: "EUR", PlacedAt: placed, CustomerRef: id, Policy: p,
		Lines:   []order.Line{{SKU: "sofa", Quantity: 2, UnitAmount: 90_000}, {SKU: "lamp", Quantity: 3, UnitAmount: 2_000}},
		Parcels: []order.PlannedParcel{{ID: "1", Carrier: "ups", Tracking: "1Z" + number, Lines: lines}}}
	if _, err := d.store.CreateOrder(d.Context(), store.NewOrder{Spec: spec, TokenHash: []byte(id), RequestHash: []byte(id)}); err != nil {
		d.Fatal(err)
	}
	st := order.New(spec, order.CurrentRules, placed)
	if err := d.store.Project(d.Context(), &st); err != nil {
		d.Fatal(err)
	}
	d.after(id, time.Hour, moved(order.Accepted, time.Hour))
	d.after(id, 24*time.Hour, moved(order.Delivered, 24*time.Hour))
	return id
}

// docked scans a return's parcel at the dock.
func (d *desk) docked(id, parcel string) {
	d.Helper()
	since := d.now.Sub(placed) + time.Hour
	d.after(id, since, order.Scan{Meta: order.Meta{By: order.Warehouse, Occurred: placed.Add(since), Received: placed.Add(since)}, Parcel: parcel, Kind: order.ScanReturned})
}

func steps(r order.ReturnView) string {
	said := make([]string, 0, len(r.Steps))
	for _, s := range r.Steps {
		said = append(said, fmt.Sprint(s.Act, s.By))
	}
	return strings.Join(said, " ")
}

func TestAReturnFromRequestToRefund(t *testing.T) {
	d := newDesk(t)
	id := d.sale("1", nil)
	returns := "/v1/orders/" + id + "/returns"
	for body, want := range map[string][]string{
		`{}`: {`"field":"lines"`, "at least one is needed"},
		`{"lines":[{"sku":"lamp","quantity":4,"reason":"other","wanted":"refund"}]}`:                  {`"field":"lines[0].quantity"`, "only 3 were delivered"},
		`{"lines":[{"sku":"bed","quantity":1,"reason":"other","wanted":"refund"}]}`:                   {`"field":"lines[0].sku"`},
		`{"lines":[{"sku":"lamp","quantity":1,"reason":"other","wanted":"exchange"}]}`:                {`"field":"lines[0].instead"`},
		`{"lines":[{"sku":"lamp","quantity":1,"reason":"bored","wanted":"refund"}]}`:                  {`"field":"lines[0].reason"`},
		`{"lines":[{"sku":"lamp","quantity":1,"reason":"other","wanted":"refund","photos":["a b"]}]}`: {`"field":"lines[0].photos[0]"`},
		`{"lines":[{"sku":"lamp","quantity":1,"reason":"other","wanted":"refund","grade":"a_new"}]}`:  {`"field":"lines[0].grade"`},
		`{"parcel":"1"}`: {`"field":"by"`, "only support and the returns desk"},
	} {
		d.call("POST", returns, "shop", body).want(422, want...)
	}
	d.call("POST", returns, "dock", `{}`).want(403)
	d.call("POST", returns, "shop", `{"lines":[{"sku":"lamp","quantity":2,"reason":"does_not_fit","wanted":"refund","photos":["s3:p/1.jpg"]}]}`).want(200, `"id":"R1"`, `"state":"requested"`)
	one := returns + "/R1"
	get := func() order.ReturnView { return as[order.ReturnView](d.call("GET", one, "desk", "").want(200)) }
	if got := steps(get()); got != "decide[support returns_desk] cancel[storefront support returns_desk]" {
		t.Errorf("requested: %s", got)
	}
	d.call("GET", returns+"/R2", "desk", "").want(404)
	d.call("GET", returns+"/nonsense", "desk", "").want(422, `"field":"return"`)
	d.call("POST", one+"/decide", "shop", `{"agree":true}`).want(403)
	d.call("POST", one+"/decide", "desk", `{"agree":false}`).want(422, `"field":"reason"`)
	d.call("POST", one+"/inspect", "dock", `{"findings":[{"sku":"lamp","quantity":1,"grade":"a_new"}]}`).want(422, `"field":"return"`, "R1 is requested since")
	d.call("POST", one+"/decide", "desk", `{"agree":true}`).want(200, `"state":"authorized"`)
	d.call("POST", one+"/decide", "desk", `{"agree":true}`).want(422, "R1 is authorized since")
	d.call("POST", one+"/ship", "shop", `{}`).want(422, `"field":"tracking"`)
	d.call("POST", one+"/ship", "shop", `{"carrier":"dhl","tracking":"JD0001"}`).want(200, `"state":"label_sent"`)

	list := d.call("GET", "/v1/returns?store=acme&owner=returns", "desk", "").want(200, `"tracking":"JD0001"`, `"units":2`, `"due":`)
	d.call("GET", "/v1/returns", "bolt", "").want(200, `{"returns":[]}`)
	d.call("GET", "/v1/returns?cursor=AAAA", "desk", "").want(422, `"field":"cursor"`)
	d.call("GET", "/v1/returns?state=nowhere", "desk", "").want(422, `"field":"state"`)
	if strings.Contains(list.body, "next") {
		t.Error("there is no next page")
	}

	d.docked(id, "R1")
	for body, want := range map[string]string{
		`{"findings":[{"sku":"sofa","quantity":1,"grade":"a_new"}]}`:                                                 `"sofa\" is not in return R1`,
		`{"findings":[{"sku":"lamp","quantity":3,"grade":"a_new"}]}`:                                                 "only 2 of 2 are left to inspect",
		`{"findings":[{"sku":"lamp","quantity":1,"grade":"a_new"},{"sku":"lamp","quantity":2,"grade":"c_damaged"}]}`: "findings[1].quantity",
		`{"findings":[{"sku":"lamp","quantity":1,"grade":"fine"}]}`:                                                  "findings[0].grade",
		`{"findings":[]}`: "findings",
		`{"findings":[{"sku":"lamp","quantity":1,"grade":"a_new","to":"scrap"}]}`:    `"field":"reason"`,
		`{"findings":[{"sku":"lamp","quantity":1,"grade":"a_new","accepted":true}]}`: "findings[0].accepted",
	} {
		d.call("POST", one+"/inspect", "dock", body).want(422, want)
	}
	d.call("POST", one+"/inspect", "ann", `{"findings":[{"sku":"lamp","quantity":1,"grade":"a_new"}]}`).want(403)
	d.call("POST", one+"/inspect", "dock", `{"findings":[{"sku":"lamp","quantity":1,"grade":"a_new","serial":"ok"}]}`).want(200, `"state":"inspecting"`, `"to":"restock"`)
	d.call("POST", one+"/inspect", "desk", `{"findings":[{"sku":"lamp","quantity":1,"grade":"c_damaged","note":" worn\u0000 "}]}`).want(200, `"note":"worn"`, `"to":"send_back"`)
	if got := steps(get()); got != "dispose[support returns_desk]" {
		t.Errorf("inspected: %s", got)
	}
	d.call("POST", one+"/dispose", "dock", `{"reason":"x"}`).want(403)
	d.call("POST", one+"/dispose", "desk", `{"lines":[{"sku":"lamp","grade":"b_opened","accept":true}],"reason":"x"}`).want(422, `"field":"lines[0].sku"`, "has no lamp in grade b_opened")
	d.call("POST", one+"/dispose", "desk", `{"lines":[{"sku":"lamp","grade":"c_damaged","accept":true}],"reason":"x"}`).want(422, "what is accepted is not sent back")
	d.call("POST", one+"/dispose", "desk", `{"lines":[{"sku":"lamp","grade":"c_damaged"}],"reason":"worn"}`).want(200, `"state":"dispositioned"`)
	v := d.view(id)
	if len(v.Remedies) != 1 || v.Remedies[0].Kind != order.RefundRemedy || v.Remedies[0].Amount != 2_000 || v.Remedies[0].State != order.Requested || v.Remedies[0].Return != "R1" {
		t.Fatalf("%+v", v.Remedies)
	}
	d.call("POST", one+"/send-back", "dock", `{"carrier":"dhl","tracking":"JD0002"}`).want(200, `"state":"sent_back"`)
	d.call("POST", one+"/send-back", "dock", `{}`).want(422, "nothing of R1 goes back")
	d.call("POST", "/v1/orders/"+id+"/remedies/"+v.Remedies[0].ID+"/end", "ann", `{"confirmed":true,"reference":"rf-1","reason":"by hand"}`).want(200, `"state":"closed"`)
	d.call("POST", one+"/cancel", "ann", `{"reason":"x"}`).want(422, "R1 is closed since")
	d.call("GET", "/v1/returns", "desk", "").want(200, `{"returns":[]}`)
	d.call("GET", "/v1/returns?ended=true&state=closed", "desk", "").want(200, `"id":"R1"`, `"ended_at":`)
	d.call("GET", "/v1/orders/"+id+"/timeline", "desk", "").want(200, "R1 requested: 2 lamp (does_not_fit, refund)", "1 lamp graded c_damaged, to send_back", "R1 closed")
	log := strings.Join(d.audits(id), "\n")
	for _, want := range []string{
		"request_return storefront done: returns: none → returns: R1 requested", "decide_return returns done: R1: requested since ", "ship_return storefront done: ", "comes as JD0001",
		"inspect_return warehouse refused: findings[0].sku: ", "inspect_return returns done: R1: inspecting since ", "2 inspected", "send_return_back warehouse done: ",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("audit lacks %q:\n%s", want, log)
		}
	}
}

func TestARefundOfAReturnAboveTheLimitTakesTwo(t *testing.T) {
	d := newDesk(t)
	id := d.sale("1", func(p *order.Policy) { p.RefundLimit = 50_000 })
	returns := "/v1/orders/" + id + "/returns"
	d.call("POST", returns, "ann", `{"lines":[{"sku":"sofa","quantity":1,"reason":"defective","wanted":"refund"},{"sku":"lamp","quantity":1,"reason":"other","wanted":"exchange","instead":"lamp-xl"}]}`).want(200)
	d.call("POST", returns+"/R1/decide", "ann", `{"agree":true}`).want(200)
	d.docked(id, "R1")
	d.call("POST", returns+"/R1/inspect", "desk", `{"findings":[{"sku":"sofa","quantity":1,"grade":"b_opened"},{"sku":"lamp","quantity":1,"grade":"a_new"}]}`).want(200)
	v := d.view(id)
	if len(v.Remedies) != 2 || v.Remedies[0].State != order.ToApprove || v.Remedies[1].Kind != order.ExchangeRemedy || v.Remedies[1].State != order.Requested || v.Remedies[1].Instead[0].SKU != "lamp-xl" {
		t.Fatalf("%+v", v.Remedies)
	}
	remedy := "/v1/orders/" + id + "/remedies/" + v.Remedies[0].ID
	d.call("POST", remedy+"/decide", "desk", `{"agree":true}`).want(403)
	d.call("POST", remedy+"/decide", "bob", `{"agree":true}`).want(200, `"state":"requested"`)
}

// With the same Idempotency-Key a lost answer is asked for again, and the order
// has one return.
func TestAReturnIsRequestedOnce(t *testing.T) {
	d := newDesk(t)
	id := d.sale("1", nil)
	body := `{"lines":[{"sku":"lamp","quantity":1,"reason":"other","wanted":"refund"}]}`
	d.call("POST", "/v1/orders/"+id+"/returns", "shop", body, "Idempotency-Key", "k1").want(200)
	d.call("POST", "/v1/orders/"+id+"/returns", "shop", body, "Idempotency-Key", "k1").want(200)
	if v := d.view(id); len(v.Returns) != 1 || d.asked != 1 {
		t.Errorf("%d returns, asked %d times", len(v.Returns), d.asked)
	}
}

func TestAClosedOrderTakesAReturnAndRefusesTheRest(t *testing.T) {
	d := newDesk(t)
	id := d.sale("1", func(p *order.Policy) { p.CloseAfter = order.Duration(24 * time.Hour) })
	d.after(id, 100*time.Hour)
	if !d.view(id).Closed {
		t.Fatal("it is not closed")
	}
	orders := "/v1/orders/" + id
	d.call("POST", orders+"/returns", "shop", `{"lines":[{"sku":"lamp","quantity":9,"reason":"other","wanted":"refund"}]}`).want(422, "only 3 were delivered")
	d.call("POST", orders+"/hold", "shop", `{"reason":"x"}`).want(409, "nothing is left to hold")
	if d.reopened != 0 {
		t.Error("a refusal started a run")
	}
	d.call("POST", orders+"/returns", "shop", `{"lines":[{"sku":"lamp","quantity":1,"reason":"other","wanted":"refund"}]}`).want(200, `"closed":false`, `"id":"R1"`)
	d.call("POST", orders+"/parcels/1/not-received", "shop", "").want(200)
	if d.reopened != 1 {
		t.Errorf("%d runs", d.reopened)
	}
	d.now = placed.AddDate(1, 0, 0)
	late := d.sale("2", func(p *order.Policy) { p.CloseAfter = order.Duration(24 * time.Hour) })
	d.after(late, 366*24*time.Hour)
	d.call("POST", "/v1/orders/"+late+"/returns", "shop", `{"lines":[{"sku":"lamp","quantity":1,"reason":"other","wanted":"refund"}]}`).want(422, "were delivered within")
}

func TestAnOrderReplacesAnother(t *testing.T) {
	d := newDesk(t)
	old := d.sale("1", nil)
	if _, err := d.store.PutPolicy(d.Context(), order.PolicyBook{Policy: order.DefaultPolicy()}, "test"); err != nil {
		t.Fatal(err)
	}
	body := func(number, replaces string) string {
		return `{"store":"acme","number":"` + number + `","customer":{"name":"A. Buyer"},"ship_to":{"name":"A. Buyer","street":"Wall 1","city":"Bremen","country":"DE"},"lines":[{"sku":"lamp-xl","quantity":1}],"replaces":"` + replaces + `"}`
	}
	for replaces, want := range map[string]string{"acme:404": "there is no order acme:404", "bolt:1": "must be another order of the same store", "acme:2": "must be another order of the same store", "1": `"field":"replaces"`} {
		d.call("POST", "/v1/orders", "shop", body("2", replaces)).want(422, `"field":"replaces"`, want)
	}
	d.call("POST", "/v1/orders", "shop", body("2", old)).want(201, `"replaces":"`+old+`"`)
	d.call("POST", "/v1/orders", "shop", body("2", old)).want(200)
	d.call("GET", "/v1/orders/"+old, "desk", "").want(200, `"replaced_by":["acme:2"]`)
	if r := d.call("GET", "/v1/orders/acme:2", "desk", "").want(200, `"replaces":"`+old+`"`); strings.Contains(r.body, "replaced_by") {
		t.Error(r.body)
	}
}

// Ask is right about closed orders, or the tests above prove nothing.
func TestTheDesksOrdersClose(t *testing.T) {
	d := newDesk(t)
	id := d.sale("1", func(p *order.Policy) { p.CloseAfter = order.Duration(time.Hour) })
	d.after(id, 100*time.Hour)
	if _, err := d.Ask(context.Background(), id, order.Hold{}); !errors.Is(err, api.ErrNotRunning) {
		t.Error(err)
	}
}
